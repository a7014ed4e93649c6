"""The modules of one folder, that of a YAML file, before all others of the same names."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from dis import get_instructions
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader, all_suffixes
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType, ModuleType

OWN = __name__.partition(".")[0]
INSTALLED_IN = ("site-packages", "dist-packages")


@contextmanager
def imports_from(folder: Path | None) -> Iterator[None]:
    """Let imports start at `folder`, whatever was imported from elsewhere before.

    Modules that were loaded from elsewhere under the names of those in the folder are set aside,
    with their submodules, and put back on leaving; the folder's own that an import outside would
    not find are kept for the next time. So imports that happen late, and pickles, find the same
    modules as the first one did. Nothing of Python or of an installed distribution is ever
    replaced.

    Parameters
    ----------
    folder : Path, optional
        That of the YAML file; ``None`` changes nothing. Entered again within, it costs nothing;
        another one takes its place.
    """
    outer = _entered()
    if folder is None or (outer is not None and outer.is_of(folder)):
        yield
        return
    finder = _finder_of(folder)
    if outer is not None:
        outer.leave()
    finder.enter()
    try:
        yield
    finally:
        finder.leave()
        if outer is not None:
            outer.enter()


def forget_imports() -> None:
    """Forget what was imported inside of `imports_from`: the files may be others the next time."""
    for finder in [f for f in sys.meta_path if isinstance(f, FolderFinder)]:
        finder.forget()


def file_beside(folder: Path, name: str) -> Path | None:
    """Return the file in `folder` that a module's dotted name stands for; ``None`` without one."""
    place = folder
    spec = None
    for part in name.split("."):
        spec = PathFinder.find_spec(part, [str(place)])
        if spec is None:
            return None
        place = place / part
    return Path(spec.origin) if spec is not None and spec.origin else None


def entered_folder() -> Path | None:
    """Return the folder that imports start at now; ``None`` where they are ordinary ones."""
    finder = _entered()
    return None if finder is None else finder.folder


def is_file(file: object, meant: Path) -> bool:
    """Return whether a module's file, where it has one, is the one that is meant."""
    return isinstance(file, str) and os.path.realpath(file) == os.path.realpath(meant)


def _entered() -> FolderFinder | None:
    finders = (f for f in sys.meta_path if isinstance(f, FolderFinder))
    return next((f for f in finders if f.is_entered), None)


def _finder_of(folder: Path) -> FolderFinder:
    """Return the finder of a folder: Python itself keeps it, in its list of them."""
    finders = [f for f in sys.meta_path if isinstance(f, FolderFinder)]
    return next((f for f in finders if f.is_of(folder)), None) or FolderFinder(folder)


class FolderFinder(MetaPathFinder):
    """Finds the modules of one folder before all others, while it is entered.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.is_entered = False
        self._kept: dict[str, ModuleType] = {}
        self._aside: dict[str, ModuleType] = {}
        self._before: frozenset[str] = frozenset()
        self._loaded: set[str] = set()

    def is_of(self, folder: Path) -> bool:
        """Return whether `folder` is the one whose modules are found."""
        return self.folder == folder.absolute()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the folder holds a module, as Python asks of every finder."""
        if not self.is_entered or path is not None or self._own_spec(fullname) is None:
            return None
        if reserved(fullname) is None:
            return self._own_spec(fullname)
        elsewhere = [place for place in sys.path if place != str(self.folder)]
        return PathFinder.find_spec(fullname, elsewhere, target)

    def enter(self) -> None:
        """Set aside what was loaded from elsewhere under the names of the folder's modules."""
        loaded = _tops() & self._names()
        own = {name for name in loaded if self._is_own(name) and name not in _tops(self._kept)}
        foreign = {n for n in loaded - own if reserved(n) is None and self._own_spec(n)}
        self._aside = _taken(_with_importers(foreign, own))
        self._before = frozenset(_tops())
        sys.modules.update(self._kept)
        sys.path.insert(0, str(self.folder))  # for processes that are started with this path
        sys.meta_path[:] = [self, *(f for f in sys.meta_path if f is not self)]
        self.is_entered = True

    def leave(self) -> None:
        """Let outside be what an ordinary import finds there."""
        self.is_entered = False
        with suppress(ValueError):  # the code that ran inside may have removed it
            sys.path.remove(str(self.folder))
        sys.meta_path[:] = [*(f for f in sys.meta_path if f is not self), self]
        new = (_tops() & self._names()) - self._before
        own = {name for name in new if self._is_own(name)}
        self._loaded |= own
        aside = _tops(self._aside)
        self._kept = _taken({n for n in own if n in aside or not self._is_found_outside(n)})
        sys.modules.update(self._aside)
        self._aside = {}

    def forget(self) -> None:
        """Forget all modules that were loaded inside, and be no finder any more."""
        _taken({name for name in self._loaded if self._is_own(name)})
        sys.meta_path[:] = [f for f in sys.meta_path if f is not self]

    def _names(self) -> set[str]:
        try:
            return {path.name.partition(".")[0] for path in self.folder.iterdir()}
        except OSError:
            return set()

    def _own_spec(self, name: str) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, [str(self.folder)])
        if spec is None or spec.origin is not None:
            return spec
        if not _holds_code(self.folder / name):
            return None
        # A package without __init__: of this folder alone, where Python prefers any other place.
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(self.folder / name)]
        return spec

    def _is_own(self, name: str) -> bool:
        """Return whether the module of that name was loaded from this folder."""
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if file is None:
            places = _places(getattr(module, "__path__", ()))
            return bool(places) and places == _places([str(self.folder / name)])
        spec = self._own_spec(name)
        return spec is not None and spec.origin is not None and is_file(file, Path(spec.origin))

    def _is_found_outside(self, name: str) -> bool:
        spec = PathFinder.find_spec(name)
        if spec is None:
            return False
        if spec.origin is None:
            own = _places([str(self.folder / name)])
            return own == _places(spec.submodule_search_locations or ())[:1]
        return is_file(getattr(sys.modules[name], "__file__", None), Path(spec.origin))


def _places(places: Iterable[str]) -> list[str]:
    return [os.path.realpath(place) for place in places]


def _tops(names: Iterable[str] | None = None) -> set[str]:
    """Return the top-level names of modules, by default of all that are loaded."""
    found = tuple(sys.modules) if names is None else names
    return {name.partition(".")[0] for name in found}


def _taken(tops: set[str]) -> dict[str, ModuleType]:
    """Take modules, with their submodules, out of what is loaded, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in tops] if tops else ()
    return {name: sys.modules.pop(name) for name in names}


def _with_importers(foreign: set[str], own: set[str]) -> set[str]:
    """Add what was loaded from the folder, but has taken something from elsewhere into itself."""
    if not foreign:
        return foreign
    found, imports = set(foreign), {name: _imports_of(name) for name in own}
    while more := {name for name in own - found if imports[name] & found}:
        found |= more
    return found


def _imports_of(top: str) -> set[str]:
    """Return the top-level names that a module and its submodules have imported when loaded."""
    modules = [m for name, m in tuple(sys.modules.items()) if name.partition(".")[0] == top]
    codes = [code for module in modules if (code := _code_of(module)) is not None]
    steps = (step for code in codes for step in get_instructions(code))
    return {str(s.argval).partition(".")[0] for s in steps if s.opname == "IMPORT_NAME"}


def _code_of(module: ModuleType) -> CodeType | None:
    spec = getattr(module, "__spec__", None)
    loader = getattr(spec, "loader", None)
    if not isinstance(loader, SourceFileLoader):
        return None
    try:
        code: CodeType | None = loader.get_code(module.__name__)
    except (ImportError, OSError, SyntaxError, ValueError):  # it has changed since
        return None
    return code


def reserved(name: str) -> str | None:
    """Return the file that has a top-level name for good: Python's, or an installed one."""
    if name in (OWN, "__main__"):
        return name
    places = [place for place in sys.path if Path(place).name in INSTALLED_IN]
    is_pythons = name in sys.stdlib_module_names
    spec = PathFinder.find_spec(name, [str(Path(os.__file__).parent)] if is_pythons else places)
    if spec is None:
        return "part of Python" if is_pythons else None
    return spec.origin or f"installed in {', '.join(places)}"


def _holds_code(folder: Path) -> bool:
    suffixes = tuple(all_suffixes())
    return any(name.endswith(suffixes) for _, _, names in os.walk(folder) for name in names)

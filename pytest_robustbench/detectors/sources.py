"""The files that a detector was made of: its code and its model files, by their content."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.families import family_of
from pytest_robustbench.detectors.packages import sha256_of_file
from pytest_robustbench.display import redacted
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.folder_imports import INSTALLED_IN, OWN, file_beside, is_file, reserved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IMPORT_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_][\w.]*")

# onnx.proto3: the location of external data is a StringStringEntryProto, that is, field 1 (0x0a)
# with the key and field 2 (0x12) with a file name, each preceded by its length.
EXTERNAL_DATA = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])", re.DOTALL)


@dataclass(frozen=True)
class Sources:
    """What a detector was made of; empty where it is all of installed packages.

    Parameters
    ----------
    code : mapping of str to str
        The module that made it and the modules beside the YAML that it imports, or those of its
        installed package: file -> sha256.
    files : mapping of str to str
        The files that its name and arguments name: file -> sha256.
    """

    code: Mapping[str, str]
    files: Mapping[str, str]


def sources_of(
    detector: object,
    folder: Path | None,
    name: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> Sources:
    """Return what a detector was made of.

    Parameters
    ----------
    detector : object
        The detector, as it was given or made.
    folder : Path, optional
        That of the YAML, where there is one: files below it are named from there on, others by
        their name alone.
    name : str
        What it is called in the YAML; empty where it was made elsewhere.
    arguments : mapping, optional
        What it was made with.

    Raises
    ------
    DetectorError
        If its code comes from a file that has only the name of one in `folder`, or a file cannot
        be read.
    """
    texts = [name, *_texts(arguments)]
    paths = [text for text in texts if IMPORT_PATH.fullmatch(text) and family_of(text) is None]
    modules = dict.fromkeys(path.partition(":")[0] for path in paths)
    code = [file for module in modules for file in _code_named(module, folder)]
    if not name:
        code += _code_of(detector, folder)
    return Sources(_digests(code, folder), _digests(_files(texts, folder), folder))


def changed_files(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Return the names whose content differs; where all contents are the same, names do not count.

    Parameters
    ----------
    first, second : mapping of str to str
        File -> sha256, as in `Sources`.
    """
    if sorted(first.values()) == sorted(second.values()):
        return []
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


def _code_named(module: str, folder: Path | None) -> list[Path]:
    """Return the file of a module, and those beside the YAML that it imports."""
    beside = [] if folder is None else _closure([module], folder)
    file = getattr(sys.modules.get(module), "__file__", None)
    is_own = file is None or module.partition(".")[0] == OWN
    return beside or ([] if is_own else _package(module, Path(str(file))))


def _package(module: str, file: Path) -> list[Path]:
    """Return all modules of the package that a module is of, whichever are loaded by now."""
    places = getattr(sys.modules.get(module.partition(".")[0]), "__path__", ())
    return [each for place in places for each in Path(place).rglob("*.py")] or [file]


def _code_of(detector: object, folder: Path | None) -> list[Path]:
    """Return the file of the class or function that a detector is, and what it imports."""
    maker = _maker(detector)
    module, file = _home(maker)
    if file is None or module.partition(".")[0] == OWN:
        return []
    if folder is None or reserved(module.partition(".")[0]) is not None:
        return [file]
    for value in (maker, *_globals(maker).values()):
        _refuse_namesake(*_home(value), folder)
    return [file, *_closure(_imports(module, file), folder)]


def _maker(detector: Any) -> Any:
    """Return the function or class that a detector is, without what this package put around it."""
    while type(detector).__module__.partition(".")[0] == OWN:
        inner = getattr(detector, "wrapped", getattr(detector, "detector", None))
        if inner is None:
            break
        detector = inner
    while isinstance(detector, partial):
        detector = detector.func
    detector = getattr(detector, "__func__", detector)
    return detector if isinstance(detector, (FunctionType, type)) else type(detector)


def _functions(value: object) -> list[FunctionType]:
    parts = [value, *(vars(value).values() if isinstance(value, type) else ())]
    return [part for part in parts if isinstance(part, FunctionType)]


def _globals(maker: object) -> dict[str, Any]:
    return next((function.__globals__ for function in _functions(maker)), {})


def _home(value: object) -> tuple[str, Path | None]:
    """Return the module that a module, class or function is of, and the file that it came from.

    By its code: under the name of its module another one may be loaded by now.
    """
    if isinstance(value, ModuleType):
        module, file = value.__name__, getattr(value, "__file__", None)
    elif isinstance(value, (FunctionType, type)):
        module, codes = value.__module__, [f.__code__ for f in _functions(value)]
        file = next((code.co_filename for code in codes), None)
    else:
        return "", None
    return str(module), Path(file) if file is not None and Path(file).is_file() else None


def _refuse_namesake(module: str, file: Path | None, folder: Path) -> None:
    """Refuse what came from another file than the one that the folder holds under its name."""
    is_any = module.endswith("conftest")  # pytest loads them by their places
    beside = None if file is None or is_any else file_beside(folder, module)
    if beside is None or reserved(module.partition(".")[0]) is not None:
        return
    if not is_file(str(file), beside):
        raise _other(module, str(file), beside)


def _other(module: str, file: str, beside: Path) -> DetectorError:
    return DetectorError(
        f"the detector's module {module!r} is {file}, and {beside} lies beside the YAML: rename "
        "one of them"
    )


def _closure(modules: Iterable[str], folder: Path) -> list[Path]:
    """Return the files beside the YAML of modules and of all that they import, wherever in them."""
    found: dict[str, Path] = {}
    ahead, seen = list(modules), set[str]()
    while ahead:
        name = ahead.pop()
        if name in seen or not _is_of(name.partition(".")[0], folder):
            continue
        seen.add(name)
        ahead += [parent] if (parent := name.rpartition(".")[0]) else []
        file = file_beside(folder, name)
        if file is not None:
            found[name] = file
            ahead += _imports(name, file)
    return list(found.values())


def _is_of(top: str, folder: Path) -> bool:
    """Return whether a module is taken from the folder, where it is; refuse what may mean two."""
    taken = reserved(top)
    if taken is None:
        return True
    beside = file_beside(folder, top)
    if beside is None or top == OWN or top in sys.stdlib_module_names:
        return False
    if is_file(getattr(sys.modules.get(top), "__file__", None), beside):
        return True
    raise _other(top, taken, beside)


def _imports(module: str, file: Path) -> Iterator[str]:
    """Yield what may be modules that a file imports, by their absolute names."""
    if file.suffix != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    package = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in arguments, however deep."""
    if isinstance(value, (str, Path)):
        yield str(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


def _files(texts: Iterable[str], folder: Path | None) -> Iterator[Path]:
    """Yield the files that texts name, alone or behind a prefix, and those that belong to them."""
    for text in texts:
        for path in dict.fromkeys((text, text.partition(":")[2])):
            for place in (Path(), folder or Path()):
                file = place / Path(path).expanduser() if path else place
                if _is_file(file):
                    yield from parts_of(file)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that can be no path
        return False


def parts_of(path: Path) -> list[Path]:
    """Return a model file and those beside it that hold its weights."""
    beside = [path.with_suffix(".bin")] if path.suffix == ".xml" else []
    if path.suffix == ".onnx":
        data = path.read_bytes()
        found = {data[m.end() : m.end() + m[1][0]] for m in EXTERNAL_DATA.finditer(data)}
        beside = [path.parent / name.decode(errors="replace") for name in sorted(found)]
    return [path, *(each for each in beside if _is_file(each))]


def _digests(files: Iterable[Path], folder: Path | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted({file.resolve() for file in files}):
        try:
            digest = sha256_of_file(file)
        except OSError as error:
            raise DetectorError(f"{file}: cannot be read ({error.strerror or error})") from error
        name = _name(file, folder)
        names = [name, *(f"{name} ({i})" for i in range(2, len(found) + 3))]
        found[next(each for each in names if each not in found)] = digest
    return found


def _name(file: Path, folder: Path | None) -> str:
    """Return how a file is called on every machine; what comes from the environment is hidden."""
    start = None if folder is None else folder.resolve()
    if start is not None and file.is_relative_to(start) and not {*INSTALLED_IN} & {*file.parts}:
        return redacted(file.relative_to(start).as_posix())
    return redacted(file.name)

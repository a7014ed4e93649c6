"""Which installed distributions bring what is imported, whatever either is called."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import Distribution


def bringing(*packages: str) -> list[Distribution]:
    """Return the installed distributions that bring import packages, whatever they are called.

    Several may bring the same one: they then share a folder, and the last installed lies there.
    """
    found = {one.name: one for one in distributions() if _brings_any(one, packages)}
    return [found[name] for name in sorted(found, key=str.lower)]


def _brings_any(one: Distribution, packages: Sequence[str]) -> bool:
    # As text: of the largest, a list of paths takes a second to make. Python 3.10's own
    # packages_distributions knows only those that have a top_level.txt, and few have one today.
    files = f"\n{one.read_text('RECORD') or ''}"
    named = (one.read_text("top_level.txt") or "").split()  # all that an editable one tells
    return any(n in named or f"\n{n}/" in files or f"\n{n}.py," in files for n in packages)


def version_of(package: str) -> str:
    """Return the version of an import package and, where it is called otherwise, who brings it.

    Returns
    -------
    str
        What a loaded module says of itself comes first; ``unknown`` where nobody says anything.
    """
    own = getattr(sys.modules.get(package), "__version__", None)
    found = {one.name: one.version for one in bringing(package)}
    version = str(own or " or ".join(sorted(set(found.values()))) or "unknown")
    matching = [name for name, said in found.items() if said == version] or list(found)
    if matching in ([], [package]):
        return version
    return f"{version} of {' and '.join(matching)}"

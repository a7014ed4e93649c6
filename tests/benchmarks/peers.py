"""The libraries compared with: used where they are installed, named where they are not."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Work = Callable[..., Any]

DISTRIBUTIONS = (
    "pyimgano",
    "torchmetrics",
    "anomalib",
    "albumentations",
    "imagecorruptions",
)


class Ready(NamedTuple):
    """What peers can do here, and why others can do nothing."""

    works: dict[str, Work]
    complaints: dict[str, str]


def made_ready(makers: Mapping[str, Callable[[], Work]], *arguments: object) -> Ready:
    """Make every peer ready, and let it work once: that is its warm-up, too.

    Parameters
    ----------
    makers : mapping of name to function
        Imports the peer and returns what it is to do.
    *arguments
        What the works are tried with.

    Returns
    -------
    Ready
        A peer that raises anything ends among the complaints, and harms no other.
    """
    tried = {name: _tried(make, arguments) for name, make in makers.items()}
    return Ready(
        {name: found for name, found in tried.items() if not isinstance(found, str)},
        {name: found for name, found in tried.items() if isinstance(found, str)},
    )


def _tried(make: Callable[[], Work], arguments: tuple[object, ...]) -> Work | str:
    try:
        work = _quiet(_quiet(make)())
        work(*arguments)
    except Exception as error:
        return complaint(error)
    return work


def complaint(error: Exception) -> str:
    """Return in one line why something was not measured."""
    reason = str(error).strip().partition("\n")[0]
    kind = "" if isinstance(error, ModuleNotFoundError) else f"{type(error).__name__}: "
    return f"not measured: {kind}{reason}"


def load(name: str) -> Any:
    """Import a module of a peer.

    Some need a shim while they are imported: imagecorruptions 1.1.2 wants pkg_resources, which
    setuptools no longer has, and a torchvision that was built for another torch (a CUDA one beside
    a CPU one) cannot register the shapes of operators that nothing here calls.

    Raises
    ------
    ImportError
        If it is not installed, or does not import.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network
    with _shims():
        return importlib.import_module(name)


@contextmanager
def _shims() -> Iterator[None]:
    wanted = ["torchvision._meta_registrations"]
    if find_spec("pkg_resources") is None:
        wanted.append("pkg_resources")
    added = [name for name in wanted if name not in sys.modules]
    for name in added:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].resource_filename = None  # imagecorruptions calls it for frost alone
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


def _quiet(work: Work) -> Work:
    """Ignore the warnings of a peer: they are none of ours."""

    @functools.wraps(work)
    def quiet(*arguments: object) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work(*arguments)

    return quiet

"""From a name or an import path to a corruption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.names import BUILT_IN, REGISTERED, installed, known_names
from pytest_robustbench.errors import CorruptionError
from pytest_robustbench.importing import import_object
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.corruption import JSON, CorruptionFunction


def register_corruption(
    name: str,
    function: CorruptionFunction,
    *,
    version: int = 1,
    moves_pixels: bool = False,
    parameters: Mapping[str, JSON] | None = None,
) -> Corruption:
    """Make a function of your own known as a corruption, for example in a conftest.py.

    Parameters
    ----------
    name : str
        How the YAML, the report and the test ids call it: lower-case letters, digits, underscores.
    function : callable
        ``(image, mask, severity, rng)`` to ``(image, mask)`` or ``(image, mask, ignored)``; see
        `Corruption`.
    version : int
        Raise it whenever the function gives other pixels than before.
    moves_pixels : bool
        Whether pixels change place, so that a defect may leave the frame.
    parameters : mapping, optional
        Plain JSON for the report: whatever else decides the pixels.

    Returns
    -------
    Corruption
        What `name` now stands for.

    Raises
    ------
    CorruptionError
        If `name` is built in, cannot be part of a test id, or already stands for something else.

    Examples
    --------
    >>> def inverted(image, mask, severity, rng):
    ...     return 255 - image, mask
    >>> register_corruption("inverted", inverted).name
    'inverted'
    """
    corruption = Corruption(
        name, _callable(function, name), version, parameters or {}, moves_pixels
    )
    if name in BUILT_IN:
        message = f"{name!r} is a built-in corruption: register yours under another name"
        raise CorruptionError(message)
    registered = REGISTERED.setdefault(name, corruption)
    if registered != corruption:
        message = (
            f"a corruption {name!r} is registered already ({_origin(registered)}) and differs from "
            f"this one ({_origin(corruption)}): give one of them another name"
        )
        raise CorruptionError(message)
    return registered


def load_corruption(name: str, folder: Path | None = None) -> Corruption:
    """Return the corruption that `name` stands for.

    Parameters
    ----------
    name : str
        A built-in name, a registered name, the name of an entry point in the group
        ``pytest_robustbench.corruptions``, or an import path ``package.module:name`` of a
        `Corruption` or of a plain function, whose own name is then the corruption's.
    folder : Path, optional
        Folder that import paths start at: that of the YAML file.

    Raises
    ------
    CorruptionError
        If nothing is called `name`, or it cannot be imported, or is no corruption.
    """
    if ":" in name:
        return _imported(name, folder)
    if name in BUILT_IN:
        built_in: Corruption = import_object(BUILT_IN[name])
        return built_in
    if name in REGISTERED:
        return REGISTERED[name]
    return _installed(name)


def corrupt(
    image: Image,
    mask: Mask | None,
    name: str,
    *,
    severity: int,
    seed: int = 0,
    sample_id: str = "",
) -> Corrupted:
    """Corrupt one picture as the benchmark would.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` uint8, RGB.
    mask : Mask or None
        ``(H, W)`` bool, True = defect; ``None`` where unknown.
    name : str
        Anything `load_corruption` takes.
    severity : int
        1 to 5.
    seed : int
        Seed of the benchmark.
    sample_id : str
        Identifier of the sample within its split: with the seed it decides every draw.

    Returns
    -------
    Corrupted
        ``(image, mask, ignored)``.

    Raises
    ------
    CorruptionError
        If an argument is not as described, or the corruption fails.
    """
    _check_picture(image, mask)
    return load_corruption(name).apply(image, mask, severity, seed=seed, sample_id=sample_id)


def _imported(path: str, folder: Path | None) -> Corruption:
    try:
        found = import_object(path, folder)
    except Exception as error:
        message = f"corruption {path!r} cannot be imported: {type(error).__name__}: {error}"
        raise CorruptionError(message) from error
    corruption = _as_corruption(found, path.rpartition(":")[2].rpartition(".")[2], path)
    if corruption.name in BUILT_IN and corruption is not load_corruption(corruption.name):
        message = f"corruption {path!r} has the name of a built-in one: rename it"
        raise CorruptionError(message)
    return corruption


def _installed(name: str) -> Corruption:
    entry = installed().get(name)
    if entry is None:
        message = f"unknown corruption {name!r}; {suggestion(name, known_names())}"
        raise CorruptionError(message)
    where = f"{name!r} (entry point {entry.value!r})"
    try:
        found = entry.load()
    except Exception as error:
        message = f"corruption {where} cannot be imported: {type(error).__name__}: {error}"
        raise CorruptionError(message) from error
    corruption = _as_corruption(found, name, where)
    if corruption.name != name:
        message = f"corruption {where} calls itself {corruption.name!r}: the names must agree"
        raise CorruptionError(message)
    return corruption


def _as_corruption(found: object, name: str, where: str) -> Corruption:
    return found if isinstance(found, Corruption) else Corruption(name, _callable(found, where))


def _callable(found: Any, where: str) -> CorruptionFunction:
    if not callable(found) or isinstance(found, type):
        message = (
            f"corruption {where!r} is a {type(found).__name__}, neither a Corruption nor a "
            "function (image, mask, severity, rng)"
        )
        raise CorruptionError(message)
    function: CorruptionFunction = found
    return function


def _origin(corruption: Corruption) -> str:
    function = corruption.function
    module = getattr(function, "__module__", None)
    return f"{module}:{getattr(function, '__qualname__', function)}, version {corruption.version}"


def _check_picture(image: object, mask: object) -> None:
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3):
        raise CorruptionError("image must be a uint8 array of shape (H, W, 3)")
    if image.shape[2] != 3 or image.size == 0:
        message = f"image must have shape (H, W, 3), not {image.shape}"
        raise CorruptionError(message)
    if mask is None:
        return
    if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_):
        raise CorruptionError("mask must be a bool array or None")
    if mask.shape != image.shape[:2]:
        message = f"mask has shape {mask.shape}, its image {image.shape[:2]}"
        raise CorruptionError(message)

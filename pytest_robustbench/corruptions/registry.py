"""From a reference (a name, an import path, parameters, a composition) to a corruption."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.corruptions.catalogue import (
    BUILT_IN,
    ENTRY_POINT_GROUP,
    REGISTERED,
    known_names,
)
from pytest_robustbench.corruptions.composition import composed
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.corruptions.transform_kinds import is_transforms
from pytest_robustbench.corruptions.transforms import transform_corruption
from pytest_robustbench.errors import CorruptionError
from pytest_robustbench.importing import import_object, installed, place_of, same_code
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.corruption import JSON, CorruptionFunction
    from pytest_robustbench.corruptions.references import Reference


def register_corruption(
    name: str,
    function: CorruptionFunction | Callable[[int], Any] | Sequence[Any],
    *,
    version: int = 1,
    moves_pixels: bool | None = None,
    parameters: Mapping[str, JSON] | None = None,
) -> Corruption:
    """Make a function of your own known as a corruption, for example in a conftest.py.

    Parameters
    ----------
    name : str
        How the YAML, the report and the test ids call it: lower-case letters, digits, underscores.
    function : callable or sequence of 5
        ``(image, mask, severity, rng)`` to ``(image, mask)`` or ``(image, mask, ignored)``; see
        `Corruption`. Or what `transform_corruption` takes.
    version : int
        Raise it whenever the function gives other pixels than before.
    moves_pixels : bool
        Whether pixels change place, so that a defect may leave the frame. If not given, they do
        not, and of transforms it is seen whether they do.
    parameters : mapping, optional
        Plain JSON for the report: whatever else decides the pixels. They are not given to a
        function ``(image, mask, severity, rng)``, whose they are already.

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
    if is_transforms(function):
        corruption = transform_corruption(
            name, function, version=version, moves_pixels=moves_pixels, parameters=parameters
        )
    else:
        plain = _callable(function, name)
        corruption = Corruption(name, plain, version, parameters or {}, bool(moves_pixels))
    if name in BUILT_IN:
        raise CorruptionError(
            f"{name!r} is a built-in corruption: register yours under another name"
        )
    registered = REGISTERED.get(name)
    if registered is not None and not _agree(registered, corruption):
        raise CorruptionError(
            f"a corruption {name!r} is registered already ({_origin(registered)}) and differs from "
            f"this one ({_origin(corruption)}): give one of them another name"
        )
    if registered != corruption:
        REGISTERED[name] = corruption
    return REGISTERED[name]


def load_corruption(reference: str | Mapping[str, Any], folder: Path | None = None) -> Corruption:
    """Return the corruption that `reference` refers to.

    Parameters
    ----------
    reference : str or mapping
        A name: built in, registered, or of an entry point in the group
        ``pytest_robustbench.corruptions``. An import path ``package.module:name`` of a
        `Corruption`, a function ``(image, mask, severity, rng)``, a function ``severity`` to
        transform, or a sequence of five transforms; it is called by the last part of the path. Or a
        mapping: ``{lighting: {direction: darker}}`` sets parameters, ``{compose: [motion_blur,
        lighting]}`` applies several; a second key ``name`` renames either, and ``at: model`` lets
        it act after the resize.
    folder : Path, optional
        Folder that import paths start at: that of the YAML file.

    Raises
    ------
    CorruptionError
        If nothing is called so, or it cannot be imported, or is no corruption, or has no such
        parameters.
    """
    return _loaded(parse_reference(reference), folder)


def _loaded(reference: Reference, folder: Path | None) -> Corruption:
    if reference.parts:
        found = composed([_loaded(one, folder) for one in reference.parts])
    else:
        found = _found(reference.target, reference.parameters, folder)
    _check_not_taken(reference, found)
    named = found.renamed(reference.name)
    return named if reference.at is None else named.placed(reference.at)


def _found(target: str, parameters: Mapping[str, Any], folder: Path | None) -> Corruption:
    if ":" in target:
        return _imported(target, parameters, folder)
    if target in BUILT_IN:
        return _built_in(target).configured(parameters)
    if target in REGISTERED:
        return REGISTERED[target].configured(parameters)
    return _installed(target, parameters)


def _built_in(name: str) -> Corruption:
    where = f"the built-in corruption {name!r} cannot be used: {BUILT_IN[name]}"
    try:
        corruption: Corruption = import_object(BUILT_IN[name])
    except (ImportError, AttributeError) as error:
        raise CorruptionError(f"{where} cannot be imported: {error}") from error
    if corruption.name != name:
        raise CorruptionError(f"{where} calls itself {corruption.name!r}")
    return corruption


def _check_not_taken(reference: Reference, found: Corruption) -> None:
    """Refuse what would be called like a built-in corruption and is another one."""
    name = reference.name
    if name not in BUILT_IN or reference.target in (name, BUILT_IN[name]):
        return
    if found is not _built_in(name):
        what = reference.target or "composition"
        raise CorruptionError(
            f"corruption {what!r} has the name of a built-in one, {name!r}: rename it"
        )


def corrupt(
    image: Image,
    mask: Mask | None,
    reference: str | Mapping[str, Any],
    *,
    severity: float | None = None,
    seed: int = 0,
    sample_id: str = "",
) -> Corrupted:
    """Corrupt one picture, given at the camera's size, as the benchmark would before its resize.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` uint8, RGB.
    mask : Mask or None
        ``(H, W)`` bool, True = defect; ``None`` where unknown.
    reference : str or mapping
        Anything `load_corruption` takes.
    severity : float, optional
        Above 0, at most 5; none of a corruption that is given by value.
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
    return load_corruption(reference).apply(image, mask, severity, seed=seed, sample_id=sample_id)


def _imported(path: str, parameters: Mapping[str, Any], folder: Path | None) -> Corruption:
    found = _brought(repr(path), partial(import_object, path, folder))
    return _as_corruption(found, parse_reference(path).name, path, parameters)


def _installed(name: str, parameters: Mapping[str, Any]) -> Corruption:
    entry = installed(ENTRY_POINT_GROUP).get(name)
    if entry is None:
        raise CorruptionError(f"unknown corruption {name!r}; {suggestion(name, known_names())}")
    where = f"{name!r} (entry point {entry.value!r})"
    found = _brought(where, entry.load)
    corruption = _as_corruption(found, name, where, parameters)
    if corruption.name != name:
        raise CorruptionError(
            f"corruption {where} calls itself {corruption.name!r}: the names must agree"
        )
    return corruption


def _brought(where: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Exception as error:
        raise CorruptionError(
            f"corruption {where} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _as_corruption(found: Any, name: str, where: str, parameters: Mapping[str, Any]) -> Corruption:
    if isinstance(found, Corruption):
        return found.configured(parameters)
    if is_transforms(found):
        return transform_corruption(name, found, parameters=parameters)
    return Corruption(name, _callable(found, where)).configured(parameters)


def _callable(found: Any, where: str) -> CorruptionFunction:
    if not callable(found) or isinstance(found, type):
        raise CorruptionError(
            f"corruption {where!r} is a {type(found).__name__}, neither a Corruption nor a "
            "function (image, mask, severity, rng) or severity -> transform, nor five transforms"
        )
    function: CorruptionFunction = found
    return function


def _origin(corruption: Corruption) -> str:
    return f"{place_of(corruption.function)}, version {corruption.version}"


def _agree(one: Corruption, other: Corruption) -> bool:
    """Return whether two corruptions are one, or one whose module was loaded twice."""
    same = same_code(one.function, other.function)
    return one == other or (same and replace(one, function=other.function) == other)


def _check_picture(image: object, mask: object) -> None:
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3):
        raise CorruptionError("image must be a uint8 array of shape (H, W, 3)")
    if image.shape[2] != 3 or image.size == 0:
        raise CorruptionError(f"image must have shape (H, W, 3), not {image.shape}")
    if mask is None:
        return
    if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_):
        raise CorruptionError("mask must be a bool array or None")
    if mask.shape != image.shape[:2]:
        raise CorruptionError(f"mask has shape {mask.shape}, its image {image.shape[:2]}")

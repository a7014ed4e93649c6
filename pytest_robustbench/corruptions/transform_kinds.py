"""What can be told of a transform of albumentations or torchvision without importing either."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KINDS = {
    "albumentations": "albumentations",
    "torchvision.transforms.v2": "torchvision v2",
    "torchvision.transforms": "torchvision v1",
}
"""Package or module to what is wrapped differently; the first that fits counts."""

_MOVING = {
    "albumentations": {"DualTransform"},
    "torchvision v1": {
        *("CenterCrop", "ElasticTransform", "FiveCrop", "Pad", "RandomAffine", "RandomCrop"),
        *("RandomHorizontalFlip", "RandomPerspective", "RandomResizedCrop", "RandomRotation"),
        *("RandomVerticalFlip", "Resize", "TenCrop"),
    },
}
"""Names of classes, own or inherited, that move pixels; in v2 they share a module."""

_V2_GEOMETRY = "torchvision.transforms.v2._geometry"


def is_transforms(found: Any) -> bool:
    """Return whether `found` is meant for `transform_corruption`.

    That is a function of one argument, ``severity``; a sequence that holds transforms; or a single
    transform, which `transform_corruption` refuses.
    """
    if isinstance(found, list | tuple):
        return any(map(kind_of, found))
    return bool(kind_of(found)) or _takes_one_argument(found)


def _takes_one_argument(found: Any) -> bool:
    if not callable(found) or isinstance(found, type):
        return False
    try:
        arguments = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return False
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in by_place and one.default is one.empty for one in arguments) == 1


def kind_of(found: Any) -> str:
    """Return which kind of transform `found` is; empty if none."""
    modules = [one.__module__ for one in type(found).__mro__]
    for package, kind in KINDS.items():
        if any(f"{module}.".startswith(f"{package}.") for module in modules):
            return kind
    return ""


def is_certain(transform: Any) -> bool:
    """Return whether `transform` changes every image."""
    chance = getattr(transform, "p", 1)
    if isinstance(chance, int | float) and chance < 1:
        return False
    parts = _parts(transform)
    chosen = type(transform).__name__ in ("OneOf", "SomeOf", "RandomChoice")
    return not parts or chosen or any(map(is_certain, parts))


def move_pixels(five: Sequence[Any], kind: str) -> bool:
    """Return whether any of `five` transforms of one kind, or a part of it, moves pixels."""
    return any(_leaf_moves(leaf, kind) for one in five for leaf in _leaves(one))


def _leaf_moves(leaf: Any, kind: str) -> bool:
    classes = type(leaf).__mro__
    if any(one.__module__ == _V2_GEOMETRY for one in classes):
        return True
    named = {one.__name__ for one in classes}
    return bool(named & _MOVING.get(kind, set()))


def _leaves(transform: Any) -> Iterator[Any]:
    parts = _parts(transform)
    if not parts:
        yield transform
    for part in parts:
        yield from _leaves(part)


def _parts(transform: Any) -> list[Any]:
    """Return what a composition is made of; of anything else, nothing."""
    parts = getattr(transform, "transforms", None)
    return list(parts) if isinstance(parts, Iterable) else []

"""Transforms of albumentations and torchvision as corruptions.

Neither package is imported here: whoever brings a transform has imported its package.
"""

from __future__ import annotations

import random
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.keywords import with_keywords
from pytest_robustbench.corruptions.transform_kinds import is_certain, kind_of, move_pixels
from pytest_robustbench.errors import CorruptionError
from pytest_robustbench.importing import version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.corruptions.corruption import JSON

    Planes = np.ndarray[Any, np.dtype[np.uint8]]

# The generators that transforms draw from belong to the whole process, and so does this lock.
_ONE_AT_A_TIME = RLock()


def transform_corruption(
    name: str,
    transforms: Callable[..., Any] | Sequence[Any],
    *,
    version: int = 1,
    moves_pixels: bool | None = None,
    parameters: Mapping[str, JSON] | None = None,
) -> Corruption:
    """Make a corruption of albumentations (1.4 or later) or torchvision (v1, v2) transforms.

    Parameters
    ----------
    name, version
        As in `register_corruption`.
    transforms : callable or sequence of 5
        ``severity`` to the transform of that severity, or the five of them. Each must change every
        image (``p=1``) and return a uint8 picture of the same size.
    moves_pixels : bool, optional
        Whether pixels change place, so that the mask is moved with them. Seen from the transforms
        if not given.
    parameters : mapping, optional
        Keyword arguments of `transforms`, plain JSON.

    Returns
    -------
    Corruption
        Random draws are seeded for each image, alike for all severities; the global generators of
        Python, NumPy and torch are left as they were found. One picture is transformed at a time.
        Where a transform fills masks with 0 from outside the frame, these pixels are ignored, and
        the outermost ones of the picture, which are blended with them.

    Raises
    ------
    CorruptionError
        If severity would change nothing, an image might stay as it is, or a torchvision v1
        transform moves pixels, which it cannot do to a mask.

    Examples
    --------
    >>> import albumentations as A
    >>> def rain(severity):
    ...     return A.RandomRain(brightness_coefficient=1 - 0.06 * severity, p=1)
    >>> transform_corruption("rain", rain).name
    'rain'
    """
    make = _maker(name, transforms, parameters or {})
    five = _five(name, transforms, make)
    kind = _common_kind(name, five)
    described = tuple(_described(one) for one in five)
    _check_severity_counts(name, described)
    _check_certain(name, five)
    moves = move_pixels(five, kind) if moves_pixels is None else moves_pixels
    _check_mask_follows(name, kind, moves=moves)
    package = kind.split()[0]
    recorded: dict[str, JSON] = {
        **(parameters or {}),
        "package": f"{kind} {version_of(package)}",
        "transforms": described,
    }
    effect = Transforms(described, moves, five, kind, make)

    def configure(more: Mapping[str, JSON]) -> Corruption:
        return transform_corruption(
            name,
            transforms,
            version=version,
            moves_pixels=moves_pixels,
            parameters={**(parameters or {}), **more},
        )

    return Corruption(name, effect, version, recorded, moves, configure=configure)


@dataclass(frozen=True)
class Transforms:
    """One transform per severity, called as a corruption.

    Parameters
    ----------
    described : tuple of 5 str
        What tells them from others.
    moves_pixels : bool
        Whether the mask is moved with the picture.
    five : tuple of 5 transforms
        In ascending severity.
    kind : str
        One of the values of `KINDS`.
    make : callable, optional
        Severity to its transform, for those between the five.
    """

    described: tuple[str, ...]
    moves_pixels: bool
    five: tuple[Any, ...] = field(compare=False, repr=False)
    kind: str = field(compare=False)
    make: Callable[[float], Any] | None = field(default=None, compare=False, repr=False)

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Transform `image` and, where pixels move, `mask`."""
        planes = _planes(mask, image.shape)
        transform = self._at(severity)
        with _seeded(int(rng.integers(1 << 32))) as seed:
            if hasattr(transform, "set_random_seed"):  # albumentations since 1.4.19
                transform.set_random_seed(seed)
            changed, moved = _CALLS[self.kind](transform, image.copy(), planes.copy())
        if not self.moves_pixels:
            _check_unmoved(planes, moved)
            return Corrupted(changed, mask)
        defect, inside, unblended = moved > 0
        ignored = None if inside.all() else ~unblended
        return Corrupted(changed, None if mask is None else defect, ignored)

    def _at(self, severity: float) -> Any:
        if severity in SEVERITIES:
            return self.five[int(severity) - 1]
        if self.make is None:
            raise CorruptionError(
                f"is made of five transforms, and severity {severity:g} lies between two of them: "
                "give a function severity -> transform, or whole severities"
            )
        return self.make(severity)


def _planes(mask: Mask | None, shape: tuple[int, ...]) -> Planes:
    """Return what moves with a picture, ``(3, H, W)``: its defect, its frame, and what is inside.

    Inside of the outermost pixels, that is: between their centres and the frame, a moved pixel is
    blended with what fills the outside.
    """
    planes = np.ones((3, *shape[:2]), np.uint8)
    planes[0] = 0 if mask is None else mask
    planes[2, [0, -1]] = 0
    planes[2, :, [0, -1]] = 0
    return planes


def _maker(
    name: str, transforms: Callable[..., Any] | Sequence[Any], parameters: Mapping[str, JSON]
) -> Callable[[float], Any] | None:
    """Return what makes the transform of a severity; ``None`` where there are five of them."""
    if kind_of(transforms):
        raise CorruptionError(
            f"corruption {name!r} is a single transform ({type(transforms).__name__}): severity "
            "would change nothing; give a function severity -> transform, or five transforms"
        )
    if callable(transforms):
        return with_keywords(name, transforms, parameters, positional=1)
    if parameters:
        raise CorruptionError(
            f"corruption {name!r} is a list of transforms, which has no parameters"
        )
    return None


def _five(
    name: str,
    transforms: Callable[..., Any] | Sequence[Any],
    make: Callable[[float], Any] | None,
) -> tuple[Any, ...]:
    if make is not None:
        return _made(name, make)
    five = tuple(cast("Sequence[Any]", transforms))
    if len(five) != len(SEVERITIES):
        raise CorruptionError(
            f"corruption {name!r} needs five transforms, one per severity, not {len(five)}"
        )
    return five


def _made(name: str, make: Callable[[float], Any]) -> tuple[Any, ...]:
    try:
        return tuple(make(severity) for severity in SEVERITIES)
    except Exception as error:
        raise CorruptionError(
            f"corruption {name!r} was to make five transforms, as a function severity -> "
            f"transform, and raised {type(error).__name__}: {error}"
        ) from error


def _common_kind(name: str, five: Sequence[Any]) -> str:
    kinds = {kind_of(one) for one in five}
    if len(kinds) == 1 and "" not in kinds:
        return kinds.pop()
    types = ", ".join(sorted({type(one).__name__ for one in five}))
    raise CorruptionError(
        f"corruption {name!r} must be made of five transforms of one package, albumentations or "
        f"torchvision (v1 or v2), not of {types}"
    )


def _described(transform: Any) -> str:
    """Return the `repr` of `transform` without addresses in memory."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(transform))


def _check_severity_counts(name: str, described: Sequence[str]) -> None:
    if len(set(described)) == 1:
        raise CorruptionError(
            f"corruption {name!r} has the same transform at every severity, {described[0]}: "
            "severity would change nothing"
        )


def _check_certain(name: str, five: Sequence[Any]) -> None:
    for severity, transform in zip(SEVERITIES, five, strict=True):
        if not is_certain(transform):
            raise CorruptionError(
                f"corruption {name!r} leaves some images as they are at severity {severity}: "
                f"{type(transform).__name__} is applied with p={getattr(transform, 'p', 1)}, or "
                "none of its parts is certain; give p=1"
            )


def _check_mask_follows(name: str, kind: str, *, moves: bool) -> None:
    if moves and kind == "torchvision v1":
        raise CorruptionError(
            f"corruption {name!r} moves pixels with torchvision.transforms, which cannot move the "
            "mask with them: take the same transform from torchvision.transforms.v2"
        )


def _check_unmoved(planes: Planes, moved: Any) -> None:
    if not np.array_equal(planes, moved):
        raise CorruptionError("changed the mask: give moves_pixels=True to transform_corruption")


def _albumentations(transform: Any, image: Image, planes: Planes) -> tuple[Any, Any]:
    result = transform(image=image, masks=list(planes))
    return result["image"], np.asarray(result["masks"])


def _torchvision_v2(transform: Any, image: Image, planes: Planes) -> tuple[Any, Any]:
    tensors = import_module("torchvision.tv_tensors")
    masks = tensors.Mask(import_module("torch").from_numpy(planes))
    changed, moved = transform(tensors.Image(_tensor(image)), masks)
    return _array(changed), np.asarray(moved)


def _torchvision_v1(transform: Any, image: Image, planes: Planes) -> tuple[Any, Any]:
    return _array(transform(_tensor(image))), planes


def _tensor(image: Image) -> Any:
    """Return ``(3, H, W)`` of ``(H, W, 3)``."""
    return import_module("torch").from_numpy(image).permute(2, 0, 1).contiguous()


def _array(tensor: Any) -> Any:
    """Return ``(H, W, 3)`` of ``(3, H, W)``; whatever is no such tensor is complained of later."""
    if getattr(tensor, "ndim", 0) != 3:
        return tensor
    return np.ascontiguousarray(np.asarray(tensor.permute(1, 2, 0)))


@contextmanager
def _seeded(seed: int) -> Iterator[int]:
    """Seed the global generators of Python, NumPy and (where it is loaded) torch on the CPU.

    They are left as they were found. Code inside runs in one thread at a time; a thread that draws
    from them without asking here can still disturb it.
    """
    torch = sys.modules.get("torch")
    with _ONE_AT_A_TIME:
        python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
        tensors = torch.default_generator.get_state() if torch else None
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            if torch:
                torch.default_generator.manual_seed(seed)
            yield seed
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
            if torch:
                torch.default_generator.set_state(tensors)


_CALLS = {
    "albumentations": _albumentations,
    "torchvision v2": _torchvision_v2,
    "torchvision v1": _torchvision_v1,
}

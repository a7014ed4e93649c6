"""The pixels of a mask, wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.files import image_files
from pytest_robustbench.datasets.pictures.decoding import decode_file
from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Mask
    from pytest_robustbench.datasets.split import Source


@dataclass(frozen=True, eq=False)
class DecodedMask:
    """A mask, and what its values were.

    Parameters
    ----------
    pixels : ndarray of bool, shape (H, W)
        True = defect.
    graded : bool
        Whether one of its files holds more than one non-zero value. Drawn masks hold one; several
        are the trace of smooth resizing or of losses, or name classes of defects.
    """

    pixels: Mask
    graded: bool


def read_mask(source: Source, budget: int = IMAGE_BUDGET) -> DecodedMask:
    """Read a mask: every non-zero pixel is defect, however small its value.

    Parameters
    ----------
    source : Path, array or callable
        A file, a folder whose masks are united, an array ``(H, W)`` or ``(H, W, C)``, or a function
        that returns one.
    budget : int
        Bytes that one decoded file may take.

    Returns
    -------
    DecodedMask

    Raises
    ------
    DatasetError
        If a file is missing or damaged, the masks of a folder differ in size, or the shape is none
        of a mask.
    """
    if isinstance(source, Path) and source.is_dir():
        masks = [read_mask(file.path, budget) for file in image_files(source)]
        union = united([mask.pixels for mask in masks], source)
        return DecodedMask(union, any(mask.graded for mask in masks))
    pixels = source_pixels(source, budget)
    if pixels.ndim not in (2, 3):
        raise DatasetError(f"a mask has shape (H, W) or (H, W, C), not {pixels.shape}")
    # Of a coloured mask the brightest channel, so that red alone is one value.
    values = pixels if pixels.ndim == 2 else pixels.max(axis=2, initial=0)
    mask: Mask = pixels != 0 if pixels.ndim == 2 else (pixels != 0).any(axis=2)
    marked = values[mask]
    return DecodedMask(mask, bool(marked.size) and bool(marked.min() != marked.max()))


def united(masks: Sequence[Mask], folder: Path) -> Mask:
    """Return the union of the masks of one image, which lie in `folder`.

    Raises
    ------
    DatasetError
        If there is none, or they differ in size.
    """
    shapes = {mask.shape for mask in masks}
    if len(shapes) != 1:
        sizes = ", ".join(sorted(size_text(shape) for shape in shapes)) or "none"
        raise DatasetError(f"the masks in {folder} must have one size; found: {sizes}")
    union: Mask = np.logical_or.reduce(masks)
    return union


def source_pixels(source: Source, budget: int = IMAGE_BUDGET) -> NDArray[Any]:
    """Return the array that a file, of at most `budget` bytes decoded, a function or itself gives.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, or the function raises.
    """
    if isinstance(source, Path):
        return decode_file(source, budget)
    if not callable(source):
        return np.asarray(source)
    try:
        return np.asarray(source())
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(
            f"the function that should return its pixels raised {error!r}"
        ) from error


def size_text(size: tuple[int, ...]) -> str:
    """Return ``20 x 30`` for a height of 20 and a width of 30."""
    return " x ".join(str(length) for length in size)

"""What a preview shows: pictures with their labels, in rows, blocks and sheets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.reports.pages.drawing import TRUTH, outlined, shrunk, shrunk_mask

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask

STRIPE = 8
"""From one stripe of a hatching to the next, pixels."""

LINE = 200
"""Pixels of a picture's width for every pixel of an outline's."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a sheet.

    Parameters
    ----------
    label : str
        What tells it from its neighbours, such as ``severity 3``.
    notes : tuple of str
        Lines under the label.
    image : Image
        ``(H, W, 3)`` uint8, RGB; nothing is drawn on it yet.
    mask, ignored : Mask, optional
        ``(H, W)`` bool: what gets an outline, and what is hatched.
    """

    label: str
    notes: tuple[str, ...]
    image: Image
    mask: Mask | None = None
    ignored: Mask | None = None


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures that are compared with each other, and a remark on all of them, or none."""

    name: str
    remark: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """The rows of one image."""

    title: str
    remark: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything that is shown of one benchmark.

    Parameters
    ----------
    title : str
        Name of the benchmark.
    summary : str
        One line: what is shown.
    legend : tuple of str
        How it is to be read.
    blocks : tuple of Block
        At least one, each with at least one row of at least one tile.
    """

    title: str
    summary: str
    legend: tuple[str, ...]
    blocks: tuple[Block, ...]


def longest_side(shape: tuple[int, ...], width: int) -> int:
    """Return how long the longer side of a picture is drawn at most.

    Parameters
    ----------
    shape : (H, W, ...)
        Of the picture.
    width : int
        Width of square and lying pictures, pixels. Upright ones are higher than that, up to
        1.6 times, so that they are not mere strips.
    """
    height_per_width: float = shape[0] / shape[1]
    return round(width * min(1.6, max(1.0, math.sqrt(height_per_width))))


def drawn(tile: Tile, width: int) -> Image:
    """Return the picture of a tile as it is shown: what is ignored hatched, the mask outlined.

    Parameters
    ----------
    tile : Tile
        What is shown.
    width : int
        Of larger pictures, see `longest_side`; much smaller ones are enlarged, pixel by pixel.
    """
    longest = longest_side(tile.image.shape, width)
    times = max(1, longest // max(tile.image.shape[:2]))
    image: Image = _enlarged(shrunk(tile.image, longest), times)
    if tile.ignored is not None:
        image = hatched(image, _enlarged(shrunk_mask(tile.ignored, longest), times))
    if tile.mask is None:
        return image
    # Around the defect, not on it: of a thin crack nothing else would be seen.
    around = _widened(_enlarged(shrunk_mask(tile.mask, longest), times))
    return outlined(image, around, TRUTH, max(1, round(image.shape[1] / LINE)))


def hatched(image: Image, where: Mask) -> Image:
    """Return a copy of an image that is pale and striped where a mask is set."""
    height, width = where.shape
    stripes = (np.arange(height)[:, None] + np.arange(width)) % STRIPE < STRIPE // 4
    pale = image // 4 + np.uint8(170)
    pale[stripes] = 120
    return np.asarray(np.where(where[..., None], pale, image))


def _enlarged(pixels: Any, times: int) -> Any:
    return pixels if times == 1 else pixels.repeat(times, axis=0).repeat(times, axis=1)


def _widened(mask: Mask) -> Mask:
    cv2 = opencv.load()
    around = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(around > 0)

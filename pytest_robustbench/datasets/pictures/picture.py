"""A sample's pixels: decoded, checked, brought to RGB and resized."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET
from pytest_robustbench.datasets.pictures.mask_pixels import read_mask, size_text, source_pixels
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.datasets.split import Sample, Source


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """The pixels of one sample; its arrays are read-only.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    mask : ndarray of bool, shape (H, W), or None
        True = defect; ``None`` = unknown.
    gray : bool
        Whether all channels are equal: a gray source, however it was stored.
    digest : str
        Names image and mask before resizing: pixels, shapes and dtypes.
    image_digest : str
        Names the image alone.
    graded_mask : bool
        Whether the mask held more than one non-zero value before it became bool.
    """

    image: Image
    mask: Mask | None
    gray: bool
    digest: str
    image_digest: str
    graded_mask: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes its arrays occupy."""
        return self.image.nbytes + (0 if self.mask is None else self.mask.nbytes)

    def __repr__(self) -> str:
        mask = "unknown" if self.mask is None else f"{np.count_nonzero(self.mask)} defect pixels"
        return (
            f"Picture({self.image.shape}, mask: {mask}, gray={self.gray}, digest={self.digest!r})"
        )


def read_picture(
    sample: Sample, resize: tuple[int, int] | None = None, image_budget: int = IMAGE_BUDGET
) -> Picture:
    """Decode one sample.

    A gray image is replicated to three channels. A 16-bit image is divided by 257 and rounded, so
    that the full range 0..65535 becomes 0..255; never by its own maximum, which would make one
    threshold mean something else on every image. In a mask every non-zero pixel is defect.

    Parameters
    ----------
    sample : Sample
        What to decode.
    resize : (int, int), optional
        Height and width.
    image_budget : int
        Bytes that one decoded file may take, before any resizing.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, the mask's size is not the image's, or mask and label
        contradict each other. The message names the sample and the file.
    """
    try:
        plane = _eight_bit(source_pixels(sample.image, image_budget))
        mask, graded = _mask(sample, plane.shape[:2], image_budget)
    except DatasetError as error:
        raise DatasetError(f"sample {sample.id!r}: {error}") from error
    image_digest, digest = _digests(plane, mask)
    gray = plane.ndim == 2
    image = np.repeat(plane[:, :, None], 3, axis=2) if gray else plane
    if resize is not None:
        image = resize_image(image, resize)
        mask = None if mask is None else resize_mask(mask, resize)
    frozen_mask = None if mask is None else _frozen(mask)
    return Picture(_frozen(image), frozen_mask, gray, digest, image_digest, graded)


def _eight_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return uint8 ``(H, W)`` where all channels are equal, ``(H, W, 3)`` otherwise; a copy."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3) or not pixels.size:
        raise DatasetError(f"an image has shape (H, W) or (H, W, 3), not {pixels.shape}")
    scaled = _scaled(pixels)
    is_gray = scaled.ndim == 2 or _channels_are_equal(scaled)
    return np.array(scaled[:, :, 0] if is_gray and scaled.ndim == 3 else scaled, order="C")


def _channels_are_equal(pixels: NDArray[np.uint8]) -> bool:
    red = pixels[:, :, 0]
    return np.array_equal(red, pixels[:, :, 1]) and np.array_equal(red, pixels[:, :, 2])


def _scaled(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    if pixels.dtype == np.bool_:
        white: NDArray[np.uint8] = pixels.view(np.uint8) * np.uint8(255)
        return white
    if pixels.dtype == np.uint16:
        table = (np.arange(65536, dtype=np.uint32) + 128) // 257
        scaled: NDArray[np.uint8] = table.astype(np.uint8)[pixels]
        return scaled
    raise DatasetError(
        f"an image has dtype uint8, uint16 or bool, not {pixels.dtype}; save it as one of these"
    )


def _mask(sample: Sample, size: tuple[int, ...], budget: int) -> tuple[Mask | None, bool]:
    """Return the mask, and whether it held several non-zero values."""
    if sample.mask is None:
        return None if sample.label == DEFECT else np.zeros(size, np.bool_), False
    decoded = read_mask(sample.mask, budget)
    mask = decoded.pixels
    where = f"mask {sample.mask}" if isinstance(sample.mask, Path) else "mask"
    if mask.shape != size:
        raise DatasetError(
            f"{where} is {size_text(mask.shape)} (height x width), but its image"
            f"{_at(sample.image)} is {size_text(size)}; {_remedy(mask.shape, size)}"
        )
    if mask.any() != (sample.label == DEFECT):
        raise DatasetError(f"{where} {_contradiction(sample.label)}")
    return mask, decoded.graded


def _remedy(mask: tuple[int, ...], image: tuple[int, ...]) -> str:
    if mask == image[::-1]:
        return (
            "height and width are swapped: EXIF orientation is applied to images, so draw the mask "
            "on the image as viewers show it, or store the image upright"
        )
    return "a mask is drawn at the size of its image, before any resize"


def _contradiction(label: int) -> str:
    if label == NORMAL:
        return "marks defect pixels, but the image is labelled normal; correct one of them"
    return (
        "marks no pixel, but the image is labelled as defect; redraw it, or remove it to say that "
        "the mask is unknown"
    )


def _at(source: Source) -> str:
    return f" {source}" if isinstance(source, Path) else ""


def _digests(plane: NDArray[np.uint8], mask: Mask | None) -> tuple[str, str]:
    state = blake2b(digest_size=8)
    state.update(f"{plane.shape} {plane.dtype.str};".encode())
    state.update(plane.data)
    image_digest = state.hexdigest()
    if mask is not None:
        state.update(f"{mask.shape} {mask.dtype.str};".encode())
        state.update(np.packbits(mask).data)
    return image_digest, state.hexdigest()


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array

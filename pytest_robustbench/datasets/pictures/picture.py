"""A sample's pixels: decoded, checked, brought to RGB and resized."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.datasets.pictures.forms import TURNED_SIDES, Form
from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET
from pytest_robustbench.datasets.pictures.mask_pixels import decoded, read_mask, size_text
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.datasets.pictures.decoding import Decoded
    from pytest_robustbench.datasets.split import Sample, Source


HIGHLIGHTS = 0.999
"""Share of the values of a picture that its highlights lie above."""


@dataclass(frozen=True)
class Traits:
    """What is worth a note about one picture, and what size it was taken at.

    Parameters
    ----------
    graded_mask : bool
        Whether the mask held more than one non-zero value before it became bool.
    mask_share : float
        Share of the pixels that the mask marks, before resizing; 0 where it is unknown.
    brightest, white : int
        The largest value of the source, and the largest that it could have had.
    pages : int
        Pictures in the file of the image or of a mask, whichever has more; the first one is read.
    shape : (int, int)
        Height and width of the image as it was taken, before resizing.
    highlight : int
        The 8-bit level that 99.9 % of its values do not exceed.
    """

    graded_mask: bool = False
    mask_share: float = 0.0
    brightest: int = 255
    white: int = 255
    pages: int = 1
    shape: tuple[int, int] = (1, 1)
    highlight: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """The pixels of one sample; its arrays are read-only.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB; ``(H, W)`` where a gray source was to stay one plane.
    mask : ndarray of bool, shape (H, W), or None
        True = defect; ``None`` = unknown.
    gray : bool
        Whether all channels are equal: a gray source, however it was stored.
    digest : str
        Names image and mask before resizing: pixels, shapes and dtypes.
    image_digest : str
        Names the image alone.
    traits : Traits
        What is worth a note.
    """

    image: Image
    mask: Mask | None
    gray: bool
    digest: str
    image_digest: str
    traits: Traits = Traits()

    @property
    def nbytes(self) -> int:
        """Bytes its arrays occupy."""
        return self.image.nbytes + (0 if self.mask is None else self.mask.nbytes)

    def resized(self, size: tuple[int, int] | None) -> Picture:
        """Return this picture at another size, or at its own; a gray one in three channels."""
        image, mask = self.image, self.mask
        if size is not None:
            image = resize_image(image, size)
            mask = None if mask is None else _frozen(resize_mask(mask, size))
        image = _replicated(image) if image.ndim == 2 else _frozen(image)
        return replace(self, image=image, mask=mask)

    def __repr__(self) -> str:
        mask = "unknown" if self.mask is None else f"{np.count_nonzero(self.mask)} defect pixels"
        return (
            f"Picture({self.image.shape}, mask: {mask}, gray={self.gray}, digest={self.digest!r})"
        )


def read_picture(
    sample: Sample, resize: tuple[int, int] | None = None, image_budget: int = IMAGE_BUDGET
) -> Picture:
    """Decode one sample and bring it to the size that is measured; see `read_at_camera`.

    A gray image is replicated to three channels.

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
        As of `read_at_camera`.
    """
    return read_at_camera(sample, image_budget).resized(resize)


def read_at_camera(sample: Sample, image_budget: int = IMAGE_BUDGET) -> Picture:
    """Decode one sample at its own size; a gray image stays one plane.

    A 16-bit image is scaled and rounded so that the full range of its bit depth, 0..65535 if none
    is declared, becomes 0..255; never by its own maximum, which would make one threshold mean
    something else on every image. In a mask every non-zero pixel is defect; see `read_mask`.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, an image is see-through in places or has other bits than
        declared, the mask's size or orientation is not the image's, or mask and label contradict
        each other. The message names the sample and the file.
    """
    try:
        source = decoded(sample.image, image_budget)
        plane = _eight_bit(sample, source)
        mask = _mask(sample, source.form, plane.shape[:2], image_budget)
    except DatasetError as error:
        raise DatasetError(f"sample {sample.id!r}: {error}") from error
    image_digest, digest = _digests(plane, mask.pixels)
    found = None if mask.pixels is None else _frozen(mask.pixels)
    traits = _traits(sample, source, mask, _highlight(plane))
    return Picture(_frozen(plane), found, plane.ndim == 2, digest, image_digest, traits)


def _replicated(plane: Image) -> Image:
    return _frozen(np.repeat(plane[:, :, None], 3, axis=2))


def _highlight(plane: NDArray[np.uint8]) -> int:
    flat = plane.reshape(plane.shape[0], -1)
    counts = opencv.load().calcHist([flat], [0], None, [256], [0, 256]).ravel()
    return int(np.searchsorted(np.cumsum(counts, dtype=np.float64), HIGHLIGHTS * flat.size))


def _traits(sample: Sample, source: Decoded, mask: _Mask, highlight: int) -> Traits:
    white = _white(sample.bit_depth) if source.pixels.dtype == np.uint16 else 255
    bits = source.pixels.dtype == np.bool_
    return Traits(
        mask.graded,
        0.0 if mask.pixels is None else float(mask.pixels.mean()),
        255 if bits else int(source.pixels.max()),
        white,
        max(form.pages for form in (source.form, *mask.forms)),
        (source.pixels.shape[0], source.pixels.shape[1]),
        highlight,
    )


def _eight_bit(sample: Sample, source: Decoded) -> NDArray[np.uint8]:
    """Return uint8 ``(H, W)`` where all channels are equal, ``(H, W, 3)`` otherwise; a copy."""
    pixels = source.pixels
    if source.alpha is not None:
        raise DatasetError(
            f"image{_at(sample.image)} is see-through in places (its alpha varies), and what a "
            "camera would see there is not known: flatten it on its background"
        )
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3) or not pixels.size:
        raise DatasetError(f"an image has shape (H, W) or (H, W, 3), not {pixels.shape}")
    try:
        scaled = _scaled(pixels, sample.bit_depth)
    except DatasetError as error:
        raise DatasetError(f"image{_at(sample.image)} {error}") from error
    is_gray = scaled.ndim == 2 or _channels_are_equal(scaled)
    return np.array(scaled[:, :, 0] if is_gray and scaled.ndim == 3 else scaled, order="C")


def _channels_are_equal(pixels: NDArray[np.uint8]) -> bool:
    red = pixels[:, :, 0]
    return np.array_equal(red, pixels[:, :, 1]) and np.array_equal(red, pixels[:, :, 2])


def _scaled(pixels: NDArray[Any], bit_depth: int | None) -> NDArray[np.uint8]:
    if pixels.dtype in (np.uint8, np.bool_) and (bit_depth or 8) > 8:
        raise DatasetError(
            f"holds 8 bits or fewer, but bit_depth says {bit_depth}: say 8, or leave it out"
        )
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    if pixels.dtype == np.bool_:
        white: NDArray[np.uint8] = pixels.view(np.uint8) * np.uint8(255)
        return white
    if pixels.dtype == np.uint16:
        return _from_depth(pixels, bit_depth)
    raise DatasetError(
        f"is of dtype {pixels.dtype}, not uint8, uint16 or bool; save it as one of these"
    )


def _from_depth(pixels: NDArray[np.uint16], bit_depth: int | None) -> NDArray[np.uint8]:
    white, brightest = _white(bit_depth), int(pixels.max())
    if brightest > white:
        raise DatasetError(
            f"holds the value {brightest}, but {white} is the largest of bit_depth {bit_depth}: "
            "say the depth of the camera, or 16 where its values fill the upper bits"
        )
    table = (np.arange(white + 1, dtype=np.uint32) * 510 + white) // (2 * white)
    scaled: NDArray[np.uint8] = table.astype(np.uint8)[pixels]
    return scaled


def _white(bit_depth: int | None) -> int:
    return (1 << (bit_depth or 16)) - 1


class _Mask(NamedTuple):
    """The mask of a sample, if it is known, and what is known of its values and files."""

    pixels: Mask | None
    graded: bool = False
    forms: tuple[Form, ...] = ()


def _mask(sample: Sample, form: Form, size: tuple[int, ...], budget: int) -> _Mask:
    if sample.mask is None:
        return _Mask(None if sample.label == DEFECT else np.zeros(size, np.bool_))
    where = f"mask {sample.mask}" if isinstance(sample.mask, Path) else "mask"
    read = read_mask(sample.mask, budget)
    mask = read.pixels
    if mask.shape != size:
        raise DatasetError(
            f"{where} is {size_text(mask.shape)} (height x width), but its image"
            f"{_at(sample.image)} is {size_text(size)}; {_remedy(mask.shape, size)}"
        )
    if mask.any() != (sample.label == DEFECT):
        raise DatasetError(f"{where} {_contradiction(sample.label)}")
    if sample.label == DEFECT:
        _check_orientation(where, form, read.forms, size)
    return _Mask(mask, read.graded, read.forms)


def _check_orientation(
    where: str, image: Form, masks: tuple[Form, ...], size: tuple[int, ...]
) -> None:
    """Refuse a mask of which nobody can tell whether it was drawn on the image as stored."""
    for mask in masks:
        swapped = (image.orientation in TURNED_SIDES) != (mask.orientation in TURNED_SIDES)
        told_by_size = swapped and size[0] != size[1]
        if mask.orientation != image.orientation and not told_by_size:
            raise DatasetError(
                f"{where} has the EXIF orientation {mask.orientation} and its image "
                f"{image.orientation}: nobody can tell whether the mask was drawn on the image as "
                "stored or as viewers show it; store both upright, or give both the same tag"
            )


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

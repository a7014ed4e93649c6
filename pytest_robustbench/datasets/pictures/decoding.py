"""Image files to arrays, and what can be wrong with a file."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.datasets.pictures.forms import UPRIGHT, Form, alpha_of, form_of
from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET, check_file, is_tiff
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.lfs import POINTER, is_pointer
from pytest_robustbench.regular_file import read_regular_file

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

_PNG_START = b"\x89PNG"

_LONGEST_PNG_SIDE = 1_000_000  # libpng's own limit
_MOST_PIXELS = 1 << 30  # OpenCV's, unless OPENCV_IO_MAX_IMAGE_PIXELS says otherwise
_TOO_LARGE = (
    "is larger than OpenCV decodes (2**30 pixels, one million along a side of a PNG); cut it into "
    "tiles or scale it down before it is judged"
)


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of an image or mask.

    Parameters
    ----------
    pixels : ndarray, shape (H, W), (H, W, 3) RGB, or whatever an array has
        In the source's own dtype.
    alpha : ndarray, shape (H, W), optional
        Where it is not the same everywhere; 0 is see-through.
    form : Form
        What the file says beside them.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    form: Form = field(default_factory=Form)


def decode_file(path: Path, budget: int = IMAGE_BUDGET) -> Decoded:
    """Decode one image file.

    EXIF orientation is applied, as viewers, labelling tools and ``cv2.imread`` do, so that a mask
    drawn on what one sees fits. A palette is looked up, bit depth is kept; of several pages the
    first is read.

    Parameters
    ----------
    path : Path
        A regular file, or a link to one.
    budget : int
        Bytes that the decoded image may take.

    Raises
    ------
    DatasetError
        If the file cannot be read, is no image, asks for more than `budget`, or is damaged as far
        as that can be told; see `headers.check_file`.
    """
    data = _read(path, budget)
    try:
        check_file(data, budget)
        form = form_of(data)
    except DatasetError as error:
        raise DatasetError(f"{path} {error}") from error
    cv2 = opencv.load()
    try:
        # Through memory, not cv2.imread: that cannot open non-ASCII paths on Windows.
        pixels = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
        )
    except cv2.error as error:
        limit = "CV_IO_MAX_IMAGE" in str(error) or _is_too_large(data)
        raise DatasetError(
            f"{path} {_TOO_LARGE}" if limit else f"{path} cannot be decoded: {error}".strip()
        ) from error
    if pixels is None and _is_too_large(data):
        raise DatasetError(f"{path} {_TOO_LARGE}")
    if pixels is None:
        raise DatasetError(f"{path} is damaged, or no image in spite of its name")
    rgb: NDArray[Any] = pixels if pixels.ndim == 2 else pixels[:, :, ::-1]
    return Decoded(rgb, _alpha(path, data, rgb, form) if form.transparent else None, form)


def varying(alpha: NDArray[Any]) -> NDArray[Any] | None:
    """Return an alpha that says something: it is not the same everywhere."""
    return alpha if alpha.size and alpha.min() != alpha.max() else None


def _alpha(path: Path, data: bytes, pixels: NDArray[Any], form: Form) -> NDArray[Any] | None:
    if is_tiff(data) and form.orientation != UPRIGHT:  # Pillow turns some of them twice
        raise DatasetError(f"{path} has transparency and is turned; store it without, upright")
    try:
        alpha = alpha_of(data)
    except Exception as error:  # a decoder of foreign bytes may raise anything
        raise DatasetError(
            f"{path} has transparency that cannot be read ({error}); store it without"
        ) from error
    if alpha.shape != pixels.shape[:2]:
        raise DatasetError(f"{path} has transparency of another size; store it without, upright")
    return varying(alpha)


def _read(path: Path, limit: int) -> bytes:
    try:
        data = read_regular_file(path, limit)
    except OSError as error:
        remedy = "; raise image_budget if it should be read" if error.errno == errno.EFBIG else ""
        reason = error.strerror or error
        raise DatasetError(f"{path} cannot be read: {reason}{remedy}") from error
    if not data:
        raise DatasetError(f"{path} is empty (0 bytes)")
    if is_pointer(data):
        raise DatasetError(f"{path} {POINTER}")
    return data


def _is_too_large(data: bytes) -> bool:
    """Tell whether a PNG's header claims more pixels than can be decoded."""
    if not data.startswith(_PNG_START):
        return False
    sides = [int.from_bytes(data[start : start + 4], "big") for start in (16, 20)]
    return max(sides) > _LONGEST_PNG_SIDE or sides[0] * sides[1] > _MOST_PIXELS

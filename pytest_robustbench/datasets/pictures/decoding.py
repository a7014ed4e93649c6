"""Image files to arrays, and what can be wrong with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

_PNG_START = b"\x89PNG"
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_START = b"\xff\xd8\xff"
_JPEG_SCAN = b"\xff\xda"
_JPEG_END = b"\xff\xd9"

_LONGEST_PNG_SIDE = 1_000_000  # libpng's own limit
_MOST_PIXELS = 1 << 30  # OpenCV's, unless OPENCV_IO_MAX_IMAGE_PIXELS says otherwise
_TOO_LARGE = (
    "is larger than OpenCV decodes (2**30 pixels, one million along a side of a PNG); cut it into "
    "tiles or scale it down before it is judged"
)


def decode_file(path: Path) -> NDArray[Any]:
    """Decode one image file.

    EXIF orientation is applied, as viewers, labelling tools and ``cv2.imread`` do, so that a mask
    drawn on what one sees fits. Alpha is dropped, a palette is looked up, bit depth is kept.

    Returns
    -------
    ndarray
        ``(H, W)`` or ``(H, W, 3)`` RGB, in the file's own dtype.

    Raises
    ------
    DatasetError
        If the file cannot be read, is cut short or is no image.
    """
    data = _read(path)
    if _is_cut_short(data):
        raise DatasetError(f"{path} is cut short: its end is missing; copy or export it again")
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
    return rgb


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    if not data:
        raise DatasetError(f"{path} is empty (0 bytes)")
    return data


def _is_too_large(data: bytes) -> bool:
    """Tell whether a PNG's header claims more pixels than can be decoded."""
    if not data.startswith(_PNG_START):
        return False
    sides = [int.from_bytes(data[start : start + 4], "big") for start in (16, 20)]
    return max(sides) > _LONGEST_PNG_SIDE or sides[0] * sides[1] > _MOST_PIXELS


def _is_cut_short(data: bytes) -> bool:
    """Tell a truncated PNG or JPEG, which some decoders fill up with gray and accept."""
    if data.startswith(_PNG_START):
        return _PNG_END not in data
    if data.startswith(_JPEG_START):
        return data.find(_JPEG_END, _scan_start(data)) < 0
    return False


def _scan_start(data: bytes) -> int:
    """Return where a JPEG's scan begins: past the headers, as a thumbnail there has its own end."""
    position = 2
    while data[position : position + 1] == b"\xff" and data[position : position + 2] != _JPEG_SCAN:
        if data[position + 1 : position + 2] == b"\xff":  # a fill byte
            position += 1
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return position

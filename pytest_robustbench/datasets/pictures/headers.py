"""What an image file says of itself, read before anything is decoded.

OpenCV takes the memory that a header asks for, and accepts most of what is damaged inside: Pillow
reads headers, checksums of PNG and compressed TIFF, libjpeg-turbo is asked for its warnings.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from pytest_robustbench.errors import DatasetError
from pytest_robustbench.regular_file import bytes_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from PIL.ImageFile import ImageFile
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

IMAGE_BUDGET = 1 << 29
"""Bytes that one decoded image may take: 179 million pixels of 8 bits in 3 channels."""

_WARNING_FILTERS = Lock()
"""Filters of warnings are the process's: two threads that both put them back may mix them up."""

_FORMATS = ("PNG", "BMP", "PPM", "WEBP", "GIF", "JPEG2000", "AVIF", "SUN")
"""What Pillow and OpenCV both read, beside JPEG and TIFF, in Pillow's names."""
_JPEG = b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _BITS, _CHANNELS, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 258, 277, 322, 323
_COMPRESSION, _LZW_AND_DEFLATE = 259, (5, 8, 32946)

BAD_HEADER = "has a header that cannot be read"
_CUT_SHORT = "is cut short: its end is missing; copy or export it again"
_HARMLESS = ("subsampling", "SOS parameters", "JFIF revision", "Adobe color", "ICC profile")
"""What libjpeg-turbo says of files whose pixels are all there, or that it does not read itself."""


def check_file(data: bytes, budget: int) -> None:
    """Refuse a file that cannot be decoded within `budget`, or that shows to be damaged.

    Parameters
    ----------
    data : bytes
        The content of the file.
    budget : int
        Bytes that the decoded image may take.

    Raises
    ------
    DatasetError
        If the header cannot be read or asks for more, the end is missing, a checksum is wrong
        (PNG), or a second decoder finds damage (JPEG, compressed TIFF). The message begins with
        what the file does.
    """
    if is_tiff(data):
        tags = _tags(data)
        _require_affordable(*_tiff_size(tags), budget)
        if tags.get(_COMPRESSION) in _LZW_AND_DEFLATE:
            _require_sound_tiff(data)
        return
    image = opened(data)
    _require_affordable(image.width, image.height, _bytes_per_pixel(image), budget)
    if image.format == "PNG":
        _require_sound(image.verify)
    elif image.format == "JPEG":
        _require_sound_jpeg(data)


def _require_affordable(width: int, height: int, per_pixel: int, budget: int) -> None:
    needed = width * height * per_pixel
    if needed > budget:
        raise DatasetError(
            f"has {height} x {width} pixels (height x width) and takes {bytes_text(needed)} once "
            f"decoded, more than image_budget allows ({bytes_text(budget)}); cut it into tiles, "
            "scale it down, or raise image_budget"
        )


def opened(data: bytes) -> ImageFile:
    """Return the image with its header read; by its plugin, as `PIL.Image.open` has limits."""
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    Image.init()
    readers: list[tuple[Any, Any]] = [(JpegImageFile, lambda start: start.startswith(_JPEG))]
    readers += [Image.OPEN[name] for name in _FORMATS if name in Image.OPEN]
    for reader, accepts in readers:
        if accepts(data[:16]) is True:
            try:
                opened: ImageFile = reader(BytesIO(data), "")
            except Exception as error:  # a parser of foreign bytes may raise anything
                raise damage(error, BAD_HEADER) from error
            return opened
    raise DatasetError("is damaged, or no image in spite of its name")


def _bytes_per_pixel(image: ImageFile) -> int:
    channels = 3 if image.mode == "P" else len(image.getbands())
    if ";16" in str(image.tile):  # of which the mode says nothing where there are colours
        return 2 * channels
    return channels * (4 if image.mode in "IF" else 1)


def is_tiff(data: bytes) -> bool:
    """Tell a TIFF by its first bytes."""
    return data.startswith(_TIFF)


def tiff_pages(data: bytes) -> Iterator[ImageFileDirectory_v2]:
    """Yield the tags of every page of a TIFF; what a damaged one raises is Pillow's."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    header, file = data[: 16 if b"+" in data[:4] else 8], BytesIO(data)
    place, seen = ImageFileDirectory_v2(header).next, set[int]()
    while place and place not in seen:
        seen.add(place)
        tags = ImageFileDirectory_v2(header)
        file.seek(place)
        with _unwarned():
            tags.load(file)
        yield tags
        place = tags.next


@contextmanager
def _unwarned() -> Iterator[None]:
    """Say nothing of a tag that Pillow skips: what we ask for is checked."""
    with _WARNING_FILTERS, catch_warnings():
        simplefilter("ignore")
        yield


def _tags(data: bytes) -> Mapping[int, Any]:
    """Return the tags of a TIFF's first page, which is the one that is decoded."""
    try:
        (tags,) = islice(tiff_pages(data), 1)
        return {**tags}
    except Exception as error:  # a parser of foreign bytes may raise anything
        raise damage(error, BAD_HEADER) from error


def _tiff_size(tags: Mapping[int, Any]) -> tuple[int, int, int]:
    """Return width, height and bytes per pixel of an image, or of a tile if that is larger.

    From the tags themselves: Pillow opens no image whose kind of pixels it cannot decode.
    """
    try:
        width = max(tags[_WIDTH], tags.get(_TILE_WIDTH, 0))
        height = max(tags[_HEIGHT], tags.get(_TILE_HEIGHT, 0))
        bits = max(tags.get(_BITS, (1,)))
        return int(width), int(height), int(tags.get(_CHANNELS, 1)) * -(-int(bits) // 8)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError("is damaged: its header does not say its size") from error


def _require_sound_tiff(data: bytes) -> None:
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

    try:
        with _unwarned():
            image = TiffImageFile(BytesIO(data))
    except SyntaxError:  # a kind of pixels that Pillow does not know: nobody can be asked twice
        return
    # Pillow warns of larger ones, or refuses them, whatever our budget is.
    if image.width * image.height <= (Image.MAX_IMAGE_PIXELS or math.inf):
        _require_sound(image.load)


def _require_sound(look: Callable[[], object]) -> None:
    try:
        look()
    except Exception as error:  # a parser of foreign bytes may raise anything
        raise damage(error, "is damaged inside") from error


def _require_sound_jpeg(data: bytes) -> None:
    """Decode all of it at an eighth of its size, which is as good for finding damage."""
    from simplejpeg import decode_jpeg

    try:
        decode_jpeg(
            data, "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1, min_factor=8
        )
    except ValueError as error:
        if "Premature end" in str(error):
            raise DatasetError(_CUT_SHORT) from error
        if not any(harmless in str(error) for harmless in _HARMLESS):
            raise damage(error, "is damaged inside") from error


def damage(error: Exception, what: str) -> DatasetError:
    """Return what to say of a file that a decoder raised `error` on; `what` is wrong with it."""
    reason = str(error) or type(error).__name__
    if "runcated" in reason or "only got" in reason:  # as Pillow says it, in several ways
        return DatasetError(_CUT_SHORT)
    return DatasetError(f"{what} ({reason}); copy or export it again")

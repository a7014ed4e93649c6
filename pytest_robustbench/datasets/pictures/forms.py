"""What an image file says about its pixels beside them: orientation, pages, alpha, palette."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.pictures.headers import (
    BAD_HEADER,
    damage,
    is_tiff,
    opened,
    tiff_pages,
)
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

UPRIGHT = 1
TURNED_SIDES = (5, 6, 7, 8)
"""Orientations that swap height and width."""

_ORIENTATION, _SUBFILE, _PHOTOMETRIC, _COLOUR_MAP, _EXTRA = 274, 254, 262, 320, 338
_PALETTE = 3
_PNG = b"\x89PNG\r\n\x1a\n"
_START = 1 << 17


@dataclass(frozen=True)
class Form:
    """How the pixels of one file are meant; of an array it is the default.

    Parameters
    ----------
    orientation : int
        The tag of EXIF, 1 to 8; 1 is upright.
    pages : int
        Pictures in the file.
    transparent : bool
        Whether it has alpha, or a colour that is see-through.
    background : tuple of int, optional
        RGB of the first entry of its palette, if it has one.
    """

    orientation: int = UPRIGHT
    pages: int = 1
    transparent: bool = False
    background: tuple[int, ...] | None = None


def form_of(data: bytes) -> Form:
    """Return the form of an image file, from headers alone.

    Parameters
    ----------
    data : bytes
        The content of a file that `headers.check_file` has passed.

    Raises
    ------
    DatasetError
        If what it says cannot be read; the message begins with what the file does.
    """
    try:
        return _form_of_tiff(data) if is_tiff(data) else _form(opened(data), data)
    except DatasetError:
        raise
    except Exception as error:  # a parser of foreign bytes may raise anything
        raise damage(error, BAD_HEADER) from error


def orientation_in(path: Path) -> int:
    """Return the orientation of an image file by the beginning of it; upright if it has none."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
        return form_of(start).orientation
    except Exception:  # whoever needs the pixels will say what is wrong with the file
        return UPRIGHT


def alpha_of(data: bytes) -> NDArray[np.uint8]:
    """Return the alpha of an image that has one, ``(H, W)``, turned as its orientation says.

    Raises
    ------
    Exception
        Whatever Pillow raises on what it cannot decode.
    """
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    return np.asarray(upright.convert("RGBA").getchannel("A"))


def _form(image: ImageFile, data: bytes) -> Form:
    return Form(
        _orientation(_tag_of_exif(image, data)),
        int(getattr(image, "n_frames", 1)),
        image.has_transparency_data,
        _first_colour(image),
    )


def _tag_of_exif(image: ImageFile, data: bytes) -> object:
    from PIL.Image import Image

    try:
        # Of the base class: that of a PNG decodes the whole image first.
        exif = Image.getexif(image)
        if image.format == "PNG" and _ORIENTATION not in exif:
            exif.load(_exif_of_png(data))
    except (
        Exception
    ):  # a parser of foreign bytes may raise anything; what nobody reads turns nothing
        return UPRIGHT
    return exif.get(_ORIENTATION, UPRIGHT)


def _exif_of_png(data: bytes) -> bytes:
    """Return the EXIF of a PNG; it may stand behind the pixels, where Pillow does not look."""
    place = len(_PNG)
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind == b"eXIf":
            return data[place + 8 : place + 8 + length]
        place += 12 + length
    return b""


def _first_colour(image: ImageFile) -> tuple[int, ...] | None:
    palette = image.palette
    if image.mode != "P" or palette is None:
        return None
    colour = tuple(palette.palette[:3])
    return colour[::-1] if str(palette.rawmode).startswith("BGR") else colour


def _form_of_tiff(data: bytes) -> Form:
    pages = list(tiff_pages(data))
    first = pages[0]
    # A reduced copy of a page is no page.
    whole = [page for page in pages if not int(page.get(_SUBFILE, 0)) & 1]
    return Form(
        _orientation(first.get(_ORIENTATION, UPRIGHT)),
        max(len(whole), 1),
        any(int(kind) in (1, 2) for kind in first.get(_EXTRA, ())),
        _first_of_map(first),
    )


def _first_of_map(tags: ImageFileDirectory_v2) -> tuple[int, ...] | None:
    colours: Any = tags.get(_COLOUR_MAP, ())
    if tags.get(_PHOTOMETRIC) != _PALETTE or len(colours) < 3:
        return None
    return tuple(int(value) >> 8 for value in colours[:: len(colours) // 3][:3])


def _orientation(tag: object) -> int:
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else UPRIGHT

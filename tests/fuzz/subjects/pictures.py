"""Image files, read as images and as masks: the pixels that were stored, or a refusal."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import cv2
import numpy as np

from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample
from pytest_robustbench.errors import RobustbenchError
from tests.fuzz.mutation import mutated_bytes
from tests.fuzz.subject import FoundError, Subject

SIDE = 48
SUFFIXES = (".png", ".jpg", ".tif", ".bmp", ".webp", ".gif")
PNG = b"\x89PNG\r\n\x1a\n"


def _arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    colour = cv2.GaussianBlur(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8), (0, 0), 3)
    alpha = np.dstack([colour, np.full((SIDE, SIDE), 255, np.uint8)])
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[10:20, 10:30] = 255
    return [colour, colour[:, :, 0], mask, alpha, colour.astype(np.uint16) * 257]


def _write_images(folder: Path) -> None:
    _write_valid(folder, lambda path: read_picture(Sample("tried", NORMAL, path)))


def _write_masks(folder: Path) -> None:
    _write_valid(folder, lambda path: _read_mask(path, ()))


def _write_valid(folder: Path, read: Callable[[Path], object]) -> None:
    """Write what this OpenCV writes, where it is read: of masks, not every picture is one."""
    number = 0
    for array in _arrays():
        for suffix in SUFFIXES:
            path = folder / f"valid{number:02d}{suffix}"
            try:
                path.write_bytes(np.asarray(cv2.imencode(suffix, array)[1]).tobytes())
                read(path)
            except (cv2.error, RobustbenchError):
                path.unlink(missing_ok=True)
            else:
                number += 1


def _damaged(rng: Random, valid: Sequence[bytes]) -> bytes:
    content = rng.choice(valid)
    if content.startswith(PNG) and rng.random() < 0.5:
        return _damaged_png(rng, content)
    if rng.random() < 0.3:
        return _other_number(rng, content)
    return mutated_bytes(rng, content, valid)


def _damaged_png(rng: Random, content: bytes) -> bytes:
    """Return a PNG with an edited chunk whose checksum is right, or with chunks lost or doubled."""
    chunks = list(_chunks(content))
    place = rng.randrange(len(chunks))
    kind, data = chunks[place]
    way = rng.random()
    if way < 0.2:
        del chunks[place]
    elif way < 0.4:
        chunks.insert(rng.randrange(len(chunks)), (kind, data))
    elif way < 0.7:
        chunks[0] = (b"IHDR", _other_header(rng, chunks[0][1]))
    else:
        chunks[place] = (kind, mutated_bytes(rng, data, [data]) if data else b"\0")
    return PNG + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunks(content: bytes):
    start = len(PNG)
    while start < len(content):
        (length,) = struct.unpack(">I", content[start : start + 4])
        yield content[start + 4 : start + 8], content[start + 8 : start + 8 + length]
        start += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _checks(content: bytes) -> bool:
    """Tell whether every chunk of a PNG, up to its end, has its own checksum."""
    start = len(PNG)
    while start + 12 <= len(content):
        (length,) = struct.unpack(">I", content[start : start + 4])
        end = start + 8 + length
        if content[end : end + 4] != struct.pack(">I", zlib.crc32(content[start + 4 : end])):
            return False
        if content[start + 4 : start + 8] == b"IEND":
            return True
        start = end + 4
    return False


def _other_header(rng: Random, header: bytes) -> bytes:
    sides = (0, 1, 47, 49, 96, 10_000, 30_000, 65_535, 1_000_000, 2**31 - 1)
    width, height = rng.choice(sides), rng.choice((SIDE, *sides))
    rest = bytearray(header[8:])
    if rng.random() < 0.5:
        rest[rng.randrange(len(rest))] = rng.randrange(256)
    return struct.pack(">II", width, height) + bytes(rest)


def _other_number(rng: Random, content: bytes) -> bytes:
    """Replace two or four bytes of the head, where formats keep sizes and offsets."""
    place = rng.randrange(min(len(content), 128))
    number = rng.choice((0, 1, 0x7FFF, 0xFFFF, 30_000, 0x7FFFFFFF, 0xFFFFFFFF))
    order = rng.choice("<>")
    new = struct.pack(f"{order}I", number) if number > 0xFFFF else struct.pack(f"{order}H", number)
    return content[:place] + new + content[place + len(new) :]


def _read_image(path: Path, valid: Sequence[bytes]) -> None:
    picture = read_picture(Sample("damaged", NORMAL, path))
    _require_pixels(path, picture.image, valid)


def _read_mask(path: Path, valid: Sequence[bytes]) -> None:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    read_picture(Sample("damaged", DEFECT, image, mask=path))


def _require_pixels(path: Path, image: np.ndarray, valid: Sequence[bytes]) -> None:
    """Refuse other pixels from a file that was cut, or from a PNG that its checksums contradict."""
    content = path.read_bytes()
    damaged = content.startswith(PNG) and not _checks(content)
    wholes = [one for one in valid if len(content) < len(one) and one.startswith(content)]
    if not damaged and not wholes:
        return
    for whole in wholes or valid:
        path.write_bytes(whole)
        if np.array_equal(image, read_picture(Sample("whole", NORMAL, path)).image):
            return
    raise FoundError("a file that is visibly damaged is read as other pixels")


IMAGES = Subject("images", 1000, "damaged.png", _write_images, _damaged, _read_image)
MASKS = Subject("masks", 1000, "damaged.png", _write_masks, _damaged, _read_mask)

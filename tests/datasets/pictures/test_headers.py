"""What is refused before it is decoded: what is no file, too large, or damaged inside."""

from __future__ import annotations

import os
import struct
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image

from pytest_robustbench import opencv
from pytest_robustbench.datasets.pictures.decoding import decode_file
from pytest_robustbench.datasets.pictures.headers import check_file
from pytest_robustbench.errors import DatasetError

SIZE = (48, 64)
PIXELS = SIZE[0] * SIZE[1]
RNG = np.random.default_rng(0)
COLOUR = cv2.blur(RNG.integers(0, 256, (*SIZE, 3), np.uint8), (5, 5))
GRAY = COLOUR[:, :, 0].copy()
DEEP = COLOUR.astype(np.uint16) * 257

ENCODED = {
    "png": (".png", COLOUR, 3),
    "gray png": (".png", GRAY, 1),
    "16-bit png": (".png", DEEP, 6),
    "jpeg": (".jpg", COLOUR, 3),
    "gray jpeg": (".jpg", GRAY, 1),
    "bmp": (".bmp", COLOUR, 3),
    "tiff": (".tiff", COLOUR, 3),
    "16-bit tiff": (".tiff", DEEP, 6),
    "float tiff": (".tiff", COLOUR.astype(np.float32), 12),
    "ppm": (".ppm", COLOUR, 3),
    "16-bit pgm": (".pgm", DEEP[:, :, 0].copy(), 2),
    "webp": (".webp", COLOUR, 3),
    "jpeg 2000": (".jp2", COLOUR, 3),
}


def encoded(suffix, pixels, *options):
    return cv2.imencode(suffix, pixels, list(options))[1].tobytes()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "image.png"


@pytest.fixture
def undecoded(monkeypatch):
    """OpenCV is not reached."""

    def load():
        pytest.fail("the file was decoded")

    monkeypatch.setattr(opencv, "load", load)


def refused(file, **settings):
    with pytest.raises(DatasetError) as raised:
        decode_file(file, **settings)
    message = str(raised.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message


# ---- what the path leads to ----------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_is_refused_and_not_waited_for(file, undecoded):
    os.mkfifo(file)
    assert "it is a FIFO, not a regular file" in refused(file)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no devices on this system")  # noqa: PTH110
def test_a_link_to_an_endless_device_is_refused(file, undecoded):
    file.symlink_to("/dev/zero")
    assert "it is a device, not a regular file" in refused(file)


def test_a_folder_is_refused(file, undecoded):
    file.mkdir()
    assert "it is a folder, not a regular file" in refused(file)


def test_a_link_in_a_circle_or_to_nothing_is_refused(file, undecoded):
    file.symlink_to(file)
    assert "cannot be read: " in refused(file)
    file.unlink()
    file.symlink_to(file.with_name("gone.png"))
    assert "No such file" in refused(file)


def test_a_link_to_an_image_is_followed(tmp_path, file):
    (tmp_path / "real.png").write_bytes(encoded(".png", COLOUR))
    file.symlink_to(tmp_path / "real.png")
    np.testing.assert_array_equal(decode_file(file).pixels, COLOUR[:, :, ::-1])


def test_a_file_larger_than_an_image_may_be_is_not_read(file, undecoded):
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    message = refused(file)
    assert "it has 1 TiB, of 512 MiB allowed; raise image_budget" in message


# ---- what the header asks for --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ENCODED)
def test_a_header_that_asks_for_more_than_the_budget_is_refused(file, kind, monkeypatch):
    suffix, pixels, per_pixel = ENCODED[kind]
    file.write_bytes(encoded(suffix, pixels))
    budget = max(PIXELS * per_pixel, file.stat().st_size)
    assert decode_file(file, budget).pixels.shape == pixels.shape

    monkeypatch.setattr(opencv, "load", lambda: pytest.fail("the file was decoded"))
    message = refused(file, budget=PIXELS * per_pixel - 1)
    if file.stat().st_size < PIXELS * per_pixel:
        assert f"has {SIZE[0]} x {SIZE[1]} pixels (height x width)" in message
        assert "more than image_budget allows" in message


def test_a_palette_counts_as_the_colours_it_becomes(file):
    Image.fromarray(COLOUR).quantize(8).save(file)
    assert "more than image_budget" in refused(file, budget=3 * PIXELS - 1)
    assert decode_file(file, 3 * PIXELS).pixels.shape == (*SIZE, 3)


def test_a_tile_counts_where_it_is_larger_than_its_image(file, undecoded):
    tags = {
        256: 8,
        257: 8,
        258: 8,
        259: 1,
        262: 1,
        277: 1,
        322: 1 << 15,
        323: 1 << 15,
        324: 8,
        325: 64,
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    file.write_bytes(b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4))
    assert "takes 1 GiB once decoded" in refused(file)


@pytest.mark.parametrize(("kind", "height"), [(".png", 9_000), (".tiff", 9_000), (".tiff", 18_000)])
def test_the_limit_is_ours_and_not_that_of_the_reader_of_headers(file, kind, height):
    # Pillow warns above 89 million pixels, and refuses to decode twice as many.
    wide = np.zeros((height, 10_000), np.uint8)
    file.write_bytes(encoded(kind, wide))
    assert decode_file(file).pixels.shape == wide.shape


@pytest.mark.parametrize(
    "data",
    [b"not an image", b"\xff\xd8\xff", b"II*\0", b"MM\0*" + bytes(20), b"BM" + bytes(60), b"P6 x",
     b"RIFF\0\0\0\0WEBPVP8 ", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"#?RADIANCE\n", b"PF\n4 4\n-1\n"],
)  # fmt: skip
def test_what_has_no_readable_header_is_refused(file, data, undecoded):
    file.write_bytes(data)
    message = refused(file)
    assert any(words in message for words in ("damaged", "cut short", "header that"))


# ---- what is damaged inside ----------------------------------------------------------------------


def chunks(data):
    """Yield start, kind and length of every chunk of a PNG."""
    start = 8
    while start < len(data):
        (length,) = struct.unpack_from(">I", data, start)
        yield start, data[start + 4 : start + 8], length
        start += 12 + length


def test_a_png_whose_chunk_claims_gigabytes_is_refused(file, undecoded):
    data = bytearray(encoded(".png", COLOUR))
    start = next(start for start, kind, _ in chunks(data) if kind == b"IDAT")
    struct.pack_into(">I", data, start, 3_500_000_000)
    file.write_bytes(data)
    assert "is cut short" in refused(file)


def test_a_png_whose_checksum_is_wrong_is_refused(file, undecoded):
    data = bytearray(encoded(".png", COLOUR))
    start, _, length = next(chunk for chunk in chunks(data) if chunk[1] == b"IDAT")
    data[start + 8 + length // 2] ^= 1
    file.write_bytes(data)
    assert "is damaged inside (" in refused(file)


def test_a_png_with_something_behind_its_end_is_read(file):
    file.write_bytes(encoded(".png", COLOUR) + b"trailing")
    np.testing.assert_array_equal(decode_file(file).pixels, COLOUR[:, :, ::-1])


@pytest.mark.parametrize("pixels", [COLOUR, GRAY, DEEP], ids=["colour", "gray", "16 bit"])
def test_a_deflated_tiff_whose_checksum_is_wrong_is_refused(file, pixels, undecoded):
    data = bytearray(encoded(".tiff", pixels, cv2.IMWRITE_TIFF_COMPRESSION, 8))
    data[8 + 30] ^= 1  # the strips come first
    file.write_bytes(data)
    assert "is damaged inside (" in refused(file)


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
@pytest.mark.parametrize("pixels", [COLOUR, GRAY, DEEP, DEEP.astype(np.float32)])
def test_a_sound_tiff_is_read(file, compression, pixels):
    file.write_bytes(encoded(".tiff", pixels, cv2.IMWRITE_TIFF_COMPRESSION, compression))
    found = decode_file(file).pixels
    np.testing.assert_array_equal(found, pixels if pixels.ndim == 2 else pixels[:, :, ::-1])


JPEGS = {
    "baseline": (),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restart markers": (cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
    "4:4:4": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
}


def scan_of(jpeg):
    """Return where the first scan's data begin and end."""
    start = jpeg.index(b"\xff\xda")
    return start + 2 + struct.unpack_from(">H", jpeg, start + 2)[0], len(jpeg) - 2


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_lost_a_part_of_its_inside_is_refused(file, kind, undecoded):
    data = encoded(".jpg", COLOUR, *JPEGS[kind])
    start, stop = scan_of(data)
    length = (stop - start) // 3
    file.write_bytes(data[: start + length] + bytes(length) + data[start + 2 * length :])
    assert "is damaged inside (Corrupt JPEG data: " in refused(file)


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_ends_early_is_refused(file, kind, undecoded):
    data = encoded(".jpg", COLOUR, *JPEGS[kind])
    file.write_bytes(data[: len(data) // 2])
    assert "is cut short" in refused(file)


@pytest.mark.parametrize("kind", JPEGS)
def test_a_sound_jpeg_has_the_pixels_that_opencv_gives_it(file, kind):
    data = encoded(".jpg", COLOUR, *JPEGS[kind])
    file.write_bytes(data)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decode_file(file).pixels, expected[:, :, ::-1])


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_another_colour_space_is_read(file, mode):
    Image.fromarray(COLOUR).convert(mode).save(file, "JPEG")
    assert decode_file(file).pixels.shape[:2] == SIZE


def test_a_jpeg_that_the_second_decoder_cannot_read_is_left_to_the_first(file):
    data = bytearray(encoded(".jpg", COLOUR, *JPEGS["4:4:4"]))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = 0x31  # three columns of luminance to one of colour: no TurboJPEG knows that
    file.write_bytes(data)
    assert decode_file(file).pixels.shape == (*SIZE, 3)


def test_a_thumbnail_within_a_jpeg_is_not_its_end(file):
    data = encoded(".jpg", COLOUR)
    thumbnail = encoded(".jpg", COLOUR[:8, :8])
    holder = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    file.write_bytes(data[:2] + holder + data[2 : len(data) // 2])
    assert "is cut short" in refused(file)


def test_many_threads_leave_the_filters_of_warnings_as_they_were():
    interval = sys.getswitchinterval()
    data, before = encoded(".tiff", COLOUR), list(warnings.filters)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda _: check_file(data, 1 << 20), range(2000)):
                pass
    finally:
        sys.setswitchinterval(interval)
    assert list(warnings.filters) == before

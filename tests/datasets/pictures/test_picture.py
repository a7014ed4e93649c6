from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from pytest_robustbench.datasets.notes import notes_on_pictures
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.split import Sample
from pytest_robustbench.errors import DatasetError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (20, 30, 3), np.uint8)
GRAY = RNG.integers(0, 256, (20, 30), np.uint8)
MASK = np.zeros((20, 30), np.uint8)
MASK[3:6, 4:9] = 255


def encoded(pixels, suffix=".png"):
    return cv2.imencode(
        suffix, pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    )[1].tobytes()


def file_of(folder, data, name="image.png"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read(image, **kwargs):
    return read_picture(Sample("test/x", 0, image, **kwargs))


def read_defect(image, mask, resize=None):
    return read_picture(Sample("test/x", 1, image, mask, "crack"), resize)


def exif_jpeg(pixels, orientation):
    """A JPEG whose EXIF header asks viewers to turn it."""
    data = encoded(pixels, ".jpg")
    tiff = (
        b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01"
        + bytes([0, orientation, 0, 0])
        + b"\x00" * 4
    )
    body = b"Exif\x00\x00" + tiff
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".PNG"])
def test_lossless_files_give_their_pixels(tmp_path, suffix):
    picture = read(file_of(tmp_path, encoded(COLOUR, suffix.lower()), f"a{suffix}"))
    np.testing.assert_array_equal(picture.image, COLOUR)
    assert not picture.gray
    assert picture.image.dtype == np.uint8


def test_gray_becomes_rgb_and_stays_known_as_gray(tmp_path):
    picture = read(file_of(tmp_path, encoded(GRAY)))
    np.testing.assert_array_equal(picture.image, np.dstack([GRAY] * 3))
    assert picture.gray


def test_gray_stored_as_colour_is_gray_and_the_same_picture(tmp_path):
    stored = file_of(tmp_path, encoded(np.dstack([GRAY] * 3)))
    assert read(stored).gray
    assert read(stored).digest == read(GRAY).digest


@pytest.mark.parametrize("alpha", [255, 0, 128])
def test_alpha_that_is_the_same_everywhere_says_nothing(tmp_path, alpha):
    rgba = np.dstack([COLOUR, np.full_like(GRAY, alpha)])
    np.testing.assert_array_equal(read(file_of(tmp_path, encoded(rgba))).image, COLOUR)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_an_image_that_is_see_through_in_places_is_refused(tmp_path, suffix):
    file = tmp_path / f"cut{suffix}"
    Image.fromarray(np.dstack([COLOUR, GRAY])).save(file)
    with pytest.raises(DatasetError, match=rf"cut{suffix} is see-through in places .*flatten it"):
        read(file)


def test_a_palette_is_looked_up(tmp_path):
    # A hand-made PNG: a 2 x 1 image of indices 0 and 1 into (red, green).
    import struct
    import zlib

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0]))
        + chunk(b"IDAT", zlib.compress(bytes([0, 0, 1])))
        + chunk(b"IEND", b"")
    )
    picture = read(file_of(tmp_path, data))
    assert picture.image.tolist() == [[[255, 0, 0], [0, 255, 0]]]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_by_the_full_range(tmp_path, suffix):
    deep = np.array([[0, 128, 129, 257, 4095, 32768, 65406, 65407, 65535]], np.uint16)
    picture = read(file_of(tmp_path, encoded(deep, suffix), f"a{suffix}"))
    assert picture.image[0, :, 0].tolist() == [round(int(value) / 257) for value in deep[0]]


def test_sixteen_bit_colour_keeps_its_channels(tmp_path):
    picture = read(file_of(tmp_path, encoded(COLOUR.astype(np.uint16) * 257)))
    np.testing.assert_array_equal(picture.image, COLOUR)


def test_arrays_and_functions_are_read_like_files():
    bits = GRAY > 127
    np.testing.assert_array_equal(read(bits).image[..., 0], bits * np.uint8(255))
    np.testing.assert_array_equal(read(GRAY[..., None]).image[..., 0], GRAY)
    np.testing.assert_array_equal(read(lambda: COLOUR).image, COLOUR)


@pytest.mark.parametrize("name", ["Prüfling 7/Änderung.png", "日本/部品 1.png", "a b/c#d%.png"])
def test_unusual_names_are_read(tmp_path, name):
    np.testing.assert_array_equal(read(file_of(tmp_path, encoded(COLOUR), name)).image, COLOUR)


def test_exif_orientation_is_applied_as_viewers_do(tmp_path):
    upright = read(file_of(tmp_path, exif_jpeg(COLOUR, 1), "1.jpg")).image
    turned = read(file_of(tmp_path, exif_jpeg(COLOUR, 6), "6.jpg")).image
    assert upright.shape == (20, 30, 3)
    np.testing.assert_array_equal(turned, np.rot90(upright, -1))


def test_a_mask_on_the_stored_pixels_of_a_turned_image_is_explained(tmp_path):
    image = file_of(tmp_path, exif_jpeg(COLOUR, 6), "6.jpg")
    with pytest.raises(DatasetError, match=r"20 x 30 .* is 30 x 20; .* EXIF orientation"):
        read_defect(image, MASK)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_file_is_an_error(tmp_path, suffix, share):
    data = encoded(cv2.GaussianBlur(np.tile(COLOUR, (8, 8, 1)), (0, 0), 3), suffix)
    path = file_of(tmp_path, data[: int(len(data) * share)], f"short{suffix}")
    with pytest.raises(DatasetError, match=f"sample 'test/x': .*short{suffix} .*(short|damaged)"):
        read(path)


def test_a_jpeg_is_cut_short_even_if_its_thumbnail_is_whole(tmp_path):
    data = encoded(COLOUR, ".jpg")
    thumbnail = encoded(GRAY, ".jpg")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = data[:2] + segment + data[2:]
    assert read(file_of(tmp_path, whole + b"padding", "whole.jpg")).image.shape == (20, 30, 3)
    with pytest.raises(DatasetError, match="cut short"):
        read(file_of(tmp_path, whole[:-40], "short.jpg"))


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"not an image at all", "damaged, or no image"), (b"", r"empty \(0 bytes\)")],
)
def test_a_file_that_is_no_image_is_named(tmp_path, data, message):
    path = file_of(tmp_path, data, "fake.png")
    with pytest.raises(DatasetError, match=f"sample 'test/x': .*fake.png.* {message}"):
        read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.png cannot be read"):
        read(tmp_path / "gone.png")


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_arrays_of_the_wrong_shape_are_refused(pixels):
    with pytest.raises(DatasetError, match=r"an image has shape \(H, W\)"):
        read(pixels)


def test_float_images_are_refused():
    with pytest.raises(DatasetError, match=r"of dtype float32, .*; save it as one of these"):
        read(GRAY.astype(np.float32))


def test_a_function_that_raises_is_named():
    def broken():
        raise OSError("camera unplugged")

    with pytest.raises(DatasetError, match=r"'test/x': .* raised OSError\('camera unplugged'\)"):
        read(broken)


def test_masks_any_non_zero_value_is_defect(tmp_path):
    faint = (MASK > 0).astype(np.uint8)
    colour = np.dstack([MASK * 0, MASK, MASK * 0])
    for mask in (
        MASK,
        faint,
        MASK > 0,
        colour,
        faint.astype(np.float32),
        file_of(tmp_path, encoded(faint)),
    ):
        np.testing.assert_array_equal(read_defect(COLOUR, mask).mask, MASK > 0)


def test_a_folder_of_masks_is_united(tmp_path):
    other = np.roll(MASK, 8, axis=1)
    file_of(tmp_path, encoded(MASK), "m/000.png")
    file_of(tmp_path, encoded(other), "m/001.png")
    np.testing.assert_array_equal(read_defect(COLOUR, tmp_path / "m").mask, (MASK | other) > 0)


def test_no_mask_means_empty_on_a_normal_image_and_unknown_on_a_defect_image():
    normal = read(COLOUR)
    assert normal.mask is not None
    assert not normal.mask.any()
    assert read_defect(COLOUR, None).mask is None


def test_a_mask_of_another_size_names_files_and_sizes(tmp_path):
    image = file_of(tmp_path, encoded(COLOUR), "a.png")
    mask = file_of(tmp_path, encoded(MASK[:-1]), "a_mask.png")
    with pytest.raises(
        DatasetError, match=r"'test/x': mask .*a_mask\.png is 19 x 30 .*a\.png is 20 x 30"
    ):
        read_defect(image, mask)


def test_label_and_mask_must_agree():
    with pytest.raises(DatasetError, match="marks no pixel, but the image is labelled as defect"):
        read_defect(COLOUR, MASK * 0)
    with pytest.raises(DatasetError, match="marks defect pixels, but the image is labelled normal"):
        read(COLOUR, mask=MASK)
    assert read(COLOUR, mask=MASK * 0).digest == read(COLOUR).digest


def test_resizing_touches_image_and_mask_but_no_digest():
    large, small = read_defect(COLOUR, MASK), read_defect(COLOUR, MASK, (10, 40))
    assert small.image.shape == (10, 40, 3)
    assert small.mask is not None
    assert small.mask.shape == (10, 40)
    assert (small.digest, small.image_digest) == (large.digest, large.image_digest)


def test_digests_tell_images_and_masks_apart():
    changed = COLOUR.copy()
    changed[0, 0, 0] ^= 1
    unknown, known = read_defect(COLOUR, None), read_defect(COLOUR, MASK)
    assert unknown.image_digest == known.image_digest == read(COLOUR).image_digest
    assert len({unknown.digest, known.digest, read(COLOUR).digest, read(changed).digest}) == 4
    assert read(changed).image_digest != known.image_digest
    assert read(GRAY).image_digest != read(GRAY.reshape(30, 20)).image_digest
    assert len(known.digest) == 16


def test_pictures_are_read_only_and_leave_the_users_arrays_alone():
    mine, mask = COLOUR.copy(), MASK > 0
    picture = read_defect(mine, mask)
    with pytest.raises(ValueError, match="read-only"):
        picture.image[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        picture.mask[0, 0] = True
    mine[:] = 0
    mask[:] = False
    np.testing.assert_array_equal(picture.image, COLOUR)
    assert picture.mask.any()


@pytest.mark.parametrize(
    ("values", "graded"),
    [
        ((0, 255), False),
        ((0, 1), False),
        ((0, 90, 255), True),
        ((0, 254, 255), True),
        ((0.0, 0.5, 1.0), True),
        ((False, True), False),
    ],
)
def test_a_mask_of_several_values_is_known_as_graded(values, graded):
    mask = np.array(values)[np.arange(COLOUR[:, :, 0].size) % len(values)].reshape(20, 30)
    picture = read_defect(COLOUR, mask)
    assert picture.traits.graded_mask is graded
    np.testing.assert_array_equal(picture.mask, mask != 0)


def test_colour_in_a_mask_is_no_gray_level():
    red = np.dstack([MASK, np.zeros_like(MASK), np.zeros_like(MASK)])
    assert not read_defect(COLOUR, red).traits.graded_mask
    assert read_defect(
        COLOUR, red // np.arange(1, 31, dtype=np.uint8)[None, :, None]
    ).traits.graded_mask


@pytest.mark.parametrize(("second", "graded"), [((9, 9), False), ((9, 11), True)])
def test_each_mask_of_a_folder_may_have_a_value_of_its_own(tmp_path, second, graded):
    file_of(tmp_path, encoded(MASK), "masks/0.png")
    other = MASK.copy()
    other[10:12, 0], other[12:14, 0] = second
    file_of(tmp_path, encoded(other * (other < 255)), "masks/1.png")
    assert read_defect(COLOUR, tmp_path / "masks").traits.graded_mask is graded


def test_a_mask_stored_with_losses_is_graded_and_the_note_counts_it(tmp_path):
    mask = file_of(tmp_path, encoded(MASK, ".jpg"), "0_mask.jpg")
    picture = read_defect(COLOUR, mask)
    (note,) = notes_on_pictures(["test/x"], [picture.traits])
    assert note.startswith("masks with several non-zero values: 1 ('test/x'); every non-zero")
    assert notes_on_pictures([], []) == ()

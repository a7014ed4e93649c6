"""What files mean by their pixels: alpha, palettes, orientation, bit depth, pages."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image

from pytest_robustbench.datasets.notes import notes_on_orientation, notes_on_pictures
from pytest_robustbench.datasets.pictures.picture import Traits, read_picture
from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.errors import DatasetError

SIDE = 16
RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
DEFECT = np.zeros((SIDE, SIDE), np.uint8)
DEFECT[2:5, 4:10] = 255
NONE = np.zeros_like(DEFECT)
WHITE = np.full_like(DEFECT, 255)


def read(image, mask=None, label=1, **kwargs):
    return read_picture(Sample("test/x", label, image, mask, **kwargs))


def saved(folder, name, image, **options):
    image.save(folder / name, **options)
    return folder / name


def stacked(*planes):
    return Image.fromarray(np.dstack(planes))


def palette(indices, *colours, **options):
    image = Image.fromarray(indices.astype(np.uint8), "P")
    image.putpalette([*sum(colours, ()), *[0] * (768 - 3 * len(colours))])
    return image


BRUSH = stacked(WHITE, WHITE - DEFECT, WHITE - DEFECT, DEFECT)
MEANT = {
    "brush.png": BRUSH,
    "brush.tif": BRUSH,
    "gray.png": Image.fromarray(np.dstack([WHITE, DEFECT]), "LA"),
    "gray.tif": Image.fromarray(np.dstack([WHITE, DEFECT]), "LA"),
    "black.png": stacked(NONE, NONE, NONE, DEFECT),
    "opaque.png": stacked(DEFECT, DEFECT, DEFECT, WHITE),
    "cut.png": stacked(DEFECT, DEFECT, DEFECT, np.where(np.arange(SIDE) > 12, 0, WHITE)),
    "voc.png": palette(DEFECT > 0, (0, 0, 0), (128, 0, 0)),
    "swapped.png": palette(DEFECT == 0, (255, 255, 255), (0, 0, 0)),
    "holes.bmp": stacked(DEFECT, DEFECT, DEFECT),
}


@pytest.mark.parametrize("name", MEANT)
def test_a_mask_is_read_as_it_is_meant(tmp_path, name):
    file = saved(tmp_path, name, MEANT[name])
    np.testing.assert_array_equal(read(COLOUR, file).mask, DEFECT > 0)


REFUSED = {
    "white.png": (palette(DEFECT > 0, (255, 255, 255), (255, 0, 0)), "none of them is black"),
    "white.tif": (palette(DEFECT > 0, (255, 255, 255), (255, 0, 0)), "none of them is black"),
    "inverted.png": (palette(DEFECT > 0, (255, 255, 255), (0, 0, 0)), "first colour of its pal"),
    "inverted.bmp": (palette(DEFECT > 0, (250, 255, 255), (0, 0, 0)), "first colour of its pal"),
    "red.png": (stacked(WHITE, WHITE - DEFECT, WHITE - DEFECT), "none of them is black"),
    "gray.png": (Image.fromarray(np.where(DEFECT, 255, 90).astype(np.uint8)), "none of them is bl"),
    "hole.png": (stacked(DEFECT, DEFECT, DEFECT, WHITE - DEFECT), "by its alpha and another by"),
    "veil.png": (stacked(WHITE, WHITE, WHITE, DEFECT // 2 + 90), "by its alpha and another by"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mask_whose_meaning_nobody_can_tell_is_refused(tmp_path, name):
    image, reason = REFUSED[name]
    with pytest.raises(DatasetError, match=rf"{name} .*{reason}.*; redraw it in gray"):
        read(COLOUR, saved(tmp_path, name, image))


def test_a_see_through_gray_level_decides_as_well(tmp_path):
    file = saved(tmp_path, "m.png", Image.fromarray(WHITE - DEFECT // 2), transparency=255)
    np.testing.assert_array_equal(read(COLOUR, file).mask, DEFECT > 0)


@pytest.mark.parametrize("mask", [np.dstack([WHITE, DEFECT]), np.asarray(BRUSH)])
def test_arrays_of_two_and_four_channels_have_alpha(mask):
    np.testing.assert_array_equal(read(COLOUR, mask).mask, DEFECT > 0)
    with pytest.raises(DatasetError, match="a mask says one thing by its alpha"):
        read(COLOUR, np.dstack([*[DEFECT] * (mask.shape[2] - 1), WHITE - DEFECT]))


def test_soft_alpha_is_graded(tmp_path):
    soft = DEFECT // np.arange(1, SIDE + 1, dtype=np.uint8)
    picture = read(COLOUR, saved(tmp_path, "m.png", stacked(NONE, NONE, NONE, soft)))
    assert picture.traits.graded_mask


def oriented(folder, name, pixels, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    options = {"quality": 100} if name.endswith("jpg") else {}
    return saved(folder, name, Image.fromarray(pixels), exif=exif, **options)


@pytest.mark.parametrize("tag", range(2, 9))
@pytest.mark.parametrize("name", ["image.jpg", "image.png"])
def test_a_square_image_that_is_turned_needs_a_mask_that_is_turned(tmp_path, tag, name):
    image = oriented(tmp_path, name, COLOUR, tag)
    plain = saved(tmp_path, "plain.png", Image.fromarray(DEFECT))
    for mask in (plain, DEFECT):
        with pytest.raises(DatasetError, match=rf"EXIF orientation 1 and its image {tag}: nobody"):
            read(image, mask)
    alike = read(image, oriented(tmp_path, "mask.png", DEFECT, tag)).mask
    upright = read(oriented(tmp_path, "0.png", np.dstack([DEFECT] * 3), tag), label=0).image
    np.testing.assert_array_equal(alike, upright[:, :, 0] > 0)
    read(image, label=0)
    read(image, saved(tmp_path, "empty.png", Image.fromarray(NONE)), label=0)


def with_chunk(file, kind, content):
    """A PNG with one more chunk behind its pixels."""
    end = len(file.read_bytes()) - 12
    data, body = file.read_bytes(), kind + content
    chunk = len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    file.write_bytes(data[:end] + chunk + data[end:])
    return file


def test_an_orientation_behind_the_pixels_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = saved(tmp_path, "late.png", Image.fromarray(COLOUR))
    with_chunk(image, b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    np.testing.assert_array_equal(read(image, label=0).image, np.rot90(COLOUR, -1))
    with pytest.raises(DatasetError, match="EXIF orientation 1 and its image 6"):
        read(image, DEFECT)


@pytest.mark.parametrize("content", [b"x", b"II*\0", b"no EXIF at all"])
def test_an_orientation_that_nobody_can_read_turns_nothing(tmp_path, content):
    image = with_chunk(saved(tmp_path, "x.png", Image.fromarray(COLOUR)), b"eXIf", content)
    np.testing.assert_array_equal(read(image, DEFECT).image, COLOUR)


def test_a_tag_of_another_type_is_a_header_that_cannot_be_read(tmp_path):
    file = saved(tmp_path, "x.tif", Image.fromarray(COLOUR), tiffinfo={254: 0})
    data, tag = file.read_bytes(), (254).to_bytes(2, "little")
    place = data.index(tag + (4).to_bytes(2, "little"))
    text = tag + (2).to_bytes(2, "little") + (1).to_bytes(4, "little") + b"a\0\0\0"
    file.write_bytes(data[:place] + text + data[place + 12 :])
    with pytest.raises(DatasetError, match=r"x\.tif has a header that cannot be read"):
        read(file, label=0)


def test_transparency_of_a_turned_tiff_is_refused(tmp_path):
    mask = oriented(tmp_path, "mask.tif", np.dstack([WHITE, WHITE, WHITE, DEFECT]), 6)
    with pytest.raises(DatasetError, match="has transparency and is turned; store it without"):
        read(oriented(tmp_path, "image.png", COLOUR, 6), mask)


def test_a_turned_mask_of_an_upright_image_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="EXIF orientation 3 and its image 1"):
        read(COLOUR, oriented(tmp_path, "mask.png", DEFECT, 3))


def test_size_tells_how_an_oblong_mask_was_drawn(tmp_path):
    image = oriented(tmp_path, "image.jpg", COLOUR[:10], 6)
    upright = np.rot90(DEFECT[:10], -1)
    np.testing.assert_array_equal(read(image, upright.copy()).mask, upright > 0)
    with pytest.raises(DatasetError, match="height and width are swapped"):
        read(image, DEFECT[:10])
    with pytest.raises(DatasetError, match="nobody can tell"):
        read(oriented(tmp_path, "half.jpg", COLOUR[:10], 3), DEFECT[:10])


def test_turned_images_are_counted_by_part(tmp_path):
    turned = [oriented(tmp_path, f"{i}.jpg", COLOUR, 6) for i in range(2)]
    plain = saved(tmp_path, "plain.png", Image.fromarray(COLOUR))
    train = (Sample("t", 0, plain), Sample("gone", 0, tmp_path / "gone.jpg"))
    test = tuple(Sample(str(i), 0, file) for i, file in enumerate(turned))
    (note,) = notes_on_orientation(Split("own", "x", train, test))
    assert note.startswith(
        "images turned as their EXIF orientation says: 0 of 2 train, 2 of 2 test"
    )
    assert notes_on_orientation(Split("own", "x", (), train)) == ()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_declared_bit_depth_is_the_range(tmp_path, bits):
    white = 2**bits - 1
    deep = np.linspace(0, white, SIDE * SIDE).astype(np.uint16).reshape(SIDE, SIDE)
    for image in (saved(tmp_path, "a.png", Image.fromarray(deep)), deep, lambda: deep):
        picture = read(image, label=0, bit_depth=bits)
        np.testing.assert_array_equal(picture.image[:, :, 0], np.rint(deep / white * 255))
        assert (picture.traits.brightest, picture.traits.white) == (white, white)


def test_values_beyond_the_bit_depth_are_refused(tmp_path):
    file = saved(tmp_path, "deep.png", Image.fromarray(np.full((4, 4), 4096, np.uint16)))
    with pytest.raises(DatasetError, match=r"deep\.png holds the value 4096, but 4095 is the larg"):
        read(file, label=0, bit_depth=12)
    with pytest.raises(DatasetError, match="holds 8 bits or fewer, but bit_depth says 12"):
        read(COLOUR, label=0, bit_depth=12)


RANGE = "images use {} % of their range (the brightest value is {} of {})"


@pytest.mark.parametrize(
    ("traits", "note"),
    [
        (Traits(mask_share=0.6), "masks that mark most of the image: 1 ('a'); black is background"),
        (Traits(pages=3), "files with several pages: 1 ('a'); the first one is read"),
        (Traits(brightest=4095, white=65535), RANGE.format("6.2", 4095, 65535) + ": say bit_depth"),
        (Traits(brightest=900, white=4095), RANGE.format(22, 900, 4095) + ": say bit_depth: 10 if"),
        (Traits(brightest=40), RANGE.format(16, 40, 255)),
    ],
)
def test_what_is_worth_a_note_is_noted(traits, note):
    (found,) = notes_on_pictures(["a"], [traits])
    assert found.startswith(note)


def test_one_bright_image_is_enough():
    assert notes_on_pictures(["a", "b"], [Traits(brightest=3), Traits(brightest=90)]) == ()


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_pages_are_counted_in_images_and_masks(tmp_path, name):
    pages = [Image.fromarray(COLOUR // (i + 1)) for i in range(3)]
    file = saved(tmp_path, name, pages[0], save_all=True, append_images=pages[1:])
    picture = read(file, label=0)
    assert picture.traits.pages == 3
    np.testing.assert_array_equal(picture.image, COLOUR)
    masks = [Image.fromarray(np.roll(DEFECT, i)) for i in range(2)]
    mask = saved(tmp_path, f"mask_{name}", masks[0], save_all=True, append_images=masks[1:])
    assert read(COLOUR, mask).traits.pages == 2

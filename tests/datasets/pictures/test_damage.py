"""What each kind of damage does to each file format: the table of docs/datasets.md."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.errors import DatasetError
from tests.datasets.dataset_trees import TREES, defect_mask, picture, write

LISTED = ("visa", "manifest")
"""Layouts whose table names every file."""

LABELLED_BY_MASK = ("kolektor", "kolektor2")

EVERY_TREE = pytest.mark.parametrize("layout", TREES)


def png(*chunks):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def header(height, width, *, colour=2):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)


def palette_png(indices, colours):
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    return png(
        header(*indices.shape, colour=3),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )


def encoded(pixels, suffix=".png"):
    return cv2.imencode(suffix, pixels)[1].tobytes()


def rgb(pixels):
    return pixels[:, :, ::-1]


@pytest.fixture
def tree(tmp_path, layout):
    return TREES[layout](tmp_path / "data")


def load(tree):
    return load_split(tree.format, **tree.options)


def damaged(tree):
    """Return the sample whose image is the damaged file, and the others of the test part."""
    test = load(tree).test
    (own,) = [sample for sample in test if sample.image == tree.bad]
    return own, [sample for sample in test if sample is not own]


def error_of_damaged(tree):
    """Return the error of the damaged image; every other image can be read."""
    own, others = damaged(tree)
    assert all(read_picture(sample).image.any() for sample in others)
    with pytest.raises(DatasetError, match=rf"sample {own.id!r}: .*{tree.bad.name}") as caught:
        read_picture(own)
    return str(caught.value)


@EVERY_TREE
def test_missing_mask(tree, layout):
    tree.mask.unlink()
    if layout in LISTED:
        with pytest.raises(DatasetError, match=r"(csv|jsonl):\d+: .*does not exist"):
            load(tree)
    elif layout in LABELLED_BY_MASK:
        with pytest.raises(DatasetError, match=r"has no mask .* nobody knows whether it is normal"):
            load(tree)
    else:
        own, _ = damaged(tree)
        assert read_picture(own).mask is None
        assert f"defect images without a mask: 1 ({own.id!r})" in load(tree).notes


@EVERY_TREE
def test_extra_mask(tree, layout):
    before = load(tree)
    write(tree.stray_mask, defect_mask())
    after = load(tree)
    assert [sample.id for sample in after.test] == [sample.id for sample in before.test]
    new = [note.partition(" (")[0] for note in after.notes if note not in before.notes]
    assert new == ([] if layout in LISTED else ["masks without an image: 1"])


@EVERY_TREE
def test_empty_folder(tree, layout):
    for file in tree.train_folder.iterdir():
        file.unlink()
    if layout == "kolektor":  # one item of several
        assert "folders without an image: 1 ('kos03')" in load(tree).notes
        return
    reason = r"(csv|jsonl):\d+: .*does not exist" if layout in LISTED else "does not exist|no image"
    reason = "train has no such masks" if layout == "kolektor2" else reason
    with pytest.raises(DatasetError, match=reason):
        load(tree)


@pytest.mark.parametrize("layout", ["mvtec", "mvtec_ad2", "mvtec_loco", "btad", "visa_pytorch"])
def test_empty_folder_of_one_type_of_defect(tree, layout):
    for file in tree.bad.parent.iterdir():
        file.unlink()
    notes = load(tree).notes
    name = f"{tree.bad.parent.parent.name}/{tree.bad.parent.name}"
    assert f"folders without an image: 1 ({name!r})" in notes


@EVERY_TREE
def test_zero_byte_file(tree):
    tree.bad.write_bytes(b"")
    assert "is empty (0 bytes)" in error_of_damaged(tree)


@EVERY_TREE
def test_truncated_png(tree):
    data = encoded(picture(7))
    tree.bad.write_bytes(data[: len(data) // 2])
    assert "is cut short: its end is missing" in error_of_damaged(tree)


@EVERY_TREE
def test_wrong_extension(tree):
    # What is in the file decides: BMP, under whatever name the layout asks for.
    tree.bad.write_bytes(encoded(picture(7), ".bmp"))
    own, _ = damaged(tree)
    np.testing.assert_array_equal(read_picture(own).image, rgb(picture(7)))


@EVERY_TREE
def test_sixteen_bit(tree):
    tree.bad.write_bytes(encoded(picture(7).astype(np.uint16) * 257))
    own, _ = damaged(tree)
    np.testing.assert_array_equal(read_picture(own).image, rgb(picture(7)))


@EVERY_TREE
def test_palette(tree):
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 4, (12, 16), np.uint8)
    colours = rng.integers(0, 256, (4, 3), np.uint8)
    tree.bad.write_bytes(palette_png(indices, colours))
    own, _ = damaged(tree)
    np.testing.assert_array_equal(read_picture(own).image, colours[indices])


@EVERY_TREE
def test_alpha(tree):
    tree.bad.write_bytes(encoded(np.dstack([picture(7), np.full_like(picture(8)[:, :, :1], 9)])))
    own, _ = damaged(tree)
    np.testing.assert_array_equal(read_picture(own).image, rgb(picture(7)))
    tree.bad.write_bytes(encoded(np.dstack([picture(7), picture(8)[:, :, :1]])))
    with pytest.raises(DatasetError, match="see-through in places"):
        read_picture(own)


@EVERY_TREE
def test_gray(tree):
    gray = picture(7)[:, :, 0]
    tree.bad.write_bytes(encoded(gray))
    own, others = damaged(tree)
    read = read_picture(own)
    np.testing.assert_array_equal(read.image, np.dstack([gray] * 3))
    assert read.gray
    assert not any(read_picture(sample).gray for sample in others)


@EVERY_TREE
@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((40_000, 40_000), "takes 4.47 GiB once decoded, more than image_budget allows"),
        ((4, 2_000_000), "is larger than OpenCV decodes"),
    ],
)
def test_huge_image(tree, size, reason):
    tree.bad.write_bytes(png(header(*size), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")))
    message = error_of_damaged(tree)
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize("layout", ["mvtec"])
def test_large_image_within_the_limits(tree):
    tree.bad.write_bytes(encoded(np.tile(picture(7), (1, 4000, 1))))
    tree.mask.write_bytes(encoded(np.tile(defect_mask(), (1, 4000))))
    own, _ = damaged(tree)
    assert read_picture(own, (12, 64)).image.shape == (12, 64, 3)


@EVERY_TREE
def test_unicode_and_space_in_names(tmp_path, layout):
    tree = TREES[layout](tmp_path / "Prüf stand 7")
    name = "Teil 1 größer 部品"
    image = tree.bad.rename(tree.bad.with_stem(name))
    if layout == "mvtec_loco":
        tree.mask.parent.rename(tree.mask.parent.with_name(name))
    else:
        tree.mask.rename(tree.mask.with_name(tree.mask.name.replace(tree.bad.stem, name)))
    if layout in LISTED:
        table = tree.root / ("split_csv/1cls.csv" if layout == "visa" else "parts.jsonl")
        text = table.read_text(encoding="utf-8")
        for folder in ("Anomaly", "pictures/c", "pictures/m"):
            text = text.replace(f"{folder}/000.png", f"{folder}/{name}.png")
        table.write_text(text, encoding="utf-8")
    (own,) = [sample for sample in load(tree).test if sample.image == image]
    assert name in own.id
    assert read_picture(own).mask.any()


@pytest.mark.parametrize("layout", LABELLED_BY_MASK)
@pytest.mark.parametrize("data", [b"", encoded(defect_mask())[:40]])
def test_a_mask_that_is_a_label_must_be_readable(tree, data):
    tree.mask.write_bytes(data)
    with pytest.raises(DatasetError, match="without it nobody knows whether its image is normal"):
        load(tree)

"""Broken files: one message that names all of them, wherever they are."""

from __future__ import annotations

import cv2
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import DatasetError
from tests.evaluation.evaluation_parts import CENTRE, Contrast, benchmark, blot, picture


@pytest.fixture
def folder(tmp_path):
    """An MVTec tree of small pictures."""

    def write(name, pixels):
        path = tmp_path / "part" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels)

    for i in range(12):
        write(f"train/good/{i:03d}.png", picture(i))
    for i in range(4):
        write(f"test/good/{i:03d}.png", picture(100 + i))
        image, mask = blot(picture(200 + i), CENTRE)
        write(f"test/blot/{i:03d}.png", image)
        write(f"ground_truth/blot/{i:03d}_mask.png", mask.astype("uint8") * 255)
    return tmp_path


def subject(folder, **more):
    parts = rb.load_split("mvtec", root=folder, category="part")
    return benchmark(parts, Contrast(), **more)


def spoil(folder, *names):
    """Make the first file a text, cut the second short, empty the third."""
    paths = [folder / "part" / name for name in names]
    paths[0].write_text("not an image", encoding="utf-8")
    data = paths[1].read_bytes()
    paths[1].write_bytes(data[: len(data) // 2])
    if len(paths) > 2:
        paths[2].write_bytes(b"")


def test_the_tree_works_before_it_is_broken(folder):
    assert subject(folder).evaluate(CLEAN).metrics["auroc"] == 1.0


def test_broken_test_images_and_masks_are_all_named_at_once(folder):
    spoil(folder, "test/good/001.png", "ground_truth/blot/002_mask.png", "test/blot/003.png")

    with pytest.raises(DatasetError) as raised:
        subject(folder).prepare()

    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert "'test/blot/002'" in lines[0]
    assert "002_mask.png is cut short" in lines[0]
    assert "'test/blot/003'" in lines[1]
    assert "003.png is empty (0 bytes)" in lines[1]
    assert "'test/good/001'" in lines[2]
    assert "no image in spite of its name" in lines[2]


def test_images_and_masks_beyond_the_budget_are_named_by_their_headers(folder):
    exact = {"image_budget": 24 * 32 * 3}
    assert subject(folder, evaluation=exact).evaluate(CLEAN).metrics["auroc"] == 1.0

    with pytest.raises(DatasetError) as raised:
        subject(folder, evaluation={"image_budget": 24 * 32 * 3 - 1}).prepare()

    lines = str(raised.value).splitlines()
    assert len(lines) == 8
    assert all("more than image_budget allows (2.25 KiB)" in line for line in lines)


@pytest.mark.parametrize("method", ["holdout", "crossfit"])
def test_broken_train_images_are_all_named_at_once(folder, method):
    spoil(folder, "train/good/001.png", "train/good/004.png", "train/good/009.png")

    with pytest.raises(DatasetError) as raised:
        subject(folder, calibration={"method": method}).prepare()

    lines = str(raised.value).splitlines()
    assert [line.split("'")[1] for line in lines] == [
        "train/good/001",
        "train/good/004",
        "train/good/009",
    ]
    assert "004.png is cut short" in lines[1]


def test_broken_train_and_calibration_images_are_named_together(folder):
    own = folder / "part" / "validation" / "good"
    own.mkdir(parents=True)
    for i in range(3):
        cv2.imwrite(str(own / f"{i:03d}.png"), picture(300 + i))
    spoil(folder, "validation/good/001.png", "train/good/004.png")

    with pytest.raises(DatasetError) as raised:
        subject(folder).prepare()

    assert [line.split("'")[1] for line in str(raised.value).splitlines()] == [
        "train/good/004",
        "validation/good/001",
    ]


def test_a_long_list_is_cut_and_counted(folder):
    for i in range(12):
        (folder / "part" / f"train/good/{i:03d}.png").write_bytes(b"")

    with pytest.raises(DatasetError) as raised:
        subject(folder).prepare()

    lines = str(raised.value).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "(and 2 more)"


def test_a_function_that_should_return_pixels_is_named_too():
    def camera():
        raise OSError("not plugged in")

    samples = (rb.Sample("a", 0, picture(1)), rb.Sample("b", 0, camera))
    parts = rb.Split("memory", "part", samples, samples)

    with pytest.raises(DatasetError, match=r"sample 'b': .*not plugged in"):
        benchmark(parts).prepare()

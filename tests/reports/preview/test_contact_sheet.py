"""What a contact sheet shows: pictures as they are, what is drawn on them, and letters."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.registry import load_corruption
from pytest_robustbench.reports.pages.drawing import TRUTH
from pytest_robustbench.reports.preview.contact_sheet import CELL, GAP, MARGIN, contact_sheet
from pytest_robustbench.reports.preview.effects import effects, mean_change
from pytest_robustbench.reports.preview.lettering import BODY, HEADING, written
from pytest_robustbench.reports.preview.tiles import Block, Row, Sheet, Tile, drawn, hatched

GRAY = np.full((60, 80, 3), 90, np.uint8)


def picture(height=60, width=80, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def sheet(*tiles, title="bottle", remark=""):
    row = Row("blur", remark, tiles)
    return Sheet(title, "1 image", ("how to read it",), (Block("test/a", "normal", (row,)),))


def places(sheet_image, wanted):
    """Where `wanted` stands in the sheet, pixel for pixel."""
    height, width = wanted.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(sheet_image, (height, width, 3))[:, :, 0]
    corner = (windows[:, :, 0, :3] == wanted[0, :3]).all(axis=(2, 3))
    return [
        (int(y), int(x)) for y, x in np.argwhere(corner) if np.array_equal(windows[y, x], wanted)
    ]


def test_pictures_stand_side_by_side_as_they_are():
    first, second = picture(220, 220, seed=1), picture(220, 220, seed=2)
    made = contact_sheet(sheet(Tile("clean", (), first), Tile("severity 1", ("x",), second)))

    (one,) = places(made, first)
    (other,) = places(made, second)
    assert one[0] == other[0]
    assert one[1] == MARGIN + 1
    assert other[1] - one[1] == CELL + GAP


def test_a_sheet_of_six_columns_fits_and_is_white_around():
    tiles = [Tile(str(n), ("mean change 10.2, brighter",), picture(500, 400)) for n in range(6)]
    made = contact_sheet(sheet(*tiles))

    assert made.dtype == np.uint8
    assert made.shape[1] <= 1600
    for edge in (made[:MARGIN], made[-MARGIN:], made[:, :MARGIN], made[:, -MARGIN:]):
        assert (edge == 255).all()


def test_a_remark_and_every_label_take_room():
    bare = contact_sheet(sheet(Tile("clean", (), GRAY)))
    more = contact_sheet(sheet(Tile("clean", ("one", "two"), GRAY), remark="left out"))

    assert more.shape[0] == bare.shape[0] + 3 * BODY.leading


def test_the_proportions_of_a_picture_are_kept():
    lying, upright = (
        drawn(Tile("", (), image), 220) for image in (picture(300, 900), picture(1250, 500))
    )

    assert lying.shape == (73, 220, 3)
    assert upright.shape == (348, 139, 3)


def test_a_reduced_picture_is_a_mean_of_areas():
    image = np.zeros((440, 440, 3), np.uint8)
    image[::2] = 200

    assert (drawn(Tile("", (), image), 220) == 100).all()


def test_a_tiny_picture_is_enlarged_pixel_by_pixel():
    tiny = picture(40, 50)

    assert np.array_equal(drawn(Tile("", (), tiny), 220)[::4, ::4], tiny)


def test_an_outline_runs_around_the_defect_and_leaves_it_visible():
    mask = np.zeros((220, 220), bool)
    mask[100:104, 50:150] = True
    image = np.full((220, 220, 3), 90, np.uint8)
    shown = drawn(Tile("", (), image, mask), 220)

    blue = (shown == TRUTH).all(axis=2)
    assert blue.any()
    assert not blue[mask].any()
    assert (shown[~blue] == 90).all()
    assert blue[96:108, 46:154].sum() == blue.sum()


def test_what_is_ignored_is_hatched_and_nothing_else_changes():
    where = np.zeros((60, 80), bool)
    where[:20] = True
    image = picture()
    shown = hatched(image, where)

    assert np.array_equal(shown[20:], image[20:])
    assert shown[:20].min() == 120
    stripes = (shown[:20] == 120).all(axis=2).mean()
    assert 0.2 < stripes < 0.3
    assert np.array_equal(drawn(Tile("", (), image, ignored=where), 80), shown)


def test_letters_are_dark_on_white_and_fit():
    text = written("severity 3", BODY, 220)

    assert text.shape == (BODY.leading, 220, 3)
    assert text.min() < 160
    assert (text[:, -40:] == 255).all()


def test_long_text_is_broken_and_none_of_it_lost():
    words = " ".join(f"word{n}" for n in range(40))
    one, several = written(words, BODY, 6000), written(words, BODY, 300)

    assert several.shape[0] % BODY.leading == 0
    assert several.shape[0] > 5 * BODY.leading
    inked = [(part < 200).sum() for part in (one, several)]
    assert inked[1] == pytest.approx(inked[0], rel=0.05)
    assert (several[:, -1] == 255).all()


def test_an_endless_name_is_broken_too():
    assert written("x" * 500, HEADING, 300).shape[0] > 5 * HEADING.leading


def test_what_is_not_ascii_becomes_a_question_mark():
    assert np.array_equal(written("Nüsse/箱", BODY, 200), written("N?sse/?", BODY, 200))


def test_the_mean_change_leaves_ignored_pixels_out():
    image, ignored = GRAY.copy(), np.zeros((60, 80), bool)
    image[:30] += 20
    image[30:] -= 10
    ignored[30:] = True

    assert mean_change(GRAY, Corrupted(image, None)) == (15.0, 5.0)
    assert mean_change(GRAY, Corrupted(image, None, ignored)) == (20.0, 20.0)
    assert mean_change(GRAY, Corrupted(image, None, np.ones_like(ignored))) == (0.0, 0.0)


def told(reference, severity=5, image=GRAY):
    corruption = load_corruption(reference)
    corrupted = corruption.apply(image, None, severity, seed=0, sample_id="a")
    return effects(corruption.level_at(severity), image, corrupted)


@pytest.mark.parametrize(
    ("reference", "severity", "expected"),
    [
        ("jpeg", 2, "quality 80"),
        ({"jpeg": {"quality": 10}, "name": "weak_link"}, None, "quality 10"),
        ("blur", 3, "sigma 1 px at 256"),
        ("motion_blur", 2.5, "2.83 px at 256"),
        ({"compose": ["jpeg", "defocus"]}, 1, "radius 0.5 px at 256, quality 90"),
        ("lighting", 1, "±0.125 EV"),
        ({"exposure": {"ev": -0.3}}, None, "-0.3 EV"),
        ("vignette", 4, "corner loses 50 %"),
        ({"geo_jitter": {"rotation_deg": 5}}, None, "up to 5°"),
    ],
)
def test_a_corruption_tells_what_its_severity_means(reference, severity, expected):
    level, change, *_ = told(reference, severity)

    assert level == expected
    assert change.startswith("mean change ")


def test_light_is_told_in_words():
    assert told({"lighting": {"direction": "darker"}})[-1].endswith(", darker")
    assert told("glare")[-1].endswith(", brighter")


def test_what_comes_from_outside_is_told():
    _, change, ignored = told({"geo_jitter": {"rotation_deg": 10}}, None, picture(200, 200))

    assert change.startswith("mean change ")
    assert ignored.endswith(" % ignored")


def test_a_function_of_ones_own_tells_its_change_alone():
    def own(image, mask, severity, rng):
        return image + 7, mask

    corruption = Corruption("own", own)
    corrupted = corruption.apply(GRAY, None, 1, seed=0, sample_id="a")

    notes = effects(corruption.level_at(1), GRAY, corrupted)
    assert notes == ("mean change 7.0, brighter",)

"""A known drift is read back from other parts, and none is seen where none is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_robustbench.drift.measuring import FEWEST, MOST, Frames, frames_in, measured
from pytest_robustbench.errors import DatasetError
from tests.drift.drift_pictures import drift_of, frames, parts, photographed, told


@pytest.mark.parametrize("planes", [1, 3])
def test_other_parts_are_no_drift(planes):
    drift = drift_of(planes=planes)

    assert told(drift) == set()
    assert not any(one.unexplained for one in drift.remainders)
    assert ("white_balance" in drift.estimates) == (planes == 3)
    assert all(one.floor > 0 for one in drift.estimates.values())


@pytest.mark.parametrize(
    ("drifted", "name", "true", "within"),
    [
        ({"ev": -0.31}, "exposure", -0.31, 0.06),
        ({"veil": 0.2}, "veil", 0.2, 0.05),
        ({"sigma": 1.0, "shot": 0.2}, "blur", 1.0, 0.15),
        ({"shot": np.sqrt(1 + 36)}, "noise", 36, 4),
        ({"corner": 0.3}, "vignette", np.log2(0.7), 0.12),
        ({"across": 0.4}, "gradient_x", 0.4, 0.08),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_single_drift_is_read_back_and_nothing_else(drifted, name, true, within):
    drift = drift_of(**drifted)

    assert told(drift) == {name}
    assert drift.estimates[name].value == pytest.approx(true, abs=within)
    assert getattr(drift.change, name) == pytest.approx(true, abs=within)
    assert not any(one.unexplained for one in drift.remainders)


def test_several_at_once_are_told_apart():
    drift = drift_of(ev=0.4, sigma=0.9, shot=np.sqrt(1 + 64), n=14)

    assert told(drift) == {"exposure", "blur", "noise"}
    assert drift.estimates["exposure"].value == pytest.approx(0.4, abs=0.08)
    assert np.sqrt(drift.estimates["blur"].value) == pytest.approx(0.9, rel=0.1)
    assert np.sqrt(drift.estimates["noise"].value) == pytest.approx(8, rel=0.1)


def test_the_noise_of_a_camera_is_not_blurred_and_has_to_be_added_to_what_is():
    drift = drift_of(sigma=1.2, shot=1.0)

    assert told(drift) == {"blur", "noise"}
    assert drift.estimates["noise"].value == pytest.approx(1, abs=0.4)
    assert drift.estimates["noise"].value < drift.blurred_away


def test_sharper_and_quieter_pictures_have_negative_blur_and_noise():
    before = [photographed(one, i, sigma=0.8, shot=5) for i, one in enumerate(parts(12, 0))]
    after = [photographed(one, i) for i, one in enumerate(parts(12, 1))]
    drift = measured(frames(before), frames(after), "linear")

    assert told(drift) == {"blur", "noise"}
    assert drift.estimates["blur"].value == pytest.approx(-0.64, abs=0.1)
    assert drift.estimates["noise"].value == pytest.approx(-24, abs=3)


def test_stripes_are_not_of_the_family_and_said_to_be_left():
    left = [one for one in drift_of(stripes=0.1).remainders if one.unexplained]

    assert [one.kind for one in left] == ["stripes"]
    assert left[0].where.startswith("horizontal stripes")


def test_more_pictures_have_a_lower_floor():
    few, many = (drift_of(n=n).estimates["exposure"].floor for n in (10, 30))
    assert many < few


def test_a_steady_scene_is_seen_to_move():
    light = parts(1, 0)[0]
    scene = [light * factor for factor in np.linspace(0.95, 1.05, 12)]
    before = [photographed(one, i) for i, one in enumerate(scene)]
    moved = [np.roll(photographed(one, 50 + i), (2, -3), (0, 1)) for i, one in enumerate(scene)]
    drift = measured(frames(before), frames(moved), "linear")

    assert drift.estimates["shift_x"].value == pytest.approx(-3, abs=0.2)
    assert drift.estimates["shift_y"].value == pytest.approx(2, abs=0.2)
    assert {"shift_x", "shift_y"} <= told(drift)


def test_parts_that_differ_have_no_shift():
    assert not {"shift_x", "shift_y"} & set(drift_of().estimates)


def test_few_pictures_are_refused_and_many_are_thinned_out():
    with pytest.raises(DatasetError, match=f"{FEWEST - 1} pictures .* too few"):
        frames([np.zeros((64, 64), np.uint8)] * (FEWEST - 1))
    many = frames([np.zeros((64, 64), np.uint8)] * 200)

    assert (len(many.samples), many.found) == (MOST, 200)
    assert [many.samples[0].id, many.samples[-1].id] == ["part/0", "part/199"]


def test_gray_against_colour_is_refused():
    gray, colour = (
        frames([photographed(one, i) for i, one in enumerate(parts(10, 0, planes))])
        for planes in (1, 3)
    )
    with pytest.raises(DatasetError, match="the pictures after are gray"):
        measured(colour, gray, "linear")


def test_tiny_pictures_are_refused():
    tiny = frames([np.full((20, 200), i, np.uint8) for i in range(10)])
    with pytest.raises(DatasetError, match="smaller than 64 pixels"):
        measured(tiny, tiny, "linear")


def test_files_tell_their_quality_and_what_it_takes_is_no_blur(tmp_path):
    sides = {}
    for side, quality, seed in (("before", 95, 0), ("after", 40, 1)):
        (tmp_path / side).mkdir()
        for i, one in enumerate(parts(12, seed)):
            data = cv2.imencode(".jpg", photographed(one, i), [cv2.IMWRITE_JPEG_QUALITY, quality])
            (tmp_path / side / f"{i}.jpg").write_bytes(data[1])
        sides[side] = frames_in(tmp_path / side, side)
    drift = measured(sides["before"], sides["after"], "linear")

    assert (drift.before.quality, drift.after.quality) == (95, 40)
    assert told(drift) == set()
    assert drift.told


def test_blank_pictures_have_no_drift():
    blank = [np.full((64, 64), 90, np.uint8)] * 10
    drift = measured(frames(blank), frames(blank), "linear")

    assert not drift.told


def test_real_parts_that_got_darker_are_found_darker(test_data):
    folder = test_data / "mvtec_layout" / "hazelnut_toy" / "train" / "good"
    samples = Frames.of(frames_in(folder, "good").samples).samples
    before, after = samples[0::2], samples[1::2]
    same = measured(Frames.of(before), Frames.of(after), "srgb")

    assert told(same) == set()

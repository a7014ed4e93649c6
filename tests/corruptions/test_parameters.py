from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.corruptions.registry import corrupt, load_corruption
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import ALL, SEVERITIES, block_mask, picture

RELEASED = {
    "lighting": {
        "brightness": 38.0,
        "contrast": 0.25,
        "gamma": 0.25,
        "gain": 0.12,
        "mean_shift": [28.0, 40.0],
    },
    "jpeg": {"quality": [90, 70, 50, 30, 15]},
    "blur": {"sigma_at_256": [0.5, 1.0, 1.5, 2.0, 3.0]},
    "glare": {
        "blobs": 5,
        "radius": [0.06, 0.12],
        "aspect": [0.45, 0.95],
        "peak": [0.9, 1.6],
        "halo": 0.15,
    },
    "geo_jitter": {"angle": 5.0, "shift": 0.05, "scale": 0.1},
    "noise": {"shot": 18.0, "read": 6.0},
    "motion_blur": {"length_at_256": [3.0, 5.0, 7.0, 10.0, 14.0]},
    "defocus": {"radius_at_256": [1.0, 1.5, 2.25, 3.0, 4.0]},
    "vignette": {"depth": 0.6, "offset": 0.15},
    "dust": {"spots": 10, "radius": [0.02, 0.06], "opacity": [0.25, 0.55], "softness": 1.0},
    "banding": {"amplitude": 0.15, "periods": [4.0, 12.0], "orientation": "any"},
}
each = pytest.mark.parametrize("corruption", ALL, ids=lambda corruption: corruption.name)


def picture_of(corruption):
    return picture_digest(corruption.apply(picture(4), block_mask(), 4, seed=0, sample_id="a"))


@each
def test_what_a_released_version_specifies_stays(corruption):
    """Else reports would no longer be comparable."""
    assert corruption.specification(0)["parameters"] == RELEASED[corruption.name]


@each
def test_parameters_at_their_defaults_change_nothing(corruption):
    written = load_corruption({corruption.name: RELEASED[corruption.name]})
    assert written.specification(1) == corruption.specification(1)
    assert picture_of(written) == picture_of(corruption)
    assert load_corruption({corruption.name: None}) is corruption


def documented():
    """Yield corruption, parameter and what is allowed, of every row of the table in the docs."""
    page = Path(__file__).parents[2] / "docs" / "corruptions.md"
    section = page.read_text(encoding="utf-8").partition("\n## Parameters\n")[2]
    name = ""
    for row in re.findall(r"^\| (.*) \|$", section.partition("\n## ")[0], re.MULTILINE)[1:]:
        cells = [cell.strip() for cell in row.split("|")]
        name = cells[0].strip("`") or name
        yield name, cells[1].strip("`"), cells[3]


DOCUMENTED = [row for row in documented() if row[1].isidentifier()]


def test_every_parameter_is_documented():
    recorded = {(name, parameter) for name, known in RELEASED.items() for parameter in known}
    assert {row[:2] for row in DOCUMENTED} == recorded | {("lighting", "direction")}


@pytest.mark.parametrize(("name", "parameter", "allowed"), DOCUMENTED)
def test_what_is_allowed_is_what_the_docs_say(name, parameter, allowed):
    with pytest.raises(CorruptionError) as refused:
        load_corruption({name: {parameter: None}})
    words = re.findall(r"[a-z]{3,}", allowed)
    numbers = re.match(r"[0-9.]+ to [0-9.]+", allowed)
    assert f"from {numbers[0]}" in str(refused.value) if numbers else len(words) >= 3
    assert all(word in str(refused.value) for word in words)


OTHERS = {
    "lighting": {"direction": "darker", "brightness": 60},
    "jpeg": {"quality": [95, 60, 40, 20, 5]},
    "blur": {"sigma_at_256": [1, 2, 3, 4, 5]},
    "glare": {"blobs": 3, "peak": [0.4, 0.5], "halo": 0},
    "geo_jitter": {"angle": 0, "scale": 0},
    "noise": {"shot": 5, "read": 0},
    "motion_blur": {"length_at_256": [2, 4, 6, 8, 20]},
    "defocus": {"radius_at_256": [1, 2, 3, 4, 5]},
    "vignette": {"depth": 0.3},
    "dust": {"spots": 4, "softness": 0.3},
    "banding": {"orientation": "rows", "amplitude": 0.3},
}


@each
def test_other_parameters_change_pixels_and_specification(corruption):
    other = load_corruption({corruption.name: OTHERS[corruption.name]})
    assert picture_of(other) != picture_of(corruption)
    assert other.specification(0) != corruption.specification(0)
    recorded = other.specification(0)["parameters"]
    assert OTHERS[corruption.name].items() <= recorded.items()


@pytest.mark.parametrize(
    ("name", "parameters", "complaint"),
    [
        ("lighting", {"brightnes": 3}, "no parameter 'brightnes'; did you mean 'brightness'"),
        ("lighting", {"zzz": 3}, r"'zzz' \(parameters: brightness, contrast, gamma, gain"),
        ("lighting", {"brightness": 500}, "brightness must be a number from 1 to 60, not 500"),
        ("lighting", {"brightness": True}, "brightness must be a number"),
        ("lighting", {"brightness": float("nan")}, "brightness must be a number"),
        ("lighting", {"brightness": "dark"}, "not 'dark'"),
        ("lighting", {"direction": "left"}, "direction must be one of any, darker, brighter"),
        ("lighting", {"mean_shift": [40, 20]}, "the smaller one first"),
        ("lighting", {"mean_shift": 40}, "mean_shift must be two numbers from 1 to 64"),
        ("lighting", {"mean_shift": None}, "not None"),
        ("jpeg", {"quality": [90, 70, 70, 30, 15]}, "quality must be a list of five falling"),
        ("jpeg", {"quality": [90, 70, 50, 30]}, "one per severity"),
        ("jpeg", {"quality": [90, 70, 50, 30, 0]}, "a whole number from 1 to 100"),
        ("jpeg", {"quality": [90.5, 70, 50, 30, 15]}, "not \\[90.5"),
        ("blur", {"sigma_at_256": [3, 2, 1.5, 1, 0.5]}, "five rising values"),
        ("blur", {"sigma_at_256": "12345"}, "must be a list"),
        ("glare", {"blobs": 2.5}, "blobs must be a whole number from 1 to 30"),
        ("glare", {"blobs": 0}, "not 0"),
        ("geo_jitter", {"angle": 0, "shift": 0, "scale": 0}, "nothing would move"),
        ("noise", {"shot": 0, "read": 0}, "no noise"),
        ("banding", {"orientation": 3}, "one of any, rows, columns, not 3"),
    ],
)
def test_parameters_that_cannot_be_are_explained(name, parameters, complaint):
    with pytest.raises(CorruptionError, match=complaint) as caught:
        load_corruption({name: parameters})
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(("direction", "sign"), [("darker", -1), ("brighter", 1)])
def test_light_goes_in_the_direction_it_is_given(direction, sign):
    image = np.full((20, 20, 3), 128, np.uint8)
    for sample in map(str, range(20)):
        reference = {"lighting": {"direction": direction, "contrast": 0}}
        result = corrupt(image, None, reference, severity=5, sample_id=sample).image
        assert sign * (result.astype(int) - 128).mean() > 10


@pytest.mark.parametrize(("brightness", "low", "high"), [(19, 14, 20), (57, 42, 60)])
def test_the_shift_of_light_is_in_proportion_to_its_brightness(brightness, low, high):
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for sample in map(str, range(20)):
        reference = {"lighting": {"brightness": brightness}}
        result = corrupt(levels, None, reference, severity=5, sample_id=sample).image
        assert low - 0.5 <= np.abs(result.astype(int) - levels).mean() <= high + 0.5


@pytest.mark.parametrize("blobs", [1, 3, 12])
def test_any_number_of_blobs_only_ever_brightens(blobs):
    before = image = picture(2, 90, 90)
    for severity in SEVERITIES:
        after = corrupt(image, None, {"glare": {"blobs": blobs}}, severity=severity).image
        assert (after >= before).all()
        before = after
    assert (before > image).any()


def test_what_leaves_the_frame_depends_on_the_shift():
    mask = np.zeros((100, 100), bool)
    mask[:6] = True
    samples = [str(index) for index in range(40)]
    far, near = (
        load_corruption({"geo_jitter": {"shift": shift, "angle": 0, "scale": 0}})
        for shift in (0.4, 0.01)
    )
    assert any(far.leaves_out(mask, seed=0, sample_id=sample) for sample in samples)
    assert not any(near.leaves_out(mask, seed=0, sample_id=sample) for sample in samples)


def rain(image, mask, severity, rng, amount=1, *, colour=(0, 0, 0)):
    return np.minimum(image, np.uint8(255 - amount * severity)), mask


def anything(image, mask, severity, rng, **options):
    return np.full_like(image, options["level"]), mask


def test_parameters_of_a_function_are_its_keyword_arguments():
    heavy = Corruption("rain", rain, parameters={"kind": "rain"}).configured({"amount": 20})
    assert heavy.specification(0)["parameters"] == {"kind": "rain", "amount": 20}
    assert heavy.apply(picture(0), None, 5, seed=0, sample_id="a").image.max() == 155
    free = Corruption("anything", anything).configured({"level": 7})
    assert (free.apply(picture(0), None, 5, seed=0, sample_id="a").image == 7).all()


def test_unknown_arguments_of_a_function_are_refused_when_loading():
    corruption = Corruption("rain", rain)
    complaint = r"'rain' has no parameter 'amont'; did you mean 'amount'\? \(parameters: amount, c"
    with pytest.raises(CorruptionError, match=complaint):
        corruption.configured({"amont": 3})
    with pytest.raises(CorruptionError, match="no parameter 'severity'"):
        corruption.configured({"severity": 3})
    with pytest.raises(CorruptionError, match="plain JSON"):
        corruption.configured({"amount": {1, 2}})


@pytest.mark.parametrize("name", ["dusk", "lighting"])
def test_parameters_may_be_set_one_after_the_other(name):
    step = load_corruption("lighting").renamed(name).configured({"direction": "darker"})
    both = step.configured({"brightness": 60})
    once = load_corruption({"lighting": {"direction": "darker", "brightness": 60}})
    assert both.name == name
    assert both.specification(0) == once.specification(0)
    assert picture_of(both) == picture_of(once)


def test_renaming_keeps_pixels_and_specification():
    lighting = load_corruption("lighting")
    dim = load_corruption({"lighting": {}, "name": "dim"})
    assert dim.name == "dim"
    assert dim.specification(3) == lighting.specification(3)
    assert picture_of(dim) == picture_of(lighting)
    assert picture_of(dim.renamed("dusk")) == picture_of(lighting)
    moved = load_corruption({"geo_jitter": {}, "name": "loose"})
    mask = np.zeros((100, 100), bool)
    mask[:4, :4] = True
    for sample in map(str, range(30)):
        expected = load_corruption("geo_jitter").leaves_out(mask, seed=0, sample_id=sample)
        assert moved.leaves_out(mask, seed=0, sample_id=sample) == expected

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pytest_robustbench.corruptions.catalogue import QUANTITIES
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.corruptions.registry import corrupt, load_corruption
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import ALL, SEVERITIES, block_mask, picture

RELEASED = {
    "lighting": {
        "ev": 0.5,
        "veil_percent": 5.0,
        "tone": 0.05,
        "mired": 12.0,
        "direction": "any",
        "response": "srgb",
    },
    "jpeg": {"quality": 60},
    "blur": {"sigma_px": 1.0, "response": "srgb"},
    "glare": {
        "percent": 10.0,
        "blobs": 5,
        "radius": [0.06, 0.12],
        "aspect": [0.45, 0.95],
        "peak": [0.6, 1.0],
        "halo": 0.15,
        "response": "srgb",
    },
    "geo_jitter": {"rotation_deg": 3.0, "shift_percent": 2.0, "scale_percent": 3.0},
    "exposure": {"ev": 0.5, "direction": "any", "response": "srgb"},
    "gradient": {"ev": 0.5, "angle": "any", "response": "srgb"},
    "vignette": {"corner_ev": 0.5, "offset": 0.15, "response": "srgb"},
    "white_balance": {"mired": 25.0, "direction": "any", "response": "srgb"},
    "veil": {"percent": 10.0, "response": "srgb"},
    "banding": {
        "percent": 4.0,
        "periods": [4.0, 12.0],
        "orientation": "any",
        "response": "srgb",
    },
    "dust": {
        "percent": 10.0,
        "spots": 10,
        "radius": [0.02, 0.06],
        "softness": 1.0,
        "response": "srgb",
    },
    "defocus": {"radius_px": 2.0, "response": "srgb"},
    "motion_blur": {"length_px": 4.0, "response": "srgb"},
    "noise": {"levels": 8.0, "read": 0.3, "response": "srgb"},
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
    graded = {one.name for one in QUANTITIES[corruption.name]}
    defaults = RELEASED[corruption.name].items()
    ladder = {name: value for name, value in defaults if name in graded}
    rest = {name: value for name, value in defaults if name not in graded}
    written = load_corruption({corruption.name: {**rest, "severity_3": ladder}})
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
    of_data = {(name, "response") for name in RELEASED}
    assert {row[:2] for row in DOCUMENTED} == recorded - of_data


def test_what_is_graded_is_what_the_catalogue_says():
    graded = {
        name: [(one.name, one.middle) for one in quantities]
        for name, quantities in QUANTITIES.items()
    }
    found = {
        one.name: [
            (each.name, each.default) for each in fields(one.function) if "graded" in each.metadata
        ]
        for one in ALL
    }
    assert graded == found


@pytest.mark.parametrize(("name", "parameter", "allowed"), DOCUMENTED)
def test_what_is_allowed_is_what_the_docs_say(name, parameter, allowed):
    with pytest.raises(CorruptionError) as refused:
        load_corruption({name: {parameter: None}})
    words = re.findall(r"[a-z]{3,}", allowed)
    numbers = re.match(r"[0-9.]+ to [0-9.]+", allowed)
    assert f"from {numbers[0]}" in str(refused.value) if numbers else len(words) >= 3
    assert all(word in str(refused.value) for word in words)


OTHERS = {
    "lighting": {"direction": "darker", "tone": 0.2},
    "jpeg": {"severity_3": {"quality": 80}},
    "blur": {"severity_3": {"sigma_px": 2}},
    "glare": {"blobs": 3, "peak": [0.4, 0.5], "halo": 0},
    "geo_jitter": {"severity_3": {"rotation_deg": 0, "scale_percent": 0}},
    "exposure": {"direction": "darker", "severity_3": {"ev": 0.7}},
    "gradient": {"severity_3": {"ev": 1}},
    "vignette": {"offset": 0.3},
    "white_balance": {"severity_3": {"mired": 50}},
    "veil": {"severity_3": {"percent": 5}},
    "banding": {"orientation": "rows", "severity_3": {"percent": 2}},
    "dust": {"spots": 4, "softness": 0.3},
    "defocus": {"severity_3": {"radius_px": 3}},
    "motion_blur": {"severity_3": {"length_px": 6}},
    "noise": {"read": 0},
}


@each
def test_other_parameters_change_pixels_and_specification(corruption):
    other = load_corruption({corruption.name: OTHERS[corruption.name]})
    assert picture_of(other) != picture_of(corruption)
    assert other.specification(0) != corruption.specification(0)
    recorded = other.specification(0)["parameters"]
    given = dict(OTHERS[corruption.name])
    assert {**given.pop("severity_3", {}), **given}.items() <= recorded.items()


@pytest.mark.parametrize(
    ("name", "parameters", "complaint"),
    [
        ("lighting", {"tonne": 3}, "no parameter 'tonne'; did you mean 'tone'"),
        ("lighting", {"zzz": 3}, r"'zzz' \(parameters: ev, veil_percent, tone, mired"),
        ("lighting", {"tone": 5}, "tone must be a number from 0 to 0.5, not 5"),
        ("lighting", {"tone": True}, "tone must be a number"),
        ("lighting", {"tone": float("nan")}, "tone must be a number"),
        ("lighting", {"tone": "dark"}, "not 'dark'"),
        ("lighting", {"direction": "left"}, "direction must be one of any, darker, brighter"),
        ("glare", {"radius": [0.4, 0.2]}, "the smaller one first"),
        ("glare", {"radius": 0.2}, "radius must be two numbers from 0.01 to 0.5"),
        ("glare", {"radius": None}, "not None"),
        ("jpeg", {"quality": 0}, "quality must be a whole number from 1 to 99, not 0"),
        ("jpeg", {"quality": 90.5}, "not 90.5"),
        ("blur", {"sigma_px": 1, "severity_3": {"sigma_px": 2}}, "name one of them"),
        ("blur", {"severity_3": 2}, "severity_3 must be a mapping, not 2"),
        ("blur", {"severity_3": {"sigma": 2}}, "no parameter 'sigma'; did you mean 'sigma_px'"),
        ("exposure", {"ev": 0}, "ev must be a number from 0.01 to 8, not 0"),
        ("exposure", {"ev": "dark"}, "not 'dark'"),
        ("exposure", {"severity_3": {"ev": -1}}, "from 0.01 to 8, not -1"),
        ("exposure", {"ev": -0.3, "direction": "darker"}, "the sign of ev says the direction"),
        ("lighting", {"ev": 1, "direction": "any"}, "the sign of ev says the direction"),
        ("white_balance", {"mired": 0}, "from 0.5 to 400, not 0"),
        ("glare", {"blobs": 2.5}, "blobs must be a whole number from 1 to 30"),
        ("glare", {"blobs": 0}, "not 0"),
        ("geo_jitter", {"rotation_deg": 0}, "all that could move it is 0"),
        ("noise", {"response": "gamma"}, "response must be one of srgb, linear"),
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
        reference = {"lighting": {"direction": direction}}
        result = corrupt(image, None, reference, severity=5, sample_id=sample).image
        assert sign * (result.astype(int) - 128).mean() > 10


@pytest.mark.parametrize(
    ("reference", "severity"),
    [
        ({"exposure": {"ev": -0.5}}, ("exposure", {"direction": "darker"}, 3)),
        ({"exposure": {"ev": 2}}, ("exposure", {"direction": "brighter"}, 5)),
        ({"white_balance": {"mired": -50}}, ("white_balance", {"direction": "cooler"}, 4)),
        ({"blur": {"sigma_px": 0.25}}, ("blur", {}, 1)),
        ({"jpeg": {"quality": 31}}, ("jpeg", {}, 4)),
        ({"noise": {"levels": 16}}, ("noise", {}, 4)),
    ],
)
def test_a_level_given_by_value_is_that_of_the_severity_that_has_it(reference, severity):
    name, parameters, level = severity
    image = picture(7, 90, 110)
    by_value = corrupt(image, None, reference, sample_id="a")
    graded = corrupt(image, None, {name: parameters}, severity=level, sample_id="a")
    assert np.array_equal(by_value.image, graded.image)


def test_what_is_given_by_value_has_no_severity():
    with pytest.raises(CorruptionError, match="given by value and has no severity"):
        corrupt(picture(0), None, {"blur": {"sigma_px": 1}}, severity=3)
    with pytest.raises(CorruptionError, match="severity must be a number above 0"):
        corrupt(picture(0), None, "blur")


@each
def test_a_step_of_severity_doubles_the_level(corruption):
    """In words, so that a reader of the report can rely on it."""
    if corruption.name in ("jpeg", "vignette"):  # whose levels are told in other terms
        return
    levels = [numbers(corruption.level_at(severity)) for severity in (2, 3, 4)]
    for before, level, after in zip(*levels, strict=True):
        assert level == pytest.approx(2 * before, rel=0.02)
        assert after == pytest.approx(2 * level, rel=0.02)


def numbers(level):
    """The numbers of a level, but for electrons, whose number falls, and the 256 of the unit."""
    told = re.sub(r"\(.*\)|px at 256", "", level)
    return [float(number) for number in re.findall(r"[0-9.]+(?:e[+-]?[0-9]+)?", told)]


@each
def test_severities_between_the_steps_lie_between_them(corruption):
    image = picture(5, 90, 80)
    changes = [
        np.abs(corruption.apply(image, None, s, seed=0, sample_id="a").image.astype(int) - image)
        for s in (3, 3.5, 4)
    ]
    assert changes[0].mean() < changes[1].mean() < changes[2].mean()


def test_the_response_of_the_camera_decides_what_light_is():
    image = np.full((8, 8, 3), 100, np.uint8)
    seen = {
        response: corrupt(image, None, {"exposure": {"ev": 1, "response": response}}).image.max()
        for response in ("srgb", "linear")
    }
    assert seen == {"srgb": 138, "linear": 200}
    linear = load_corruption({"compose": ["exposure", "blur"]}).seen_by("linear")
    parts = linear.specification(0)["parameters"]["parts"]
    assert [part["parameters"]["response"] for part in parts] == ["linear", "linear"]


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
    far, near = (load_corruption({"geo_jitter": {"shift_percent": shift}}) for shift in (40, 1))
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
    both = step.configured({"tone": 0.1})
    once = load_corruption({"lighting": {"direction": "darker", "tone": 0.1}})
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

"""Light that a field over the picture, or a table, takes or adds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from pytest_robustbench.corruptions.registry import load_corruption
from tests.corruptions.corruption_pictures import SEVERITIES, picture, pictures, samples, seeds

DARKENING = ("vignette", "dust")
WHITE = np.full((256, 320, 3), 250, np.uint8)


def corrupted(reference, image, severity, seed=0, sample="a"):
    corruption = load_corruption(reference)
    return corruption.apply(image, None, severity, seed=seed, sample_id=sample).image


@pytest.mark.parametrize("name", DARKENING)
@settings(deadline=None, max_examples=30)
@given(image=pictures, seed=seeds, sample=samples)
def test_no_pixel_gets_brighter_from_one_severity_to_the_next(name, image, seed, sample):
    steps = [image, *(corrupted(name, image, s, seed, sample) for s in SEVERITIES)]
    assert all((after <= before).all() for before, after in pairwise(steps))


@pytest.mark.parametrize("name", DARKENING)
@pytest.mark.parametrize("gray", [False, True])
def test_large_pictures_only_get_darker_too(name, gray):
    image = picture(5, 600, 430, gray)
    steps = [image, *(corrupted(name, image, severity) for severity in SEVERITIES)]
    assert all((after <= before).all() for before, after in pairwise(steps))


def kept(reference, severity, sample="a"):
    """What is left of the light of a linear camera, 0 to 1."""
    ((name, parameters),) = reference.items() if isinstance(reference, dict) else [(reference, {})]
    linear = {name: {**parameters, "response": "linear"}}
    return corrupted(linear, WHITE, severity, sample=sample)[..., 0] / 250


@pytest.mark.parametrize(
    ("severity", "loss"), [(1, 0.083), (2, 0.159), (3, 0.293), (4, 0.5), (5, 0.75)]
)
def test_the_vignette_takes_its_stops_at_the_farthest_corner_and_nothing_at_its_centre(
    severity, loss
):
    for sample in map(str, range(8)):
        left = kept("vignette", severity, sample)
        assert left.min() == pytest.approx(1 - loss, abs=0.02)
        assert left.min() == left[[0, 0, -1, -1], [0, -1, 0, -1]].min()
        assert left.max() == 1
        row, column = (np.mean(one) for one in np.nonzero(left == left.max()))
        assert abs(row / 256 - 0.5) < 0.2
        assert abs(column / 320 - 0.5) < 0.2


def test_without_offset_the_vignette_is_symmetric():
    left = kept({"vignette": {"offset": 0, "corner_ev": 1}}, None)
    assert np.abs(left - left[::-1, ::-1]).max() < 0.02
    # cos^4: half way to the corner is where tan^2 is a quarter of the corner's.
    quarter = left[64, 80]
    assert quarter == pytest.approx((1 + (0.5**-0.5 - 1) / 4) ** -2, abs=0.02)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_gradient_falls_from_one_side_to_the_other(severity):
    image = np.full((256, 320, 3), 100, np.uint8)
    linear = {"gradient": {"response": "linear"}}
    for sample in map(str, range(8)):
        stops = np.log2(corrupted(linear, image, severity, sample=sample)[..., 0] / 100)
        wanted = 0.5 * 2 ** (severity - 3)
        assert np.ptp(stops) == pytest.approx(wanted, rel=0.05, abs=0.02)
        assert stops[128, 160] == pytest.approx(0, abs=0.01)
        corners = stops[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.max() == pytest.approx(stops.max(), abs=0.01)
        assert corners.sum() == pytest.approx(0, abs=0.06)


def test_a_gradient_by_its_angle_is_brightest_there():
    image = np.full((60, 80, 3), 100, np.uint8)
    right, below = (
        corrupted({"gradient": {"ev": 1, "angle": angle}}, image, None)[..., 0].astype(int)
        for angle in (0, 90)
    )
    assert right[0, -1] > right[0, 0]
    assert (right == right[:1]).all()
    assert below[-1, 0] > below[0, 0]
    assert (below == below[:, :1]).all()


def test_dust_grows_in_number_and_opacity():
    for sample in map(str, range(8)):
        left = [kept("dust", severity, sample) for severity in SEVERITIES]
        touched = [(one < 0.995).mean() for one in left]
        darkest = [one.min() for one in left]
        assert 0.001 < touched[0] < touched[2] < touched[4] < 0.25
        assert darkest == sorted(darkest, reverse=True)
        assert darkest[0] == pytest.approx(0.975, abs=0.01)


def test_a_single_spot_takes_what_it_says():
    for severity, taken in zip(SEVERITIES, (0.025, 0.05, 0.1, 0.2, 0.4), strict=True):
        left = kept({"dust": {"spots": 1, "radius": [0.2, 0.2]}}, severity)
        assert left.min() == pytest.approx(1 - taken, abs=0.006)


def test_dust_has_soft_edges():
    left = kept({"dust": {"spots": 1, "radius": [0.2, 0.2]}}, 5)
    assert np.abs(np.diff(left, axis=0)).max() < 0.03


def test_dust_has_as_many_spots_as_it_says():
    few = [(kept({"dust": {"spots": n, "radius": [0.02, 0.02]}}, 5) < 0.99).sum() for n in (1, 8)]
    assert 5 * few[0] < few[1] <= 9 * few[0]


@pytest.mark.parametrize("name", ["exposure", "veil", "white_balance", "banding", "gradient"])
@settings(deadline=None, max_examples=30)
@given(image=pictures, seed=seeds, sample=samples)
def test_each_pixel_moves_further_and_never_back(name, image, seed, sample):
    steps = [corrupted(name, image, s, seed, sample).astype(int) - image for s in SEVERITIES]
    for weaker, stronger in pairwise(steps):
        assert (np.abs(stronger) >= np.abs(weaker)).all()
        assert (stronger * weaker >= 0).all()


@pytest.mark.parametrize("stops", [-2, -0.3, 0.125, 1])
def test_exposure_multiplies_the_light(stops):
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    seen = corrupted({"exposure": {"ev": stops, "response": "linear"}}, levels, None)[0, :, 0]
    assert np.abs(seen - np.minimum(np.arange(256) * 2.0**stops, 255)).max() <= 0.5 + 1e-9


def test_a_veil_is_a_share_of_the_mean_light_of_each_channel():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10] = (200, 100, 40)
    seen = corrupted({"veil": {"percent": 20, "response": "linear"}}, image, None)
    assert seen[-1, 0].tolist() == [20, 10, 4]
    assert seen[0, 0].tolist() == [220, 110, 44]


def test_dark_parts_stay_dark_under_a_veil():
    """A share of white would turn the black of a tire into fog."""
    image = np.full((50, 50, 3), 12, np.uint8)
    assert corrupted("veil", image, 5).max() < 18


@pytest.mark.parametrize(("mired", "redder"), [(50, True), (-50, False)])
def test_white_balance_shifts_red_against_blue_and_keeps_green(mired, redder):
    image = np.full((10, 10, 3), (120, 121, 122), np.uint8)
    red, green, blue = corrupted({"white_balance": {"mired": mired}}, image, None)[0, 0].tolist()
    assert green == 121
    assert (red > 120) == redder
    assert (blue < 122) == redder


@pytest.mark.parametrize("plane", [False, True])
def test_white_balance_leaves_gray_as_it_is(plane):
    image = picture(3, 40, 50, gray=True)
    shown = image[..., 0] if plane else image
    assert np.array_equal(corrupted("white_balance", shown, 5), shown)


@pytest.mark.parametrize(("orientation", "axis"), [("rows", 1), ("columns", 0)])
def test_bands_are_even_along_their_orientation(orientation, axis):
    image = np.full((200, 260, 3), (160, 80, 40), np.uint8)
    bands = {"orientation": orientation, "periods": [5, 5], "percent": 20, "response": "linear"}
    result = corrupted({"banding": bands}, image, None)[..., 0].astype(float)
    assert np.ptp(result, axis=axis).max() == 0
    wave = result.mean(axis=axis) - 160
    assert np.abs(wave).max() == pytest.approx(32, abs=1)
    assert np.argmax(np.abs(np.fft.rfft(wave))) == 5


def test_both_orientations_are_drawn():
    image = np.full((64, 64, 3), 128, np.uint8)
    results = [corrupted("banding", image, 5, sample=s)[..., 0] for s in map(str, range(20))]
    assert {bool(np.ptp(one, axis=0).any()) for one in results} == {True, False}

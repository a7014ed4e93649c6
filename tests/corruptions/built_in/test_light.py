"""Vignette, dust and banding: light that is taken or modulated."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from pytest_robustbench.corruptions.registry import load_corruption
from tests.corruptions.corruption_pictures import SEVERITIES, picture, pictures, samples, seeds

WHITE = np.full((256, 320, 3), 250, np.uint8)


def corrupted(reference, image, severity, seed=0, sample="a"):
    corruption = load_corruption(reference)
    return corruption.apply(image, None, severity, seed=seed, sample_id=sample).image


@pytest.mark.parametrize("name", ["vignette", "dust"])
@settings(deadline=None, max_examples=30)
@given(image=pictures, seed=seeds, sample=samples)
def test_no_pixel_gets_brighter_from_one_severity_to_the_next(name, image, seed, sample):
    steps = [image, *(corrupted(name, image, s, seed, sample) for s in SEVERITIES)]
    assert all((after <= before).all() for before, after in pairwise(steps))


@pytest.mark.parametrize("name", ["vignette", "dust"])
@pytest.mark.parametrize("gray", [False, True])
def test_large_pictures_only_get_darker_too(name, gray):
    image = picture(5, 600, 430, gray)
    steps = [image, *(corrupted(name, image, severity) for severity in SEVERITIES)]
    assert all((after <= before).all() for before, after in pairwise(steps))


def kept(reference, severity, sample="a"):
    """What is left of white, 0 to 1."""
    return corrupted(reference, WHITE, severity, sample=sample)[..., 0] / 250


@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_vignette_takes_its_depth_at_the_farthest_corner_and_nothing_at_its_centre(severity):
    for sample in map(str, range(8)):
        left = kept("vignette", severity, sample)
        assert left.min() == pytest.approx(1 - 0.6 * severity / 5, abs=0.02)
        assert left.min() == left[[0, 0, -1, -1], [0, -1, 0, -1]].min()
        assert left.max() == 1
        row, column = (np.mean(one) for one in np.nonzero(left == left.max()))
        assert abs(row / 256 - 0.5) < 0.2
        assert abs(column / 320 - 0.5) < 0.2


def test_without_offset_the_vignette_is_symmetric():
    left = kept({"vignette": {"offset": 0, "depth": 0.5}}, 5)
    assert np.abs(left - left[::-1, ::-1]).max() < 0.02
    # cos^4: half way to the corner is where tan^2 is a quarter of the corner's.
    quarter = left[64, 80]
    assert quarter == pytest.approx((1 + (0.5**-0.5 - 1) / 4) ** -2, abs=0.02)


def test_dust_grows_in_number_and_opacity():
    for sample in map(str, range(8)):
        left = [kept("dust", severity, sample) for severity in SEVERITIES]
        touched = [(one < 0.95).mean() for one in left]
        darkest = [one.min() for one in left]
        assert 0.001 < touched[0] < touched[2] < touched[4] < 0.25
        assert darkest == sorted(darkest, reverse=True)
        assert darkest[4] < 0.8


def test_dust_has_soft_edges():
    left = kept({"dust": {"spots": 1, "radius": [0.2, 0.2], "opacity": [1, 1]}}, 5)
    assert np.abs(np.diff(left, axis=0)).max() < 0.08


def test_dust_has_as_many_spots_as_it_says():
    few = [(kept({"dust": {"spots": n, "radius": [0.02, 0.02]}}, 5) < 0.99).sum() for n in (1, 8)]
    assert 5 * few[0] < few[1] <= 9 * few[0]


@settings(deadline=None, max_examples=40)
@given(image=pictures, seed=seeds, sample=samples)
def test_banding_moves_each_pixel_further_and_never_back(image, seed, sample):
    steps = [corrupted("banding", image, s, seed, sample).astype(int) - image for s in SEVERITIES]
    for weaker, stronger in pairwise(steps):
        assert (np.abs(stronger) >= np.abs(weaker)).all()
        assert (stronger * weaker >= 0).all()


@pytest.mark.parametrize(("orientation", "axis"), [("rows", 1), ("columns", 0)])
def test_bands_are_even_along_their_orientation(orientation, axis):
    image = np.full((200, 260, 3), (160, 80, 40), np.uint8)
    bands = {"banding": {"orientation": orientation, "periods": [5, 5], "amplitude": 0.2}}
    result = corrupted(bands, image, 5)[..., 0].astype(float)
    assert np.ptp(result, axis=axis).max() == 0
    wave = result.mean(axis=axis) - 160
    assert np.abs(wave).max() == pytest.approx(32, abs=1)
    assert np.argmax(np.abs(np.fft.rfft(wave))) == 5


def test_both_orientations_are_drawn():
    image = np.full((64, 64, 3), 128, np.uint8)
    results = [corrupted("banding", image, 5, sample=s)[..., 0] for s in map(str, range(20))]
    assert {bool(np.ptp(one, axis=0).any()) for one in results} == {True, False}

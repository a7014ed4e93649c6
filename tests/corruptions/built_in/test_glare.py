from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from pytest_robustbench.corruptions.built_in.glare import GLARE
from tests.corruptions.corruption_pictures import SEVERITIES, picture, pictures, samples, seeds


def glared(image, severity, seed=0, sample="a"):
    return GLARE.apply(image, None, severity, seed=seed, sample_id=sample).image


@settings(deadline=None, max_examples=40)
@given(image=pictures, seed=seeds, sample=samples)
def test_no_pixel_gets_darker_from_one_severity_to_the_next(image, seed, sample):
    before = image
    for severity in SEVERITIES:
        after = glared(image, severity, seed, sample)
        assert (after >= before).all()
        before = after


def test_enlarged_light_is_monotone_too():
    image = picture(5, 600, 430)
    steps = [image, *(glared(image, severity) for severity in SEVERITIES)]
    assert all((b >= a).all() for a, b in pairwise(steps))


def test_white_stays_white_and_every_picture_gets_brighter():
    assert (glared(np.full((64, 64, 3), 255, np.uint8), 5) == 255).all()
    gray = np.full((128, 128, 3), 100, np.uint8)
    for sample in map(str, range(30)):
        assert glared(gray, 5, sample=sample).max() > 108
        assert glared(gray, 1, sample=sample).max() > 100


@pytest.mark.parametrize("level", [12, 60, 200])
def test_its_light_is_in_proportion_to_that_of_the_picture(level):
    """Dark parts are not drowned."""
    linear = GLARE.configured({"response": "linear", "peak": [1, 1], "blobs": 1})
    image = np.full((128, 128, 3), level, np.uint8)
    peaks = [linear.apply(image, None, s, seed=0, sample_id="3").image.max() for s in SEVERITIES]
    expected = [min(level * (1 + share), 255) for share in (0.025, 0.05, 0.1, 0.2, 0.4)]
    assert peaks == pytest.approx(expected, abs=max(1.01, 0.05 * level))


def test_most_of_the_picture_is_spared():
    gray = np.full((128, 128, 3), 100, np.uint8)
    strong = [(glared(gray, 5, sample=str(index)) > 105).mean() for index in range(30)]
    weak = [(glared(gray, 1, sample=str(index)) > 100).mean() for index in range(30)]
    assert 0.03 < np.mean(strong) < 0.35
    assert np.mean(weak) < 0.05


def test_light_does_not_depend_on_resolution():
    small = glared(np.full((128, 128, 3), 90, np.uint8), 5).astype(int)
    large = glared(np.full((512, 512, 3), 90, np.uint8), 5).astype(int)
    coarse = large.reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(coarse - small).max() < 8

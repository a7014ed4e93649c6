from __future__ import annotations

from itertools import pairwise

import numpy as np
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
        assert glared(gray, 5, sample=sample).max() > 200
        assert glared(gray, 1, sample=sample).max() > 105


def test_most_of_the_picture_is_spared():
    gray = np.full((128, 128, 3), 100, np.uint8)
    strong = [(glared(gray, 5, sample=str(index)) > 150).mean() for index in range(30)]
    weak = [(glared(gray, 1, sample=str(index)) > 150).mean() for index in range(30)]
    assert 0.03 < np.mean(strong) < 0.25
    assert np.mean(weak) < 0.02


def test_light_does_not_depend_on_resolution():
    small = glared(np.zeros((128, 128, 3), np.uint8), 5).astype(int)
    large = glared(np.zeros((512, 512, 3), np.uint8), 5).astype(int)
    coarse = large.reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(coarse - small).max() < 8

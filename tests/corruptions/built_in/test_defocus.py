from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.built_in.defocus import DEFOCUS
from tests.corruptions.corruption_pictures import SEVERITIES, picture

RADII = (0.5, 1.0, 2.0, 4.0, 8.0)
LINEAR = DEFOCUS.configured({"response": "linear"})


def defocused(image, severity):
    return LINEAR.apply(image, None, severity, seed=0, sample_id="a").image


def spread(severity, side):
    """Mean squared distance that light goes from a bright square in the middle, per axis."""
    image = np.zeros((side, side, 3), np.uint8)
    middle = slice(side // 2 - 8, side // 2 + 8)
    image[middle, middle] = 255
    return variance(defocused(image, severity)[..., 0]) - variance(image[..., 0])


def variance(weights):
    rows = np.arange(weights.shape[0])
    along = weights.sum(axis=1, dtype=float)
    mean = (rows * along).sum() / along.sum()
    return ((rows - mean) ** 2 * along).sum() / along.sum()


@pytest.mark.parametrize("side", [128, 256, 512, 640])
def test_light_is_spread_as_over_a_disc_of_the_documented_radius(side):
    for severity, radius in zip(SEVERITIES, RADII, strict=True):
        expected = (radius * max(side / 256, 1)) ** 2 / 4
        assert spread(severity, side) == pytest.approx(expected, rel=0.05, abs=0.05)


def test_the_radius_has_no_steps():
    spreads = [spread(severity, 256) for severity in np.arange(2, 3, 0.05)]
    ratios = [after / before for before, after in pairwise(spreads)]
    assert ratios == pytest.approx([2.0**0.1] * len(ratios), rel=0.06)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("shape", [(61, 400), (300, 281), (5, 7), (512, 520)])
def test_it_is_a_mean_within_the_radius(shape, gray):
    image = picture(3, *shape, gray)
    for severity, radius in zip(SEVERITIES, RADII, strict=True):
        reach = int(radius * max(min(shape) / 256, 1)) + 2
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        lowest, highest = cv2.erode(image, kernel), cv2.dilate(image, kernel)
        result = defocused(image, severity)
        assert (result >= lowest).all()
        assert (result <= highest).all()
        assert abs(result.astype(float).mean() - image.mean()) < 5


@pytest.mark.parametrize("side", [1024, 1031])
def test_large_pictures_get_a_disc_too(side):
    image = picture(9, side, side)
    for severity, radius in zip(SEVERITIES, RADII, strict=True):
        expected = cv2.filter2D(image.astype(np.float32), -1, disc(radius * side / 256))
        error = np.abs(defocused(image, severity) - expected)[60:-60, 60:-60]
        assert error.mean() < 2.5
        assert error.max() < 20


def disc(radius):
    """A disc with soft edges."""
    reach = int(radius) + 1
    rows, columns = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    inside = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)
    return inside / inside.sum()


@pytest.mark.parametrize("side", [120, 300, 358, 500, 700])
def test_the_disc_grows_with_every_severity(side):
    point = np.zeros((side, side, 3), np.uint8)
    point[side // 2, side // 2] = 255
    peaks = [defocused(point, s).max() for s in SEVERITIES]
    assert peaks == sorted(peaks, reverse=True)

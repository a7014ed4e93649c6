from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.built_in.defocus import DEFOCUS
from tests.corruptions.corruption_pictures import SEVERITIES, picture

RADII = (1.0, 1.5, 2.25, 3.0, 4.0)


def defocused(image, severity):
    return DEFOCUS.apply(image, None, severity, seed=0, sample_id="a").image


def disc(radius):
    reach = int(radius)
    rows, columns = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    inside = rows**2 + columns**2 <= radius**2
    return inside / inside.sum()


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("shape", [(61, 400), (300, 281), (5, 7), (512, 520)])
def test_every_pixel_is_the_mean_over_a_disc(shape, gray):
    image = picture(3, *shape, gray)
    scale = max(1, min(shape) / 256)
    for severity, radius in zip(SEVERITIES, RADII, strict=True):
        kernel = disc(radius * scale)
        reach = kernel.shape[0] // 2
        wide = cv2.copyMakeBorder(image, *[reach] * 4, cv2.BORDER_REFLECT_101).astype(float)
        expected = cv2.filter2D(wide, -1, kernel)[reach:-reach, reach:-reach]
        assert np.abs(defocused(image, severity) - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("side", [1024, 1031])
def test_large_pictures_get_a_disc_too(side):
    image = picture(9, side, side)
    for severity, radius in zip(SEVERITIES, RADII, strict=True):
        expected = cv2.filter2D(image.astype(np.float32), -1, disc(radius * side / 256))
        error = np.abs(defocused(image, severity) - expected)[40:-40, 40:-40]
        assert error.mean() < 2
        assert error.max() < 12


@pytest.mark.parametrize("side", [64, 300, 358, 500, 700])
def test_the_disc_grows_with_every_severity(side):
    point = np.zeros((side, side, 3), np.uint8)
    point[side // 2, side // 2] = 255
    areas = [(defocused(point * np.uint8([1, 0, 0]), s)[..., 0] > 0).sum() for s in SEVERITIES]
    peaks = [defocused(point, s).max() for s in SEVERITIES]
    assert all(a < b for a, b in pairwise(areas))
    assert peaks == sorted(peaks, reverse=True)

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.built_in.blur import BLUR
from tests.corruptions.corruption_pictures import SEVERITIES, picture


def measured_sigma(severity, height, width, gray):
    """The spread of an edge's slope is that of the kernel, freed of the pixel grid's rounding."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = 250 if gray else (250, 240, 230)
    row = BLUR.apply(image, None, severity, seed=0, sample_id="a").image[height // 2, :, 0]
    slope = np.diff(row.astype(float))
    places = np.arange(slope.size)
    mean = (slope * places).sum() / slope.sum()
    return np.sqrt((slope * (places - mean) ** 2).sum() / slope.sum())


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize(
    ("height", "width", "scale"), [(256, 256, 1), (64, 100, 1), (512, 700, 2), (700, 384, 1.5)]
)
def test_sigma_grows_with_severity_and_image(height, width, scale, gray):
    expected = np.array([0.5, 1.0, 1.5, 2.0, 3.0]) * scale
    measured = [measured_sigma(severity, height, width, gray) for severity in SEVERITIES]
    assert measured == pytest.approx(expected, rel=0.05, abs=0.05)


def test_brightness_is_kept():
    image = np.full((64, 64, 3), 77, np.uint8)
    assert (BLUR.apply(image, None, 5, seed=0, sample_id="a").image == 77).all()


def exact(image, sigma):
    """The convolution in integers, with the weights that the picture of a point shows."""
    point = np.zeros((39, 39, 3), np.uint8)
    point[19, :] = 255
    severity = (0.5, 1.0, 1.5, 2.0, 3.0).index(sigma) + 1
    spread = BLUR.apply(point, None, severity, seed=0, sample_id="a").image[:, 19, 0]
    weights = np.rint(spread * (256 / 255)).astype(int)[9:30]
    assert weights.sum() == 256
    padded = np.pad(image.astype(int), ((10, 10), (10, 10), (0, 0)), mode="reflect")
    height, width = image.shape[:2]
    rows = sum(weight * padded[:, at : at + width] for at, weight in enumerate(weights))
    both = sum(weight * rows[at : at + height] for at, weight in enumerate(weights))
    return np.rint(both / 65536).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_every_build_of_opencv_gives_the_pixels_of_integer_arithmetic(sigma):
    severity = (0.5, 1.0, 1.5, 2.0, 3.0).index(sigma) + 1
    few_levels = picture(3, 61, 1025) // 64 * 64  # sums that lie halfway are common
    for image in (few_levels, few_levels[:, :43].copy(), few_levels[:, :30, :1].repeat(3, axis=2)):
        result = BLUR.apply(image, None, severity, seed=0, sample_id="a").image
        assert np.array_equal(result, exact(image, sigma))


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize(("height", "width"), [(512, 640), (521, 643), (1030, 1024)])
def test_large_pictures_get_a_gaussian_too(height, width, gray):
    image = picture(9, height, width, gray)
    for severity, sigma in enumerate((0.5, 1.0, 1.5, 2.0, 3.0), start=1):
        spread = sigma * min(height, width) / 256
        expected = cv2.GaussianBlur(image.astype(np.float32), (0, 0), spread)
        result = BLUR.apply(image, None, severity, seed=0, sample_id="a").image
        error = np.abs(result - expected)[30:-30, 30:-30]
        assert error.max() < 4
        assert error.mean() < 0.75
        assert abs((result - expected).mean()) < 0.3

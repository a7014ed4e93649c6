from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve1d
from scipy.special import ive

from pytest_robustbench.corruptions.built_in.blur import BLUR
from pytest_robustbench.corruptions.pixels.response import decoded, encoded
from tests.corruptions.corruption_pictures import SEVERITIES, picture

LINEAR = BLUR.configured({"response": "linear"})
SIGMAS = (0.25, 0.5, 1.0, 2.0, 4.0)


def blurred(image, severity, corruption=LINEAR):
    return corruption.apply(image, None, severity, seed=0, sample_id="a").image


def measured_sigma(severity, height, width, gray):
    """The spread of an edge's slope is that of the kernel, freed of the pixel grid's rounding."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = 250 if gray else (250, 240, 230)
    row = blurred(image, severity)[height // 2, :, 0]
    slope = np.diff(row.astype(float))
    places = np.arange(slope.size)
    mean = (slope * places).sum() / slope.sum()
    return np.sqrt((slope * (places - mean) ** 2).sum() / slope.sum())


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize(
    ("height", "width", "scale"), [(256, 256, 1), (128, 200, 1), (512, 700, 2), (1024, 1100, 4)]
)
def test_sigma_grows_with_severity_and_image(height, width, scale, gray):
    expected = np.array(SIGMAS) * scale
    measured = [measured_sigma(severity, height, width, gray) for severity in SEVERITIES]
    assert measured == pytest.approx(expected, rel=0.05, abs=0.05)


@pytest.mark.parametrize("response", ["srgb", "linear"])
def test_brightness_is_kept(response):
    image = np.full((64, 64, 3), 77, np.uint8)
    corruption = BLUR.configured({"response": response})
    assert (blurred(image, 5, corruption) == 77).all()


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("severity", [1, 2.5, 3, 4])
def test_it_is_the_discrete_gaussian_in_light(severity, gray):
    """Held against SciPy, in floating point, with no trick at all."""
    image = picture(3, 261, 300, gray)
    sigma = 2.0 ** (severity - 3) * 261 / 256
    reach = np.arange(-20, 21)
    weights = ive(reach, sigma**2)
    light = decoded(image, "srgb").astype(float)
    for axis in (0, 1):
        light = convolve1d(light, weights / weights.sum(), axis=axis, mode="mirror")
    expected = encoded(np.rint(light).astype(np.uint16), "srgb")
    result = blurred(image, severity, BLUR)
    # The tails of ours end at three sigma, which their weights are added up at.
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert (result != expected).mean() < 0.35


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize(("height", "width"), [(512, 640), (521, 643), (1030, 1024)])
def test_large_pictures_get_a_gaussian_too(height, width, gray):
    image = picture(9, height, width, gray)
    for severity, sigma in zip(SEVERITIES, SIGMAS, strict=True):
        spread = sigma * min(height, width) / 256
        reach = np.arange(-int(5 * spread) - 2, int(5 * spread) + 3)
        weights = ive(reach, spread**2)
        expected = image.astype(float)
        for axis in (0, 1):
            expected = convolve1d(expected, weights / weights.sum(), axis=axis, mode="mirror")
        error = np.abs(blurred(image, severity) - expected)[70:-70, 70:-70]
        assert error.max() < 5
        assert error.mean() < 0.9


def test_light_spreads_further_than_grey_levels():
    """A bright point on dark ground shines through a blur in light, as it does in a camera."""
    image = np.zeros((256, 256, 3), np.uint8)
    image[128, 128] = 255
    assert blurred(image, 3, BLUR).max() > 2 * blurred(image, 3).max()

from __future__ import annotations

import numpy as np
import pytest
from corruption_pictures import SEVERITIES

from pytest_robustbench.corruptions.blur import BLUR


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

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.built_in.motion_blur import MOTION_BLUR
from tests.corruptions.corruption_pictures import SEVERITIES

LENGTHS = (1, 2, 4, 8, 16)
LINEAR = MOTION_BLUR.configured({"response": "linear"})


def spread(severity, side, sample="a", gray=True):
    """Where the light of a bright square in the middle goes: its covariance in excess."""
    image = np.zeros((side, side, 3), np.uint8)
    middle = slice(side // 2 - 3, side // 2 + 4)
    image[middle, middle] = 240 if gray else (240, 239, 238)
    result = LINEAR.apply(image, None, severity, seed=0, sample_id=sample).image
    return covariance(result[..., 0]) - covariance(image[..., 0])


def covariance(weights):
    places = np.indices(weights.shape).reshape(2, -1)
    return np.cov(places, aweights=weights.ravel().astype(float), ddof=0)


@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize("side", [256, 128, 640])
def test_light_is_spread_along_a_line_of_the_documented_length(side, gray):
    for severity, length in zip(SEVERITIES, LENGTHS, strict=True):
        across, along = np.linalg.eigvalsh(spread(severity, side, "b", gray))
        # The soft ends of a dash, and the rounding of where it lies, spread light by a fraction of
        # a pixel.
        scale = max(side / 256, 1)
        assert along == pytest.approx((length * scale) ** 2 / 12, rel=0.12, abs=0.3)
        assert across < max(0.4, (length * scale / 12) ** 2)


def test_the_length_has_no_steps():
    spreads = [np.trace(spread(severity, 512, "b")) for severity in np.arange(3, 4.5, 0.05)]
    assert all(a < b for a, b in pairwise(spreads))


@settings(deadline=None, max_examples=10)
@given(sample=st.text(max_size=4))
def test_the_line_grows_and_keeps_its_direction(sample):
    spreads = [spread(severity, 128, sample) for severity in SEVERITIES]
    variances = [np.trace(one) for one in spreads]
    assert all(a < b for a, b in pairwise(variances))
    (_, first), (_, last) = (np.linalg.eigh(one)[1].T for one in (spreads[2], spreads[4]))
    assert abs(first @ last) > math.cos(math.radians(12))


def test_directions_differ_between_samples():
    angles = [
        math.atan2(*np.linalg.eigh(spread(5, 128, sample))[1][:, 1]) % math.pi
        for sample in map(str, range(12))
    ]
    assert max(angles) - min(angles) > 1.5


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (3, 400), (2600, 300)])
def test_flat_pictures_stay_flat(shape):
    image = np.full((*shape, 3), (77, 3, 255), np.uint8)
    for severity in SEVERITIES:
        result = MOTION_BLUR.apply(image, None, severity, seed=0, sample_id="a").image
        assert (result == image).all()

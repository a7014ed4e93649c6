from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from pytest_robustbench.corruptions.built_in.noise import NOISE
from tests.corruptions.corruption_pictures import SEVERITIES, picture, pictures, samples, seeds


def noisy(image, severity, seed=0, sample="a", corruption=NOISE):
    return corruption.apply(image, None, severity, seed=seed, sample_id=sample).image


def departure(image, *draw):
    return noisy(image, *draw).astype(int) - image


@settings(deadline=None, max_examples=40)
@given(image=pictures, seed=seeds, sample=samples)
def test_each_pixel_departs_further_and_never_back(image, seed, sample):
    steps = [departure(image, severity, seed, sample) for severity in SEVERITIES]
    for weaker, stronger in pairwise(steps):
        assert (np.abs(stronger) >= np.abs(weaker)).all()
        assert (stronger * weaker >= 0).all()


@pytest.mark.parametrize("level", [64, 128, 160])
@pytest.mark.parametrize("severity", [1, 3, 4])
def test_the_variance_is_that_of_a_linear_camera(level, severity):
    image = np.full((300, 300, 3), level, np.uint8)
    linear = NOISE.configured({"response": "linear"})
    deviation = (noisy(image, severity, corruption=linear).astype(int) - image).std()
    light = level / 255
    shot = 2**severity
    rounding = 1 / 12
    expected = np.sqrt(shot**2 * light + (0.3 * shot * light) ** 2 + rounding)
    assert deviation == pytest.approx(expected, rel=0.05)


def test_a_curved_response_makes_noise_even():
    """The square root of light has the same shot noise at every level."""
    shot = NOISE.configured({"read": 0})
    deviations = [
        (noisy(image, 3, corruption=shot).astype(int) - image).std()
        for image in (np.full((200, 200, 3), level, np.uint8) for level in (60, 120, 180))
    ]
    assert max(deviations) / min(deviations) < 1.3
    assert deviations[2] == pytest.approx(8, rel=0.1)


def test_it_is_normal_and_has_no_bias():
    noise = departure(np.full((400, 400, 3), 128, np.uint8), 4).ravel()
    shares = [(np.abs(noise) > k * noise.std()).mean() for k in (1, 2, 3)]
    assert noise.mean() == pytest.approx(0, abs=0.15)
    assert shares == pytest.approx([0.317, 0.0455, 0.0027], abs=0.02)
    assert np.abs(noise).max() > 3.5 * noise.std()


def test_neighbours_and_channels_are_independent():
    noise = departure(picture(0, 300, 300) // 4 + 96, 4).astype(float)
    others = [noise[1:, :, 0], noise[:, 1:, 0], noise[..., 1], noise[..., 2]]
    for other in others:
        own = noise[: other.shape[0], : other.shape[1], 0]
        assert abs(np.corrcoef(own.ravel(), other.ravel())[0, 1]) < 0.02


def test_read_noise_falls_with_the_light_of_the_picture():
    """Dark parts are not drowned: half of the light has half of the read noise."""
    image = np.zeros((200, 400, 3), np.uint8)
    image[:, 200:] = 200
    darker = image // 2
    read = NOISE.configured({"response": "linear", "read": 2})
    deviations = [
        (noisy(each, 3, corruption=read).astype(int) - each)[:, :200].std()
        for each in (image, darker)
    ]
    assert deviations[0] == pytest.approx(2 * deviations[1], rel=0.1)
    assert deviations[1] > 0.5

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
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_the_variance_is_that_of_a_linear_camera(level, severity):
    image = np.full((300, 300, 3), level, np.uint8)
    deviation = departure(image, severity).std()
    expected = severity / 5 * np.sqrt(6**2 + 18**2 * level / 255)
    assert deviation == pytest.approx(expected, rel=0.03)


def test_it_is_normal_and_has_no_bias():
    noise = departure(np.full((400, 400, 3), 128, np.uint8), 5).ravel()
    shares = [(np.abs(noise) > k * noise.std()).mean() for k in (1, 2, 3)]
    assert noise.mean() == pytest.approx(0, abs=0.15)
    assert shares == pytest.approx([0.317, 0.0455, 0.0027], abs=0.02)
    assert np.abs(noise).max() > 3.5 * noise.std()


def test_neighbours_and_channels_are_independent():
    noise = departure(picture(0, 300, 300) // 4 + 96, 5).astype(float)
    others = [noise[1:, :, 0], noise[:, 1:, 0], noise[..., 1], noise[..., 2]]
    for other in others:
        own = noise[: other.shape[0], : other.shape[1], 0]
        assert abs(np.corrcoef(own.ravel(), other.ravel())[0, 1]) < 0.02


def test_read_noise_alone_is_the_same_at_every_level():
    quiet = NOISE.configured({"shot": 0, "read": 5})
    deviations = [
        (noisy(image, 5, corruption=quiet).astype(int) - image).std()
        for image in (np.full((200, 200, 3), level, np.uint8) for level in (40, 200))
    ]
    assert deviations == pytest.approx([5, 5], rel=0.03)

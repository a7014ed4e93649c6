"""What a change does to a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.conditions import RESPONSES
from pytest_robustbench.drift.change import PARAMETERS, Change, gray_of, imitated, light_in

GRAY = np.random.default_rng(0).integers(20, 110, (64, 80), np.uint8)
COLOUR = np.random.default_rng(1).integers(20, 110, (64, 80, 3), np.uint8)


def mean_light(pixels, response):
    return light_in(pixels, response).mean(axis=(0, 1), dtype=np.float64)


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("pixels", [GRAY, COLOUR], ids=["gray", "colour"])
@pytest.mark.parametrize("stops", [-1.0, 0.5])
def test_a_stop_doubles_the_light(pixels, response, stops):
    seen = imitated(pixels, Change(exposure=stops), response, seed=0)

    ratio = mean_light(seen, response) / mean_light(pixels, response)
    assert ratio == pytest.approx(2.0**stops, rel=0.01)


def test_warmer_light_is_redder_and_less_blue_and_no_brighter():
    seen = imitated(COLOUR, Change(white_balance=50), "linear", seed=0)

    red, green, blue = mean_light(seen, "linear") / mean_light(COLOUR, "linear")
    assert green == pytest.approx(1, abs=1e-3)
    assert red > 1 > blue
    # A black body at 4310 K against one at 5500 K, at 600 and 450 nm by Planck's law.
    assert red / blue == pytest.approx(planck(4310) / planck(5500), rel=0.03)


def planck(kelvin):
    red, blue = (wave**-5 / np.expm1(1.4388e-2 / (wave * kelvin)) for wave in (600e-9, 450e-9))
    return red / blue


def test_a_veil_adds_the_same_light_everywhere():
    seen = imitated(COLOUR, Change(veil=0.2), "linear", seed=0)

    added = light_in(seen, "linear") - light_in(COLOUR, "linear")
    expected = 0.2 * mean_light(COLOUR, "linear")
    assert np.abs(added - expected).max() < 1 / 255


def test_blur_has_the_variance_that_it_says():
    edge = np.zeros((128, 128), np.uint8)
    edge[:, 64:] = 250
    light = light_in(imitated(edge, Change(blur=4.0), "linear", seed=0), "linear")

    spread = np.diff(light[64].astype(float))
    places = np.arange(127) - 63
    assert (spread * places**2).sum() / spread.sum() == pytest.approx(4, rel=0.05)


def test_blur_grows_with_the_picture():
    point = np.zeros((512, 512), np.uint8)
    point[256, 256] = 255
    light = light_in(imitated(point, Change(blur=1.0), "linear", seed=0), "linear")

    assert light.max() == pytest.approx(1 / (2 * np.pi * 4), rel=0.1)


def test_noise_is_as_strong_as_it_says_and_grows_with_the_root_of_the_light():
    bright, dark = (np.full((200, 200), level, np.uint8) for level in (200, 50))
    spreads = [
        imitated(one, Change(noise=64), "linear", seed=3).astype(float).std()
        for one in (bright, dark)
    ]
    assert spreads[0] == pytest.approx(8 * np.sqrt(200 / 255), rel=0.03)
    assert spreads[0] / spreads[1] == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize(("name", "corner"), [("vignette", (0, 0)), ("gradient_x", (32, -1))])
def test_light_over_the_field_is_what_it_says_at_the_edge(name, corner):
    flat = np.full((65, 65), 100, np.uint8)
    light = light_in(imitated(flat, Change(**{name: -1.0}), "linear", seed=0), "linear")

    assert light[corner] / light[32, 32] == pytest.approx(
        0.5 if name == "vignette" else 2**-0.5, rel=0.02
    )


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PARAMETERS), st.floats(0.01, 1), st.sampled_from([GRAY, COLOUR]))
def test_pixels_stay_pixels_and_the_same_ones_every_time(name, share, pixels):
    change = Change(**{name: share})
    one, other = (imitated(pixels, change, "srgb", seed=5) for _ in range(2))

    assert one.dtype == np.uint8
    assert one.shape == pixels.shape
    assert np.array_equal(one, other)


@pytest.mark.parametrize("change", [Change(), Change(blur=-1.0, noise=-4.0)])
def test_what_cannot_be_imitated_changes_nothing(change):
    assert np.array_equal(imitated(COLOUR, change, "srgb", seed=0), COLOUR)


def test_gray_is_the_mean_of_the_planes():
    light = light_in(COLOUR, "srgb")
    assert gray_of(light) == pytest.approx(light.mean(axis=2), abs=1e-6)

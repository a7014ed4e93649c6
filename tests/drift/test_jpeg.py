"""Qualities as files tell them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.built_in.jpeg import recoded
from pytest_robustbench.drift.jpeg import quality_of

PICTURE = np.random.default_rng(0).integers(0, 255, (32, 40, 3), np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 100), st.booleans())
def test_the_quality_that_was_asked_for_is_found(tmp_path_factory, quality, gray):
    path = tmp_path_factory.mktemp("jpeg") / "a.jpg"
    pixels = PICTURE[..., 0] if gray else PICTURE
    path.write_bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])

    assert quality_of(path) == quality


def test_another_format_has_none(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencode(".png", PICTURE)[1])

    assert quality_of(path) is None


@pytest.mark.parametrize("pixels", [PICTURE, PICTURE[..., 0]], ids=["colour", "gray"])
def test_a_picture_written_once_more_is_nearly_the_same(pixels):
    smooth = cv2.GaussianBlur(pixels, (0, 0), 6)
    again = recoded(smooth, 95)

    assert again.shape == smooth.shape
    assert np.abs(again.astype(int) - smooth).mean() < 3

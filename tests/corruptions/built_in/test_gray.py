from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.pixels.gray import by_channel, gray_channel
from tests.corruptions.corruption_pictures import gray_pictures, picture


@settings(deadline=None, max_examples=30)
@given(image=gray_pictures)
def test_the_channel_of_a_gray_picture(image):
    assert np.array_equal(gray_channel(image), image[..., 0])


@settings(deadline=None, max_examples=60)
@given(image=gray_pictures, data=st.data())
def test_a_single_value_makes_colour(image, data):
    coloured = image.copy()
    coloured.flat[data.draw(st.integers(0, image.size - 1))] ^= 1
    assert gray_channel(coloured) is None


@pytest.mark.parametrize("gray", [False, True])
def test_an_operation_sees_one_channel_or_three(gray):
    image, seen = picture(0, gray=gray), []

    def inverted(part):
        seen.append(part.shape)
        return 255 - part

    assert np.array_equal(by_channel(image, inverted), 255 - image)
    assert seen == [(40, 56) if gray else (40, 56, 3)]

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask

LENGTH = st.integers(1, 24)


def slow_resize(mask, size):
    """The definition, one target pixel at a time."""
    (source_height, source_width), (height, width) = mask.shape, size
    target = np.zeros(size, bool)
    for y in range(height):
        top, bottom = y * source_height // height, -(-(y + 1) * source_height // height)
        for x in range(width):
            left, right = x * source_width // width, -(-(x + 1) * source_width // width)
            target[y, x] = mask[top:bottom, left:right].any()
    return target


@given(st.tuples(LENGTH, LENGTH), st.tuples(LENGTH, LENGTH), st.integers(0, 9))
@settings(deadline=None, max_examples=150)
def test_a_target_pixel_is_defect_if_any_of_its_source_pixels_is(source, target, seed):
    mask = np.random.default_rng(seed).random(source) < 0.1
    resized = resize_mask(mask, target)
    assert resized.dtype == np.bool_
    np.testing.assert_array_equal(resized, slow_resize(mask, target))


def test_a_one_pixel_crack_stays_in_one_piece():
    mask = np.zeros((1000, 700), bool)
    mask[np.arange(700), np.arange(700)] = True
    resized = resize_mask(mask, (256, 256))
    rows = np.flatnonzero(resized.any(axis=1))
    assert np.array_equal(rows, np.arange(rows[-1] + 1))
    assert resized[0, 0]
    assert resized[:, 255].any()


def test_the_own_size_changes_nothing():
    mask = np.random.default_rng(0).random((13, 17)) < 0.2
    image = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
    np.testing.assert_array_equal(resize_mask(mask, (13, 17)), mask)
    np.testing.assert_array_equal(resize_image(image, (13, 17)), image)


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (8, 32), (32, 8), (7, 11)])
def test_a_flat_image_stays_flat_in_every_direction(size):
    image = np.full((16, 16, 3), (10, 20, 30), np.uint8)
    resized = resize_image(image, size)
    assert resized.shape == (*size, 3)
    assert (resized == (10, 20, 30)).all()


def test_shrinking_averages_even_where_the_other_direction_grows():
    stripes = np.zeros((64, 8, 3), np.uint8)
    stripes[::2] = 200
    assert (resize_image(stripes, (16, 32)) == 100).all()

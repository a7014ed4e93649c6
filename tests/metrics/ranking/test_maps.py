"""Regions are 8-connected, and maps reach the masks' size without leaving their range."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pytest_robustbench.metrics.regions import label_regions
from pytest_robustbench.metrics.resizing import resize_map


def test_diagonal_neighbours_are_one_region():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1]], bool)

    labels, areas = label_regions(mask)

    assert labels[0, 0] == labels[1, 1]
    assert sorted(areas.tolist()) == [1, 1, 2]


@pytest.mark.parametrize(("fill", "areas"), [(False, []), (True, [12])])
def test_empty_and_full_masks(fill, areas):
    labels, found = label_regions(np.full((3, 4), fill))

    assert found.tolist() == areas
    assert (labels == int(fill)).all()
    assert (labels.dtype, found.dtype) == (np.int32, np.int64)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.6))
@settings(deadline=None, max_examples=30)
def test_regions_are_those_of_scipy(seed, share):
    mask = np.random.default_rng(seed).random((17, 23)) < share

    labels, areas = label_regions(mask)

    expected, count = ndimage.label(mask, structure=np.ones((3, 3)))
    assert areas.size == count
    assert len(set(zip(labels[mask], expected[mask], strict=True))) == count
    assert np.array_equal(labels > 0, mask)
    assert np.array_equal(np.bincount(labels.ravel(), minlength=count + 1)[1:], areas)


def test_regions_of_real_masks(test_data):
    paths = sorted((test_data / "mvtec_layout/grid/ground_truth").rglob("*.png"))
    assert paths
    for path in paths:
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0
        _, areas = label_regions(mask)
        assert areas.size >= 1
        assert areas.sum() == np.count_nonzero(mask)


def test_a_map_that_fits_is_returned_as_it_is():
    anomaly_map = np.ones((4, 5), np.float32)

    assert resize_map(anomaly_map, (4, 5)) is anomaly_map


def test_pixel_centres_are_aligned():
    resized = resize_map(np.array([[0, 1]], np.float32), (1, 4))

    assert resized.tolist() == [[0, 0.25, 0.75, 1]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None, max_examples=30)
def test_resized_values_stay_in_range(seed, height, width):
    anomaly_map = np.random.default_rng(seed).normal(size=(7, 11)).astype(np.float32)

    resized = resize_map(anomaly_map, (height, width))

    assert resized.shape == (height, width)
    assert resized.dtype == np.float32
    assert resized.min() >= anomaly_map.min() - 1e-6
    assert resized.max() <= anomaly_map.max() + 1e-6


def test_other_dtypes_become_float32():
    assert resize_map(np.ones((2, 2), np.float64), (2, 2)).dtype == np.float32
    assert resize_map(np.ones((2, 2), np.float16), (3, 3)).dtype == np.float32

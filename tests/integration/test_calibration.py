"""What calibration says about real calibration images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.detectors.loading import load_detector
from tests.integration.integration_data import real_split

PLACE = 3


@pytest.fixture(scope="module")
def parts(test_data):
    """Half of the train images to fit on, the other half to calibrate on."""
    split = real_split(test_data, "hazelnut_toy")
    return replace(split, train=split.train[::2], calibration=split.train[1::2])


def operating_point(split):
    return rb.Benchmark(split, load_detector("pixel_gaussian")).prepare()


def inverted(split):
    picture = PictureStore(split.resize).load(split.calibration[0])
    return 255 - picture.image


def defective(split):
    return next(sample.image for sample in split.test if sample.label == 1)


@pytest.mark.parametrize("odd", [inverted, defective])
def test_one_odd_image_among_real_ones_is_warned_of(parts, odd):
    own = list(parts.calibration)
    own.insert(PLACE, rb.Sample("calibration/odd", 0, odd(parts)))
    normals = tuple(sample for sample in parts.test if sample.label == 0)

    point = operating_point(replace(parts, calibration=tuple(own), test=normals))

    assert any("make sure that it shows a good part" in warning for warning in point.warnings)
    assert point.health.largest_tail_share > 0.9
    assert np.argmin(point.health.without_each) == PLACE


def test_without_it_nothing_is_called_odd(parts):
    point = operating_point(parts)

    assert not any("make sure that it shows a good part" in warning for warning in point.warnings)
    assert point.health.n_tail_images > 1

"""The built-in corruptions on real inspection images."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.catalogue import BUILT_IN
from pytest_robustbench.corruptions.registry import corrupt, load_corruption
from tests.corruptions.corruption_pictures import SEVERITIES

GRAY = ("grid", "magnetic_tile", "kolektor")
categories = pytest.mark.parametrize("category", ["hazelnut_toy", *GRAY])


def any_defect(mask):
    """The mask at 256 px: defect where any source pixel is."""
    small = cv2.resize(mask.astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA)
    return small > 0


@cache
def samples(test_data, category, count=8):
    return [*_read(test_data, category, count)]


def _read(test_data, category, count):
    root = test_data / "mvtec_layout" / category
    paths = sorted(path for path in (root / "test").glob("*/*") if path.parent.name != "good")
    for path in paths[:: max(1, len(paths) // count)][:count]:
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
        mask_path = root / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
        mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
        yield path.stem, small, any_defect(mask > 0)


def difference(image, other):
    return np.abs(image.astype(int) - other).mean()


@categories
@pytest.mark.parametrize(
    "name", [name for name in BUILT_IN if name not in ("geo_jitter", "white_balance")]
)
def test_the_picture_departs_further_with_every_severity(test_data, category, name):
    for sample_id, image, mask in samples(test_data, category):
        results = [corrupt(image, mask, name, severity=s, sample_id=sample_id) for s in SEVERITIES]
        departures = [difference(image, one.image) for one in results]
        assert departures == sorted(departures)
        last = 0.3 if name in ("dust", "glare") else 1.5  # they cover little
        assert departures[0] > 0
        assert departures[4] > last
        assert all((one.mask == mask).all() for one in results)
        if category in GRAY:
            assert all((one.image == one.image[..., :1]).all() for one in results)


def regions(mask):
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


@categories
def test_geo_jitter_keeps_real_defects_whole(test_data, category):
    geo_jitter = load_corruption("geo_jitter")
    for sample_id, small, small_mask in samples(test_data, category):
        # With a margin no defect is cut by the frame, and every region must arrive in one piece.
        image, mask = np.pad(small, ((64, 64), (64, 64), (0, 0))), np.pad(small_mask, 64)
        assert not geo_jitter.leaves_out(mask, seed=0, sample_id=sample_id)
        for severity in SEVERITIES:
            result = geo_jitter.apply(image, mask, severity, seed=0, sample_id=sample_id)
            assert 1 <= regions(result.mask) <= regions(mask)
            assert result.mask.sum() == pytest.approx(mask.sum(), rel=0.3)


@categories
def test_geo_jitter_leaves_out_what_it_would_lose(test_data, category):
    geo_jitter = load_corruption("geo_jitter")
    for sample_id, image, mask in samples(test_data, category):
        result = geo_jitter.apply(image, mask, 5, seed=0, sample_id=sample_id)
        assert not (result.mask & result.ignored).any()
        assert result.ignored.mean() < 0.35
        left_out = geo_jitter.leaves_out(mask, seed=0, sample_id=sample_id)
        assert left_out or result.mask.sum() > 0.3 * mask.sum()

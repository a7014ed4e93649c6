from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.built_in.lighting import LIGHTING
from pytest_robustbench.corruptions.registry import corrupt
from tests.corruptions.corruption_pictures import SEVERITIES, samples, seeds

LEVELS = np.arange(256)


def shift(severity, seed, sample, gray):
    """The table as it shows on a picture that holds every level in every channel."""
    offsets = (0, 0, 0) if gray else (0, 85, 170)
    image = np.stack([np.roll(LEVELS, offset) for offset in offsets], axis=-1)[None]
    result = LIGHTING.apply(image.astype(np.uint8), None, severity, seed=seed, sample_id=sample)
    difference = result.image.astype(int) - image
    return np.stack(
        [np.roll(difference[0, :, c], -offset) for c, offset in enumerate(offsets)], axis=-1
    )


tables = given(seed=seeds, sample=samples, gray=st.booleans())


@settings(deadline=None, max_examples=60)
@tables
def test_each_entry_moves_further_and_never_back(seed, sample, gray):
    steps = [shift(severity, seed, sample, gray) for severity in SEVERITIES]
    for weaker, stronger in pairwise(steps):
        assert (np.abs(stronger) >= np.abs(weaker)).all()
        assert (weaker * stronger >= 0).all()


@settings(deadline=None, max_examples=60)
@tables
def test_brighter_never_becomes_darker(seed, sample, gray):
    for severity in SEVERITIES:
        table = LEVELS[:, None] + shift(severity, seed, sample, gray)
        assert (np.diff(table, axis=0) >= 0).all()


def test_both_directions_and_colour_casts_occur():
    full = [shift(5, 0, str(index), gray=False) for index in range(40)]
    directions = [np.sign(one.sum()) for one in full]
    assert 5 < directions.count(1.0) < 35
    casts = [np.ptp(one[128]) for one in full]
    assert 5 < np.median(casts) < 40


@pytest.mark.parametrize(("direction", "sign"), [("darker", -1), ("brighter", 1)])
def test_without_what_comes_along_it_is_exposure(direction, sign):
    alone = {"veil_percent": 0, "tone": 0, "mired": 0, "direction": direction}
    image = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    lit = corrupt(image, None, {"lighting": alone}, severity=4).image
    exposed = corrupt(image, None, {"exposure": {"ev": float(sign)}}).image
    assert np.array_equal(lit, exposed)


def test_contrast_is_lost_where_it_gets_brighter():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10] = 120
    black = [
        corrupt(image, None, {"lighting": {"direction": "brighter"}}, severity=5, sample_id=str(i))
        .image[-1]
        .max()
        for i in range(20)
    ]
    assert max(black) > 20
    assert min(black) < max(black)

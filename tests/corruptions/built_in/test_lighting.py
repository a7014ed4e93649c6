from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.built_in.lighting import LIGHTING, Lighting
from pytest_robustbench.corruptions.draws import generator
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
        assert (np.abs(stronger) >= np.abs(weaker) - 2).all()
        assert (weaker * stronger >= 0).all()


@settings(deadline=None, max_examples=60)
@tables
def test_the_mean_shift_is_proportional_to_severity(seed, sample, gray):
    full = np.abs(shift(5, seed, sample, gray)).mean()
    assert 27.5 <= full <= 40.5
    for severity in SEVERITIES:
        mean = np.abs(shift(severity, seed, sample, gray)).mean()
        assert mean == pytest.approx(full * severity / 5, abs=0.7)


@settings(deadline=None, max_examples=60)
@tables
def test_brighter_never_becomes_darker(seed, sample, gray):
    for severity in SEVERITIES:
        table = LEVELS[:, None] + shift(severity, seed, sample, gray)
        assert (np.diff(table, axis=0) >= 0).all()


@settings(deadline=None, max_examples=60)
@tables
def test_the_drawn_target_is_met_exactly(seed, sample, gray):
    full = Lighting().full_shift(generator(seed, "lighting", 1, sample), gray=gray)
    drawn = generator(seed, "lighting", 1, sample).random(8)[-1]
    assert np.abs(full).mean() == pytest.approx(28 + 12 * drawn)
    assert (LEVELS[:, None] + full >= 0).all()
    assert (LEVELS[:, None] + full <= 255).all()


def test_both_directions_and_colour_casts_occur():
    full = [shift(5, 0, str(index), gray=False) for index in range(40)]
    directions = [np.sign(one.sum()) for one in full]
    assert 5 < directions.count(1.0) < 35
    casts = [np.ptp(one[128]) for one in full]
    assert 5 < np.median(casts) < 40

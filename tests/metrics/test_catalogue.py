"""The rows of the catalogue: what follows from them, and that none is forgotten anywhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.metrics.catalogue import (
    BUILT_IN,
    METRICS,
    SUMMARY_METRICS,
    bound_of,
    metric_called,
    summarized,
)
from pytest_robustbench.metrics.measured import ratio_of, value_of
from pytest_robustbench.metrics.outcomes import COLUMNS, Outcomes

RATIOS = [metric for metric in BUILT_IN if metric.formula]
SIDED = [metric for metric in RATIOS if {"misses", "false alarms"} & set(metric.sees)]


@st.composite
def outcomes(draw):
    """Any images: left out, without mask, without defect pixels, of one kind or of both."""
    size = draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.integers(0, 2, size)
    tp, fp, fn, tn = rng.integers(0, 50, (4, size)).astype(float)
    tp, fn = tp * labels, fn * labels
    score = rng.integers(0, 4, size).astype(float)
    score[rng.random(size) < 0.2] = np.nan
    unknown = np.isnan(score) | (rng.random(size) < 0.2)
    columns = [np.where(unknown, np.nan, column) for column in (tp, fp, fn, tn)]
    return Outcomes(labels, score, *columns, 1.5, 0.5)


def test_collection_reads_the_catalogue_without_numpy():
    code = "import sys, pytest_robustbench.metrics.catalogue; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_are_names_of_one_metric_each():
    assert len(set(METRICS)) == len(METRICS)
    assert {summarized(name) for name in SUMMARY_METRICS} == set(METRICS)
    assert all(metric_called(name).name == summarized(name) for name in SUMMARY_METRICS)
    assert all(bound_of(m.name) == ("min" if m.more_is_better else "max") for m in BUILT_IN)


@pytest.mark.parametrize("metric", BUILT_IN, ids=lambda metric: metric.name)
def test_what_a_row_says_fits_together(metric):
    assert metric.meaning
    assert metric.unit
    assert metric.is_latency == (metric.unit != "share, 0 to 1")
    assert metric.formula is None or metric.sees or metric.rests_on == "both", (
        "a decision on images of one kind is blind to nothing but what it misses"
    )
    assert not (metric.ranks and metric.sees), "a ranking sees no threshold"
    assert not metric.pools or metric.rests_on == "defect"
    assert not metric.proposed or metric.sees
    assert metric.comparable == (not metric.ranks or metric.name == "auroc"), (
        "reports hold one score per image, and not those of pixels"
    )
    assert metric.most == (86_400_000 if metric.is_latency else 1)


@pytest.mark.parametrize("metric", RATIOS, ids=lambda metric: metric.name)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_metric_is_a_share_and_rests_on_its_images_alone(metric, data):
    drawn = data.draw(outcomes())
    value = value_of(metric, drawn)
    assert value is None or 0 <= value <= metric.largest
    others = {"defect": ~drawn.defective, "normal": drawn.defective}.get(metric.rests_on)
    if others is not None and not metric.pools:
        kept = drawn.of(np.flatnonzero(~others))
        assert value_of(metric, kept) == value


@pytest.mark.parametrize("metric", SIDED, ids=lambda metric: metric.name)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_what_a_row_says_it_sees_moves_it_the_right_way(metric, data):
    drawn = data.draw(outcomes())
    silent, loud = drawn.none_called(), drawn.all_called()
    worst = {"misses": silent, "false alarms": loud}[metric.sees[0]]
    best = {"misses": loud, "false alarms": silent}[metric.sees[0]]
    bad, good = value_of(metric, worst), value_of(metric, best)
    if bad is not None and good is not None:
        assert metric.sign * (bad - good) >= 0


@pytest.mark.parametrize(("found", "expected"), [(1, 1.0), (0, 0.0)])
def test_a_single_defect_pixel_is_something_to_find(found, expected):
    columns = np.array([[2.0], [found], [0.0], [1.0 - found], [99.0]])
    one = Outcomes(np.array([1]), *columns, 1.5, 0.5)
    for name in ("pixel_segf1", "pixel_segf1_per_image"):
        assert value_of(metric_called(name), one) == expected


@given(outcomes())
@settings(deadline=None, max_examples=50)
def test_images_that_count_nowhere_add_nothing(drawn):
    for metric in RATIOS:
        ratio = ratio_of(metric, drawn)
        counts = drawn.counted if metric.counts_pixels else drawn.measured
        assert not ratio.denominator[~counts].any()
        assert not ratio.numerator[ratio.denominator == 0].any()
        assert np.isfinite(ratio.numerator).all()


def test_chosen_images_keep_their_columns():
    drawn = Outcomes(np.array([1, 0, 1]), *np.arange(15.0).reshape(5, 3), 1.5, 0.5)
    twice = drawn.of(np.array([2, 2, 0]))
    assert twice.labels.tolist() == [1, 1, 1]
    for name in COLUMNS:
        column = getattr(drawn, name)
        assert getattr(twice, name).tolist() == [column[2], column[2], column[0]]


def mixed(n_defect, n_good):
    """So many images of each kind, with as much defect in each as there is background."""
    labels = np.repeat([1, 0], [n_defect, n_good])
    return Outcomes(labels, labels * 1.0, 50.0 * labels, 0.0 * labels, *[0.0 * labels] * 2, 0.5)


@pytest.mark.parametrize("metric", BUILT_IN, ids=lambda metric: metric.name)
def test_a_metric_sees_a_side_only_where_its_worst_detector_gives_its_worst_value(metric):
    """Precision of a detector that rejects everything is the share of defects: 0.9 in one set."""
    worst, seen = 0.0 if metric.more_is_better else metric.largest, set(metric.sees)
    if metric.formula is None:
        assert not seen, "no threshold decides it"
        return
    mixes = [replace(mixed(d, g), tn=np.full(d + g, 90.0)) for d, g in ((90, 10), (5, 5), (2, 70))]
    at_silence = [value_of(metric, outcomes.none_called()) for outcomes in mixes]
    at_noise = [value_of(metric, outcomes.all_called()) for outcomes in mixes]
    assert ("misses" in seen) == all(value == worst for value in at_silence)
    assert ("silence" in seen) == all(value is None for value in at_silence)
    assert ("false alarms" in seen) == all(value == worst for value in at_noise)

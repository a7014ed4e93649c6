"""Binned rankings: estimates near the exact values, and bounds that hold whatever the scores."""

from __future__ import annotations

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_robustbench.metrics.ranking import bins
from pytest_robustbench.metrics.ranking.exact import UNDEFINED, Ranking
from pytest_robustbench.metrics.ranking.histogram import BinnedRanking, ScoreHistogram
from tests.metrics.metrics_pixels import (
    LIMITS,
    assert_equal_rankings,
    pixel_sets,
    pixels_of,
    pooled,
    rank,
    real_maps,
    slow_ranking,
)

NAMES = ("auroc", "average_precision", "aupro")
EXACT = 1e-9  # known ties: only rounding is left


def histogram_of(images):
    histogram = ScoreHistogram()
    for background, defect, regions in images:
        histogram.add_background(background)
        histogram.add_defect(defect, regions)
    return histogram


def assert_within_bounds(binned, exact):
    for name in NAMES:
        error = abs(getattr(binned.ranking, name) - getattr(exact, name))
        assert error <= getattr(binned.error, name), name


def values(*scores):
    return np.array(scores, np.float32)


def both(background, defect):
    """One region, to save typing."""
    return background, defect, np.zeros(defect.size, int)


image_sets = st.lists(pixel_sets(), min_size=1, max_size=4)


# ---- the bounds --------------------------------------------------------------------------------


@given(image_sets, LIMITS)
@example([both(values(1), values(1))], 0.3)
@example([both(values(1, 1 + 2**-20), values(1 + 2**-22))], 1.0)
@example([both(values(-0.0, 0.0), values(0.0, 2.0**-149))], 0.05)
@settings(deadline=None, max_examples=150)
def test_no_error_exceeds_its_bound(images, limit):
    binned = histogram_of(images).ranking(limit)

    assert_within_bounds(binned, rank(*pooled(images), limit))


@given(pixel_sets(), LIMITS)
@settings(deadline=None, max_examples=60)
def test_no_error_exceeds_its_bound_by_the_definitions(pixels, limit):
    # The definitions walk every threshold in float64; the tolerance is their rounding.
    binned, slow = histogram_of([pixels]).ranking(limit), slow_ranking(*pixels, limit)

    for name in NAMES:
        error = abs(getattr(binned.ranking, name) - getattr(slow, name))
        assert error <= getattr(binned.error, name) + 1e-12, name


@pytest.mark.parametrize("defects_above", [True, False])
def test_a_bin_can_hide_the_best_and_the_worst_order(defects_above):
    low, high = 1 + np.arange(50) * 2.0**-23, 1 + np.arange(100, 150) * 2.0**-23
    # The first and the last score are known; between them everything is open.
    background, defect = (low, high) if defects_above else (high, low)
    pixels = both(background.astype(np.float32), defect.astype(np.float32))

    ranking, error = histogram_of([pixels]).ranking(1.0)

    exact = rank(*pixels, 1.0)
    assert exact.auroc == defects_above
    assert abs(ranking.auroc - exact.auroc) <= error.auroc < 0.51
    assert abs(ranking.auroc - exact.auroc) > 0.45
    assert abs(ranking.aupro - exact.aupro) <= error.aupro < 0.51
    assert abs(ranking.average_precision - exact.average_precision) <= error.average_precision


BIN = st.tuples(st.integers(0, 3), st.integers(0, 4))


@given(st.lists(BIN, min_size=1, max_size=3), LIMITS)
@settings(deadline=None, max_examples=40)
def test_bins_bracket_every_order_they_could_hide(contents, limit):
    """Every order of the middle bin, and each of its ties, with tied bins around it."""
    contents = [(1, 1), *contents, (1, 2)]
    defect, background = np.array(contents, float).T
    for open_bin in range(1, len(contents) - 1):
        tied = np.arange(len(contents)) != open_bin
        counted = bins.Bins(background, defect, defect / defect.sum(), tied)
        found = bins.auroc(counted), bins.average_precision(counted), bins.aupro(counted, limit)
        for scores in orders(*contents[open_bin]):
            exact = rank(*with_scores(contents, open_bin, scores), limit)
            for bracket, name in zip(found, NAMES, strict=True):
                assert bracket.lower - EXACT <= getattr(exact, name) <= bracket.upper + EXACT


def orders(defects, background):
    """Scores in [0, 1) of some defects and background pixels, in every order, tied or not."""
    n = defects + background
    for places in combinations(range(n), defects):
        ranks = [*places, *(i for i in range(n) if i not in places)]
        for ties in (1, 2, max(n, 1)):
            yield np.array(ranks, int) // ties / (n + 1), defects


def with_scores(contents, open_bin, scores):
    ranks, defects = scores
    background, defect = [], []
    for index, (d, n) in enumerate(contents):
        is_open = index == open_bin
        defect.extend(ranks[:defects] - index if is_open else [-index] * d)
        background.extend(ranks[defects:] - index if is_open else [-index] * n)
    return both(values(*background), values(*defect))


def test_the_estimate_is_the_mean_over_all_orders_of_a_bin():
    # Above the bin are 5 defects and 9 background scores, below it 2 and 20.
    contents = [(5, 9), (3, 4), (2, 20)]
    defect, background = np.array(contents, float).T
    counted = bins.Bins(background, defect, defect / 10, np.array([True, False, True]))

    exact = [
        rank(*with_scores(contents, 1, (np.array([*p, *(set(range(7)) - {*p})]) / 8, 3)), 1.0)
        for p in combinations(range(7), 3)
    ]

    assert bins.auroc(counted).estimate == pytest.approx(np.mean([e.auroc for e in exact]))
    assert bins.aupro(counted, 1.0).estimate == pytest.approx(np.mean([e.aupro for e in exact]))
    mean = np.mean([each.average_precision for each in exact])
    found = bins.average_precision(counted)
    assert found.estimate == pytest.approx(mean, abs=5e-4)
    assert found.upper - found.lower > 0.03


# ---- known ties --------------------------------------------------------------------------------


def smooth(seed, size=80):
    """A background and a defect sample that overlap, without ties."""
    generator = np.random.default_rng(seed)
    background = generator.gamma(2, 1, size * size).astype(np.float32)
    defect = generator.gamma(4, 1, size * 8).astype(np.float32)
    return background, defect, np.repeat(np.arange(8), size)


@pytest.mark.parametrize(
    "quantise",
    [
        lambda scores: np.round(scores * 10) / np.float32(255),
        lambda scores: scores.astype(np.float16).astype(np.float32),
        lambda scores: np.round(scores) - 4,
        np.ones_like,
        np.zeros_like,
    ],
    ids=["8 bits", "16 bits", "signed", "constant", "zero"],
)
def test_scores_of_few_bits_are_ranked_exactly(quantise):
    background, defect, regions = smooth(1)
    pixels = quantise(background), quantise(defect), regions

    ranking, error = histogram_of([pixels]).ranking()

    assert_equal_rankings(ranking, rank(*pixels), EXACT)
    assert_equal_rankings(error, Ranking(0, 0, 0))


@pytest.mark.parametrize(("low", "high"), [(1.1, 99), (0, 3.3), (1.1, 3.3)])
def test_clamped_scores_are_no_worse_than_others(low, high):
    background, defect, regions = smooth(2)
    pixels = background.clip(low, high), defect.clip(low, high), regions

    ranking, error = histogram_of([pixels]).ranking()

    exact = rank(*pixels)
    assert max(error.auroc, error.average_precision, error.aupro) < 2e-3
    for name in NAMES:
        assert getattr(ranking, name) == pytest.approx(getattr(exact, name), abs=1e-4)


def test_both_zeros_are_one_score():
    pixels = both(values(-0.0, 0.0, -1), values(0.0, -0.0, 1))

    binned = histogram_of([pixels]).ranking()

    assert_equal_rankings(binned.ranking, rank(*pixels), EXACT)
    assert binned.error.auroc < EXACT


# ---- real maps ---------------------------------------------------------------------------------

SHAPES_OF_SCORES = {
    "as they are": lambda maps: maps,
    "0 to 1": lambda maps: maps / maps.max(),
    "negative": lambda maps: -1 / (maps + np.float32(0.01)),
    "logarithms": lambda maps: np.log(maps + np.float32(0.01)),
    "clamped": lambda maps: maps.clip(0.77, 3.3),
    "8 bits": lambda maps: np.round(maps / maps.max() * 255) / np.float32(255),
}


@pytest.fixture(scope="module", params=["kolektor", "grid"])
def maps_and_masks(test_data, request):
    return real_maps(test_data / "mvtec_layout" / request.param)


@pytest.mark.parametrize("shape", SHAPES_OF_SCORES)
def test_errors_on_real_maps(maps_and_masks, shape):
    maps, masks = maps_and_masks
    maps = SHAPES_OF_SCORES[shape](np.stack(maps))
    images = [pixels_of(*each) for each in zip(maps, masks, strict=True)]

    binned = histogram_of(images).ranking()

    exact = rank(*pooled(images))
    assert_within_bounds(binned, exact)
    assert binned.ranking.auroc == pytest.approx(exact.auroc, abs=1e-5)
    assert binned.ranking.average_precision == pytest.approx(exact.average_precision, abs=1e-4)
    assert binned.ranking.aupro == pytest.approx(exact.aupro, abs=1e-5)
    assert max(binned.error.auroc, binned.error.average_precision, binned.error.aupro) < 5e-4


@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_exponential", "random"])
def test_errors_on_drawn_scores(draw):
    generator = np.random.default_rng(5)
    background, defect = (
        getattr(generator, draw)(size=size).astype(np.float32) for size in (1_000_000, 30_000)
    )
    pixels = background, defect + np.float32(0.5), np.repeat(np.arange(60), 500)

    binned = histogram_of([pixels]).ranking()

    exact = rank(*pixels)
    assert_within_bounds(binned, exact)
    assert binned.ranking.auroc == pytest.approx(exact.auroc, abs=1e-5)
    assert binned.ranking.average_precision == pytest.approx(exact.average_precision, abs=1e-4)
    assert binned.ranking.aupro == pytest.approx(exact.aupro, abs=1e-5)


# ---- adding and merging ------------------------------------------------------------------------


@given(image_sets, st.randoms(use_true_random=False), LIMITS)
@settings(deadline=None, max_examples=40)
def test_merging_is_adding_in_any_order(images, random, limit):
    expected = histogram_of(images).ranking(limit)
    parts = [histogram_of([image]) for image in images] + [ScoreHistogram()]
    random.shuffle(parts)
    while len(parts) > 1:
        other = parts.pop(random.randrange(1, len(parts)))
        random.choice(parts).merge(other)

    assert_same(parts[0].ranking(limit), expected)


@given(image_sets, st.randoms(use_true_random=False), LIMITS)
@settings(deadline=None, max_examples=40)
def test_the_order_of_adding_does_not_matter(images, random, limit):
    expected = histogram_of(images).ranking(limit)
    histogram, parts = ScoreHistogram(), list(images)
    random.shuffle(parts)
    for _, defect, regions in parts:
        histogram.add_defect(defect, regions)
    for score in np.concatenate([background for background, _, _ in parts])[::-1]:
        histogram.add_background(values(score))

    assert_same(histogram.ranking(limit), expected)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.auroc == other.auroc
        assert one.average_precision == other.average_precision
        assert one.aupro == pytest.approx(other.aupro, abs=1e-12)


def test_merging_leaves_the_other_as_it_was():
    first, second = (histogram_of([smooth(seed)]) for seed in (3, 4))
    before = second.ranking()
    first.merge(second)
    first.add_background(values(0.001, 77))

    assert second.ranking() == before


def test_a_ranking_may_be_asked_for_between():
    histogram = histogram_of([smooth(5)])
    histogram.ranking()
    histogram.add_background(smooth(6)[0])

    background, defect, regions = smooth(5)
    background = np.concatenate([background, smooth(6)[0]])
    assert_same(histogram.ranking(), histogram_of([(background, defect, regions)]).ranking())


def test_images_larger_than_what_is_counted_at_once():
    background, defect, regions = smooth(7, size=400)

    binned = histogram_of([(background, defect, regions)]).ranking()

    pieces = [(each, values(), values().astype(int)) for each in np.array_split(background, 9)]
    nothing = values()
    assert_same(binned, histogram_of([*pieces, (nothing, defect, regions)]).ranking())
    assert_within_bounds(binned, rank(background, defect, regions))


def test_scores_are_left_as_they_were():
    pixels = values(3, -1, 2), values(0, -2), np.array([1, 0])

    histogram_of([pixels])

    assert [each.tolist() for each in pixels] == [[3, -1, 2], [0, -2], [1, 0]]


def test_memory_does_not_grow_with_the_number_of_images():
    background, defect, regions = smooth(8, size=300)
    tracemalloc.start()
    histogram = ScoreHistogram()
    for _ in range(30):
        histogram.add_background(background)
        histogram.add_defect(defect, regions)
    histogram.ranking()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 36 * 2**20


# ---- what is not defined -----------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (0, 0)])
def test_one_class_alone_is_not_defined(sizes):
    background, defect = (np.ones(size, np.float32) for size in sizes)

    binned = histogram_of([both(background, defect)]).ranking()

    assert binned == BinnedRanking(UNDEFINED, UNDEFINED)


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.01, float("nan")])
def test_limit_outside_is_an_error(limit):
    with pytest.raises(ValueError, match="AUPRO limit"):
        histogram_of([both(values(1), values(2))]).ranking(limit)


def test_regions_must_fit_the_defect_pixels():
    with pytest.raises(ValueError, match="3 region numbers, but 2 defect pixels"):
        ScoreHistogram().add_defect(values(1, 2), np.zeros(3, int))


def test_regions_of_different_calls_are_different_regions():
    histogram = ScoreHistogram()
    histogram.add_background(values(*range(10)))
    histogram.add_defect(values(*[99] * 90), np.zeros(90, int))
    histogram.add_defect(values(-1), np.zeros(1, int))

    assert histogram.ranking().ranking.aupro == pytest.approx(0.5)


def test_numbers_without_a_pixel_are_no_regions():
    histogram = histogram_of([(values(0, 0), values(5, -1), np.array([1, 3]))])

    assert histogram.ranking().ranking.aupro == pytest.approx(0.5)

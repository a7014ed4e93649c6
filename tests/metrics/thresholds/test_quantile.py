"""Thresholds are exactly the quantiles they claim to be, and their health is what it says."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_robustbench.metrics.thresholds.quantile import (
    TailAccumulator,
    TailHealth,
    conformal_threshold,
    normal_quantile,
    tail_health,
)

QUANTILES = st.sampled_from([0.0, 0.001, 0.3, 0.5, 0.9, 0.99, 0.999, 1.0])
NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])


@st.composite
def map_sets(draw, min_images=1):
    """A few maps of differing shapes, from coarse values (many ties) or fine ones."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    maps = []
    for _ in range(draw(st.integers(min_images, 6))):
        shape = (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
        levels = draw(st.sampled_from([1, 3, 100_000]))
        scale = draw(st.sampled_from([0.01, 1.0, 30.0]))
        scores = generator.integers(0, levels, shape) - levels // 3
        maps.append((scores * scale).astype(np.float32))
    return maps


def pooled(maps):
    return np.concatenate([each.ravel() for each in maps])


def close_in_float32(value, expected, maps):
    """Versions of numpy differ in where they round: allow two units in the last place."""
    return abs(value - expected) <= 2 * np.spacing(np.abs(pooled(maps)).max())


@given(map_sets(), QUANTILES)
@settings(deadline=None, max_examples=80)
def test_quantile_is_numpys(maps, q):
    expected = np.quantile(pooled(maps).astype(np.float64), q)

    threshold = normal_quantile(maps, q)

    assert close_in_float32(threshold, expected, maps)
    assert np.float32(threshold) == threshold


@pytest.mark.skipif(NUMPY < (2, 4), reason="earlier numpy rounds elsewhere on the way to float32")
@given(map_sets(), st.one_of(QUANTILES, st.floats(0, 1)))
@settings(deadline=None, max_examples=150)
def test_quantile_is_numpys_to_the_last_bit(maps, q):
    assert normal_quantile(maps, q) == float(np.quantile(pooled(maps), q))


@given(map_sets(), QUANTILES)
@settings(deadline=None, max_examples=40)
def test_at_most_the_promised_share_lies_above(maps, q):
    pixels = pooled(maps)

    above = np.count_nonzero(pixels > np.float32(normal_quantile(maps, q)))

    assert above <= ceil((1 - Fraction(str(q))) * (pixels.size - 1))


def test_many_images_where_only_the_upper_tail_is_kept():
    scores = np.random.default_rng(4).permutation(60_001).astype(np.float32) / 2**16
    maps = [scores[:1], *scores[1:].reshape(30, 40, 50)]

    assert normal_quantile(maps, 0.999) == pytest.approx(59_940 / 2**16, abs=1e-7)
    assert normal_quantile(maps, 0.9985) == pytest.approx(59_910 / 2**16, abs=1e-7)


def test_interpolation_never_leaves_its_two_values():
    # From the lower value alone, -1e8 + 1e8 * (1 - 2**-24) would end at -8, not near -6.
    maps = [np.array([[-1e8, 0]], np.float32)]

    assert normal_quantile(maps, 1 - 2**-24) == pytest.approx(-1e8 * 2**-24)


def test_maps_are_left_as_they_were():
    maps = [np.random.default_rng(i).random((6, 7), dtype=np.float32) for i in range(4)]
    before = [each.copy() for each in maps]

    tail_health(maps, 0.9)

    assert all(np.array_equal(*pair) for pair in zip(before, maps, strict=True))


def slow_health(maps, q):
    """The health by brute force, of all pixels at once."""
    pixels, threshold = pooled(maps), normal_quantile(maps, q)
    held = [int(np.count_nonzero(each > np.float32(threshold))) for each in maps]
    rests = [maps[:i] + maps[i + 1 :] for i in range(len(maps))]
    return TailHealth(
        threshold=threshold,
        images=len(maps),
        pixels=pixels.size,
        images_in_tail=sum(count > 0 for count in held),
        largest_share=max(held) / sum(held) if sum(held) else 0,
        largest_owner=held.index(max(held)),
        without_each=tuple(normal_quantile(rest, q) for rest in rests) if rests[1:] else (),
        maximum=pixels.max(),
        ties_at_maximum=np.count_nonzero(pixels == pixels.max()),
    )


@given(map_sets(), st.one_of(QUANTILES, st.floats(0, 1)))
@settings(deadline=None, max_examples=150)
def test_health_agrees_with_brute_force(maps, q):
    health = tail_health(maps, q)

    assert health == slow_health(maps, q)
    assert health.threshold_is_maximum == (health.images_in_tail == 0)


@given(map_sets(min_images=2), st.one_of(QUANTILES, st.floats(0, 1)), st.data())
@settings(deadline=None, max_examples=150)
def test_health_is_by_part(maps, q, data):
    drawn = data.draw(st.lists(st.integers(0, 2), min_size=len(maps), max_size=len(maps)))
    parts = np.unique(drawn, return_inverse=True)[1]
    tail = TailAccumulator([each.size for each in maps], q, parts)
    for owner, each in enumerate(maps):
        tail.add(owner, each)
    together = [
        np.concatenate([each.ravel() for each, of in zip(maps, parts, strict=True) if of == part])
        for part in range(parts.max() + 1)
    ]

    of_images, of_parts, found = slow_health(maps, q), slow_health(together, q), tail.health()

    assert found.threshold == of_images.threshold
    assert found.images_in_tail == of_images.images_in_tail
    assert found.largest_share == of_parts.largest_share
    assert parts[found.largest_owner] == of_parts.largest_owner
    assert found.without_each == tuple(of_parts.without_each[p] for p in parts if parts.max())


@given(map_sets(), st.one_of(QUANTILES, st.floats(0, 1)), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_maps_may_be_added_in_any_order(maps, q, random):
    tail = TailAccumulator([each.size for each in maps], q)
    order = list(range(len(maps)))
    random.shuffle(order)
    for owner in order:
        tail.add(owner, maps[owner])

    assert tail.health() == slow_health(maps, q)


@given(map_sets(min_images=2), QUANTILES)
@settings(deadline=None, max_examples=80)
def test_leaving_out_each_image_agrees_with_numpy(maps, q):
    without_each = tail_health(maps, q).without_each

    rests = [maps[:i] + maps[i + 1 :] for i in range(len(maps))]
    for value, rest in zip(without_each, rests, strict=True):
        expected = np.quantile(pooled(rest).astype(np.float64), q)
        assert close_in_float32(value, expected, rest)


@pytest.mark.parametrize("order", [1, -1])
def test_health_of_many_images_whose_level_rises_or_falls(order):
    generator = np.random.default_rng(9)
    maps = [np.round(generator.gamma(2, 1, (40, 40)) + i / 9, 2) for i in range(60)][::order]
    maps = [each.astype(np.float32) for each in maps]

    assert tail_health(maps, 0.99) == slow_health(maps, 0.99)


def test_a_buffer_may_be_used_for_the_next_map():
    maps = [np.random.default_rng(i).random((5, 6), dtype=np.float32) for i in range(4)]
    tail, buffer = TailAccumulator([30] * 4, 0.5), np.empty((5, 6), np.float32)
    for owner, each in enumerate(maps):
        buffer[:] = each
        tail.add(owner, buffer)

    assert tail.health() == slow_health(maps, 0.5)


def test_little_more_than_the_tail_is_kept():
    sizes = [512 * 512] * 12
    tail = TailAccumulator(sizes, 0.999)
    tracemalloc.start()
    for owner in range(12):
        tail.add(owner, np.random.default_rng(owner).random((512, 512), dtype=np.float32))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    largest_image = 4 * 512 * 512
    assert kept < 0.001 * sum(sizes) * 9 * 8
    assert peak < kept + 5 * largest_image


def test_a_missing_map_is_an_error():
    tail = TailAccumulator([4, 4], 0.5)
    tail.add(0, np.zeros((2, 2), np.float32))

    with pytest.raises(ValueError, match="map 1 has not been added"):
        tail.health()


def test_a_map_of_another_size_is_an_error():
    with pytest.raises(ValueError, match="map 1 has 4 pixels, not 6"):
        TailAccumulator([4, 6], 0.5).add(1, np.zeros((2, 2), np.float32))


def test_a_map_given_twice_is_an_error():
    tail = TailAccumulator([4, 4], 0.5)
    tail.add(1, np.zeros((2, 2), np.float32))

    with pytest.raises(ValueError, match="map 1 has been added before"):
        tail.add(1, np.zeros((2, 2), np.float32))


def test_nothing_left_without_an_image_is_an_error():
    with pytest.raises(ValueError, match="no calibration pixels"):
        tail_health([np.ones((2, 2), np.float32), np.ones((0, 3), np.float32)], 0.5)


def test_one_odd_image_that_holds_the_whole_tail_is_shown():
    maps = [np.random.default_rng(i).random((50, 50), dtype=np.float32) for i in range(24)]
    maps[7] = maps[7] + 10

    health = tail_health(maps, 0.999)

    assert health.threshold > 10
    assert health.images_in_tail == 1
    assert health.largest_share == 1
    assert health.without_each[7] < 1
    assert all(value > 10 for i, value in enumerate(health.without_each) if i != 7)


def test_a_clamped_scale_is_shown():
    maps = [np.minimum(np.random.default_rng(i).random((30, 30)), 0.9) for i in range(5)]

    health = tail_health([each.astype(np.float32) for each in maps], 0.999)

    assert health.threshold_is_maximum
    assert health.ties_at_maximum > 100
    assert health.largest_share == 0


def test_a_single_image_cannot_be_left_out():
    health = tail_health([np.arange(6, dtype=np.float32).reshape(2, 3)], 0.5)

    assert (health.threshold, health.without_each) == (2.5, ())


@given(map_sets(min_images=2), QUANTILES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_order_of_the_images_does_not_matter(maps, q, random):
    order = list(range(len(maps)))
    random.shuffle(order)

    health, shuffled = tail_health(maps, q), tail_health([maps[i] for i in order], q)

    assert shuffled.threshold == health.threshold
    assert shuffled.largest_share == health.largest_share
    assert shuffled.without_each == tuple(health.without_each[i] for i in order)


@pytest.mark.parametrize("maps", [[], [np.zeros((0, 4), np.float32)]])
def test_no_pixel_is_an_error(maps):
    with pytest.raises(ValueError, match="no calibration pixels"):
        normal_quantile(maps, 0.999)
    with pytest.raises(ValueError, match="no calibration pixels"):
        tail_health(maps, 0.999)


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_quantile_outside_the_unit_interval_is_an_error(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        tail_health([np.zeros((2, 2), np.float32)], q)


@pytest.mark.parametrize(
    ("n", "q", "k"),
    [
        (19, 0.95, 19),
        (39, 0.95, 38),
        (100, 0.95, 96),  # ceil(95.95)
        (10, 0.95, 10),  # too few: 11 * 0.95 is above 10
        (1, 0.5, 1),
        (99, 0.07, 7),  # 100 * 0.07 is 7.000000000000001 in floats
        (99, 0.55, 55),  # 100 * 0.55 is 55.00000000000001
        (99, 0.29, 29),  # 100 * 0.29 is 28.999999999999996
    ],
)
def test_conformal_threshold_is_the_kth_smallest(n, q, k):
    scores = np.random.default_rng(n).permutation(n).astype(np.float32)

    threshold, rate = conformal_threshold(scores, q)

    assert threshold == k - 1
    assert rate == (n + 1 - k) / (n + 1)


def test_too_few_scores_reject_more_than_promised():
    assert conformal_threshold(np.arange(4, dtype=np.float32), 0.95) == (3.0, 0.2)


@given(st.integers(1, 300), st.integers(1, 999))
@example(19, 950)
@settings(deadline=None, max_examples=100)
def test_expected_rate_keeps_the_promise_where_it_can(n, thousandths):
    q = thousandths / 1000

    _, rate = conformal_threshold(np.arange(n, dtype=np.float32), q)

    assert 0 < rate <= 1
    # In thousandths, so that the comparison itself is exact.
    k = n + 1 - round(rate * (n + 1))
    assert k == n or 1000 * k >= (n + 1) * thousandths
    assert k == 1 or 1000 * (k - 1) < (n + 1) * thousandths


def test_conformal_coverage_holds_on_fresh_scores():
    draws = np.random.default_rng(3).random((4000, 25), dtype=np.float32)
    results = [conformal_threshold(each[:24], 0.9) for each in draws]

    rejected = np.mean([each[24] > r.threshold for each, r in zip(draws, results, strict=True)])

    # Binomial with 4000 draws: three standard deviations are 0.013.
    assert rejected == pytest.approx(results[0].expected_false_reject_rate, abs=0.014)


def test_conformal_threshold_without_scores_is_an_error():
    with pytest.raises(ValueError, match="no calibration scores"):
        conformal_threshold(np.empty(0, np.float32), 0.95)


@pytest.mark.parametrize("q", [0.0, 1.0, 2.0])
def test_conformal_quantile_must_lie_inside(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        conformal_threshold(np.ones(3, np.float32), q)


def test_images_of_one_part_weigh_together_as_one():
    scores = np.array([1, 2, 3, 4, 9, 9.5, 10], np.float32)
    parts = np.array([0, 1, 2, 3, 4, 4, 4])
    assert conformal_threshold(scores, 0.8, parts) == (10.0, pytest.approx(1 / 6))
    assert conformal_threshold(scores, 0.7, parts) == (9.0, pytest.approx((6 - 13 / 3) / 6))
    each = np.arange(7)
    assert conformal_threshold(scores, 0.7, each) == conformal_threshold(scores, 0.7)


@pytest.mark.parametrize("most", [1, 5, 10])
def test_conformal_coverage_holds_on_an_image_of_a_fresh_part(most):
    rng = np.random.default_rng(most)
    rejected, promised = [], []
    for _ in range(1500):
        parts = np.repeat(np.arange(24), rng.integers(1, most + 1, 24))
        scores = rng.normal(size=24)[parts] + 0.5 * rng.normal(size=len(parts))
        found = conformal_threshold(scores.astype(np.float32), 0.9, parts)
        fresh = rng.normal(size=50) + 0.5 * rng.normal(size=50)
        rejected.append(np.mean(fresh > found.threshold))
        promised.append(found.expected_false_reject_rate)
    assert np.mean(rejected) <= np.mean(promised) + 0.01
    assert max(promised) <= 0.1 + 1e-9

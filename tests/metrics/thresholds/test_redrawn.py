"""Redrawn thresholds lie within their ends, whatever the calibration images are like."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.metrics.thresholds.quantile import TailAccumulator, conformal_threshold
from pytest_robustbench.metrics.thresholds.redrawn import (
    TAILS,
    RedrawnTail,
    image_thresholds,
    ranges,
    urn_draws,
)

PIXELS, Q, IMAGE_Q = 512, 0.99, 0.95


def population(kind, rng, n=600):
    """Images whose tail all carry alike, a few carry, or rare ones that are lit as a whole."""
    pixels = 20 + rng.standard_normal((n, PIXELS))
    if kind == "uneven":
        pixels += rng.normal(0, 1, (n, 1))
    if kind == "few":
        odd = rng.random(n) < 0.1
        pixels[odd, :40] += rng.uniform(4, 25, (odd.sum(), 1))
    if kind == "lit":
        odd = rng.random(n) < 0.04
        pixels[odd] += rng.uniform(2, 30, (odd.sum(), 1))
    return pixels.astype(np.float32)


def ends_of(pixels, groups, seed):
    tail = TailAccumulator([PIXELS] * len(pixels), Q)
    for owner, image in enumerate(pixels):
        tail.add(owner, image)
    draws = urn_draws(int(groups.max()) + 1, seed)
    counted = RedrawnTail.of(tail.largest(), [PIXELS] * len(pixels), groups, Q)
    scores = pixels.max(axis=1)
    of_images = image_thresholds(scores, groups, IMAGE_Q, *draws)
    return next(ranges(counted.thresholds(*draws))), next(ranges(of_images))


def beyond(value, ends):
    low, high = ends
    return (low is not None and value < low), (high is not None and value > high)


@pytest.mark.parametrize("per_part", [1, 4])
@pytest.mark.parametrize("n_parts", [24])
@pytest.mark.parametrize("kind", ["alike", "uneven", "few", "lit"])
def test_another_calibration_lies_beyond_either_end_as_rarely_as_is_said(kind, n_parts, per_part):
    rng = np.random.default_rng(1)
    images = population(kind, rng)
    groups = np.repeat(np.arange(n_parts), per_part)

    def drawn():
        parts = rng.integers(0, len(images), n_parts)
        return images[np.repeat(parts, per_part)]

    found = []
    for seed in range(80):
        of_pixels, of_images = ends_of(drawn(), groups, seed)
        other = drawn()
        threshold = np.quantile(other, Q)
        of_parts = conformal_threshold(other.max(axis=1), IMAGE_Q).threshold
        found.append([*beyond(threshold, of_pixels), *beyond(of_parts, of_images)])

    assert (np.mean(found, axis=0) <= TAILS[0] + 2 * np.sqrt(TAILS[0] / 80)).all()


def test_one_lit_part_may_put_the_pixel_threshold_anywhere():
    pixels = population("alike", np.random.default_rng(0))[:48]

    (low, high), _ = ends_of(pixels, np.arange(48), 0)

    assert low == pytest.approx(np.quantile(pixels, Q), abs=0.2)
    assert high is None


def test_many_images_bound_the_image_threshold_on_both_sides():
    pixels = population("alike", np.random.default_rng(0))

    few = ends_of(pixels[:48], np.arange(48), 0)[1]
    many = ends_of(pixels[:320], np.arange(320), 0)[1]

    assert few.highest is None
    assert many.lowest < conformal_threshold(pixels[:320].max(axis=1), IMAGE_Q)[0] < many.highest


def test_images_of_one_part_are_one_piece_of_evidence():
    pixels = np.repeat(population("uneven", np.random.default_rng(0))[:16], 5, axis=0)

    of_images, of_parts = (ends_of(pixels, np.arange(80) // n, 0)[0] for n in (1, 5))

    assert of_parts.lowest < of_images.lowest - 0.1


def test_the_ends_are_the_same_every_time():
    pixels = population("few", np.random.default_rng(0))[:24]

    assert ends_of(pixels, np.arange(24), 0) == ends_of(pixels, np.arange(24), 0)
    assert (urn_draws(24, 0)[0] != urn_draws(24, 1)[0]).any()


# ---- by hand -------------------------------------------------------------------------------------


def test_the_ends_are_those_of_a_95_and_of_a_99_percent_interval():
    low = np.arange(2000.0)[::-1]

    assert list(ranges((low, low + 0.5))) == [(50, 1949.5), (10, 1989.5)]


def test_an_end_that_no_score_is_has_no_number():
    low, high = np.full(40, -np.inf), np.full(40, np.inf)

    assert list(ranges((low, high))) == [(None, None)] * 2
    assert list(ranges((np.zeros(40), np.ones(40)))) == [(0, 1)] * 2


def test_the_image_threshold_of_a_draw_is_the_score_that_enough_parts_reach():
    """Half of four parts and one more: 2.5 must lie at or below it."""
    seen = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 3], [1, 0, 0, 0]], float)
    unseen = np.array([0.0, 1.0, 1.0, 3.0])
    scores = np.array([4, 3, 1, 2], np.float32)

    low, high = image_thresholds(scores, np.arange(4), 0.5, seen, unseen)

    assert low.tolist() == [3, 3, 2, -np.inf]
    assert high.tolist() == [3, 4, 2, np.inf]


def test_images_of_one_part_weigh_together_as_one():
    scores, groups = np.array([1, 2, 3, 4], np.float32), np.array([0, 0, 1, 1])

    low, high = image_thresholds(scores, groups, 0.5, np.array([[1.0, 1.0]]), np.zeros(1))

    assert (low.tolist(), high.tolist()) == ([3], [3])  # 1.5 of 0.5, 1, 1.5 and 2


def test_the_pixel_threshold_of_a_draw_leaves_as_many_pixels_above_as_it_may():
    """A fifth of 20 pixels, or of the 30 with a part that nobody has seen."""
    parts = np.array([[1, 2, 3, 4, 9, 9, 9, 9, 9, 9], [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]], np.float32)
    tail = TailAccumulator([10, 10], 0.0)
    for owner, part in enumerate(parts):
        tail.add(owner, part)
    counted = RedrawnTail.of(tail.largest(), [10, 10], np.arange(2), 0.8)
    seen = np.array([[1, 1], [0, 2], [1, 0]], float)

    low, high = counted.thresholds(seen, np.array([0.0, 0.0, 1.0]))

    # Above 8 lie 6 pixels of both, of the second alone none, above 7 there 3 of each.
    assert low.tolist() == [8, 7, 8]
    assert high.tolist() == [9, 8, np.inf]

"""The worst images of a condition: which they are, and that what is shown is what was counted."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.evaluation.measure.exhibits import (
    LONGEST,
    Exhibition,
    fitted,
    telling_images,
)
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.evaluation.results import PixelLevels
from pytest_robustbench.metrics.ranking.levels import levels_of_sorted
from pytest_robustbench.reports.file.record import condition_record
from tests.evaluation.evaluation_parts import Contrast, Scores, benchmark, defect, normal, split

THRESHOLD = 5.0
POINT = OperatingPoint(pixel_threshold=15.0, image_threshold=THRESHOLD)
CALLED, NOT_CALLED = 9.0, 1.0
SHIFTED = Condition("geo_jitter", 5)
NO_PIXELS = (0, 0, 0, 0)


def worst(*images, threshold=THRESHOLD):
    """Images as ``(label, score, (tp, fp, fn, tn))``."""
    labels, scores, counts = zip(*images, strict=True)
    return telling_images(
        np.array(labels),
        np.array(scores, np.float32),
        np.array(counts, np.float64).T,
        threshold,
    )


def found(missed_pixels=0, score=CALLED):
    return (1, score, (100 - missed_pixels, 0, missed_pixels, 900))


def missed(missed_pixels=0):
    return found(missed_pixels, NOT_CALLED)


def good(false_pixels=0, score=NOT_CALLED):
    return (0, score, (0, false_pixels, 0, 1000 - false_pixels))


def rejected(false_pixels=0):
    return good(false_pixels, CALLED)


# ---- which images ------------------------------------------------------------------------------


def test_a_miss_comes_before_a_defect_whose_pixels_are_found_badly():
    assert worst(found(99), missed(1)) == [1, 0]


def test_a_false_reject_comes_before_a_normal_image_with_more_false_pixels():
    assert worst(rejected(1), good(900), found(1), found(1)) == [0, 2, 3]


def test_of_several_misses_the_one_with_the_lowest_segf1_comes_first():
    assert worst(missed(10), missed(90), good(1)) == [1, 0, 2]
    one_pixel = (1, NOT_CALLED, (0, 0, 1, 999))
    assert worst(missed(80), one_pixel, good(1)) == [1, 0, 2]


def test_two_defects_and_one_normal_image_are_shown():
    assert worst(missed(9), missed(8), missed(7), rejected(5), rejected(4)) == [0, 1, 3]


def test_a_normal_image_has_its_place_even_behind_many_misses():
    assert worst(missed(9), missed(8), missed(7), good(1)) == [0, 1, 3]


def test_defects_fill_the_place_of_a_normal_image():
    assert worst(missed(9), missed(8), missed(7), missed(6), good()) == [0, 1, 2]


def test_normal_images_fill_the_places_of_defects():
    assert worst(found(), rejected(3), rejected(9), good(5), good(4)) == [2, 1, 3]


def test_images_that_fill_places_stand_in_their_rank():
    assert worst(rejected(9), rejected(5), found(50)) == [0, 1, 2]
    assert worst(good(9), good(5), missed(50)) == [2, 0, 1]


def test_where_nothing_is_wrong_nothing_is_shown():
    assert worst(found(), good()) == []


def test_what_was_not_measured_is_never_shown():
    assert worst((1, np.nan, NO_PIXELS), (0, np.nan, (0, 9, 0, 1)), missed()) == [2]


def test_of_equal_images_the_first_is_shown():
    assert worst(*[missed(5)] * 4, *[rejected(2)] * 3) == [0, 1, 4]


def test_a_score_at_the_threshold_is_not_called():
    assert worst((1, THRESHOLD, NO_PIXELS), (0, THRESHOLD, NO_PIXELS)) == [0]


def test_an_image_without_a_known_mask_can_only_be_decided_wrongly():
    unknown = (np.nan,) * 4

    assert worst((1, NOT_CALLED, unknown), (1, CALLED, unknown), found(5)) == [0, 2]


def test_without_any_image_nothing_is_shown():
    empty = np.empty(0)

    assert telling_images(empty.astype(int), empty, np.empty((4, 0)), THRESHOLD) == []


# ---- chunk by chunk ----------------------------------------------------------------------------


COUNT = st.integers(0, 3)
IMAGES = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.sampled_from([NOT_CALLED, CALLED, np.nan]),
        st.tuples(COUNT, COUNT, COUNT, COUNT),
    ),
    min_size=1,
    max_size=14,
)


def scene_of(index):
    """A picture that tells which image it is of."""
    return Corrupted(np.full((2, 2, 3), index, np.uint8), np.zeros((2, 2), bool), None)


def kept_chunk_by_chunk(images, cuts, point=POINT):
    labels = np.array([label for label, _, _ in images])
    tally = SimpleNamespace(
        score=np.full(len(images), np.nan, np.float32), counts=np.zeros((4, len(images)), np.int64)
    )
    exhibition = Exhibition(labels, point)
    # As in a sweep: what a condition leaves out is in no chunk.
    kept = [i for i, (_, score, _) in enumerate(images) if not np.isnan(score)]
    starts = sorted({0, *(cut for cut in cuts if cut < len(kept))})
    for start, stop in zip(starts, [*starts[1:], len(kept)], strict=True):
        chunk = kept[start:stop]
        for index in chunk:
            _, tally.score[index], tally.counts[:, index] = images[index]
        for place in exhibition.choose(tally, chunk):
            exhibition.keep(chunk[place], scene_of(chunk[place]), None)
    return exhibition.exhibits


@given(IMAGES, st.sets(st.integers(1, 13)))
@settings(deadline=None, max_examples=300)
def test_chunks_keep_exactly_the_worst_of_all(images, cuts):
    unmeasured_count_nothing = [
        (label, score, NO_PIXELS if np.isnan(score) else counts) for label, score, counts in images
    ]

    shown = kept_chunk_by_chunk(images, cuts)

    assert [e.index for e in shown] == worst(*unmeasured_count_nothing)
    assert [int(e.image[0, 0, 0]) for e in shown] == [e.index for e in shown]


@given(IMAGES, st.sets(st.integers(1, 13)))
@settings(deadline=None, max_examples=60)
def test_without_a_pixel_threshold_pixels_do_not_decide(images, cuts):
    point = OperatingPoint(pixel_threshold=None, image_threshold=THRESHOLD)

    shown = kept_chunk_by_chunk(images, cuts, point)

    without_pixels = [(label, score, NO_PIXELS) for label, score, _ in images]
    assert [e.index for e in shown] == worst(*without_pixels)


# ---- what is kept of an image ------------------------------------------------------------------


def kept(image, mask, anomaly_map, ignored=None):
    exhibition = Exhibition(np.array([1]), POINT)
    tally = SimpleNamespace(score=np.zeros(1, np.float32), counts=np.zeros((4, 1), np.int64))
    exhibition.choose(tally, [0])
    exhibition.keep(0, Corrupted(image, mask, ignored), anomaly_map)
    (exhibit,) = exhibition.exhibits
    return exhibit


def black(height, width):
    return np.zeros((height, width, 3), np.uint8)


def test_a_small_image_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (LONGEST, 30, 3), np.uint8)
    mask = image[..., 0] > 128

    exhibit = kept(image, mask, np.where(mask, 20, 0).astype(np.float32))

    assert np.array_equal(exhibit.image, image)
    assert np.array_equal(exhibit.truth, mask)
    assert np.array_equal(exhibit.called, mask)


def test_a_large_image_is_shrunk_with_its_masks():
    size = (LONGEST * 3, LONGEST * 2)

    exhibit = kept(black(*size), np.zeros(size, bool), np.zeros(size, np.float32))

    assert exhibit.image.shape == (LONGEST, LONGEST * 2 // 3, 3)
    assert exhibit.truth.shape == exhibit.called.shape == exhibit.image.shape[:2]


def test_a_thin_defect_survives_the_shrinking():
    mask = np.zeros((1001, 1501), bool)
    mask[617, 3:1490] = True

    exhibit = kept(black(1001, 1501), mask, np.where(mask, 20, 0).astype(np.float32))

    for small in (exhibit.truth, exhibit.called):
        columns = np.flatnonzero(small.any(axis=0))
        assert np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))
        assert columns.size > 0.98 * LONGEST
        assert small.any(axis=1).sum() <= 2


def test_ignored_pixels_are_not_called():
    ignored = np.zeros((4, 6), bool)
    ignored[:, :2] = True

    exhibit = kept(black(4, 6), None, np.full((4, 6), 20, np.float32), ignored)

    assert np.array_equal(exhibit.called, ~ignored)


def test_a_pixel_at_the_threshold_is_not_called():
    at_and_above = np.array([[15.0, np.nextafter(np.float32(15), np.float32(16))]], np.float32)

    assert kept(black(1, 2), None, at_and_above).called.tolist() == [[False, True]]


def test_what_is_not_known_is_not_drawn():
    exhibit = kept(black(4, 6), None, None)

    assert exhibit.truth is None
    assert exhibit.called is None


@pytest.mark.parametrize("shape", [(1, 100_000), (100_000, 1), (1, 1), (LONGEST + 1, LONGEST)])
def test_no_side_is_longer_or_lost(shape):
    height, width = fitted(shape, LONGEST)

    assert 1 <= height <= LONGEST
    assert 1 <= width <= LONGEST


# ---- in a benchmark ----------------------------------------------------------------------------


def measured(condition=CLEAN, detector=None, parts=None, *, exhibits=True, **more):
    found = benchmark(
        parts, detector, exhibits=exhibits, corruptions=["geo_jitter"], severities=[5], **more
    )
    return found.evaluate(condition)


def timeless(result):
    """What a record holds of a result, but for times and memory."""
    record = condition_record(result)
    return {k: v for k, v in record.items() if "latency" not in k and k != "memory"}


def counted(result, index):
    columns = result.per_image
    return int(columns.tp[index] + columns.fp[index])


@pytest.mark.parametrize("condition", [CLEAN, SHIFTED], ids=lambda c: c.id)
def test_nothing_that_is_measured_changes(condition):
    with_them, without = (measured(condition, exhibits=wanted) for wanted in (True, False))

    assert with_them.exhibits
    assert without.exhibits == ()
    assert timeless(with_them) == timeless(without)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_detector_is_not_called_more_often(batch_size):
    watched = [Contrast(), Contrast()]
    for detector, exhibits in zip(watched, (True, False), strict=True):
        measured(detector=detector, exhibits=exhibits, evaluation={"batch_size": batch_size})

    assert watched[0].calls == watched[1].calls


@pytest.mark.parametrize("condition", [CLEAN, SHIFTED], ids=lambda c: c.id)
@pytest.mark.parametrize("memory", [None, 0], ids=["one chunk", "chunk by chunk"])
def test_what_is_shown_as_called_is_what_was_counted(condition, memory):
    settings_of = {} if memory is None else {"memory_budget": memory}

    result = measured(condition, evaluation=settings_of)

    assert result.exhibits
    for exhibit in result.exhibits:
        assert exhibit.called.sum() == counted(result, exhibit.index)


def test_pixels_from_outside_the_frame_are_neither_counted_nor_called():
    """A detector that calls everything anomalous calls the ignored pixels too."""
    everything = OperatingPoint(pixel_threshold=-1.0, image_threshold=0.5)
    pale = [normal(f"test/good/{i}", 30 + i) for i in range(3)]

    result = measured(
        SHIFTED, parts=split(test=[*pale, defect("d", 9)]), operating_point=everything
    )

    assert result.exhibits
    for exhibit in result.exhibits:
        assert not exhibit.called.all(), "some pixels come from outside the frame"
        assert exhibit.called.sum() == counted(result, exhibit.index)


def test_a_picture_shows_what_the_detector_saw():
    tried = benchmark(exhibits=True, corruptions=["geo_jitter"], severities=[5])

    for exhibit in tried.evaluate(SHIFTED).exhibits:
        scene, _ = tried.evaluator.picture(SHIFTED, exhibit.index)
        assert np.array_equal(exhibit.image, scene.image)
        assert np.array_equal(exhibit.truth, scene.mask)


@pytest.mark.parametrize("condition", [CLEAN, SHIFTED], ids=lambda c: c.id)
@pytest.mark.parametrize("detector", [Contrast, Scores])
def test_the_record_names_the_same_images(condition, detector):
    """A page is rendered from the JSON alone, and must ask for the pictures that were kept."""
    parts = split(test=[*split().test, defect("no mask", 5, known=False)])

    result = measured(condition, detector(), parts)

    record = json.loads(json.dumps(condition_record(result)))
    columns = record["per_image"]
    shown = telling_images(
        np.array([sample.label for sample in parts.test]),
        np.array(columns["score"], np.float64).astype(np.float32),
        np.array([columns[name] for name in ("tp", "fp", "fn", "tn")], np.float64),
        record["results"]["threshold"],
    )
    assert [e.index for e in result.exhibits] == shown


def test_a_detector_without_maps_shows_what_it_decides_wrongly():
    never = OperatingPoint(pixel_threshold=None, image_threshold=1e6)

    result = measured(detector=Scores(), operating_point=never)

    assert [e.index for e in result.exhibits] == [0, 1, 2]
    assert all(e.called is None and e.truth is not None for e in result.exhibits)


def test_maps_without_a_pixel_threshold_call_nothing():
    never = OperatingPoint(pixel_threshold=None, image_threshold=1e6)

    result = measured(operating_point=never)

    assert [e.index for e in result.exhibits] == [0, 1, 2]
    assert all(e.called is None for e in result.exhibits)


def test_a_defect_without_a_mask_has_no_outline():
    parts = split(test=[defect("no mask", 5, known=False), normal("good", 60)])
    never = OperatingPoint(pixel_threshold=1.0, image_threshold=1e6)

    (exhibit,) = (e for e in measured(parts=parts, operating_point=never).exhibits if e.index == 0)

    assert exhibit.truth is None
    assert exhibit.called.any()


def test_an_image_that_was_left_out_is_never_shown():
    edge = [defect(f"edge/{i}", 50 + i, where=np.s_[0:1, i : i + 1]) for i in range(8)]
    never = OperatingPoint(pixel_threshold=1e6, image_threshold=1e6)

    result = measured(SHIFTED, parts=split(test=[*edge, normal("good", 60)]), operating_point=never)

    gone = np.flatnonzero(~result.per_image.measured)
    assert gone.size
    assert not {e.index for e in result.exhibits} & set(gone.tolist())


# ---- where scores lie --------------------------------------------------------------------------


def test_levels_are_those_of_the_maps():
    parts = split(n_good=2, n_defect=2)
    tried = benchmark(parts)

    result = tried.evaluate(CLEAN)

    pictures = [tried.evaluator.picture(CLEAN, i) for i in range(len(parts.test))]
    background = np.concatenate([found[~scene.mask] for scene, found in pictures])
    inside = np.concatenate([found[scene.mask] for scene, found in pictures])
    assert result.pixel_levels == PixelLevels(
        levels_of_sorted(np.sort(background)), levels_of_sorted(np.sort(inside))
    )


def test_binned_levels_lie_just_below_the_exact_ones():
    exact = measured(exhibits=False).pixel_levels
    binned = measured(exhibits=False, evaluation={"memory_budget": 0})

    assert binned.ranking == "binned"
    for kind in ("background", "defect"):
        pairs = zip(getattr(binned.pixel_levels, kind), getattr(exact, kind), strict=True)
        assert all(e * (1 - 1 / 2048) <= b <= e for b, e in pairs)


def test_without_defect_pixels_the_background_still_has_levels():
    parts = split(test=[normal(f"good/{i}", 60 + i) for i in range(3)])

    levels = measured(parts=parts).pixel_levels

    assert levels.defect == ()
    assert list(levels.background) == sorted(levels.background) != []


def test_a_detector_without_maps_has_no_levels():
    assert measured(detector=Scores()).pixel_levels == PixelLevels()

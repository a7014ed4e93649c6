"""A condition's result depends on nothing but its images: not on order, subset or repetition."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import ConfigError, CorruptionError, NotMeasurableError
from tests.evaluation.evaluation_parts import Contrast, benchmark, defect, normal, split

CONDITIONS = [CLEAN, *(rb.Condition(name, 4) for name in ("lighting", "glare", "geo_jitter"))]


def columns(result):
    """Everything measured per image, by sample position."""
    per_image = result.per_image
    numbers = zip(
        *(c.tolist() for c in (per_image.counted, per_image.tp, per_image.fp, per_image.fn)),
        strict=True,
    )
    return [
        (digest, score if digest else None, *rest)
        for digest, score, rest in zip(
            result.digests, per_image.score.tolist(), numbers, strict=True
        )
    ]


def metrics(result):
    return {name: value for name, value in result.metrics.items() if "latency" not in name}


@pytest.fixture(scope="module")
def in_order():
    subject = benchmark(split(n_good=7, n_defect=6))
    return {c: subject.evaluate(c) for c in CONDITIONS}


def test_order_and_repetition_change_nothing(in_order):
    subject = benchmark(split(n_good=7, n_defect=6))

    for condition in [*reversed(CONDITIONS), *CONDITIONS]:
        result = subject.evaluate(condition)

        expected = in_order[condition]
        assert columns(result) == columns(expected)
        assert metrics(result) == metrics(expected)
        assert result.data_digest == expected.data_digest


def test_a_small_memory_changes_nothing(in_order):
    subject = benchmark(split(n_good=7, n_defect=6), evaluation={"memory_budget": 0})

    for condition in CONDITIONS:
        assert columns(subject.evaluate(condition)) == columns(in_order[condition])


def test_a_benchmark_of_one_corruption_measures_it_as_one_of_all_does(in_order):
    condition = rb.Condition("glare", 4)

    alone = benchmark(split(n_good=7, n_defect=6), corruptions=["glare"], severities=[4])

    assert alone.conditions == (CLEAN, condition)
    assert columns(alone.evaluate(condition)) == columns(in_order[condition])
    assert alone.evaluate(condition).data_digest == in_order[condition].data_digest


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.id)
def test_a_smaller_test_set_gives_the_same_numbers_for_its_images(in_order, condition):
    whole = split(n_good=7, n_defect=6)
    chosen = [11, 2, 5, 8]
    smaller = replace(whole, test=tuple(whole.test[i] for i in chosen))

    result = benchmark(smaller).evaluate(condition)

    expected = columns(in_order[condition])
    assert columns(result) == [expected[i] for i in chosen]


def test_the_seed_decides_the_draws(in_order):
    other = benchmark(split(n_good=7, n_defect=6), evaluation={"seed": 1})

    assert columns(other.evaluate(CLEAN)) == columns(in_order[CLEAN])
    for condition in CONDITIONS[1:]:
        result = other.evaluate(condition)
        assert result.specification["seed"] == 1
        pairs = zip(result.digests, in_order[condition].digests, strict=True)
        assert all(a != b for a, b in pairs)


def test_clean_is_measured_on_the_pictures_themselves():
    detector = Contrast()
    parts = split()

    result = benchmark(parts, detector).evaluate(CLEAN)

    expected = [detector.score(detector.map(s.image)) for s in parts.test]
    assert result.per_image.score.tolist() == expected
    assert result.specification == {}


def test_an_unknown_corruption_is_named_with_the_nearest_one():
    subject = benchmark(corruptions=["blur", "jpeg"])

    with pytest.raises(ConfigError, match=r"no corruption 'blurr'.*blur"):
        subject.evaluate(rb.Condition("blurr", 1))
    with pytest.raises(CorruptionError, match="'blurr'"):
        benchmark(corruptions=["blurr"])


def test_one_name_stands_for_one_corruption():
    own = rb.Corruption("dust", lambda image, mask, *_: (image, mask))
    same_name = rb.Corruption("dust", lambda image, mask, *_: (255 - image, mask))

    with pytest.raises(ConfigError, match="dust"):
        benchmark(corruptions=[own, same_name])
    with pytest.raises(ConfigError, match="blur"):
        benchmark(corruptions=["blur", "blur"])
    assert len(benchmark(corruptions=[own], severities=[3, 1, 3]).conditions) == 3


def test_a_corruption_that_pushes_every_image_out_is_not_measurable():
    def away(image, mask, severity, rng):
        return image, None if mask is None else mask & False

    gone = rb.Corruption("away", away, moves_pixels=True)
    subject = benchmark(split(n_good=0), corruptions=[gone])

    with pytest.raises(NotMeasurableError, match="away-severity_2 leaves out every test image"):
        subject.evaluate(rb.Condition("away", 2))


def test_what_leaves_the_frame_is_found_once_for_all_severities():
    asked = []

    def kept(mask, rng):
        asked.append(mask)
        return 1.0

    still = rb.Corruption(
        "still", lambda image, mask, *_: (image ^ 1, mask), moves_pixels=True, kept=kept
    )
    subject = benchmark(corruptions=[still])

    results = [subject.evaluate(c) for c in subject.conditions]

    assert len(results) == 6
    assert len(asked) == 4


def test_unknown_masks_under_a_corruption_that_moves_pixels_are_noted():
    test = [normal("a", 60), defect("b", 61), defect("c", 62, known=False)]
    parts = split(test=test)
    note = "1 defect image(s) without a mask may have lost their defect to geo_jitter"

    for corruptions, noted in [(["blur", "geo_jitter"], True), (["blur"], False)]:
        subject = benchmark(parts, corruptions=corruptions)
        subject.prepare()
        assert (note in subject.header().notes) is noted


def test_a_corruption_of_ones_own_that_fails_names_itself_and_the_sample():
    def failing(image, mask, severity, rng):
        raise ValueError("no lens")

    subject = benchmark(corruptions=[rb.Corruption("fog", failing)])

    with pytest.raises(CorruptionError, match=r"'fog' on sample 'test/blot/000' raised .* no lens"):
        subject.evaluate(rb.Condition("fog", 2))


def test_ignored_pixels_of_a_corruption_of_ones_own_count_nowhere():
    def cut(image, mask, severity, rng):
        ignored = mask & False
        ignored[:, : 4 * severity] = True
        return image ^ 1, mask, ignored

    subject = benchmark(corruptions=[rb.Corruption("cut", cut)])

    result = subject.evaluate(rb.Condition("cut", 3))

    per_image = result.per_image
    counted = per_image.tp + per_image.fp + per_image.fn + per_image.tn
    assert counted.tolist() == [24 * 20] * 8
    # The defects span columns 10 to 19; those up to 11 are ignored.
    assert (per_image.tp + per_image.fn).tolist() == [6 * 8] * 4 + [0] * 4

"""Batches change nothing but the time: neither the numbers, nor which images may go together."""

from __future__ import annotations

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import DetectorError
from tests.evaluation.evaluation_parts import Contrast, benchmark, defect, normal, split

CONDITIONS = [CLEAN, rb.Condition("geo_jitter", 5), rb.Condition("blur", 2)]


class MinMaxOfBatch(Contrast):
    name = "batch-scaled"

    def predict(self, images):
        prediction = super().predict(images)
        largest = max(m.max() for m in prediction.maps)
        return rb.Prediction(prediction.scores / largest, [m / largest for m in prediction.maps])


@pytest.mark.parametrize("method", ["holdout", "crossfit"])
def test_a_detector_that_depends_on_its_batch_is_named(method):
    subject = benchmark(detector=MinMaxOfBatch(), calibration={"method": method})

    with pytest.raises(DetectorError) as raised:
        subject.prepare()

    message = str(raised.value)
    assert "'batch-scaled' depends on its batch" in message
    assert ("train/good/" if method == "holdout" else "test/blot/") in message


def test_a_score_alone_that_depends_on_the_batch_is_found_too():
    class Ranked(Contrast):
        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores + len(images) - 1, prediction.maps)

    with pytest.raises(DetectorError, match="depends on its batch: image train/good/"):
        benchmark(detector=Ranked()).prepare()


@pytest.mark.parametrize("batch_size", [2, 4, 100])
@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.id)
def test_an_independent_detector_gives_the_same_numbers(batch_size, condition):
    alone = benchmark().evaluate(condition)

    together = benchmark(evaluation={"batch_size": batch_size}).evaluate(condition)

    assert together.per_image.score.tolist() == alone.per_image.score.tolist()
    assert together.per_image.tp.tolist() == alone.per_image.tp.tolist()
    assert together.data_digest == alone.data_digest
    assert without_latency(together) == without_latency(alone)


def without_latency(result):
    return {name: value for name, value in result.metrics.items() if "latency" not in name}


@pytest.mark.parametrize("method", ["holdout", "crossfit"])
def test_a_dependence_that_only_the_batch_size_in_use_shows_is_found(method):
    class AboveTwo(Contrast):
        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores + max(len(images) - 2, 0), prediction.maps)

    settings = {"method": method}
    assert benchmark(detector=AboveTwo(), calibration=settings).prepare().n_images
    with pytest.raises(DetectorError, match="depends on its batch"):
        benchmark(detector=AboveTwo(), calibration=settings, evaluation={"batch_size": 4}).prepare()


def test_the_batch_check_takes_as_many_images_as_a_batch_holds():
    detector = Contrast()

    benchmark(split(n_train=60), detector, evaluation={"batch_size": 12}).prepare()

    assert detector.calls[-2:] == [12, 1]


class OneAtATime(Contrast):
    def predict(self, images):
        if len(images) != 1:
            raise ValueError("static batch of 1")
        return super().predict(images)


def test_a_detector_that_takes_one_image_works_with_batches_of_one():
    subject = benchmark(detector=OneAtATime())

    assert without_latency(subject.evaluate(CLEAN)) == without_latency(benchmark().evaluate(CLEAN))
    assert "the detector takes one image at a time" in subject.header().notes


def test_a_detector_that_takes_one_image_cannot_be_run_with_more():
    with pytest.raises(DetectorError, match="ValueError: static batch of 1"):
        benchmark(detector=OneAtATime(), evaluation={"batch_size": 4}).prepare()


@pytest.mark.parametrize("batch_size", [1, 3])
def test_images_of_different_sizes_keep_them(batch_size):
    sizes = [(24, 32), (40, 20), (17, 51), (24, 32), (33, 33)]
    test = [
        *(defect(f"test/blot/{i}", 800 + i, size, where=np.s_[4:9, 5:12])
          for i, size in enumerate(sizes)),
        *(normal(f"test/good/{i}", 900 + i, size) for i, size in enumerate(sizes)),
    ]  # fmt: skip
    train = [normal(f"train/{i}", i, sizes[i % 5]) for i in range(20)]
    subject = benchmark(
        split(train=train, test=test), Contrast(shrink=2), evaluation={"batch_size": batch_size}
    )

    for condition in CONDITIONS:
        result = subject.evaluate(condition)

        columns = result.per_image
        counted = columns.tp + columns.fp + columns.fn + columns.tn
        pixels = [height * width for height, width in [*sizes, *sizes]]
        if condition.corruption == "geo_jitter":
            assert 0 < counted.sum() < sum(pixels)
        else:
            assert counted.tolist() == pixels
        assert result.metrics["aupro"] > 0.5


def test_batch_dependence_is_not_checked_where_no_two_images_have_one_size():
    train = [normal(f"train/{i}", i, (20 + i, 30)) for i in range(10)]

    subject = benchmark(split(train=train, test=[normal("a", 60), defect("b", 61)]))
    subject.prepare()

    assert "batch dependence not checked: no two images of equal size" in subject.header().notes


def test_maps_of_different_sizes_in_one_batch():
    class Growing(Contrast):
        """A map at half the resolution of every image; one of a square stays as it is."""

        def map(self, image):
            found = super().map(image)
            return found if image.shape[0] == image.shape[1] else found[::2, ::2]

    train = [normal(f"train/{i}", i, (24, 24 + 8 * (i % 2))) for i in range(20)]
    test = [defect("test/a", 50, (24, 24)), normal("test/b", 51, (24, 32))]

    result = benchmark(
        split(train=train, test=test), Growing(), evaluation={"batch_size": 2}
    ).evaluate(CLEAN)

    assert result.per_image.counted.all()
    assert np.isfinite(result.metrics["aupro"])

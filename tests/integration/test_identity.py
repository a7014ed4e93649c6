"""On real images a number depends on nothing but its image: not on order, subset or repetition."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.subset import limit_split
from pytest_robustbench.detectors.loading import load_detector
from tests.integration.integration_data import real_split

SEVERITY = 4


def by_image(split, result):
    """Digest and numbers of every measured image, by its id."""
    columns = result.per_image
    numbers = (columns.score, columns.tp, columns.fp, columns.fn, columns.tn)
    rows = zip(result.digests, *(column.tolist() for column in numbers), strict=True)
    return {
        sample.id: row
        for sample, row, measured in zip(split.test, rows, columns.measured, strict=True)
        if measured
    }


def pooled(result):
    return {name: value for name, value in result.metrics.items() if "latency" not in name}


class Run:
    """Everything a fresh benchmark measures, in the order of `conditions`."""

    def __init__(self, split, detector, order):
        subject = rb.Benchmark(split, load_detector(detector, device="cpu"), severities=[SEVERITY])
        self.point = subject.prepare()
        self.results = {c: subject.evaluate(c) for c in order(subject.conditions)}
        self.images = {c: by_image(split, result) for c, result in self.results.items()}
        self.digests = {c: result.data_digest for c, result in self.results.items()}
        self.metrics = {c: pooled(result) for c, result in self.results.items()}


@pytest.fixture(scope="module", params=["pixel_gaussian", "patchcore"])
def detector(request):
    if request.param == "patchcore":
        pytest.importorskip("torch")
    return request.param


@pytest.fixture(scope="module")
def split(test_data):
    return limit_split(real_split(test_data, "hazelnut_toy"), train=15, test=8)


@pytest.fixture(scope="module")
def first(split, detector):
    return Run(split, detector, tuple)


def test_a_second_run_in_reversed_order_is_the_same_run(split, detector, first):
    second = Run(split, detector, reversed)

    assert second.point == first.point
    assert second.digests == first.digests
    assert second.images == first.images
    assert second.metrics == first.metrics


def test_part_of_the_test_images_in_reversed_order_gives_their_numbers(split, detector, first):
    fewer = limit_split(split, train=None, test=5)

    part = Run(replace(fewer, test=fewer.test[::-1]), detector, tuple)

    assert part.point.digest == first.point.digest
    for condition, images in part.images.items():
        assert 1 < len(images) <= 5
        assert images == {name: first.images[condition][name] for name in images}


def test_every_condition_has_images_of_its_own(first):
    clean = first.images[CLEAN]

    assert len(set(first.digests.values())) == len(first.digests) == 6
    for condition in first.results.keys() - {CLEAN}:
        images = first.images[condition]
        assert all(images[name][0] != clean[name][0] for name in images)
        assert any(images[name][1] != clean[name][1] for name in images)

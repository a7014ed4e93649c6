"""Memory stays within its budget, what does not fit is binned or read again, and it is recorded."""

from __future__ import annotations

import mmap
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.split import Sample
from pytest_robustbench.evaluation.machine import memory
from pytest_robustbench.gates.limits import Limit
from tests.evaluation.evaluation_parts import Contrast, Scores, benchmark, defect, normal, split

MOVING = rb.Condition("geo_jitter", 5)
STILL = rb.Condition("blur", 2)
RANKED = ("pixel_auroc", "pixel_average_precision", "aupro")
COUNTED = ("pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "normal_fpr")


class Counted:
    """A source that counts how often it is read."""

    def __init__(self, array):
        self.array = array
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return self.array


def counted(samples):
    return [
        Sample(s.id, s.label, Counted(s.image), None if s.mask is None else s.mask) for s in samples
    ]


def test_scores_beyond_the_budget_are_binned_within_the_stated_error():
    parts = split(n_good=12, n_defect=12)
    exact, binned = (
        benchmark(parts, evaluation={"memory_budget": budget}) for budget in (1 << 30, 1 << 12)
    )
    for condition in (CLEAN, STILL, MOVING):
        whole, coarse = exact.evaluate(condition), binned.evaluate(condition)

        assert (whole.ranking, coarse.ranking) == ("exact", "binned")
        assert whole.ranking_error == {}
        assert set(coarse.ranking_error) == set(RANKED)
        for name in RANKED:
            difference = abs(whole.metrics[name] - coarse.metrics[name])
            assert difference <= coarse.ranking_error[name] + 1e-12
            assert coarse.ranking_error[name] < 0.5
        for name in COUNTED:
            assert whole.metrics[name] == coarse.metrics[name]


def test_one_mode_for_all_conditions_of_a_benchmark():
    """Also for one that leaves images out: numbers of two modes must not be compared."""
    where = np.s_[0:2, 0:2]  # lost by most draws of the jitter
    test = [defect(f"test/blot/{i}", i, where=where) for i in range(20)]
    parts = split(test=[*test, *(normal(f"test/good/{i}", 100 + i) for i in range(4))])
    pixels = 24 * 24 * 32
    subject = benchmark(parts, evaluation={"memory_budget": 4 * (4 * pixels - 1)})

    moved = subject.evaluate(MOVING)

    assert moved.left_out
    assert moved.ranking == subject.evaluate(CLEAN).ranking == "binned"


def test_a_detector_without_maps_has_nothing_to_bin():
    result = benchmark(detector=Scores(), evaluation={"memory_budget": 0}).evaluate(CLEAN)

    assert result.metrics["pixel_auroc"] is None
    assert result.ranking_error == {}


def test_every_image_is_read_once_for_all_conditions():
    parts = split()
    test = counted(parts.test)
    subject = benchmark(split(test=test), severities=[1, 3])

    subject.run()

    assert [s.image.reads for s in test] == [1] * len(test)


def test_what_does_not_fit_is_read_once_per_condition():
    test = counted(split().test)
    subject = benchmark(split(test=test), evaluation={"memory_budget": 0})
    subject.prepare()
    before = [s.image.reads for s in test]

    for condition in (CLEAN, STILL):
        subject.evaluate(condition)

    again = [2] + [0] * (len(test) - 1)  # what is predicted once more at the end of a condition
    reads = [s.image.reads - b - a for s, b, a in zip(test, before, again, strict=True)]
    assert reads == [2] * len(test)


class Plain(Contrast):
    """Remembers nothing of the images it sees."""

    def fit(self, images):
        self.mean = np.mean([image.mean() for image in images])


def peak_bytes(n):
    size = (96, 96)
    good = [
        Sample(f"test/good/{i}", 0, lambda seed=100 + i: normal("any", seed, size).image)
        for i in range(n // 2)
    ]
    sources = [(lambda i=i: defect("any", i, size)) for i in range(n // 2)]
    bad = [
        Sample(f"test/blot/{i}", 1, lambda make=make: make().image, lambda make=make: make().mask)
        for i, make in enumerate(sources)
    ]
    budget = {"memory_budget": 4 << 20}
    subject = benchmark(split(test=[*good, *bad], n_train=6, size=size), Plain(), evaluation=budget)
    subject.prepare()
    subject.evaluate(CLEAN)  # the histogram's modules and buffers are loaded once
    tracemalloc.start()
    try:
        for condition in (CLEAN, STILL, MOVING):
            subject.evaluate(condition)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_peak_does_not_grow_with_the_number_of_images():
    few, many = peak_bytes(80), peak_bytes(320)

    assert many < 1.1 * few


def test_calibration_does_not_keep_the_maps():
    """Its peak is that of a few maps, not of all."""

    class Wide(Plain):
        def predict(self, images):
            draws = [np.random.default_rng(i.sum()) for i in images]
            maps = [draw.standard_exponential(size, np.float32) for draw in draws]
            return rb.Prediction(np.array([m.mean() for m in maps]), maps)

    size = (512, 512)
    images = [
        Sample(f"calib/{i}", 0, lambda i=i: normal("any", 100 + i, size).image) for i in range(24)
    ]
    parts = split(n_train=2, n_good=1, n_defect=1, calibration=images, size=size)
    subject = benchmark(parts, Wide(), evaluation={"memory_budget": 0})
    tracemalloc.start()
    try:
        subject.prepare()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 0.6 * len(images) * 512 * 512 * 4


def test_peak_memory_is_in_the_result_and_in_the_report():
    subject = benchmark(corruptions=["blur"], severities=[2])
    report = subject.run()
    host = [record["memory"]["host_peak_bytes"] for record in report.records.values()]

    assert all(peak > 1 << 20 for peak in host)
    written = report.to_dict()
    assert written["memory"]["host_peak_bytes"] >= max(host)
    assert written["memory"]["device_peak_bytes"] is None
    assert written["robustness"]["clean"]["ranking"] == "exact"


def touch_new_pages(n_bytes):
    """Use memory from the system itself: an allocator may hand out pages it has kept."""
    with mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        for start in range(0, n_bytes, mmap.PAGESIZE):
            pages[start] = 1


class Hungry(Contrast):
    """Needs much for a moment, under the conditions it is told."""

    hungry = False

    def predict(self, images):
        if self.hungry:
            touch_new_pages(1 << 28)
        return super().predict(images)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system sets its mark back")
def test_memory_needed_for_a_moment_is_seen_under_its_own_condition():
    detector = Hungry()
    subject = benchmark(detector=detector)
    subject.prepare()
    peaks = []
    for detector.hungry in (False, True, False, True):
        peaks.append(subject.evaluate(CLEAN).memory.host)

    much = 1 << 27
    assert peaks[1] > peaks[0] + much
    assert peaks[2] < peaks[1] - much
    assert peaks[3] > peaks[2] + much


def test_without_a_mark_that_can_be_set_back_the_peak_is_the_processes(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "PROCESS", tmp_path / "nothing")

    found = benchmark().evaluate(CLEAN).memory

    assert found.host >= 1 << 20
    assert found.device is None


class Cuda:
    """What torch.cuda tells of two devices."""

    def __init__(self):
        self.peaks = [7, 9]

    def is_available(self):
        return True

    is_initialized = is_available

    def device_count(self):
        return 2

    def reset_peak_memory_stats(self, device):
        self.peaks[device] = 0

    def max_memory_allocated(self, device):
        return self.peaks[device]


def test_the_fullest_device_counts_from_the_start_of_the_watch(monkeypatch):
    cuda = Cuda()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    watch = memory.MemoryWatch()
    assert watch.peak().device == 0
    cuda.peaks = [3, 5]
    assert watch.peak().device == 5


def test_large_defects_count_against_the_budget():
    """Ranking works out far more for a defect pixel than its score."""
    size = (64, 64)
    large = [defect(f"test/blot/{i}", i, size, where=np.s_[0:60, :]) for i in range(4)]
    small = [defect(f"test/blot/{i}", i, size, where=np.s_[0:2, 0:2]) for i in range(4)]
    budget = {"memory_budget": 4 * (4 * 4 * 64 * 64 + 10_000)}

    modes = [
        benchmark(split(test=test, size=size), corruptions=[], evaluation=budget)
        .evaluate(CLEAN)
        .ranking
        for test in (small, large)
    ]

    assert modes == ["exact", "binned"]


def test_what_is_released_is_read_again_and_measured_alike():
    test = counted(split().test)
    subject = benchmark(split(test=test))
    before = subject.evaluate(CLEAN)

    subject.evaluator.release()
    after = subject.evaluate(CLEAN)

    assert [s.image.reads for s in test] == [2] * len(test)
    assert after.data_digest == before.data_digest
    for name in (*RANKED, *COUNTED):
        assert after.metrics[name] == before.metrics[name]


def test_a_limit_within_the_error_is_neither_passed_nor_failed():
    parts = split(n_good=12, n_defect=12)
    budget = {"memory_budget": 1 << 12}
    found = benchmark(parts, evaluation=budget).evaluate(CLEAN)
    limits = [
        Limit("aupro", "min", found.metrics["aupro"], "robustness.yaml:7"),
        Limit("pixel_segf1", "min", found.metrics["pixel_segf1"], "robustness.yaml:8"),
    ]
    gate = Gate(limits={"clean": tuple(limits)}, one_sided={"clean": "misses"})

    report = benchmark(parts, corruptions=[], evaluation=budget, gate=gate).run()

    assert [v.outcome for v in report.verdicts] == ["error", "pass"]
    assert "raise memory_budget" in report.verdicts[0].reason

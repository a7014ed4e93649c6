"""Which calls are timed, and that timing leaves the process as it was. No time is asserted."""

from __future__ import annotations

import gc
import json
import math
import statistics

import cv2
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.evaluation.machine import latency as latency_module
from pytest_robustbench.evaluation.machine.latency import Stopwatch, collector_held_off
from pytest_robustbench.evaluation.machine.reference import HostReference
from tests.evaluation.evaluation_parts import Contrast, benchmark, split


@pytest.mark.parametrize("batch_size", [1, 3, 8, 20])
def test_every_call_but_the_warm_up_is_timed(batch_size):
    detector = Contrast()
    subject = benchmark(
        split(n_good=7, n_defect=6), detector, evaluation={"batch_size": batch_size}
    )
    subject.prepare()

    for condition in (CLEAN, rb.Condition("jpeg", 2)):
        detector.calls.clear()
        latency = subject.evaluate(condition).latency

        batches = math.ceil(13 / batch_size)
        assert len(latency.calls) == max(1, 13 // batch_size), "only full batches are timed"
        assert detector.calls[0] == min(batch_size, 13)
        assert len(detector.calls) == batches + 2, "one image is predicted again at the end"
        assert sum(detector.calls[1:-1]) == 13
        assert detector.calls[-1] == 1
        assert latency.batch_size == min(batch_size, 13)


def test_every_chunk_is_warmed_up():
    detector = Contrast()
    subject = benchmark(detector=detector, evaluation={"memory_budget": 0})
    subject.prepare()
    detector.calls.clear()

    latency = subject.evaluate(CLEAN).latency

    assert len(latency.calls) == 8
    assert len(detector.calls) == 16 + 1


def test_images_that_are_left_out_are_not_timed():
    def away(image, mask, severity, rng):
        return image ^ 1, mask & False

    gone = rb.Corruption("away", away, moves_pixels=True)

    result = benchmark(split(n_good=5), corruptions=[gone]).evaluate(rb.Condition("away", 2))

    assert len(result.latency.calls) == 5


def test_the_numbers_are_those_of_the_calls():
    result = benchmark().evaluate(CLEAN)
    latency = result.latency

    assert all(call > 0 for call in latency.calls)
    assert latency.median == result.metrics["latency_ms_per_image"]
    assert latency.median == pytest.approx(statistics.median(latency.calls))
    assert latency.mean == pytest.approx(statistics.fmean(latency.calls))
    assert min(latency.calls) <= latency.p95 == result.metrics["latency_p95_ms"]
    assert latency.p95 <= max(latency.calls)
    assert latency.relative == result.metrics["latency_relative"]
    assert latency.relative == latency.median / latency.reference > 0


def test_a_reference_that_ran_elsewhere_gives_no_relative_latency(tmp_path):
    detector = Contrast()
    detector.device = "gpu.0"  # of OpenVINO: torch has no clock for it
    subject = benchmark(detector=detector)

    result = subject.evaluate(CLEAN)
    path = tmp_path / "texture.json"
    subject.run().write(path)

    assert result.metrics["latency_ms_per_image"] > 0
    assert result.metrics["latency_relative"] is None
    assert "another device" in result.undefined["latency_relative"]
    plain = json.loads(path.read_text(encoding="utf-8"))
    assert plain["robustness"]["clean"]["latency"]["relative"] is None


def test_time_is_counted_per_image():
    ticks = Stopwatch(lambda: None, HostReference())
    for _ in range(3):
        ticks.time(lambda: None, 1)
    alone = ticks.latency(1)

    shared = Stopwatch(lambda: None, HostReference())
    for _ in range(3):
        shared.time(lambda: None, 10**9)

    assert shared.latency(10**9).median < alone.median


@pytest.fixture(params=[True, False], ids=["collector on", "collector off"])
def collector(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_the_collector_is_held_off_during_calls_and_left_as_found(collector):
    class Watching(Contrast):
        def predict(self, images):
            seen.append(gc.isenabled())
            return super().predict(images)

    seen = []
    subject = benchmark(detector=Watching())
    subject.prepare()
    seen.clear()

    subject.evaluate(CLEAN)

    assert gc.isenabled() is collector
    assert seen == [collector, *[False] * 8, collector]


def test_the_collector_is_held_off_once_as_often_as_twice(collector):
    for _ in range(3):
        with collector_held_off():
            assert not gc.isenabled()
        assert gc.isenabled() is collector


def test_the_collector_is_left_as_found_by_a_detector_that_raises(collector):
    class Raising(Contrast):
        def predict(self, images):
            if armed and len(self.calls) > calls_before + 3:
                raise RuntimeError("lost")
            return super().predict(images)

    armed = []
    detector = Raising()
    subject = benchmark(detector=detector)
    subject.prepare()
    calls_before = len(detector.calls)
    armed.append(True)

    with pytest.raises(DetectorError, match="lost"):
        subject.evaluate(CLEAN)
    assert gc.isenabled() is collector


def test_thread_settings_are_left_as_found():
    torch = pytest.importorskip("torch")
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(3)
    torch.set_num_threads(3)
    try:
        benchmark().evaluate(rb.Condition("geo_jitter", 3))
        found = cv2.getNumThreads(), torch.get_num_threads()
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
    assert found == (3, 3)


def test_the_device_is_waited_for_before_and_after_every_call():
    class Queued(Contrast):
        def synchronize(self):
            events.append("wait")

        def predict(self, images):
            events.append("predict")
            return super().predict(images)

    events = []
    subject = benchmark(split(n_good=2, n_defect=2), Queued())
    subject.prepare()
    events.clear()

    subject.evaluate(CLEAN)

    assert events[0] == "predict"  # the warm-up
    assert events.pop() == "predict"  # one image again, at the end
    timed = " ".join(events[1:])
    assert timed.count("predict") == 4
    assert timed.count("wait predict wait") == 4


class Clock:
    """A clock that only work moves, in milliseconds."""

    def __init__(self):
        self.now = 0.0

    def perf_counter_ns(self):
        return int(self.now * 1e6)

    def work(self, milliseconds):
        def run():
            self.now += milliseconds

        return run


@pytest.mark.parametrize(("call", "expected"), [(0.5, 4), (5.0, 25), (40.0, 100)])
def test_the_reference_is_interleaved_for_a_small_share_of_the_time(monkeypatch, call, expected):
    clock = Clock()
    monkeypatch.setattr(latency_module, "time", clock)
    references = []

    class Reference:
        device = "cpu"

        def __call__(self):
            references.append(clock.now)
            clock.now += 1.0

    stopwatch = Stopwatch(lambda: None, Reference())
    for _ in range(100):
        stopwatch.time(clock.work(call), 1)

    assert len(references) == expected
    assert sum(t > clock.now / 2 for t in references) >= (expected > 4) * expected / 3
    found = stopwatch.latency(1)
    assert found.median == pytest.approx(call)
    assert found.relative == pytest.approx(call)

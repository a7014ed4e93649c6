"""Processes of one run: who computes while another times, and what only one of them does."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from pytest_robustbench.benchmark import Benchmark
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.evaluation.machine.worker_group import (
    NotQuietError,
    SingleProcess,
    WorkerDiedError,
    WorkersOnHost,
)

DRAWN = load_split("synthetic", n_train=8, n_test_good=3, n_defect=5, size=32)
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def workers(tmp_path):
    return WorkersOnHost(tmp_path, tmp_path / "nuts", patience=30)


def log(path, line):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{time.monotonic_ns()} {line}\n")


def computes(folder, n):
    """Compute again and again, each time under a read lock."""
    here = WorkersOnHost(folder, folder / "nuts", patience=30)
    for _ in range(n):
        with here.computing():
            log(folder / "log", "computing")
            time.sleep(0.005)
            log(folder / "log", "computed")


def times(folder, n):
    here = WorkersOnHost(folder, folder / "nuts", patience=30)
    for _ in range(n):
        with here.quiet():
            log(folder / "log", "timing")
            time.sleep(0.02)
            log(folder / "log", "timed")
        time.sleep(0.01)


def test_nobody_computes_while_one_of_them_times(tmp_path):
    jobs = [(computes, 60), (computes, 60), (times, 8)]
    processes = [SPAWN.Process(target=job, args=(tmp_path, n)) for job, n in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0]
    lines = sorted((tmp_path / "log").read_text().splitlines(), key=lambda s: int(s.split()[0]))
    computing = timing = 0
    for word in (line.split()[1] for line in lines):
        computing += {"computing": 1, "computed": -1}.get(word, 0)
        timing += {"timing": 1, "timed": -1}.get(word, 0)
        assert not timing or computing == 0
        assert timing in (0, 1)
    assert sum("timing" in line for line in lines) == 8


def test_waiting_has_an_end(tmp_path):
    one, other = (WorkersOnHost(tmp_path, tmp_path / "nuts", patience=0.2) for _ in range(2))
    with (
        one.computing(),
        pytest.raises(NotQuietError, match="no quiet moment"),
        other.quiet(),
    ):
        pass
    with one.quiet(), pytest.raises(NotQuietError), other.computing():
        pass
    with one.quiet():  # and nothing is left locked
        pass


def test_several_may_compute_at_once(tmp_path):
    one, other = (WorkersOnHost(tmp_path, tmp_path / "nuts", patience=0.2) for _ in range(2))
    with one.computing(), other.computing():
        pass


@pytest.mark.parametrize(
    ("n_images", "batch_size", "expected"),
    [(160, 1, 16), (9, 1, 1), (100, 8, 1), (4, 8, 0), (640, 32, 2), (0, 1, 0)],
)
def test_a_tenth_of_the_images_is_timed_but_at_least_one_call(
    workers, n_images, batch_size, expected
):
    assert workers.timed_calls(n_images, batch_size) == expected
    assert SingleProcess().timed_calls(n_images, batch_size) == n_images // batch_size


def write(value, path):
    path.write_text(str(value))


def read(path):
    return int(path.read_text()) + 100


def test_the_first_makes_it_and_the_others_read_it(workers):
    assert workers.once("number", lambda: 7, write, read) == 7
    assert workers.once("number", lambda: 8, write, read) == 107
    assert workers.once("other", lambda: 9, write, read) == 9


def test_where_making_fails_the_next_one_tries(workers):
    def fails():
        raise DetectorError("no memory")

    with pytest.raises(DetectorError):
        workers.once("number", fails, write, read)
    assert workers.once("number", lambda: 7, write, read) == 7


# ---- fit and calibrate once --------------------------------------------------------------------


def benchmark(detector, tmp_path):
    worker_group = WorkersOnHost(tmp_path, tmp_path / "nuts", patience=30)
    return Benchmark(DRAWN, detector, corruptions=[], worker_group=worker_group)


def refuse_to_fit(_):
    raise AssertionError("fitted again")


@pytest.mark.parametrize("point", [None, "frozen"])
def test_another_process_takes_over_the_fitted_detector(tmp_path, monkeypatch, point):
    first = benchmark(load_detector("pixel_gaussian"), tmp_path)
    found = first.prepare()
    detector = load_detector("pixel_gaussian")
    monkeypatch.setattr(detector, "fit", refuse_to_fit)
    second = benchmark(detector, tmp_path)

    assert second.prepare() == found
    assert second.prepare().health == found.health
    assert not second.evaluator.prepare().fitted_here
    one, other = (b.evaluate(CLEAN) for b in (first, second))
    np.testing.assert_array_equal(one.per_image.score, other.per_image.score)
    assert one.data_digest == other.data_digest


class Restored:
    """Saves its fit, and comes back as something else."""

    def __init__(self, drift=0.0):
        self._inner, self._drift = load_detector("pixel_gaussian"), drift

    def fit(self, images):
        self._inner.fit(images)

    def save(self, path):
        self._inner.save(path)

    def restore(self, path):
        self._inner.restore(path)

    def predict(self, images):
        found = self._inner.predict(images)
        maps = [m + self._drift for m in found.maps]
        return replace(found, scores=found.scores + self._drift, maps=maps)


def test_a_detector_that_comes_back_as_another_is_refused(tmp_path):
    benchmark(Restored(), tmp_path).prepare()
    assert benchmark(Restored(), tmp_path).prepare().method == "holdout"
    with pytest.raises(DetectorError, match=r"comes back from restore\(path\) as another"):
        benchmark(Restored(drift=0.5), tmp_path).prepare()


class Stretched(Restored):
    """Comes back with scores that are larger by a share of themselves."""

    def predict(self, images):
        found = self._inner.predict(images)
        return replace(found, scores=found.scores * np.float32(1 + self._drift))


def test_a_ten_thousandth_is_rounding_and_more_is_another_detector(tmp_path):
    benchmark(Stretched(), tmp_path).prepare()
    assert benchmark(Stretched(drift=0.9e-4), tmp_path).prepare().method == "holdout"
    with pytest.raises(DetectorError, match=r"comes back from restore\(path\) as another"):
        benchmark(Stretched(drift=1.2e-4), tmp_path).prepare()


class Suffixed(Restored):
    """Lets NumPy append its suffix."""

    def save(self, path):
        np.save(path, np.zeros(3))


def test_a_detector_that_saves_elsewhere_is_told_so(tmp_path):
    with pytest.raises(
        DetectorError, match=r"exactly that path, here 'detector'; found detector.npy"
    ):
        benchmark(Suffixed(), tmp_path).prepare()


def dies(folder):
    WorkersOnHost(folder, folder / "nuts").once("prepared", lambda: os._exit(9), write, read)


def test_what_has_killed_a_process_is_not_tried_by_the_next_one(workers, tmp_path):
    process = SPAWN.Process(target=dies, args=(tmp_path,))
    process.start()
    process.join()

    assert process.exitcode == 9
    with pytest.raises(WorkerDiedError, match=r"died over this \(prepared\)"):
        workers.once("prepared", lambda: 7, write, read)
    assert workers.once("other", lambda: 7, write, read) == 7

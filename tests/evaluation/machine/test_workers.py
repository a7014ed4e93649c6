"""Work is spread over threads, in order, and never while a prediction runs."""

from __future__ import annotations

import threading
import time

import pytest

import pytest_robustbench as rb
from pytest_robustbench import processors as module
from pytest_robustbench.evaluation.machine.workers import Workers
from pytest_robustbench.processors import processors
from tests.evaluation.evaluation_parts import Contrast, benchmark, split


@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
def test_results_come_in_order(n):
    with Workers() as workers:
        assert workers.map(lambda a, b: (a, b), range(n), range(n, 2 * n)) == [
            (i, n + i) for i in range(n)
        ]


def test_the_first_rows_error_is_raised():
    def fail(i):
        time.sleep(0.01 if i == 3 else 0)
        if i >= 3:
            raise ValueError(i)

    with pytest.raises(ValueError, match="3"), Workers() as workers:
        workers.map(fail, range(50))


def test_no_thread_is_left_behind():
    before = threading.active_count()
    with Workers() as workers:
        workers.map(str, range(50))
    assert threading.active_count() == before


def test_there_are_as_many_threads_as_processors():
    names = set()
    with Workers() as workers:
        workers.map(lambda _: (time.sleep(0.002), names.add(threading.get_ident())), range(64))
    assert 1 <= len(names) <= processors()


def test_nothing_else_works_while_a_prediction_runs():
    working = []
    seen = []

    def slow(image, mask, severity, rng):
        working.append(1)
        time.sleep(0.002)
        working.pop()
        return image ^ 1, mask

    class Watching(Contrast):
        def predict(self, images):
            seen.append(len(working))
            time.sleep(0.001)
            seen.append(len(working))
            return super().predict(images)

    corruption = rb.Corruption("slow", slow)
    # So little memory that every image is a chunk of its own.
    subject = benchmark(
        split(n_good=6, n_defect=6),
        Watching(),
        corruptions=[corruption],
        evaluation={"memory_budget": 0},
    )
    subject.evaluate(rb.Condition("slow", 1))

    assert len(seen) > 24
    assert not any(seen)


@pytest.mark.parametrize(
    ("quota", "most"), [("max 100000", None), ("150000 100000", 2), ("10000 100000", 1)]
)
def test_a_containers_quota_counts(monkeypatch, tmp_path, quota, most):
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")
    monkeypatch.setattr(module, "QUOTA", tmp_path / "none")
    available = processors()
    monkeypatch.setattr(module, "QUOTA", file)

    assert processors() == (available if most is None else min(available, most))

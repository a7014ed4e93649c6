"""Wall time of `predict`: warm, synchronised, undisturbed, and relative to a reference workload."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pytest_robustbench.evaluation.machine.reference import described, synchronizer_of
from pytest_robustbench.evaluation.results import Latency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_robustbench.evaluation.machine.reference import Reference

T = TypeVar("T")

NS_PER_MS = 1e6
REFERENCE_FIRST = 4  # calls that each get a reference; then as many as
REFERENCE_SHARE = 0.05  # of the detector's own time allows, spread over its calls


@dataclass
class Stopwatch:
    """Collects the time of `predict` calls of one condition.

    The garbage collector is held off while a call runs, and the device is waited for before and
    after, so that neither a collection nor a queued kernel is charged to the wrong call.

    Parameters
    ----------
    synchronize : callable
        Waits until the device has finished.
    reference : Reference
        Timed before each of the first calls, and before others for a small share of their time.
    device : str
        Where the detector computes.
    """

    synchronize: Callable[[], None]
    reference: Reference
    device: str = "cpu"
    _calls: list[float] = field(default_factory=list)
    _references: list[float] = field(default_factory=list)
    _predicting: float = 0.0

    @property
    def n_calls(self) -> int:
        """How many calls were timed so far."""
        return len(self._calls)

    def time(self, predict: Callable[[], T], n_images: int) -> T:
        """Run `predict` once and record its milliseconds per image."""
        with collector_held_off():
            self.synchronize()
            if self._reference_is_due():
                self._references.append(self._elapsed_ms(self.reference)[1])
            result, elapsed = self._elapsed_ms(predict)
        self._calls.append(elapsed / n_images)
        self._predicting += elapsed
        return result

    def _reference_is_due(self) -> bool:
        affordable = sum(self._references) <= REFERENCE_SHARE * self._predicting
        return affordable or len(self._references) < REFERENCE_FIRST

    def _elapsed_ms(self, work: Callable[[], T]) -> tuple[T, float]:
        start = time.perf_counter_ns()
        result = work()
        self.synchronize()
        return result, (time.perf_counter_ns() - start) / NS_PER_MS

    def latency(self, batch_size: int) -> Latency:
        """Summarise the calls so far."""
        return Latency(
            calls=tuple(self._calls),
            batch_size=batch_size,
            median=float(np.median(self._calls)),
            p95=float(np.quantile(self._calls, 0.95)),
            mean=float(np.mean(self._calls)),
            reference=float(np.median(self._references)),
            reference_calls=tuple(self._references),
            device=described(self.device),
            reference_device=self.reference.device,
        )


def device_synchronizer(detector: object, device: str) -> Callable[[], None]:
    """Return what waits for the device: the detector's own `synchronize`, or torch's."""
    own = getattr(detector, "synchronize", None)
    return own if callable(own) else synchronizer_of(device)


@contextmanager
def collector_held_off() -> Iterator[None]:
    """Hold the garbage collector off, and leave it as it was found."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

"""How fast images go through a benchmark, how long the rest will take, and both in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEASURABLE = 0.1  # seconds; a rate over less says nothing
CONDITIONS = "conditions"


@dataclass(frozen=True)
class Turn:
    """Which condition it is, of those that are measured in this run.

    Parameters
    ----------
    number : int
        From 1.
    of : int
        How many there are.
    """

    number: int
    of: int


@dataclass(frozen=True)
class Step:
    """How far a benchmark is.

    Parameters
    ----------
    phase : str
        ``fit``, ``calibrate`` or the id of a condition.
    done, total : int
        Images of this phase.
    turn : Turn, optional
        ``None`` where the phase is no condition.
    rate : float, optional
        Images per second so far; ``None`` where that is not known yet.
    """

    phase: str
    done: int
    total: int
    turn: Turn | None = None
    rate: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long this phase will take, or this condition and all that follow."""
        if not self.rate:
            return None
        following = self.turn.of - self.turn.number if self.turn else 0
        return (self.total - self.done + following * self.total) / self.rate


class Pace:
    """Counts the images of one benchmark by the clock.

    All conditions count as one: the rate so far tells how long the next ones will take, and what
    passes between two of them is passing time as well.

    Parameters
    ----------
    clock : callable
        Returns seconds, from wherever it likes.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stretch = ""
        self._phase = ""
        self._began = 0.0
        self._before = 0
        self._done = 0

    def step(self, phase: str, done: int, total: int, turn: Turn | None = None) -> Step:
        """Take in how far a phase is; return that with the rate so far."""
        now = self._clock()
        stretch = CONDITIONS if turn else phase
        if stretch != self._stretch:
            self._stretch, self._began, self._before = stretch, now, 0
        elif phase != self._phase:
            self._before += self._done
        self._phase, self._done = phase, done
        return Step(phase, done, total, turn, _rate(self._before + done, now - self._began))


def _rate(images: int, seconds: float) -> float | None:
    return images / seconds if images and seconds >= MEASURABLE else None


def progress_text(step: Step, width: int, benchmark: str = "") -> str:
    """Return a line of at most `width` characters that leaves out what matters least.

    Parameters
    ----------
    step : Step
        How far it is.
    width : int
        What a line of the terminal holds.
    benchmark : str
        Its name, where it is not the only one.
    """
    lines = list(_ever_shorter(step, benchmark))
    return next((line for line in lines if len(line) <= width), lines[-1][:width])


def _ever_shorter(step: Step, benchmark: str) -> Iterator[str]:
    whole = _line(_what(step), f"{_count(step)} images", step)
    if benchmark:
        yield f"{benchmark}: {whole}"
    yield whole
    yield _line(_what(step), _count(step), step)
    if step.turn is not None:
        yield _line(_numbered(step.turn), _count(step), step)


def _line(what: str, count: str, step: Step) -> str:
    start = f"{what} {count}" if step.turn is None else f"{what}, {count}"
    return ", ".join([start, *_speed(step)])


def _what(step: Step) -> str:
    return step.phase if step.turn is None else f"{_numbered(step.turn)} {step.phase}"


def _numbered(turn: Turn) -> str:
    return f"condition {turn.number} of {turn.of}"


def _count(step: Step) -> str:
    """Return how many images are done of how many; what is fitted as a whole only has a total."""
    return f"{step.done}/{step.total}" if step.done else str(step.total)


def _speed(step: Step) -> Iterator[str]:
    if step.rate is None or step.seconds_left is None:
        return
    yield f"{_digits(step.rate)} images/s"
    yield f"{duration(step.seconds_left)} left"


def _digits(rate: float) -> str:
    if rate >= 100:
        return f"{rate:.0f}"
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def duration(seconds: float) -> str:
    """Return ``m:ss``, or ``h:mm:ss`` from an hour on; begun seconds count."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

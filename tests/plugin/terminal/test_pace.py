"""Rates and times of the progress line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.plugin.terminal.pace import Pace, Step, Turn, duration, progress_text


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_fitted_as_a_whole_has_a_total_only(clock: Clock) -> None:
    step = Pace(clock).step("fit", 0, 120)
    assert progress_text(step, 79) == "fit 120 images"


def test_calibration_has_a_rate_of_its_own(clock: Clock) -> None:
    pace = Pace(clock)
    pace.step("fit", 0, 120)
    clock.now += 100
    pace.step("fit", 120, 120)
    pace.step("calibrate", 0, 24)
    clock.now += 0.5
    assert progress_text(pace.step("calibrate", 12, 24), 79) == (
        "calibrate 12/24 images, 24.0 images/s, 0:01 left"
    )


def test_the_time_left_is_that_of_all_conditions_to_come(clock: Clock) -> None:
    pace = Pace(clock)
    pace.step("clean", 0, 160, Turn(1, 3))
    clock.now += 4
    pace.step("clean", 160, 160, Turn(1, 3))
    step = pace.step("blur-severity_3", 0, 160, Turn(2, 3))
    assert step.rate == 40
    assert step.seconds_left == 8
    clock.now += 1
    step = pace.step("blur-severity_3", 40, 160, Turn(2, 3))
    assert progress_text(step, 79) == (
        "condition 2 of 3 blur-severity_3, 40/160 images, 40.0 images/s, 0:07 left"
    )


def test_time_between_conditions_passes_as_well(clock: Clock) -> None:
    pace = Pace(clock)
    pace.step("clean", 0, 100, Turn(1, 2))
    clock.now += 5
    pace.step("clean", 100, 100, Turn(1, 2))
    clock.now += 5
    assert pace.step("jpeg-severity_1", 0, 100, Turn(2, 2)).seconds_left == 10


def test_a_condition_that_broke_off_counts_what_it_did(clock: Clock) -> None:
    pace = Pace(clock)
    pace.step("clean", 0, 100, Turn(1, 2))
    clock.now += 5
    pace.step("clean", 50, 100, Turn(1, 2))
    assert pace.step("jpeg-severity_1", 0, 100, Turn(2, 2)).rate == 10


def test_every_fold_is_calibrated_at_its_own_pace(clock: Clock) -> None:
    pace = Pace(clock)
    for seconds in (1, 10):
        pace.step("fit", 0, 80)
        pace.step("calibrate", 0, 20)
        clock.now += seconds
        assert pace.step("calibrate", 10, 20).rate == 10 / seconds


@pytest.mark.parametrize(("done", "seconds"), [(0, 0.0), (0, 60.0), (16, 0.0), (16, 1e-9)])
def test_no_rate_before_there_is_something_to_tell(clock: Clock, done: int, seconds: float) -> None:
    pace = Pace(clock)
    pace.step("clean", 0, 160, Turn(1, 1))
    clock.now += seconds
    step = pace.step("clean", done, 160, Turn(1, 1))
    assert step.rate is None
    assert "left" not in progress_text(step, 79)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (0.2, "0:01"),
        (59.5, "1:00"),
        (83, "1:23"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (40271, "11:11:11"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(1234.5, "1234 "), (52.13, "52.1 "), (0.0432, "0.043 ")]
)
def test_rates(rate: float, text: str) -> None:
    assert f", {text}images/s" in progress_text(Step("calibrate", 1, 2, rate=rate), 79)


LONG = Step("geo_jitter-severity_3", 40, 160, Turn(17, 26), 52.1)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            119,
            "v7: condition 17 of 26 geo_jitter-severity_3, 40/160 images, 52.1 images/s, 0:30 left",
        ),
        (82, "condition 17 of 26 geo_jitter-severity_3, 40/160 images, 52.1 images/s, 0:30 left"),
        (79, "condition 17 of 26 geo_jitter-severity_3, 40/160, 52.1 images/s, 0:30 left"),
        (60, "condition 17 of 26, 40/160, 52.1 images/s, 0:30 left"),
        (19, "condition 17 of 26,"),
    ],
)
def test_what_matters_least_is_left_out_first(width: int, line: str) -> None:
    assert progress_text(LONG, width, "v7") == line


@given(
    st.text("abc_-1", max_size=200),
    st.integers(0, 10**6),
    st.none() | st.floats(1e-6, 1e6),
    st.integers(1, 200),
    st.text("abc", max_size=40),
)
def test_a_line_never_wraps(
    phase: str, done: int, rate: float | None, width: int, benchmark: str
) -> None:
    step = Step(phase, done, 10**6, Turn(1, 1000), rate)
    assert len(progress_text(step, width, benchmark)) <= width

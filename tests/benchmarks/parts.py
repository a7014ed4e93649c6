"""What it changes that several images show one part: intervals, and what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inputs import DRAWN, inputs
from table import Table

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.datasets.grouping import grouped
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.wording import counted_images, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.reports.file.report import Report

REAL = "kolektor"
BY_COMMUTATOR = r"kos\d+"
BY_TENS = r".*(?=\d$)"
"""Of drawn images, which show no parts: ten neighbours are called one."""

LIMITS = (
    Limit("miss_rate", "max", 0.7, "robustness.yaml:1"),
    Limit("false_reject_rate", "max", 0.3, "robustness.yaml:2"),
    Limit("bg_fpr", "max", 0.01, "robustness.yaml:3"),
    Limit("pixel_segf1", "min", 0.1, "robustness.yaml:4"),
)


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    found = inputs(REAL, 64 if quick else 256, n_train=40, n_test_good=30, n_defect=30)
    pattern = BY_TENS if found.split.category == DRAWN else BY_COMMUTATOR
    name = "pixel_gaussian" if quick else "patchcore"
    detector = load_detector(name)
    found_point = rb.Benchmark(found.split, detector, corruptions=[]).prepare().to_dict()
    # The thresholds alone: at frozen ones no other calibration is in the doubt.
    point = rb.OperatingPoint.from_dict(
        {key: found_point[key] for key in ("pixel_threshold", "image_threshold")}
    )
    reports = [
        measured(split, detector, point) for split in (found.split, grouped(found.split, pattern))
    ]
    return [
        Table(
            "Several images of one part",
            ("", "each image its own part", f"`group: '{pattern}'`"),
            tuple(rows(*reports)),
            (
                f"{found.origin}, {name}, clean images, the same frozen thresholds.",
                "In brackets: the 95 % interval.",
            ),
        )
    ]


def measured(split: rb.Split, detector: object, point: rb.OperatingPoint) -> Report:
    return rb.Benchmark(
        split,
        detector,
        corruptions=[],
        fitted=True,
        operating_point=point,
        gate=Gate({"clean": LIMITS}),
    ).run()


def rows(*reports: Report) -> Iterator[tuple[str, ...]]:
    for verdicts in zip(*(report.verdicts for report in reports), strict=True):
        limit = verdicts[0].limit
        yield f"`{limit.metric}`, {limit.bound} {limit.value:g}", *map(told, verdicts)


def told(verdict: Verdict) -> str:
    """Return value, interval, evidence and outcome of a verdict."""
    assert verdict.value is not None
    assert verdict.interval is not None
    low, high = verdict.interval
    outcome = verdict.outcome + (", shown" if verdict.shown else "")
    value = shown(verdict.value, verdict.limit.value)
    return f"{value} ({low:.3f} to {high:.3f}), {counted_images(verdict)}: {outcome}"

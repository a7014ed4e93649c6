"""A report with tolerances, measured once."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path

import numpy as np

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.model import LineDrift
from pytest_robustbench.reports.file.stored import StoredReport
from pytest_robustbench.reports.pages.source import Source
from tests.reports.report_samples import small_benchmark

LIMITS = Gate(
    {
        "tolerance-exposure": (Limit("tolerance", "min", 0.1, "robustness.yaml:9", "EV"),),
        "tolerance-jpeg": (Limit("tolerance", "min", 2.0, "robustness.yaml:10", "severity"),),
    }
)
POINT = OperatingPoint(pixel_threshold=20.0, image_threshold=0.3)
DRIFT = LineDrift(name="led_2025_11", levels={"exposure": 0.05, "blur": 1.2})


def lit(images):
    """How far the light of each image is from the usual, and nothing else."""
    means = np.array([np.log2(image.mean() / 128) for image in images])
    return np.abs(means).astype(np.float32), None


@functools.cache
def _report():
    benchmark = small_benchmark(
        lit,
        corruptions=["exposure", "jpeg", "geo_jitter"],
        severities=[3],
        tolerances={
            "exposure": {"false_reject_rate": 0.5, "miss_rate": 1.0},
            "jpeg": {"miss_rate": 1.0},
            "geo_jitter": {"miss_rate": 1.0},
        },
        line_drift=DRIFT,
        operating_point=POINT,
        gate=LIMITS,
    )
    return json.loads(json.dumps(benchmark.run().to_dict()))


def plain():
    return copy.deepcopy(_report())


def tolerance(report, name="exposure"):
    return report["robustness"]["tolerance"][name]


def stored(report):
    """The report as it would be read, its digest made anew."""
    return StoredReport(sealed({k: v for k, v in report.items() if k != "content_sha256"}))


def source(report=None):
    return Source(plain() if report is None else report, Path("line.json"))

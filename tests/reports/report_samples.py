"""Reports for tests: a small real benchmark, and drawn results of any size."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np

from pytest_robustbench.benchmark import Benchmark, Gate
from pytest_robustbench.conditions import CLEAN, SEVERITIES, Condition
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.evaluation.results import ConditionResult, Latency
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.measured import NO_MAPS, measure, value_of
from pytest_robustbench.metrics.outcomes import COUNTS, Outcomes
from pytest_robustbench.plain_json import sha256_of
from pytest_robustbench.reports.file.environment import environment
from pytest_robustbench.reports.file.model import Header
from pytest_robustbench.reports.file.record import condition_record
from pytest_robustbench.reports.file.report import Report

GATE = Gate(
    {
        "clean": (Limit("bg_fpr", "max", 0.99, "robustness.yaml:3"),),
        "blur-severity_3": (Limit("bg_fpr", "max", -1.0, "robustness.yaml:4"),),
    },
    (Limit("worst_drop_recall", "max", 0.99, "robustness.yaml:5"),),
    one_sided={"clean": "false_alarms", "blur-severity_3": "false_alarms"},
)
GIVEN = OperatingPoint(pixel_threshold=20.0, image_threshold=30.0)


def contrast(images):
    """How far each pixel is from its image's median gray: a map, and its maximum as score."""
    gray = [image.mean(axis=2, dtype=np.float32) for image in images]
    return [np.abs(plane - np.median(plane)) for plane in gray]


def scores_only(images):
    return np.array([m.max() for m in contrast(images)], np.float32), None


def small_benchmark(detector=contrast, **options):
    drawn = load_split("synthetic", n_train=8, n_test_good=3, n_defect=5, size=32)
    split = replace(drawn, train=(), calibration=drawn.train)  # a callable is already fitted
    options = {"corruptions": ["blur", "geo_jitter"], "severities": [3, 5], "gate": GATE} | options
    return Benchmark(split, detector, fitted=True, **options)


def drawn_result(condition, rng, n=6, side=64, maps=True):
    """Metrics that follow from drawn scores and counts; only the pixel ranking is made up."""
    labels = (np.arange(n) % 3 > 0).astype(np.int64)
    score = rng.gamma(4, 1, n).astype(np.float32)
    fp, found = rng.integers(0, side * side // 50, n), rng.integers(0, side * side // 20, n)
    fn = rng.integers(0, side * side // 20, n) * labels
    tp = found * labels
    counts = [tp, fp, fn, side * side - tp - fp - fn]
    columns = [c.astype(np.float64) if maps else np.full(n, np.nan) for c in counts]
    outcomes = Outcomes(labels, score.astype(np.float64), *columns, 4.0, 3.5 if maps else None)
    calls = tuple(rng.gamma(20, 1, n).tolist())
    middle, mean = float(np.median(calls)), float(np.mean(calls))
    latency = Latency(calls, 1, middle, max(calls), mean, 0.7, (0.7,) * 4)
    images = rank_images(score, labels)
    given = {
        "auroc": images.auroc,
        "average_precision": images.average_precision,
        "pixel_auroc": 0.9,
        "pixel_average_precision": 0.5,
        "aupro": 0.8,
        "latency_ms_per_image": latency.median,
        "latency_p95_ms": latency.p95,
        "latency_relative": latency.relative,
    }
    measured = measure(outcomes, BUILT_IN, given)
    if not maps:
        measured = measured.without([m.name for m in BUILT_IN if m.level == "pixel"], NO_MAPS)
    everything = outcomes.all_called()
    return ConditionResult(
        condition=condition,
        metrics=measured.values,
        undefined=measured.reasons,
        operating_point=GIVEN.digest,
        image_threshold=4.0,
        pixel_threshold=3.5 if maps else None,
        image_counts={name: int(getattr(outcomes, f"image_{name}").sum()) for name in COUNTS},
        best_f1=best_f1(score, labels),
        trivial_segf1=value_of(metric_called("pixel_segf1"), everything),
        trivial_segf1_per_image=value_of(metric_called("pixel_segf1_per_image"), everything),
        per_image=outcomes,
        digests=tuple(rng.bytes(8).hex() for _ in range(n)),
        latency=latency,
        specification={}
        if condition.is_clean
        else {
            "name": condition.corruption,
            "version": 1,
            "parameters": {},
            "at": "camera",
            "seed": 0,
        },
        data_digest=blake2b(condition.id.encode(), digest_size=16).hexdigest(),
    )


def drawn_header(n=6, side=64, ids=None, **changes):
    samples = {
        "id": ids or [f"test/scratch/{i:03d}" for i in range(n)],
        "label": [int(i % 3 > 0) for i in range(n)],
        "group": [None] * n,
        "mask_known": [True] * n,
        "shape": [[side, side]] * n,
        "source_digest": [f"{i:016x}" for i in range(n)],
    }
    fields = {
        "name": "nuts",
        "dataset": "mvtec",
        "category": "nuts",
        "model": "drawn",
        "started": "2025-01-31T12:00:00+00:00",
        "command": "pytest -m robustness",
        "rerun": "pytest -m robustness 'test_line.py::test_robustness[nuts-{condition}]'",
        "operating_point": GIVEN.to_dict(),
        "detector": {"name": "drawn"},
        "sources": {"code": {}, "files": {}},
        "sha256": {
            "config": sha256_of({}),
            "dataset": sha256_of(samples),
            "model": None,
            "fitted": None,
        },
        "environment": environment(),
        "samples": samples,
        "config": {},
        "memory": {"host_peak_bytes": None, "device_peak_bytes": None},
        "profile": None,
        "notes": [],
    }
    return Header.from_dict(fields | changes)


def drawn_report(n=6, side=64, corruptions=("blur",), maps=True, **changes):
    rng = np.random.default_rng(0)
    conditions = (CLEAN, *(Condition(c, s) for c in corruptions for s in SEVERITIES))
    results = [drawn_result(c, rng, n, side, maps) for c in conditions]
    records = {r.condition.id: condition_record(r) for r in results}
    return Report(drawn_header(n, side, **changes), conditions, records)


def full_size_report(side):
    return drawn_report(160, side, DEFAULT)


def unprepared_header():
    unknown = dict.fromkeys(("config", "dataset", "model", "fitted"))
    return drawn_header(operating_point=None, samples=None, detector={}, sha256=unknown)

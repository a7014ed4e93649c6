"""Stored reports for tests: measured once, written, and edited in every way an accident can."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.detectors.sources import Sources
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.stored import StoredReport
from tests.reports.report_samples import contrast, small_benchmark

CONDITIONS = [
    "clean",
    "blur-severity_3",
    "blur-severity_5",
    "geo_jitter-severity_3",
    "geo_jitter-severity_5",
    "recorded-led",
]
CONFIG = {
    "conditions": CONDITIONS,
    "calibration": {"method": "holdout", "fraction": 0.2, "seed": 0, "folds": 5},
    "evaluation": {"pixel_segf1": True, "aupro_limit": 0.3, "gaussian_sigma": 0.0},
}


def duller(images):
    """A model with other eyes: it sees the left half of every image worse, on another scale."""
    fading = np.linspace(0.2, 3, 32, dtype=np.float32)
    return [m * fading for m in contrast(images)]


def recorded_set(seed=7, n_defect=3):
    drawn = load_split("synthetic", n_train=0, n_test_good=2, n_defect=n_defect, size=32, seed=seed)
    return replace(drawn, train=())


def measure(detector=contrast, **options):
    given = {"recorded": {"led": recorded_set()}, "config": CONFIG, "gate": Gate()}
    options = given | {"sources": Sources({}, {})} | options
    return json.loads(json.dumps(small_benchmark(detector, **options).run().to_dict()))


def stored(plain, path="r.json"):
    return StoredReport(plain, Path(path))


def compared(outcome, *verdicts, problems=()):
    """Return what a report says of a comparison that came to `outcome`."""
    change = {
        "condition": "clean",
        "metric": "bg_fpr",
        "bound": "max_rise",
        "value": 0.01,
        "relative": False,
        "benchmark": "brushed_metal",
        "baseline": 0.1,
        "candidate": 0.2,
        "loss": 0.1,
        "allowed": 0.01,
        "interval": None,
        "p": None,
        "improved": False,
        "identical": False,
        "images_needed": None,
        "parts_needed": None,
        "images_kind": "",
        "reason": "",
        "source": "robustness.yaml:9",
    }
    return {
        "role": "baseline",
        "baseline": "b.json",
        "outcome": outcome,
        "problems": list(problems),
        "notes": [],
        "verdicts": [
            {**change, "outcome": each, "allowed": 0.2 if each == "pass" else 0.01}
            for each in verdicts
        ],
        "n_changed_decisions": 0,
        "changed_decisions": [],
    }


def edited(plain, *steps):
    """Return a copy with ``(path, value)`` edits; a function edits the value that is there."""
    changed = copy.deepcopy(plain)
    for path, value in steps:
        place = changed
        for key in path[:-1]:
            place = place[key]
        key = path[-1]
        place[key] = value(place[key]) if callable(value) else value
    return changed


def without(plain, *path):
    changed = copy.deepcopy(plain)
    place = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


def edit(path, change):
    """Change a stored report, and seal it again."""
    plain = json.loads(path.read_text("utf-8"))
    change(plain)
    del plain["content_sha256"]
    path.write_text(json.dumps(sealed(plain)), "utf-8")

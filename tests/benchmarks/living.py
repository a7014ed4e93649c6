"""How many conditions of the default grid say anything: dead, unmoved or graded, by category."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from table import Table

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.corruptions.catalogue import BUILT_IN, DEFAULT
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.gates.effects import effect_of
from pytest_robustbench.reports.file.record import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.reports.file.report import Report

CATEGORIES = ("magnetic_tile", "grid", "hazelnut_toy", "kolektor")
DETECTORS = ("patchcore", "softpatch", "pixel_gaussian")
SIZE = 256
SIGNS = {"dead": "D", "unmoved": ".", "graded": "g"}


def tables(quick: bool) -> list[Table]:
    """Return a table for each place where corruptions act."""
    if not os.environ.get("ROBUSTBENCH_TEST_DATA"):
        return [Table("Conditions that say anything", ("what",), (("no real data",),))]
    if quick:
        return [living("camera", CATEGORIES[1:2], DETECTORS[2:], DEFAULT[:2])]
    names = tuple(BUILT_IN)
    shown = [living(place, CATEGORIES, DETECTORS, names) for place in ("camera", "model")]
    return [*shown, noise_places()]


def noise_places() -> Table:
    """Compare noise at the camera with less of it after the resize, and with that of other seeds.

    The resize averages as many pixels as the areas say: their noise is less by the root of that.
    """
    rows = []
    for category, ratio in (("grid", 4.0), ("hazelnut_toy", 2.0)):
        after = {"noise": {"severity_3": {"levels": 8 / ratio}}, "at": "model", "name": "after"}
        found = [_noisy_scores(category, ["noise", after], seed) for seed in range(3)]
        for severity in (3, 4, 5):
            cameras = [one[f"noise-severity_{severity}"] for one in found]
            others = [one[f"after-severity_{severity}"] for one in found]
            seeds = [np.abs(a - b).mean() for i, a in enumerate(cameras) for b in cameras[:i]]
            places = [np.abs(a - b).mean() for a in cameras for b in others]
            shift = float(np.mean(others) - np.mean(cameras))
            rows.append((category, severity, float(np.mean(seeds)), float(np.mean(places)), shift))
    columns = ("category", "severity", "other seed", "after the resize", "mean shift")
    return Table(
        "Noise after the resize: mean difference of patchcore's scores", columns, tuple(rows)
    )


def _noisy_scores(category: str, corruptions: list[Any], seed: int) -> dict[str, Floats]:
    root = Path(os.environ["ROBUSTBENCH_TEST_DATA"]) / "mvtec_layout"
    split = rb.load_split("mvtec", root=root, category=category, resize=(SIZE, SIZE))
    made: Benchmark = rb.Benchmark(
        split,
        rb.load_detector("patchcore"),
        corruptions=corruptions,
        severities=(3, 4, 5),
        evaluation=EvaluationSettings(seed=seed),
    )
    made.prepare()
    return {c.id: np.array(made.evaluate(c).per_image.score) for c in made.conditions}


def living(
    place: str, categories: tuple[str, ...], detectors: tuple[str, ...], names: tuple[str, ...]
) -> Table:
    rows = []
    for category in categories:
        for detector in detectors:
            found = effects(measured(category, detector, place, names), names)
            rows.append((category, detector, *counted(found), *found.values()))
    kinds = ("dead", "unmoved", "graded", "graded or bracketed")
    return Table(
        f"Effect of severity 1 to 5 at the {place} (D: dead, .: unmoved, g: graded)",
        ("category", "detector", *kinds, *names),
        tuple(rows),
    )


def measured(category: str, detector: str, place: str, names: tuple[str, ...]) -> Report:
    root = Path(os.environ["ROBUSTBENCH_TEST_DATA"]) / "mvtec_layout"
    split = rb.load_split("mvtec", root=root, category=category, resize=(SIZE, SIZE))
    corruptions = [{name: {}, "at": place} for name in names]
    made: Benchmark = rb.Benchmark(split, rb.load_detector(detector), corruptions=corruptions)
    return made.run()


def effects(report: Report, names: tuple[str, ...]) -> dict[str, str]:
    """Return what the five severities of each corruption do, as five signs."""
    columns = report.header.samples.to_dict()
    clean = outcomes_of(report.records[CLEAN.id], columns)
    found: dict[str, str] = dict.fromkeys(names, "")
    for condition in report.declared:
        if condition.is_corrupted:
            record = report.records[condition.id]
            sign = "-" if "error" in record else SIGNS[_effect(record, columns, clean)]
            found[condition.corruption] += sign
    return found


def _effect(record, columns, clean) -> str:
    return effect_of(outcomes_of(record, columns), clean)


def counted(found: dict[str, str]) -> Iterator[int]:
    """Return how many conditions are dead, unmoved, graded; and graded or beside another kind.

    A ladder brackets the break where it goes from unmoved to dead without a grade between.
    """
    signs = "".join(found.values())
    yield from (signs.count(sign) for sign in SIGNS.values())
    yield sum("g" in row or ("." in row and "D" in row) for row in found.values())

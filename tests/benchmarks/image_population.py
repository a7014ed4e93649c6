"""Images with what two fits of one model said about them: what simulated test sets are drawn from.

The second fit has another seed and lacks some train images, and is judged at the thresholds of the
first, as a model is that replaces one in production. So the two differ as a model does from its own
refit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from inputs import inputs

import pytest_robustbench as rb
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.metrics.outcomes import COLUMNS, Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult

REAL = (("magnetic_tile",), ("hazelnut_toy", "grid", "kolektor"))
"""Populations of real images; several categories are one line that makes several parts."""
CORRUPTIONS = ("lighting", "blur", "jpeg")
SEVERITY = 3


@dataclass(frozen=True)
class Population:
    """Test images and the outputs of two fits under every condition.

    Parameters
    ----------
    origin : str
        Which images and which model, for a reader of the table.
    labels : (N,) int64
        1 = defect.
    first, second : mapping of str to Outcomes
        By condition; scores are given as their distance from the image threshold, which is 0.
    """

    origin: str
    labels: NDArray[np.int64]
    first: Mapping[str, Outcomes]
    second: Mapping[str, Outcomes]


class _Fit(NamedTuple):
    detector: rb.Detector
    split: Split


def populations(quick: bool) -> list[Population]:
    """Measure both fits on real images where there are some, else on drawn ones."""
    if quick:
        return [_measured(("magnetic_tile",), quick=True)]
    real = REAL if os.environ.get("ROBUSTBENCH_TEST_DATA") else REAL[:1]
    return [_measured(categories, quick=False) for categories in real]


def _measured(categories: tuple[str, ...], *, quick: bool) -> Population:
    size, numbers = (64, 12) if quick else (256, 120)
    found = [
        inputs(each, size, n_train=numbers, n_test_good=numbers // 2, n_defect=numbers)
        for each in categories
    ]
    name, fits = zip(
        *(_small_fits(f.split) if quick else _fits(f.split) for f in found), strict=True
    )
    first, second = zip(*(_both_outputs(*pair) for pair in fits), strict=True)
    labels = [sample.label for each in found for sample in each.split.test]
    origin = "; ".join(dict.fromkeys(each.origin for each in found))
    return Population(
        f"{origin}; {name[0]}", np.array(labels, np.int64), _in_one(first), _in_one(second)
    )


def _both_outputs(one: _Fit, other: _Fit) -> tuple[dict[str, Outcomes], dict[str, Outcomes]]:
    first, operating_point = _outputs(one, None)
    second, _ = _outputs(other, operating_point)
    return first, second


def _in_one(parts: Sequence[Mapping[str, Outcomes]]) -> dict[str, Outcomes]:
    """Put the images of several categories together; their scores are distances from 0."""
    return {
        condition: replace(
            outputs,
            groups=np.empty(0, np.int64),
            **{
                n: np.concatenate([getattr(p[condition], n) for p in parts])
                for n in ("labels", *COLUMNS)
            },
        )
        for condition, outputs in parts[0].items()
    }


def _fits(split: Split) -> tuple[str, list[_Fit]]:
    name, preset = "patchcore", "industrial-fast"
    detectors = [load_detector(name, preset=preset, kwargs={"seed": seed}) for seed in (0, 1)]
    # Of few train images every patch is a candidate, whatever the seed.
    fewer = tuple(sample for i, sample in enumerate(split.train) if i % 10)
    fits = [
        _Fit(d, s) for d, s in zip(detectors, (split, replace(split, train=fewer)), strict=True)
    ]
    return f"`{name}`, `{preset}`, with another seed and a tenth of the train images less", fits


def _small_fits(split: Split) -> tuple[str, list[_Fit]]:
    fewer = replace(split, train=split.train[::2])
    name = "pixel_gaussian"
    fits = [_Fit(load_detector(name), part) for part in (split, fewer)]
    return f"`{name}`, fitted to all and to every other train image", fits


def _outputs(
    fit: _Fit, operating_point: OperatingPoint | None
) -> tuple[dict[str, Outcomes], OperatingPoint]:
    benchmark = rb.Benchmark(
        fit.split,
        fit.detector,
        corruptions=CORRUPTIONS,
        severities=[SEVERITY],
        operating_point=operating_point,
    )
    results = {c.id: benchmark.evaluate(c) for c in benchmark.conditions}
    return {id_: _columns(result) for id_, result in results.items()}, benchmark.prepare()


def _columns(result: ConditionResult) -> Outcomes:
    columns = {name: getattr(result.per_image, name).astype(np.float64) for name in COLUMNS}
    assert result.per_image.counted.all(), "every mask is known, and nothing leaves the frame"
    columns["score"] -= result.image_threshold
    return replace(result.per_image, **columns, image_threshold=0.0)

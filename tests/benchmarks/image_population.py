"""Images with what two fits of one model said about them: what simulated test sets are drawn from.

The second fit differs from the first in its seed only and is judged at the thresholds of the first,
as a model is that replaces one in production. So the two differ as a model does from its own refit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from inputs import inputs

import pytest_robustbench as rb
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.gates.regression.pairs import Outputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.evaluation.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult

REAL = "magnetic_tile"
CORRUPTIONS = ("lighting", "blur", "jpeg")
SEVERITY = 3
COLUMNS = ("score", "tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class Population:
    """Test images and the outputs of two fits under every condition.

    Parameters
    ----------
    origin : str
        Which images and which model, for a reader of the table.
    labels : (N,) int64
        1 = defect.
    first, second : mapping of str to Outputs
        By condition; scores are given as their distance from the image threshold, which is 0.
    """

    origin: str
    labels: NDArray[np.int64]
    first: Mapping[str, Outputs]
    second: Mapping[str, Outputs]


class _Fit(NamedTuple):
    detector: rb.Detector
    split: Split


def population(quick: bool) -> Population:
    """Measure both fits on real images where there are some, else on drawn ones."""
    size, numbers = (64, 12) if quick else (256, 120)
    found = inputs(REAL, size, n_train=numbers, n_test_good=numbers // 2, n_defect=numbers)
    name, fits = _small_fits(found.split) if quick else _fits(found.split)
    first, operating_point = _outputs(fits[0], None)
    second, _ = _outputs(fits[1], operating_point)
    labels = np.array([sample.label for sample in found.split.test], np.int64)
    return Population(f"{found.origin}; {name}", labels, first, second)


def _fits(split: Split) -> tuple[str, list[_Fit]]:
    name, preset = "patchcore", "industrial-fast"
    detectors = [load_detector(name, preset=preset, kwargs={"seed": seed}) for seed in (0, 1)]
    return f"`{name}`, `{preset}`, coreset seeds 0 and 1", [_Fit(d, split) for d in detectors]


def _small_fits(split: Split) -> tuple[str, list[_Fit]]:
    fewer = replace(split, train=split.train[::2])
    name = "pixel_gaussian"
    fits = [_Fit(load_detector(name), part) for part in (split, fewer)]
    return f"`{name}`, fitted to all and to every other train image", fits


def _outputs(
    fit: _Fit, operating_point: OperatingPoint | None
) -> tuple[dict[str, Outputs], OperatingPoint]:
    benchmark = rb.Benchmark(
        fit.split,
        fit.detector,
        corruptions=CORRUPTIONS,
        severities=[SEVERITY],
        operating_point=operating_point,
    )
    results = {c.id: benchmark.evaluate(c) for c in benchmark.conditions}
    return {id_: _columns(result) for id_, result in results.items()}, benchmark.prepare()


def _columns(result: ConditionResult) -> Outputs:
    columns = {name: getattr(result.per_image, name).astype(np.float64) for name in COLUMNS}
    assert result.per_image.known.all(), "every mask is known, and nothing leaves the frame"
    columns["score"] -= result.image_threshold
    return Outputs(**columns, image_threshold=0.0, pixel_threshold=result.pixel_threshold)

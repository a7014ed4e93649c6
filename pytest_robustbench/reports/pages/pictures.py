"""The worst images of a failing condition as PNG files beside the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import RobustbenchError
from pytest_robustbench.evaluation.measure.exhibits import called_pixels
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.naming import MOST_BYTES
from pytest_robustbench.reports.pages.drawing import png, triptych

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.evaluation.evaluator import Evaluator
    from pytest_robustbench.evaluation.results import ConditionResult

WORST = 3
GAP = 4


def save_worst_images(
    evaluator: Evaluator, result: ConditionResult, metrics: Sequence[str], folder: Path
) -> list[str]:
    """Save corrupted image, ground truth and prediction side by side; return lines naming them.

    Parameters
    ----------
    evaluator : Evaluator
        Prepared.
    result : ConditionResult
        Of the condition that failed.
    metrics : sequence of str
        The metrics whose limits are violated; each has its own worst images.
    folder : Path
        The benchmark's folder; pictures lie in ``<folder>/<condition>/``, those of an earlier run
        are removed.
    """
    target = folder / result.condition.id
    try:
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("*.png"):
            old.unlink()
        blocks = [_saved(evaluator, result, metric, target) for metric in metrics]
    except (OSError, RobustbenchError) as error:
        return ["", f"the worst images cannot be saved: {error}"]
    return [line for block in blocks for line in block]


def _saved(evaluator: Evaluator, result: ConditionResult, metric: str, target: Path) -> list[str]:
    lines = []
    samples = evaluator.samples(result.condition)
    for rank, index in enumerate(worst_images(result, metric), start=1):
        sample = samples[index]
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", sample.id)[-MOST_BYTES:]
        path = target / f"{metric}-{rank}-{name}.png"
        path.write_bytes(png(_panels(evaluator, result, index)))
        lines.append(f"  {sample.id}: {path}")
    if not lines:
        return []
    return [
        "",
        f"worst images for {metric} (image, truth in blue, called anomalous in red):",
        *lines,
    ]


def worst_images(result: ConditionResult, metric: str) -> list[int]:
    """Return the indices of the images that did most to violate a limit on `metric`.

    For false positive rates it is an image's share of false positives, for image decisions the
    distance of its score on the wrong side of the threshold, for latency none, otherwise how far a
    defect image's SegF1 is from 1. Images of a kind that the metric does not look at are left out.
    """
    row, outcomes = metric_called(metric), result.per_image
    defective = outcomes.defective
    if row.is_latency:
        return []
    if row.counts_pixels and "false alarms" in row.sees:
        badness = outcomes.fp / np.maximum(outcomes.fp + outcomes.tn, 1)
    elif row.level == "image" and not row.ranks:
        above = outcomes.score - result.image_threshold
        badness = np.where(defective, -above, above)
    else:
        wrong = outcomes.fp + outcomes.fn
        loss = wrong / np.maximum(2 * outcomes.tp + wrong, 1)
        badness = np.where(defective, loss, 0.0)
    kinds = {"defect": defective, "normal": ~defective}
    badness = np.where(kinds.get(row.kind, True), np.nan_to_num(badness), 0.0)
    worst = np.argsort(-badness, kind="stable")[:WORST]
    return [int(i) for i in worst if badness[i] > 0]


def _panels(evaluator: Evaluator, result: ConditionResult, index: int) -> Image:
    corrupted, anomaly_map = evaluator.picture(result.condition, index)
    called = called_pixels(corrupted, anomaly_map, result.pixel_threshold)
    return triptych(corrupted.image, corrupted.mask, called, GAP)

"""Pairs of outputs that look like those of a detector and its successor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_robustbench.gates.names import MIN_METRICS
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.regression.family import Comparison
from pytest_robustbench.gates.regression.pairs import Outputs, Pair

PIXELS = 10_000
COUNTS = ("tp", "fp", "fn", "tn")


def outputs_of(rng, labels, areas, found=0.7, false=30):
    """One model that finds a share of every defect and lights up some background."""
    tp = rng.binomial(areas, found)
    fp = rng.poisson(false, len(labels))
    score = rng.normal(size=len(labels)) + 2.0 * labels
    columns = (score.astype(np.float32), tp, fp, areas - tp, PIXELS - areas - fp)
    return Outputs(*(np.asarray(c, np.float64) for c in columns), 1.0, 0.5)


def pair_of(n=80, seed=0, condition="clean", found=(0.7, 0.7)):
    """Half of the images show a defect; two of them are left out."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    areas = np.where(labels == 1, rng.integers(100, 900, n), 0)
    both = [left_out(outputs_of(rng, labels, areas, share), (0, n - 1)) for share in found]
    ids = tuple(f"{i:03d}" for i in range(n))
    return Pair(condition, ids, labels.astype(np.int64), *both)


def left_out(outputs, images):
    """Without these images."""
    return changed(outputs, list(images), **dict.fromkeys(("score", *COUNTS), np.nan))


def changed(outputs, images, **columns):
    """With other values for some images."""
    copies = {name: np.array(getattr(outputs, name)) for name in columns}
    for name, value in columns.items():
        copies[name][images] = value
    return replace(outputs, **copies)


def with_missed(outputs, images):
    """Nothing is found in these images any more."""
    lost = outputs.tp[images] + outputs.fn[images]
    return changed(outputs, images, tp=0.0, fn=lost, score=-9.0)


def subset(pair, images):
    """Only these images, or these images several times."""

    def rows(outputs):
        return replace(outputs, **{n: getattr(outputs, n)[images] for n in ("score", *COUNTS)})

    ids = tuple(f"{i:03d}" for i in range(len(images)))
    return Pair(pair.condition, ids, pair.labels[images], rows(pair.baseline), rows(pair.candidate))


def comparison(pair, metric="pixel_segf1", value=0.05, *, relative=False, benchmark="tile"):
    """One allowed change, in the direction that is worse."""
    bound = "max_drop" if metric in MIN_METRICS else "max_rise"
    return Comparison(
        benchmark, pair, AllowedChange(metric, bound, value, relative, "robustness.yaml:9")
    )

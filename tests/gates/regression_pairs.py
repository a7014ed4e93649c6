"""Pairs of outputs that look like those of a detector and its successor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_robustbench.gates.regression.changes import AllowedChange, worse
from pytest_robustbench.gates.regression.family import Comparison
from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.outcomes import COUNTS, Outcomes

PIXELS = 10_000
RATIOS = tuple(m.name for m in BUILT_IN if m.formula)


def value_in(metric, outcomes):
    """The metric; NaN where it is not defined."""
    return ratio_of(metric_called(metric), outcomes).value


def outputs_of(rng, labels, areas, found=0.7, false=30):
    """One model that finds a share of every defect and lights up some background."""
    tp = rng.binomial(areas, found)
    fp = rng.poisson(false, len(labels))
    score = rng.normal(size=len(labels)) + 2.0 * labels
    columns = (score.astype(np.float32), tp, fp, areas - tp, PIXELS - areas - fp)
    columns = (np.asarray(c, np.float64) for c in columns)
    return Outcomes(np.asarray(labels, np.int64), *columns, 1.0, 0.5)


def pair_of(n=80, seed=0, condition="clean", found=(0.7, 0.7)):
    """Half of the images show a defect; two of them are left out."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    areas = np.where(labels == 1, rng.integers(100, 900, n), 0)
    both = [left_out(outputs_of(rng, labels, areas, share), (0, n - 1)) for share in found]
    ids = tuple(f"{i:03d}" for i in range(n))
    return Pair(condition, ids, *both)


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
    ids = tuple(f"{i:03d}" for i in range(len(images)))
    parts = np.arange(len(images))
    both = (replace(o.of(images), groups=parts) for o in (pair.baseline, pair.candidate))
    return Pair(pair.condition, ids, *both)


def of_parts(pair, images_per_part):
    """The same images, so many neighbours of which show one part."""
    groups = np.arange(len(pair.ids)) // images_per_part
    both = (replace(o, groups=groups) for o in (pair.baseline, pair.candidate))
    return Pair(pair.condition, pair.ids, *both)


def comparison(
    pair, metric="pixel_segf1", value=0.05, *, relative=False, benchmark="tile", same_model=False
):
    """One allowed change, in the direction that is worse."""
    change = AllowedChange(metric, worse(metric), value, relative, "robustness.yaml:9")
    return Comparison(benchmark, pair, change, same_model=same_model)

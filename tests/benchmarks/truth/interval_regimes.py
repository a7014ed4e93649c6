"""How often the intervals of absolute limits hold the true value."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from table import Table

from pytest_robustbench.gates.intervals import interval_of
from pytest_robustbench.metrics.catalogue import metric_called
from truth.judging import covered, parts, spread_out
from truth.population import Layout, drawn_parts, outcomes_of, seen, value_of
from truth.regimes import METRICS, PARTS_HEADINGS, SIZES, layouts

if TYPE_CHECKING:
    from truth.judging import Effort


class Sample(NamedTuple):
    """Test sets of one size."""

    layout: Layout
    n: int


def coverage(effort: Effort) -> Table:
    """Return how often 95 % intervals hold the true value, and how often there are none."""
    samples = [
        ((*labels, n), Sample(replace(layout, size=effort.population), n))
        for labels, layout in layouts(effort)
        for n in effort.defects or SIZES
    ]
    found = spread_out(effort, partial(held, effort), [sample for _, sample in samples])
    rows = [
        (*labels, *_shown(shares, effort.draws))
        for (labels, _), shares in zip(samples, found, strict=True)
    ]
    columns = (*PARTS_HEADINGS, *METRICS, "no interval")
    return Table("95 % intervals of absolute limits: coverage", columns, tuple(rows))


def _shown(shares: tuple[list[float], float], draws: int) -> tuple[object, ...]:
    held, unknown = shares
    return (*(covered(share, draws) for share in held), f"{100 * unknown:.1f} %")


def held(effort: Effort, sample: Sample) -> tuple[list[float], float]:
    """Return the share of draws whose interval holds, by metric, and of those without one.

    An interval that is not known does not fail.
    """
    layout, n = sample
    images = parts(layout)[0]
    everything = outcomes_of(images, images.baseline)
    true = {metric: value_of(metric, everything) for metric in METRICS}
    rng = np.random.default_rng([n, layout.images_a_part, round(100 * layout.icc), 1])
    found = np.empty((effort.draws, len(METRICS)))
    unknown = 0
    for draw in range(effort.draws):
        rows = drawn_parts(layout, images, n, rng)
        here = seen(everything, rows, layout.images_a_part)
        for k, (metric, value) in enumerate(true.items()):
            ends = interval_of(metric_called(metric), here, resamples=effort.resamples, seed=draw)
            found[draw, k] = ends is None or ends[0] - 1e-9 <= value <= ends[1] + 1e-9
            unknown += ends is None
    return found.mean(axis=0).tolist(), unknown / found.size

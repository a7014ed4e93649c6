"""Ladders of scores whose break is known."""

from __future__ import annotations

import numpy as np

from pytest_robustbench.metrics.tolerance.breaks import breaks_of
from pytest_robustbench.metrics.tolerance.ladder import Ladder

RUNGS = (1.0, 2.0, 3.0, 4.0, 5.0)
THRESHOLD = 10.0


def ladder_of(curves, severities=RUNGS, clean=0.0):
    """A ladder of scores that functions of the severity give, one draw."""
    scores = [[[curve(severity) for curve in curves]] for severity in severities]
    starts = np.broadcast_to(np.asarray(clean, np.float64), len(curves)).copy()
    return Ladder(tuple(severities), starts, np.array(scores, np.float64))


def mixed(good, defective, severities=RUNGS, *, clean_good=0.0, clean_defective=20.0):
    """A ladder of good parts, then defective ones, and their labels."""
    kinds = ((clean_good, good), (clean_defective, defective))
    clean = np.concatenate([np.broadcast_to(start, len(curves)) for start, curves in kinds])
    ladder = ladder_of([*good, *defective], severities, clean)
    return ladder, np.array([0] * len(good) + [1] * len(defective))


def found(ladder, labels, limits=None, groups=None, n_draws=200):
    """Where decisions break, each image a part of its own unless groups say otherwise."""
    return breaks_of(
        ladder,
        THRESHOLD,
        limits or {},
        labels=labels,
        groups=np.arange(len(labels)) if groups is None else np.asarray(groups),
        n_draws=n_draws,
    )


def steady(value):
    return lambda _severity: value


def rising(at, slope=20.0):
    """A score that crosses the threshold at a severity."""
    return lambda severity: THRESHOLD + slope * (severity - at)

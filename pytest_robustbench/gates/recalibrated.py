"""The best and the worst that other calibration images would have made of the same test images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.outcomes import LARGEST
from pytest_robustbench.metrics.redrawn import HIGHEST, LOWEST, Decided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.outcomes import Outcomes


ROUNDING = 1e-9
"""Of a level such as 0.95, whose half of the rest is a little less than 0.025."""


def extremes(outcomes: Outcomes, alpha: float) -> tuple[Outcomes, Outcomes]:
    """Return the best and the worst decisions that redrawn thresholds may come to.

    What is called falls with a threshold. So no threshold between two finds more than the lower one
    and calls less background than the higher one, and none does worse than the reverse: whichever
    metric of decisions is asked, all values between lie between those of these two.

    Parameters
    ----------
    outcomes : Outcomes
        At the calibrated thresholds, with what redrawn ones decide.
    alpha : float
        How often a redrawn threshold may lie beyond either end. Where none is known that far out,
        it may lie anywhere.
    """
    totals = outcomes.tp + outcomes.fn, outcomes.fp + outcomes.tn
    anywhere = tuple(Decided.at(side, (None, None), None, totals) for side in (LOWEST, HIGHEST))
    known = (each for each in outcomes.redrawn if each.tail <= alpha + ROUNDING)
    widest = next(known, None)
    low, high = anywhere if widest is None else (widest.lowest, widest.highest)
    return _mixed(outcomes, low, high), _mixed(outcomes, high, low)


def _mixed(outcomes: Outcomes, of_defects: Decided, of_background: Decided) -> Outcomes:
    """Return outcomes where one pair of thresholds decides on defects, another on all else."""
    called = np.where(
        outcomes.defective,
        _called(outcomes, of_defects.image_threshold),
        _called(outcomes, of_background.image_threshold),
    )
    score = np.where(outcomes.measured, np.where(called, LARGEST, -LARGEST), np.nan)
    defect, background = outcomes.tp + outcomes.fn, outcomes.fp + outcomes.tn
    tp, fp = of_defects.tp, of_background.fp
    return replace(
        outcomes,
        score=score,
        image_threshold=0.0,
        tp=tp,
        fn=defect - tp,
        fp=fp,
        tn=background - fp,
        redrawn=(),
    )


def _called(outcomes: Outcomes, threshold: float) -> NDArray[np.bool_]:
    return np.asarray(outcomes.score.astype(np.float32) > np.float32(threshold))

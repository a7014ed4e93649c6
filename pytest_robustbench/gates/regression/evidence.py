"""Whether a test set is large enough for its silence to mean anything.

A bootstrap knows only the images it has. If a share s of all parts is of a kind that the candidate
has lost, n images hold none of that kind with probability ``(1 - s) ** n``, which is at most 5 %
from ``n = 3 / s`` on (the rule of three). So for every metric: which share of images, lost whole,
would cost exactly what is allowed?

Where some loss is seen, less of the margin is left. If the true loss were exactly what is allowed
and lay in whole images, the loss in a sample would scatter by ``sqrt(cost * allowed / n)`` (a
binomial share, `cost` per image lost), whatever the sample itself shows. To be told from that at
5 %, the loss must lie 1.65 such errors below: ``n >= 3 * cost * allowed / (allowed - loss)^2``,
which is the rule of three where no loss is seen. Solved for the largest loss that this one is not
told from, the same is an upper bound, as Wilson's (1927) is for a share.

Where no loss is allowed, the margin is what the candidate seems to gain: n images must not hide a
loss that uses it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.gates.regression.ratios import ratio_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.pairs import Outputs, Pair

RULE_OF_THREE = 3.0
LEAST_FALSE_ALARM = 0.05
"""Share of an image's background that an image gone wrong is taken to light up, at least."""


@dataclass(frozen=True)
class Evidence:
    """How many images there are, and how many it takes.

    Parameters
    ----------
    effective, needed : float
        In images of equal weight.
    cost : float
        Loss per share of images lost whole.
    kind : str
        Of which images: defect, normal, ...
    counted : int
        How many images there are, whatever their weight.
    """

    effective: float
    needed: float
    cost: float
    kind: str
    counted: int

    @property
    def suffices(self) -> bool:
        """Whether a loss of what is allowed would hardly go unnoticed."""
        return self.effective >= self.needed

    def bound(self, loss: float) -> float:
        """Return the largest true loss in whole images that may well show as `loss`."""
        if not self.effective:
            return float("inf")
        step, seen = RULE_OF_THREE * self.cost / self.effective, max(loss, 0.0)
        return seen + step / 2 + float(np.sqrt(step**2 / 4 + step * seen))

    @property
    def shortage(self) -> float:
        """By which factor there are too few; 1 or less where there are enough."""
        return self.needed / self.effective if self.effective else float("inf")

    @property
    def reason(self) -> str:
        """What is wrong with the test set, in words."""
        if not np.isfinite(self.needed):
            return "nothing of the margin is left, and no finite test set can show that it is kept"
        return (
            f"the test set is too small: {self.counted} {self.kind} images count as "
            f"{self.effective:.0f} of equal weight, and it takes {np.ceil(self.needed):.0f}"
        )


def evidence_of(change: AllowedChange, pair: Pair, baseline: float, loss: float) -> Evidence:
    """Return the evidence that the images of a pair carry about an allowed change.

    Parameters
    ----------
    change : AllowedChange
        What may be lost.
    pair : Pair
        The images.
    baseline : float
        The baseline's value of the metric.
    loss : float
        By how much the candidate is worse on these images.
    """
    weights, kind = _weights(change.metric, pair)
    allowed = change.allowed(baseline) or max(-loss, 0.0)
    cost = _cost_of_an_image(change.metric, pair, baseline)
    left = allowed - max(loss, 0.0)
    needed = RULE_OF_THREE * cost * allowed / left**2 if left > 0 else float("inf")
    return Evidence(_effective(weights), needed, cost, kind, int((weights > 0).sum()))


def _effective(weights: NDArray[np.float64]) -> float:
    """Return ``(sum a)^2 / sum a^2``: how many images of equal weight would say as much."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _weights(metric: str, pair: Pair) -> tuple[NDArray[np.float64], str]:
    """Return what each image weighs in the metric, and the kind of images that do."""
    outputs, defect = pair.baseline, pair.labels == 1
    measured = np.isfinite(outputs.score)
    if metric == "pixel_segf1":
        return np.where(defect, np.nan_to_num(outputs.tp + outputs.fn), 0.0), "defect"
    if metric in ("pixel_segf1_per_image", "bg_fpr", "normal_fpr"):
        weights = ratio_of(metric, outputs, pair.labels).denominator
        kinds = {"pixel_segf1_per_image": "defect", "bg_fpr": "test", "normal_fpr": "normal"}
        return weights, kinds[metric]
    if metric == "auroc":
        return _fewer(defect & measured, ~defect & measured)
    if metric in ("miss_rate", "recall", "f1"):
        return (defect & measured).astype(np.float64), "defect"
    if metric in ("false_reject_rate", "specificity"):
        return (~defect & measured).astype(np.float64), "normal"
    kind = "rejected" if metric == "precision" else "test"
    return ratio_of(metric, outputs, pair.labels).denominator, kind


def _fewer(defect: NDArray[np.bool_], normal: NDArray[np.bool_]) -> tuple[NDArray[np.float64], str]:
    """Return the kind of which there are fewer: a ranking suffers from lost images of either."""
    if normal.sum() < defect.sum():
        return normal.astype(np.float64), "normal"
    return defect.astype(np.float64), "defect"


def _cost_of_an_image(metric: str, pair: Pair, baseline: float) -> float:
    """Return the loss per share of images lost whole.

    F1 loses ``F1 (1 - F1 / 2)`` per share of the defect area that is no longer found. A mean of F1
    over images, and an AUROC, lose their own value. Rates lose 1. A false positive rate rises by
    what an image gone wrong lights up: as much as the worst image of either model.
    """
    if metric in ("pixel_segf1", "f1"):
        return baseline * (1 - baseline / 2)
    if metric in ("pixel_segf1_per_image", "auroc"):
        return baseline
    if metric in ("bg_fpr", "normal_fpr"):
        return max(
            LEAST_FALSE_ALARM, *(_worst(metric, o, pair) for o in (pair.baseline, pair.candidate))
        )
    return 1.0


def _worst(metric: str, outputs: Outputs, pair: Pair) -> float:
    ratio = ratio_of(metric, outputs, pair.labels)
    counted = ratio.denominator > 0
    return float((ratio.numerator[counted] / ratio.denominator[counted]).max(initial=0.0))

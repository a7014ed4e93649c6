"""Whether a test set is large enough for its silence to mean anything.

A bootstrap knows only the images it has. If a share s of all parts is of a kind that the candidate
has lost, n images hold none of that kind with probability ``(1 - s) ** n``, which is at most 5 %
from ``n = 3 / s`` on (the rule of three). So for every metric: which share of images, lost whole,
would cost exactly what is allowed? With images of unequal weight a, n is
``n_eff = (sum a)^2 / sum a^2`` (Kish 1965), and it takes ``3 * cost / allowed``.

Where some loss is seen, or the images scatter anyway, both uncertainties add. Were the true loss
larger by u than the one that is seen, and u lay in whole images, the loss would scatter with the
variance that is seen and ``u * sum c^2 / sum c`` more, with c what each image costs if it is lost.
The largest u that the images do not contradict solves ``u^2 = reach^2 + unseen * u``: without loss
and scatter it is the rule of three, without unseen losses the bootstrap's own reach; in between it
is Wilson's (1927) interval of a share, for images of unequal cost.

The pooled F1 of pixels, and the F1 of images, also fall where normal images light up. Their images
are many and cost little by area, and one of them gone wrong would cost more than any margin: that
risk is the false positive rates' own, and a limit on F1 says nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.measured import ratio_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes

RULE_OF_THREE = 3.0
UNSEEN_VARIANCE = 2.0
"""Squared quantile by which the scatter of unseen losses counts.

A normal sum would need 1.645^2 = 2.7. A sum of few large losses is skewed to the right, and its
lower tail, which alone could hide a loss, is shorter: with 2, no more than 4.3 % of losses that
equal the margin passed in simulations on real images (docs/regression.md).
"""
LEAST_FALSE_ALARM = 0.5
"""Share of an image's background that an image gone wrong is taken to light up, at least."""


@dataclass(frozen=True)
class Evidence:
    """How many images there are, and how many it takes.

    Parameters
    ----------
    effective, needed : float
        In images of equal weight.
    unseen : float
        Variance that a loss in whole images would add, per unit of loss, times a squared quantile.
    kind : str
        Of which images: defect, normal, ...
    counted : int
        How many images there are, whatever their weight.
    """

    effective: float
    needed: float
    unseen: float
    kind: str
    counted: int

    @property
    def suffices(self) -> bool:
        """Whether a loss of what is allowed would hardly go unnoticed."""
        return self.effective >= self.needed

    def reach(self, drawn: float) -> float:
        """Return by how much the true loss may exceed the one seen.

        Parameters
        ----------
        drawn : float
            The same by the bootstrap alone.
        """
        if not np.isfinite(drawn):
            return float("inf")
        half = self.unseen / 2
        return half + float(np.hypot(half, max(drawn, 0.0)))

    def factor(self, drawn: float, wanted: float) -> float:
        """Return how many times as many images would make `reach` as small as wanted."""
        shortage = self.needed / self.effective if self.effective else float("inf")
        return max(1.0, shortage, (max(drawn, 0.0) ** 2 + self.unseen * wanted) / wanted**2)

    @property
    def reason(self) -> str:
        """What is wrong with the test set, in words."""
        if not np.isfinite(self.needed):
            return "nothing of the margin is left, and no finite test set can show that it is kept"
        return (
            f"the test set is too small: {self.counted} {self.kind} images count as "
            f"{self.effective:.0f} of equal weight"
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
        By how much the candidate is worse on these images. Where no loss is allowed, n images must
        not hide one that uses up what the candidate seems to gain.
    """
    weights, kind = _weights(change.row, pair)
    effective, cost = _effective(weights), _cost_of_an_image(change.row, pair, baseline)
    allowed = change.allowed(baseline) or max(-loss, 0.0)
    needed = RULE_OF_THREE * cost / allowed if allowed else float("inf")
    unseen = _unseen(change.row, pair, cost / effective) if effective else float("inf")
    return Evidence(effective, needed, unseen, kind, int((weights > 0).sum()))


def _unseen(metric: Metric, pair: Pair, cost: float) -> float:
    """Return `Evidence.unseen`, given the cost of an image of mean weight.

    A model finds some defects and not others, and loses most where it found most: so the images
    are weighed both as they count, and by what they cost if they are missed.
    """
    missed = _costs_if_missed(metric, pair)
    total = float(missed.sum())
    spread = float((missed**2).sum()) / total if total else 0.0
    return max(RULE_OF_THREE * cost, UNSEEN_VARIANCE * spread)


def _costs_if_missed(metric: Metric, pair: Pair) -> NDArray[np.float64]:
    """Return what the baseline would lose with each defect image, linearised; 0 for a gain."""
    if metric.formula is None or metric.name in pair.baseline.own:
        return np.zeros(len(pair.labels))
    found = ratio_of(metric, pair.baseline)
    missed = ratio_of(metric, pair.baseline.none_called())
    less = (
        found.numerator - missed.numerator - found.value * (found.denominator - missed.denominator)
    )
    lost = np.maximum(-metric.sign * less / found.denominator.sum(), 0.0)
    return np.where(pair.labels == 1, lost, 0.0)


def _effective(weights: NDArray[np.float64]) -> float:
    """Return ``(sum a)^2 / sum a^2``: how many images of equal weight would say as much."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _weights(metric: Metric, pair: Pair) -> tuple[NDArray[np.float64], str]:
    """Return what each image weighs in the metric, and the kind of images that do."""
    outcomes = pair.baseline
    if metric.ranks:
        return _fewer(outcomes)
    kind = metric.evidence or metric.kind or "test"
    if metric.weight is None:
        return ratio_of(metric, outcomes).denominator, kind
    return np.nan_to_num(metric.weight(outcomes)), kind


def _fewer(outcomes: Outcomes) -> tuple[NDArray[np.float64], str]:
    """Return the kind of which there are fewer: a ranking suffers from lost images of either."""
    defect = outcomes.defective & outcomes.measured
    normal = ~outcomes.defective & outcomes.measured
    fewer, kind = (normal, "normal") if normal.sum() < defect.sum() else (defect, "defect")
    return fewer.astype(np.float64), kind


def _cost_of_an_image(metric: Metric, pair: Pair, baseline: float) -> float:
    """Return the loss per share of images lost whole, as the metric's row has it.

    F1 loses ``F1 (1 - F1 / 2)`` per share of the defect area that is no longer found. A mean of F1
    over images, and an AUROC, lose their own value. Rates lose 1. A false positive rate rises by
    what an image gone wrong lights up: as much as the worst image of either model.
    """
    if metric.lost_image is not None:
        return metric.lost_image(baseline)
    return max(LEAST_FALSE_ALARM, *(_worst(metric, o) for o in (pair.baseline, pair.candidate)))


def _worst(metric: Metric, outcomes: Outcomes) -> float:
    ratio = ratio_of(metric, outcomes)
    counted = ratio.denominator > 0
    return float((ratio.numerator[counted] / ratio.denominator[counted]).max(initial=0.0))

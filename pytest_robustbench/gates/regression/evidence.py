"""Whether a test set is large enough for its silence to mean anything.

A bootstrap knows only the parts it has. If a share s of all parts is of a kind that the candidate
now decides wrongly, n parts hold none of that kind with probability ``(1 - s) ** n``, which is at
most 5 % from ``n = 3 / s`` on (the rule of three). So for every metric: what would each part cost,
were it missed whole, or lit up whole? With costs c, and losses that strike a part in proportion to
its cost (large defects are lost as easily as small ones, or more), ``3 sum(c^2) / sum(c)`` could
hide: for equal costs that is ``3 / n`` of all there is to lose, for others n becomes Kish's (1965)
``n_eff = sum(c)^2 / sum(c^2)``.

Where some loss is seen, or the parts scatter anyway, both uncertainties add. Were the true loss
larger by u than the one that is seen, and u lay in whole parts, the loss would scatter with the
variance that is seen and ``u * sum(c^3) / sum(c^2)`` more. The largest u that the parts do not
contradict solves ``u^2 = reach^2 + unseen * u``: without loss and scatter it is the rule of three,
without unseen losses the bootstrap's own reach; in between it is Wilson's (1927) interval of a
share, for parts of unequal cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pytest_robustbench.gates.regression.rankings import auroc_difference
from pytest_robustbench.gates.wording import counted
from pytest_robustbench.metrics.measured import ratio_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.metrics.metric import Metric
    from pytest_robustbench.metrics.outcomes import Outcomes, Ratio

    Array: TypeAlias = NDArray[np.float64]

RULE_OF_THREE = 3.0
UNSEEN_VARIANCE = 2.0
"""Squared quantile by which the scatter of unseen losses counts.

A normal sum would need 1.645^2 = 2.7. A sum of few large losses is skewed to the right, and its
lower tail, which alone could hide a loss, is shorter.
"""
RAREST_GAIN = 0.05
"""Share of the parts that a kind has at least which makes good what all others lose.

60 parts of equal weight show such a kind. Were any kind, however rare, expected to do so, no small
loss in every part could be told from none.
"""
RAREST_LIT = 0.1
"""The same of a kind that the baseline alone lights up as a whole, though it does so to no part."""
ROUNDING = 1e-9
KINDS = {(1,): "defect", (0,): "normal"}
"""Which images can go wrong, by their labels."""


@dataclass(frozen=True)
class Evidence:
    """How many parts there are, and how many it takes.

    Parameters
    ----------
    effective, needed : float
        In parts of equal cost.
    unseen, unseen_below : float
        Variance that a loss, or a gain, in whole parts would add, per unit of it, times a squared
        quantile.
    unseen_gain : float
        What a kind of parts that none of them shows may gain.
    kind : str
        Of which images: defect, normal, ...
    counted : int
        How many parts have such images.
    images : int
        How many images these are.
    """

    effective: float
    needed: float
    unseen: float
    unseen_below: float
    unseen_gain: float
    kind: str
    counted: int
    images: int

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
        return _reach(self.unseen, drawn)

    def reach_below(self, drawn: float) -> float:
        """Return by how much the true loss may be less than the one seen; see `reach`."""
        return _reach(self.unseen_below, drawn)

    def factor(self, drawn: float, wanted: float) -> float:
        """Return how many times as many parts would make `reach` as small as wanted."""
        shortage = self.needed / self.effective if self.effective else float("inf")
        return max(1.0, shortage, (max(drawn, 0.0) ** 2 + self.unseen * wanted) / wanted**2)

    @property
    def reason(self) -> str:
        """What is wrong with the test set, in words."""
        if not np.isfinite(self.needed):
            return "nothing of the margin is left, and no finite test set can show that it is kept"
        there = counted(self.images, self.kind, self.counted)
        return f"the test set is too small: {there} count as {self.effective:.0f} of equal weight"


def _reach(unseen: float, drawn: float) -> float:
    if not np.isfinite(drawn):
        return float("inf")
    half = unseen / 2
    return half + float(np.hypot(half, max(drawn, 0.0)))


def evidence_of(change: AllowedChange, pair: Pair, baseline: float, loss: float) -> Evidence:
    """Return the evidence that the parts of a pair carry about an allowed change.

    Parameters
    ----------
    change : AllowedChange
        What may be lost.
    pair : Pair
        The images.
    baseline : float
        The baseline's value of the metric.
    loss : float
        By how much the candidate is worse on these images. Where no loss is allowed, n parts must
        not hide one that uses up what the candidate seems to gain.
    """
    allowed = change.allowed(baseline) or max(-loss, 0.0)
    found = [_evidence(costs, pair, allowed) for costs in _costs(change.row, pair)]
    worst = max(found, key=lambda one: one.needed / one.effective if one.effective else 0.0)
    return Evidence(
        worst.effective,
        worst.needed,
        max(one.unseen for one in found),
        max(_unseen(pair.parts.sums(costs)) for costs in _costs(change.row, _swapped(pair))),
        _unseen_gain(change.row, pair),
        worst.kind,
        worst.counted,
        worst.images,
    )


def _evidence(costs: Array, pair: Pair, allowed: float) -> Evidence:
    """Return the evidence about one way in which parts can go wrong."""
    of_parts = pair.parts.sums(costs)
    total, squares = float(of_parts.sum()), float((of_parts**2).sum())
    labels = set(pair.labels[costs > 0].tolist())
    there = np.isin(pair.labels, list(labels)) & pair.baseline.measured
    return Evidence(
        effective=total**2 / squares if squares else 0.0,
        needed=RULE_OF_THREE * total / allowed if allowed else float("inf"),
        unseen=_unseen(of_parts),
        unseen_below=0.0,
        unseen_gain=0.0,
        kind=KINDS.get(tuple(labels), "test"),
        counted=int((pair.parts.sums(there) > 0).sum()),
        images=int(there.sum()),
    )


def _swapped(pair: Pair) -> Pair:
    """Return the baseline as the candidate: what that lost, this would have gained."""
    return replace(pair, baseline=pair.candidate, candidate=pair.baseline)


def _unseen(of_parts: Array) -> float:
    """Return `Evidence.unseen` of what each part would cost, or gain."""
    total, squares, cubes = (float((of_parts**power).sum()) for power in (1, 2, 3))
    if not squares:
        return 0.0
    return max(RULE_OF_THREE * squares / total, UNSEEN_VARIANCE * cubes / squares)


def _unseen_gain(metric: Metric, pair: Pair) -> float:
    """Return what a kind that no part shows may gain; nothing where all such kinds are rare."""
    parts = pair.parts
    found = [(parts.sums(gains), rarest) for gains, rarest in _gains(metric, pair)]
    return max(_hidden(gains[s], rarest) for gains, rarest in found for s in parts.members())


def _hidden(of_parts: Array, rarest: float) -> float:
    """Return what a kind may gain, unless so many parts would show it."""
    total, squares, cubes = (float((of_parts**power).sum()) for power in (1, 2, 3))
    if not squares or rarest * total**2 / squares > RULE_OF_THREE - ROUNDING:
        return 0.0
    return RULE_OF_THREE * cubes / squares


def _gains(metric: Metric, pair: Pair) -> Iterator[tuple[Array, float]]:
    """Yield what the metric would gain with each image, and how rare images of that kind may be."""
    outcomes = pair.baseline
    if metric.ranks:
        difference = auroc_difference(pair)
        n_images = np.array([(difference.labels == label).sum() for label in (0, 1)])
        most = 1 / np.maximum(n_images, 1)[np.clip(pair.labels, 0, 1)]
        placements = difference.placements(difference.baseline)
        yield np.asarray(np.maximum(most - placements, 0.0)), RAREST_GAIN
    elif metric.name in outcomes.own:
        yield _change_to(metric, pair, -1), RAREST_GAIN
    else:
        yield _cost_of(outcomes.rightly_called(), metric, outcomes, -1), RAREST_GAIN
        if metric.counts_pixels and "misses" not in metric.sees:
            yield _cost_of(outcomes.all_called(), metric, outcomes), RAREST_LIT


def _costs(metric: Metric, pair: Pair) -> Iterator[Array]:
    """Yield what the metric would lose with each image, for each way in which it can go wrong."""
    outcomes = pair.baseline
    if metric.ranks:
        difference = auroc_difference(pair)
        placements = difference.placements(difference.baseline)
        yield from (np.where(pair.labels == label, placements, 0.0) for label in (1, 0))
    elif metric.name in outcomes.own:
        yield _change_to(metric, pair, 1)
    else:
        yield from (
            _cost_of(wrong, metric, outcomes)
            for wrong in (outcomes.none_called(), outcomes.all_called())
        )


def _cost_of(other: Outcomes, metric: Metric, outcomes: Outcomes, sign: int = 1) -> Array:
    """Return by how much the metric is worse with each image alone as in `other`, linearised."""
    before, after = ratio_of(metric, outcomes), ratio_of(metric, other)
    added = after.numerator - before.numerator
    added = added - before.value * (after.denominator - before.denominator)
    return np.asarray(np.maximum(sign * metric.sign * added / before.denominator.sum(), 0.0))


def _change_to(metric: Metric, pair: Pair, sign: int) -> Array:
    """Return the same where only the columns are known: each image as bad (-1: good) as can be.

    Where that is unbounded, as the worst, or best, image of either model.
    """
    ratio = ratio_of(metric, pair.baseline)
    end = metric.largest if sign * metric.sign > 0 else 0.0
    if not np.isfinite(end):
        end = max(_largest_of_one(ratio_of(metric, o)) for o in (pair.baseline, pair.candidate))
    added = end * ratio.denominator - ratio.numerator
    return np.asarray(np.maximum(sign * metric.sign * added / ratio.denominator.sum(), 0.0))


def _largest_of_one(ratio: Ratio) -> float:
    counted = ratio.denominator > 0
    return float((ratio.numerator[counted] / ratio.denominator[counted]).max(initial=0.0))

"""All regression limits of a run, judged together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pytest_robustbench.gates.regression.evidence import Evidence, evidence_of
from pytest_robustbench.gates.regression.pairs import flaw_of
from pytest_robustbench.gates.regression.rankings import AurocDifference, auroc_difference
from pytest_robustbench.gates.regression.ratios import RatioDifference, difference_of
from pytest_robustbench.gates.regression.resampling import (
    Resampling,
    bounds,
    draws_of,
    exchanges_of,
    p_values,
)
from pytest_robustbench.gates.regression.verdicts import RegressionVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.gates.regression.verdicts import Outcome

    Array = NDArray[np.float64]

__all__ = ["Comparison", "Resampling", "judge_family"]

Difference: TypeAlias = "RatioDifference | AurocDifference"

FEWEST_IMAGES = 2
SMALLEST_MARGIN = 0.01
"""Share of what is allowed that must be left: no test set is large enough to tell less."""


@dataclass(frozen=True)
class Comparison:
    """One allowed change under one condition.

    Parameters
    ----------
    benchmark : str
        Images of one benchmark with the same ids are the same images under all its conditions.
    pair : Pair
        Outputs of both models.
    change : AllowedChange
        On a metric of images or pixels.
    flaw : str
        Why it cannot be compared, where that is known already.
    """

    benchmark: str
    pair: Pair
    change: AllowedChange
    flaw: str = ""


@dataclass(frozen=True)
class _Member:
    """A comparison that can be judged."""

    comparison: Comparison
    difference: Difference
    baseline: float
    candidate: float
    evidence: Evidence

    @property
    def allowed(self) -> float:
        return self.comparison.change.allowed(self.baseline)

    @property
    def most(self) -> float:
        """The largest loss there can be: all of a score, or all that a rate lacks of 1."""
        metric = self.comparison.change.row
        return self.baseline if metric.more_is_better else metric.largest - self.baseline

    @property
    def identical(self) -> bool:
        """Equal outputs at other thresholds are decided otherwise, if not on these images."""
        pair, metric = self.comparison.pair, self.comparison.change.row
        if metric.source and not _same_columns(pair, metric.name):
            return False
        return pair.is_identical() and (metric.ranks or _same_thresholds(pair))


@dataclass(frozen=True)
class _Chance:
    """What chance alone does to the members of a family: (K,) each."""

    p: Array
    upper: Array
    lower: Array


def judge_family(
    comparisons: Sequence[Comparison], settings: Resampling | None = None
) -> tuple[RegressionVerdict, ...]:
    """Judge every comparison, all of them as one family.

    Returns
    -------
    tuple of RegressionVerdict
        In the order of the comparisons. The intervals have two one-sided bounds, each of which
        holds for the whole family at once with probability ``1 - alpha``.

    Notes
    -----
    *Regressed*: the p-value of the single-step max-T exchange test (Westfall and Young 1993) is at
    most alpha and the loss is beyond what is allowed. *Pass*: the simultaneous upper bound of the
    loss (bootstrap of the studentised maximum, Romano and Wolf 2005, and what the images may have
    missed, see `evidence`) is below what is allowed and the test set carries enough evidence; or
    the outputs are identical.
    """
    chosen = settings or Resampling()
    members = [_member(comparison) for comparison in comparisons]
    judged = [member for member in members if isinstance(member, _Member)]
    verdicts = iter(_verdicts(judged, chosen)) if judged else iter(())
    return tuple(next(verdicts) if isinstance(m, _Member) else m for m in members)


def _member(comparison: Comparison) -> _Member | RegressionVerdict:
    pair, change = comparison.pair, comparison.change
    flaw = comparison.flaw or flaw_of(pair, change)
    if flaw:
        return _error(comparison, flaw)
    difference: Difference
    if change.row.ranks:
        difference = auroc_difference(pair)
        values = tuple(difference.value_of(r) for r in (difference.baseline, difference.candidate))
    else:
        difference = difference_of(change.row, pair)
        values = (difference.baseline.value, difference.candidate.value)
    for value, who in zip(values, ("baseline", "candidate"), strict=True):
        if not np.isfinite(value):
            return _error(comparison, f"{change.metric} is not defined for the {who}")
    evidence = evidence_of(change, pair, values[0], difference.loss())
    if evidence.counted < FEWEST_IMAGES:
        return _error(comparison, f"{evidence.counted} {evidence.kind} image is no sample")
    return _Member(comparison, difference, values[0], values[1], evidence)


def _same_columns(pair: Pair, own: str) -> bool:
    one, other = pair.baseline.own[own], pair.candidate.own[own]
    return np.array_equal(one.numerator, other.numerator) and np.array_equal(
        one.denominator, other.denominator
    )


def _same_thresholds(pair: Pair) -> bool:
    one, other = pair.baseline, pair.candidate
    return (one.image_threshold, one.pixel_threshold) == (
        other.image_threshold,
        other.pixel_threshold,
    )


def _error(comparison: Comparison, reason: str) -> RegressionVerdict:
    return RegressionVerdict(
        comparison.benchmark, comparison.pair.condition, comparison.change, "error", reason=reason
    )


def _verdicts(members: Sequence[_Member], settings: Resampling) -> list[RegressionVerdict]:
    chance = _chance(members, settings)
    return [_verdict(member, chance, k, settings.alpha) for k, member in enumerate(members)]


def _chance(members: Sequence[_Member], settings: Resampling) -> _Chance:
    losses = np.array([member.difference.loss() for member in members])
    own = np.empty(len(members))
    drawn, errors = np.empty((2, settings.draws, len(members)))
    exchanged = np.empty((settings.exchanges, len(members)))
    for image_set, indices in _image_sets(members).items():
        labels = members[indices[0]].comparison.pair.labels
        differences = {k: members[k].difference for k in indices}
        for k, difference in differences.items():
            own[k] = difference.resampled(np.ones((1, len(labels))))[1][0]
        for rows, weights in draws_of(image_set, labels, settings):
            for k, difference in differences.items():
                drawn[rows, k], errors[rows, k] = difference.resampled(weights)
        for rows, swaps in exchanges_of(image_set, len(labels), settings):
            for k, difference in differences.items():
                exchanged[rows, k] = difference.exchanged(swaps)
    upper, lower = bounds(losses, own, drawn, errors, settings.alpha)
    return _Chance(p_values(losses, exchanged), upper, lower)


def _image_sets(members: Sequence[_Member]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for k, member in enumerate(members):
        comparison = member.comparison
        pair = comparison.pair
        name = "\n".join((comparison.benchmark, *pair.ids, *map(str, pair.labels)))
        found.setdefault(name, []).append(k)
    return found


def _verdict(member: _Member, chance: _Chance, k: int, alpha: float) -> RegressionVerdict:
    comparison, loss = member.comparison, member.difference.loss()
    identical, p = member.identical, float(chance.p[k])
    drawn = float(chance.upper[k]) - loss
    upper = loss + member.evidence.reach(drawn)
    outcome, reason = _outcome(member, upper, p, identical=identical, alpha=alpha)
    decided = outcome != "inconclusive"
    return RegressionVerdict(
        comparison.benchmark,
        comparison.pair.condition,
        comparison.change,
        outcome,
        member.baseline,
        member.candidate,
        0.0 if identical else loss,
        member.allowed,
        _interval(float(chance.lower[k]), upper, identical=identical),
        p,
        improved=not identical and upper < 0 and -loss > member.allowed,
        identical=identical,
        images_needed=None if decided else _images_needed(member, drawn),
        images_kind=member.evidence.kind,
        reason=reason,
    )


def _interval(lower: float, upper: float, *, identical: bool) -> tuple[float, float] | None:
    if identical:
        return 0.0, 0.0
    return (lower, upper) if np.isfinite([lower, upper]).all() else None


def _outcome(
    member: _Member, upper: float, p: float, *, identical: bool, alpha: float
) -> tuple[Outcome, str]:
    loss, allowed = member.difference.loss(), member.allowed
    if identical:
        return "pass", ""
    if p <= alpha and loss > allowed:
        return "regressed", ""
    if upper < 0:  # nothing is lost, however large the margin is
        return "pass", ""
    reason = _doubt(member, upper, p)
    return ("inconclusive", reason) if reason else ("pass", "")


def _doubt(member: _Member, upper: float, p: float) -> str:
    """Return why a loss that is not sure may still be more than what is allowed, in words."""
    loss, allowed = member.difference.loss(), member.allowed
    if allowed >= member.most:
        return (
            f"no more than {member.most:.3g} can be lost here, and {allowed:.3g} is allowed: the "
            "limit can fail nothing; allow less, or a share of the baseline (relative: true)"
        )
    if not np.isfinite(upper):
        return "too few images to bound the loss"
    if loss > allowed:
        return f"more is lost than allowed, but so much may be chance (p = {p:.2g})"
    if not member.evidence.suffices:
        return member.evidence.reason
    return "" if upper < allowed else f"the loss may be as large as {upper:.3g}"


def _images_needed(member: _Member, drawn: float) -> int | None:
    """Return roughly how many images would decide, as errors shrink with the root of n."""
    left = member.allowed - member.difference.loss()
    decidable = left > SMALLEST_MARGIN * member.allowed and member.allowed < member.most
    if not (decidable and np.isfinite(drawn)):
        return None
    needed = member.evidence.factor(drawn, left) * member.evidence.counted
    # A whole number that came out a hair above itself is no image more.
    return int(np.ceil(needed - 1e-6 * needed)) if np.isfinite(needed) else None

"""All regression limits of a run, judged together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

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
    lower_bounds_alone,
    p_values,
)
from pytest_robustbench.gates.regression.verdicts import RegressionVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.gates.regression.verdicts import Outcome
    from pytest_robustbench.metrics.outcomes import Outcomes

    Array = NDArray[np.float64]

__all__ = ["Comparison", "Resampling", "judge_family"]

Difference: TypeAlias = "RatioDifference | AurocDifference"

FEWEST_PARTS = 2
VACUOUS = (
    "no more than {most:.3g} can be lost here, and {allowed:.3g} is allowed: allow less, or a "
    "share of the baseline (relative: true)"
)
NOTHING_ALLOWED = (
    "a share of a baseline that is 0 allows nothing to be lost, which no test set can show: allow "
    "a number (relative: false)"
)
NOTHING_FOUND = "nothing is found any more"
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
    same_model : bool
        Whether both are known to be one and the same model, not by what they said of these images.
    """

    benchmark: str
    pair: Pair
    change: AllowedChange
    flaw: str = ""
    same_model: bool = False


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
        """Whether one and the same model said the same of every image.

        Equal outputs at other thresholds are decided otherwise, if not on these images; and so are
        those of two models that agree on these images alone.
        """
        if not self.comparison.same_model:
            return False
        pair, metric = self.comparison.pair, self.comparison.change.row
        if metric.source and not _same_columns(pair, metric.name):
            return False
        return pair.is_identical() and (metric.ranks or _same_thresholds(pair))


@dataclass(frozen=True)
class _Chance:
    """What chance alone does to the members of a family: (K,) each.

    Parameters
    ----------
    p : Array
        Adjusted for the family.
    upper, lower : Array
        Simultaneous bounds of the losses.
    lower_alone : Array
        Lower bounds, each by itself.
    """

    p: Array
    upper: Array
    lower: Array
    lower_alone: Array


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
    *Regressed*: the p-value of the studentised single-step max-T exchange test (Westfall and Young
    1993) is at most alpha, the lower bound of the loss by itself (studentised bootstrap) is above
    0, and the loss is beyond what is allowed; or nothing is found any more (see `_blinded`). The
    bound sees what the test does not: losses that are skewed. *Pass*: the simultaneous upper bound
    (bootstrap of the studentised maximum, Romano and Wolf 2005), with what the parts may have
    missed (see `evidence`), is below what is allowed and the test set carries enough evidence; or
    it is the same model. *Vacuous*: no more can be lost than is allowed.
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
    if difference.n_parts < FEWEST_PARTS:
        kind = change.row.kind or "test"
        return _error(comparison, f"{difference.n_parts} {kind} image is no sample")
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
    chance, blinded = _chance(members, settings), _blinded(members, settings.alpha)
    return [
        _verdict(member, chance, k, settings.alpha, blinded=k in blinded)
        for k, member in enumerate(members)
    ]


def _blinded(members: Sequence[_Member], alpha: float) -> set[int]:
    """Return which members are of a benchmark where nothing is found any more.

    Of few parts no test can be sure, and yet one need not be sure of this: the candidate finds no
    defect under any condition. Two models that are as good would differ so in at most `alpha` of
    all cases, by exchange of the parts that the baseline found, or in every single part.
    """
    fewest = math.ceil(math.log2(len({m.comparison.benchmark for m in members}) / alpha))
    alike: dict[tuple[str, bool], list[int]] = {}
    for k, member in enumerate(members):
        row = member.comparison.change.row
        if "misses" in row.sees:
            alike.setdefault((member.comparison.benchmark, row.counts_pixels), []).append(k)
    return {
        k
        for (_, by_pixels), places in alike.items()
        if _finds_nothing([members[k].comparison.pair for k in places], fewest, by_pixels=by_pixels)
        for k in places
    }


def _finds_nothing(pairs: Sequence[Pair], fewest: int, *, by_pixels: bool) -> bool:
    """Return whether the candidate finds no defect, and the baseline all or at least `fewest`."""
    before, after = (
        set[str]().union(*(_parts_found(pair, getattr(pair, who), by_pixels) for pair in pairs))
        for who in ("baseline", "candidate")
    )
    defective = set[str]().union(*(_names(pair, pair.labels == 1) for pair in pairs))
    return bool(before) and not after and len(before) >= min(fewest, len(defective))


def _parts_found(pair: Pair, outcomes: Outcomes, by_pixels: bool) -> set[str]:
    found = outcomes.tp > 0 if by_pixels else outcomes.image_tp > 0
    return _names(pair, outcomes.defective & found)


def _names(pair: Pair, images: NDArray[np.bool_]) -> set[str]:
    """Return the parts that some images show, each by the id of its first image."""
    parts = pair.parts
    _, first = np.unique(parts.of_image, return_index=True)
    return {pair.ids[first[part]] for part in parts.of_image[images]}


def _chance(members: Sequence[_Member], settings: Resampling) -> _Chance:
    losses = np.array([member.difference.loss() for member in members])
    own = np.empty(len(members))
    drawn, errors = np.empty((2, settings.draws, len(members)))
    exchanged, their_errors = np.empty((2, settings.exchanges, len(members)))
    for image_set, indices in _image_sets(members).items():
        parts = members[indices[0]].comparison.pair.parts
        differences = {k: members[k].difference for k in indices}
        for k, difference in differences.items():
            own[k] = difference.resampled(np.ones((1, len(parts.strata))))[1][0]
        for rows, weights in draws_of(image_set, parts.strata, settings):
            for k, difference in differences.items():
                drawn[rows, k], errors[rows, k] = difference.resampled(weights)
        for rows, swaps in exchanges_of(image_set, len(parts.strata), settings):
            for k, difference in differences.items():
                exchanged[rows, k], their_errors[rows, k] = difference.exchanged(swaps)
    upper, lower = bounds(losses, own, drawn, errors, settings.alpha)
    # Bounds of skewed losses fail more often than they say: half of the level is theirs.
    alone = lower_bounds_alone(losses, own, drawn, errors, settings.alpha / 2)
    return _Chance(p_values(losses, own, exchanged, their_errors), upper, lower, alone)


def _image_sets(members: Sequence[_Member]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for k, member in enumerate(members):
        comparison = member.comparison
        pair = comparison.pair
        parts = pair.baseline.groups.tolist()
        name = "\n".join(map(str, (comparison.benchmark, *pair.ids, *pair.labels, *parts)))
        found.setdefault(name, []).append(k)
    return found


def _verdict(
    member: _Member, chance: _Chance, k: int, alpha: float, *, blinded: bool
) -> RegressionVerdict:
    comparison, loss = member.comparison, member.difference.loss()
    identical, p = member.identical, float(chance.p[k])
    drawn = float(chance.upper[k]) - loss
    least = loss - member.evidence.reach_below(loss - float(chance.lower[k]))
    interval = _Interval(least, loss + member.evidence.reach(drawn))
    sure = p <= alpha and min(float(chance.lower_alone[k]), loss - member.evidence.unseen_gain) > 0
    outcome, reason = _outcome(member, interval.upper, p, identical=identical, sure=sure)
    if blinded and loss > 0:
        outcome, reason = "regressed", NOTHING_FOUND
    undecided = outcome == "inconclusive"
    return RegressionVerdict(
        comparison.benchmark,
        comparison.pair.condition,
        comparison.change,
        outcome,
        member.baseline,
        member.candidate,
        0.0 if identical else loss,
        member.allowed,
        (0.0, 0.0) if identical else interval.within(comparison.change.row.largest),
        p,
        improved=not identical and interval.upper < 0 and -loss > member.allowed,
        identical=identical,
        images_needed=_needed(member, drawn, member.evidence.images) if undecided else None,
        parts_needed=_needed(member, drawn, member.evidence.counted) if undecided else None,
        images_kind=member.evidence.kind,
        reason=reason,
    )


class _Interval(NamedTuple):
    """Where the true loss lies."""

    lower: float
    upper: float

    def within(self, largest: float) -> tuple[float, float] | None:
        """Return it within what can be lost or gained; ``None`` where an end is not known."""
        if not np.isfinite(self).all():
            return None
        return max(self.lower, -largest), min(self.upper, largest)


def _outcome(
    member: _Member, upper: float, p: float, *, identical: bool, sure: bool
) -> tuple[Outcome, str]:
    loss, allowed = member.difference.loss(), member.allowed
    if identical or upper < 0:  # nothing is lost, however large the margin is
        return "pass", ""
    if allowed >= member.most:
        return "vacuous", VACUOUS.format(most=member.most, allowed=allowed)
    if loss > allowed and sure:
        return "regressed", ""
    if member.comparison.change.relative and member.baseline == 0 and loss <= 0:
        return "vacuous", NOTHING_ALLOWED
    reason = _doubt(member, upper, p)
    return ("inconclusive", reason) if reason else ("pass", "")


def _doubt(member: _Member, upper: float, p: float) -> str:
    """Return why a loss that is not sure may still be more than what is allowed, in words."""
    loss, allowed = member.difference.loss(), member.allowed
    if not np.isfinite(upper):
        return "too few images to bound the loss"
    if loss > allowed:
        return (
            f"more is lost than allowed, but so much may be chance (p = {p:.2g}), or be made good "
            "by parts like few of these or none"
        )
    if not member.evidence.suffices:
        return member.evidence.reason
    return "" if upper < allowed else f"the loss may be as large as {upper:.3g}"


def _needed(member: _Member, drawn: float, there: int) -> int | None:
    """Return roughly how many would decide: errors shrink with the root of their number."""
    left = member.allowed - member.difference.loss()
    if not (left > SMALLEST_MARGIN * member.allowed and np.isfinite(drawn)):
        return None
    needed = member.evidence.factor(drawn, left) * there
    # A whole number that came out a hair above itself is no image more.
    return int(np.ceil(needed - 1e-6 * needed)) if np.isfinite(needed) else None

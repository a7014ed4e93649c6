"""Images that the candidate decides differently from the baseline."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.pairs import Pair
    from pytest_robustbench.metrics.outcomes import Outcomes

NEW_MISS, NEW_FALSE_REJECT = "new miss", "new false reject"
FIXED_MISS, FIXED_FALSE_REJECT = "fixed miss", "fixed false reject"
KINDS = (NEW_MISS, NEW_FALSE_REJECT, FIXED_MISS, FIXED_FALSE_REJECT)
"""Worst first."""


@dataclass(frozen=True)
class ChangedDecision:
    """One image that one model calls defective and the other does not.

    Parameters
    ----------
    condition, id : str
        Where, and which image.
    label : int
        1 = defect.
    kind : str
        One of `KINDS`.
    baseline, candidate : bool
        Whether each called the image defective.
    baseline_score, candidate_score : float
        Image scores; those of two models have nothing in common.
    baseline_threshold, candidate_threshold : float
        The image threshold each is judged at.
    baseline_margin, candidate_margin : float
        How far the score is above (negative: below) the model's own threshold, where 1 is the
        median distance of that model's scores from its threshold under this condition. No unit, so
        that it can be compared between images, conditions and models.
    """

    condition: str
    id: str
    label: int
    kind: str
    baseline: bool
    candidate: bool
    baseline_score: float
    candidate_score: float
    baseline_threshold: float
    candidate_threshold: float
    baseline_margin: float
    candidate_margin: float

    @property
    def rank(self) -> tuple[int, float, str, str]:
        """What to sort by, worst first: the kind, then how far the wrong score is off."""
        is_new = self.kind in (NEW_MISS, NEW_FALSE_REJECT)
        wrong = self.candidate_margin if is_new else self.baseline_margin
        return KINDS.index(self.kind), -abs(wrong), self.condition, self.id

    def describe(self) -> str:
        """Return one line: condition, image, direction, both scores and thresholds."""
        now = _against(self.candidate_score, self.candidate_threshold)
        before = _against(self.baseline_score, self.baseline_threshold)
        return f"{self.condition} {self.id}: {self.kind}: score {now}, in the baseline {before}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def changed_decisions(pair: Pair) -> tuple[ChangedDecision, ...]:
    """Return every image that is decided differently, worst first.

    An image is called defective when its score lies strictly above the image threshold, compared in
    float32 as when it was measured. An image that is not measured is not decided.

    Parameters
    ----------
    pair : Pair
        Both models under one condition.

    Returns
    -------
    tuple of ChangedDecision
        New misses, new false rejects, then what is fixed; each by how far the score that is wrong
        lies on the wrong side of its threshold.
    """
    before, after = pair.baseline.called, pair.candidate.called
    measured = pair.baseline.measured & pair.candidate.measured
    changed = np.flatnonzero((before != after) & measured)
    margins = _margins(pair.baseline), _margins(pair.candidate)
    found = [_decision(pair, int(i), bool(before[i]), margins) for i in changed]
    return tuple(sorted(found, key=lambda decision: decision.rank))


def _margins(outcomes: Outcomes) -> NDArray[np.float64]:
    """Return distances from the threshold in units of their median."""
    distances = outcomes.score - outcomes.image_threshold
    sizes = np.abs(distances[np.isfinite(distances)])
    unit = float(np.median(sizes)) if sizes.size else 0.0
    return distances / (unit or 1.0)


def _decision(
    pair: Pair,
    index: int,
    before: bool,
    margins: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> ChangedDecision:
    label = int(pair.labels[index])
    return ChangedDecision(
        condition=pair.condition,
        id=pair.ids[index],
        label=label,
        kind=_kind(label, called=not before),
        baseline=before,
        candidate=not before,
        baseline_score=float(pair.baseline.score[index]),
        candidate_score=float(pair.candidate.score[index]),
        baseline_threshold=float(pair.baseline.image_threshold),
        candidate_threshold=float(pair.candidate.image_threshold),
        baseline_margin=float(margins[0][index]),
        candidate_margin=float(margins[1][index]),
    )


def _kind(label: int, *, called: bool) -> str:
    """Return the direction, from the label and what the candidate now calls the image."""
    if label:
        return FIXED_MISS if called else NEW_MISS
    return NEW_FALSE_REJECT if called else FIXED_FALSE_REJECT


def _against(score: float, threshold: float) -> str:
    """Return a score and its threshold in few digits, but in enough to tell them apart."""
    digits = next((d for d in range(4, 17) if f"{score:.{d}g}" != f"{threshold:.{d}g}"), 17)
    side = "above" if score > threshold else "at" if score == threshold else "below"
    return f"{score:.{digits}g} {side} {threshold:.{digits}g}"

"""What a drift did to the decisions of a model: under some conditions nothing can be told.

A condition is dead where nearly every good part is rejected, or nearly every defect missed: one
model is as lost there as another. It is unmoved where every image is decided as under clean: the
drift is too mild for this model. What is neither is graded, and says how a model takes drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from pytest_robustbench.metrics.outcomes import Outcomes

Effect: TypeAlias = Literal["dead", "unmoved", "graded"]

NEARLY_ALL = 0.95


def effect_of(drifted: Outcomes, clean: Outcomes) -> Effect:
    """Return what a drift did to the decisions on images that were measured under both.

    Parameters
    ----------
    drifted, clean : Outcomes
        Of the same images.
    """
    if is_dead(drifted):
        return "dead"
    both = drifted.measured & clean.measured
    same = _called(drifted)[both] == _called(clean)[both]
    return "unmoved" if same.all() else "graded"


def is_dead(outcomes: Outcomes) -> bool:
    """Return whether nearly all good images are rejected, or nearly all defective ones missed."""
    wrong = (outcomes.image_fp, outcomes.image_tn), (outcomes.image_fn, outcomes.image_tp)
    return any(_nearly_all(one.sum(), other.sum()) for one, other in wrong)


def by_effect(effects: Mapping[str, Effect]) -> dict[Effect, list[str]]:
    """Return conditions by what they did."""
    kinds: Iterable[Effect] = get_args(Effect)
    return {kind: [c for c, effect in effects.items() if effect == kind] for kind in kinds}


def _nearly_all(wrong: float, right: float) -> bool:
    return bool(wrong and wrong >= NEARLY_ALL * (wrong + right))


def _called(outcomes: Outcomes) -> NDArray[np.bool_]:
    return (outcomes.image_tp + outcomes.image_fp) > 0

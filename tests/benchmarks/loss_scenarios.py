"""Pairs of a baseline and a candidate whose true loss is known, drawn from a population of images.

A *draw* is a test set: n defect images and normal images in the population's proportion, with
replacement. For each image a coin, the same under all conditions, says which of the two fits speaks
for the baseline; the other speaks for the candidate. So without a loss the two are exchangeable,
and yet differ as two fits of one model do.

A loss is then inflicted on the candidate. Its size is found by bisection, so that the loss of the
whole population, over images, coins and chance, is exactly what is asked for:

- *diffuse*: every image loses the same share q of its found defect pixels (for `bg_fpr`: the share
  q of its clean pixels lights up);
- *concentrated*: each image is hit with probability q, under all conditions at once. A defect image
  that is hit is missed whole: nothing is found in it any more, its map and score are below the
  thresholds (for `bg_fpr`: any image, and half of its clean pixels light up).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_robustbench.gates.regression.pairs import Pair
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.outcomes import COLUMNS, Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from image_population import Population
    from numpy.typing import NDArray

Kind = Literal["diffuse", "concentrated"]
KINDS: tuple[Kind, ...] = ("diffuse", "concentrated")

FALSE_ALARMS = ("bg_fpr", "normal_fpr")
LIT_UP = 0.5
"""Share of the clean pixels of an image hit that light up."""
BISECTIONS = 60


@dataclass(frozen=True)
class Loss:
    """What the candidate loses.

    Parameters
    ----------
    metric : str
        A metric of counts.
    kind : {"diffuse", "concentrated"}
        Spread over all images, or whole images.
    shares : mapping of str to float
        By condition: the share q above; conditions that lose nothing are absent.
    """

    metric: str
    kind: Kind
    shares: Mapping[str, float]


NOTHING = Loss("pixel_segf1", "diffuse", {})


def loss_of(
    population: Population, metric: str, kind: Kind, size: float, conditions: tuple[str, ...]
) -> Loss | None:
    """Return what costs exactly `size` of `metric`; ``None`` where so much cannot be lost."""
    shares = {c: _share(population, metric, kind, size, c) for c in conditions}
    found = {c: share for c, share in shares.items() if share is not None}
    return Loss(metric, kind, found) if len(found) == len(shares) else None


def _share(
    population: Population, metric: str, kind: Kind, size: float, condition: str
) -> float | None:
    def lost(share: float) -> float:
        return true_loss(population, metric, Loss(metric, kind, {condition: share}), condition)

    low, high = 0.0, 1.0
    if lost(high) < size:
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if lost(middle) < size else (low, middle)
    return high


def true_loss(population: Population, metric: str, loss: Loss, condition: str) -> float:
    """Return by how much the candidate is worse on the whole population."""
    labels = np.tile(population.labels, 2)
    both = _stacked(population.first[condition], population.second[condition])
    share = loss.shares.get(condition, 0.0)
    sure = np.zeros(len(labels)), np.ones(len(labels))
    if loss.kind == "diffuse" or not share:
        states = [(1.0, _inflicted(both, labels, loss, share, sure[0]))]
    else:
        hit, spared = (_inflicted(both, labels, loss, share, u) for u in sure)
        states = [(share, hit), (1 - share, spared)]
    after, before = _value(metric, states), _value(metric, [(1.0, both)])
    return metric_called(metric).sign * (after - before)


def _value(metric: str, states: list[tuple[float, Outcomes]]) -> float:
    row = metric_called(metric)
    ratios = [(chance, ratio_of(row, outcomes)) for chance, outcomes in states]
    above = sum(chance * ratio.numerator.sum() for chance, ratio in ratios)
    return float(above / sum(chance * ratio.denominator.sum() for chance, ratio in ratios))


def _stacked(first: Outcomes, second: Outcomes) -> Outcomes:
    columns = {
        n: np.concatenate([getattr(first, n), getattr(second, n)]) for n in ("labels", *COLUMNS)
    }
    return replace(first, **columns, groups=np.arange(2 * len(first.labels)))


# ---- test sets ---------------------------------------------------------------------------------


def drawn_pairs(
    population: Population, n_defects: int, loss: Loss, rng: np.random.Generator
) -> dict[str, Pair]:
    """Draw a test set, and return both models' outputs by condition."""
    indices = _images(population.labels, n_defects, rng)
    coin, luck = rng.random((2, len(indices)))
    labels = population.labels[indices]
    ids = tuple(str(i) for i in range(len(indices)))
    pairs = {}
    for condition, first in population.first.items():
        second = population.second[condition]
        baseline, candidate = (
            _chosen(first, second, indices, mask) for mask in (coin < 0.5, coin >= 0.5)
        )
        share = loss.shares.get(condition, 0.0)
        candidate = _inflicted(candidate, labels, loss, share, luck)
        pairs[condition] = Pair(condition, ids, baseline, candidate)
    return pairs


def _images(
    labels: NDArray[np.int64], n_defects: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    defects, normals = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    n_normals = max(2, round(n_defects * len(normals) / len(defects)))
    return np.concatenate([rng.choice(defects, n_defects), rng.choice(normals, n_normals)])


def _chosen(
    first: Outcomes, second: Outcomes, indices: NDArray[np.int64], mask: NDArray[np.bool_]
) -> Outcomes:
    columns = {
        n: np.where(mask, getattr(first, n)[indices], getattr(second, n)[indices]) for n in COLUMNS
    }
    return replace(first.of(indices), **columns, groups=np.arange(len(indices)))


def _inflicted(
    outputs: Outcomes,
    labels: NDArray[np.int64],
    loss: Loss,
    share: float,
    luck: NDArray[np.float64],
) -> Outcomes:
    """Return outputs after the loss; an image is hit where `luck`, in [0, 1], is below `share`."""
    if not share:
        return outputs
    hit = luck < share
    if loss.metric in FALSE_ALARMS:
        lit = outputs.tn * (share if loss.kind == "diffuse" else LIT_UP * hit)
        return replace(outputs, fp=outputs.fp + lit, tn=outputs.tn - lit)
    if loss.kind == "diffuse":
        lost = share * outputs.tp
        return replace(outputs, tp=outputs.tp - lost, fn=outputs.fn + lost)
    missed = hit & (labels == 1)
    return replace(
        outputs,
        score=np.where(missed, outputs.image_threshold - 1, outputs.score),
        tp=np.where(missed, 0, outputs.tp),
        fp=np.where(missed, 0, outputs.fp),
        fn=np.where(missed, outputs.tp + outputs.fn, outputs.fn),
        tn=np.where(missed, outputs.fp + outputs.tn, outputs.tn),
    )

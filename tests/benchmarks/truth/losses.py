"""What a candidate loses against its baseline, and how much of it costs exactly so much.

Every loss takes the images and an amount in [0, 1], and returns both models. Images are hit where
their luck is below a chance, all of a part together as often as its intra-class correlation says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from truth.population import Images, Model, outcomes_of, true_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from truth.population import Loss

LOWEST, HIGHEST = -20.0, 20.0
"""Scores of images that are surely called good, or defective."""
LARGEST_AREA_RANK = 0.9
WEAKER = 1.2
"""What a weak ranking takes off the scores of defects: its area under the curve is 0.7."""
FEW_LIT = 0.5
"""What few images light up more, or less, than others, as a share of what all light up."""


def nothing(images: Images, amount: float) -> tuple[Model, Model]:
    """Two fits of one model."""
    return images.baseline, images.candidate


def diffuse(images: Images, amount: float) -> tuple[Model, Model]:
    """Every defect found less, by the same share, and every score of one lower."""
    new = images.candidate
    score = new.score - amount * images.defect
    return images.baseline, replace(new, found=new.found * (1 - amount), score=score)


def lit_a_little(images: Images, amount: float) -> tuple[Model, Model]:
    """The same share of the background of every image lights up."""
    new = images.candidate
    return images.baseline, replace(new, lit=new.lit + amount * (images.background - new.lit))


@dataclass(frozen=True)
class Missed:
    """Whole defect images are missed, as often as the area to a power.

    All others are as before, which hides the loss best, or as another fit has them.
    """

    power: float = 0.0
    another: bool = False

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        weight = np.where(images.defect, np.maximum(images.area, 1) ** self.power, 0)
        chance = weight / weight[images.defect].mean() * amount / max(1 - amount, 1e-9)
        new = images.candidate if self.another else images.baseline
        return images.baseline, _missed(new, images.defect & (images.luck < chance))


@dataclass(frozen=True)
class Lit:
    """A share of the background of whole images lights up; they are called defective.

    All others are as before, or as another fit has them.
    """

    share: float = 1.0
    another: bool = False

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        new = images.candidate if self.another else images.baseline
        return images.baseline, _lit(images, new, images.luck < amount, self.share)


def unseen_kind(images: Images, amount: float) -> tuple[Model, Model]:
    """One and the same model, but that normal images of a kind are rejected."""
    hit = ~images.defect & (images.luck < amount)
    score = np.where(hit, HIGHEST, images.baseline.score)
    return images.baseline, replace(images.baseline, score=score)


def _missed(model: Model, hit: NDArray[np.bool_]) -> Model:
    return Model(
        np.where(hit, 0, model.found),
        np.where(hit, 0, model.lit),
        np.where(hit, LOWEST, model.score),
    )


def _lit(images: Images, model: Model, hit: NDArray[np.bool_], share: float) -> Model:
    return Model(
        np.where(hit & images.defect, np.maximum(model.found, share), model.found),
        np.where(hit, np.maximum(model.lit, share * images.background), model.lit),
        np.where(hit, HIGHEST, model.score),
    )


# ---- equal means, not exchangeable -------------------------------------------------------------


@dataclass(frozen=True)
class Noisier:
    """Scatter around the baseline, as much up as down after a shift."""

    spread: float

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        old, move = images.baseline, self.spread * images.noise + 2 * amount - 1
        lit = old.lit * np.exp(4 * self.spread * images.noise - 4 * amount + 2)
        score = old.score + 3 * self.spread * images.noise + 4 * (amount - 0.5) * images.defect
        return old, Model(np.clip(old.found + move, 0, 1) * images.defect, lit, score)


@dataclass(frozen=True)
class RareGains:
    """A few images gain all there is to gain, all others lose a little."""

    share: float

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        rare = images.luck < self.share
        lit = images.baseline.lit * np.where(rare, 1 + FEW_LIT / self.share, 1)
        old = replace(images.baseline, lit=lit)
        return old, _exchanged(images, old, rare, 1.0, -amount)


@dataclass(frozen=True)
class RareLosses:
    """A few images lose all there is to lose, all others gain a little."""

    share: float

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        rare, old = images.luck < self.share, images.baseline
        return old, _exchanged(images, old, rare, -1.0, amount)


@dataclass(frozen=True)
class RareLit:
    """A few images that the baseline lights up by a third stay dark; all others are lit a little.

    Or, with `lost`, the other way about.
    """

    share: float
    lost: bool = False

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        rare = images.luck < self.share
        apart = replace(images.baseline, lit=np.where(rare, images.background / 3, 0))
        alike = replace(images.baseline, lit=np.where(rare, 0, amount * images.background))
        return (alike, apart) if self.lost else (apart, alike)


@dataclass(frozen=True)
class RareRanks:
    """A few defects of a weak ranking come to its top, or end; all others move the other way."""

    share: float
    lost: bool = False

    def __call__(self, images: Images, amount: float) -> tuple[Model, Model]:
        rare, sign = images.luck < self.share, -1 if self.lost else 1
        old = images.baseline.score - WEAKER * images.defect
        new = old + sign * np.where(rare, HIGHEST, -4 * amount) * images.defect
        return replace(images.baseline, score=old), replace(images.baseline, score=new)


def large_gain(images: Images, amount: float) -> tuple[Model, Model]:
    """A tenth of the defects, the largest, are found better; all others worse."""
    return images.baseline, _exchanged(images, images.baseline, _largest(images), 0.5, -amount)


def large_lose(images: Images, amount: float) -> tuple[Model, Model]:
    """A tenth of the defects, the largest, are found worse; all others better."""
    return images.baseline, _exchanged(images, images.baseline, _largest(images), -0.5, amount)


def _largest(images: Images) -> NDArray[np.bool_]:
    return images.area > np.quantile(images.area[images.defect], LARGEST_AREA_RANK)


def _exchanged(
    images: Images, old: Model, rare: NDArray[np.bool_], few: float, many: float
) -> Model:
    """Return a candidate that gains, or loses, shares of what can be gained, or is there."""
    gain = np.where(rare, few, many)
    up, down = np.maximum(gain, 0), np.maximum(-gain, 0)
    found = (old.found + up * (1 - old.found)) * (1 - down)
    score = old.score + np.where(rare, 2, 4) * gain * images.defect
    # Where few lose, they light up so much more that all others together can make up for it.
    more = np.where(rare, down * FEW_LIT / rare.mean(), down)
    return Model(found * images.defect, old.lit * (1 - up + more), score)


# ---- how much ----------------------------------------------------------------------------------


def amount_of(loss: Loss, images: Images, metric: str, size: float) -> float | None:
    """Return how much of a loss costs `size`; ``None`` where none of it does.

    The metric may step by one image of the population: the amount is taken from the dearer side.
    """

    def missing(amount: float) -> float:
        old, new = loss(images, amount)
        return true_loss(metric, outcomes_of(images, old), outcomes_of(images, new)) - size

    ends = missing(0.0), missing(1.0)
    if ends[0] * ends[1] > 0:
        return None
    return float(brentq(missing, 0.0, 1.0, xtol=1e-7, rtol=1e-6, maxiter=60))

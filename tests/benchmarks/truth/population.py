"""A finite population of parts, and what two fits of one model say about every image of them.

Numbers that belong to one part are correlated: each normal deviate is ``sqrt(icc)`` times that of
the part and ``sqrt(1 - icc)`` times the image's own. Test sets are drawn from the population with
replacement, part by part, so that every true value is a sum over the population: known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

Array: TypeAlias = NDArray[np.float64]

SEED = 16_000
PIXELS = 65_536
"""Of an image."""
MEDIAN_AREA = 500
SEPARATION = 2.0
THRESHOLD = 1.47
"""95 % of the normal images score below, and 72 % of the defect images above."""
OF_CONDITION = 0.4
"""Share of the variance that differs between conditions."""


@dataclass(frozen=True)
class Layout:
    """How parts are made.

    Parameters
    ----------
    images_a_part : int
        Images of every part.
    icc : float
        Intra-class correlation of all numbers of a part.
    area_sd : float
        Of the logarithm of the defects' areas.
    normals : float
        Normal images for each defect image; a multiple of 1/2.
    mixed : bool
        Whether a fifth of the images of every part shows its defect; else all, or none.
    conditions : int
        Under how many conditions every image is measured.
    size : int
        Images in the population.
    """

    images_a_part: int = 1
    icc: float = 0.5
    area_sd: float = 1.0
    normals: float = 0.5
    mixed: bool = False
    conditions: int = 1
    size: int = 200_000

    def n_parts(self, n_defects: int) -> tuple[int, int]:
        """Return how many parts with and without a defect make a test set."""
        if self.mixed:
            return round(n_defects / max(1, self.images_a_part // 5)), 0
        n = max(2, round(n_defects / self.images_a_part))
        return n, max(1, round(n * self.normals))


@dataclass(frozen=True)
class Model:
    """What one model says: (P, m) each."""

    found: Array
    lit: Array
    score: Array


@dataclass(frozen=True)
class Images:
    """All P parts with m images each, under one condition.

    Parameters
    ----------
    defect : (P, m) bool
        Whether each image shows a defect.
    area : (P, m) float64
        Pixels of the defect.
    luck, noise : (P, m) float64
        What decides who is hit by a loss, uniform in [0, 1); a normal deviate.
    baseline, candidate : Model
        Two exchangeable fits: share of the defect that is found, background pixels lit, score.
    """

    defect: NDArray[np.bool_]
    area: Array
    luck: Array
    noise: Array
    baseline: Model
    candidate: Model

    @property
    def background(self) -> Array:
        """Pixels that show no defect: (P, m)."""
        return PIXELS - self.area

    @cached_property
    def n_with_defect(self) -> int:
        """How many parts show a defect; they come first."""
        return int(self.defect.any(axis=1).sum())


def population(layout: Layout) -> list[Images]:
    """Return the population under every condition; the same parts in the same order.

    Every part is there twice, with the two fits exchanged, so that they are exactly as good.
    """
    rng = np.random.default_rng([SEED, layout.images_a_part, round(100 * layout.icc)])
    defect = _defect(layout)
    area = layout.area_sd * _normal(rng, layout, len(defect))
    area = np.clip(np.ceil(MEDIAN_AREA * np.exp(area)), 4, PIXELS // 2) * defect
    luck, noise = _luck(rng, layout, len(defect)), _normal(rng, layout, len(defect))
    common, background = (_normal(rng, layout, len(defect)) for _ in range(2))
    found = []
    for _ in range(layout.conditions):
        shared = [_moved(rng, layout, each) for each in (common, background)]
        models = [_model(rng, layout, area, *shared) for _ in range(2)]
        found.append(_twice(Images(defect, area, luck, noise, *models)))
    return found


def _twice(images: Images) -> Images:
    n = len(images.defect)
    rows, second = np.repeat(np.arange(n), 2), (np.arange(2 * n) % 2 == 1)[:, None]
    columns = (getattr(images, name)[rows] for name in ("defect", "area", "luck", "noise"))
    one, other = (
        {name: getattr(model, name)[rows] for name in ("found", "lit", "score")}
        for model in (images.baseline, images.candidate)
    )
    exchanged = (
        Model(**{name: np.where(second, b[name], a[name]) for name in a})
        for a, b in ((one, other), (other, one))
    )
    return Images(*columns, *exchanged)


def _defect(layout: Layout) -> NDArray[np.bool_]:
    m = layout.images_a_part
    if layout.mixed:
        return np.tile(np.arange(m) < max(1, m // 5), (layout.size // (2 * m), 1))
    normals = round(2 * layout.normals)
    each = layout.size // (2 * m * (2 + normals))
    return np.repeat(np.repeat([True, False], [2 * each, normals * each])[:, None], m, axis=1)


def _normal(rng: np.random.Generator, layout: Layout, n: int) -> Array:
    of_part, own = rng.normal(size=(n, 1)), rng.normal(size=(n, layout.images_a_part))
    return np.sqrt(layout.icc) * of_part + np.sqrt(1 - layout.icc) * own


def _luck(rng: np.random.Generator, layout: Layout, n: int) -> Array:
    together = rng.random((n, 1)) < layout.icc
    return np.where(together, rng.random((n, 1)), rng.random((n, layout.images_a_part)))


def _moved(rng: np.random.Generator, layout: Layout, shared: Array) -> Array:
    own = _normal(rng, layout, len(shared))
    return np.sqrt(1 - OF_CONDITION) * shared + np.sqrt(OF_CONDITION) * own


def _model(
    rng: np.random.Generator, layout: Layout, area: Array, common: Array, background: Array
) -> Model:
    defect = area > 0
    of_found, of_lit, of_score = (_normal(rng, layout, len(area)) for _ in range(3))
    found = np.clip(1.1 * expit(0.9 + common + 0.5 * of_found) - 0.1, 0, 1)
    lit = np.floor(50 * np.exp(0.8 * background + 0.5 * of_lit))
    score = SEPARATION * defect + 0.8 * common + 0.4 * of_score
    return Model(found * defect, np.minimum(lit, PIXELS - area), score)


# ---- outcomes ----------------------------------------------------------------------------------


def outcomes_of(images: Images, model: Model) -> Outcomes:
    """Return what a model says about all images as the gate takes it, part after part."""
    n, m = images.defect.shape
    tp = np.round(model.found * images.area)
    fp = np.round(np.minimum(model.lit, images.background))
    columns = (tp, fp, images.area - tp, images.background - fp)
    score = model.score.astype(np.float32).astype(np.float64)
    return Outcomes(
        images.defect.ravel().astype(np.int64),
        score.ravel(),
        *(column.ravel() for column in columns),
        image_threshold=THRESHOLD,
        pixel_threshold=THRESHOLD,
        groups=np.repeat(np.arange(n), m),
    )


def value_of(metric: str, outcomes: Outcomes) -> float:
    """Return a metric over many images; the area under the curve by the sum of ranks."""
    if metric != "auroc":
        return ratio_of(metric_called(metric), outcomes).value
    ranks = rankdata(outcomes.score)
    n = int(outcomes.defective.sum())
    above = float(ranks[outcomes.defective].sum()) - n * (n + 1) / 2
    return above / (n * (len(ranks) - n))


def true_loss(metric: str, baseline: Outcomes, candidate: Outcomes) -> float:
    """Return by how much the candidate is worse on the whole population."""
    sign = metric_called(metric).sign
    return sign * (value_of(metric, candidate) - value_of(metric, baseline))


# ---- test sets ---------------------------------------------------------------------------------


def drawn_parts(
    layout: Layout, images: Images, n_defects: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw parts of a test set with replacement: their rows in the population."""
    with_defect, without = layout.n_parts(n_defects)
    border, n = images.n_with_defect, len(images.defect)
    rows = [rng.integers(0, border, with_defect)]
    if without:
        rows.append(rng.integers(border, n, without))
    return np.concatenate(rows)


def seen(outcomes: Outcomes, rows: NDArray[np.int64], m: int) -> Outcomes:
    """Return what a test set shows of a model; a part drawn twice is two parts."""
    images = (rows[:, None] * m + np.arange(m)).ravel()
    return replace(outcomes.of(images), groups=np.repeat(np.arange(len(rows)), m))


Loss: TypeAlias = "Callable[[Images, float], tuple[Model, Model]]"
"""From the images, and how much, to what baseline and candidate say."""

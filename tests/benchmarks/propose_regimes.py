"""How often limits of one proposal are broken by fresh test images of the same size.

A *draw* is two test sets of one kind: limits are proposed from the first, with safety 0.95, and
held against the second, at the same thresholds. *Broken* is the share of draws in which the second
set breaks any limit, every condition and metric by itself, without the rounding outwards. *Limits*
is how many of the 25 could be violated at all; *floor / value* is the mean of the floors under
`pixel_segf1` over the mean of its values.

Parts are drawn, then images of them. What one part's images have in common, and what one image has
in common under all conditions, are normal variates; the area of its defect is lognormal. A detector
finds a share of the area, and all the less the harder the condition; its score decides the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from table import Table

from pytest_robustbench.gates.prediction import Predicted, jointly_predicted
from pytest_robustbench.metrics.catalogue import BUILT_IN
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SAFETY = 0.95
PIXELS = 128 * 128
SEVERITIES = {"clean": 0.0, "blur": 0.4, "jpeg": 0.6, "noise": 1.0, "glare": 1.6}
METRICS = tuple(metric for metric in BUILT_IN if metric.proposed)
ROUNDING = 1e-12


@dataclass(frozen=True)
class Regime:
    """One kind of test images, and of model.

    Parameters
    ----------
    name : str
        For the table.
    n_defects, n_normals : int
        Images of either kind.
    per_part : int
        Images of one part; the last part may have fewer.
    area_sd : float
        Standard deviation of the logarithm of the defects' areas.
    skill : float
        How far the scores of defects lie above the threshold, in standard deviations.
    of_part : float
        Share of the variance that all images of a part have in common.
    of_image : float
        Share of the rest that an image has in common under all conditions.
    lit, lit_apart : float
        Share of the parts of which all images light up whole, under all conditions and under each
        by itself.
    missed : float
        Share of the defective parts that are of a kind that is never found.
    grows : float
        By how much a score rises with the logarithm of the area; below 0 large defects are lost.
    """

    name: str
    n_defects: int
    n_normals: int
    per_part: int = 1
    area_sd: float = 1.0
    skill: float = 1.0
    of_part: float = 0.7
    of_image: float = 0.8
    lit: float = 0.0
    lit_apart: float = 0.0
    missed: float = 0.0
    grows: float = 0.3


class Broken(NamedTuple):
    """What came of the draws of a regime."""

    any_limit: float
    limits: float
    floor: float


KINDS: Mapping[str, Mapping[str, float]] = {
    "ordinary": {},
    "skewed areas, large defects lost": {"area_sd": 1.5, "grows": -0.6},
    "strong model": {"skill": 2.5},
    "weak model": {"skill": -0.5},
    "conditions apart": {"of_part": 0.1, "of_image": 0.1},
    "a rare kind missed": {"skill": 2.5, "missed": 0.02},
    "parts lit whole": {"lit": 0.01},
    "parts lit whole, each condition apart": {"lit_apart": 0.01},
}


def regimes(sizes: tuple[int, ...], parts: tuple[int, ...]) -> list[Regime]:
    """Return every kind at every size and number of images a part."""
    return [
        replace(Regime(name, n, max(n // 2, 10)), per_part=per_part, **changes)
        for name, changes in KINDS.items()
        for n in sizes
        for per_part in parts
    ]


def tables(quick: bool) -> list[Table]:
    """Return the table of this benchmark."""
    draws, sizes, parts = (4, (17,), (1, 5)) if quick else (400, (17, 40, 80, 320), (1, 5, 10))
    rows = [
        (r.name, r.n_defects, r.n_normals, r.per_part, *broken(r, draws))
        for r in regimes(sizes, parts)
    ]
    columns = (
        *("images", "defect", "normal", "images a part"),
        *("any limit broken", "limits of 25", "floor / value"),
    )
    chance = math.sqrt(SAFETY * (1 - SAFETY) / draws)
    note = f"{draws} draws each: a rate of {1 - SAFETY:.2g} has a standard error of {chance:.3f}."
    return [Table("Limits of one proposal on fresh images", columns, tuple(rows), (note,))]


def broken(regime: Regime, draws: int, seed: int = 0) -> Broken:
    """Propose limits from many test sets, and hold each against another of the same size."""
    rng = np.random.default_rng([seed, *regime.name.encode(), regime.n_defects, regime.per_part])
    found = [_once(regime, rng, seed=draw) for draw in range(draws)]
    return Broken(*np.nanmean(found, axis=0).tolist())


def _once(regime: Regime, rng: np.random.Generator, seed: int) -> tuple[float, float, float]:
    seen, fresh = drawn(regime, rng), drawn(regime, rng)
    values = [Predicted(m, "test", outcomes) for outcomes in seen.values() for m in METRICS]
    limits = jointly_predicted(values, SAFETY, seed=seed)
    on_fresh = np.array([ratio_of(m, o).value for o in fresh.values() for m in METRICS])
    signs = np.array([value.metric.sign for value in values])
    useful = np.where(signs > 0, limits < 1, limits > 0)
    floors = np.array([value.metric.name == "pixel_segf1" for value in values])
    measured = np.array([ratio_of(v.metric, v.outcomes).value for v in values])
    is_broken = signs * (on_fresh - limits) > ROUNDING
    ratio = np.maximum(limits[floors], 0).mean() / measured[floors].mean()
    return bool(is_broken.any()), float(useful.sum()), float(ratio)


def drawn(regime: Regime, rng: np.random.Generator) -> dict[str, Outcomes]:
    """Draw a test set, and what the model says of it under every condition."""
    labels = np.repeat([1, 0], [regime.n_defects, regime.n_normals])
    part = np.concatenate(list(_parts(regime)))
    n_parts, n = part.max() + 1, len(labels)
    area = np.exp(rng.normal(6.0, regime.area_sd, n_parts))[part] * rng.lognormal(0, 0.2, n)
    area = np.where(labels == 1, np.minimum(np.ceil(area), PIXELS // 2), 0)
    of_part, of_image = rng.normal(size=n_parts)[part], rng.normal(size=n)
    lit = (rng.random(n_parts) < regime.lit)[part]
    missed = (rng.random(n_parts) < regime.missed)[part] & (labels == 1)
    found = {}
    for name, hardness in SEVERITIES.items():
        chance = _mixed(regime, of_part, of_image, rng.normal(size=n))
        shift = regime.skill + regime.grows * np.log(np.maximum(area, 1) / math.exp(6)) - hardness
        score = chance + np.where(labels == 1, shift, -2.3 + 0.3 * hardness)
        whole = lit | (rng.random(n_parts) < regime.lit_apart)[part]
        score = np.where(whole, 5.0, np.where(missed, -5.0, score))
        tp = np.where(missed, 0, np.round(area / (1 + np.exp(-1.5 * score))))
        fp = np.round(np.exp(2.5 + 0.7 * score) * rng.lognormal(0, 0.5, n))
        tp, fp = np.where(whole, area, tp), np.where(whole, PIXELS, np.minimum(fp, 4000))
        fp = np.minimum(fp, PIXELS - area)
        found[name] = Outcomes(
            labels, score, tp, fp, area - tp, PIXELS - area - fp, image_threshold=0.0, groups=part
        )
    return found


def _parts(regime: Regime) -> Iterator[np.ndarray]:
    start = 0
    for n in (regime.n_defects, regime.n_normals):
        part = start + np.arange(n) // regime.per_part
        start = part[-1] + 1
        yield part


def _mixed(
    regime: Regime, of_part: np.ndarray, of_image: np.ndarray, rest: np.ndarray
) -> np.ndarray:
    within = (1 - regime.of_part) * np.array([regime.of_image, 1 - regime.of_image])
    return (
        math.sqrt(regime.of_part) * of_part
        + math.sqrt(within[0]) * of_image
        + math.sqrt(within[1]) * rest
    )

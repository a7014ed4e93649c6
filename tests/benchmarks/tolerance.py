"""Where decisions break, against a fine grid, and how often the interval holds that."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from table import Table

import pytest_robustbench as rb
from pytest_robustbench.conditions import SEVERITIES, Condition
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings
from pytest_robustbench.metrics.parts import group_numbers
from pytest_robustbench.metrics.tolerance.breaks import Breaks, breaks_of
from pytest_robustbench.metrics.tolerance.ladder import Ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_robustbench.benchmark import Benchmark

CATEGORIES = ("magnetic_tile", "hazelnut_toy", "kolektor")
NAMES = ("blur", "exposure", "noise", "jpeg", "veil", "motion_blur")
FINE = tuple(level / 4 for level in range(1, 21))
"""Twenty severities, a quarter of a step apart."""
SIZE = 128
SETS = 300
N_DRAWS = 1000
LIMITS = {"false_reject_rate": 0.15, "miss_rate": 0.95}
"""Above the rates under clean of all categories."""


def tables(quick: bool) -> list[Table]:
    """Return how near breaks are found, and how often intervals hold them."""
    n_sets = 5 if quick else SETS
    found = [simulated(n_sets)]
    if not os.environ.get("ROBUSTBENCH_TEST_DATA"):
        return [*found, Table("Breaks on real images", ("what",), (("no real data",),))]
    if quick:
        return [*found, *real(CATEGORIES[2:], NAMES[:1], "pixel_gaussian", n_sets)]
    return [*found, *real(CATEGORIES, NAMES, "patchcore", n_sets)]


# ---- real images ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Scores of one category along one corruption, on the fine grid and as they are searched."""

    category: str
    name: str
    fine: Ladder
    searched: Breaks
    n_searched: int
    threshold: float
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def breaks(self, ladder: Ladder) -> Breaks:
        """Return where decisions break by other rungs."""
        return breaks_of(
            ladder, self.threshold, LIMITS, labels=self.labels, groups=self.groups, n_draws=200
        )

    def coarse(self) -> Ladder:
        """Return the whole severities alone."""
        rungs = [self.fine.severities.index(severity) for severity in SEVERITIES]
        return Ladder(SEVERITIES, self.fine.clean, self.fine.scores[rungs])


def real(
    categories: tuple[str, ...], names: tuple[str, ...], detector: str, n_sets: int
) -> Iterator[Table]:
    """Yield a table of breaks, and one of coverage over resampled test sets."""
    found = [one for category in categories for one in measured(category, names, detector)]
    rows = tuple(map(_row, found))
    errors = [abs(row[5]) for row in rows if isinstance(row[5], float)]
    whole = [abs(row[6]) for row in rows if isinstance(row[6], float)]
    told = f"median error {_median(errors)}, by whole severities alone {_median(whole)}"
    yield Table(
        "Breaks against a grid of 20 severities (level in its unit; error in %)",
        ("category", "corruption", "side", "grid", "found", "error", "5 alone", "passes"),
        rows,
        (f"{detector} at {SIZE} px, {told}",),
    )
    covered = [_covered(one, n_sets) for one in found]
    yield Table(
        "Coverage of the 90 % interval over test sets drawn from these parts (%)",
        ("category", "corruption", "both ends", "lower end"),
        tuple(row for row in covered if row),
        (f"{n_sets} sets of as many parts as there are",),
    )


def _median(errors: list[float]) -> str:
    return f"{median(errors):.1f} %" if errors else "unknown"


def measured(category: str, names: tuple[str, ...], detector: str) -> Iterator[Measured]:
    """Yield the scores along every corruption."""
    made = [_benchmark(category, names, detector, seed) for seed in (0, 1)]
    inventory = made[0].evaluator.tested.inventory
    clean = _scores(made[0], Condition("clean"))
    threshold = made[0].prepare().image_threshold
    for name in names:
        along = Condition("tolerance", ladder=name)
        result = made[0].tolerance(along)
        draws = made[: result.ladder.n_draws]
        fine = [[_scores(one, Condition(name, severity)) for one in draws] for severity in FINE]
        yield Measured(
            category,
            name,
            Ladder(FINE, clean, np.array(fine)),
            result.breaks,
            len(result.ladder.severities) * result.ladder.n_draws,
            threshold,
            inventory.labels,
            group_numbers(inventory.groups),
        )


def _benchmark(category: str, names: tuple[str, ...], detector: str, seed: int) -> Benchmark:
    root = Path(os.environ["ROBUSTBENCH_TEST_DATA"]) / "mvtec_layout"
    split = rb.load_split("mvtec", root=root, category=category, resize=(SIZE, SIZE))
    made: Benchmark = rb.Benchmark(
        split,
        rb.load_detector(detector),
        corruptions=list(names),
        calibration=CalibrationSettings(method="crossfit"),
        evaluation=EvaluationSettings(seed=seed),
        tolerances=dict.fromkeys(names, LIMITS),
    )
    made.prepare()
    return made


def _scores(made: Benchmark, condition: Condition) -> NDArray[np.float64]:
    return np.asarray(made.evaluate(condition).per_image.score, np.float64)


def _row(one: Measured) -> tuple[object, ...]:
    grid, coarse = one.breaks(one.fine).first.severity, one.breaks(one.coarse()).first.severity
    found = one.searched.first.severity
    side = {"false_reject_rate": "rejects", "miss_rate": "misses", None: "-"}
    return (
        one.category,
        one.name,
        side[one.searched.broken_by],
        _level(grid),
        _level(found),
        _error(found, grid),
        _error(coarse, grid),
        one.n_searched,
    )


def _level(severity: float) -> str:
    """Return a severity as a share of the level at severity 3."""
    return "never" if np.isinf(severity) else f"{2 ** (severity - 3):.3g}" if severity else "clean"


def _error(found: float, grid: float) -> float | str:
    """Return by how many percent a level is off."""
    if not grid or not found or np.isinf(grid) or np.isinf(found):
        return "" if found == grid else "differs"
    return float(100 * (2 ** (found - grid) - 1))


def _covered(one: Measured, n_sets: int) -> tuple[object, ...] | None:
    truth = one.breaks(one.fine).first.severity
    if not truth or np.isinf(truth):
        return None
    rng = np.random.default_rng(0)
    held = [_held(one, truth, rng) for _ in range(n_sets)]
    both, lower = (100 * float(np.mean(column)) for column in zip(*held, strict=True))
    return (one.category, one.name, both, lower)


def _held(one: Measured, truth: float, rng: np.random.Generator) -> tuple[bool, bool]:
    """Draw a test set, and return whether its interval, and its lower end, hold the break."""
    kinds = [np.flatnonzero(one.labels == label) for label in (0, 1)]
    drawn = np.concatenate([rng.choice(kind, len(kind)) for kind in kinds])
    ladder = Ladder(FINE, one.fine.clean[drawn], one.fine.scores[:, :, drawn])
    breaks = breaks_of(
        ladder,
        one.threshold,
        LIMITS,
        labels=one.labels[drawn],
        groups=np.arange(len(drawn)),
        n_draws=N_DRAWS,
    )
    low, high = breaks.first.interval
    return low <= truth <= high, low <= truth


# ---- drawn scores, whose break is known ----------------------------------------------------------

SHAPES = ("normal", "heavy tails", "skew")
THRESHOLDS = dict(zip(SHAPES, (1.645, 2.35, 2.74), strict=True))
"""About 5 % of the good parts lie above."""


def simulated(n_sets: int) -> Table:
    """Return how often intervals hold the break of drawn scores, whose shape is known."""
    rows = [_drawn_row(shape, n, n_sets) for shape in SHAPES for n in (20, 50, 200)]
    return Table(
        "Coverage of the 90 % interval on drawn scores (%)",
        ("scores", "parts of each kind", "break", "median found", "both ends", "lower end"),
        tuple(rows),
        (
            f"{n_sets} test sets; scores rise by a lognormal slope times the level, defects fall",
            "broken at 0.10 more than under clean; rungs a quarter of a step apart",
        ),
    )


def _drawn_row(shape: str, n: int, n_sets: int) -> tuple[object, ...]:
    truth = _true_break(shape)
    found = [_drawn_breaks(shape, n, seed) for seed in range(n_sets)]
    low, high = np.array([one.first.interval for one in found]).T
    return (
        shape,
        n,
        truth,
        float(np.median([one.first.severity for one in found])),
        100 * float(np.mean((low <= truth) & (truth <= high))),
        100 * float(np.mean(low <= truth)),
    )


def _drawn(shape: str, n: int, seed: int) -> tuple[Ladder, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    good = {
        "normal": lambda: rng.normal(0, 1, n),
        "heavy tails": lambda: rng.standard_t(3, n),
        "skew": lambda: rng.gamma(2, 1, n) - 2,
    }[shape]()
    clean = np.append(good, rng.normal(6, 3, n))
    slopes = np.append(np.exp(rng.normal(0, 0.5, n)) * 0.5, -np.exp(rng.normal(0, 0.5, n)) * 0.6)
    scores = [[clean + slopes * 2.0 ** (severity - 3)] for severity in FINE]
    return Ladder(FINE, clean, np.array(scores)), np.repeat([0, 1], n)


def _drawn_breaks(shape: str, n: int, seed: int) -> Breaks:
    ladder, labels = _drawn(shape, n, seed)
    groups = np.arange(len(labels))
    return breaks_of(ladder, THRESHOLDS[shape], {}, labels=labels, groups=groups, n_draws=N_DRAWS)


def _true_break(shape: str) -> float:
    """Return where the shares of very many parts first cross, without any smoothing."""
    ladder, labels = _drawn(shape, 100_000, 10**6)
    threshold = THRESHOLDS[shape]
    crossings: list[float] = []
    for label, wrong in ((0, np.greater), (1, np.less_equal)):
        of_kind = labels == label
        shares = [wrong(rung[0, of_kind], threshold).mean() for rung in ladder.scores]
        clean = wrong(ladder.clean[of_kind], threshold).mean()
        if max(shares) > clean + 0.1:
            crossings.append(float(np.interp(clean + 0.1, np.maximum.accumulate(shares), FINE)))
    return min(crossings)

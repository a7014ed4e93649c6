"""What two fitted models said about the same images under one condition, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.metrics.outcomes import COLUMNS, COUNTS
from pytest_robustbench.metrics.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.metrics.parts import Parts


@dataclass(frozen=True)
class Pair:
    """Baseline and candidate under one condition, on the same images in the same order.

    Parameters
    ----------
    condition : str
        Id of the condition.
    ids : tuple of str
        The images both have measured or left out alike.
    baseline, candidate : Outcomes
        What each said.
    """

    condition: str
    ids: tuple[str, ...]
    baseline: Outcomes
    candidate: Outcomes

    @property
    def labels(self) -> NDArray[np.int64]:
        """1 = defect: (N,)."""
        return self.baseline.labels

    @property
    def parts(self) -> Parts:
        """The parts that the images show."""
        return parts_of(self.labels, self.baseline.groups)

    def is_identical(self) -> bool:
        """Return whether both gave the same scores and counts for every image.

        Equal decisions are not enough: two models that agree on twenty images may differ on the
        next ones.
        """
        return all(
            np.array_equal(
                getattr(self.baseline, name), getattr(self.candidate, name), equal_nan=True
            )
            for name in COLUMNS
        )


def flaw_of(pair: Pair, change: AllowedChange) -> str:
    """Return why a metric of a pair cannot be compared, in words; empty where it can.

    An image counts for both models or for neither: a number that one of them lacks must not be
    taken for nothing.
    """
    n = len(pair.ids)
    names = COUNTS if change.row.counts_pixels else ("score",)
    models = {"baseline": pair.baseline, "candidate": pair.candidate}
    columns = [(who, name, getattr(o, name)) for who, o in models.items() for name in names]
    lengths = {len(column) for _, _, column in columns} | {len(pair.labels)}
    if lengths != {n}:
        return f"{n} images, but {' or '.join(map(str, sorted(lengths - {n})))} labels or outputs"
    if not np.isin(pair.labels, (0, 1)).all():
        return "an image has a label that is neither 0 nor 1"
    if change.row.source:
        return _without_metric(models, change.metric)
    return _lacking(pair.ids, columns) or (
        "" if change.row.counts_pixels else _without_threshold(models)
    )


def _lacking(ids: Sequence[str], columns: Sequence[tuple[str, str, NDArray[np.float64]]]) -> str:
    counts = np.isnan(np.stack([column for _, _, column in columns]))
    for who, name, column in columns:
        lacks = np.isnan(column) & ~counts.all(axis=0)
        impossible = np.isinf(column) | ((name in COUNTS) & (column < 0))
        for bad, what in ((lacks, "no number"), (impossible, "an impossible number")):
            if bad.any():
                return f"the {who} has {what} under {name!r} for image {ids[int(bad.argmax())]}"
    return ""


def _without_metric(models: dict[str, Outcomes], metric: str) -> str:
    lacking = [who for who, outcomes in models.items() if metric not in outcomes.own]
    return f"the {lacking[0]} has no value of {metric}" if lacking else ""


def _without_threshold(models: dict[str, Outcomes]) -> str:
    lacking = [who for who, outcomes in models.items() if np.isnan(outcomes.image_threshold)]
    return f"the {lacking[0]} has no image threshold" if lacking else ""

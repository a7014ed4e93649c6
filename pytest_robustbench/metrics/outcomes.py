"""What one model said of N images at its frozen thresholds, image by image.

Every metric that is no ranking of pixels follows from these columns, so that a stored report is
enough to work it out again, over all images or over a draw of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.metrics.parts import Parts
    from pytest_robustbench.metrics.redrawn import Redrawn

Column: TypeAlias = NDArray[np.float64]

COUNTS = ("tp", "fp", "fn", "tn")
COLUMNS = ("score", *COUNTS)
"""What is known of every image."""
LARGEST = float(np.finfo(np.float32).max)
"""A score above every threshold: an infinite one counts as not measured."""


@dataclass(frozen=True)
class Ratio:
    """A metric as ``sum(numerator) / sum(denominator)`` over images.

    Parameters
    ----------
    numerator, denominator : (N,) float64
        What each image adds; 0 for images that the metric does not speak of.
    """

    numerator: Column
    denominator: Column

    @property
    def value(self) -> float:
        """The metric; NaN where nothing is counted."""
        counted = self.denominator > 0
        total = float(self.denominator[counted].sum())
        return float(self.numerator[counted].sum()) / total if total else float("nan")

    @property
    def n_images(self) -> int:
        """How many images carry it."""
        return int((self.denominator > 0).sum())

    def of(self, rows: NDArray[Any]) -> Ratio:
        """Return what some images add: ``(M,)`` int64 or ``(N,)`` bool."""
        return Ratio(self.numerator[rows], self.denominator[rows])

    def by_part(self, parts: Parts) -> Ratio:
        """Return what the parts add that the images show."""
        return Ratio(parts.sums(self.numerator), parts.sums(self.denominator))


@dataclass(frozen=True)
class Outcomes:
    """One model under one condition.

    Parameters
    ----------
    labels : (N,) int64
        1 = defective, 0 = good.
    score : (N,) float64
        Image scores, float32 values; NaN where the condition leaves the image out.
    tp, fp, fn, tn : (N,) float64
        Pixels at the pixel threshold: defect found, background called defect, defect missed,
        background left. NaN where the pixels of an image count nowhere (left out, no known mask, no
        map, no threshold).
    image_threshold : float
        An image is called defective when its score is strictly above, compared in float32.
    pixel_threshold : float or None
        The threshold behind the counts.
    own : mapping of str to Ratio
        Columns of metrics of one's own, as they were measured: their formulas may be elsewhere.
    groups : (N,) int64
        Images with equal numbers show one part, and are one piece of evidence; by default each
        image is its own part.
    redrawn : tuple of Redrawn
        What other calibrations would have decided, each further out than the one before; empty at
        thresholds that were given.
    """

    labels: NDArray[np.int64]
    score: Column
    tp: Column
    fp: Column
    fn: Column
    tn: Column
    image_threshold: float
    pixel_threshold: float | None = None
    own: Mapping[str, Ratio] = field(default_factory=dict)
    groups: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    redrawn: tuple[Redrawn, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups.size:
            object.__setattr__(self, "groups", np.arange(len(self.labels)))

    @property
    def defective(self) -> NDArray[np.bool_]:
        """Whether each image is labelled defective."""
        return np.asarray(self.labels == 1)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Whether each image has a score."""
        return np.isfinite(self.score)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Whether the pixels of each image count."""
        return np.isfinite(self.tn)

    @property
    def called(self) -> NDArray[np.bool_]:
        """Whether each image is called defective."""
        above = self.score.astype(np.float32) > np.float32(self.image_threshold)
        return np.asarray(above & self.measured)

    @property
    def image_tp(self) -> Column:
        """1 for a defective image that is called so, else 0."""
        return _as_column(self.defective & self.called)

    @property
    def image_fp(self) -> Column:
        """1 for a good image that is called defective, else 0."""
        return _as_column(~self.defective & self.called)

    @property
    def image_fn(self) -> Column:
        """1 for a defective image that is called good, else 0."""
        return _as_column(self.defective & self.measured & ~self.called)

    @property
    def image_tn(self) -> Column:
        """1 for a good image that is called so, else 0."""
        return _as_column(~self.defective & self.measured & ~self.called)

    def of(self, rows: NDArray[Any]) -> Outcomes:
        """Return some images, or some several times: ``(M,)`` int64 or ``(N,)`` bool."""
        names = "labels", "groups", *COLUMNS
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in names}
        own = {name: ratio.of(rows) for name, ratio in self.own.items()}
        redrawn = tuple(each.of(rows) for each in self.redrawn)
        return replace(self, **columns, own=own, redrawn=redrawn)

    def as_calibrated(self) -> Outcomes:
        """Return the same, as if the thresholds had been given."""
        return replace(self, redrawn=())

    def read_only(self) -> Outcomes:
        """Return the same in columns that nobody can write to."""
        return replace(self, **{n: _read_only(getattr(self, n)) for n in ("labels", *COLUMNS)})

    def without_pixels(self) -> Outcomes:
        """Return the same where no pixel is counted."""
        nothing: Any = np.full(len(self.labels), np.nan)
        return replace(self, **dict.fromkeys(COUNTS, nothing))

    def all_called(self) -> Outcomes:
        """Return what a model would say that calls every pixel and image defective."""
        return self._decided(LARGEST, tp=self.tp + self.fn, fp=self.fp + self.tn)

    def none_called(self) -> Outcomes:
        """Return what a model would say that finds nothing anywhere."""
        return self._decided(self.image_threshold, fn=self.tp + self.fn, tn=self.fp + self.tn)

    def rightly_called(self) -> Outcomes:
        """Return what a model would say that makes no mistake."""
        score: Any = np.where(self.defective, LARGEST, self.image_threshold)
        found, left = self.tp + self.fn, self.fp + self.tn
        return self._decided(score, tp=found, tn=left)

    def _decided(self, score: Any, **counts: Column) -> Outcomes:
        columns: dict[str, Any] = {name: 0 * getattr(self, name) for name in COUNTS} | counts
        scores = np.where(self.measured, score, np.nan)
        return replace(self, score=scores, **columns, own={}, redrawn=())


def _read_only(column: Any) -> Any:
    view = column.view()
    view.flags.writeable = False
    return view


def _as_column(chosen: NDArray[np.bool_]) -> Column:
    return chosen.astype(np.float64)

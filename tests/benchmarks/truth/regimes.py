"""The regimes in which the regression gate must be right as often as it claims."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from table import Table

from truth.judging import Cell, Rates, covered, rates_of, wrong
from truth.losses import (
    Lit,
    Missed,
    Noisier,
    RareGains,
    RareLit,
    RareLosses,
    RareRanks,
    diffuse,
    large_gain,
    large_lose,
    lit_a_little,
    nothing,
    unseen_kind,
)
from truth.population import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from truth.judging import Effort
    from truth.population import Loss

README = {"pixel_segf1": 0.05, "pixel_segf1_per_image": 0.05, "bg_fpr": 0.02, "miss_rate": 0.1}
"""The margins of the README."""
SMALL = 0.0001
"""A margin that hides no false alarm: a loss beyond a larger margin is beyond this one."""
SIZES = (20, 40, 80, 160, 320)
"""Defect images of a test set."""
METRICS = ("pixel_segf1", "pixel_segf1_per_image", "miss_rate", "auroc", "bg_fpr")


class Column(NamedTuple):
    """One column of numbers: which of a row's cells, and which of its rates."""

    heading: str
    cell: int
    rate: str
    shown: Callable[[float, int], object]


@dataclass(frozen=True)
class Row:
    """What a row is about, and its cells."""

    labels: tuple[object, ...]
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Regime:
    """One table.

    Parameters
    ----------
    title : str
        Its heading.
    headings : tuple of str
        Of the labels.
    rows : callable
        From an effort to the rows.
    columns : tuple of Column
        The numbers.
    notes : tuple of str
        What a reader must know.
    """

    title: str
    headings: tuple[str, ...]
    rows: Callable[[Effort], Iterable[Row]]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    def table(self, effort: Effort) -> Table:
        """Simulate every cell."""
        rows = [_of_size(row, effort) for row in self.rows(effort)]
        cells = [cell for row in rows for cell in row.cells if cell is not None]
        found = {id(c): r for c, r in zip(cells, rates_of(effort, cells), strict=True)}
        lines = [
            (*row.labels, *(self._number(row, column, found, effort) for column in self.columns))
            for row in rows
        ]
        headings = (*self.headings, *(column.heading for column in self.columns))
        return Table(self.title, headings, tuple(lines), self.notes)

    @staticmethod
    def _number(
        row: Row, column: Column, found: Mapping[int, Rates | None], effort: Effort
    ) -> object:
        rates = found.get(id(row.cells[column.cell]))
        return None if rates is None else column.shown(getattr(rates, column.rate), effort.draws)


def _of_size(row: Row, effort: Effort) -> Row:
    return replace(row, cells=tuple(c and _in(c, effort) for c in row.cells))


def _in(cell: Cell, effort: Effort) -> Cell:
    return replace(cell, layout=replace(cell.layout, size=effort.population))


def plain(value: float, draws: int) -> str:
    """Return a share that claims nothing."""
    return f"{100 * value:.1f} %"


def _per_limit(rate: str, names: Iterable[str], suffix: str = "") -> tuple[Column, ...]:
    return tuple(Column(name + suffix, i, rate, wrong) for i, name in enumerate(names))


def _loss(layout: Layout, loss: Loss, n: int, metric: str, size: float) -> Cell:
    """Return a loss of one limit, which is alone in its family: nothing else costs it power."""
    return Cell(layout, loss, n, {metric: size}, metric, size)


# ---- several images of one part ----------------------------------------------------------------

LAYOUTS = (
    Layout(1),
    Layout(1, normals=2.0),
    Layout(5, 0.5),
    Layout(5, 0.9),
    Layout(10, 0.5),
    Layout(10, 0.9),
    Layout(5, 0.9, mixed=True),
    Layout(10, 0.9, mixed=True),
)
PARTS_HEADINGS = ("images a part", "correlation", "normal images per defect image", "defect images")
WHOLE = (
    ("pixel_segf1", 0.02),
    ("pixel_segf1", 0.05),
    ("pixel_segf1", 0.1),
    ("pixel_segf1_per_image", 0.05),
    ("pixel_segf1_per_image", 0.1),
    ("miss_rate", 0.1),
    ("auroc", 0.05),
    ("auroc", 0.1),
)
LIGHTING = (("bg_fpr", 0.02), ("bg_fpr", 0.05))


def layouts(effort: Effort) -> Iterator[tuple[tuple[object, ...], Layout]]:
    """Yield ways to make parts, and what stands for them under the first `PARTS_HEADINGS`."""
    for layout in LAYOUTS:
        m = layout.images_a_part
        if m in effort.images_a_part:
            normals = f"{m - max(1, m // 5)}, of the same part" if layout.mixed else layout.normals
            yield (m, None if m == 1 else layout.icc, normals), layout


def alarm_rows(effort: Effort) -> Iterator[Row]:
    """Yield exchangeable fits: a family of all metrics under two conditions, and each alone."""
    limits = dict.fromkeys(METRICS, SMALL)
    for labels, layout in layouts(effort):
        two = replace(layout, conditions=2)
        for n in effort.defects or SIZES:
            alone = [Cell(layout, nothing, n, {metric: SMALL}) for metric in METRICS]
            yield Row((*labels, n), (Cell(two, nothing, n, limits), *alone))


def pass_rows(effort: Effort) -> Iterator[Row]:
    """Yield losses of whole images at the margin, by margin."""
    for labels, layout in layouts(effort):
        for n in effort.defects or SIZES:
            missed = [_loss(layout, Missed(), n, *each) for each in WHOLE]
            lit = [_loss(layout, Lit(), n, *each) for each in LIGHTING]
            yield Row((*labels, n), (*missed, *lit))


# ---- equal means, not exchangeable -------------------------------------------------------------

UNEQUAL: dict[str, Loss] = {
    "noisier": Noisier(0.2),
    "5 % gain all, others lose": RareGains(0.05),
    "15 % gain all, others lose": RareGains(0.15),
    "5 % lose all, others gain": RareLosses(0.05),
    "15 % lose all, others gain": RareLosses(0.15),
    "largest better, others worse": large_gain,
    "largest worse, others better": large_lose,
}
LARGER: dict[tuple[str, str], Loss] = {
    (name, metric): loss(share, lost)
    for metric, loss in (("bg_fpr", RareLit), ("auroc", RareRanks))
    for name, share, lost in (
        ("5 % gain all, others lose", 0.05, False),
        ("15 % gain all, others lose", 0.15, False),
        ("5 % lose all, others gain", 0.05, True),
        ("15 % lose all, others gain", 0.15, True),
    )
}
"""What moves these metrics beyond the margins that are used."""
SMALL_SETS = (17, 40, 80, 160)


def unequal_rows(effort: Effort) -> Iterator[Row]:
    """Yield models whose values are equal, and whose images are not exchangeable."""
    for m, icc in ((1, 0.5), (5, 0.7)):
        if m not in effort.images_a_part:
            continue
        layout = Layout(m, icc)
        for name, loss in UNEQUAL.items():
            for n in effort.defects or SMALL_SETS:
                cells = [
                    Cell(layout, LARGER.get((name, k), loss), n, {k: SMALL}, k, 0.0)
                    for k in METRICS
                ]
                yield Row((name, m, n), tuple(cells))


# ---- losses by size ----------------------------------------------------------------------------


def size_rows(effort: Effort) -> Iterator[Row]:
    """Yield losses that strike larger defects more often."""
    for area_sd in (0.5, 1.0, 1.5):
        for power in (0.0, 0.5, 1.0):
            for n in effort.defects or SIZES:
                layout = Layout(area_sd=area_sd)
                cells = [
                    _loss(layout, Missed(power), n, metric, margin)
                    for metric, margin in (*WHOLE[:4], ("miss_rate", 0.1))
                ]
                yield Row((area_sd, power, n), tuple(cells))


# ---- whole images lit --------------------------------------------------------------------------

LIT_SETS = (60, 80, 107, 160, 213, 320)
"""Of defect images, half as many normal ones with them."""


def lit_rows(effort: Effort) -> Iterator[Row]:
    """Yield images that light up, wholly or by half, or all of them a little."""
    for name, loss in (("whole", Lit()), ("half", Lit(0.5)), ("a little, all", lit_a_little)):
        for n in effort.defects or LIT_SETS:
            layout = Layout()
            yield Row(
                (name, n + round(n / 2)),
                (
                    _loss(layout, loss, n, "bg_fpr", 0.02),
                    _loss(layout, loss, n, "bg_fpr", 0.05),
                    Cell(layout, loss, n, README, "bg_fpr", 0.02),
                    Cell(layout, loss, n, README, "pixel_segf1", 0.05),
                ),
            )


# ---- kinds that the test set lacks -------------------------------------------------------------


def lacking_rows(effort: Effort) -> Iterator[Row]:
    """Yield one and the same model but for a kind of image that most test sets lack."""
    for normals, n in ((0.5, 20), (0.5, 40), (1.0, 20), (1.0, 40), (2.0, 20), (2.0, 80)):
        layout = Layout(normals=normals)
        cells = [
            _loss(layout, loss, n, metric, size)
            for loss, metric, size in (
                (unseen_kind, "auroc", 0.05),
                (unseen_kind, "auroc", 0.1),
                (unseen_kind, "false_reject_rate", 0.05),
                (unseen_kind, "false_reject_rate", 0.1),
                (Missed(), "miss_rate", 0.1),
                (Missed(), "pixel_segf1", 0.05),
                (Missed(), "pixel_segf1_per_image", 0.05),
            )
        ]
        yield Row((n, round(n * normals)), tuple(cells))


# ---- bounds and power --------------------------------------------------------------------------

SCENARIOS: tuple[tuple[str, Loss, str], ...] = (
    ("none", nothing, ""),
    ("diffuse", diffuse, "pixel_segf1"),
    ("whole images", Missed(another=True), "pixel_segf1"),
    ("images lit", Lit(0.5, another=True), "bg_fpr"),
)


def bound_rows(effort: Effort) -> Iterator[Row]:
    """Yield the README's family under two conditions: its bounds, and what it notices."""
    for m, icc in ((1, 0.5), (5, 0.7), (10, 0.7)):
        if m not in effort.images_a_part:
            continue
        layout = Layout(m, icc, conditions=2)
        for name, loss, metric in SCENARIOS:
            for n in effort.defects or SIZES:
                at, twice = (
                    Cell(layout, loss, n, README, metric, k * README[metric])
                    if metric
                    else Cell(layout, loss, n, README)
                    for k in (1, 2)
                )
                yield Row((name, m, n), (at, twice if metric else None))


REGIMES = {
    "alarms": Regime(
        "Several images of one part: false alarms of two fits that are exchangeable",
        PARTS_HEADINGS,
        alarm_rows,
        _per_limit("alarm", ("all metrics, two conditions", *METRICS), ", any margin"),
    ),
    "passes": Regime(
        "Several images of one part: false passes, whole images lost",
        PARTS_HEADINGS,
        pass_rows,
        _per_limit("false_pass", (f"{metric} {size}" for metric, size in (*WHOLE, *LIGHTING))),
    ),
    "unequal": Regime(
        "Equal means, not exchangeable: false alarms",
        ("candidate", "images a part", "defect images"),
        unequal_rows,
        (*_per_limit("alarm_beyond", METRICS), *_per_limit("alarm", METRICS, ", any margin")),
    ),
    "sizes": Regime(
        "Larger defects are lost more often: false passes",
        ("log-sd of area", "power", "defect images"),
        size_rows,
        _per_limit("false_pass", (f"{m} {size}" for m, size in (*WHOLE[:4], ("miss_rate", 0.1)))),
    ),
    "lit": Regime(
        "Whole images lit: false passes",
        ("lit", "images"),
        lit_rows,
        (
            Column("bg_fpr 0.02", 0, "false_pass", wrong),
            Column("bg_fpr 0.05", 1, "false_pass", wrong),
            Column("run at README margins, bg_fpr loses 0.02", 2, "run_passes", wrong),
            Column("run at README margins, pixel_segf1 loses 0.05", 3, "run_passes", wrong),
        ),
    ),
    "lacking": Regime(
        "Loss in kinds that the test set lacks: false passes",
        ("defect images", "normal images"),
        lacking_rows,
        _per_limit(
            "false_pass",
            (
                "auroc 0.05",
                "auroc 0.1",
                "false_reject_rate 0.05",
                "false_reject_rate 0.1",
                "miss_rate 0.1",
                "pixel_segf1 0.05",
                "pixel_segf1_per_image 0.05",
            ),
        ),
    ),
    "bounds": Regime(
        "README margins under two conditions: bounds and power",
        ("loss", "images a part", "defect images"),
        bound_rows,
        (
            Column("false alarms", 0, "alarm", wrong),
            Column("false pass of any limit", 0, "false_pass", wrong),
            Column("upper bounds hold", 0, "upper", covered),
            Column("lower bounds hold", 0, "lower", covered),
            Column("run passes", 0, "run_passes", plain),
            Column("regressed at 2 x margin", 1, "regressed", plain),
        ),
    ),
}

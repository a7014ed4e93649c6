"""The summary table: whatever stands in it, it fits and lines up."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.gates.limits import Limit, Verdict, Waiver
from pytest_robustbench.metrics.catalogue import METRICS, SUMMARY_METRICS, bound_of
from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults
from pytest_robustbench.plugin.terminal.layout import Cell, Column, Group, tables
from pytest_robustbench.plugin.terminal.table import (
    columns_of,
    groups_of,
    judged_cell,
    summary_table,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TELLING = st.sampled_from([0.0, 1.0, 0.25, 0.2499999999, 0.1 + 0.2, 1e-7, 12345.6, -5e-324, 1 / 3])
VALUES = TELLING | NUMBERS
NAMES = st.text("abcdefghij_0123456789", min_size=1, max_size=90)


def verdict(
    metric: str,
    value: float | None,
    limit: float,
    *,
    condition: str = "clean",
    waived: bool = False,
) -> Verdict:
    bound = bound_of(metric)
    declared = Limit(metric, bound, limit, "robustness.yaml:9")
    if value is None:
        return Verdict(condition, declared, None, "error", "no defect pixel")
    holds = value >= limit if bound == "min" else value <= limit
    waiver = cast("Waiver", SimpleNamespace()) if waived and not holds else None
    return Verdict(condition, declared, value, "pass" if holds else "fail", waiver=waiver)


def written(groups: list[Group], columns: list[Column]) -> list[str]:
    return ["".join(span.text for span in line) for line in tables(groups, columns)]


@st.composite
def judged_tables(draw: st.DrawFn) -> tuple[list[Group], list[Column]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    metrics = draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=6, unique=True))
    limit = st.none() | VALUES

    def cell(metric: str) -> Cell:
        bound, value = draw(limit), draw(st.none() | VALUES)
        if bound is None:
            return Cell("-" if value is None else f"{value:.3g}")
        return judged_cell(verdict(metric, value, bound, waived=draw(st.booleans())))

    columns = [Column(m, tuple(cell(m) for _ in names)) for m in metrics]
    first = draw(st.integers(1, len(names)))
    heads = [Group("worst:", tuple(names[:first])), Group("others:", tuple(names[first:]))]
    return heads, columns


@given(judged_tables())
def test_every_line_fits_whatever_stands_in_it(table: tuple[list[Group], list[Column]]) -> None:
    groups, columns = table
    lines = written(groups, columns)
    assert max(map(len, lines)) <= 80
    assert all(line.isascii() and line == line.rstrip() for line in lines)
    for column in columns:
        assert sum(column.title in line.split() for line in lines) >= 1
        for cell in column.cells:
            assert any(cell.value in line.split() for line in lines)


@given(st.lists(st.sampled_from(SUMMARY_METRICS), min_size=1, max_size=5), VALUES, VALUES)
def test_summary_limits_fit(metrics: list[str], value: float, limit: float) -> None:
    lines = written(*summary_table([verdict(metric, value, limit) for metric in metrics]))
    assert max(map(len, lines)) <= 80


@given(st.sampled_from(METRICS), VALUES, VALUES)
def test_the_digits_shown_tell_on_which_side_of_the_limit_a_value_is(
    metric: str, value: float, limit: float
) -> None:
    judged = verdict(metric, value, limit)
    cell = judged_cell(judged)
    left, right = float(cell.value), float(cell.limit)
    holds = left >= right if cell.bound == ">=" else left <= right
    assert holds == (judged.outcome == "pass") == (float(cell.margin) >= 0) == (cell.mark != "!")


def test_parts_stand_below_each_other() -> None:
    values = {"a": 0.5, "a_long_one-severity_1": 0.0203, "c": 1.0, "d": 0.2496, "e": None}
    cells = [judged_cell(verdict("bg_fpr", value, 0.25)) for value in values.values()]
    lines = written([Group("", tuple(values))], [Column("bg_fpr", tuple(cells))])

    rows = lines[2:]
    assert lines[1].split() == ["value", "limit", "margin"]
    assert len({row.index("<=") for row in rows}) == 1
    assert len({row.index(".") for row in rows if "." in row.partition("<=")[0]}) == 1
    margins = [re.search(r"<= [\d.]+ +([-+?])", row) for row in rows]
    assert len({found.start(1) for found in margins[:4] if found}) == 1
    assert ["!" in row for row in rows] == [True, False, True, False, True]
    assert rows[4].split() == ["e", "!", "-", "<=", "0.25", "?"]


def test_as_many_columns_stand_side_by_side_as_fit() -> None:
    cells = (judged_cell(replace(verdict("recall", 0.5, 0.25), at_worst=0.3)),)
    titles = ["recall", "f1", "accuracy", "precision"]
    lines = written([Group("", ("clean",))], [Column(title, cells) for title in titles])
    assert [re.findall("[a-z]+1?", line) for line in lines[::3]] == [titles[:3], titles[3:]]


def test_a_name_is_shortened_only_where_it_must_be() -> None:
    name = "n" * 55 + "-severity_1"
    narrow, wide = Cell("1"), judged_cell(verdict("pixel_auroc", 0.25 - 1e-12, 0.25))
    assert any(name in line for line in written([Group("", (name,))], [Column("f1", (narrow,))]))
    row = written([Group("", (name,))], [Column("pixel_auroc", (wide,))])[2]
    assert re.match(r"  n+\.\.\.n*-severity_1  ! 0\.249999999999 >= 0\.25", row)


def test_large_numbers_have_no_exponent() -> None:
    cell = judged_cell(verdict("latency_ms_per_image", 12345.6, 1e6))
    assert (cell.value, cell.limit, cell.margin) == ("12300", "1000000", "+990000")


def test_a_limit_is_shown_as_it_was_declared() -> None:
    assert judged_cell(verdict("aupro", 0.5, 0.12345678)).limit == "0.12345678"


def test_a_waived_limit_is_marked_apart() -> None:
    cell = judged_cell(verdict("aupro", 0.1, 0.5, waived=True))
    assert (cell.mark, cell.margin) == ("w", "-0.4")


def results_of(declared: list[str], verdicts: dict[str, tuple[Verdict, ...]]) -> BenchmarkResults:
    records: dict[str, Any] = {condition: {} for condition in reversed(declared)}
    found = SimpleNamespace(declared=tuple(declared), records=records, verdicts=verdicts)
    return cast("BenchmarkResults", found)


def test_the_three_worst_come_first_then_all_as_declared() -> None:
    found: dict[str, float | None] = {"a": 0.9, "b": 0.2, "c": 0.8, "d": None, "e": 0.5, "f": 0.3}
    verdicts = {c: (verdict("recall", value, 0.25, condition=c),) for c, value in found.items()}
    worst, others = groups_of(results_of(["x", *found], verdicts))
    assert (worst.head, worst.names) == ("worst by margin:", ("d", "b", "f"))
    assert (others.head, others.names) == ("others:", ("x", "a", "c", "e"))


def test_the_distance_counts_in_units_of_the_limit() -> None:
    verdicts = {
        "slow": (verdict("latency_ms_per_image", 150, 200),),  # a quarter left
        "blind": (verdict("recall", 0.55, 0.5),),  # a tenth left
    }
    (group,) = groups_of(results_of(["slow", "blind"], verdicts))
    assert (group.head, group.names) == ("by margin:", ("blind", "slow"))


def test_without_limits_nothing_is_called_worst() -> None:
    results = results_of(["clean", "blur-severity_1"], {})
    (group,) = groups_of(results)
    assert (group.head, group.names) == ("", ("clean", "blur-severity_1"))
    titles = [column.title for column in columns_of(results, group.names)]
    assert titles == ["pixel_segf1", "bg_fpr", "latency_ms_per_image"]
    lines = written([group], columns_of(results, group.names))
    assert lines[0].split() == titles
    assert [line.split() for line in lines[1:]] == [[name, *"---"] for name in group.names]


@pytest.mark.parametrize("value", [1.0, 0.5])
def test_nothing_is_left_of_a_limit_that_is_met_exactly(value: float) -> None:
    assert judged_cell(verdict("bg_fpr", value, value)).margin == "+0"


def test_a_table_without_titles_starts_with_its_parts() -> None:
    lines = written(*summary_table([verdict("mean_corruption_recall", 0.1, 0.5)]))
    assert lines == [
        "  summary:                  value  limit  margin",
        "  mean_corruption_recall  !   0.1 >= 0.5    -0.4",
    ]


def test_a_single_condition_is_not_called_worst() -> None:
    (group,) = groups_of(results_of(["clean"], {"clean": (verdict("recall", 0.5, 0.25),)}))
    assert (group.head, group.names) == ("", ("clean",))

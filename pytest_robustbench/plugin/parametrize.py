"""Conditions to test ids, marks and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.plugin.measuring.session import Session

BENCHMARK = "robustness_benchmark"
CONDITION = "robustness_condition"
BROKEN = "robustness.yaml"


def parametrize(metafunc: pytest.Metafunc, session: Session) -> None:
    """Give a test that needs a benchmark one item per condition, or per benchmark.

    Parameters are plain strings: other plugins write them to JSON.
    """
    per_condition = CONDITION in metafunc.fixturenames
    names = [BENCHMARK, CONDITION] if per_condition else [BENCHMARK]
    params = list(_params(session, per_condition=per_condition))
    metafunc.parametrize(names, params, indirect=True, scope="session")


def _params(session: Session, *, per_condition: bool) -> Iterator[Any]:
    if session.problem:
        values = ("", "") if per_condition else ("",)
        yield pytest.param(*values, id=BROKEN, marks=pytest.mark.robustness)
        return
    for declaration in session.declarations.values():
        if per_condition:
            yield from _per_condition(declaration)
        else:
            mark = pytest.mark.robustness(benchmark=declaration.name)
            yield pytest.param(declaration.name, id=declaration.name, marks=mark)


def _per_condition(declaration: BenchmarkDeclaration) -> Iterator[Any]:
    for condition in declaration.conditions:
        mark = pytest.mark.robustness(
            benchmark=declaration.name,
            corruption=condition.corruption,
            severity=condition.severity,
        )
        name = f"{declaration.name}-{condition.id}"
        # The condition's parameter names its benchmark too: pytest would otherwise reorder items
        # so that equal conditions of different benchmarks stand together.
        yield pytest.param(declaration.name, name, id=name, marks=mark)


def asks_for_a_benchmark(item: pytest.Item) -> bool:
    """Return whether an item was parametrized here."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and BENCHMARK in callspec.params


def params_of(item: pytest.Item) -> tuple[str, str]:
    """Return the benchmark's and the condition's id of an item; empty where it has none."""
    callspec = getattr(item, "callspec", None)
    params = callspec.params if callspec is not None else {}
    benchmark, condition = str(params.get(BENCHMARK, "")), str(params.get(CONDITION, ""))
    return benchmark, condition.removeprefix(f"{benchmark}-")


def keep_benchmarks_together(items: list[pytest.Item]) -> None:
    """Sort in place, stably: each benchmark's items follow its first one.

    pytest and plugins that shuffle may interleave benchmarks; a project's own session-scoped
    detector would then be torn down and made again at every change.
    """
    first: dict[str, int] = {}
    for position, item in enumerate(items):
        first.setdefault(_group(item, position), position)
    order = {id(item): first[_group(item, i)] for i, item in enumerate(items)}
    items.sort(key=lambda item: order[id(item)])


def _group(item: pytest.Item, position: int) -> str:
    benchmark, _ = params_of(item)
    return benchmark or f"item {position}"

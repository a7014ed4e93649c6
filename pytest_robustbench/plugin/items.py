"""From conditions to items, and back: ids, marks, order, shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.errors import ConfigError
from pytest_robustbench.plugin.declared import declared_of
from pytest_robustbench.plugin.messages import ItemRef
from pytest_robustbench.plugin.options import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.plugin.declared import DeclaredFile
    from pytest_robustbench.plugin.options import Settings

BENCHMARK = "robustness_benchmark"
CONDITION = "robustness_condition"
JUDGE = "robustness_judge"
BROKEN = "robustness.yaml"
AGGREGATES = ("summary", "complete", "regression")
"""Verdicts over all conditions of a benchmark: items of every test that judges each of them."""


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Give a test that needs a benchmark one item per condition, or per benchmark.

    Parameters are plain strings: other plugins write them to JSON.
    """
    per_condition = CONDITION in metafunc.fixturenames
    names = [BENCHMARK, CONDITION] if per_condition else [BENCHMARK]
    declared = declared_of(metafunc.config)
    file = declared.file_for(metafunc.definition.path.parent)
    declared.use(file.place)
    judges = JUDGE in metafunc.fixturenames
    params = list(_params(file, per_condition=per_condition, judges=judges))
    if per_condition and judges:
        params += _aggregates(metafunc.config, file)
    metafunc.parametrize(names, params, indirect=True, scope="session")


def _params(file: DeclaredFile, *, per_condition: bool, judges: bool) -> Iterator[Any]:
    if file.problem:
        values = [f"{file.place}/"] * (1 + per_condition)
        yield pytest.param(*values, id=BROKEN, marks=pytest.mark.robustness)
        return
    for declaration in file.benchmarks.values():
        if per_condition:
            yield from _per_condition(declaration, judges=judges)
        else:
            mark = pytest.mark.robustness(benchmark=declaration.name)
            yield pytest.param(declaration.key, id=declaration.name, marks=mark)


def _per_condition(declaration: BenchmarkDeclaration, *, judges: bool) -> Iterator[Any]:
    # A tolerance has no metrics that a test could look at: there is a limit to judge, or nothing.
    for condition in (c for c in declaration.conditions if judges or not c.ladder):
        mark = pytest.mark.robustness(
            benchmark=declaration.name,
            corruption=condition.ladder or condition.corruption,
            severity=condition.severity,
        )
        # The condition's parameter names its benchmark too: pytest would otherwise reorder items
        # so that equal conditions of different benchmarks stand together.
        of_both = f"{declaration.key}-{condition.id}"
        name = f"{declaration.name}-{condition.id}"
        yield pytest.param(declaration.key, of_both, id=name, marks=mark)


def aggregate_names(declaration: BenchmarkDeclaration, settings: Settings) -> tuple[str, ...]:
    """Return which verdicts over all conditions a benchmark has."""
    has = {
        "summary": bool(declaration.summary_limits),
        "complete": True,
        "regression": settings.asks_for_baseline or declaration.regression is not None,
    }
    return tuple(name for name in AGGREGATES if has[name])


def _aggregates(config: pytest.Config, file: DeclaredFile) -> Iterator[Any]:
    if config.getoption("lf", default=False):
        return  # --lf would choose them without a condition, and run nothing
    for declaration in file.benchmarks.values():
        mark = pytest.mark.robustness(benchmark=declaration.name)
        for name in aggregate_names(declaration, config.stash[SETTINGS]):
            values = declaration.key, f"{declaration.key}-{name}"
            yield pytest.param(*values, id=f"{declaration.name}-{name}", marks=mark)


def item_ref(item: pytest.Item) -> ItemRef | None:
    """Return what an item is about; ``None`` where it was not parametrized here."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or BENCHMARK not in callspec.params:
        return None
    key, condition = str(callspec.params[BENCHMARK]), str(callspec.params.get(CONDITION, ""))
    if key.endswith("/"):
        problem = declared_of(item.config).file_of(key).problem
        return ItemRef(item.nodeid, item.location, problem=problem)
    about = condition.removeprefix(f"{key}-")
    if about in AGGREGATES:
        return ItemRef(item.nodeid, item.location, key, aggregate=about)
    return ItemRef(item.nodeid, item.location, key, about)


def keep_shard(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect in place what other shards measure; what has no condition always runs."""
    shard = config.stash[SETTINGS].shard
    declarations = declared_of(config).benchmarks.values() if shard else ()
    if shard is None or not declarations:
        return
    try:
        own = shard.conditions(declarations)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    others = [
        item
        for item in items
        if (ref := item_ref(item)) and ref.condition and (ref.benchmark, ref.condition) not in own
    ]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)


def keep_benchmarks_together(items: list[pytest.Item]) -> None:
    """Sort in place, stably: each benchmark's items follow its first one.

    pytest and plugins that shuffle may interleave benchmarks; a project's own session-scoped
    detector would then be torn down and made again at every change.
    """
    first: dict[str, int] = {}
    order = {}
    for position, item in enumerate(items):
        ref = item_ref(item)
        group = ref.benchmark if ref else ""
        order[item] = first.setdefault(group, position) if group else position
    items.sort(key=order.__getitem__)

"""The metrics of one's own that a file lists: found and loaded before limits on them are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.config.yaml.nodes import Items, Leaf, Table, node_at
from pytest_robustbench.config.yaml.problems import Problem
from pytest_robustbench.errors import MetricError
from pytest_robustbench.metrics.catalogue import summarized

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.models.file import Benchmark

KEY = "metrics"


def own_metrics(tree: Table, folder: Path, problems: list[Problem]) -> dict[str, str]:
    """Return the names of all metrics that a file lists, by what it writes for them.

    What cannot be loaded is noted: which limits are floors, and which ceilings, is not known then.
    """
    found: dict[str, str] = {}
    for leaf in listed(tree, KEY):
        reference = leaf.value
        if not isinstance(reference, str) or reference in found:
            continue
        from pytest_robustbench.metrics.own import load_metric

        try:
            found[reference] = load_metric(reference, folder).name
        except MetricError as error:
            problems.append(Problem(leaf.mark, str(error)))
    return found


def listed(tree: Table, key: str) -> Iterator[Leaf]:
    """Yield what stands in the lists of all sections below `key`."""
    wrappers = [tree.table(key).entries.values() for key in ("benchmarks", "profiles")]
    inner = [entry.node for entries in wrappers for entry in entries]
    for section in (tree, tree.table("defaults"), *inner):
        found = section.get(key) if isinstance(section, Table) else None
        if isinstance(found, Items):
            yield from (item for item in found.items if isinstance(item, Leaf))


def metrics_of(model: Benchmark, here: Scope) -> tuple[str, ...]:
    """Return the names of the metrics of one's own that a benchmark measures."""
    names = tuple(here.own_metrics[reference] for reference in model.metrics)
    for path in here.limit_paths():
        metric, written = summarized(path[-1]), node_at(here.table, path)
        dropped = isinstance(written, Leaf) and written.value is None
        if metric in here.own_metrics.values() and metric not in names and not dropped:
            here.complain_of_key(
                f"limit on {path[-1]}, which this benchmark does not measure: list it under "
                "metrics, or take the limit out",
                *path,
            )
    return names

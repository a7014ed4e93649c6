"""One merged benchmark section to its declarations, one per detector."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pytest_robustbench.config.checks.demand import demand_of
from pytest_robustbench.config.checks.inputs import (
    calibration_of,
    check_fitted,
    dataset_of,
    detectors_of,
    operating_point_of,
    recorded_of,
)
from pytest_robustbench.config.checks.metrics import metrics_of
from pytest_robustbench.config.checks.regression import regression_of
from pytest_robustbench.config.checks.runs import plan_of
from pytest_robustbench.config.checks.tolerances import line_drift_of
from pytest_robustbench.config.checks.waivers import waivers_of
from pytest_robustbench.config.declarations import BenchmarkDeclaration
from pytest_robustbench.config.models.file import Benchmark, benchmark_type
from pytest_robustbench.config.yaml.environment import settled
from pytest_robustbench.config.yaml.nodes import plain
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.naming import MOST_BYTES, name_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.config.checks.runs import Plan
    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.declarations import DatasetDeclaration, DetectorDeclaration

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_EVALUATION = {field.name for field in fields(EvaluationSettings)} & set(Benchmark.model_fields)
_OTHERWISE = {
    "postprocess": "settings of the evaluation",
    "severities": "conditions",
    "accept": "limits of the conditions and of the summary",
}
"""Options that become something of another name."""

_TAKEN = ("session", "journal", "rerun")
"""Reports or pictures of this name would lie where a run keeps what is its own."""


def check_taken(model: type[Benchmark]) -> None:
    """Refuse a model with options that nothing takes: they would be accepted and ignored.

    Raises
    ------
    TypeError
        Naming them.
    """
    declared = {field.name for field in fields(BenchmarkDeclaration)}
    unused = set(model.model_fields) - declared - _EVALUATION - set(_OTHERWISE)
    if unused:
        names = ", ".join(sorted(unused))
        raise TypeError(f"options of robustness.yaml that nothing takes: {names}")


check_taken(Benchmark)


def is_name(text: str) -> bool:
    """Return whether `text` can be part of test ids and file names on every system."""
    return _NAME.fullmatch(text) is not None and not name_problem(text)


def name_from(category: str) -> str:
    """Return a benchmark's name for a category that may hold any characters."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", category).lstrip(".-") or "benchmark"
    name = name.rstrip(".")[:MOST_BYTES] or "benchmark"
    return name if is_name(name) and name.casefold() not in _TAKEN else f"{name}_".replace(".", "_")


def assembled(here: Scope, shared: Mapping[str, DetectorDeclaration]) -> list[BenchmarkDeclaration]:
    """Return what `here` declares, one benchmark per detector.

    Problems are noted there. Nothing is returned where the section's shape is wrong, which
    has been told of already, or where something essential is missing.
    """
    try:
        own = tuple(here.own_metrics.values())
        model = benchmark_type(own, here.severities).model_validate(plain(here.table))
    except ValidationError:
        return []
    dataset = dataset_of(model, here)
    detectors = detectors_of(model, shared, here)
    recorded = recorded_of(model, here)
    plan = plan_of(model, here)
    if dataset is None or plan is None:
        return []
    name = _name(dataset, here)
    several = isinstance(model.detector, tuple)
    for detector in detectors:
        check_fitted(detector, dataset, model, here)
    draft = _draft(name, model, dataset, plan, here) | {"recorded": recorded}
    return [
        BenchmarkDeclaration(
            name=f"{name}-{detector.label}" if several else name, detector=detector, **draft
        )
        for detector in detectors
    ]


def _draft(
    name: str, model: Benchmark, dataset: DatasetDeclaration, plan: Plan, here: Scope
) -> dict[str, Any]:
    """Return everything about a benchmark but its name and detector."""
    return {
        "category": _category(dataset) or name,
        "dataset": dataset,
        "calibration": calibration_of(model.calibration),
        "operating_point": operating_point_of(model, here),
        "metrics": metrics_of(model, here),
        "evaluation": EvaluationSettings(
            **model.model_dump(include=_EVALUATION), **model.postprocess.model_dump()
        ),
        "conditions": plan.conditions,
        "corruptions": plan.corruptions,
        "limits": plan.limits,
        "summary_limits": plan.summary,
        "one_sided": plan.one_sided,
        "measure_only": plan.unjudged,
        "tolerances": plan.tolerances,
        "line_drift": line_drift_of(model, here),
        "regression": regression_of(model, here),
        "waivers": waivers_of(model, plan, here),
        "demand": demand_of(model, plan, here),
        "limit_train": model.limit_train,
        "limit_test": model.limit_test,
        "source": here.source(),
        "declared_conditions": plan.conditions,
        "declared_limits": (model.limit_train, model.limit_test),
    }


def _category(dataset: DatasetDeclaration) -> str | None:
    category = dataset.options.get("category")
    return _settled(category) if isinstance(category, str) else None


def _settled(name: str | None) -> str | None:
    """Return a name that stands in test ids; a value that can be none is refused, and not shown."""
    return name and (str(name) if name_problem(name) else settled(name))


def _name(dataset: DatasetDeclaration, here: Scope) -> str:
    # Never the name of a folder: test ids and baselines are the same in every checkout.
    return _settled(here.title) or _category(dataset) or "benchmark"


def check_names(declared: Iterable[tuple[BenchmarkDeclaration, Scope]]) -> None:
    """Complain of names that test ids or report files cannot carry, or that two share."""
    seen: dict[str, str] = {}
    for benchmark, here in declared:
        problem = _name_problem(benchmark.name, seen)
        if problem:
            here.complain(problem)
        seen[benchmark.name.casefold()] = benchmark.name


def _name_problem(name: str, seen: Mapping[str, str]) -> str:
    if name.casefold() in _TAKEN:
        return (
            f"a benchmark cannot be called {name!r}: its files would overwrite those that every "
            "run has of its own"
        )
    if not is_name(name):
        problem = name_problem(name)
        why = f" ({problem})" if problem else ""
        return (
            f"benchmark name {name!r} becomes part of test ids and file names{why}: use ASCII "
            "letters, digits, '_', '.' and '-', and name the category under dataset or the "
            "detector under detectors"
        )
    if name.casefold() in seen:
        other = seen[name.casefold()]
        return f"benchmarks {other!r} and {name!r} would write the same report file"
    return ""

"""One merged benchmark section to its declarations, one per detector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pytest_robustbench.config.checks.inputs import (
    calibration_of,
    check_fitted,
    dataset_of,
    detectors_of,
    operating_point_of,
    recorded_of,
)
from pytest_robustbench.config.checks.regression import regression_of
from pytest_robustbench.config.checks.runs import plan_of
from pytest_robustbench.config.checks.waivers import waivers_of
from pytest_robustbench.config.declarations import BenchmarkDeclaration
from pytest_robustbench.config.models.file import Benchmark
from pytest_robustbench.config.yaml.nodes import plain
from pytest_robustbench.evaluation.settings import EvaluationSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.config.checks.runs import Plan
    from pytest_robustbench.config.checks.scope import Page
    from pytest_robustbench.config.declarations import DatasetDeclaration, DetectorDeclaration

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_TAKEN = ("session",)
"""A report of this name would overwrite the session's own file."""


def is_name(text: str) -> bool:
    """Return whether `text` can be part of test ids and file names on every system."""
    return _NAME.fullmatch(text) is not None


def name_from(category: str) -> str:
    """Return a benchmark's name for a category that may hold any characters."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", category).lstrip(".-") or "benchmark"
    return f"{name}_" if name in _TAKEN else name


def assembled(page: Page, shelf: Mapping[str, DetectorDeclaration]) -> list[BenchmarkDeclaration]:
    """Return what `page` declares, one benchmark per detector.

    Problems are noted on the page. Nothing is returned where the section's shape is wrong, which
    has been told of already, or where something essential is missing.
    """
    try:
        model = Benchmark.model_validate(plain(page.table))
    except ValidationError:
        return []
    dataset = dataset_of(model, page)
    detectors = detectors_of(model, shelf, page)
    recorded = recorded_of(model, page)
    plan = plan_of(model, page)
    if dataset is None or plan is None:
        return []
    name = _name(dataset, page)
    several = isinstance(model.detector, tuple)
    for detector in detectors:
        check_fitted(detector, dataset, model, page)
    draft = _draft(name, model, dataset, plan, page) | {"recorded": recorded}
    return [
        BenchmarkDeclaration(
            name=f"{name}-{detector.label}" if several else name, detector=detector, **draft
        )
        for detector in detectors
    ]


def _draft(
    name: str, model: Benchmark, dataset: DatasetDeclaration, plan: Plan, page: Page
) -> dict[str, Any]:
    """Return everything about a benchmark but its name and detector."""
    settings = ("seed", "batch_size", "pixel_segf1", "aupro_limit", "memory_budget")
    return {
        "category": _category(dataset) or name,
        "dataset": dataset,
        "calibration": calibration_of(model.calibration),
        "operating_point": operating_point_of(model, page),
        "evaluation": EvaluationSettings(
            gaussian_sigma=model.postprocess.gaussian_sigma,
            **model.model_dump(include=set(settings)),
        ),
        "conditions": plan.conditions,
        "corruptions": plan.corruptions,
        "limits": plan.limits,
        "summary_limits": plan.summary,
        "measure_only": plan.unjudged,
        "regression": regression_of(model, page),
        "waivers": waivers_of(model, plan, page),
        "limit_train": model.limit_train,
        "limit_test": model.limit_test,
        "source": page.source(),
        "declared_conditions": plan.conditions,
        "declared_limits": (model.limit_train, model.limit_test),
    }


def _category(dataset: DatasetDeclaration) -> str | None:
    category = dataset.options.get("category")
    return str(category) if isinstance(category, str) else None


def _name(dataset: DatasetDeclaration, page: Page) -> str:
    # Never the name of a folder: test ids and baselines are the same in every checkout.
    return page.title or _category(dataset) or "benchmark"


def check_names(declared: Iterable[tuple[BenchmarkDeclaration, Page]]) -> None:
    """Complain of names that test ids or report files cannot carry, or that two share."""
    seen: dict[str, str] = {}
    for benchmark, page in declared:
        problem = _name_problem(benchmark.name, seen)
        if problem:
            page.complain(problem)
        seen[benchmark.name.casefold()] = benchmark.name


def _name_problem(name: str, seen: Mapping[str, str]) -> str:
    if name in _TAKEN:
        return f"a benchmark cannot be called {name!r}: its report would overwrite {name}.json"
    if not is_name(name):
        return (
            f"benchmark name {name!r} becomes part of test ids and file names: use ASCII letters, "
            "digits, '_', '.' and '-', and name the category under dataset or the detector under "
            "detectors"
        )
    if name.casefold() in seen:
        other = seen[name.casefold()]
        return f"benchmarks {other!r} and {name!r} would write the same report file"
    return ""

"""Robustness gates for visual anomaly detectors, as pytest tests and as a Python API.

Importing this package costs nothing: every public name is loaded when first used (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_robustbench.benchmark import Benchmark
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.corruptions.corruption import Corruption
    from pytest_robustbench.corruptions.registry import corrupt, register_corruption
    from pytest_robustbench.corruptions.transforms import transform_corruption
    from pytest_robustbench.datasets.formats.sequences import as_split
    from pytest_robustbench.datasets.loading import load_split
    from pytest_robustbench.datasets.split import Sample, Split
    from pytest_robustbench.detectors.adapters import as_detector
    from pytest_robustbench.detectors.loading import load_detector
    from pytest_robustbench.detectors.protocol import Detector, Prediction
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.metrics.own import register_metric
    from pytest_robustbench.reports.file.report import Report
    from pytest_robustbench.version import __version__ as __version__


__all__ = [
    "Benchmark",
    "Condition",
    "ConditionResult",
    "Corruption",
    "Detector",
    "OperatingPoint",
    "Outcomes",
    "Prediction",
    "Report",
    "Sample",
    "Split",
    "as_detector",
    "as_split",
    "corrupt",
    "load_detector",
    "load_split",
    "register_corruption",
    "register_metric",
    "transform_corruption",
]

_HOMES = {
    "__version__": "version",
    "Benchmark": "benchmark",
    "Condition": "conditions",
    "ConditionResult": "evaluation.results",
    "Corruption": "corruptions.corruption",
    "Detector": "detectors.protocol",
    "OperatingPoint": "evaluation.prepare.operating_point",
    "Outcomes": "metrics.outcomes",
    "Prediction": "detectors.protocol",
    "Report": "reports.file.report",
    "Sample": "datasets.split",
    "Split": "datasets.split",
    "as_detector": "detectors.adapters",
    "as_split": "datasets.formats.sequences",
    "corrupt": "corruptions.registry",
    "load_detector": "detectors.loading",
    "load_split": "datasets.loading",
    "register_corruption": "corruptions.registry",
    "register_metric": "metrics.own",
    "transform_corruption": "corruptions.transforms",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

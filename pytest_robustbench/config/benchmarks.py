"""A declared benchmark, its split and detector, to the `Benchmark` that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.benchmark import Benchmark, Gate
from pytest_robustbench.config.build import (
    build_corruptions,
    build_line_drift,
    build_operating_point,
    complete_split,
    detector_sources,
    recorded_sets,
)
from pytest_robustbench.datasets.split import Split
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.evaluation.machine.worker_group import WorkerGroup


def build_benchmark(
    declaration: BenchmarkDeclaration,
    folder: Path,
    split: object,
    detector: object,
    *,
    operating_point: Path | None,
    progress: Callable[[str, int, int], None],
    worker_group: WorkerGroup | None = None,
    exhibits: bool = False,
) -> Benchmark:
    """Return the benchmark, not yet prepared.

    Parameters
    ----------
    declaration, folder
        What the YAML says, and its folder.
    split, detector : object
        As `build` or a conftest's fixtures give them.
    operating_point : Path, optional
        File whose thresholds replace what the YAML says about calibration.
    progress : callable
        Told ``(phase, done, total)``.
    worker_group : WorkerGroup, optional
        Other processes of the same run on this host.
    exhibits : bool
        Whether results keep small pictures of their worst images.

    Raises
    ------
    RobustbenchError
        If a corruption, the split, the detector or the operating point cannot be used.
    """
    if not isinstance(split, Split):
        raise ConfigError(f"robustness_dataset must return a Split, not {type(split).__name__}")
    if declaration.dataset.is_fixture:
        split = complete_split(split, declaration, folder)
    point = (
        build_operating_point(declaration, folder)
        if operating_point is None
        else OperatingPoint.read(operating_point, declaration.name)
    )
    return Benchmark(
        split,
        detector,
        corruptions=list(build_corruptions(declaration, folder).values()),
        severities=sorted({c.severity for c in declaration.conditions if c.severity is not None}),
        recorded=recorded_sets(declaration, folder, split),
        name=declaration.name,
        fitted=declaration.detector.fitted,
        operating_point=point,
        calibration=declaration.calibration.settings,
        evaluation=declaration.evaluation,
        metrics=declaration.metrics,
        tolerances=declaration.tolerances,
        line_drift=build_line_drift(declaration, folder),
        gate=gate_of(declaration),
        config=declaration.effective,
        folder=folder,
        sources=detector_sources(declaration.detector, detector, folder),
        worker_group=worker_group,
        progress=progress,
        exhibits=exhibits,
    )


def gate_of(declaration: BenchmarkDeclaration) -> Gate:
    """Return the limits of a declared benchmark."""
    return Gate(
        declaration.limits,
        declaration.summary_limits,
        declaration.waivers,
        demand=declaration.demand,
        one_sided=declaration.one_sided,
    )

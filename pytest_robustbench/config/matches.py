"""What a declared benchmark is held against: its baseline, and its anchor where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.config.build import stored_report_path
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.reports.regression import Match

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration


def matches_of(
    declaration: BenchmarkDeclaration,
    folder: Path,
    candidate: Path,
    baseline: Path | None = None,
) -> tuple[Match, ...]:
    """Return what the report of a benchmark has to be compared with.

    Parameters
    ----------
    declaration : BenchmarkDeclaration
        What the YAML says.
    folder : Path
        Folder of the YAML file.
    candidate : Path
        The report of this run.
    baseline : Path, optional
        Given in the place of the declared one; may hold ``{name}``.

    Raises
    ------
    ConfigError
        If nothing declares how much may be lost, or an environment variable is not set.
    """
    regression = declaration.regression
    if regression is None:
        message = (
            f"{declaration.source}: a baseline was given, but {declaration.name!r} declares no "
            "allowed change: write a regression section, such as "
            "regression: {baseline: ..., pixel_segf1: {max_drop: 0.05}}"
        )
        raise ConfigError(message)
    stored = {"baseline": baseline_of(declaration, folder, baseline)}
    if regression.anchor is not None:
        stored["anchor"] = stored_report_path(regression.anchor, declaration.name, folder)
    return tuple(
        Match(
            declaration.name,
            candidate,
            path,
            regression.allowed,
            role=role,
            min_overlap=regression.min_overlap,
            strict_pixels=regression.strict_pixels,
        )
        for role, path in stored.items()
    )


def baseline_of(
    declaration: BenchmarkDeclaration, folder: Path, baseline: Path | None = None
) -> Path:
    """Return where the baseline of a benchmark lies: the one given, else the one declared.

    Raises
    ------
    ConfigError
        If neither says, or an environment variable is not set.
    """
    if baseline is not None:
        return stored_report_path(str(baseline), declaration.name, folder)
    if declaration.regression is None:
        message = (
            f"{declaration.source}: {declaration.name!r} does not say where its baseline lies: "
            "write a regression section with a baseline, or name the file"
        )
        raise ConfigError(message)
    return stored_report_path(declaration.regression.baseline, declaration.name, folder)

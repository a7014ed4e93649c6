"""What a declared benchmark is held against: its baseline, and its anchor where there is one.

`folder` is that of the YAML file; `baseline`, which may hold ``{name}``, stands in the place of the
declared one. An environment variable that is not set is a ConfigError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.config.build import stored_report_path
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.reports.file.writing import same_file

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.reports.compare.regression import Match
    from pytest_robustbench.reports.file.stored import StoredReport


def matches_of(
    declaration: BenchmarkDeclaration,
    folder: Path,
    candidate: StoredReport,
    baseline: Path | None = None,
) -> tuple[Match, ...]:
    """Return what `candidate`, the report of a benchmark, has to be compared with.

    Raises
    ------
    ConfigError
        If nothing declares how much may be lost.
    """
    from pytest_robustbench.reports.compare.regression import (
        Match,  # numpy: not where tests are collected
    )

    regression = declaration.regression
    if regression is None:
        raise ConfigError(
            f"{declaration.source}: a baseline was given, but {declaration.name!r} declares no "
            "allowed change: write a regression section, such as "
            "regression: {baseline: ..., miss_rate: {max_rise: 0.05}, "
            "false_reject_rate: {max_rise: 0.05}}"
        )
    stored = stored_reports(declaration, folder, baseline)
    return tuple(
        Match(
            declaration.key,
            candidate,
            path,
            regression.allowed,
            role=role,
            min_overlap=regression.min_overlap,
            strict_pixels=regression.strict_pixels,
            one_sided=regression.one_sided,
        )
        for role, path in stored.items()
    )


def stored_reports(
    declaration: BenchmarkDeclaration, folder: Path, baseline: Path | None = None
) -> dict[str, Path]:
    """Return the files a benchmark is held against, by their roles.

    Raises
    ------
    ConfigError
        If neither the YAML nor the caller names a baseline.
    """
    stored = {"baseline": baseline_of(declaration, folder, baseline)}
    regression = declaration.regression
    if regression is not None and regression.anchor is not None:
        stored["anchor"] = stored_report_path(regression.anchor, declaration.name, folder)
    return stored


def require_apart(
    declaration: BenchmarkDeclaration, folder: Path, output: Path, baseline: Path | None = None
) -> None:
    """Refuse a report at `output` that would replace what it is held against.

    Raises
    ------
    ConfigError
        If that is the baseline or the anchor: it would pass against itself.
    """
    if declaration.regression is None and baseline is None:
        return
    for role, path in stored_reports(declaration, folder, baseline).items():
        if same_file(path, output):
            place = declaration.regression.source if declaration.regression else declaration.source
            raise ConfigError(
                f"{place}: the report of {declaration.name!r} would be written over its own {role} "
                f"{path}, and then be compared with itself: keep the {role} elsewhere, or write "
                "reports to another place"
            )


def baseline_of(
    declaration: BenchmarkDeclaration, folder: Path, baseline: Path | None = None
) -> Path:
    """Return where the baseline of a benchmark lies: the one given, else the one declared.

    Raises
    ------
    ConfigError
        If neither says.
    """
    if baseline is not None:
        return stored_report_path(str(baseline), declaration.key, folder)
    if declaration.regression is None:
        raise ConfigError(
            f"{declaration.source}: {declaration.name!r} does not say where its baseline lies: "
            "write a regression section with a baseline, or name the file"
        )
    return stored_report_path(declaration.regression.baseline, declaration.name, folder)

"""Every benchmark's report against its baseline, once all of them are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.errors import RobustbenchError
from pytest_robustbench.plugin.options import Settings
from pytest_robustbench.reports.file.writing import same_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_robustbench.plugin.results.benchmark_results import BenchmarkResults
    from pytest_robustbench.plugin.results.run_results import RunResults
    from pytest_robustbench.reports.compare.regression import Match

UPDATED_BY = Settings.update_baseline.flag
NOT_WRITTEN = "the baseline was not written: {}"


def settle_baselines(run: RunResults) -> None:
    """Write the baselines, or hold every complete report against its own.

    All comparisons of a run are judged together: their limits are one family.
    """
    selected = run.benchmarks.values()
    settled = [one for one in selected if one.concerns_baseline and one.comparable]
    if run.settings.update_baseline:
        _update_all(run, settled)
        return
    from pytest_robustbench.reports.compare.regression import judge_matches

    judged = judge_matches([match for one in settled for match in _matches(run, one)])
    for results in settled:
        key = results.declaration.key
        results.judged = tuple(one for one in judged if one.match.benchmark == key)


def _matches(run: RunResults, results: BenchmarkResults) -> tuple[Match, ...]:
    from pytest_robustbench.config.matches import matches_of
    from pytest_robustbench.reports.file.stored import StoredReport

    assert results.report_path is not None, "what is comparable has a report"
    folder, given = run.declared.folder_of(results.declaration.key), run.settings.baseline
    try:
        candidate = StoredReport(results.report().to_dict(), results.report_path)
        return matches_of(results.declaration, folder, candidate, given)
    except RobustbenchError as error:
        results.baseline_error = str(error)
        return ()


def _update_all(run: RunResults, settled: Sequence[BenchmarkResults]) -> None:
    """Write every baseline, but none that two benchmarks of different files would share."""
    paths = {one.declaration.key: _baseline_path(run, one) for one in settled}
    for one in settled:
        path = paths[one.declaration.key]
        if path is None:
            continue
        owners = sorted(key for key, other in paths.items() if other and same_file(other, path))
        if len(owners) > 1:
            one.baseline_error = NOT_WRITTEN.format(
                f"{path} would be that of {' and of '.join(owners)}: give each one of its own"
            )
        else:
            _update(one, path)


def _baseline_path(run: RunResults, results: BenchmarkResults) -> Path | None:
    """Return where a baseline is going to be written; ``None`` where nobody says."""
    from pytest_robustbench.config.matches import baseline_of

    folder = run.declared.folder_of(results.declaration.key)
    try:
        return baseline_of(results.declaration, folder, run.settings.baseline)
    except RobustbenchError as error:
        results.baseline_error = NOT_WRITTEN.format(error)
        return None


def _update(results: BenchmarkResults, path: Path) -> None:
    from pytest_robustbench.reports.compare.acceptance import acceptance_of

    assert results.report_path is not None, "what is comparable has a report"
    try:
        acceptance = acceptance_of(results.report_path, path, UPDATED_BY)
        results.baseline_changes = acceptance.changes
        acceptance.write()
    except RobustbenchError as error:
        results.baseline_error = NOT_WRITTEN.format(error)
    else:
        results.updated_baseline = path

"""Every benchmark's report against its baseline, once all of them are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.errors import RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_robustbench.plugin.results.run_results import Account
    from pytest_robustbench.plugin.settings import Settings
    from pytest_robustbench.reports.compare.regression import Match

UPDATED_BY = "--robustness-update-baseline"


def settle_baselines(accounts: Sequence[Account], settings: Settings, folder: Path) -> None:
    """Write the baselines, or hold every complete report against its own.

    All comparisons of a run are judged together: their limits are one family.
    """
    settled = [account for account in accounts if account.concerns_baseline and account.comparable]
    if settings.update_baseline:
        for account in settled:
            _update(account, settings, folder)
        return
    from pytest_robustbench.reports.compare.regression import judge_matches

    matches = {a.declaration.name: _matches(a, settings, folder) for a in settled}
    judged = judge_matches([match for found in matches.values() for match in found])
    for account in settled:
        name = account.declaration.name
        account.judged = tuple(one for one in judged if one.match.benchmark == name)


def _matches(account: Account, settings: Settings, folder: Path) -> tuple[Match, ...]:
    from pytest_robustbench.config.matches import matches_of
    from pytest_robustbench.reports.file.stored import StoredReport

    assert account.report_path is not None, "a comparable account has a report"
    try:
        candidate = StoredReport(account.report().to_dict(), account.report_path)
        return matches_of(account.declaration, folder, candidate, settings.baseline)
    except RobustbenchError as error:
        account.baseline_error = str(error)
        return ()


def _update(account: Account, settings: Settings, folder: Path) -> None:
    from pytest_robustbench.config.matches import baseline_of
    from pytest_robustbench.reports.compare.acceptance import acceptance_of

    assert account.report_path is not None, "a comparable account has a report"
    try:
        path = baseline_of(account.declaration, folder, settings.baseline)
        acceptance = acceptance_of(account.report_path, path, UPDATED_BY)
        account.baseline_changes = acceptance.changes
        acceptance.write()
    except RobustbenchError as error:
        account.baseline_error = f"the baseline was not written: {error}"
    else:
        account.updated_baseline = path

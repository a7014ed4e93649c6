"""session.json: which benchmarks a run was about, and what each came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.plugin.aggregate import aggregates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.plugin.ledger import Account

SCHEMA_VERSION = 1


def session_record(
    accounts: Sequence[Account], narrowing: tuple[str, ...], exitstatus: int
) -> dict[str, Any]:
    """Return the session as plain JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "exit_status": exitstatus,
        "benchmarks": {a.declaration.name: _benchmark(a, narrowing) for a in accounts},
    }


def _benchmark(account: Account, narrowing: tuple[str, ...]) -> dict[str, Any]:
    report = account.report(narrowing)
    path = account.report_path
    return {
        "complete": report is not None and report.complete,
        "missing": list(account.missing),
        "deselected": list(account.deselected),
        "outcomes": {a.name: a.outcome for a in aggregates(account, narrowing)},
        "verdicts": _counts(account),
        "report": path.name if path else None,
        "sha256": account.report_sha256,
    }


def _counts(account: Account) -> dict[str, int]:
    outcomes = [v.outcome for verdicts in account.verdicts.values() for v in verdicts]
    outcomes += [v.outcome for v in account.summary_verdicts()]
    return {name: outcomes.count(name) for name in ("pass", "fail", "error")}

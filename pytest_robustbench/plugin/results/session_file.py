"""session.json: which benchmarks a run was about, and what each came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.plugin.results.aggregate_items import aggregates, problems_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.plugin.results.aggregate_items import Aggregate
    from pytest_robustbench.plugin.results.run_results import Account


def session_record(
    declarations: Sequence[BenchmarkDeclaration],
    accounts: Mapping[str, Account],
    problem: str,
    exitstatus: int,
) -> dict[str, Any]:
    """Return what session.json says: every declared benchmark, selected or not."""
    return {
        "exit_status": exitstatus,
        "problem": problem or None,
        "benchmarks": {d.name: _benchmark(d, accounts.get(d.name)) for d in declarations},
    }


def _benchmark(declaration: BenchmarkDeclaration, account: Account | None) -> dict[str, Any]:
    if account is None:
        return _deselected(declaration)
    path, found = account.report_path, tuple(aggregates(account))
    return {
        "complete": account.report().complete,
        "missing": list(account.missing),
        "deselected": list(account.deselected),
        "outcomes": {a.name: a.outcome for a in found},
        "problems": list(problems_of(account)),
        "regression": _regression(found, account),
        "verdicts": _counts([*account.verdicts.values(), account.summary_verdicts()]),
        "report": path.name if path else None,
        "sha256": account.report_sha256,
    }


def _regression(found: Sequence[Aggregate], account: Account) -> dict[str, str | None] | None:
    """Return what the comparison came to: as an outcome of pytest, much is the same `skipped`."""
    came_to = next((a.came_to for a in found if a.name == "regression"), None)
    if came_to is None:
        return None
    held = [one.match.baseline.name for one in account.judged if one.match.role == "baseline"]
    updated = account.updated_baseline
    names = [*held, *([updated.name] if updated else [])]
    return {"outcome": came_to, "baseline": names[0] if names else None}


def _deselected(declaration: BenchmarkDeclaration) -> dict[str, Any]:
    return {
        "complete": False,
        "missing": [],
        "deselected": [c.id for c in declaration.declared_conditions],
        "outcomes": {},
        "problems": [],
        "regression": None,
        "verdicts": _counts([]),
        "report": None,
        "sha256": None,
    }


def _counts(groups: Sequence[Sequence[Verdict]]) -> dict[str, int]:
    outcomes = [verdict.outcome for verdicts in groups for verdict in verdicts]
    return {name: outcomes.count(name) for name in ("pass", "fail", "error")}

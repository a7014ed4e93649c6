"""A judged comparison as plain JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_robustbench.display import displayed
from pytest_robustbench.reports.file.comparison_model import RegressionRecord

if TYPE_CHECKING:
    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict
    from pytest_robustbench.reports.compare.regression import Judged

DECISIONS_RECORDED = 200


def regression_record(judged: Judged) -> dict[str, Any]:
    """Return a comparison in the report's schema."""
    plain = {
        "role": judged.match.role,
        "baseline": judged.match.baseline.name,
        "outcome": judged.outcome,
        "problems": list(map(displayed, judged.problems)),
        "notes": list(map(displayed, judged.notes)),
        "verdicts": [_verdict_record(verdict) for verdict in judged.verdicts],
        "n_changed_decisions": len(judged.decisions),
        "changed_decisions": [asdict(d) for d in judged.decisions[:DECISIONS_RECORDED]],
    }
    return RegressionRecord.from_dict(plain).to_dict()


def _verdict_record(verdict: RegressionVerdict) -> dict[str, Any]:
    plain = asdict(verdict)
    interval = verdict.interval and list(verdict.interval)
    return {**plain.pop("change"), **plain, "interval": interval}

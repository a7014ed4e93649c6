"""A judged comparison as plain JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_robustbench.gates.regression.verdicts import RegressionVerdict
    from pytest_robustbench.reports.compare.regression import Judged

DECISIONS_RECORDED = 200


def regression_record(judged: Judged) -> dict[str, Any]:
    """Return a comparison in the report's schema."""
    return {
        "role": judged.match.role,
        "baseline": judged.match.baseline.name,
        "outcome": judged.outcome,
        "problems": list(judged.problems),
        "notes": list(judged.notes),
        "verdicts": [_verdict_record(verdict) for verdict in judged.verdicts],
        "n_changed_decisions": len(judged.decisions),
        "changed_decisions": [asdict(d) for d in judged.decisions[:DECISIONS_RECORDED]],
    }


def _verdict_record(verdict: RegressionVerdict) -> dict[str, Any]:
    plain = asdict(verdict)
    change = plain.pop("change")
    interval = verdict.interval and list(verdict.interval)
    return {
        "condition": plain.pop("condition"),
        "metric": change["metric"],
        "bound": change["bound"],
        "value": change["value"],
        "relative": change["relative"],
        **plain,
        "interval": interval,
        "source": change["source"],
    }

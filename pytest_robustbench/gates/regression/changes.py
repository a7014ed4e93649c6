"""How far a metric may get worse against the baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from pytest_robustbench.errors import ReportError
from pytest_robustbench.metrics.catalogue import known_metrics, metric_called

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.metrics.metric import Metric

ChangeBound = Literal["max_drop", "max_rise"]

SETTINGS = ("baseline", "anchor", "min_overlap", "strict_pixels", "inconclusive", "one_sided")
"""What a ``regression`` section says beside its metrics."""


@dataclass(frozen=True)
class AllowedChange:
    """How far a metric may fall or rise against the baseline.

    Parameters
    ----------
    metric : str
        Its name in the catalogue.
    bound : {"max_drop", "max_rise"}
        The direction that is worse.
    value : float
        The largest change that is still acceptable.
    relative : bool
        Whether `value` is a share of the baseline's value.
    source : str
        ``file:line`` of the number.
    """

    metric: str
    bound: str
    value: float
    relative: bool
    source: str

    @property
    def row(self) -> Metric:
        """All that is known about the metric."""
        return metric_called(self.metric)

    def allowed(self, baseline: float) -> float:
        """Return the largest acceptable loss, in units of the metric."""
        return self.value * abs(baseline) if self.relative else self.value

    def loss(self, baseline: float, candidate: float) -> float:
        """Return by how much the candidate is worse; negative where it is better."""
        return self.row.sign * (candidate - baseline)


def comparable_metrics() -> tuple[str, ...]:
    """Return the names of the metrics that two reports can be compared by."""
    return tuple(name for name, metric in known_metrics().items() if metric.comparable)


def worse(metric: str) -> ChangeBound:
    """Return how a metric gets worse."""
    return "max_drop" if metric_called(metric).more_is_better else "max_rise"


def why_meaningless(change: AllowedChange) -> str:
    """Return why no candidate could fail an allowed change, or none be shown to keep it; or "".

    No value can fall by more than all of it, nor change by more than the largest there can be; a
    rise relative to the baseline has no such bound. That nothing at all is lost takes all the parts
    there will ever be.
    """
    if change.value == 0:
        return (
            "allows no loss at all, and no finite test set can show that: say how much may be "
            "lost, such as 0.02"
        )
    if change.relative and change.bound == "max_drop" and change.value >= 1:
        return "allows all of the value to be lost: nothing could ever fail; write 0.05 for 5 %"
    if not change.relative and change.value >= change.row.most:
        return f"is the whole range of {change.metric}: nothing could ever fail; write less"
    return ""


def changes_from_record(record: Mapping[str, Any], report: str) -> tuple[AllowedChange, ...]:
    """Rebuild the allowed changes that a report has recorded.

    Parameters
    ----------
    record : mapping
        ``config.regression`` of a report: what `BenchmarkDeclaration.effective` holds.
    report : str
        How messages name the report.

    Raises
    ------
    ReportError
        Naming the entry, if it is not what is written there.
    """
    where = f"{report}: config.regression"
    if not isinstance(record, dict):
        raise ReportError(f"{where} is {record!r}, not an object")
    comparable = comparable_metrics()
    strange = [key for key in record if key not in (*SETTINGS, *comparable)]
    if strange:
        raise ReportError(
            f"{where} names {', '.join(strange)}, which two reports cannot be compared by"
        )
    named = [metric for metric in comparable if metric in record]
    return tuple(_change_from(record[m], m, f"{where}.{m}") for m in named)


def _change_from(entry: object, metric: str, source: str) -> AllowedChange:
    bound = worse(metric)
    written = entry if isinstance(entry, dict) else {}
    value, relative = written.get(bound), written.get("relative")
    if not _is_margin(value) or not isinstance(relative, bool):
        raise ReportError(
            f"{source} is {entry!r}, not {{{bound}: number, relative: true or false}}"
        )
    change = AllowedChange(metric, bound, float(value), relative, source)
    why = why_meaningless(change)
    if why:
        raise ReportError(f"{source} {why}")
    return change


def _is_margin(value: object) -> TypeGuard[float]:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return math.isfinite(value) and value >= 0

"""What everything that people read is made from: one report, with its verdicts at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.metrics.catalogue import METRICS, bound_of, limit_names
from pytest_robustbench.reports.file.record import outcomes_of
from pytest_robustbench.reports.file.stored import StoredReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.gates.limits import Verdict
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.reports.file.session import Unreported

    Plain: TypeAlias = Mapping[str, Any]

MOST_TELLING = ("pixel_segf1", "bg_fpr", "miss_rate", "false_reject_rate")
"""Metrics that are always shown, where they are defined."""
AT_A_GLANCE = (*MOST_TELLING, "latency_ms_per_image")
"""Metrics that sum up a benchmark."""


@dataclass(frozen=True)
class Source(StoredReport):
    """One report, with what else is shown of it; pictures lie beside its path.

    Parameters
    ----------
    problems : tuple of str
        What failed in the run, and the report cannot tell.
    """

    problems: tuple[str, ...] = ()

    @cached_property
    def errors(self) -> dict[str, str]:
        """Why conditions could not be measured, by condition."""
        return {c: str(r["error"]) for c, r in self.everything.items() if "error" in r}

    @cached_property
    def causes(self) -> dict[str, list[str]]:
        """The conditions that could not be measured, by the reason."""
        found: dict[str, list[str]] = {}
        for condition, error in self.errors.items():
            found.setdefault(error, []).append(condition)
        return found

    @property
    def absent(self) -> list[str]:
        """Declared conditions that were not even tried."""
        return [c for c in self.plain["missing"] if c not in self.everything]

    @property
    def compared(self) -> Sequence[Plain]:
        """The comparisons with stored reports."""
        compared: Sequence[Plain] = self.plain.get("regression", ())
        return compared

    @cached_property
    def corruptions(self) -> list[str]:
        """Names of the corruptions, in the report's order."""
        named = (c.corruption for c in self.conditions.values() if c.is_corrupted)
        return list(dict.fromkeys(named))

    @cached_property
    def judged(self) -> dict[tuple[str, str], Verdict]:
        """Every limit by condition and metric."""
        return {(v.condition, v.limit.metric): v for v in self.verdicts}

    @property
    def declared_limits(self) -> list[Limit]:
        """Every limit that is declared, or was judged where that is not known."""
        found = [
            Limit(metric, bound_of(metric), value, "")
            for (_, metric), bounds in self.declared.items()
            for value in bounds.values()
            if metric in limit_names() and isinstance(value, (int, float))
        ]
        return found or [verdict.limit for verdict in self.verdicts]

    @cached_property
    def metric_names(self) -> list[str]:
        """The metrics of this report: the built-in ones, then those of one's own."""
        return [*METRICS, *self.plain.get("own_metrics", {})]

    @cached_property
    def shown_metrics(self) -> list[str]:
        """The metrics that carry a limit or say most, as far as they are defined anywhere."""
        limited = {metric for _, metric in self.judged}
        limited |= {v["metric"] for one in self.compared for v in one["verdicts"]}
        wanted = [m for m in self.metric_names if m in limited or m in MOST_TELLING]
        return [m for m in wanted if m in self.defined_metrics or m in limited]

    @cached_property
    def defined_metrics(self) -> set[str]:
        """The metrics that have a value under some condition."""
        every = (item for values in self.metrics.values() for item in values.items())
        return {metric for metric, value in every if value is not None}

    def outcomes(self, condition: str) -> Outcomes:
        """Return what was said of the images of a measured condition."""
        return outcomes_of(self.measured[condition], self.samples(condition))

    def labels(self, condition: str) -> Sequence[int]:
        """Return 1 = defect for the images of a measured condition."""
        labels: Sequence[int] = self.samples(condition)["label"]
        return labels


@dataclass(frozen=True)
class Edition:
    """What there is to be told of one run.

    Parameters
    ----------
    sources : sequence of Source
        The reports.
    start : Path
        Folder in which commands are going to be called.
    unreported : sequence of Unreported
        Benchmarks of the run without a report.
    """

    sources: Sequence[Source]
    start: Path = Path()
    unreported: Sequence[Unreported] = ()

    @property
    def benchmarks(self) -> list[str]:
        """Names of all benchmarks of the run."""
        return [source.title for source in self.sources] + [one.name for one in self.unreported]

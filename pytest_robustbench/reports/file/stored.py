"""A report that was read from a file, or would be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.plain_json import DIGEST, read_object, sha256_of
from pytest_robustbench.reports.file.fields import metrics_of, records_of, tolerances_of
from pytest_robustbench.reports.file.model import SCHEMA_VERSION, Header, ReportFile
from pytest_robustbench.reports.file.report import verdict_from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.gates.limits import Verdict

NOT_CONTENT = ("accepted", "regression", DIGEST)
"""What is said about a report, and not what was measured."""
REMEDY = (
    "restore the file from version control, or measure again with this version of "
    "pytest-robustbench (a new baseline: `pytest-robustbench accept REPORT --reason ...`)"
)


@dataclass(frozen=True)
class StoredReport:
    """A report in its published schema.

    Parameters
    ----------
    plain : mapping
        The report as plain JSON.
    path : Path
        Where it stands, or will stand.
    """

    plain: Mapping[str, Any]
    path: Path = Path()

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return str(self.plain["name"])

    @property
    def title(self) -> str:
        """What tells it apart from reports on a benchmark of the same name in another YAML."""
        place = self.plain.get("place")
        return f"{place}/{self.name}" if place else self.name

    @cached_property
    def header(self) -> Header:
        """What the report says once."""
        names = (name for name in Header.model_fields if name in self.plain)
        return Header.from_dict({name: self.plain[name] for name in names})

    @cached_property
    def records(self) -> dict[str, Mapping[str, Any]]:
        """What was tried, by condition: clean, corruptions, recorded sets."""
        return records_of(self.plain)

    @cached_property
    def tolerances(self) -> dict[str, Mapping[str, Any]]:
        """The tolerances that were looked for, by their ids."""
        return tolerances_of(self.plain)

    @property
    def everything(self) -> dict[str, Mapping[str, Any]]:
        """What was tried: conditions, then tolerances."""
        return {**self.records, **self.tolerances}

    @cached_property
    def measured(self) -> dict[str, Mapping[str, Any]]:
        """What was measured, by condition."""
        return {c: record for c, record in self.records.items() if "error" not in record}

    @cached_property
    def metrics(self) -> dict[str, dict[str, float | None]]:
        """Every metric by condition."""
        return {name: metrics_of(record) for name, record in self.records.items()}

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every limit, judged."""
        return tuple(verdict_from_dict(verdict) for verdict in self.plain["verdicts"])

    @cached_property
    def declared(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The limits of the configuration by condition and metric: ``{"min": 0.3}``.

        A Python user's own configuration may have any shape, and then declares nothing: ours alone
        names its conditions.
        """
        config = self.plain["config"]
        if not isinstance(config.get("conditions"), list):
            return {}
        accept, summary = config.get("accept"), config.get(SUMMARY)
        places = {**(accept if isinstance(accept, dict) else {}), SUMMARY: summary}
        return {
            (condition, metric): bounds
            for condition, limits in places.items()
            if isinstance(limits, dict)
            for metric, bounds in limits.items()
            if isinstance(bounds, dict)
        }

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """The conditions that were tried, by id."""
        return {name: condition_of(name) for name in self.records}

    @property
    def content(self) -> dict[str, Any]:
        """What was measured, without what was said about it later."""
        return {key: value for key, value in self.plain.items() if key not in NOT_CONTENT}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, however the file is formatted: the identity of the run."""
        return sha256_of(self.content)

    def record(self, condition: str) -> Mapping[str, Any]:
        """Return the record of a condition.

        Raises
        ------
        KeyError
            If the report has no such condition.
        """
        return self.records[condition]

    def samples(self, condition: str) -> Mapping[str, Any]:
        """Return the columns over the images of a condition: a recorded set has its own."""
        own: Mapping[str, Any] | None = self.record(condition).get("samples")
        return own or self.plain["samples"]


def read_stored(path: Path, remedy: str = REMEDY) -> StoredReport:
    """Read a report, complete or not, whose parts have the types they must have.

    Parameters
    ----------
    path : Path
        The file.
    remedy : str
        What the message tells to do.

    Raises
    ------
    ReportError
        If it cannot be read, has another schema version, or a part of it has no place there.
    """
    try:
        plain = read_object(path)
    except ValueError as error:
        raise ReportError(f"cannot read the report {path}: {error}; {remedy}") from error
    version = plain.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ReportError(f"{path} has schema version {version!r}, not {SCHEMA_VERSION}; {remedy}")
    try:
        ReportFile.from_dict(plain)
    except ReportError as error:
        raise ReportError(f"{path} is no whole report: {error}; {remedy}") from error
    return StoredReport(plain, path)

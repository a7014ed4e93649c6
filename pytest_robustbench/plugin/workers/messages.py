"""What one item tells the controller: one JSON string on its report."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.plugin.measuring.session import Session

ATTRIBUTE = "robustness"


@dataclass(frozen=True)
class Payload:
    """Plain JSON data, because a report crosses process borders.

    Parameters
    ----------
    benchmark, condition : str
        What the item was about.
    header : mapping
        `Header.to_dict` of the benchmark.
    record : mapping, optional
        The condition's record; ``None`` where the data are missing.
    verdicts : list of mapping
        The condition's limits, judged.
    data_missing : str
        Why the data are missing; empty where they are not.
    key : str
        Digest of what determines the record; empty where that is not known.
    reused : bool
        Whether an earlier run has measured it.
    trouble : str
        Why what was found may be lost: a journal that cannot be written.
    origins : str
        Which functions made the dataset and the detector.
    pictures : mapping of str to str
        Thumbnails by name, as base64.
    """

    benchmark: str
    condition: str
    header: Mapping[str, Any]
    record: Mapping[str, Any] | None
    verdicts: list[dict[str, Any]]
    data_missing: str = ""
    key: str = ""
    reused: bool = False
    trouble: str = ""
    origins: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)

    def dumps(self) -> str:
        """Serialize."""
        return json.dumps(self.__dict__, allow_nan=False)

    @property
    def thumbnails(self) -> dict[str, bytes]:
        """The pictures as the bytes of their files."""
        return {name: base64.b64decode(text) for name, text in self.pictures.items()}

    @classmethod
    def loads(cls, text: str) -> Payload:
        """Rebuild what `dumps` wrote."""
        return cls(**json.loads(text))


def payload_of(session: Session, benchmark: str, condition: str) -> Payload | None:
    """Return what is known about a condition; ``None`` where nothing was found out."""
    from pytest_robustbench.gates.judgement import not_measurable
    from pytest_robustbench.reports.file.fields import error_record
    from pytest_robustbench.reports.file.report import verdict_to_dict

    finding = session.finding(benchmark, condition)
    error, missing = session.error_of(benchmark), session.data_missing.get(benchmark, "")
    if finding is None and not error and not missing:
        return None
    limits = session.declarations[benchmark].limits.get(condition, ())
    verdicts = finding.verdicts if finding else not_measurable(condition, limits, error or missing)
    record = finding.record if finding else error_record(error) if error else None
    return Payload(
        benchmark=benchmark,
        condition=condition,
        header=session.header(benchmark).to_dict(),
        record=record,
        verdicts=[verdict_to_dict(v) for v in verdicts],
        data_missing=missing,
        key=finding.key if finding else "",
        reused=finding.reused if finding else False,
        trouble=session.findings.journal_error,
        origins=session.origins_of(benchmark),
        pictures=_as_text(finding.pictures) if finding else {},
    )


def _as_text(pictures: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(content).decode() for name, content in pictures.items()}

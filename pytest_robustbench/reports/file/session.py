"""What session.json, beside the reports of a run, tells of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pytest_robustbench.reports.pages.source import Unreported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


SESSION_FILE = "session.json"


@dataclass(frozen=True)
class SessionFile:
    """The session.json of a folder; one that is not there, or is none, tells nothing.

    Parameters
    ----------
    folder : Path
        Where reports lie.
    """

    folder: Path

    @cached_property
    def benchmarks(self) -> Mapping[str, Mapping[str, Any]]:
        """What it says of each benchmark, by name."""
        try:
            plain = json.loads((self.folder / SESSION_FILE).read_text(encoding="utf-8"))
            found = plain["benchmarks"]
            return {str(name): one for name, one in found.items() if isinstance(one, dict)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def problems_of(self, report: Path, name: str) -> Iterator[str]:
        """Yield what failed in the run, beyond what its report tells.

        Parameters
        ----------
        report : Path
            The report of a benchmark in this folder.
        name : str
            The benchmark's.
        """
        found = self.benchmarks.get(name)
        if found is None or found.get("report") != report.name:
            return
        if found.get("sha256") != sha256(report.read_bytes()).hexdigest():
            yield f"{SESSION_FILE} beside it is of another file: this one was changed or replaced"
            return
        problems = found.get("problems", ())
        yield from (str(p) for p in problems if isinstance(problems, list))

    def unreported(self) -> Iterator[Unreported]:
        """Yield the benchmarks of the run that have no report."""
        for name, found in self.benchmarks.items():
            if found.get("report") is None:
                outcomes = found.get("outcomes")
                failed = "failed" in outcomes.values() if isinstance(outcomes, dict) else True
                why = "It has no report." if failed else "Deselected in the run."
                yield Unreported(name, why, failed=failed)

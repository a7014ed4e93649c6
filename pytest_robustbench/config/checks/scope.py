"""One benchmark's part of the file, as merged for one profile, with the places things came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_robustbench.config.yaml.nodes import key_mark, node_at, value_mark
from pytest_robustbench.config.yaml.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.config.yaml.nodes import Mark, Table
    from pytest_robustbench.gates.limits import Limit

Step = str | int


@dataclass(frozen=True)
class Scope:
    """Where to look things up and where to complain.

    Parameters
    ----------
    file : str
        How messages name the file.
    key : str or None
        The benchmark's key under `benchmarks`; None where it stands at the top level.
    mark : Mark
        Where the benchmark is declared.
    table : Table
        Defaults, benchmark and profile, merged.
    own : Table
        What the benchmark, or the profile, itself writes.
    title : str, optional
        The name the file gives the benchmark.
    profile, profile_mark : str and Mark, optional
        Name of the profile, and where it is declared.
    problems : list of Problem
        Collects the complaints.
    own_metrics : mapping of str to str
        What the file writes for metrics of one's own, anywhere, to their names.
    severities : tuple of float
        What the file lists as severities, anywhere: limits may name them.
    """

    file: str
    key: str | None
    mark: Mark
    table: Table
    own: Table
    title: str | None = None
    profile: str | None = None
    profile_mark: Mark | None = None
    problems: list[Problem] = field(default_factory=list)
    own_metrics: Mapping[str, str] = field(default_factory=dict)
    severities: tuple[float, ...] = ()

    def source(self, *path: Step) -> str:
        """Return ``file:line`` of a value, or of the benchmark where it is not written."""
        written = node_at(self.table, path)
        return f"{self.file}:{(written.mark if written and path else self.mark).line}"

    def writes(self, *path: Step) -> bool:
        """Return whether the benchmark, or the profile, writes this itself."""
        return node_at(self.own, path) is not None

    def insists_on(self, *path: Step) -> bool:
        """Return whether what stands at `path` has to make sense here.

        What a profile inherits for conditions it does not run is passed over.
        """
        return self.profile is None or self.writes(*path)

    def complain(self, message: str, *path: Step) -> None:
        """Note a problem with the value at `path`; with the benchmark where it is not written."""
        written = path and node_at(self.table, path[:1]) is not None
        whole = self.profile_mark or self.mark
        self._note(value_mark(self.table, path) if written else whole, message)

    def complain_of_key(self, message: str, *path: Step) -> None:
        """Note a problem with the key at `path`."""
        self._note(key_mark(self.table, path), message)

    def _note(self, mark: Mark, message: str) -> None:
        suffix = f" (in profile {self.profile!r})" if self.profile else ""
        self.problems.append(Problem(mark, message + suffix))

    def path_of(self, limit: Limit) -> tuple[str, ...]:
        """Return where the number of a limit of this file is written."""
        for path in self.limit_paths():
            place = (*path, limit.bound)
            if limit.metric in (path[-1], path[1]) and self.source(*place) == limit.source:
                return place
        return ("accept",)

    def limit_paths(self) -> Iterator[tuple[str, ...]]:
        """Yield where a limit may be written: everything two or three levels below its section."""
        yield from (("regression", key) for key in self.table.table("regression").entries)
        accept = self.table.table("accept")
        for scope in accept.entries:
            inner = accept.table(scope)
            for key in inner.entries:
                yield ("accept", scope, key)
                yield from (("accept", scope, key, metric) for metric in inner.table(key).entries)

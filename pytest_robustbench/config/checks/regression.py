"""The comparison with stored reports that a benchmark declares."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.config.checks.complaints import shown
from pytest_robustbench.config.declarations import RegressionDeclaration
from pytest_robustbench.config.yaml.environment import Expanded, Unresolved, as_written
from pytest_robustbench.gates.regression.changes import (
    AllowedChange,
    comparable_metrics,
    why_meaningless,
)
from pytest_robustbench.gates.soundness import ONE_SIDED, SEES_BOTH, sides_of, why_blind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.config.models.limits import Comparison
    from pytest_robustbench.gates.soundness import OneSided

NOTHING_JUDGED = (
    "regression names no metric, so that nothing would be judged; declare miss_rate: {max_rise: "
    "0.05} and false_reject_rate: {max_rise: 0.05}"
)
NO_PROFILE = "default"
"""What ``{profile}`` stands for where there is none."""
SHARED = (
    "regression.{} is the same file for benchmarks {!r} and {!r}, and a report is of one benchmark "
    "alone; write {{name}} into it, for the benchmark's name"
)
ANCHOR_IS_BASELINE = (
    "regression.anchor is the baseline itself; name a report that stays when the baseline is "
    "replaced, or leave anchor out"
)


def regression_of(model: Benchmark, here: Scope) -> RegressionDeclaration | None:
    """Return the declared comparison with a baseline, if there is one."""
    declared = model.regression
    if declared is None:
        return None
    if declared.baseline is None:
        here.complain("'baseline' is missing under regression", "regression")
        return None
    _check_places(declared, here)
    return RegressionDeclaration(
        _in_profile(declared.baseline, here.profile),
        declared.anchor and _in_profile(declared.anchor, here.profile),
        _changes(declared, here),
        declared.min_overlap,
        declared.strict_pixels,
        declared.inconclusive,
        declared.one_sided,
        here.source("regression"),
    )


def _in_profile(template: str | Unresolved, profile: str | None) -> str | Unresolved:
    """Fill in the profile's name; what a report records stays as it was written."""
    if isinstance(template, Unresolved):
        return replace(template, written=for_profile(template.written, profile))
    filled = for_profile(template, profile)
    return template if filled == template else Expanded.of(filled, str(as_written(template)))


def for_profile(template: str, profile: str | None) -> str:
    """Return a path with the profile's name in the place of ``{profile}``."""
    return template.replace("{profile}", profile or NO_PROFILE)


def _check_places(declared: Comparison, here: Scope) -> None:
    for key in ("baseline", "anchor"):
        template = getattr(declared, key)
        if isinstance(template, str) and _wrong_placeholder(template):
            message = (
                f"regression.{key} may hold {{name}} and {{profile}} in braces, "
                f"found {shown(template)}"
            )
            here.complain(message, "regression", key)


def check_stored_reports(
    declared: Iterable[tuple[BenchmarkDeclaration, Scope]], folder: Path
) -> None:
    """Complain of benchmarks that share a stored report, and of an anchor that is the baseline.

    Parameters
    ----------
    declared : iterable of (BenchmarkDeclaration, Scope)
        The benchmarks of one profile.
    folder : Path
        Where relative paths start.
    """
    seen: dict[Path, str] = {}
    for benchmark, here in declared:
        for role, path in _files(benchmark, folder):
            owner = seen.setdefault(path, benchmark.name)
            if owner != benchmark.name and here.insists_on("regression", role):
                here.complain(SHARED.format(role, owner, benchmark.name), "regression", role)
        files = [path for _, path in _files(benchmark, folder)]
        if len(files) != len(set(files)) and here.insists_on("regression"):
            here.complain(ANCHOR_IS_BASELINE, "regression", "anchor")


def _files(benchmark: BenchmarkDeclaration, folder: Path) -> Iterator[tuple[str, Path]]:
    if benchmark.regression is None:
        return
    for role in ("baseline", "anchor"):
        template = getattr(benchmark.regression, role)
        if template is not None:
            text = template.written if isinstance(template, Unresolved) else str(template)
            named = Path(text.replace("{name}", benchmark.name))
            yield role, (folder / named.expanduser()).resolve()


def _wrong_placeholder(template: str) -> bool:
    try:
        fields = [part[1:] for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError:
        return True
    allowed = [(name, "", None) for name in ("name", "profile")]
    return any(field not in allowed for field in fields)


def _changes(declared: Comparison, here: Scope) -> tuple[AllowedChange, ...]:
    named = [m for m in comparable_metrics() if getattr(declared, m, None) is not None]
    if not named:
        here.complain(NOTHING_JUDGED, "regression")
    changes = tuple(_change(metric, declared, here) for metric in named)
    _check_sides(changes, declared.one_sided, here)
    return changes


def _check_sides(changes: tuple[AllowedChange, ...], meant: OneSided | None, here: Scope) -> None:
    """Complain of changes that leave a side of wrong decisions to get worse without end."""
    rows = [change.row for change in changes]
    problem = why_blind(rows, meant) if rows else ""
    if problem:
        here.complain(f"regression: {problem}", "regression")
    elif meant is not None and len(sides_of(rows)) == len(ONE_SIDED):
        here.complain_of_key(SEES_BOTH, "regression", "one_sided")


def _change(metric: str, declared: Comparison, here: Scope) -> AllowedChange:
    written = getattr(declared, metric)
    place = ("regression", metric, written.bound)
    change = AllowedChange(
        metric, written.bound, written.value, written.relative, here.source(*place)
    )
    why = why_meaningless(change)
    if why:
        relative = " with relative: true" if change.relative else ""
        here.complain(f"{'.'.join(place)} of {change.value:g}{relative} {why}", *place)
    return change

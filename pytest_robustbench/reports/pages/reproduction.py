"""The command that measures one condition of a report again."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.reports.file.session import RERUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CONDITION = "{condition}"
"""Stands in the `rerun` of a report for the id of the condition to measure again."""
OURS = ("pytest-robustbench", "pytest-robustbench.exe")
NOT_AGAIN = (
    *("--robustness-update-baseline", "--robustness-resume", "--lf", "--last-failed"),
    *("--sw", "--stepwise", "--sw-skip", "--stepwise-skip"),
)
REPLACED = (
    "-k",
    "--robustness-shard",
    "--robustness-operating-point",
    "--robustness-report-dir",
    "--junitxml",
    "--junit-xml",
    "--output",
    "--output-dir",
)
"""Options that are given anew, or would narrow the run to something else, or replace its files."""


def rerun_of(words: Sequence[str], places: Iterable[str], item: str) -> str:
    """Return what of a run of pytest reruns one of its items.

    Parameters
    ----------
    words : sequence of str
        Command line of the run, its program first.
    places : iterable of str
        Those of the words that name folders, files or items: the item takes their place.
    item : str
        Node id, as pytest is given it where the run was called.

    Returns
    -------
    str
        A command for a POSIX shell, as reports keep it; `rerun_command` completes it.
    """
    is_module = PurePath(words[0]).parts[-2:] == ("pytest", "__main__.py")
    program = ("python", "-m", "pytest") if is_module else ("pytest",)
    kept = list(_kept(words[1:]))
    for place in places:
        if place in kept:  # the last one: before it may stand an option with such a value
            del kept[len(kept) - 1 - kept[::-1].index(place)]
    return shlex.join([*program, *kept, item])


def rerun_command(rerun: str, report: Path, start: Path) -> str:
    """Return a rerun that judges as the report did, and leaves the report as it is.

    Parameters
    ----------
    rerun : str
        What `rerun_of` returned.
    report : Path
        Where the report stands, or will stand: its operating point judges again.
    start : Path
        Folder in which the command is going to be called.

    Returns
    -------
    str
        A command for a shell of this machine.
    """
    again = Path(_relative(report, start))
    point = f"--robustness-operating-point={again.as_posix()}"
    folder = f"--robustness-report-dir={(again.parent / RERUN).as_posix()}"
    words = [*shlex.split(rerun), point, folder]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def command_for(plain: Mapping[str, Any], condition: str, report: Path, start: Path) -> str:
    """Return the command that measures a condition of a report again.

    Parameters
    ----------
    plain : mapping
        The report.
    condition : str
        Which of its conditions.
    report, start : Path
        As for `rerun_command`.
    """
    try:
        if plain["rerun"] is not None:
            rerun = str(plain["rerun"]).replace(CONDITION, condition)
            return rerun_command(rerun, report, start)
        words = shlex.split(str(plain["command"]))
    except ValueError:  # of an edited report
        return str(plain["rerun"] or plain["command"])
    if not (words and PurePath(words[0]).name in OURS and words[1:2] == ["run"]):
        return str(plain["command"])
    # Of a YAML this command measures all conditions, or none.
    has_yaml = any(word.partition("=")[0] == "--config" for word in words)
    flags = () if has_yaml else _flags(condition)
    output = f"--output-dir={(Path(_relative(report, start)).parent / RERUN).as_posix()}"
    return shlex.join(["pytest-robustbench", *_kept(words[1:]), *flags, output])


def _relative(report: Path, start: Path) -> str:
    return os.path.relpath(report, start) if report.anchor == start.anchor else str(report)


def _kept(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a run that still hold for one of its conditions."""
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word in REPLACED:
            is_value = True
        elif word not in NOT_AGAIN and word.partition("=")[0] not in REPLACED:
            yield word


def _flags(condition: str) -> Iterator[str]:
    """Yield flags of ``pytest-robustbench run``, of which later ones count."""
    named = condition_of(condition)
    yield from ("--corruptions", named.corruption if named.is_corrupted else "none")
    if named.severity is not None:
        yield from ("--severities", f"{named.severity:g}")

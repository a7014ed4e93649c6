"""The command that measures one condition of a report again."""

from __future__ import annotations

import os
import shlex
from itertools import pairwise
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import condition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PYTEST = ("pytest", "py.test", "pytest.exe")
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
RERUN = "rerun"
"""Folder beside a report for what is measured again: the report itself stays."""


def command_for(plain: Mapping[str, Any], condition: str, report: Path, start: Path) -> str:
    """Return a command for a shell.

    Parameters
    ----------
    plain : mapping
        The report.
    condition : str
        Which of its conditions.
    report : Path
        Where the report stands: its operating point judges again.
    start : Path
        Folder in which the command is going to be called.
    """
    words = _words(str(plain["command"]))
    program = PurePath(words[0]).name if words else ""
    if program in PYTEST or _is_module(words):
        return shlex.join([*_pytest(words), *_narrowing(plain, condition, report, start)])
    if program in OURS and words[1:2] == ["run"]:
        folder = PurePath(_relative(report, start)).parent / RERUN
        output = f"--output-dir={folder.as_posix()}"
        # Of a YAML this command measures all conditions, or none.
        flags = () if _has_yaml(words) else _flags(condition)
        return shlex.join(["pytest-robustbench", *_kept(words[1:]), *flags, output])
    if program in OURS and words[1:2] == ["merge"]:  # what it merged, pytest has measured
        found = ["pytest", "-m", "robustness", *_yaml_of(words)]
        return shlex.join([*found, *_narrowing(plain, condition, report, start)])
    return str(plain["command"])


def _yaml_of(words: Sequence[str]) -> Iterator[str]:
    """Yield which YAML and profile a command of ours was given, as options of pytest."""
    following = dict(pairwise(words))
    for flag in ("--config", "--profile"):
        joined = (w.partition("=")[2] for w in words if w.startswith(f"{flag}="))
        value = next(joined, following.get(flag))
        if value:
            yield f"--robustness-{flag.removeprefix('--')}={value}"


def _has_yaml(words: Sequence[str]) -> bool:
    return any(word.partition("=")[0] == "--config" for word in words)


def _relative(report: Path, start: Path) -> str:
    return os.path.relpath(report, start) if report.anchor == start.anchor else str(report)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # of an edited report
        return []


def _is_module(words: Sequence[str]) -> bool:
    """Return whether pytest was called as ``python -m pytest``."""
    return bool(words) and PurePath(words[0]).parts[-2:] == ("pytest", "__main__.py")


def _pytest(words: Sequence[str]) -> list[str]:
    program = ["python", "-m", "pytest"] if _is_module(words) else ["pytest"]
    return [*program, *_kept(words[1:])]


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


def _narrowing(
    plain: Mapping[str, Any], condition: str, report: Path, start: Path
) -> Iterator[str]:
    again = _relative(report, start)
    yield from ("-k", f"{plain['name']}-{condition}")
    yield f"--robustness-operating-point={Path(again).as_posix()}"
    yield f"--robustness-report-dir={(Path(again).parent / RERUN).as_posix()}"


def _flags(condition: str) -> Iterator[str]:
    """Yield flags of ``pytest-robustbench run``, of which later ones count."""
    named = condition_of(condition)
    yield from ("--corruptions", named.corruption if named.is_corrupted else "none")
    if named.is_corrupted:
        yield from ("--severities", str(named.severity))

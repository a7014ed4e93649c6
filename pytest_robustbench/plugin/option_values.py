"""How what is written for an option is parsed and checked: a function per kind of value."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

import pytest

from pytest_robustbench.conditions import SEVEREST, is_severity, rounded_severity
from pytest_robustbench.display import displayed
from pytest_robustbench.naming import ALLOWED, name_problem
from pytest_robustbench.plugin.shards import Shard
from pytest_robustbench.plugin.workers.role import is_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

OUTPUTS = ("xmlpath", "benchmark_json")
"""Where ``--junitxml`` and ``--benchmark-json`` are kept."""


class Given(NamedTuple):
    """What the user has written for an option.

    Parameters
    ----------
    value : str, int, bool or list of str, optional
        ``None`` where nothing was written.
    default : str
        What stands for nothing.
    flag : str
        The option.
    written : str
        How and where it was written, for messages.
    in_ini : bool
        Whether the ini file is where it would stand, and not the command line.
    config : pytest.Config
        Of the run.
    earlier : mapping
        Values of the options declared before, by name.
    """

    value: Any
    default: str
    flag: str
    written: str
    in_ini: bool
    config: pytest.Config
    earlier: Mapping[str, Any]

    @property
    def words(self) -> list[str]:
        """The parts between commas."""
        words = self.value if isinstance(self.value, list) else [self.value]
        return [part.strip() for word in words for part in str(word).split(",") if part.strip()]

    @property
    def start(self) -> Path:
        """Where pytest was called."""
        return self.config.invocation_params.dir

    def path(self, text: str) -> Path:
        """Paths of the command line start where pytest was called, an ini file's beside it."""
        return Path(self.config.rootpath if self.in_ini else self.start, text)

    def refuse(self, problem: str) -> NoReturn:
        """Stop pytest."""
        raise pytest.UsageError(displayed(f"{self.flag} {problem}"))


def optional(parse: Callable[[Given], T]) -> Callable[[Given], T | None]:
    """Leave out what was not written."""
    return lambda given: None if given.value is None else parse(given)


@optional
def text(given: Given) -> str:
    """Return it as it is."""
    return str(given.value)


@optional
def profile(given: Given) -> str:
    """Return a name: it becomes part of file names."""
    problem = name_problem(str(given.value))
    if problem:
        given.refuse(f"is {given.value!r}, and {problem}; {ALLOWED}")
    return str(given.value)


def flag(given: Given) -> bool:
    """Return whether it is on."""
    return bool(given.value)


def on_or_off(given: Given) -> bool:
    """Return whether it is on, as it is by default."""
    return _choice(given, "on", "off") == "on"


def fail_or_skip(given: Given) -> str:
    """Return one of the two; by default ``fail``."""
    return _choice(given, "fail", "skip")


def _choice(given: Given, *choices: str) -> str:
    chosen = str(given.value or choices[0])
    if chosen not in choices:
        given.refuse(f"must be {' or '.join(choices)}, not {chosen!r}")
    return chosen


@optional
def count(given: Given) -> int:
    """Return a number of images."""
    if not str(given.value).isdecimal() or int(given.value) < 1:
        given.refuse(f"must be a number of images, at least 1, not {given.value!r}")
    return int(given.value)


@optional
def corruptions(given: Given) -> tuple[str, ...]:
    """Return names, each once."""
    if not given.words:
        given.refuse("is empty: name at least one corruption")
    return tuple(dict.fromkeys(given.words))


@optional
def severities(given: Given) -> tuple[float, ...]:
    """Return severities, each once, ascending."""
    try:
        found = {float(word) for word in given.words}
    except ValueError:
        found = set()
    if not found or not all(map(is_severity, found)):
        given.refuse(f"must be numbers above 0, at most {SEVEREST}, not {given.value!r}")
    return tuple(sorted(map(rounded_severity, found)))


@optional
def shard(given: Given) -> Shard:
    """Return the part of a whole."""
    parsed = Shard.parse(given.value)
    if parsed is None:
        given.refuse(f"must be a part of a whole, such as 2/5, not {given.value!r}")
    return parsed


def config_file(given: Given) -> Path | None:
    """Return the file that is named, else the one that is there, if any."""
    folders = (given.start, given.config.rootpath)
    paths = (Path(folder, given.value or given.default) for folder in folders)
    path = next((path for path in paths if path.is_file()), None)
    if given.value and path is None and not is_worker(given.config):  # a worker is told its text
        given.refuse(f"names {given.value}, which is no file in {given.start}")
    return path


def path(given: Given) -> Path:
    """Return a path, whether or not anything is there."""
    return given.start / given.default if given.value is None else given.path(given.value)


@optional
def existing_file(given: Given) -> Path:
    """Return a file that is there."""
    path = given.path(given.value)
    if not path.is_file():
        given.refuse(f"names {path}, which is no file")
    return path


@optional
def baseline(given: Given) -> Path:
    """Return a file that may hold ``{name}``, and no ``{profile}`` any more."""
    profile = given.earlier["profile"] or "default"
    return given.path(given.value.replace("{profile}", profile))


def update_baseline(given: Given) -> bool:
    """Refuse to update baselines in every run: nothing would ever be compared with them."""
    place = _lasting_place(given) if given.value else ""
    if place:
        written = given.written.partition(" ")[0]
        raise pytest.UsageError(
            displayed(
                f"{written} in {place}: every run would replace its baseline, and none be compared "
                f"with it; give {given.flag} on the command line, in the run that is to become the "
                "baseline"
            )
        )
    return bool(given.value)


def _lasting_place(given: Given) -> str:
    """Return where a flag stands that holds for every run; empty for the command line itself."""
    if given.in_ini or given.flag in given.config.getini("addopts"):
        return str(given.config.inipath)
    if given.flag in shlex.split(os.environ.get("PYTEST_ADDOPTS", "")):
        return "PYTEST_ADDOPTS"
    # A worker is given its controller's options, not its command line.
    args = given.config.invocation_params.args
    if is_worker(given.config) or given.flag in args or any(a[:1] == "@" for a in map(str, args)):
        return ""
    return "a file of options"


def outputs(config: pytest.Config) -> Iterator[Path]:
    """Yield the files that pytest's own options ask for."""
    for name in OUTPUTS:
        value = config.getoption(name, default=None)
        if value:
            path = os.path.expanduser(os.path.expandvars(value))  # noqa: PTH111  (as pytest does)
            yield (config.invocation_params.dir / path).resolve()

"""The options, one row each, and what they come to; every run declares them: a light module.

Whoever adds an option writes its row in `Settings`, and asks ``settings.its_name`` where it does
something. It has its flag, its ini twin, its place in ``--help`` and its check from the row alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar, overload

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from pytest_robustbench.plugin.shards import Shard

    IniType = Literal["string", "args", "bool", "int"]

T = TypeVar("T")

DEFAULT_CONFIG = "robustness.yaml"
DEFAULT_REPORT_DIR = "robustness-report"
MARKER = (
    "robustness(benchmark, corruption, severity): one condition of a robustness benchmark; "
    'select with -m robustness or -m "robustness(severity=5)"'
)
OUTPUTS = ("xmlpath", "benchmark_json")
"""Where ``--junitxml`` and ``--benchmark-json`` are kept."""
RUNXFAIL = "--runxfail was given"
_ONLY_THESE = "run only these, comma separated"


class Option(Generic[T]):  # a dataclass would cost more than all the rest of this module
    """One option: ``--robustness-x`` on the command line, ``robustness_x`` in the ini file.

    Parameters
    ----------
    parse : callable
        Returns the value of what was given, or refuses it; also asked where nothing was.
    help : str
        What ``--help`` says.
    metavar : str
        What it calls the value; empty for a flag.
    kind : {"string", "args", "bool", "int"}
        Type of the ini twin.
    narrows : bool
        Whether a run with it is less than, or other than, what the YAML declares.
    early : bool
        Whether the YAML tells if its value fits, and is therefore read before anything runs.
    """

    def __init__(
        self,
        parse: Callable[[Given], T],
        help: str,  # noqa: A002  (as argparse has it)
        metavar: str = "",
        kind: IniType = "string",
        *,
        narrows: bool = False,
        early: bool = False,
    ) -> None:
        self.parse = parse
        self.help = help
        self.metavar = metavar
        self.kind: IniType = kind
        self.narrows = narrows
        self.early = early

    def __set_name__(self, owner: type, name: str) -> None:
        """Be called as the row is."""
        self.name = name
        self.flag = f"--robustness-{name.replace('_', '-')}"
        self.ini = f"robustness_{name}"  # also its name within pytest

    @overload
    def __get__(self, settings: None, owner: type) -> Option[T]: ...

    @overload
    def __get__(self, settings: Settings, owner: type) -> T: ...

    def __get__(self, settings: Settings | None, owner: type) -> Option[T] | T:
        """Return the value where settings are asked, and the row where their class is."""
        if settings is None:
            return self
        value: T = settings.values[self.name]
        return value

    def given(self, config: pytest.Config) -> Given:
        """Return what was given: the command line's value before the ini file's.

        Raises
        ------
        pytest.UsageError
            If the ini file has a value of another type.
        """
        value = config.getoption(self.ini)
        if value is not None:
            return Given(config, self.flag, value)
        try:
            return Given(config, self.flag, config.getini(self.ini), in_ini=True)
        except (TypeError, ValueError, pytest.UsageError) as error:
            raise pytest.UsageError(f"{self.ini} in {config.inipath}: {error}") from None

    def value(self, config: pytest.Config) -> T:
        """Return what was given, parsed and checked.

        An option without a value is refused: as a rule it is a variable of the CI system that is
        not set. To pass over it would run something else than what was asked for, and let it pass.

        Raises
        ------
        pytest.UsageError
            If it cannot be.
        """
        found = self.given(config)
        if found.value in ("", []):
            written = f"{self.ini} in {config.inipath}" if found.in_ini else self.flag
            raise pytest.UsageError(f"{written} is empty: give {self.metavar}, or leave it out")
        return self.parse(found)


class Given(NamedTuple):
    """What the user has written for an option.

    Parameters
    ----------
    config : pytest.Config
        Of the run.
    flag : str
        The option, for messages.
    value : str, int, bool or list of str, optional
        ``None`` where nothing was written.
    in_ini : bool
        Whether the ini file is where it would stand, and not the command line.
    """

    config: pytest.Config
    flag: str
    value: Any
    in_ini: bool = False

    @property
    def words(self) -> list[str]:
        """The parts between commas."""
        words = self.value if isinstance(self.value, list) else [self.value]
        return [part.strip() for word in words for part in str(word).split(",") if part.strip()]

    def refuse(self, problem: str) -> NoReturn:
        """Stop pytest."""
        raise pytest.UsageError(f"{self.flag} {problem}")


def find_file(config: pytest.Config, name: str) -> Path | None:
    """Return the file of that name where pytest was called, else in its rootdir, if any."""
    folders = (config.invocation_params.dir, config.rootpath)
    return next((path for folder in folders if (path := Path(folder, name)).is_file()), None)


# ---- how a value is parsed and checked -----------------------------------------------------------


def _optional(parse: Callable[[Given], T]) -> Callable[[Given], T | None]:
    """Return a parser that leaves out what was not given."""
    return lambda found: None if found.value is None else parse(found)


def _text(found: Given) -> str:
    return str(found.value)


def _flag(found: Given) -> bool:
    return bool(found.value)


def _choice(*choices: str) -> Callable[[Given], str]:
    """Return a parser of one of some words; the first where nothing is said."""

    def parse(found: Given) -> str:
        chosen = str(found.value or choices[0])
        if chosen not in choices:
            found.refuse(f"must be {' or '.join(choices)}, not {chosen!r}")
        return chosen

    return parse


def _switch(found: Given) -> bool:
    return _choice("on", "off")(found) == "on"


def _count(found: Given) -> int:
    if not str(found.value).isdecimal() or int(found.value) < 1:
        found.refuse(f"must be a number of images, at least 1, not {found.value!r}")
    return int(found.value)


def _corruptions(found: Given) -> tuple[str, ...]:
    if not found.words:
        found.refuse("is empty: name at least one corruption")
    return tuple(dict.fromkeys(found.words))


def _severities(found: Given) -> tuple[int, ...]:
    from pytest_robustbench.conditions import SEVERITIES

    words = found.words
    if not words or not set(words) <= {str(severity) for severity in SEVERITIES}:
        found.refuse(f"must be numbers from 1 to 5, not {found.value!r}")
    return tuple(sorted({int(word) for word in words}))


def _shard(found: Given) -> Shard:
    from pytest_robustbench.plugin.shards import Shard

    shard = Shard.parse(found.value)
    if shard is None:
        found.refuse(f"must be a part of a whole, such as 2/5, not {found.value!r}")
    return shard


def _config_file(found: Given) -> Path | None:
    from pytest_robustbench.plugin.workers.role import is_worker

    path = find_file(found.config, found.value or DEFAULT_CONFIG)
    if found.value and path is None and not is_worker(found.config):  # a worker is told its text
        folder = found.config.invocation_params.dir
        found.refuse(f"names {found.value}, which is no file in {folder}")
    return path


def _path(found: Given, text: str) -> Path:
    """Paths of the command line start where pytest was called, those of the ini file beside it."""
    folder = found.config.rootpath if found.in_ini else found.config.invocation_params.dir
    return Path(folder, text)


def _report_dir(found: Given) -> Path:
    if found.value is None:
        return Path(found.config.invocation_params.dir, DEFAULT_REPORT_DIR)
    return _path(found, found.value)


def _existing_file(found: Given) -> Path:
    path = _path(found, found.value)
    if not path.is_file():
        found.refuse(f"names {path}, which is no file")
    return path


def _baseline(found: Given) -> Path:
    profile = Settings.profile.given(found.config).value or "default"
    return _path(found, found.value.replace("{profile}", profile))


def _update_baseline(found: Given) -> bool:
    """Refuse to update baselines in every run: nothing would ever be compared with them."""
    lasting = found.value if found.in_ini else found.flag in found.config.getini("addopts")
    if lasting:
        written = Settings.update_baseline.ini if found.in_ini else found.flag
        raise pytest.UsageError(
            f"{written} in {found.config.inipath}: every run would replace its baseline, and none "
            f"be compared with it; give {found.flag} on the command line, in the run that is to "
            "become the baseline"
        )
    return bool(found.value)


class Settings:
    """What the command line and the ini file say: every row is an option, and gives its value.

    Parameters
    ----------
    config : pytest.Config
        Of the run.

    Raises
    ------
    pytest.UsageError
        If an option has an impossible value.
    """

    config = Option(_config_file, f"the benchmarks (default: {DEFAULT_CONFIG})", "FILE")
    profile = Option(_optional(_text), "profile of the YAML to run", "NAME", early=True)
    report_dir = Option(_report_dir, f"folder for reports (default: {DEFAULT_REPORT_DIR})", "DIR")
    baseline = Option(
        _optional(_baseline),
        "compare with this report instead of the declared baseline; {name} is the benchmark, "
        "{profile} the profile",
        "FILE",
    )
    update_baseline = Option(
        _update_baseline, "show what changed, and write the baseline from this run", kind="bool"
    )
    operating_point = Option(
        _optional(_existing_file),
        "judge at the thresholds of this report or file",
        "FILE",
        narrows=True,
    )
    corruptions = Option(
        _optional(_corruptions), _ONLY_THESE, "NAMES", "args", narrows=True, early=True
    )
    severities = Option(
        _optional(_severities), _ONLY_THESE, "NUMBERS", "args", narrows=True, early=True
    )
    resume = Option(
        _flag, "take over what earlier runs have finished, where nothing has changed", kind="bool"
    )
    shard = Option(
        _optional(_shard),
        "run only this part of the declared conditions, such as 2/5",
        "I/N",
        early=True,
    )
    limit_train = Option(
        _optional(_count), "use at most N train images", "N", "int", narrows=True, early=True
    )
    limit_test = Option(
        _optional(_count),
        "use at most N test images, balanced over classes",
        "N",
        "int",
        narrows=True,
        early=True,
    )
    device = Option(_optional(_text), "device for every detector, such as cpu or cuda", "NAME")
    html = Option(
        _switch,
        "write report.html: on (default; needs the extra `report`) or off",
        "WHAT",
    )
    missing_data = Option(
        _choice("fail", "skip"), "what to do where the images are missing: fail or skip", "WHAT"
    )

    def __init__(self, config: pytest.Config) -> None:
        self.values: dict[str, Any] = {option.name: option.value(config) for option in OPTIONS}
        self.start = config.invocation_params.dir
        """Folder in which pytest was called."""
        self.runxfail = bool(config.getoption("runxfail", default=False))
        """Whether pytest is asked that nothing may fail unnoticed, waived or not."""
        self.outputs = tuple((self.start / path).resolve() for path in _outputs(config))
        """Files that pytest itself is going to write, which therefore decide no result."""

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The flags that make this run less, or another one, than what the YAML declares."""
        narrowing = (option for option in OPTIONS if option.narrows)
        return tuple(o.flag for o in narrowing if self.values[o.name] is not None)

    @property
    def asks_for_baseline(self) -> bool:
        """Whether options ask for a comparison, or for a new baseline."""
        return self.update_baseline or self.baseline is not None


OPTIONS: tuple[Option[Any], ...] = tuple(
    row for row in vars(Settings).values() if isinstance(row, Option)
)
SETTINGS = pytest.StashKey["Settings"]()


def _outputs(config: pytest.Config) -> list[str]:
    found = [config.getoption(name, default=None) for name in OUTPUTS]
    # As pytest does with them.
    return [os.path.expanduser(os.path.expandvars(path)) for path in found if path]  # noqa: PTH111


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    group = parser.getgroup("robustness", "robustness of anomaly detectors")
    for option in OPTIONS:
        parser.addini(option.ini, option.help, type=option.kind, default=None)
        how = {"metavar": option.metavar} if option.metavar else {"action": "store_true"}
        group.addoption(option.flag, dest=option.ini, default=None, help=option.help, **how)


def are_in_use(config: pytest.Config) -> bool:
    """Return whether an option is given, or the ``robustness.yaml`` they default to is there.

    Raises
    ------
    pytest.UsageError
        If the ini file has a value of another type than the option's.
    """
    if find_file(config, DEFAULT_CONFIG) is not None:
        return True
    return any(option.given(config).value is not None for option in OPTIONS)


def narrowed_on_command_line(config: pytest.Config) -> bool:
    """Return whether the command line, not the ini file, has what the YAML may not know."""
    return any(config.getoption(o.ini) is not None for o in OPTIONS if o.early)

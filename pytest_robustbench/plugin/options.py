"""The options, one row each, and what they come to; every run declares them: a light module.

Whoever adds an option writes its row in `Settings`, and asks ``settings.its_name`` where it does
something. It has its flag, its ini twin, its place in ``--help`` and its check from the row alone.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from pytest_robustbench.plugin import option_values as values
    from pytest_robustbench.plugin.option_values import Given

    IniType = Literal["string", "args", "bool", "int"]

T = TypeVar("T")

DEFAULT_CONFIG = "robustness.yaml"
DEFAULT_REPORT_DIR = "robustness-report"
MARKER = (
    "robustness(benchmark, corruption, severity): one condition of a robustness benchmark; "
    'select with -m robustness or -m "robustness(severity=5)"'
)
VALUES = "pytest_robustbench.plugin.option_values"
RUNXFAIL = "--runxfail was given"
ONLY_THESE = "run only these, comma separated"


class _Late:
    """Stands for `option_values`, which is loaded when one of its functions is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(_call, name)


def _call(name: str, *args: object) -> Any:
    return getattr(import_module(VALUES), name)(*args)


if not TYPE_CHECKING:
    values = _Late()


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
    default : str
        What it is where nothing is written.
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
        default: str = "",
        narrows: bool = False,
        early: bool = False,
    ) -> None:
        self.parse = parse
        self.help = help
        self.metavar = metavar
        self.kind: IniType = kind
        self.default = default
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

    def given(self, config: pytest.Config) -> tuple[Any, bool]:
        """Return what was written, if anything, and whether it would stand in the ini file.

        Raises
        ------
        pytest.UsageError
            If the ini file has a value of another type.
        """
        value = config.getoption(self.ini)
        if value is not None:
            return value, False
        try:
            return config.getini(self.ini), True
        except (TypeError, ValueError, pytest.UsageError) as error:
            from pytest_robustbench.display import displayed

            raise pytest.UsageError(displayed(f"{self.ini} in {config.inipath}: {error}")) from None

    def value(self, config: pytest.Config, earlier: dict[str, Any]) -> T:
        """Return what was written, parsed and checked.

        An option without a value is refused: as a rule it is a variable of the CI system that is
        not set. To pass over it would run something else than what was asked for, and let it pass.

        Parameters
        ----------
        config : pytest.Config
            Of the run.
        earlier : dict
            Values of the rows above, by name.

        Raises
        ------
        pytest.UsageError
            If it cannot be.
        """
        from pytest_robustbench.plugin.option_values import Given

        value, in_ini = self.given(config)
        written = f"{self.ini} in {config.inipath}" if in_ini else self.flag
        if value in ("", []):
            raise pytest.UsageError(f"{written} is empty: give {self.metavar}, or leave it out")
        return self.parse(Given(value, self.default, self.flag, written, in_ini, config, earlier))


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

    config = Option(
        values.config_file,
        f"the benchmarks (default: {DEFAULT_CONFIG})",
        "FILE",
        default=DEFAULT_CONFIG,
    )
    profile = Option(values.profile, "profile of the YAML to run", "NAME", early=True)
    report_dir = Option(
        values.path,
        f"folder for reports (default: {DEFAULT_REPORT_DIR})",
        "DIR",
        default=DEFAULT_REPORT_DIR,
    )
    baseline = Option(
        values.baseline,
        "compare with this report instead of the declared baseline; {name} is the benchmark, "
        "{profile} the profile",
        "FILE",
    )
    update_baseline = Option(
        values.update_baseline,
        "show what changed, and write the baseline from this run",
        kind="bool",
    )
    operating_point = Option(
        values.existing_file,
        "judge at the thresholds of this report or file",
        "FILE",
        narrows=True,
    )
    corruptions = Option(values.corruptions, ONLY_THESE, "NAMES", "args", narrows=True, early=True)
    severities = Option(values.severities, ONLY_THESE, "NUMBERS", "args", narrows=True, early=True)
    resume = Option(
        values.flag,
        "take over what earlier runs have finished, where nothing has changed",
        kind="bool",
    )
    shard = Option(
        values.shard,
        "run only this part of the declared conditions, such as 2/5",
        "I/N",
        early=True,
    )
    limit_train = Option(
        values.count, "use at most N train images", "N", "int", narrows=True, early=True
    )
    limit_test = Option(
        values.count,
        "use at most N test images, balanced over classes",
        "N",
        "int",
        narrows=True,
        early=True,
    )
    device = Option(values.text, "device for every detector, such as cpu or cuda", "NAME")
    html = Option(
        values.on_or_off,
        "write report.html: on (default; needs the extra `report`) or off",
        "WHAT",
    )
    missing_data = Option(
        values.fail_or_skip, "what to do where the images are missing: fail or skip", "WHAT"
    )

    def __init__(self, config: pytest.Config) -> None:
        self.values: dict[str, Any] = {}
        for option in OPTIONS:
            self.values[option.name] = option.value(config, self.values)
        self.config_is_given = Settings.config.given(config)[0] is not None
        """Whether a configuration is named, which then is that of every test module."""
        self.start = config.invocation_params.dir
        """Folder in which pytest was called."""
        self.runxfail = bool(config.getoption("runxfail", default=False))
        """Whether pytest is asked that nothing may fail unnoticed, waived or not."""
        self.outputs = tuple(values.outputs(config))
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
    folders = (config.invocation_params.dir, config.rootpath)
    if any((folder / DEFAULT_CONFIG).is_file() for folder in folders):
        return True
    return any(option.given(config)[0] is not None for option in OPTIONS)


def narrowed_on_command_line(config: pytest.Config) -> bool:
    """Return whether the command line, not the ini file, has what the YAML may not know."""
    return any(config.getoption(o.ini) is not None for o in OPTIONS if o.early)

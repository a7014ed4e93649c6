"""Command line options and their ini twins: every run declares them, so this module is light."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from typing import Literal

    IniType = Literal["string", "args", "bool", "int"]

DEFAULT_CONFIG = "robustness.yaml"
DEFAULT_REPORT_DIR = "robustness-report"
MARKER = (
    "robustness(benchmark, corruption, severity): one condition of a robustness benchmark; "
    'select with -m robustness or -m "robustness(severity=5)"'
)


class Option(NamedTuple):  # a dataclass would cost more than all the rest of this module
    """One option: ``--robustness-x`` on the command line, ``robustness_x`` in the ini file."""

    name: str
    help: str
    metavar: str = ""
    kind: IniType = "string"

    @property
    def flag(self) -> str:
        """The command line option."""
        return f"--robustness-{self.name}"

    @property
    def ini(self) -> str:
        """The ini key, and the option's name within pytest."""
        return f"robustness_{self.name.replace('-', '_')}"


OPTIONS = (
    Option("config", f"the benchmarks (default: {DEFAULT_CONFIG})", "FILE"),
    Option("profile", "profile of the YAML to run", "NAME"),
    Option("report-dir", f"folder for reports (default: {DEFAULT_REPORT_DIR})", "DIR"),
    Option(
        "baseline",
        "compare with this report instead of the declared baseline; {name} is the benchmark, "
        "{profile} the profile",
        "FILE",
    ),
    Option(
        "update-baseline", "show what changed, and write the baseline from this run", kind="bool"
    ),
    Option("operating-point", "judge at the thresholds of this report or file", "FILE"),
    Option("corruptions", "run only these, comma separated", "NAMES", "args"),
    Option("severities", "run only these, comma separated", "NUMBERS", "args"),
    Option(
        "resume",
        "take over what earlier runs have finished, where nothing has changed",
        kind="bool",
    ),
    Option("shard", "run only this part of the declared conditions, such as 2/5", "I/N"),
    Option("limit-train", "use at most N train images", "N", "int"),
    Option("limit-test", "use at most N test images, balanced over classes", "N", "int"),
    Option("device", "device for every detector, such as cpu or cuda", "NAME"),
    Option("html", "write report.html: on (default; needs the extra `report`) or off", "WHAT"),
    Option("missing-data", "what to do where the images are missing: fail or skip", "WHAT"),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    group = parser.getgroup("robustness", "robustness of anomaly detectors")
    for option in OPTIONS:
        parser.addini(option.ini, option.help, type=option.kind, default=None)
        if option.kind == "bool":
            group.addoption(
                option.flag, dest=option.ini, action="store_true", default=None, help=option.help
            )
        else:
            group.addoption(
                option.flag, dest=option.ini, metavar=option.metavar, default=None, help=option.help
            )


def are_in_use(config: pytest.Config) -> bool:
    """Return whether an option is given, or the ``robustness.yaml`` they default to is there.

    Raises
    ------
    pytest.UsageError
        If the ini file has a value of another type than the option's.
    """
    if find_file(config, DEFAULT_CONFIG) is not None:
        return True
    return any(given(config, option) is not None for option in OPTIONS)


def given(config: pytest.Config, option: Option) -> Any:
    """Return the option's value, the command line's before the ini file's; else ``None``.

    Raises
    ------
    pytest.UsageError
        If the ini file has a value of another type.
    """
    from_command_line = config.getoption(option.ini)
    if from_command_line is not None:
        return from_command_line
    try:
        return config.getini(option.ini)
    except (TypeError, ValueError, pytest.UsageError) as error:
        raise pytest.UsageError(f"{option.ini} in {config.inipath}: {error}") from None


def find_file(config: pytest.Config, name: str) -> Path | None:
    """Return the file of that name where pytest was called, else in its rootdir, if any."""
    folders = (config.invocation_params.dir, config.rootpath)
    return next((path for folder in folders if (path := Path(folder, name)).is_file()), None)

"""Command line options and their ini twins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_robustbench.conditions import SEVERITIES

if TYPE_CHECKING:
    IniType = Literal["string", "args", "bool", "int"]

DEFAULT_CONFIG = "robustness.yaml"
DEFAULT_REPORT_DIR = "robustness-report"
MISSING_DATA = ("fail", "skip")


@dataclass(frozen=True)
class Option:
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
    Option("baseline", "(not available in this version)", "FILE"),
    Option("update-baseline", "(not available in this version)", kind="bool"),
    Option("operating-point", "judge at the thresholds of this report or file", "FILE"),
    Option("corruptions", "run only these, comma separated", "NAMES", "args"),
    Option("severities", "run only these, comma separated", "NUMBERS", "args"),
    Option("limit-train", "use at most N train images", "N", "int"),
    Option("limit-test", "use at most N test images, balanced over classes", "N", "int"),
    Option("device", "device for every detector, such as cpu or cuda", "NAME"),
    Option("missing-data", "what to do where the images are missing: fail or skip", "WHAT"),
)


@dataclass(frozen=True)
class Settings:
    """What the command line and the ini file say; ``None`` where they say nothing.

    Parameters
    ----------
    config : Path, optional
        The YAML file: the one named, else the one found, else ``None``.
    profile : str, optional
        Profile of the YAML.
    report_dir : Path
        Where reports are written.
    baseline : Path, optional
        Baseline report.
    update_baseline : bool
        Write the baseline from this run.
    operating_point : Path, optional
        File with the thresholds to judge at.
    corruptions, severities : tuple, optional
        Narrow the run.
    limit_train, limit_test : int, optional
        Narrow the data.
    device : str, optional
        Device of every detector.
    missing_data : {"fail", "skip"}
        What to do where the images are missing.
    """

    config: Path | None
    profile: str | None
    report_dir: Path
    baseline: Path | None
    update_baseline: bool
    operating_point: Path | None
    corruptions: tuple[str, ...] | None
    severities: tuple[int, ...] | None
    limit_train: int | None
    limit_test: int | None
    device: str | None
    missing_data: str

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The options that make this run less, or another one, than what the YAML declares."""
        given = {
            "operating-point": self.operating_point,
            "corruptions": self.corruptions,
            "severities": self.severities,
            "limit-train": self.limit_train,
            "limit-test": self.limit_test,
        }
        return tuple(f"--robustness-{k}" for k, value in given.items() if value is not None)


NARROWING = ("profile", "corruptions", "severities", "limit-train", "limit-test")


def narrowed_on_command_line(config: pytest.Config) -> bool:
    """Return whether the command line, not the ini file, asks for less than the YAML declares."""
    asked = (option.ini for option in OPTIONS if option.name in NARROWING)
    return any(config.getoption(name) is not None for name in asked)


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


def read_settings(config: pytest.Config) -> Settings:
    """Read the command line over the ini file.

    Raises
    ------
    pytest.UsageError
        If an option has an impossible value.
    """
    given = {option.name: _given(config, option) for option in OPTIONS}
    missing_data = given["missing-data"] or "fail"
    if missing_data not in MISSING_DATA:
        _refuse("missing-data", f"must be fail or skip, not {missing_data!r}")
    if given["update-baseline"] or given["baseline"]:
        _refuse("baseline", "and --robustness-update-baseline are not available in this version")
    return Settings(
        config=_config_file(config, given["config"]),
        profile=given["profile"],
        report_dir=_path(config, "report-dir", given["report-dir"] or DEFAULT_REPORT_DIR),
        baseline=None,
        update_baseline=False,
        operating_point=_existing(config, "operating-point", given["operating-point"]),
        corruptions=_names(given["corruptions"]),
        severities=_severities(given["severities"]),
        limit_train=_count("limit-train", given["limit-train"]),
        limit_test=_count("limit-test", given["limit-test"]),
        device=given["device"],
        missing_data=missing_data,
    )


def _given(config: pytest.Config, option: Option) -> Any:
    from_command_line = config.getoption(option.ini)
    if from_command_line is not None:
        return from_command_line
    try:
        return config.getini(option.ini)
    except (TypeError, ValueError, pytest.UsageError) as error:
        message = f"{option.ini} in {config.inipath}: {error}"
        raise pytest.UsageError(message) from None


def _refuse(name: str, problem: str) -> None:
    message = f"--robustness-{name} {problem}"
    raise pytest.UsageError(message)


def _path(config: pytest.Config, name: str, text: str) -> Path:
    """Paths of the command line start where pytest was called, those of the ini file beside it."""
    option = next(o for o in OPTIONS if o.name == name)
    from_ini = config.getoption(option.ini) is None and config.getini(option.ini) is not None
    return Path(config.rootpath if from_ini else config.invocation_params.dir, text)


def _existing(config: pytest.Config, name: str, text: str | None) -> Path | None:
    if not text:
        return None
    path = _path(config, name, text)
    if not path.is_file():
        _refuse(name, f"names {path}, which is no file")
    return path


def _config_file(config: pytest.Config, text: str | None) -> Path | None:
    if text:
        folders = [config.invocation_params.dir, config.rootpath]
        found = _first_file(folders, text)
        if found is None:
            _refuse("config", f"names {text}, which is no file in {folders[0]}")
        return found
    return _first_file([config.invocation_params.dir, config.rootpath], DEFAULT_CONFIG)


def _first_file(folders: list[Path], name: str) -> Path | None:
    return next((path for folder in folders if (path := Path(folder, name)).is_file()), None)


def _words(value: str | list[Any]) -> list[str]:
    words = value if isinstance(value, list) else [value]
    return [part.strip() for word in words for part in str(word).split(",") if part.strip()]


def _names(value: str | list[str] | None) -> tuple[str, ...] | None:
    if value is None or value == []:
        return None
    names = tuple(dict.fromkeys(_words(value)))
    if not names:
        _refuse("corruptions", "is empty: name at least one corruption")
    return names


def _severities(value: str | list[str] | None) -> tuple[int, ...] | None:
    if value is None or value == []:
        return None
    words = _words(value)
    allowed = {str(severity) for severity in SEVERITIES}
    if not words or not set(words) <= allowed:
        _refuse("severities", f"must be numbers from 1 to 5, not {value!r}")
    return tuple(sorted({int(word) for word in words}))


def _count(name: str, value: str | int | None) -> int | None:
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) < 1:
        _refuse(name, f"must be a number of images, at least 1, not {value!r}")
    return int(value)

"""What the options come to: one frozen dataclass."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.plugin.options import (
    DEFAULT_CONFIG,
    DEFAULT_REPORT_DIR,
    OPTIONS,
    Option,
    find_file,
    given,
)
from pytest_robustbench.plugin.shards import Shard
from pytest_robustbench.plugin.workers.xdist import is_worker

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING_DATA = ("fail", "skip")
SWITCH = ("on", "off")
RUNXFAIL = "--runxfail was given"
OUTPUTS = ("xmlpath", "benchmark_json")
"""Where ``--junitxml`` and ``--benchmark-json`` are kept."""


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
        Baseline report instead of the declared one; may hold ``{name}``, no ``{profile}`` any more.
    update_baseline : bool
        Write the baseline from this run.
    operating_point : Path, optional
        File with the thresholds to judge at.
    corruptions, severities : tuple, optional
        Narrow the run.
    resume : bool
        Take over what earlier runs have finished.
    shard : Shard, optional
        Which part of the declared conditions to run.
    limit_train, limit_test : int, optional
        Narrow the data.
    device : str, optional
        Device of every detector.
    missing_data : {"fail", "skip"}
        What to do where the images are missing.
    runxfail : bool
        Whether pytest's own ``--runxfail`` asks that nothing may fail unnoticed, waived or not.
    html : bool
        Whether report.html is wanted.
    outputs : tuple of Path
        Files that other options ask to be written, which therefore decide no result.
    """

    config: Path | None
    profile: str | None
    report_dir: Path
    baseline: Path | None
    update_baseline: bool
    operating_point: Path | None
    corruptions: tuple[str, ...] | None
    severities: tuple[int, ...] | None
    resume: bool
    shard: Shard | None
    limit_train: int | None
    limit_test: int | None
    device: str | None
    missing_data: str
    runxfail: bool
    html: bool = True
    outputs: tuple[Path, ...] = ()

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


NARROWING = ("profile", "corruptions", "severities", "shard", "limit-train", "limit-test")


def narrowed_on_command_line(config: pytest.Config) -> bool:
    """Return whether the command line, not the ini file, asks for less than the YAML declares."""
    asked = (option.ini for option in OPTIONS if option.name in NARROWING)
    return any(config.getoption(name) is not None for name in asked)


def read_settings(config: pytest.Config) -> Settings:
    """Read the command line over the ini file.

    Raises
    ------
    pytest.UsageError
        If an option has an impossible value.
    """
    values = {option.name: given(config, option) for option in OPTIONS}
    for option in OPTIONS:
        _refuse_empty(config, option, values[option.name])
    _refuse_lasting_update(config)
    return Settings(
        config=_config_file(config, values["config"]),
        profile=values["profile"],
        report_dir=_path(config, "report-dir", values["report-dir"] or DEFAULT_REPORT_DIR),
        baseline=_baseline(config, values["baseline"], values["profile"]),
        update_baseline=bool(values["update-baseline"]),
        operating_point=_existing(config, "operating-point", values["operating-point"]),
        corruptions=_names(values["corruptions"]),
        severities=_severities(values["severities"]),
        resume=bool(values["resume"]),
        shard=_shard(values["shard"]),
        limit_train=_count("limit-train", values["limit-train"]),
        limit_test=_count("limit-test", values["limit-test"]),
        device=values["device"],
        missing_data=_choice("missing-data", values["missing-data"], MISSING_DATA),
        runxfail=bool(config.getoption("runxfail", default=False)),
        html=_choice("html", values["html"], SWITCH) == "on",
        outputs=tuple(_outputs(config)),
    )


def _outputs(config: pytest.Config) -> Iterator[Path]:
    for name in OUTPUTS:
        value = config.getoption(name, default=None)
        if value:
            path = os.path.expanduser(os.path.expandvars(value))  # noqa: PTH111  (as pytest does)
            yield (config.invocation_params.dir / path).resolve()


def _refuse_empty(config: pytest.Config, option: Option, value: object) -> None:
    """Refuse an option without a value: as a rule a variable of the CI system that is not set.

    To pass over it would run something else than what was asked for, and let it pass.
    """
    if value in ("", []):
        raise pytest.UsageError(
            f"{_written(config, option)} is empty: give {option.metavar}, or leave it out"
        )


def _written(config: pytest.Config, option: Option) -> str:
    """Return how the user has written an option, for messages."""
    from_ini = config.getoption(option.ini) is None
    return f"{option.ini} in {config.inipath}" if from_ini else option.flag


def _refuse_lasting_update(config: pytest.Config) -> None:
    """Refuse to update baselines in every run: nothing would ever be compared with them."""
    option = next(o for o in OPTIONS if o.name == "update-baseline")
    from_ini = config.getoption(option.ini) is None and config.getini(option.ini)
    if from_ini or option.flag in config.getini("addopts"):
        raise pytest.UsageError(
            f"{option.ini if from_ini else option.flag} in {config.inipath}: every run would "
            f"replace its baseline, and none be compared with it; give {option.flag} on the "
            "command line, in the run that is to become the baseline"
        )


def _refuse(name: str, problem: str) -> None:
    raise pytest.UsageError(f"--robustness-{name} {problem}")


def _path(config: pytest.Config, name: str, text: str) -> Path:
    """Paths of the command line start where pytest was called, those of the ini file beside it."""
    option = next(o for o in OPTIONS if o.name == name)
    from_ini = config.getoption(option.ini) is None and config.getini(option.ini) is not None
    return Path(config.rootpath if from_ini else config.invocation_params.dir, text)


def _baseline(config: pytest.Config, text: str | None, profile: str | None) -> Path | None:
    filled = (text or "").replace("{profile}", profile or "default")
    return _path(config, "baseline", filled) if filled else None


def _existing(config: pytest.Config, name: str, text: str | None) -> Path | None:
    if not text:
        return None
    path = _path(config, name, text)
    if not path.is_file():
        _refuse(name, f"names {path}, which is no file")
    return path


def _config_file(config: pytest.Config, text: str | None) -> Path | None:
    found = find_file(config, text or DEFAULT_CONFIG)
    if text and found is None and not is_worker(config):  # a worker is told its text
        _refuse("config", f"names {text}, which is no file in {config.invocation_params.dir}")
    return found


def _choice(name: str, value: str | None, choices: tuple[str, str]) -> str:
    """Return one of two words; the first where nothing is said."""
    chosen = value or choices[0]
    if chosen not in choices:
        _refuse(name, f"must be {' or '.join(choices)}, not {chosen!r}")
    return chosen


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


def _shard(value: str | None) -> Shard | None:
    if not value:
        return None
    shard = Shard.parse(value)
    if shard is None:
        _refuse("shard", f"must be a part of a whole, such as 2/5, not {value!r}")
    return shard


def _count(name: str, value: str | int | None) -> int | None:
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) < 1:
        _refuse(name, f"must be a number of images, at least 1, not {value!r}")
    return int(value)

"""What a command is to work on: the YAML that ``--config`` names, or the one that flags mean."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli import flags
from pytest_robustbench.errors import ConfigError, RobustbenchError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup
    from collections.abc import Iterator

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, RobustnessConfig

YAML_FILE = Path("robustness.yaml")
"""Where the YAML lies by default, and that of flags would: its paths start there."""


def add_yaml_flags(
    parser: ArgumentParser | _ArgumentGroup,
    what: str,
    profile: str = "profile of the YAML",
    *,
    required: bool = False,
) -> None:
    """Declare which YAML is meant."""
    parser.add_argument("--config", type=Path, metavar="YAML", help=what, required=required)
    parser.add_argument("--profile", metavar="NAME", help=profile)


def configuration(arguments: Namespace) -> RobustnessConfig:
    """Return what the flags, or ``--config`` and ``--profile``, declare.

    Raises
    ------
    ConfigError
        If both say what is measured, or either cannot be carried out.
    """
    from pytest_robustbench.cli.yaml_text import flags_as_yaml
    from pytest_robustbench.config.loader import load_config

    require_config_of_profile(arguments)
    if arguments.config is None:
        return parse_flags(flags_as_yaml(flags.config_of(arguments)))
    contradicting = flags.given_flags(arguments)
    if contradicting:
        raise ConfigError(f"--config says what is measured: leave out {', '.join(contradicting)}")
    return load_config(arguments.config, profile=arguments.profile)


def require_config_of_profile(arguments: Namespace) -> None:
    """Refuse a profile of no YAML."""
    if arguments.config is None and arguments.profile is not None:
        raise ConfigError("--profile is one of the YAML's: name it with --config")


def parse_flags(text: str) -> RobustnessConfig:
    """Validate the YAML of flags."""
    from pytest_robustbench.config.loader import parse_config

    return parse_config(text, YAML_FILE, environ={})


@contextmanager
def without_places(arguments: Namespace) -> Iterator[None]:
    """Leave places in the YAML of flags out of messages: nobody has seen its lines."""
    try:
        yield
    except RobustbenchError as error:
        if arguments.config is not None:
            raise
        place = rf"^{re.escape(str(YAML_FILE))}:[\d:]+ "
        told = re.sub(place, "", str(error), flags=re.MULTILINE)
        raise RobustbenchError(*told.split("\n")) from None


def declared(config: RobustnessConfig, name: str, origin: object = None) -> BenchmarkDeclaration:
    """Return the benchmark of a YAML that is called so.

    Parameters
    ----------
    config : RobustnessConfig
        The YAML.
    name : str
        The benchmark's.
    origin : object, optional
        What names it, where it is no flag.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from pytest_robustbench.config.yaml.problems import shown_path
    from pytest_robustbench.naming import suggestion

    found = {declaration.name: declaration for declaration in config.benchmarks}
    if name not in found:
        of = "" if origin is None else f", that of {origin}"
        raise ConfigError(
            f"{shown_path(config.path)} declares no benchmark {name!r}{of}; "
            f"{suggestion(name, found)}"
        )
    return found[name]

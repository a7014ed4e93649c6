"""What a command is to work on: the YAML that ``--config`` names, or the one that flags mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.cli import flags
from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace

    from pytest_robustbench.config.declarations import RobustnessConfig

FLAGS_FILE = "robustness.yaml"
"""Where the YAML of flags would stand: its paths start at the working directory."""


def configuration(arguments: Namespace) -> RobustnessConfig:
    """Return what the flags, or ``--config`` and ``--profile``, declare.

    Raises
    ------
    ConfigError
        If both say what is measured, or either cannot be carried out.
    """
    from pytest_robustbench.cli.yaml_text import flags_as_yaml
    from pytest_robustbench.config.loader import load_config

    if arguments.config is None:
        if arguments.profile is not None:
            raise ConfigError("--profile is one of the YAML's: name it with --config")
        return parse_flags(flags_as_yaml(flags.config_of(arguments)))
    contradicting = flags.given_flags(arguments)
    if contradicting:
        raise ConfigError(f"--config says what is measured: leave out {', '.join(contradicting)}")
    return load_config(arguments.config, profile=arguments.profile)


def parse_flags(text: str) -> RobustnessConfig:
    """Validate the YAML of flags; nobody has seen the lines its messages would name."""
    from pytest_robustbench.config.loader import parse_config

    try:
        return parse_config(text, Path(FLAGS_FILE), environ={})
    except ConfigError as error:
        raise ConfigError(without_place(str(error))) from None


def without_place(message: str) -> str:
    """Leave out places in the YAML of flags: nobody has seen its lines."""
    return re.sub(rf"^{re.escape(FLAGS_FILE)}:[\d:]+ ", "", message, flags=re.MULTILINE)

"""Everything wrong with one file, collected so that it can be told at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.config.yaml.nodes import Mark


class Problem(NamedTuple):
    """One mistake and where it was made."""

    mark: Mark
    message: str


def shown_path(path: Path) -> str:
    """Return `path` as the user would write it: relative to the working directory if inside it."""
    absolute = path.absolute()
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return absolute.as_posix()


def config_error(path: Path, problems: Iterable[Problem]) -> ConfigError:
    """Return the error that lists every problem once, one a line, in the order of the file."""
    shown = shown_path(path)
    lines = [f"{shown}:{m.line}:{m.column}: {text}" for m, text in sorted(set(problems))]
    return ConfigError(*lines)

"""The entry point of the console script: finds the command and carries it out."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_robustbench import version
from pytest_robustbench.cli import commands
from pytest_robustbench.cli.outcomes import USERS_MISTAKE
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.display import displayed, hiding_environment
from pytest_robustbench.errors import RobustbenchError, message_for_user
from pytest_robustbench.folder_imports import imports_from

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "pytest-robustbench"
INTERNAL_ERROR = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT
CLOSED_PIPE = 141  # 128 + SIGPIPE, as the shell would report it


def module_of(command: str) -> Any:
    """Return the module that carries a command out.

    Raises
    ------
    ImportError
        If there is none, or it lacks what `commands` describes.
    """
    module = import_module(f"{commands.__name__}.{command}")
    lacking = [part for part in ("add_arguments", "run") if not hasattr(module, part)]
    if lacking:
        raise ImportError(
            f"the command {command!r} lacks {' and '.join(lacking)} in {module.__name__}"
        )
    return module


COMMANDS = {name: (summary, module_of(name)) for name, summary in commands.SUMMARIES.items()}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line: the usage is what ``--help`` is for."""

    def error(self, message: str) -> NoReturn:
        told = displayed(f"{self.prog}: {message} (see {self.prog} --help)")
        self.exit(USERS_MISTAKE, f"{told}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names.

    Parameters
    ----------
    argv : sequence of str, optional
        Without the program's name; by default what the program was called with.

    Returns
    -------
    int
        Exit code: 0 where all is well, 2 where the user made a mistake, 70 where we did; then one
        message stands on standard error.
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a mistake that has been explained
        return int(stop.code or 0)
    with hiding_environment():
        return _carried_out(arguments)


def _carried_out(arguments: argparse.Namespace) -> int:
    """Run the command, and tell in one message what went wrong."""
    try:
        with imports_from(_folder(arguments)):
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _discard_output()
        return CLOSED_PIPE
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        # Python's own exit code would be 1, and that means "regressed"; a detector's may be 0.
        code, text = _told(error)
        tell(f"{PROGRAM} {arguments.command}: {text}")
    return code


def _told(error: Exception | SystemExit | KeyboardInterrupt) -> tuple[int, str]:
    """Return the exit code of what went wrong, and the line that says so."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, (RobustbenchError, SystemExit)):
        return USERS_MISTAKE, message_for_user(error)
    return INTERNAL_ERROR, _unexpected(error)


def _folder(arguments: argparse.Namespace) -> Path | None:
    """Return where imports start: the folder of the YAML, for commands that have one."""
    config: Path | None = getattr(arguments, "config", None)
    return Path.cwd() if config is None else config.absolute().parent


def _unexpected(error: Exception) -> str:
    """Return one line that names an error of ours, and where it happened."""
    text = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"unexpected {type(error).__name__}: {text}{place}; please report this"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Robustness gates for visual anomaly detectors.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, (summary, module) in COMMANDS.items():
        described = subparsers.add_parser(name, help=summary, description=summary)
        module.add_arguments(described)
        described.set_defaults(run=module.run)
    return parser


def _discard_output() -> None:
    """Give Python's own flush at exit somewhere to write to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())

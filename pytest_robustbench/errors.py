"""Errors whose message is written for the user: what is wrong, where, and what would be right."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from pytest_robustbench.display import displayed, displayed_lines

if TYPE_CHECKING:
    from typing_extensions import Self


NOT_THE_USERS = ("site-packages", "pytest_robustbench", "<")
"""What the file of code holds that no user wrote."""


class RobustbenchError(Exception):
    """Base of every error this package raises on purpose; its text is the whole message.

    Parameters
    ----------
    *lines : str
        Its lines, whatever they hold: a line break within one of them is someone else's.
    """

    def __str__(self) -> str:
        """Return the message as it may be shown anywhere."""
        return "\n".join(map(displayed, self.args))

    def within(self, place: str) -> Self:
        """Return the same error, its first line beginning with a place."""
        first, *others = self.args or ("",)
        return type(self)(f"{place}: {first}", *others)


class InstallationError(RobustbenchError):
    """A package that everything needs is broken: no file and no code of the user's is at fault.

    What wraps errors of a function or a file in errors of its own lets this one through.
    """


class ConfigError(RobustbenchError):
    """The YAML file or an option says something that cannot be carried out."""


class UnfitOptionError(ConfigError):
    """An option asks for what the YAML does not have: a profile, a corruption, a severity."""


class UnsetVariableError(ConfigError):
    """The YAML refers to an environment variable that is not set and has no default."""


class DatasetError(RobustbenchError):
    """A folder, image or mask is not what the dataset promises."""


class MissingDataError(DatasetError):
    """The images are not on this machine: a folder does not exist, or its variable is not set."""


class CorruptionError(RobustbenchError):
    """A corruption is unknown, or returned something that is not an image."""


class MetricError(RobustbenchError):
    """A metric of one's own is unknown, contradicts another, or returned something unusable."""


class DetectorError(RobustbenchError):
    """A detector cannot be loaded, raised, or returned something unusable."""


class CalibrationError(RobustbenchError):
    """No trustworthy operating point can be derived."""


class NotMeasurableError(RobustbenchError):
    """A condition cannot be measured: its result would be a number that means nothing."""


class ReportError(RobustbenchError):
    """A report file is unreadable, incomplete or contradicts itself."""


def described(error: BaseException) -> str:
    """Return type, text and place of an error that a user's code raised, as far as they are known.

    The place is the innermost of the user's own code; what raised below it is somebody else's.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not any(part in f.filename for part in NOT_THE_USERS)]
    place = f" (at {own[-1].filename}:{own[-1].lineno} in {own[-1].name})" if own else ""
    return f"{type(error).__name__}: {error}{place}"


def message_for_user(error: Exception | SystemExit) -> str:
    """Return what to tell; what is no mistake of the user's goes to the log, whole."""
    if isinstance(error, RobustbenchError):
        return str(error)
    if isinstance(error, SystemExit):
        return displayed(
            f"code that was called wanted to end the process: sys.exit({error.code!r})"
        )
    # Not `exc_info`: what the traceback quotes goes through the same door as the message.
    told = displayed_lines("".join(traceback.format_exception(error)).rstrip())
    logging.getLogger(__name__).error("not foreseen\n%s", told)
    name = type(error).__name__
    return displayed(f"not foreseen: {name}: {error} (the captured log has the traceback)")

"""Errors whose message is written for the user: what is wrong, where, and what would be right."""

from __future__ import annotations

import logging


class RobustbenchError(Exception):
    """Base of every error this package raises on purpose; its text is the whole message."""


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


def message_for_user(error: Exception | SystemExit) -> str:
    """Return what to tell; what is no mistake of the user's goes to the log, whole."""
    if isinstance(error, RobustbenchError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"code that was called wanted to end the process: sys.exit({error.code!r})"
    logging.getLogger(__name__).error("not foreseen", exc_info=error)
    return f"not foreseen: {type(error).__name__}: {error} (the captured log has the traceback)"

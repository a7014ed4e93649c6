"""A fitted detector as one file: its settings and arrays, and nothing that runs when it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from pytest_robustbench.arrays import Floats

HEADER = "header"


@dataclass(frozen=True, eq=False)
class State:
    """What a file says of a fitted detector.

    Parameters
    ----------
    settings : dict
        The detector's settings.
    weights : str or None
        Which weights its network had.
    arrays : list of ndarray
        What it had learned.
    """

    settings: dict[str, Any]
    weights: str | None
    arrays: list[Floats]


def write_state(
    path: str | PathLike[str],
    detector: str,
    settings: Mapping[str, Any],
    arrays: Mapping[str, Floats],
    weights: str | None = None,
) -> None:
    """Write settings (plain JSON values) and float32 arrays of a fitted detector.

    Parameters
    ----------
    path : path
        The file, written under exactly this name (NumPy's npz format).
    detector : str
        Built-in name, checked when the file is read.
    settings : mapping
        The detector's settings.
    arrays : mapping of str to ndarray
        What it has learned.
    weights : str, optional
        Which weights its network has.
    """
    header = json.dumps({"detector": detector, "settings": dict(settings), "weights": weights})
    with Path(path).open("wb") as file:
        np.savez(file, **{HEADER: np.array(header)}, **arrays)  # type: ignore[arg-type]


def read_state(path: str | PathLike[str], detector: str, names: Sequence[str]) -> State:
    """Return settings, weights and the arrays called `names`, as written.

    No pickle is ever loaded.

    Raises
    ------
    DetectorError
        If the file cannot be read, or holds something else.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            header = json.loads(str(file[HEADER]))
            found, settings = str(header["detector"]), dict(header["settings"])
            weights = header["weights"]
            arrays = [file[name] for name in names if found == detector]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise DetectorError(
            f"{path}: not a saved detector ({type(error).__name__}: {error})"
        ) from error
    if found != detector:
        raise DetectorError(f"{path}: holds a {found!r} detector, not {detector!r}")
    return State(settings, weights, arrays)


def require_same_settings(
    path: str | PathLike[str], state: State, settings: Mapping[str, Any]
) -> None:
    """Refuse what a detector with other settings has learned.

    Raises
    ------
    DetectorError
        Naming the settings that differ.
    """
    own = json.loads(json.dumps(dict(settings)))
    names = [k for k in own | state.settings if own.get(k) != state.settings.get(k)]
    if names:
        raise DetectorError(f"{path}: was fitted with other settings ({', '.join(names)})")

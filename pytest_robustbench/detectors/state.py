"""A fitted detector as one file: its settings and arrays, and nothing that runs when it is read."""

from __future__ import annotations

import json
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


def write_state(
    path: str | PathLike[str],
    detector: str,
    settings: Mapping[str, Any],
    arrays: Mapping[str, Floats],
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
    """
    header = json.dumps({"detector": detector, "settings": dict(settings)})
    with Path(path).open("wb") as file:
        np.savez(file, **{HEADER: np.array(header)}, **arrays)  # type: ignore[arg-type]


def read_state(
    path: str | PathLike[str], detector: str, names: Sequence[str]
) -> tuple[dict[str, Any], list[Floats]]:
    """Return settings and the arrays called `names`, as written. No pickle is ever loaded.

    Raises
    ------
    DetectorError
        If the file cannot be read, or holds something else.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            header = json.loads(str(file[HEADER]))
            found, settings = str(header["detector"]), dict(header["settings"])
            arrays = [file[name] for name in names if found == detector]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        message = f"{path}: not a saved detector ({type(error).__name__}: {error})"
        raise DetectorError(message) from error
    if found != detector:
        message = f"{path}: holds a {found!r} detector, not {detector!r}"
        raise DetectorError(message)
    return settings, arrays

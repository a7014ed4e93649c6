"""A fitted detector as one file: its settings and arrays, and nothing that runs when it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    path: str | PathLike[str], detector: str
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return settings and arrays as `write_state` wrote them. No pickle is ever loaded.

    Raises
    ------
    DetectorError
        If the file cannot be read, or holds something else.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop(HEADER)))
    except (OSError, ValueError, KeyError, AttributeError, BadZipFile) as error:
        message = f"{path}: not a saved detector ({type(error).__name__}: {error})"
        raise DetectorError(message) from error
    if header["detector"] != detector:
        message = f"{path}: holds a {header['detector']!r} detector, not {detector!r}"
        raise DetectorError(message)
    return header["settings"], arrays

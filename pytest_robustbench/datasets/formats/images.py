"""All normal images below one folder, such as those named by ``calibration.images``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import image_files, no_images, required_folder
from pytest_robustbench.datasets.split import NORMAL, Sample

if TYPE_CHECKING:
    import os


def image_folder(path: str | os.PathLike[str], prefix: str) -> tuple[Sample, ...]:
    """Return every image below `path`, subfolders included, as a normal sample.

    Parameters
    ----------
    path : path-like
        Folder to read.
    prefix : str
        First part of every id: ``calibration`` makes ``calibration/000``.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no image.
    """
    folder = required_folder(Path(path).expanduser(), f"{prefix} images")
    files = image_files(folder, recursive=True)
    if not files:
        raise no_images(folder, f"{prefix} images")
    return tuple(Sample(f"{prefix}/{file.name}", NORMAL, file.path) for file in files)

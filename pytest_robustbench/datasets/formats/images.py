"""Folders of images: what they are usually called, and all normal images below one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import image_files, nfc, no_images, required_folder
from pytest_robustbench.datasets.pictures.masks import MaskFolder
from pytest_robustbench.datasets.split import NORMAL, Sample

if TYPE_CHECKING:
    import os

NORMAL_NAMES = ("good", "normal", "normals", "ok", "io", "pass")
TRAIN_NAMES = (*NORMAL_NAMES, "train", "train_good", "train_ok")
TEST_NAMES = ("test_good", "test_ok", "test_normal", "good_test", "ok_test", "normal_test")
DEFECT_NAMES = (
    *("bad", "defect", "defects", "defective", "nok", "ng", "nio", "ko", "fail", "reject"),
    *("rejects", "abnormal", "anomaly", "anomalies", "anomalous", "test_bad", "test_nok"),
)
MASK_NAMES = ("mask", "masks", "ground_truth", "groundtruth", "gt", "label", "labels")


def means_normal(name: str) -> bool:
    """Tell whether a folder of this name holds normal images, by all that is known of names."""
    return nfc(name).casefold().strip() in (*NORMAL_NAMES, *TEST_NAMES)


def image_folder(
    path: str | os.PathLike[str], prefix: str, mask_suffix: str | None = None
) -> tuple[Sample, ...]:
    """Return every image below `path`, subfolders included, as a normal sample.

    Parameters
    ----------
    path : path-like
        Folder to read.
    prefix : str
        First part of every id: ``calibration`` makes ``calibration/000``.
    mask_suffix : str, optional
        What ends the names of masks that lie beside images; they mark nothing then.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no image.
    """
    folder = required_folder(Path(path).expanduser(), f"{prefix} images")
    files = image_files(folder, recursive=True, mask_suffix=mask_suffix)
    if not files:
        raise no_images(folder, f"{prefix} images")
    if mask_suffix is None:
        return tuple(Sample(f"{prefix}/{file.name}", NORMAL, file.path) for file in files)
    masks = MaskFolder(folder, recursive=True, suffix=mask_suffix)
    return tuple(
        Sample(f"{prefix}/{file.name}", NORMAL, file.path, masks.find(file.name)) for file in files
    )

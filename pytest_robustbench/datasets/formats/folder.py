"""Plain folders: normal images here, defect images there, masks perhaps."""

from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import (
    image_files,
    nfc,
    no_images,
    required_folder,
    required_root,
    subfolders,
)
from pytest_robustbench.datasets.formats.groups import DEFAULT_FRACTION
from pytest_robustbench.datasets.formats.images import (
    DEFECT_NAMES,
    MASK_NAMES,
    TEST_NAMES,
    TRAIN_NAMES,
    image_folder,
)
from pytest_robustbench.datasets.formats.recognition import Recognised
from pytest_robustbench.datasets.neighbours import check_mask_suffix, suffix_beside
from pytest_robustbench.datasets.notes import notes_on_test_part, unread_files
from pytest_robustbench.datasets.pictures.masks import MaskFolder
from pytest_robustbench.datasets.split import DEFECT, Sample, Split
from pytest_robustbench.errors import DatasetError, MissingDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence


def load_folder(
    *,
    root: Path | None = None,
    category: str | None = None,
    normal_dir: str | os.PathLike[str] | None = None,
    test_dir: str | os.PathLike[str] | None = None,
    abnormal_dir: str | os.PathLike[str] | None = None,
    mask_dir: str | os.PathLike[str] | None = None,
    mask_suffix: str | None = None,
    test_fraction: float | None = None,
    seed: int = 0,
) -> Split:
    """Read a split from plain folders; images may lie in subfolders of each.

    Parameters
    ----------
    root : Path, optional
        Folder that relative folders start at; the current one by default.
    category : str, optional
        Name of the category; the root's name by default.
    normal_dir : path-like, optional
        Normal images to train on. Without it the train part is empty, which only a fitted detector
        can do with.
    test_dir : path-like, optional
        Normal test images.
    abnormal_dir : path-like, optional
        Defect images; a subfolder names the type of its defects.
    mask_dir : path-like, optional
        Masks of the defect images: same name or ``<name>_mask``, in the same subfolders.
    mask_suffix : str, optional
        Instead of `mask_dir`: masks lie beside their images, in any of the folders, and this
        follows the image's name in theirs: ``_mask``, ``_gt.png``, or ``.png`` where ``000.jpg``
        has the mask ``000.png``. A file that ends so is a mask, and never an image.
    test_fraction : float, optional
        Instead of `test_dir`: share of the normal images that is tested on and not trained on.
    seed : int
        Seed of that draw.

    Raises
    ------
    MissingDataError
        If the root, or every folder of images, does not exist.
    DatasetError
        If one folder is missing, empty or inside another one, or nothing is left to test.
    """
    base = required_root(root or Path())
    given = {
        "normal_dir": normal_dir,
        "test_dir": test_dir,
        "abnormal_dir": abnormal_dir,
        "mask_dir": mask_dir,
    }
    folders = {k: base / Path(v).expanduser() for k, v in given.items() if v is not None}
    _check_present(folders)
    _check_apart(folders)
    _check_sources(folders, test_fraction)
    _check_masks(folders, mask_suffix)
    train, test = (
        image_folder(folders[place], part, mask_suffix) if place in folders else ()
        for place, part in (("normal_dir", "normal"), ("test_dir", "test"))
    )
    if test_fraction is not None:
        train, test = _held_out(train, test_fraction, seed)
    defects, orphans = _defect_samples(folders, mask_suffix)
    return Split(
        dataset="folder",
        category=nfc(category or base.resolve().name),
        train=train,
        test=(*test, *defects),
        root=str(base),
        notes=(
            *notes_on_test_part((*test, *defects), orphans),
            *unread_files(base, folders.values(), recursive=True),
        ),
    )


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise plain folders by what they are usually called."""
    inner = [root / category] if category and (root / category).is_dir() else []
    for base in (*inner, root):
        options = _plain_folders(base, "" if base == root else f"{base.name}/")
        if options:
            return Recognised("folder", options)
    proposals = {path.name: _plain_folders(path, f"{path.name}/") for path in subfolders(root)}
    found = {name: options for name, options in proposals.items() if options}
    if len(found) > 1:
        return Recognised("folder", categories=tuple(found))
    return next((Recognised("folder", options) for options in found.values()), None)


def _plain_folders(base: Path, prefix: str) -> dict[str, str | float]:
    """Return the options for folders such as good, bad and masks; empty where there are none."""
    names = {path.name.lower(): path for path in subfolders(base)}
    usual = {
        "normal_dir": TRAIN_NAMES,
        "test_dir": TEST_NAMES,
        "abnormal_dir": DEFECT_NAMES,
        "mask_dir": MASK_NAMES,
    }
    found = {
        option: path
        for option, known in usual.items()
        if (path := _first_with_images(names, known)) is not None
    }
    options: dict[str, str | float] = {k: f"{prefix}{path.name}" for k, path in found.items()}
    if "abnormal_dir" not in options or not {"normal_dir", "test_dir"} & set(options):
        return {}
    suffix = None if "mask_dir" in found else suffix_beside([found["abnormal_dir"]])
    if suffix is not None:
        options["mask_suffix"] = suffix
    return options if "test_dir" in options else {**options, "test_fraction": DEFAULT_FRACTION}


def _first_with_images(names: Mapping[str, Path], known: Sequence[str]) -> Path | None:
    paths = (names[name] for name in known if name in names)
    return next((path for path in paths if image_files(path, recursive=True)), None)


def _check_present(folders: Mapping[str, Path]) -> None:
    images = [folder for option, folder in folders.items() if option != "mask_dir"]
    # Where some are there, the name of the missing one is wrong.
    if images and not any(folder.exists() for folder in images):
        raise MissingDataError(
            "; ".join(f"{option}: {p} does not exist" for option, p in folders.items())
        )
    for option, folder in folders.items():
        required_folder(folder, option)


def _check_apart(folders: Mapping[str, Path]) -> None:
    for (outer, a), (inner, b) in permutations(folders.items(), 2):
        if b.resolve().is_relative_to(a.resolve()):
            raise DatasetError(
                f"{inner} ({b}) lies inside {outer} ({a}): the same files would be used twice; "
                "move them into folders of their own"
            )


def _check_sources(folders: Mapping[str, Path], test_fraction: float | None) -> None:
    if not {"test_dir", "abnormal_dir"} & set(folders) and test_fraction is None:
        raise DatasetError(
            "nothing to test is given: name abnormal_dir, and test_dir or test_fraction"
        )
    if "mask_dir" in folders and "abnormal_dir" not in folders:
        raise DatasetError("mask_dir holds the masks of abnormal_dir, which is not given")
    if test_fraction is None:
        return
    if "test_dir" in folders:
        raise DatasetError("give test_dir or test_fraction, not both")
    if "normal_dir" not in folders:
        raise DatasetError("test_fraction is a share of normal_dir, which is not given")
    if not 0 < test_fraction < 1:
        raise DatasetError(f"test_fraction lies between 0 and 1, not {test_fraction!r}")


def _check_masks(folders: Mapping[str, Path], mask_suffix: str | None) -> None:
    if mask_suffix is not None and "mask_dir" in folders:
        raise DatasetError("give mask_dir or mask_suffix, not both")
    check_mask_suffix(mask_suffix, [*folders.values()])


def _held_out(
    normals: tuple[Sample, ...], fraction: float, seed: int
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Split the normal images into (train, test), at least one image each."""
    import numpy as np

    count = len(normals)
    if count < 2:
        raise DatasetError("test_fraction needs at least two normal images to split")
    size = min(math.ceil(count * fraction), count - 1)
    chosen = set(np.random.default_rng(seed).choice(count, size=size, replace=False).tolist())
    return (
        tuple(sample for i, sample in enumerate(normals) if i not in chosen),
        tuple(sample for i, sample in enumerate(normals) if i in chosen),
    )


def _defect_samples(
    folders: Mapping[str, Path], mask_suffix: str | None
) -> tuple[tuple[Sample, ...], list[str]]:
    """Return the defect images, and the masks that belong to none of them."""
    if "abnormal_dir" not in folders:
        return (), []
    folder = folders["abnormal_dir"]
    files = image_files(folder, recursive=True, mask_suffix=mask_suffix)
    if not files:
        raise no_images(folder, "abnormal_dir")
    place = folders.get("mask_dir") if mask_suffix is None else folder
    masks = MaskFolder(place, recursive=True, suffix=mask_suffix) if place is not None else None
    samples = []
    for file in files:
        relative = PurePosixPath(nfc(file.path.relative_to(folder).as_posix()))
        samples.append(
            Sample(
                id=f"abnormal/{file.name}",
                label=DEFECT,
                image=file.path,
                mask=masks.find(file.name) if masks else None,
                defect_type=relative.parts[0] if len(relative.parts) > 1 else "defect",
            )
        )
    unused = masks.unused if masks else ()
    orphans = [path.relative_to(place or folder).as_posix() for path in unused]
    return tuple(samples), orphans

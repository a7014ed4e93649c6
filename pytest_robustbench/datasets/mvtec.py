"""The folder layout of MVTec AD, LOCO and AD 2.

::

    <category>/train/good/000.png
    <category>/validation/good/000.png              optional: calibration images
    <category>/test/good/000.png
    <category>/test/crack/000.png
    <category>/ground_truth/crack/000_mask.png      or 000.png, or a folder 000/ of masks (LOCO)

AD 2 calls the test folder ``test_public`` and keeps ``ground_truth`` in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import (
    image_files,
    nfc,
    no_images,
    required_folder,
    required_root,
    subfolders,
)
from pytest_robustbench.datasets.masks import MaskFolder, test_part_notes
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.errors import DatasetError, MissingDataError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    import os

GOOD = "good"
GROUND_TRUTH = "ground_truth"
TEST_FOLDERS = ("test", "test_public")


def load_mvtec(
    *,
    root: str | os.PathLike[str] | None = None,
    category: str | None = None,
    resize: tuple[int, int] | None = None,
) -> Split:
    """Read one category.

    Parameters
    ----------
    root : path-like
        Folder that holds the categories, or the category's own folder when `category` is not given.
    category : str, optional
        Name of the category's folder.
    resize : (int, int), optional
        Height and width.

    Returns
    -------
    Split
        ``validation/good``, where there is one, is its calibration part.

    Raises
    ------
    MissingDataError
        If the root does not exist, or holds no category at all.
    DatasetError
        If another folder is missing or empty, or a mask is ambiguous.
    """
    if root is None:
        raise DatasetError("the mvtec format needs `root`: the folder that holds the categories")
    folder = _category_folder(Path(root).expanduser(), category)
    test, orphans = _test_samples(folder)
    return Split(
        dataset="mvtec",
        category=nfc(folder.name),
        train=_normal_samples(folder, "train"),
        test=test,
        calibration=_normal_samples(folder, "validation")
        if (folder / "validation" / GOOD).is_dir()
        else (),
        resize=resize,
        root=str(root),
        notes=test_part_notes(test, orphans),
    )


def _category_folder(root: Path, category: str | None) -> Path:
    required_root(root)
    if category is None:
        if _is_category(root):
            return root.resolve()
        message = f"{root} is no category (it has no train folder): name one. {_found(root)}"
        raise DatasetError(message)
    folder = root / category
    if not _is_category(folder):
        message = (
            f"category {category!r} is not in {root}: {folder} has no train folder. "
            f"{_found(root, category)}"
        )
        # Beside other categories it is a name misspelt.
        absent = not (folder.exists() or _categories(root) or _is_category(root))
        raise (MissingDataError if absent else DatasetError)(message)
    return folder


def _is_category(folder: Path) -> bool:
    return (folder / "train").is_dir()


def _categories(root: Path) -> list[str]:
    return [folder.name for folder in subfolders(root) if _is_category(folder)]


def _found(root: Path, category: str | None = None) -> str:
    names = _categories(root)
    if not names:
        own = " (it is itself a category: leave `category` out)" if _is_category(root) else ""
        return f"No categories were found there{own}"
    listing = f"Categories there: {', '.join(names)}"
    hint = suggestion(category, names) if category else ""
    return f"{listing}; {hint}" if hint.startswith("did") else listing


def _normal_samples(folder: Path, part: str) -> tuple[Sample, ...]:
    good = required_folder(folder / part / GOOD, f"{part} images")
    files = image_files(good)
    if not files:
        raise no_images(good, f"{part} images")
    return tuple(Sample(f"{part}/{GOOD}/{file.name}", NORMAL, file.path) for file in files)


def _test_samples(folder: Path) -> tuple[tuple[Sample, ...], list[str]]:
    """Return the labelled samples, and the masks that belong to none of them."""
    test = next((folder / name for name in TEST_FOLDERS if (folder / name).is_dir()), None)
    if test is None:
        message = f"test images: {folder / TEST_FOLDERS[0]} does not exist"
        raise DatasetError(message)
    truth = next((p / GROUND_TRUTH for p in (folder, test) if (p / GROUND_TRUTH).is_dir()), None)
    truth = truth or folder / GROUND_TRUTH
    types = {nfc(path.name): path for path in subfolders(test) if path.name != GROUND_TRUTH}
    mask_folders = {nfc(path.name): MaskFolder(path) for path in subfolders(truth)}
    samples = tuple(
        sample
        for name, path in types.items()
        for sample in _typed_samples(path, f"{test.name}/{name}", name, mask_folders.get(name))
    )
    if not samples:
        raise no_images(test / "<defect>", "test images")
    orphans = [
        path.relative_to(folder).as_posix()
        for masks in mask_folders.values()
        for path in masks.unused
    ]
    return samples, orphans


def _typed_samples(
    folder: Path, prefix: str, defect_type: str, masks: MaskFolder | None
) -> list[Sample]:
    label = NORMAL if defect_type == GOOD else DEFECT
    return [
        Sample(
            id=f"{prefix}/{file.name}",
            label=label,
            image=file.path,
            mask=masks.find(nfc(file.path.stem)) if masks else None,
            defect_type=defect_type,
        )
        for file in image_files(folder)
    ]

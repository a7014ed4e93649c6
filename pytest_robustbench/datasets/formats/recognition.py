"""Which format a folder has, told by marks that no other format has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import image_files, subfolders
from pytest_robustbench.datasets.formats.folder_names import (
    DEFECT_NAMES,
    MASK_NAMES,
    TEST_NAMES,
    TRAIN_NAMES,
)
from pytest_robustbench.datasets.formats.kolektor import ITEM_FOLDER, is_second
from pytest_robustbench.datasets.formats.manifest import SUFFIX, only_manifest
from pytest_robustbench.datasets.formats.manifest_records import read_records
from pytest_robustbench.datasets.formats.mvtec_ad2 import PRIVATE, PUBLIC
from pytest_robustbench.datasets.formats.mvtec_loco import ANOMALIES, CONFIG
from pytest_robustbench.datasets.formats.visa import CONVERTED, IMAGES
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    Mark = Callable[[Path], bool]
    Recogniser = Callable[[Path, str | None], "Recognised | None"]


@dataclass(frozen=True)
class Recognised:
    """What a folder looks like.

    Parameters
    ----------
    format : str
        Name of the format.
    options : mapping of str to str or float
        Options of the format that the folder asks for.
    categories : tuple of str
        Categories in the folder; none if it is one itself, or the format has none. Where there
        are several pairs of plain folders, the folders that hold one each.
    """

    format: str
    options: Mapping[str, str | float] = field(default_factory=lambda: MappingProxyType({}))
    categories: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to write in place of a format that does not fit."""
        if self.format == "folder" and self.categories:
            names = ", ".join(self.categories)
            return (
                f"this folder looks like several data sets ({names}): say format: folder with one "
                "of them as root"
            )
        options = "".join(f", {name}: {value}" for name, value in self.options.items())
        return f"this folder looks like {self.format}: say format: {self.format}{options}"


def recognised_format(
    root: str | os.PathLike[str], category: str | None = None
) -> Recognised | None:
    """Tell the format of a folder by its marks; nothing is decoded.

    Parameters
    ----------
    root : path-like
        Folder of the data, or a manifest.
    category : str, optional
        Name of the category; if it is a folder in `root`, only that is looked at.

    Returns
    -------
    Recognised or None
        ``None`` if it has the marks of no format.

    Raises
    ------
    DatasetError
        If a folder cannot be listed.
    """
    place = Path(root).expanduser()
    if place.is_file():
        return _manifest_file(place)
    if not place.is_dir():
        return None
    answers = (recognise(place, category) for recognise in _RECOGNISERS)
    return next((answer for answer in answers if answer is not None), None)


def _kolektor(root: Path, category: str | None) -> Recognised | None:
    inner = root / category if category else root
    for folder in (inner, root):
        items = any(ITEM_FOLDER.fullmatch(path.name) for path in subfolders(folder))
        if items or all(is_second(folder / part) for part in ("train", "test")):
            return Recognised("kolektor", categories=(folder.name,) if folder != root else ())
    return None


def _visa(root: Path, category: str | None) -> Recognised | None:
    published = _of_categories("visa", lambda folder: (folder / IMAGES / "Normal").is_dir())
    found = published(root, category)
    if found is not None:
        return found
    converted = _of_categories("visa", _has_mvtec_marks)
    if {"visa_pytorch"} & set(root.resolve().parts):
        return converted(root, category)
    homes = [root / place for place in CONVERTED if place.startswith("visa_pytorch")]
    answers = (converted(home, category) for home in homes if home.is_dir())
    return next((answer for answer in answers if answer is not None), None)


def _has_btad_marks(folder: Path) -> bool:
    return (folder / "train/ok").is_dir() and any(
        (folder / "test" / label).is_dir() for label in ("ok", "ko")
    )


def _has_ad2_marks(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in (PUBLIC, *PRIVATE))


def _has_loco_marks(folder: Path) -> bool:
    return (folder / CONFIG).is_file() or any((folder / "test" / a).is_dir() for a in ANOMALIES)


def _has_mvtec_marks(folder: Path) -> bool:
    return (folder / "train/good").is_dir() and bool(subfolders(folder / "test"))


def _of_categories(name: str, mark: Mark) -> Recogniser:
    """Return a function that recognises a category, or a folder of them, by a mark."""

    def recognise(root: Path, category: str | None) -> Recognised | None:
        if category is not None and (root / category).is_dir():
            return Recognised(name, categories=(category,)) if mark(root / category) else None
        if mark(root):
            return Recognised(name)
        names = tuple(folder.name for folder in subfolders(root) if mark(folder))
        return Recognised(name, categories=names) if names else None

    return recognise


def _manifest(root: Path, category: str | None) -> Recognised | None:
    del category
    file = only_manifest(root)
    found = None if file is None else _manifest_file(file)
    if file is None or found is None:
        return None
    return replace(found, options=MappingProxyType({"manifest": file.name}))


def _manifest_file(file: Path) -> Recognised | None:
    if file.suffix.lower() != SUFFIX:
        return None
    try:
        records = read_records(file)
    except DatasetError:
        return None
    categories = sorted({record.category for record in records})
    return Recognised("manifest", categories=tuple(categories)) if records else None


def _folder(root: Path, category: str | None) -> Recognised | None:
    inner = [root / category] if category and (root / category).is_dir() else []
    for base in (*inner, root):
        options = _plain_folders(base, "" if base == root else f"{base.name}/")
        if options:
            return Recognised("folder", MappingProxyType(options))
    proposals = {path.name: _plain_folders(path, f"{path.name}/") for path in subfolders(root)}
    found = {name: options for name, options in proposals.items() if options}
    if len(found) > 1:
        return Recognised("folder", categories=tuple(found))
    return next((Recognised("folder", MappingProxyType(o)) for o in found.values()), None)


def _plain_folders(base: Path, prefix: str) -> dict[str, str | float]:
    """Return the options for folders such as good, bad and masks; empty where there are none."""
    names = {path.name.lower(): path for path in subfolders(base)}
    found = {
        option: path
        for option, known in (
            ("normal_dir", TRAIN_NAMES),
            ("test_dir", TEST_NAMES),
            ("abnormal_dir", DEFECT_NAMES),
            ("mask_dir", MASK_NAMES),
        )
        if (path := _first_with_images(names, known)) is not None
    }
    if "abnormal_dir" not in found or not {"normal_dir", "test_dir"} & set(found):
        return {}
    options: dict[str, str | float] = {o: f"{prefix}{path.name}" for o, path in found.items()}
    return options if "test_dir" in options else {**options, "test_fraction": 0.2}


def _first_with_images(names: Mapping[str, Path], known: Sequence[str]) -> Path | None:
    paths = (names[name] for name in known if name in names)
    return next((path for path in paths if image_files(path, recursive=True)), None)


# In this order: what is special goes before what is general.
_RECOGNISERS: tuple[Recogniser, ...] = (
    _kolektor,
    _visa,
    _of_categories("btad", _has_btad_marks),
    _of_categories("mvtec_ad2", _has_ad2_marks),
    _of_categories("mvtec_loco", _has_loco_marks),
    _of_categories("mvtec", _has_mvtec_marks),
    _manifest,
    _folder,
)

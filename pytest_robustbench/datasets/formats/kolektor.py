"""The folder layouts of KolektorSDD and KolektorSDD2, in which the masks are the labels.

::

    <root>/kos01/Part0.jpg            KolektorSDD: one folder for each item
    <root>/kos01/Part0_label.bmp

    <root>/train/10000.png            KolektorSDD2
    <root>/train/10000_GT.png
    <root>/test/20000.png
    <root>/test/20000_GT.png

A black mask means that the image is normal, so the masks are decoded while images are listed.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_robustbench.datasets.files import (
    flat_image_files,
    image_files,
    nfc,
    no_images,
    subfolders,
)
from pytest_robustbench.datasets.formats.groups import DEFAULT_FRACTION, drawn_groups
from pytest_robustbench.datasets.formats.recognition import Recognised
from pytest_robustbench.datasets.notes import defects_left_out, notes_on_test_part, unread_files
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ITEM_FOLDER = re.compile(r"kos\d+", re.IGNORECASE)
ITEM_MASK = "_label"
SECOND_MASK = "_GT"
# The published archive of KolektorSDD2 holds one image and its mask twice, under these names.
STRAY_COPIES = ("10301 (copy)", "10301_GT (copy)")


class Labelled(NamedTuple):
    """What one folder of images and masks holds: samples, and masks that belong to none."""

    samples: tuple[Sample, ...]
    orphans: tuple[str, ...]


def load_kolektor(
    *,
    root: Path,
    category: str | None = None,
    test_fraction: float | None = None,
    seed: int = 0,
) -> Split:
    """Read KolektorSDD or KolektorSDD2, whichever lies there.

    KolektorSDD has no published train and test part. Normal images are drawn into them item by
    item, all images of an item into the same part. Defect images all go into the test part; nearly
    every item has one, so the test part also shows defects of items that were trained on.

    Parameters
    ----------
    root : path-like
        The folder of the data set, or one that holds it as `category`.
    category : str, optional
        Name of the folder below `root`, if there is one; otherwise only a name for reports.
    test_fraction : float, optional
        KolektorSDD: share of the normal images that is tested on, 0.2 by default.
    seed : int
        Seed of that draw.

    Raises
    ------
    MissingDataError
        If the root does not exist.
    DatasetError
        If the folder is of neither layout, an image has no mask, a mask cannot be decoded, or an
        option does not fit.
    """
    folder = root / category if category and (root / category).is_dir() else root
    name = nfc(category or folder.resolve().name)
    items = [path for path in subfolders(folder) if ITEM_FOLDER.fullmatch(path.name)]
    notes = _only_a_name(category, folder)
    if items:
        fraction = DEFAULT_FRACTION if test_fraction is None else test_fraction
        split = _first_split(folder, items, name, fraction, seed)
    else:
        _check_second(folder, test_fraction)
        split = _second_split(folder, name)
    return replace(split, notes=(*split.notes, *notes))


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise KolektorSDD by its folders of items, KolektorSDD2 by its names of masks."""
    inner = root / category if category else root
    for folder in (inner, root):
        items = any(ITEM_FOLDER.fullmatch(path.name) for path in subfolders(folder))
        if items or all(_is_second(folder / part) for part in ("train", "test")):
            return Recognised("kolektor", categories=(folder.name,) if folder != root else ())
    return None


def _only_a_name(category: str | None, folder: Path) -> tuple[str, ...]:
    if category is None or nfc(category) == nfc(folder.resolve().name):
        return ()
    return (f"category {category!r} is no folder of {folder}: reports call the data so",)


def _first_split(root: Path, items: Sequence[Path], name: str, fraction: float, seed: int) -> Split:
    folders = {path.name: _labelled(path, f"{nfc(path.name)}/", ITEM_MASK) for path in items}
    samples = [replace(s, group=item) for item, found in folders.items() for s in found.samples]
    normals = [sample for sample in samples if sample.label == NORMAL]
    drawn = drawn_groups([str(sample.group) for sample in normals], fraction, seed)
    if not drawn:
        raise DatasetError(
            f"{root}: a test part is drawn by item, which needs normal images of two or more"
        )
    test = tuple(s for s in samples if s.label == DEFECT or s.group in drawn)
    train = tuple(s for s in samples if s.label == NORMAL and s.group not in drawn)
    orphans = [orphan for found in folders.values() for orphan in found.orphans]
    empty = [item for item, found in folders.items() if not found.samples]
    return Split(
        dataset="kolektor",
        category=name,
        train=train,
        test=test,
        root=str(root),
        notes=(
            *notes_on_test_part(test, orphans, empty),
            *_shared_items(train, test),
            *unread_files(root, items),
        ),
    )


def _shared_items(train: Sequence[Sample], test: Sequence[Sample]) -> tuple[str, ...]:
    shared = {sample.group for sample in train} & {sample.group for sample in test}
    if not shared:
        return ()
    return (f"items with normal train images and defect test images: {len(shared)}",)


def _check_second(folder: Path, test_fraction: float | None) -> None:
    for part in ("train", "test"):
        if not _is_second(folder / part):
            raise DatasetError(
                f"{folder} is neither KolektorSDD (folders kos01, kos02, ...) nor KolektorSDD2 "
                f"(folders train and test with NNNNN.png and NNNNN{SECOND_MASK}.png): {part} has "
                "no such masks"
            )
    if test_fraction is not None:
        raise DatasetError("KolektorSDD2 has a published test part; leave test_fraction out")


def _is_second(part: Path) -> bool:
    """Tell whether a folder holds masks named as KolektorSDD2 does."""
    return part.is_dir() and any(file.path.stem.endswith(SECOND_MASK) for file in image_files(part))


def _second_split(folder: Path, name: str) -> Split:
    parts = {part: _labelled(folder / part, f"{part}/", SECOND_MASK) for part in ("train", "test")}
    train, test = parts["train"].samples, parts["test"].samples
    for part, found in parts.items():
        if not found.samples:
            raise no_images(folder / part, f"{part} images")
    orphans = [*parts["train"].orphans, *parts["test"].orphans]
    return Split(
        dataset="kolektor",
        category=name,
        train=tuple(sample for sample in train if sample.label == NORMAL),
        test=test,
        root=str(folder),
        notes=(
            *defects_left_out(train),
            *notes_on_test_part(test, orphans),
            *unread_files(folder, [folder / part for part in parts]),
        ),
    )


def _labelled(folder: Path, prefix: str, suffix: str) -> Labelled:
    """List the images of one folder; `suffix` ends the name of a mask."""
    listing = flat_image_files(folder, "images")
    files = [file for file in listing if file.path.stem not in STRAY_COPIES]
    masks = {nfc(f.path.stem): f.path for f in files if f.path.stem.endswith(suffix)}
    images = [file for file in files if not file.path.stem.endswith(suffix)]
    own = {file.path: f"{nfc(file.path.stem)}{suffix}" for file in images}
    for path, mask in own.items():
        if mask not in masks:
            raise DatasetError(
                f"{path} has no mask {mask}, so nobody knows whether it is normal: add the mask "
                "(black for a normal image), or take the image away"
            )
    with ThreadPoolExecutor(processors()) as pool:
        defective = list(pool.map(_marks_a_defect, [masks[own[file.path]] for file in images]))
    samples = tuple(
        Sample(f"{prefix}{file.name}", DEFECT, file.path, masks[own[file.path]], "defect")
        if defect
        else Sample(f"{prefix}{file.name}", NORMAL, file.path)
        for file, defect in zip(images, defective, strict=True)
    )
    unused = sorted(set(masks) - set(own.values()))
    return Labelled(samples, tuple(f"{prefix}{masks[name].name}" for name in unused))


def _marks_a_defect(mask: Path) -> bool:
    from pytest_robustbench.datasets.pictures.mask_pixels import read_mask

    try:
        return bool(read_mask(mask).pixels.any())
    except DatasetError as error:
        raise DatasetError(
            f"mask {error}; without it nobody knows whether its image is normal"
        ) from error

"""Categories whose folders name the part and the label of every image, as MVTec AD began it.

::

    <category>/train/good/000.png
    <category>/validation/good/000.png              optional: calibration images
    <category>/test/good/000.png
    <category>/test/crack/000.png
    <category>/ground_truth/crack/000_mask.png      or 000.png, or a folder 000/ of masks

Masks may also lie beside their images (``test/crack/000_mask.png``), or images and masks in a
folder each below those (``test/crack/rgb/000.png``, ``test/crack/gt/000.png``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import (
    flat_image_files,
    image_files,
    nfc,
    no_images,
    required_folder,
    subfolders,
)
from pytest_robustbench.datasets.formats.images import means_normal
from pytest_robustbench.datasets.notes import counted, notes_on_test_part, unread_files
from pytest_robustbench.datasets.pictures.masks import MaskFolder
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.errors import DatasetError, MissingDataError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from pathlib import Path

GROUND_TRUTH = "ground_truth"


@dataclass(frozen=True)
class TreeLayout:
    """How one format names the folders of a category.

    Parameters
    ----------
    format : str
        Name of the format.
    good : str
        Folder of the normal images of each part.
    tests : tuple of str
        Folders that may hold the test part; the first that exists does. Masks lie in
        ``ground_truth`` beside it or in it.
    types : tuple of str, optional
        The only folders the test part may have; any by default.
    images, masks : str
        Folders below those of labels that hold the images, and their masks; none by default.
    mask_suffix : str, optional
        Masks lie beside their images, and their names end so.
    """

    format: str
    good: str = "good"
    tests: tuple[str, ...] = ("test",)
    types: tuple[str, ...] | None = None
    images: str = ""
    masks: str = ""
    mask_suffix: str | None = None

    def beside(self, folder: Path) -> MaskFolder | None:
        """Return the masks that lie in the folder of a label, where this layout has them there."""
        if self.mask_suffix is None and not self.masks:
            return None
        return MaskFolder(folder / self.masks, suffix=self.mask_suffix)

    def samples(
        self, folder: Path, prefix: str, role: str, defect_type: str, masks: MaskFolder | None
    ) -> list[Sample]:
        """List the images of one label; ``good`` is that of normal ones."""
        place = required_folder(folder / self.images, role) if self.images else folder
        return [
            Sample(
                id=f"{prefix}/{file.name}",
                label=NORMAL if defect_type == "good" else DEFECT,
                image=file.path,
                mask=masks.find(file.name) if masks else None,
                defect_type=defect_type,
            )
            for file in flat_image_files(place, role, self.mask_suffix)
        ]


def read_tree(layout: TreeLayout, root: Path, category: str | None) -> Split:
    """Read one category.

    Parameters
    ----------
    layout : TreeLayout
        Names of the folders.
    root : Path
        Folder that holds the categories, or the category's own folder when `category` is not given.
    category : str, optional
        Name of the category's folder.

    Returns
    -------
    Split
        ``validation/<good>``, where there is one, is its calibration part.

    Raises
    ------
    MissingDataError
        If the root does not exist, or holds no category at all.
    DatasetError
        If another folder is missing, empty or not of this layout, an image lies where no part
        would find it, or a mask is ambiguous.
    """
    folder = category_folder(root, category)
    test, notes = _test_samples(folder, layout)
    return Split(
        dataset=layout.format,
        category=nfc(folder.name),
        train=_normal_samples(folder, "train", layout),
        test=test,
        calibration=_normal_samples(folder, "validation", layout)
        if (folder / "validation" / layout.good).is_dir()
        else (),
        root=str(root),
        notes=(*notes, *_beside_normal(folder, layout.good)),
    )


def category_folder(root: Path, category: str | None) -> Path:
    """Return the folder of a category: one that has a train folder.

    Raises
    ------
    MissingDataError
        If the root holds no category at all.
    DatasetError
        If the category is not among those that are there.
    """
    if category is None:
        if is_category(root):
            return root.resolve()
        raise DatasetError(
            f"{root} is no category (it has no train folder): name one. {_found(root)}"
        )
    folder = root / category
    if not is_category(folder):
        message = (
            f"category {category!r} is not in {root}: {folder} has no train folder. "
            f"{_found(root, category)}"
        )
        # Beside other categories it is a name misspelt.
        absent = not (folder.exists() or _categories(root) or is_category(root))
        raise (MissingDataError if absent else DatasetError)(message)
    return folder


def is_category(folder: Path) -> bool:
    """Tell whether `folder` has a train folder."""
    return (folder / "train").is_dir()


def _categories(root: Path) -> list[str]:
    return [folder.name for folder in subfolders(root) if is_category(folder)]


def _found(root: Path, category: str | None = None) -> str:
    names = _categories(root)
    if not names:
        own = " (it is itself a category: leave `category` out)" if is_category(root) else ""
        return f"No categories were found there{own}"
    listing = f"Categories there: {', '.join(names)}"
    hint = suggestion(category, names) if category else ""
    return f"{listing}; {hint}" if hint.startswith("did") else listing


def _normal_samples(folder: Path, part: str, layout: TreeLayout) -> tuple[Sample, ...]:
    role, good = f"{part} images", required_folder(folder / part / layout.good, f"{part} images")
    prefix = f"{part}/{layout.good}"
    samples = layout.samples(good, prefix, role, "good", layout.beside(good))
    if not samples:
        raise no_images(good / layout.images, role)
    return tuple(samples)


def _beside_normal(folder: Path, good_name: str) -> tuple[str, ...]:
    """Say which images of the train and validation parts are not used, and why."""
    parts = [part for part in (folder / "train", folder / "validation") if part.is_dir()]
    beside = [
        path for part in parts for path in (part, *subfolders(part)) if path.name != good_name
    ]
    lost = [file.path for place in beside for file in image_files(place)]
    names = [path.relative_to(folder).as_posix() for path in lost]
    unread = unread_files(folder, [part / good_name for part in parts])
    return (*counted(f"images of these parts outside {good_name} left out", names), *unread)


def _test_samples(folder: Path, layout: TreeLayout) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
    """Return the labelled samples, and what a reader should know about them."""
    test = _test_folder(folder, layout)
    types = {nfc(path.name): path for path in subfolders(test) if path.name != GROUND_TRUTH}
    _check_types(test, types, layout)
    _check_labelled(test, layout)
    truth = _truth_folder(folder, test)
    truths = {nfc(path.name): MaskFolder(path) for path in subfolders(truth)}
    beside = {name: layout.beside(path) for name, path in types.items()}
    masks = truths | {name: found for name, found in beside.items() if found is not None}
    by_type = {
        name: layout.samples(
            path,
            f"{test.name}/{name}",
            "test images",
            "good" if name == layout.good else name,
            masks.get(name),
        )
        for name, path in types.items()
    }
    samples = tuple(sample for found in by_type.values() for sample in found)
    if not samples:
        raise no_images(test / "<defect>", "test images")
    # A mask beside the folders of types is looked for by no image.
    loose = [file.path for file in image_files(truth)] if truth.is_dir() else []
    unused = [*loose, *(path for found in masks.values() for path in found.unused)]
    orphans = [path.relative_to(folder).as_posix() for path in unused]
    empty = [f"{test.name}/{name}" for name, found in by_type.items() if not found]
    places = [test, *types.values(), truth, *subfolders(truth)]
    notes = notes_on_test_part(samples, orphans, empty)
    return samples, (*notes, *unread_files(folder, places))


def _test_folder(folder: Path, layout: TreeLayout) -> Path:
    test = next((folder / name for name in layout.tests if (folder / name).is_dir()), None)
    if test is None:
        raise DatasetError(f"test images: {folder / layout.tests[0]} does not exist")
    return test


def _check_types(test: Path, types: dict[str, Path], layout: TreeLayout) -> None:
    if layout.types is None:
        _check_no_other_normal(test, types, layout)
        return
    other = [name for name in types if name not in layout.types]
    if other:
        raise DatasetError(
            f"test images: {test / other[0]} does not belong to {layout.format}, whose test part "
            f"has only {', '.join(layout.types)}"
        )


def _check_no_other_normal(test: Path, types: dict[str, Path], layout: TreeLayout) -> None:
    """Refuse a folder that would be a type of defect, though its name says that it is none."""
    for name in types:
        if name != layout.good and means_normal(name):
            raise DatasetError(
                f"test images: {test / name} is called like normal images, but in {layout.format} "
                f"only {layout.good!r} holds those and every other folder is a type of defect; "
                f"rename it to {layout.good}, or after the defect that it shows"
            )


def _check_labelled(test: Path, layout: TreeLayout) -> None:
    loose = image_files(test)
    if loose:
        raise DatasetError(
            f"test images: {loose[0].path} lies beside the folders that label images "
            f"({len(loose)} such); move it into {layout.good}, or a folder called after its defect"
        )


def _truth_folder(folder: Path, test: Path) -> Path:
    places = (folder / GROUND_TRUTH, test / GROUND_TRUTH)
    return next((place for place in places if place.is_dir()), places[0])

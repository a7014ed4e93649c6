"""Pictures that are masks of the pictures beside them, told by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import image_files, mask_files, nfc
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_MARK = r"masks?|gts?|ground[-_ ]?truths?|labels?|lbl|seg(?:s|m|mentations?)?|anno(?:tation)?s?"
_HINT = re.compile("mask|gt|truth|label|lbl|seg|anno")
_AFTER = re.compile(rf"(?P<of>.+?)[-_. ]?(?:{_MARK})(?:[-_. ]?\d+)?")
_BEFORE = re.compile(rf"(?:{_MARK})[-_. ](?P<of>.+)")
_FOLDER = re.compile(rf"(?:{_MARK})|.+[-_. ](?:masks?|gts?|ground[-_ ]?truths?)")
_LOSSY = (".jpg", ".jpeg")
_REMEDY = (
    "Declare masks as such (mask_suffix: {suffix}, or mask_dir; mask_path in a manifest), take "
    "them out, or rename what is a picture of a part"
)


def masks_beside(paths: Iterable[Path]) -> dict[Path, Path]:
    """Return the pictures that are masks by their names, each with the one that it belongs to.

    The mask of ``000.jpg`` is called ``000_mask``, ``000_gt``, ``mask_000`` or the like, or has
    another suffix alone (``000.png``), and lies in the same folder.
    """
    folders: defaultdict[Path, defaultdict[str, list[Path]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for path in dict.fromkeys(paths):
        folders[path.parent][_folded(path.stem)].append(path)
    found: dict[Path, Path] = {}
    for stems in folders.values():
        for stem, same in stems.items():
            if len(same) > 1:
                image, *others = sorted(same, key=_lossless)
                found.update(dict.fromkeys(others, image))
            marked = _unmarked(stem) if _HINT.search(stem) else ()
            of = next((other for other in marked if other in stems), None)
            if of is not None:
                found.update(dict.fromkeys(same, stems[of][0]))
    return found


def suffix_beside(folders: Iterable[Path]) -> str | None:
    """Return the `mask_suffix` of the images below `folders`, where masks lie beside them."""
    return _common_suffix(
        masks_beside(file.path for f in folders for file in image_files(f, recursive=True))
    )


def check_mask_suffix(suffix: str | None, folders: Sequence[Path]) -> None:
    """Refuse a `mask_suffix` that no mask below `folders` has: it would do nothing.

    Raises
    ------
    DatasetError
        Also if it is empty.
    """
    if suffix is None:
        return
    if not suffix.strip() or not any(mask_files(f, suffix, recursive=True) for f in folders):
        names = ", ".join(map(str, folders))
        raise DatasetError(
            f"mask_suffix: no mask below {names} has a name that ends in {suffix!r}; give what "
            "follows the image's name in that of its mask, such as _mask, _mask.png, or .png where "
            "000.jpg has the mask 000.png"
        )


def _common_suffix(masks: Mapping[Path, Path]) -> str | None:
    """Return what follows the name of an image in that of its mask, where it is always the same.

    ``_mask`` of ``000.png`` and ``000_mask.png``; ``.png`` of ``000.jpg`` and ``000.png``.
    """
    ends = {_suffix(mask, image) for mask, image in masks.items()}
    (only,) = ends if len(ends) == 1 else (None,)
    return only


def check_no_masks(name: str, images: Collection[Path], masked: Collection[Path] = ()) -> None:
    """Refuse pictures of parts that are masks by their names.

    A folder that all of them lie in may have any name: there are parts that are labels, or masks.

    Parameters
    ----------
    name : str
        What the data are called, for the message.
    images : collection of Path
        Every picture of a part.
    masked : collection of Path
        Those that have masks themselves, so that the name of their folder is only a name.

    Raises
    ------
    DatasetError
        Naming the files, and what to declare.
    """
    beside = masks_beside(images)
    inside = {p: part for p, part in _in_folders_of_masks(images) if p not in masked}
    names = [f"{mask} beside {image.name}" for mask, image in beside.items()]
    names += [f"{path} in a folder {part}" for path, part in inside.items() if path not in beside]
    if names:
        raise DatasetError(
            f"{name}: {len(names)} of the pictures are masks, or copies, of others by their names "
            f"({listed(names)}). {_REMEDY.format(suffix=_common_suffix(beside) or '_mask')}"
        )


def _lossless(path: Path) -> tuple[bool, str]:
    return path.suffix.lower() not in _LOSSY, path.name


def _folded(text: str) -> str:
    return nfc(text).casefold()


def _unmarked(stem: str) -> Iterator[str]:
    """Yield what is left of a name without what says that it is a mask."""
    for pattern in (_AFTER, _BEFORE):
        rest = pattern.fullmatch(stem)
        while rest is not None:
            yield rest["of"]
            rest = pattern.fullmatch(rest["of"])


def _suffix(mask: Path, image: Path) -> str | None:
    if _folded(mask.stem) == _folded(image.stem):
        # Of two files without losses, nobody can tell which one is the mask.
        return mask.suffix if image.suffix.lower() in _LOSSY else None
    return mask.stem[len(image.stem) :] if mask.stem.startswith(image.stem) else None


def _in_folders_of_masks(images: Collection[Path]) -> Iterator[tuple[Path, str]]:
    parents = {image.parent for image in images}
    telling = {parent: part for parent, part in _telling_parts(parents) if part is not None}
    yield from ((image, telling[image.parent]) for image in images if image.parent in telling)


def _telling_parts(folders: Collection[Path]) -> Iterator[tuple[Path, str | None]]:
    """Yield each folder with what in its way from the common one is a name for masks."""
    places = {folder: folder.absolute().parts for folder in folders}
    levels = zip(*places.values(), strict=False)
    common = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    for folder, parts in places.items():
        named = (part for part in parts[common:] if _FOLDER.fullmatch(_folded(part)))
        yield folder, next(named, None)

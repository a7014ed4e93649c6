"""Pictures that are masks of the pictures beside them, told by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import IMAGE_SUFFIXES, image_files, mask_files, nfc
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_SURE = r"masks?|gts?|groundtruths?"
_MARK = rf"{_SURE}|labels?|lbl|seg(?:s|m|mentations?)?|anno(?:tation)?s?"
_PHOTO = r"images?|imgs?|rgb|photos?|pictures?|pics?|raw|orig(?:inal)?|sat|colou?r|gr[ae]y"
_HINT = re.compile("mask|gt|truth|label|lbl|seg|anno")
_TRUTH = re.compile("ground[-_ ]truth")
_GLUED = re.compile(rf"(?<=[a-z])(?=(?:{_MARK})(?![a-z]))")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_FOLDER = re.compile(
    rf"(?:{_MARK})(?:class|object)?|.+[-_. ](?:{_SURE})"
    rf"|(?:{_SURE})[-_. ](?:binary|images?|png|bmp|tiff?|jpe?g)"
)
_LOSSY = (".jpg", ".jpeg")
_REMEDY = (
    "Declare masks as such ({options}; mask_path in a manifest), take them out, or rename what is "
    "a picture of a part"
)


def masks_beside(paths: Iterable[Path]) -> dict[Path, Path]:
    """Return the pictures that are masks by their names, each with the one that it belongs to.

    The mask of ``000.jpg`` is called ``000_mask``, ``000_gt``, ``mask_000`` or the like, that of
    ``000_image`` or ``image_000`` the same, or it has another suffix alone (``000.png``), and lies
    in the same folder.
    """
    folders: defaultdict[Path, defaultdict[str, list[Path]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for path in dict.fromkeys(paths):
        folders[path.parent][_stem(path)].append(path)
    found: dict[Path, Path] = {}
    for stems in folders.values():
        for same in stems.values():
            image, *others = sorted(same, key=_lossless)
            found.update(dict.fromkeys(others, image))
        found.update(_marked(stems))
    return found


def _marked(stems: Mapping[str, Sequence[Path]]) -> Iterator[tuple[Path, Path]]:
    """Yield the files of one folder whose names say masks, each with its image."""
    marked = {stem: words for stem in stems if _HINT.search(stem) for words in (_words(stem),)}
    marked = {stem: words for stem, words in marked.items() if any(map(_is_mark, words))}
    if not marked:
        return
    images: dict[tuple[str, ...], Path] = {}
    for stem in stems.keys() - marked.keys():
        for name in (_words(stem), _without_photo(_words(stem))):
            images.setdefault(name, stems[stem][0])
    for stem, words in marked.items():
        image = next((images[name] for name in _unmarked(words) if name in images), None)
        if image is not None:
            yield from ((path, image) for path in stems[stem])


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


def _options(beside: Mapping[Path, Path]) -> str:
    suffix = _common_suffix(beside)
    return (
        "mask_dir"
        if beside and suffix is None
        else f"mask_suffix: {suffix or '_mask'}, or mask_dir"
    )


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
            f"({listed(names)}). {_REMEDY.format(options=_options(beside))}"
        )


def _lossless(path: Path) -> tuple[bool, str]:
    return path.suffix.lower() not in _LOSSY, path.name


def _folded(text: str) -> str:
    return nfc(text).casefold()


def _stem(path: Path) -> str:
    """Return the name of a file without ``.png``, and without ``.jpg`` of ``000.jpg.png``."""
    name = _folded(path.stem)
    return name.removesuffix(next((end for end in IMAGE_SUFFIXES if name.endswith(end)), ""))


def _words(stem: str) -> tuple[str, ...]:
    """Return the words and numbers of a name: ``part``, ``0`` and ``mask`` of ``part0mask``."""
    return tuple(_WORD.findall(_GLUED.sub(" ", _TRUTH.sub("groundtruth", stem))))


def _is_mark(word: str) -> bool:
    return re.fullmatch(_MARK, word) is not None


def _without_photo(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if not re.fullmatch(_PHOTO, word))


def _unmarked(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield what the image of a mask may be called: what is left without what says mask."""
    rest = tuple(word for word in words if not _is_mark(word))
    yield from (rest, _without_photo(rest))
    if rest and words[-1].isdecimal() and _is_mark(words[-2]):  # one of several masks
        yield rest[:-1]
    sure = (at for at, word in enumerate(words) if re.fullmatch(_SURE, word))
    yield from (words[:end] for end in range(next(sure, 0), 0, -1))


def _suffix(mask: Path, image: Path) -> str | None:
    if _folded(mask.stem) == _folded(image.stem):
        # Of two files without losses, nobody can tell which one is the mask.
        return mask.suffix if image.suffix.lower() in _LOSSY else None
    if mask.name.startswith(image.name):  # 000.jpg.png of 000.jpg
        return mask.name[len(image.stem) :]
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
        named = (part for part in parts[common:] if _says_masks(part))
        yield folder, next(named, None)


def _says_masks(folder: str) -> bool:
    return _FOLDER.fullmatch(_TRUTH.sub("groundtruth", _folded(folder))) is not None

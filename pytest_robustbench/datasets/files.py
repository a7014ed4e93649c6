"""Image files in folders: found, sorted and named in the same way on every machine."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.errors import DatasetError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
UNREAD_SUFFIXES = (
    *(".webp", ".gif", ".jp2", ".j2k", ".jfif", ".jpe", ".jxl", ".avif", ".heic", ".heif", ".dib"),
    *(".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".exr", ".hdr", ".dng"),
)
"""Suffixes of images that are not listed: a note counts such files, so that none is lost unseen."""

_CLUTTER = re.compile(
    r"\..*|@eadir|@__thumb|#recycle|#snapshot|\$recycle\.bin|system volume information|lost\+found"
    r"|__macosx|thumbs\.db|thumbnails|desktop\.ini",
    re.IGNORECASE,
)
"""What systems, network storages and viewers leave behind, such as ``@eaDir`` and ``._0.png``."""


@dataclass(frozen=True)
class ImageFile:
    """One image file.

    Parameters
    ----------
    path : Path
        Where it lies.
    name : str
        Its path below the listed folder: posix, NFC-normalised, without suffix.
    """

    path: Path
    name: str


def image_files(
    folder: Path, *, recursive: bool = False, mask_suffix: str | None = None
) -> tuple[ImageFile, ...]:
    """List the images in `folder`, sorted by their normalised relative path.

    Hidden files and folders, thumbnails, and files that are no images by their suffix, are left
    out; also masks, whose names end in `mask_suffix`.

    Raises
    ------
    DatasetError
        If `folder` is not a readable folder.
    """
    # macOS hands out decomposed (NFD) names, Linux whatever was written: NFC makes ids portable.
    found = sorted(
        (nfc(path.relative_to(folder).as_posix()), path)
        for path in _walk(folder, recursive, IMAGE_SUFFIXES)
        if not is_mask(path, mask_suffix)
    )
    return tuple(ImageFile(path, _without_suffix(relative)) for relative, path in found)


def mask_files(folder: Path, mask_suffix: str, *, recursive: bool = False) -> tuple[Path, ...]:
    """List the masks that lie beside the images of `folder`, sorted."""
    found = _walk(folder, recursive, IMAGE_SUFFIXES)
    return tuple(sorted(path for path in found if is_mask(path, mask_suffix)))


def is_mask(path: Path, mask_suffix: str | None) -> bool:
    """Tell whether a file is a mask by the end of its name: ``_mask``, ``_mask.png``, ``.png``."""
    if mask_suffix is None:
        return False
    name, end = nfc(path.name).casefold(), nfc(mask_suffix).casefold()
    return (name if end.endswith(IMAGE_SUFFIXES) else _without_suffix(name)).endswith(end)


def is_clutter(name: str) -> bool:
    """Tell whether a file or folder of this name is hidden, a thumbnail, or a system's own."""
    return _CLUTTER.fullmatch(name) is not None


def flat_image_files(
    folder: Path, role: str, mask_suffix: str | None = None
) -> tuple[ImageFile, ...]:
    """List the images in `folder`, a place where no image lies any deeper.

    Raises
    ------
    DatasetError
        If there is one in a subfolder, where it would be lost unseen; or `folder` cannot be listed.
    """
    for nested in subfolders(folder):
        found = image_files(nested, recursive=True)
        if found:
            raise DatasetError(
                f"{role}: the subfolder {nested} holds images ({len(found)}), which nobody would "
                f"see; move pictures of parts into {folder} itself, all others out of the data"
            )
    return image_files(folder, mask_suffix=mask_suffix)


def unread_images(folder: Path, *, recursive: bool = False) -> tuple[Path, ...]:
    """List the files in `folder` that are images of a format that is not read, sorted.

    None when it does not exist.
    """
    if not folder.is_dir():
        return ()
    return tuple(sorted(_walk(folder, recursive, UNREAD_SUFFIXES)))


def subfolders(folder: Path) -> tuple[Path, ...]:
    """List the visible folders in `folder`, sorted by name; none when it does not exist."""
    if not folder.is_dir():
        return ()
    return tuple(
        sorted((path for path in _visible(folder) if path.is_dir()), key=lambda p: nfc(p.name))
    )


def required_root(path: Path) -> Path:
    """Return `path`, the root of a dataset.

    Raises
    ------
    MissingDataError
        If it does not exist: the data are not on this machine.
    DatasetError
        If it is a file.
    """
    if not path.exists():
        raise MissingDataError(f"root of the dataset: {path} does not exist")
    return required_folder(path, "root of the dataset")


def required_folder(path: Path, role: str) -> Path:
    """Return `path`, a folder inside a dataset that is there: its absence is a mistake.

    Raises
    ------
    DatasetError
        If it does not exist, or is a file.
    """
    if not path.exists():
        raise DatasetError(f"{role}: {path} does not exist")
    if not path.is_dir():
        raise DatasetError(f"{role}: {path} is a file, not a folder")
    return path


def nfc(text: str) -> str:
    """Return `text` in Unicode's composed normal form; bytes that are no UTF-8 are spelt out."""
    known = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return unicodedata.normalize("NFC", known)


def no_images(folder: Path, role: str) -> DatasetError:
    """Return the error for a folder that should hold images and holds none."""
    unread = unread_images(folder, recursive=True)
    remedy = f"; convert {unread[0].name} and its like to png" if unread else ""
    message = f"{role}: no image in {folder} (looked for {', '.join(IMAGE_SUFFIXES)}){remedy}"
    return DatasetError(message)


def _walk(
    folder: Path, recursive: bool, suffixes: Sequence[str], above: tuple[Path, ...] = ()
) -> Iterator[Path]:
    for path in _visible(folder):
        if path.is_dir():
            if recursive:
                _refuse_way_back(path, folder, above)
                yield from _walk(path, recursive, suffixes, (*above, folder))
        elif path.suffix.lower() in suffixes:
            yield path


def _refuse_way_back(link: Path, folder: Path, above: tuple[Path, ...]) -> None:
    """Refuse a link to a folder that it lies in: walked along, it never ends."""
    if not link.is_symlink():
        return
    end = link.resolve()
    if any(one.resolve().is_relative_to(end) for one in (folder, *above)):
        raise DatasetError(f"{link} is a link to {end}, which it lies in; take it out of the data")


def _visible(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not is_clutter(path.name)]
    except OSError as error:
        raise DatasetError(f"{folder} cannot be listed: {error.strerror or error}") from error


def _without_suffix(relative: str) -> str:
    return relative[: relative.rindex(".")]

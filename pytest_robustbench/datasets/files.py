"""Image files in folders: found, sorted and named in the same way on every machine."""

from __future__ import annotations

import unicodedata
from collections import Counter
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


@dataclass(frozen=True)
class ImageFile:
    """One image file.

    Parameters
    ----------
    path : Path
        Where it lies.
    name : str
        Its path below the listed folder: posix, NFC-normalised, without suffix unless two files
        differ only in their suffix.
    """

    path: Path
    name: str


def image_files(folder: Path, *, recursive: bool = False) -> tuple[ImageFile, ...]:
    """List the images in `folder`, sorted by their normalised relative path.

    Hidden files and folders, and files that are no images by their suffix, are left out.

    Raises
    ------
    DatasetError
        If `folder` is not a readable folder.
    """
    # macOS hands out decomposed (NFD) names, Linux whatever was written: NFC makes ids portable.
    found = sorted(
        (nfc(path.relative_to(folder).as_posix()), path)
        for path in _walk(folder, recursive, IMAGE_SUFFIXES)
    )
    stems = Counter(_without_suffix(relative) for relative, _ in found)
    return tuple(
        ImageFile(path, stem if stems[stem := _without_suffix(relative)] == 1 else relative)
        for relative, path in found
    )


def flat_image_files(folder: Path, role: str) -> tuple[ImageFile, ...]:
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
                f"see; move them into {folder} itself, or out of the data"
            )
    return image_files(folder)


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


def _walk(folder: Path, recursive: bool, suffixes: Sequence[str]) -> Iterator[Path]:
    for path in _visible(folder):
        if path.is_dir():
            if recursive:
                yield from _walk(path, recursive, suffixes)
        elif path.suffix.lower() in suffixes:
            yield path


def _visible(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise DatasetError(f"{folder} cannot be listed: {error.strerror or error}") from error


def _without_suffix(relative: str) -> str:
    return relative[: relative.rindex(".")]

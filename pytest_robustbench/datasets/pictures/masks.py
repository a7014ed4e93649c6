"""Which mask file belongs to which image file."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import (
    IMAGE_SUFFIXES,
    image_files,
    mask_files,
    nfc,
    subfolders,
)
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class MaskFolder:
    """The masks of one folder, found by the name of their image.

    The mask of ``000.png`` is ``000_mask`` or ``000`` with any image suffix, or a folder ``000`` of
    masks, one per defect (MVTec LOCO).

    Parameters
    ----------
    folder : Path
        Where the masks lie; it need not exist.
    recursive : bool
        Whether masks lie in subfolders as their images do; then no folder is a mask.
    suffix : str, optional
        Where the masks lie beside their images: what follows the name of an image in that of its
        mask, such as ``_mask``, ``_mask.png``, or ``.png`` where ``000.jpg`` has ``000.png``.
    """

    def __init__(self, folder: Path, *, recursive: bool = False, suffix: str | None = None) -> None:
        self._entries: dict[str, list[Path]] = defaultdict(list)
        self._used: set[Path] = set()
        self._suffix = suffix
        if not folder.is_dir():
            return
        for path in _files(folder, suffix, recursive):
            relative = nfc(path.relative_to(folder).as_posix())
            self._entries[_without_mark(relative, suffix)].append(path)
        if not recursive and suffix is None:
            for nested in subfolders(folder):
                if image_files(nested):
                    self._entries[nfc(nested.name)].append(nested)

    def find(self, stem: str) -> Path | None:
        """Return the mask of the image with this relative path without suffix, if there is one.

        Raises
        ------
        DatasetError
            If more than one file claims to be the mask.
        """
        for name in (f"{stem}_mask", stem) if self._suffix is None else (stem,):
            candidates = self._entries.get(name, [])
            if len(candidates) > 1:
                claims = " and ".join(str(path) for path in candidates)
                raise DatasetError(f"image {stem!r} has more than one mask: {claims}; keep one")
            if candidates:
                self._used.add(candidates[0])
                return candidates[0]
        return None

    @property
    def unused(self) -> tuple[Path, ...]:
        """The masks that no image has asked for so far."""
        everything = [path for paths in self._entries.values() for path in paths]
        return tuple(sorted(path for path in everything if path not in self._used))


def _files(folder: Path, suffix: str | None, recursive: bool) -> Sequence[Path]:
    if suffix is not None:
        return mask_files(folder, suffix, recursive=recursive)
    return [file.path for file in image_files(folder, recursive=recursive)]


def _without_mark(relative: str, suffix: str | None) -> str:
    """Return a path without the suffix of its file, and what ends the name of a mask."""
    if suffix is not None and suffix.lower().endswith(IMAGE_SUFFIXES):
        return relative[: len(relative) - len(nfc(suffix))]
    stem = str(PurePosixPath(relative).with_suffix(""))
    return stem[: len(stem) - len(nfc(suffix or ""))]

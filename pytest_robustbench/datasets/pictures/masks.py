"""Which mask file belongs to which image file."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import image_files, nfc, subfolders
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
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
    """

    def __init__(self, folder: Path, *, recursive: bool = False) -> None:
        self._entries: dict[str, list[Path]] = defaultdict(list)
        self._used: set[Path] = set()
        if not folder.is_dir():
            return
        for file in image_files(folder, recursive=recursive):
            relative = PurePosixPath(nfc(file.path.relative_to(folder).as_posix()))
            self._entries[str(relative.with_suffix(""))].append(file.path)
        if not recursive:
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
        for name in (f"{stem}_mask", stem):
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

"""Which format a folder has, told by marks that no other format has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.catalogue import FORMATS, part_of
from pytest_robustbench.datasets.files import subfolders

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping


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
    options: Mapping[str, str | float] = field(default_factory=dict)
    categories: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to write in place of a format that does not fit."""
        if FORMATS[self.format].many_folders and self.categories:
            names = ", ".join(self.categories)
            return (
                f"this folder looks like several data sets ({names}): say format: {self.format} "
                "with one of them as root"
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
    if not place.exists():
        return None
    rows = [(row, row.recogniser) for row in FORMATS.values()]
    answers = (part_of(row, path)(place, category) for row, path in rows if path is not None)
    return next((answer for answer in answers if answer is not None), None)


def by_mark(
    name: str, mark: Callable[[Path], bool], root: Path, category: str | None
) -> Recognised | None:
    """Recognise a category, or a folder of categories, by a mark.

    Parameters
    ----------
    name : str
        The format.
    mark : callable
        Tells whether a folder is a category of it.
    root, category
        As in `recognised_format`.
    """
    if category is not None and (root / category).is_dir():
        return Recognised(name, categories=(category,)) if mark(root / category) else None
    if mark(root):
        return Recognised(name)
    names = tuple(folder.name for folder in subfolders(root) if mark(folder))
    return Recognised(name, categories=names) if names else None

"""What datasets of other libraries know of their items: names of classes, and files.

Datasets of folders, such as torchvision's ``ImageFolder``, number their classes in the order of
their names, so that ``defect`` is 0 and ``good`` is 1. ``class_to_idx`` says which is which.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_robustbench.datasets.formats.images import DEFECT_NAMES, NORMAL_NAMES, means_normal
from pytest_robustbench.datasets.formats.manifest_records import LABELS
from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import listed

_DEFECTS = {*DEFECT_NAMES, *(word for word, label in LABELS.items() if label == DEFECT)}
_NORMALS = {word for word, label in LABELS.items() if label == NORMAL}


@dataclass(frozen=True)
class Classes:
    """The classes of a dataset, by the numbers that its items have.

    Parameters
    ----------
    names : mapping of int to str
        As the dataset gives them.
    """

    names: Mapping[int, str]

    def labelled(self, number: int) -> tuple[int, str]:
        """Return label and type of defect of an item of class `number`.

        Where a class is called like normal images, every other one is a type of defect.

        Raises
        ------
        DatasetError
            If there is no such class, or the names do not tell which of them is normal.
        """
        if number not in self.names:
            raise DatasetError(
                f"label {number} is none of its classes ({listed(self.names.values())})"
            )
        unknown = [n for n in self.names.values() if not _is_normal(n) and not _is_defect(n)]
        if unknown and not any(map(_is_normal, self.names.values())):
            raise DatasetError(
                f"its classes are called {listed(self.names.values())}, and none of them like "
                f"normal images ({', '.join(NORMAL_NAMES)}): rename one, or hand over a dataset "
                "whose labels are 0 (normal) and 1 (defect), without class_to_idx and classes"
            )
        name = self.names[number]
        return (NORMAL, "good") if _is_normal(name) else (DEFECT, name)


def classes_of(items: Any, index: int) -> Classes | None:
    """Return the classes that the label of an item is a number of, if the dataset names them.

    Subsets and concatenations of torch are looked through. A dataset with a ``target_transform``
    has labels of its own.
    """
    owner, _ = _owner(items, index)
    numbered, names = getattr(owner, "class_to_idx", None), getattr(owner, "classes", None)
    if getattr(owner, "target_transform", None) is not None:
        return None
    if isinstance(numbered, Mapping) and numbered:
        return Classes({int(number): str(name) for name, number in numbered.items()})
    if isinstance(names, Sequence) and names and all(isinstance(name, str) for name in names):
        return Classes(dict(enumerate(names))) if not isinstance(names, str) else None
    return None


def file_of(items: Any, index: int) -> Path | None:
    """Return the image file of an item, where the dataset lists its files as torchvision does."""
    owner, place = _owner(items, index)
    listing = getattr(owner, "samples", None)
    if not isinstance(listing, Sequence) or len(listing) != len(owner):
        return None
    entry = listing[place]
    path = entry[0] if isinstance(entry, tuple) and entry else None
    return Path(path) if isinstance(path, (str, Path)) else None


def _owner(items: Any, index: int) -> tuple[Any, int]:
    """Return the dataset that an item comes from, and its index there."""
    inner, indices = getattr(items, "dataset", None), getattr(items, "indices", None)
    if inner is not None and indices is not None:
        return _owner(inner, int(indices[index]))
    joined, ends = getattr(items, "datasets", None), getattr(items, "cumulative_sizes", None)
    if isinstance(joined, Sequence) and isinstance(ends, Sequence):
        which = bisect_right(ends, index)
        return _owner(joined[which], index - (ends[which - 1] if which else 0))
    return items, index


def _is_normal(name: str) -> bool:
    return means_normal(name) or name.casefold().strip() in _NORMALS


def _is_defect(name: str) -> bool:
    return name.casefold().strip() in _DEFECTS

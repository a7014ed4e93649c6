"""Tell at a glance whether the files of a sample may have changed since they were read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pytest_robustbench.datasets.files import image_files
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.datasets.split import Sample, Source

Stamp: TypeAlias = tuple[tuple[int, int, int], ...]
"""Inode, size and time of the last change (ns) of every file; none where nothing is a file."""


def stamp(sample: Sample) -> Stamp | None:
    """Return the stamp of a sample's files; ``None`` where one of them cannot be found."""
    try:
        sources = [sample.image, *(() if sample.mask is None else (sample.mask,))]
        found = [path.stat() for source in sources for path in _files(source)]
    except (OSError, DatasetError):
        return None
    return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)


def path_of(source: Source | None) -> Path | None:
    """Return the file or folder that pixels come from, also where a function reads it."""
    path = source if isinstance(source, Path) else getattr(source, "path", None)
    return path if isinstance(path, Path) else None


def _files(source: Source) -> Iterator[Path]:
    path = path_of(source)
    if path is None:
        return
    if path.is_dir():
        yield from (file.path for file in image_files(path))
    else:
        yield path

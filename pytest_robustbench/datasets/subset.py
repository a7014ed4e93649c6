"""A smaller split for a quicker run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from hashlib import blake2b
from itertools import zip_longest
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.split import Sample, Split


def limit_split(split: Split, train: int | None, test: int | None) -> Split:
    """Return `split` with at most so many train and test images; calibration images stay.

    Which images stay depends on their ids alone, and a smaller limit keeps a part of what a larger
    one keeps. In the test part normal and defect images alternate, and so do the types of defects.

    Parameters
    ----------
    split : Split
        Where to choose from.
    train, test : int or None
        At least 1; ``None`` sets no limit.

    Raises
    ------
    DatasetError
        If a limit is below 1.
    """
    kept_train = _first(split.train, _shuffled(split.train), train, "limit_train")
    kept_test = _first(split.test, _balanced(split.test), test, "limit_test")
    notes = (
        *split.notes,
        *_note("train", split.train, kept_train),
        *_note("test", split.test, kept_test),
    )
    return replace(split, train=kept_train, test=kept_test, notes=notes)


def _first(
    samples: tuple[Sample, ...], preferred: Sequence[Sample], limit: int | None, name: str
) -> tuple[Sample, ...]:
    """Return the first `limit` of the preferred samples in the order of `samples`."""
    if limit is None:
        return samples
    if limit < 1:
        raise DatasetError(f"{name} is at least 1, not {limit}")
    kept = set(preferred[:limit])
    return tuple(sample for sample in samples if sample in kept)


def _shuffled(samples: Sequence[Sample]) -> list[Sample]:
    # By a hash of the id: neighbours in a folder are often the same part photographed twice.
    return sorted(samples, key=lambda sample: blake2b(sample.id.encode(), digest_size=8).digest())


def _balanced(samples: Sequence[Sample]) -> list[Sample]:
    types: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in _shuffled([sample for sample in samples if sample.label == DEFECT]):
        types[sample.defect_type].append(sample)
    normals = _shuffled([sample for sample in samples if sample.label == NORMAL])
    return _in_turn(normals, _in_turn(*(types[name] for name in sorted(types))))


def _in_turn(*groups: list[Sample]) -> list[Sample]:
    return [sample for row in zip_longest(*groups) for sample in row if sample is not None]


def _note(part: str, before: Sequence[Sample], after: Sequence[Sample]) -> tuple[str, ...]:
    if len(before) == len(after):
        return ()
    how = ", balanced over good parts and kinds of defects" if part == "test" else ""
    return (f"limited to {len(after)} of {len(before)} {part} images{how}",)

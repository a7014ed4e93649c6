"""Which images show the same part, told from their names."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.split import Sample, Split

PARTS = ("train", "test", "calibration")


def grouped(split: Split, pattern: str | None) -> Split:
    """Return a split whose images are put together to parts.

    Parameters
    ----------
    split : Split
        Its samples keep what groups they have where there is no pattern.
    pattern : str, optional
        A regular expression, searched for in the id of every sample. Its first group that matches
        names the part, or the whole match where it has no group.

    Raises
    ------
    DatasetError
        If an image does not match, or all of them show one part.
    """
    if pattern is None:
        return split
    samples = {part: named_parts(getattr(split, part), pattern) for part in PARTS}
    train, test, calibration = samples.values()
    names = {sample.group for of_part in samples.values() for sample in of_part}
    if len(names) == 1:
        raise DatasetError(
            f"group {pattern!r} finds one part, {names.pop()!r}, in all images: it tells the part "
            f"from the id of an image, such as {split.test[0].id!r}"
        )
    notes = *split.notes, *_notes(samples)
    return replace(split, train=train, test=test, calibration=calibration, notes=notes)


def named_parts(samples: Sequence[Sample], pattern: str) -> tuple[Sample, ...]:
    """Return samples with the part that a regular expression finds in their ids; see `grouped`.

    Raises
    ------
    DatasetError
        If it is none, or an id does not match.
    """
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise DatasetError(f"group {pattern!r} is no regular expression: {error}") from error
    matches = {sample.id: search(sample.id) for sample in samples}
    strange = [name for name, match in matches.items() if match is None or not _named(match)]
    if strange:
        raise DatasetError(
            f"group {pattern!r} finds no part in {len(strange)} of {len(samples)} images "
            f"({listed(strange)}): it is searched for in these ids, and its first group is the "
            "name of the part"
        )
    found = {name: _named(match) for name, match in matches.items() if match is not None}
    return tuple(replace(sample, group=found[sample.id]) for sample in samples)


def _named(match: re.Match[str]) -> str:
    return next(filter(None, match.groups()), "") if match.re.groups else match.group()


def _notes(samples: dict[str, tuple[Sample, ...]]) -> tuple[str, ...]:
    counts = [
        f"{len(of_part)} {part} images of {len({sample.group for sample in of_part})} parts"
        for part, of_part in samples.items()
        if of_part
    ]
    seen = {s.group for part in ("train", "calibration") for s in samples[part]}
    shared = sorted({str(s.group) for s in samples["test"] if s.group in seen})
    leaked = (
        f"parts with test images and train or calibration images: {len(shared)} "
        f"({listed(shared)}); on parts that it has seen a detector is better than on new ones"
    )
    alone = all(len({s.group for s in part}) == len(part) for part in samples.values())
    useless = "group puts no two images together: every image is its own part without it as well"
    return (
        f"counted by part: {', '.join(counts)}",
        *((leaked,) if shared else ()),
        *((useless,) if alone else ()),
    )

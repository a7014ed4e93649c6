"""The labelled images conditions are measured on: the test part, and sets recorded under drift."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.notes import (
    counted,
    notes_on_depth,
    notes_on_orientation,
    notes_on_pictures,
)
from pytest_robustbench.datasets.pictures.duplicates import shared_pictures
from pytest_robustbench.errors import ConfigError, DatasetError, NotMeasurableError
from pytest_robustbench.evaluation.measure.inventory import take_inventory
from pytest_robustbench.naming import listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample, Split
    from pytest_robustbench.evaluation.measure.inventory import Inventory

    RecordedSet = Split | Callable[[], Split]


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Labelled samples with what is known about them.

    Parameters
    ----------
    samples : tuple of Sample
        In the order of every column of a result.
    inventory : Inventory
        Their labels, sizes, digests and masks.
    notes : tuple of str
        What a reader of results on them should know.
    """

    samples: tuple[Sample, ...]
    inventory: Inventory
    notes: tuple[str, ...] = ()


def distinct_samples(samples: Sequence[Sample], store: PictureStore) -> SampleSet:
    """Look at every sample once, and keep one of each picture.

    A picture that is there several times is one piece of evidence, not several.

    Parameters
    ----------
    samples : sequence of Sample
        The samples of one set.
    store : PictureStore
        Decodes them.

    Raises
    ------
    DatasetError
        If images or masks cannot be used, or one picture has two labels or two masks: nobody can
        tell then what is right.
    """
    inventory = take_inventory(samples, store)
    kept, copies = [], []
    for positions in _by_picture(samples, store):
        _refuse_two_truths([samples[i] for i in positions], inventory.at(positions))
        first = min(positions, key=lambda i: not inventory.mask_known[i])
        kept.append(first)
        copies += [f"{samples[i].id} is {samples[first].id}" for i in positions if i != first]
    kept.sort()
    notes = counted("images that are copies of another one of this set, and not counted", copies)
    chosen = inventory.at(kept)
    seen = notes_on_pictures(chosen.ids, chosen.traits)
    return SampleSet(tuple(samples[i] for i in kept), chosen, (*seen, *notes))


def _by_picture(samples: Sequence[Sample], store: PictureStore) -> list[list[int]]:
    """Return the positions of the samples of each picture, which `store` has all seen."""
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, sample in enumerate(samples):
        positions[store.image_digest(sample)].append(position)
    return list(positions.values())


def _refuse_two_truths(samples: Sequence[Sample], inventory: Inventory) -> None:
    names = f"{listed([sample.id for sample in samples])} are one picture"
    if len({sample.label for sample in samples}) > 1:
        raise DatasetError(f"{names}, labelled normal and defect: keep the one that is true")
    masks = {d for d, known in zip(inventory.digests, inventory.mask_known, strict=True) if known}
    if len(masks) > 1:
        raise DatasetError(f"{names}, with different masks: keep the one that is true")


class RecordedSets:
    """Sets whose images were really taken under drift, each read when it is first measured.

    Parameters
    ----------
    sets : mapping of str to Split or callable
        The test part of each, or a function that lists it: a set that is missing fails its own
        condition and no other.
    split : Split
        The split the detector is fitted and calibrated on.
    store : PictureStore
        Decodes all of them.
    """

    def __init__(self, sets: Mapping[str, RecordedSet], split: Split, store: PictureStore) -> None:
        self._sets = dict(sets)
        self._split = split
        self._store = store
        self._read: dict[str, SampleSet] = {}

    def read(self, name: str, tested: Inventory) -> SampleSet:
        """Return the set called `name`; every image of it is decoded once.

        Parameters
        ----------
        name : str
            Of the set.
        tested : Inventory
            Of the benchmark's own test part.

        Raises
        ------
        RobustbenchError
            If there is no such set, its images cannot be read, have another size than those of the
            test part, or stand in another part or set.
        """
        if name not in self._read:
            self._read[name] = self._checked(name, self._listed(name), tested)
        return self._read[name]

    def _listed(self, name: str) -> Split:
        if name not in self._sets:
            raise ConfigError(
                f"the benchmark has no recorded set {name!r}; {suggestion(name, self._sets)}"
            )
        found = self._sets[name]
        try:
            return found() if callable(found) else found
        except DatasetError as error:
            raise error.within(f"recorded set {name!r}") from error

    def _checked(self, name: str, recorded: Split, tested: Inventory) -> SampleSet:
        if recorded.resize != self._split.resize:
            raise NotMeasurableError(
                f"recorded set {name!r} is resized to {recorded.resize}, the data the threshold "
                f"was calibrated on to {self._split.resize}: give both the same size"
            )
        found = distinct_samples(recorded.test, self._store)
        _refuse_other_size(name, found.inventory, tested)
        self._refuse_seen(name, found.samples)
        depths = notes_on_depth({"test": tested.traits, "this set": found.inventory.traits})
        notes = (*found.notes, *depths, *notes_on_orientation(recorded), *_untested(recorded))
        return replace(found, notes=(*recorded.notes, *notes))

    def _refuse_seen(self, name: str, samples: Sequence[Sample]) -> None:
        parts = {part: getattr(self._split, part) for part in ("train", "calibration", "test")}
        others = {f"recorded {other!r}": each.samples for other, each in self._read.items()}
        for part, others_samples in (parts | others).items():
            pairs = shared_pictures(samples, others_samples, self._store)
            if pairs:
                ids = dict.fromkeys(sample.id for sample, _ in pairs)
                raise NotMeasurableError(
                    f"recorded set {name!r}: {len(ids)} image(s) are also {part} images "
                    f"({listed(ids)}): results on them say nothing about drift, take them out"
                )


def _refuse_other_size(name: str, recorded: Inventory, tested: Inventory) -> None:
    """Refuse images all larger, or all smaller, than those the threshold is judged on."""
    heights = [{height for height, _ in each.shapes} for each in (recorded, tested)]
    widths = [{width for _, width in each.shapes} for each in (recorded, tested)]
    if _apart(*heights) or _apart(*widths):
        raise NotMeasurableError(
            f"recorded set {name!r} has images of {recorded.shapes[0]} pixels, the test part of "
            f"{tested.shapes[0]}: a threshold holds for one size; declare the same resize for both"
        )


def _apart(some: set[int], others: set[int]) -> bool:
    return max(some) < min(others) or min(some) > max(others)


def _untested(recorded: Split) -> tuple[str, ...]:
    n = len(recorded.train) + len(recorded.calibration)
    return (f"{n} train and calibration images of this set are not measured",) if n else ()

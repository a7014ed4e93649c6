"""Test images as each condition shows them, without any detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.datasets.split import NORMAL
from pytest_robustbench.evaluation.measure.scenes import Scenes
from pytest_robustbench.reports.pages.drawing import shrunk, shrunk_mask
from pytest_robustbench.reports.preview.effects import effects
from pytest_robustbench.reports.preview.tiles import Block, Row, Sheet, Tile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
    from pytest_robustbench.datasets.split import Sample

LARGEST = 512
"""Longer side of the pictures that are kept, pixels."""

DETAILED = 400
"""Larger pictures lose so much when they are shown that a detail at full size stands below."""

DETAIL = 180
"""Side of that detail, pixels."""

LEFT_OUT = (
    "The benchmark leaves this image out of {name}, at every severity: at the severest less than "
    "half of its defect stays in the frame."
)
OUTLINE = "Blue outline: where the mask says that the defect is."
HATCHED = (
    "Pale and hatched: pixels from outside the frame; they are ignored, which means that they "
    "count nowhere."
)
MEAN_CHANGE = (
    "Mean change: how far pixels differ from the clean picture on average, in gray levels (0 to "
    "255), ignored ones aside."
)
REDUCED = (
    "Large pictures are shown smaller than the detector sees them: grain, JPEG blocks and a mild "
    "blur look weaker than they are. Judge them by the details, which are not reduced."
)


@dataclass(frozen=True, eq=False)
class Choice:
    """What of a benchmark is shown.

    Parameters
    ----------
    name : str
        Of the benchmark.
    samples : tuple of Sample
        Test samples.
    resize : (int, int), optional
        Height and width of every picture.
    corruptions : mapping of str to Corruption
        By the name conditions use.
    conditions : tuple of Condition
        Which corruptions, at which severities; clean is shown beside each of them.
    seed : int
        Seed of every corruption draw.
    image_budget : int
        Bytes that one file may take once it is decoded.
    outline : bool
        Whether defects are outlined.
    """

    name: str
    samples: tuple[Sample, ...]
    resize: tuple[int, int] | None
    corruptions: Mapping[str, Corruption]
    conditions: tuple[Condition, ...]
    seed: int
    image_budget: int
    outline: bool = True


def preview_sheet(choice: Choice) -> Sheet:
    """Return every chosen image as each condition shows it, exactly as it is measured.

    Raises
    ------
    RobustbenchError
        If an image cannot be decoded, or a corruption fails.
    """
    store = PictureStore(choice.resize, image_budget=choice.image_budget)
    scenes = Scenes(choice.samples, store, choice.corruptions, choice.seed)
    blocks = tuple(_block(choice, scenes, index) for index in range(len(choice.samples)))
    return Sheet(choice.name, _summary(choice), tuple(_legend(blocks)), blocks)


def _summary(choice: Choice) -> str:
    severities = {c.severity for c in choice.conditions} - {None}
    counted = (
        _counted(len(choice.samples), "image", "images"),
        _counted(len(choice.corruptions), "corruption", "corruptions"),
        _counted(len(severities), "severity", "severities"),
    )
    return f"{', '.join(counted)}; seed {choice.seed}"


def _counted(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}"


def _legend(blocks: Sequence[Block]) -> Iterator[str]:
    tiles = [tile for block in blocks for row in block.rows for tile in row.tiles]
    yield MEAN_CHANGE
    if any(tile.mask is not None and tile.mask.any() for tile in tiles):
        yield OUTLINE
    if any(tile.ignored is not None and tile.ignored.any() for tile in tiles):
        yield HATCHED
    if any(max(tile.image.shape) > DETAILED for tile in tiles):
        yield REDUCED


def _block(choice: Choice, scenes: Scenes, index: int) -> Block:
    source = scenes.under(CLEAN, index).corrupted
    subject = _Subject(choice, scenes, index, source)
    rows = tuple(row for name in choice.corruptions for row in subject.rows(name))
    return Block(subject.sample.id, _described(subject.sample, source.image), rows)


@dataclass(frozen=True, eq=False)
class _Subject:
    """One of the chosen images, with its clean picture."""

    choice: Choice
    scenes: Scenes
    index: int
    source: Corrupted

    @property
    def sample(self) -> Sample:
        return self.choice.samples[self.index]

    def rows(self, name: str) -> Iterator[Row]:
        """Return the row of one corruption; of a large picture also that of its details."""
        conditions = [c for c in self.choice.conditions if c.corruption == name]
        pictures = [self.scenes.under(c, self.index).corrupted for c in conditions]
        labels = ["clean", *map(_label, conditions)]
        notes = [(), *map(self._notes, conditions, pictures)]
        shown = [self._outlined(picture) for picture in (self.source, *pictures)]
        yield Row(name, self._remark(conditions), tuple(map(_whole, labels, notes, shown)))
        if max(self.source.image.shape) > DETAILED:
            window = _window(self.source)
            details = tuple(_detail(*pair, window) for pair in zip(labels, shown, strict=True))
            yield Row(f"{name}: detail of {DETAIL} x {DETAIL} pixels", "", details)

    def _notes(self, condition: Condition, picture: Corrupted) -> tuple[str, ...]:
        return effects(self.scenes.level(condition), self.source.image, picture)

    def _outlined(self, picture: Corrupted) -> Corrupted:
        return picture if self.choice.outline else picture._replace(mask=None)

    def _remark(self, conditions: Sequence[Condition]) -> str:
        left_out = any(self.index not in self.scenes.kept(c) for c in conditions)
        return LEFT_OUT.format(name=conditions[0].corruption) if left_out else ""


def _label(condition: Condition) -> str:
    return "by value" if condition.severity is None else f"severity {condition.severity:g}"


def _whole(label: str, notes: tuple[str, ...], shown: Corrupted) -> Tile:
    image = shrunk(shown.image, LARGEST)
    return Tile(label, notes, image, _small(shown.mask), _small(shown.ignored))


def _small(mask: Mask | None) -> Mask | None:
    return None if mask is None else shrunk_mask(mask, LARGEST)


def _detail(label: str, shown: Corrupted, window: tuple[slice, slice]) -> Tile:
    mask, ignored = (None if part is None else part[window] for part in shown[1:])
    return Tile(label, (), shown.image[window], mask, ignored)


def _window(source: Corrupted) -> tuple[slice, slice]:
    """Return where the detail is: about the middle of the defect, or else of the picture."""
    height, width = source.image.shape[:2]
    down, right = height // 2, width // 2
    if source.mask is not None and source.mask.any():
        down, right = _middle(source.mask)
    return _about(down, height), _about(right, width)


def _middle(mask: Mask) -> tuple[int, int]:
    """Return the defect pixel nearest to the middle: of several defects, that of one of them."""
    places = np.argwhere(mask)
    away = np.abs(places - np.median(places, axis=0)).sum(axis=1)
    down, right = places[away.argmin()].tolist()
    return down, right


def _about(middle: int, length: int) -> slice:
    start = max(0, min(middle - DETAIL // 2, length - DETAIL))
    return slice(start, start + DETAIL)


def _described(sample: Sample, image: Image) -> str:
    height, width = image.shape[:2]
    size = f"{height} x {width} pixels (height x width)"
    if sample.label == NORMAL:
        return f"normal, {size}"
    unknown = ", mask unknown" if sample.mask_is_unknown else ""
    return f"defect ({sample.defect_type}){unknown}, {size}"

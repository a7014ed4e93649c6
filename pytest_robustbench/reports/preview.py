"""Test images as each condition shows them, without any detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.split import NORMAL
from pytest_robustbench.datasets.store import PictureStore
from pytest_robustbench.evaluation.scenes import Scenes
from pytest_robustbench.evaluation.workers import Workers
from pytest_robustbench.reports.drawing import shrunk, shrunk_mask
from pytest_robustbench.reports.effects import Attempt, effects
from pytest_robustbench.reports.tiles import Block, Row, Sheet, Tile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.arrays import Mask
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
    from pytest_robustbench.datasets.split import Sample

LARGEST = 400
"""Longer side of the pictures that are kept, pixels."""

LEFT_OUT = (
    "The benchmark leaves this image out of {name}, at every severity: at severity 5 less than "
    "half of its defect stays in the frame."
)
OUTLINE = "Blue outline: where the mask says that the defect is."
HATCHED = (
    "Pale and hatched: pixels from outside the frame; they are ignored, which means that they count "
    "nowhere."
)
MEAN_CHANGE = (
    "Mean change: how far pixels differ from the clean picture on average, in gray levels (0 to "
    "255), ignored ones aside."
)
REDUCED = (
    "Pictures are shown smaller than the detector sees them: grain, JPEG blocks and a mild blur "
    "look weaker here than they are."
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
    outline : bool
        Whether defects are outlined.
    """

    name: str
    samples: tuple[Sample, ...]
    resize: tuple[int, int] | None
    corruptions: Mapping[str, Corruption]
    conditions: tuple[Condition, ...]
    seed: int
    outline: bool = True


def preview_sheet(choice: Choice) -> Sheet:
    """Return every chosen image as each condition shows it, exactly as it is measured.

    Raises
    ------
    RobustbenchError
        If an image cannot be decoded, or a corruption fails.
    """
    store = PictureStore(choice.resize)
    scenes = Scenes(choice.samples, store, choice.corruptions, choice.seed)
    blocks = tuple(_block(choice, scenes, index) for index in range(len(choice.samples)))
    sizes = {store.load(sample).image.shape[:2] for sample in choice.samples}
    legend = tuple(_legend(blocks, reduced=max(map(max, sizes)) > LARGEST))
    return Sheet(choice.name, _summary(choice), legend, blocks)


def _summary(choice: Choice) -> str:
    severities = sorted({c.severity for c in choice.conditions if c.severity})
    counted = (
        _counted(len(choice.samples), "image", "images"),
        _counted(len(choice.corruptions), "corruption", "corruptions"),
        _counted(len(severities), "severity", "severities"),
    )
    return f"{', '.join(counted)}; seed {choice.seed}"


def _counted(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}"

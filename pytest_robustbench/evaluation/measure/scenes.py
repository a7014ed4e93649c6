"""The test images of a split as each condition shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.corruptions.corruption import Corrupted, locked
from pytest_robustbench.corruptions.pixels.gray import replicated
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.errors import ConfigError, NotMeasurableError
from pytest_robustbench.evaluation.machine.workers import Workers
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.corruptions.corruption import JSON, Corruption
    from pytest_robustbench.datasets.pictures.picture import Picture
    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample


class Scene(NamedTuple):
    """One test picture under one condition.

    Attributes
    ----------
    corrupted : Corrupted
        Image, mask and ignored pixels.
    clean : Picture
        The same picture without the condition.
    unmoved : bool
        The mask is that of the source, pixel for pixel, and no pixel is ignored.
    """

    corrupted: Corrupted
    clean: Picture
    unmoved: bool


def _resized(image: Image, size: tuple[int, int]) -> Image:
    small = resize_image(image, size)
    found: Image = locked(replicated(small) if small.ndim == 2 else small)
    return found


def _resized_mask(mask: Mask | None, size: tuple[int, int]) -> Mask | None:
    return None if mask is None else locked(resize_mask(mask, size))


class Scenes:
    """Reads the test samples and corrupts them; thread-safe.

    Parameters
    ----------
    samples : sequence of Sample
        The test samples.
    store : PictureStore
        Decodes them.
    corruptions : mapping of str to Corruption
        By the name conditions use.
    seed : int
        Seed of every corruption draw.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        store: PictureStore,
        corruptions: Mapping[str, Corruption],
        seed: int,
    ) -> None:
        self.samples = samples
        self._store = store
        self._corruptions = dict(corruptions)
        self._seed = seed
        self._kept_by: dict[str, list[int]] = {}
        self._changing: set[Condition] = set()

    def under(self, condition: Condition, index: int) -> Scene:
        """Return the test picture at `index` as `condition` shows it."""
        sample = self.samples[index]
        if not condition.is_corrupted:
            picture = self._store.load(sample)
            return Scene(Corrupted(picture.image, picture.mask), picture, unmoved=True)
        scene = self._corrupted(self._corruption(condition), condition.severity, sample)
        changed = not np.array_equal(scene.corrupted.image, scene.clean.image)
        if condition not in self._changing and changed:
            self._changing.add(condition)
        return scene

    def _corrupted(self, corruption: Corruption, severity: float | None, sample: Sample) -> Scene:
        """Return `sample` corrupted where the corruption acts, at the size that is measured."""
        clean, seen, size = self._pictures(corruption, sample)
        found = corruption.apply(
            seen.image, seen.mask, severity, seed=self._seed, sample_id=sample.id
        )
        unmoved = found.mask is seen.mask and found.ignored is None
        if size is not None:
            ignored = _resized_mask(found.ignored, size)
            mask = clean.mask if found.mask is seen.mask else _resized_mask(found.mask, size)
            if mask is not None and ignored is not None:
                ignored = locked(ignored & ~mask)  # else thin defects would vanish at the frame
            found = Corrupted(_resized(found.image, size), mask, ignored)
        return Scene(found, clean, unmoved)

    def _pictures(
        self, corruption: Corruption, sample: Sample
    ) -> tuple[Picture, Picture, tuple[int, int] | None]:
        """Return a picture as it is measured, as the corruption sees it, and what lies between."""
        if self._store.resize is None or corruption.at == "model":
            picture = self._store.load(sample)
            return picture, picture, None
        return (*self._store.load_both(sample), self._store.resize)

    def level(self, condition: Condition) -> str:
        """Return how strong a condition is, in words and units; empty where that is not known."""
        if not condition.is_corrupted:
            return ""
        return self._corruption(condition).level_at(condition.severity)

    def kept(self, condition: Condition) -> list[int]:
        """Return the test samples that the corruption keeps in the frame at every severity."""
        if not condition.is_corrupted or not self._corruption(condition).moves_pixels:
            return list(range(len(self.samples)))
        name = condition.corruption
        if name not in self._kept_by:
            self._kept_by[name] = self._kept_in_frame(self._corruption(condition))
        return self._kept_by[name]

    def require_changed(self, condition: Condition) -> None:
        """Refuse a corruption that has left every picture it was given as it was.

        Raises
        ------
        NotMeasurableError
            Its limits would be those of the clean condition under another name.
        """
        if condition.is_corrupted and condition not in self._changing:
            raise NotMeasurableError(
                f"{condition.id} changes no pixel of any test image: it would be the clean "
                "condition under another name. Give it parameters that change something, or take "
                "it out"
            )

    def specification(self, condition: Condition) -> Mapping[str, JSON]:
        """Return what decides the pixels of `condition` beside its sources; empty for clean."""
        if condition.recorded:
            return {"name": condition.corruption, "recorded": condition.recorded}
        if condition.is_clean:
            return {}
        return self._corruption(condition).specification(self._seed)

    def moving(self) -> list[str]:
        """Return the names of the corruptions that move pixels."""
        return [name for name, c in self._corruptions.items() if c.moves_pixels]

    def _kept_in_frame(self, corruption: Corruption) -> list[int]:
        def leaves_out(sample: Sample) -> bool:
            if sample.mask is None:  # nothing to lose, or nobody knows where: not worth decoding
                return False
            _, seen, _ = self._pictures(corruption, sample)
            return corruption.leaves_out(seen.mask, seed=self._seed, sample_id=sample.id)

        with Workers() as workers:
            gone = workers.map(leaves_out, self.samples)
        return [i for i, out in enumerate(gone) if not out]

    def _corruption(self, condition: Condition) -> Corruption:
        try:
            return self._corruptions[condition.corruption]
        except KeyError:
            hint = suggestion(condition.corruption, [*self._corruptions, CLEAN.corruption])
            raise ConfigError(
                f"the benchmark has no corruption {condition.corruption!r}; {hint}"
            ) from None

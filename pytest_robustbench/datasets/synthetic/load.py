"""A dataset made of nothing but a seed: procedurally drawn surfaces, some of them with a defect."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.datasets.synthetic.defects import DEFECTS
from pytest_robustbench.datasets.synthetic.surfaces import SURFACES, smooth_noise
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.datasets.synthetic.surfaces import Field

DEFAULT_CATEGORY = "brushed_metal"
SMALLEST_SIZE = 32


@dataclass(frozen=True)
class SyntheticPart:
    """One drawn part; the same fields give the same pixels, whatever else is drawn.

    Parameters
    ----------
    category : str
        A name of `SURFACES`.
    id : str
        Sample id, such as ``test/dent/003``; its second part names the defect, or ``good``.
    size : int
        Height and width.
    seed : int
        Seed of the data set.
    """

    category: str
    id: str
    size: int
    seed: int

    def image(self) -> Image:
        """Draw the image, ``(size, size, 3)`` uint8 RGB."""
        surface = SURFACES[self.category](self._generator("surface"), self.size)
        if self.defect_type in DEFECTS:
            surface, _ = DEFECTS[self.defect_type](self._generator("defect"), surface)
        return _photographed(surface, self._generator("camera"))

    def mask(self) -> Mask:
        """Draw the mask, ``(size, size)`` bool: every pixel that the defect changed."""
        blank = np.zeros((self.size, self.size, 3), np.float32)
        if self.defect_type not in DEFECTS:
            return np.zeros(blank.shape[:2], np.bool_)
        _, mask = DEFECTS[self.defect_type](self._generator("defect"), blank)
        return mask

    @property
    def defect_type(self) -> str:
        """Name of the defect, or ``good``."""
        return self.id.split("/")[1]

    def _generator(self, purpose: str) -> np.random.Generator:
        # Counter-based and keyed by what is drawn: no draw depends on how many came before it.
        name = f"{self.seed}/{self.category}/{self.size}/{self.id}/{purpose}"
        key = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=key))


def load_synthetic(
    *,
    root: Path | None = None,
    category: str | None = None,
    n_train: int = 40,
    n_test_good: int = 20,
    n_defect: int = 30,
    size: int = 256,
    seed: int = 0,
) -> Split:
    """Return a split that is drawn when it is looked at; nothing lies on disk.

    Parameters
    ----------
    root : Path, optional
        Not used: there are no files.
    category : str, optional
        ``brushed_metal`` (default), ``granite`` or ``woven_fabric``.
    n_train, n_test_good, n_defect : int
        Train images, normal test images, and defect images; the latter are dents, scratches and
        stains in turn.
    size : int
        Height and width of a drawn image, at least 32.
    seed : int
        The same seed gives the same images.

    Raises
    ------
    DatasetError
        If the category is unknown or a number is impossible.
    """
    del root
    category = category or DEFAULT_CATEGORY
    if category not in SURFACES:
        raise DatasetError(
            f"there is no synthetic category {category!r}; {suggestion(category, SURFACES)}"
        )
    if size < SMALLEST_SIZE:
        raise DatasetError(f"size is at least {SMALLEST_SIZE} pixels, not {size}")
    ids = _ids(n_train, n_test_good, n_defect)
    parts = [SyntheticPart(category, name, size, seed) for name in ids]
    return Split(
        dataset="synthetic",
        category=category,
        train=tuple(_sample(part) for part in parts if part.id.startswith("train/")),
        test=tuple(_sample(part) for part in parts if part.id.startswith("test/")),
        notes=("drawn images: they show that a benchmark works, not that a detector does",),
    )


def _ids(n_train: int, n_test_good: int, n_defect: int) -> list[str]:
    """Return the sample ids in the order an MVTec tree of them would be listed in."""
    types = sorted(DEFECTS)
    train = [f"train/good/{i:03d}" for i in range(n_train)]
    good = [f"test/good/{i:03d}" for i in range(n_test_good)]
    defects = [f"test/{types[i % len(types)]}/{i // len(types):03d}" for i in range(n_defect)]
    return sorted([*train, *good, *defects])


def _sample(part: SyntheticPart) -> Sample:
    if part.defect_type not in DEFECTS:
        return Sample(part.id, NORMAL, part.image)
    return Sample(part.id, DEFECT, part.image, part.mask, part.defect_type)


def _photographed(surface: Field, rng: np.random.Generator) -> Image:
    """Light the surface a little differently every time, and add the sensor's noise."""
    size = surface.shape[0]
    exposure = 1 + 0.02 * rng.standard_normal() + 0.012 * smooth_noise(rng, size, 2)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    vignette = 1 - 0.05 * (axis[:, None] ** 2 + axis[None, :] ** 2)
    noise = 0.007 * rng.standard_normal(surface.shape, dtype=np.float32)
    lit = surface * (exposure * vignette)[:, :, None] + noise
    levels: Image = np.clip(np.rint(lit * 255), 0, 255).astype(np.uint8)
    return levels

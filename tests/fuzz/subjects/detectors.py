"""Saved detectors: what was learned, or a refusal; they are files of others, and hold no pickle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from pytest_robustbench.detectors.pixel_gaussian import PixelGaussian
from tests.fuzz.mutation import mutated_bytes
from tests.fuzz.subject import FoundError, Subject

IMAGES = [np.random.default_rng(n).integers(0, 256, (16, 16, 3), np.uint8) for n in range(4)]


def _write_valid(folder: Path) -> None:
    detector = PixelGaussian()
    detector.fit(IMAGES)
    detector.save(folder / "valid.npz")


def _damaged(rng: Random, valid: Sequence[bytes]) -> bytes:
    return mutated_bytes(rng, rng.choice(valid), valid)


def _read(path: Path, valid: Sequence[bytes]) -> None:
    maps = _maps(path)
    path.write_bytes(valid[0])
    if not np.array_equal(maps, _maps(path)):
        raise FoundError("a damaged detector is taken for the one that was saved")


def _maps(path: Path) -> np.ndarray:
    return np.stack(PixelGaussian.load(path).predict(IMAGES).maps)


DETECTORS = Subject("detectors", 500, "damaged.npz", _write_valid, _damaged, _read)

"""Pictures for the detector tests: drawn ones, and real categories in MVTec layout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pytest_robustbench import opencv

cv2 = opencv.load()


def drawn(count: int, shape: tuple[int, int] = (64, 64), seed: int = 0) -> list[np.ndarray]:
    """A striped surface with noise: normal images that differ a little."""
    generator = np.random.default_rng(seed)
    stripes = 100 + 40 * np.sin(np.arange(shape[1]) / 3)
    noise = generator.normal(0, 6, (count, *shape, 3))
    return list(np.clip(stripes[:, None] + noise, 0, 255).astype(np.uint8))


def scratched(image: np.ndarray) -> np.ndarray:
    """The image with a bright square in its middle."""
    defective = image.copy()
    h, w = image.shape[:2]
    defective[h // 2 - 6 : h // 2 + 6, w // 2 - 6 : w // 2 + 6] = 250
    return defective


@dataclass(frozen=True)
class RealSet:
    fit: list[np.ndarray]
    held_out: list[np.ndarray]
    test: list[np.ndarray]
    labels: np.ndarray
    masks: np.ndarray


def real_set(folder: Path, size: int = 256) -> RealSet:
    """A category at `size`, a fifth of its train images held out."""
    train = [_image(path, size) for path in sorted((folder / "train" / "good").iterdir())]
    n = len(train)
    held = set(np.random.default_rng(0).choice(n, math.ceil(n * 0.2), replace=False).tolist())
    paths = sorted((folder / "test").glob("*/*"))
    return RealSet(
        [image for i, image in enumerate(train) if i not in held],
        [train[i] for i in sorted(held)],
        [_image(path, size) for path in paths],
        np.array([path.parent.name != "good" for path in paths]),
        np.array([_mask(folder, path, size) for path in paths]),
    )


def _image(path: Path, size: int) -> np.ndarray:
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA)


def _mask(folder: Path, path: Path, size: int) -> np.ndarray:
    if path.parent.name == "good":
        return np.zeros((size, size), bool)
    found = list((folder / "ground_truth" / path.parent.name).glob(f"{path.stem}*"))
    mask = (cv2.imread(str(found[0]), cv2.IMREAD_GRAYSCALE) > 0).astype(np.float32)
    return cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) > 0

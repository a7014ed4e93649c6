from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

SIZE = (32, 40)


def drawn(seed: int, *, defect: bool = False) -> np.ndarray:
    image = np.random.default_rng(seed).integers(100, 140, (*SIZE, 3), np.uint8)
    if defect:
        image[10:18, 12:24] = 230
    return image


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imencode(".png", image)[1].tofile(path)


@pytest.fixture
def bottles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A category `bottle` in MVTec's layout under ./data, which is also returned."""
    monkeypatch.chdir(tmp_path)
    category = tmp_path / "data" / "bottle"
    for i in range(30):
        write(category / f"train/good/{i:03d}.png", drawn(i))
    for i in range(6):
        write(category / f"test/good/{i:03d}.png", drawn(1000 + i))
        write(category / f"test/crack/{i:03d}.png", drawn(2000 + i, defect=True))
        mask = np.zeros(SIZE, np.uint8)
        mask[10:18, 12:24] = 255
        write(category / f"ground_truth/crack/{i:03d}_mask.png", mask)
    return tmp_path / "data"

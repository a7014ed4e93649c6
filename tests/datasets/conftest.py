"""Small image trees, written where a test wants them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


def write_images(folder: Path, *names: str) -> Path:
    """Write a small image under each name below `folder`; a mask where the name says so."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full(
            (8, 6), 255 if "mask" in name or "ground_truth" in name else number, np.uint8
        )
        path.write_bytes(cv2.imencode(path.suffix.lower(), pixels)[1].tobytes())
    return folder


@pytest.fixture
def images(tmp_path):
    """Write small images below a fresh folder: ``images("a/0.png", ...)`` returns the folder."""

    def write(*names: str) -> Path:
        return write_images(tmp_path, *names)

    return write

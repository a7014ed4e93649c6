"""The drawn images as files, for tests that need a data set on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pytest_robustbench.datasets.loading import load_split


def write_mvtec_tree(root, **options):
    """Write the images and masks of the format `synthetic` as PNG files in MVTec layout.

    Return the category's folder, ``root/category``.
    """
    split = load_split("synthetic", **options)
    folder = Path(root) / split.category
    for sample in (*split.train, *split.test):
        _write(folder / f"{sample.id}.png", sample.image()[:, :, ::-1])
        if sample.mask is not None:
            name = sample.id.replace("test/", "ground_truth/", 1)
            _write(folder / f"{name}_mask.png", sample.mask().astype(np.uint8) * 255)
    return folder


def _write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())

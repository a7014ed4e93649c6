"""A picture as a short vector, for estimators that know nothing of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.pictures import squared

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Floats, Image

SIDE = 8
BINS = 8
WORKING_SIZE = 128
N_FEATURES = SIDE * SIDE + 3 * BINS + 3 + 3


def image_features(image: Image) -> Floats:
    """Describe an image by its coarse layout, its colours and their spread.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
        RGB, of any size.

    Returns
    -------
    ndarray of shape (94,), float32
        All between 0 and 1: the gray values of 8 x 8 cells, row by row (64); the share of pixels
        in each of 8 equal bins of red, green and blue (24); mean and standard deviation of each
        channel (6). Taken from the image at 128 x 128 pixels.

    Raises
    ------
    DetectorError
        If `image` is no uint8 array of shape (H, W, 3).
    """
    cv2 = opencv.load()
    picture = squared(image, WORKING_SIZE)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    cells = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    counts = [
        np.bincount(picture[..., c].ravel() // (256 // BINS), minlength=BINS) for c in (0, 1, 2)
    ]
    shares = np.concatenate(counts) / WORKING_SIZE**2
    means, deviations = picture.mean((0, 1)) / 255, picture.std((0, 1)) / 255
    parts = [cells.ravel() / 255, shares, means, deviations]
    return np.concatenate(parts).astype(np.float32)

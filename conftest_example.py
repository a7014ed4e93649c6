"""A detector and a dataset of one's own, complete.

Copy it to conftest.py beside a robustness.yaml that says

    schema_version: 1
    name: caps
    dataset: fixture
    detector: fixture
    corruptions: [jpeg, blur]
    accept:
      clean: {false_reject_rate: {max: 0.2}, miss_rate: {max: 0.2}}
    measure_only: [jpeg, blur]    # this detector rejects every good part there

and a test module with the one line ``from pytest_robustbench.suite import test_robustness``.
Both fixtures are session-scoped: a benchmark is fitted and calibrated once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import pytest_robustbench as rb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

N_TRAIN, N_GOOD, N_BAD = 40, 12, 12
SIDE = 96


class MeanDistance:
    """Distance to the mean training image, in grey levels.

    Replace it by your model: `fit` may do nothing for a trained one (then say
    ``detector: {name: fixture, fitted: true}`` and give it calibration images).
    """

    name = "mean-distance"

    def fit(self, images: Sequence[NDArray[np.uint8]]) -> None:
        """Learn from RGB images (H, W, 3), uint8, all normal."""
        self._mean = np.mean([image.astype(np.float32) for image in images], axis=0)

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> rb.Prediction:
        """Return scores (N,) and anomaly maps (N, h, w); higher is more anomalous."""
        maps = np.stack([np.abs(image - self._mean).mean(axis=2) for image in images])
        return rb.Prediction(scores=maps.max(axis=(1, 2)), maps=maps.astype(np.float32))


def _cap(index: int, *, defective: bool) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw a round cap; a defective one has a dark spot. Stands for reading your own files."""
    rng = np.random.default_rng((index, defective))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    cap = np.hypot(rows - SIDE / 2, columns - SIDE / 2) < SIDE / 3
    gray = np.where(cap, 170, 60) + rng.normal(0, 4, (SIDE, SIDE))
    mask = np.zeros((SIDE, SIDE), np.bool_)
    if defective:
        row, column = rng.uniform(SIDE / 3, 2 * SIDE / 3, 2)
        mask = np.hypot(rows - row, columns - column) < 6
        gray[mask] -= 90
    image = np.repeat(np.clip(gray, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return image, mask


def _samples(part: str, n: int, *, defective: bool) -> tuple[rb.Sample, ...]:
    """Give every image an id that is the same on every machine: reports are compared by it."""
    samples = []
    for index in range(n):
        image, mask = _cap(1000 * len(part) + index, defective=defective)
        samples.append(
            rb.Sample(f"{part}/{index:03}", int(defective), image, mask if defective else None)
        )
    return tuple(samples)


@pytest.fixture(scope="session")
def robustness_dataset() -> rb.Split:
    """Train images are normal; test images are labelled; a mask may be missing (unknown)."""
    return rb.Split(
        dataset="line",
        category="caps",
        train=_samples("train", N_TRAIN, defective=False),
        test=(
            *_samples("good", N_GOOD, defective=False),
            *_samples("bad", N_BAD, defective=True),
        ),
    )


@pytest.fixture(scope="session")
def robustness_detector() -> MeanDistance:
    """One instance per benchmark: it will be fitted."""
    return MeanDistance()

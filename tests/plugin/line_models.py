"""A small deterministic detector, copied beside the YAML of the projects that the tests make."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import numpy as np

from pytest_robustbench import Prediction


def fingerprint(image: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


class MeanDetector:
    """Distance to the mean of the train images; `log` gets a line per call."""

    def __init__(self, log: str = "", pause: float = 0.0) -> None:
        self._log, self._pause = log, pause
        self._mean = np.full((48, 48, 3), 128, np.float32)

    def fit(self, images) -> None:
        self._note("fit", images)
        self._mean = np.mean([np.asarray(image, np.float32) for image in images], axis=0)

    def predict(self, images) -> Prediction:
        self._note("predict", images)
        time.sleep(self._pause)
        maps = np.stack([self._map(image) for image in images])
        return Prediction(maps.max(axis=(1, 2)), maps)

    def _map(self, image: np.ndarray) -> np.ndarray:
        return np.abs(np.asarray(image, np.float32) - self._mean).mean(axis=2)

    def _note(self, what: str, images) -> None:
        if self._log:
            with Path(self._log).open("a", encoding="utf-8") as file:
                file.write(f"{what} {len(images)}\n")


class FaultyDetector(MeanDetector):
    """Does something wrong on the image whose fingerprint is `on`, or on all of them."""

    def __init__(self, fault: str, on: str = "", log: str = "") -> None:
        super().__init__(log)
        self._fault, self._on = fault, on

    def fit(self, images) -> None:
        if self._fault == "unfittable":
            raise RuntimeError("no more memory on the GPU")
        super().fit(images)

    def predict(self, images) -> Prediction:
        prediction = super().predict(images)
        scores, maps = np.array(prediction.scores), np.array(prediction.maps)
        for i, image in enumerate(images):
            if self._on and fingerprint(image) != self._on:
                continue
            if self._fault == "nan":
                maps[i, 0, 0] = np.nan
            elif self._fault == "exit":
                sys.exit("the licence has run out")
            elif self._fault == "raise":
                raise RuntimeError("the frame grabber is gone")
            elif self._fault == "constant":
                maps[i] = 0.5
            elif self._fault == "minmax":
                maps[i] = (maps[i] - maps[i].min()) / np.ptp(maps[i])
        if self._fault == "too_many_maps":
            maps = np.concatenate([maps, maps])
        elif self._fault == "batch":
            maps = maps / maps.max()
        return Prediction(scores, maps)


class HazyDetector(MeanDetector):
    """The same detector looking through haze: its maps are mostly noise, the same every time."""

    def __init__(self, haze: float = 40.0) -> None:
        super().__init__()
        self._haze = haze

    def _map(self, image: np.ndarray) -> np.ndarray:
        seed = int(fingerprint(image)[:8], 16)
        haze = np.random.default_rng(seed).exponential(self._haze, image.shape[:2])
        return super()._map(image) + haze.astype(np.float32)

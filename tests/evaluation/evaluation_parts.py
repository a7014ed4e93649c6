"""Small splits in memory and small detectors for the tests of this folder."""

from __future__ import annotations

import cv2
import numpy as np

from pytest_robustbench.benchmark import Benchmark
from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings

SIZE = (24, 32)
CENTRE = np.s_[8:14, 10:20]


def picture(seed, size=SIZE):
    """A gray texture of its own."""
    noise = np.random.default_rng(seed).integers(96, 160, size, dtype=np.uint8)
    return np.repeat(noise[:, :, None], 3, axis=2)


def blot(image, where, by=50):
    """The image with a brighter rectangle, and the mask of it."""
    mask = np.zeros(image.shape[:2], bool)
    mask[where] = True
    return np.where(mask[:, :, None], np.minimum(image, 255 - by) + by, image).astype(
        np.uint8
    ), mask


def normal(name, seed, size=SIZE):
    return Sample(name, 0, picture(seed, size))


def defect(name, seed, size=SIZE, *, where=CENTRE, known=True):
    image, mask = blot(picture(seed, size), where)
    return Sample(name, 1, image, mask if known else None, "blot")


def split(
    n_train=30, n_good=4, n_defect=4, *, test=None, train=None, calibration=(), size=SIZE, **more
):
    """A split whose pictures all differ, by part and by number."""
    good = [normal(f"test/good/{i:03d}", 10_000 + i, size) for i in range(n_good)]
    bad = [defect(f"test/blot/{i:03d}", 20_000 + i, size) for i in range(n_defect)]
    fit = tuple(normal(f"train/good/{i:03d}", i, size) for i in range(n_train))
    return Split(
        "memory",
        "texture",
        fit if train is None else tuple(train),
        tuple([*bad, *good] if test is None else test),
        tuple(calibration),
        **more,
    )


class Contrast:
    """Distance to the mean grey level of the fitted images, in steps that tie often.

    It remembers what it was fitted on and how many images each call had.
    """

    name = "contrast"

    def __init__(self, shrink=1):
        self.shrink = shrink
        self.fits = []
        self.calls = []
        self.mean = None

    def fit(self, images):
        self.fits.append([image.tobytes() for image in images])
        self.mean = np.mean([image.mean() for image in images])

    def predict(self, images):
        self.calls.append(len(images))
        maps = [self.map(image) for image in images]
        return Prediction(np.array([self.score(m) for m in maps], np.float32), maps)

    def score(self, anomaly_map):
        """The upper tail, not the one largest pixel: textures have equal maxima too easily."""
        return np.sort(anomaly_map, axis=None)[-20:].mean()

    def map(self, image):
        gray = cv2.blur(image[:, :, 0].astype(np.float32), (3, 3))
        found = np.abs(gray - np.float32(self.mean)).round(1)
        height, width = gray.shape
        if self.shrink == 1:
            return found
        smaller = (width // self.shrink, height // self.shrink)
        return cv2.resize(found, smaller, interpolation=cv2.INTER_AREA)


class Scores(Contrast):
    """The same detector without maps."""

    name = "scores"

    def predict(self, images):
        return Prediction(super().predict(images).scores)


def benchmark(parts=None, detector=None, *, calibration=None, evaluation=None, **more):
    """A benchmark of the small split and detector, or of what is given instead."""
    return Benchmark(
        split() if parts is None else parts,
        Contrast() if detector is None else detector,
        calibration=CalibrationSettings(**(calibration or {})),
        evaluation=EvaluationSettings(**(evaluation or {})),
        **more,
    )

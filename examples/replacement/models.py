"""A model in production, and what people have tried to replace it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_robustbench as rb

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


def production() -> rb.Detector:
    return rb.load_detector("patchcore", preset="industrial-fast")


def half_coreset() -> rb.Detector:
    """Half the memory, somewhat faster."""
    return rb.load_detector("patchcore", preset="industrial-fast", kwargs={"coreset_size": 500})


def random_backbone() -> rb.Detector:
    """The weights were never loaded."""
    return rb.load_detector("patchcore", preset="industrial-fast", kwargs={"pretrained": False})


class WrongNormalisation:
    """Fitted as ever, but served 12-bit pictures scaled as if they had 16 bits."""

    def __init__(self, detector: rb.Detector) -> None:
        self._detector = detector

    def fit(self, images: Sequence[np.ndarray]) -> None:
        self._detector.fit(images)

    def predict(self, images: Sequence[np.ndarray]) -> rb.Prediction:
        return self._detector.predict([image // 16 for image in images])


def wrong_normalisation() -> rb.Detector:
    return WrongNormalisation(production())

"""Lossy storage or transport: encode and decode as JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.gray import by_channel
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, Steps, built_in, parameter

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask

QUALITIES = (90, 70, 50, 30, 15)


@dataclass(frozen=True)
class Jpeg:
    """Encode and decode a picture; nothing is drawn.

    Parameters
    ----------
    quality : tuple of 5 ints
        libjpeg quality of severity 1 to 5; falling.
    """

    quality: tuple[float, ...] = parameter(
        QUALITIES, Steps(Number(1, 100, whole=True), falling=True)
    )

    def __call__(
        self, image: Image, mask: Mask | None, severity: int, rng: np.random.Generator
    ) -> Corrupted:
        """Encode and decode `image` at the quality of `severity`."""
        quality = int(self.quality[severity - 1])
        return Corrupted(by_channel(image, lambda picture: _recode(picture, quality)), mask)


def _recode(picture: Image, quality: int) -> Image:
    """Encode and decode ``(H, W, 3)`` RGB in colour, ``(H, W)`` as a gray JPEG."""
    cv2 = opencv.load()
    if picture.ndim == 2:
        return _stored(picture, quality)
    decoded = _stored(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def _stored(picture: Image, quality: int) -> Image:
    cv2 = opencv.load()
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))


JPEG = built_in("jpeg", Jpeg)

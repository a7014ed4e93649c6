"""Lossy storage or transport: encode and decode as JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth
from pytest_robustbench.corruptions.pixels.gray import by_channel
from pytest_robustbench.corruptions.stages import Stage

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask


@dataclass(frozen=True)
class Jpeg:
    """Encode and decode a picture; nothing is drawn.

    A step of severity doubles the quantiser: what libjpeg makes of a quality ``q`` is its standard
    table times ``200 - 2 q`` percent from 50 on, and ``5000 / q`` percent below [1]_.

    Parameters
    ----------
    quality : float
        libjpeg quality at severity 3.

    References
    ----------
    .. [1] Independent JPEG Group, libjpeg, ``jpeg_quality_scaling`` in jcparam.c.
    """

    quality: float = graded(60, Number(1, 99, whole=True))

    def level(self, severity: float) -> str:
        """Return the quality of `severity`."""
        return f"quality {self.quality_at(severity)}"

    def quality_at(self, severity: float) -> int:
        """Return the whole quality nearest to the quantiser of `severity`; 1 at least."""
        percent = growth(severity) * _quantiser(self.quality)
        exact = 100 - percent / 2 if percent <= 100 else 5000 / percent
        return max(1, round(exact))

    def __call__(
        self, image: Image, mask: Mask | None, severity: float, rng: np.random.Generator
    ) -> Corrupted:
        """Encode and decode `image` at the quality of `severity`."""
        quality = self.quality_at(severity)
        return Corrupted(by_channel(image, lambda picture: recoded(picture, quality)), mask)


def _quantiser(quality: float) -> float:
    """Return by how many percent libjpeg scales its table at a quality."""
    return 200 - 2 * quality if quality >= 50 else 5000 / quality


def recoded(picture: Image, quality: int) -> Image:
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


JPEG = built_in("jpeg", Jpeg, stage=Stage.TRANSPORT)

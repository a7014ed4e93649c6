"""Lossy storage or transport: encode and decode as JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.gray import is_gray

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image, Mask

QUALITIES = (90, 70, 50, 30, 15)
"""libjpeg quality of severity 1 to 5."""


def jpeg(
    image: Image,
    mask: Mask | None,
    severity: int,
    rng: np.random.Generator,  # noqa: ARG001
) -> Corrupted:
    """Encode and decode `image` at the quality of `severity`; nothing is drawn."""
    recode = _recode_gray if is_gray(image) else _recode_colour
    return Corrupted(recode(image, QUALITIES[severity - 1]), mask)


def _recode_colour(image: Image, quality: int) -> Image:
    cv2 = opencv.load()
    decoded = _recode(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def _recode_gray(image: Image, quality: int) -> Image:
    cv2 = opencv.load()
    decoded = _recode(cv2.extractChannel(image, 0), quality, cv2.IMREAD_GRAYSCALE)
    return np.asarray(cv2.merge([decoded, decoded, decoded]))


def _recode(image: Image, quality: int, flag: int) -> Image:
    cv2 = opencv.load()
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, flag))


JPEG = Corruption("jpeg", jpeg, parameters={"quality": QUALITIES})

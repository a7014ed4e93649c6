"""Gray pictures: three equal channels, which every corruption keeps equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image


def gray_channel(image: Image) -> NDArray[np.uint8] | None:
    """Return the channel ``(H, W)`` that a gray `image` repeats, a copy; ``None`` for colour."""
    # Nearly every colour image shows its colour in a few sparse pixels.
    sparse = image[::16, ::16]
    if not (sparse == sparse[..., :1]).all():
        return None
    cv2 = opencv.load()
    channel = np.asarray(cv2.extractChannel(image, 0))
    # Comparing whole pixels is several times faster than comparing channels that lie interleaved.
    largest = cv2.norm(image, replicated(channel), cv2.NORM_INF)
    return channel if largest == 0 else None


def replicated(channel: NDArray[np.uint8]) -> Image:
    """Return ``(H, W, 3)``, each channel of which is `channel` ``(H, W)``."""
    cv2 = opencv.load()
    return np.asarray(cv2.cvtColor(channel, cv2.COLOR_GRAY2RGB))


def by_channel(image: Image, operation: Callable[[Image], Image]) -> Image:
    """Return ``operation(image)``, worked out on one channel and replicated where it is gray.

    Parameters
    ----------
    image : Image
        ``(H, W, 3)`` uint8; or ``(H, W)``, which stays one plane.
    operation : callable
        Takes ``(H, W, 3)`` and ``(H, W)``; returns what it was given the shape of.
    """
    channel = None if image.ndim == 2 else gray_channel(image)
    return operation(image) if channel is None else replicated(operation(channel))

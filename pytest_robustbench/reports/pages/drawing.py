"""Pictures of images, masks and predictions, and the bytes of picture files."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.errors import RobustbenchError
from pytest_robustbench.evaluation.measure.exhibits import fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image, Mask

    Colour = tuple[int, int, int]

TRUTH: Colour = (0, 160, 255)
CALLED: Colour = (255, 40, 40)


def outlined(image: Image, mask: Mask | None, colour: Colour, thickness: int = 1) -> Image:
    """Return a copy of an image with the outline of a mask; no outline where none is known."""
    drawn = np.array(image)
    if mask is None:
        return drawn
    cv2: Any = opencv.load()
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, contours, -1, colour, thickness)
    return drawn


def filled(image: Image, called: Mask) -> Image:
    """Return a copy of an image in which pixels that were called anomalous are red."""
    drawn = np.array(image)
    half = drawn[called].astype(np.uint16) + np.array(CALLED, np.uint16)
    drawn[called] = (half // 2).astype(np.uint8)
    return outlined(drawn, called, CALLED)


def triptych(image: Image, truth: Mask | None, called: Mask | None, gap: int) -> Image:
    """Return an image, its defect outlined, and what is called anomalous, side by side.

    The third panel is left out where nothing can be called. Panels are `gap` white pixels apart.
    """
    panels = [image, outlined(image, truth, TRUTH)]
    return _beside(panels if called is None else [*panels, filled(image, called)], gap)


def _beside(panels: Sequence[Image], gap: int) -> Image:
    white = np.full((panels[0].shape[0], gap, 3), 255, np.uint8)
    strips = [strip for panel in panels for strip in (white, panel)][1:]
    return np.concatenate(strips, axis=1)


def shrunk(image: Image, longest: int) -> Image:
    """Return an image whose longer side is at most `longest` pixels: each is a mean of its area."""
    return resize_image(image, fitted(image.shape, longest))


def shrunk_mask(mask: Mask, longest: int) -> Mask:
    """Return a mask in which a pixel is set if any of those it stands for is: cracks stay whole."""
    return resize_mask(mask, fitted(mask.shape, longest))


def png(image: Image) -> bytes:
    """Return an RGB image as the bytes of a PNG file."""
    return _encoded(".png", image, [])


def jpeg(image: Image, quality: int) -> bytes:
    """Return an RGB image as the bytes of a JPEG file of `quality` 0 to 100."""
    cv2: Any = opencv.load()
    return _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def data_uri(jpeg_file: bytes) -> str:
    """Return a JPEG file as what an ``<img>`` shows without a file."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg_file).decode()}"


def _encoded(ending: str, image: Image, settings: list[int]) -> bytes:
    cv2: Any = opencv.load()
    done, data = cv2.imencode(ending, image[..., ::-1], settings)
    if not done:
        raise RobustbenchError(f"OpenCV cannot encode a {ending} picture")
    encoded: bytes = data.tobytes()
    return encoded

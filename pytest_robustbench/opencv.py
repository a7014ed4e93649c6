"""The one door to OpenCV, so that a missing system library is explained and not traced back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.errors import RobustbenchError

if TYPE_CHECKING:
    from types import ModuleType


def load() -> ModuleType:
    """Return the module ``cv2``.

    Raises
    ------
    RobustbenchError
        If it cannot be imported; the message names the remedy.
    """
    try:
        import cv2
    except ImportError as error:
        raise RobustbenchError(
            f"OpenCV cannot be imported ({error}). In a slim image, install opencv-python-headless "
            "in place of opencv-python, or the system libraries it needs: "
            "apt-get install libgl1 libglib2.0-0"
        ) from error
    return cv2

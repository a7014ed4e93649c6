"""Where on the way from the scene to the detector a corruption happens."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, TypeAlias

Place: TypeAlias = Literal["camera", "model"]
"""On the picture at the camera's own size, or on what the model is given, after the resize."""


class Stage(IntEnum):
    """In the order in which a picture passes them.

    Before the last one all happens to the picture as the camera sees it, at its own size; then it
    is resized as in production.
    """

    SCENE = 1
    LIGHT = 2
    OPTICS = 3
    SENSOR = 4
    PROCESSING = 5
    TRANSPORT = 6

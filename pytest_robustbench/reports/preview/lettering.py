"""Text as pixels, in OpenCV's own letters: they need no font file, and know ASCII only."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv

if TYPE_CHECKING:
    from pytest_robustbench.arrays import Image

WHITE = 255


@dataclass(frozen=True)
class Lettering:
    """How letters look.

    Parameters
    ----------
    scale : float
        Of OpenCV's simplex letters, whose capitals are 21 pixels high at 1.
    gray : int
        0 is black.
    thickness : int
        Of their strokes, pixels.
    leading : int
        Height of a line, pixels.
    """

    scale: float
    gray: int
    thickness: int
    leading: int


TITLE = Lettering(0.85, 20, 2, 34)
HEADING = Lettering(0.65, 20, 2, 28)
SUBHEADING = Lettering(0.58, 20, 1, 24)
STRONG = Lettering(0.46, 20, 1, 19)
BODY = Lettering(0.42, 95, 1, 18)


def written(text: str, lettering: Lettering, width: int) -> Image:
    """Return `text` on white, ``(H, width, 3)`` uint8: as many lines as it needs, one at least.

    What is not ASCII becomes ``?``.
    """
    lines = _lines(text.encode("ascii", "replace").decode(), lettering, width)
    return np.concatenate([_line(line, lettering, width) for line in lines])


def _lines(text: str, lettering: Lettering, width: int) -> list[str]:
    needed = _length(text, lettering)
    if needed <= width:
        return [text]
    letters = max(1, int(0.95 * len(text) * width / needed))
    return textwrap.wrap(text, letters) or [""]


def _line(text: str, lettering: Lettering, width: int) -> Image:
    cv2: Any = opencv.load()
    line = np.full((lettering.leading, width, 3), WHITE, np.uint8)
    origin, colour = (0, round(0.74 * lettering.leading)), (lettering.gray,) * 3
    return np.asarray(
        cv2.putText(
            line,
            text,
            origin,
            cv2.FONT_HERSHEY_SIMPLEX,
            lettering.scale,
            colour,
            lettering.thickness,
            cv2.LINE_AA,
        )
    )


def _length(text: str, lettering: Lettering) -> int:
    cv2: Any = opencv.load()
    (length, _), _ = cv2.getTextSize(
        text, cv2.FONT_HERSHEY_SIMPLEX, lettering.scale, lettering.thickness
    )
    return int(length)

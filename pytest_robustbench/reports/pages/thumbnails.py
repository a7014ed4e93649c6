"""Small pictures of a condition's worst images: image, truth and prediction side by side.

Each is a file whose name holds the digest of the corrupted pixels and that of the operating point:
a report that is rendered again finds its own pictures, or none. Thresholds do not tell two models
apart, and so a run that takes nothing over forgets the pictures of the runs before it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_robustbench.reports.pages.drawing import jpeg, triptych

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.evaluation.results import ConditionResult

QUALITIES = (80, 65, 50, 35)
"""Of the JPEG: the first that makes it small enough, textures need more room than paint."""
LARGEST = 14_000  # bytes: 78 of them leave a page of 26 conditions well below 3 MB
GAP = 6  # pixels between two panels
FOLDER = "thumbnails"
NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}\.jpg")


def thumbnail_name(picture_digest: str, operating_point_digest: str) -> str:
    """Return the name of the file that shows an image as one detector judged it."""
    return f"{picture_digest}-{operating_point_digest[:16]}.jpg"


def thumbnails_of(result: ConditionResult) -> dict[str, bytes]:
    """Return JPEG files by name, one per exhibit of a result, worst first."""
    digests = result.digests
    return {
        thumbnail_name(digests[e.index], result.operating_point): _small_jpeg(
            triptych(e.image, e.truth, e.called, GAP)
        )
        for e in result.exhibits
    }


def _small_jpeg(image: Image) -> bytes:
    encoded = b""
    for quality in QUALITIES:
        encoded = jpeg(image, quality)
        if len(encoded) <= LARGEST:
            break
    return encoded


class Thumbnails:
    """The pictures of one benchmark on disk.

    Parameters
    ----------
    report : Path
        The benchmark's report; the pictures lie in a folder of its name beside it.
    """

    def __init__(self, report: Path) -> None:
        self._folder = report.with_suffix("") / FOLDER

    def write(self, pictures: Mapping[str, bytes]) -> None:
        """Write pictures by their names.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        for name, content in pictures.items():
            if NAME.fullmatch(name):  # it may come from another machine
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / name).write_bytes(content)

    def read(self, name: str) -> bytes | None:
        """Return a picture, or ``None`` where it is not there any more."""
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def adopt(self, other: Thumbnails) -> None:
        """Copy the pictures of the same benchmark from somewhere else.

        Raises
        ------
        OSError
            If they cannot be copied.
        """
        found = other._folder.glob("*.jpg") if other._folder.is_dir() else ()
        self.write({path.name: path.read_bytes() for path in found})

    def forget(self) -> None:
        """Remove all pictures: those of another model may bear the names of this one's."""
        self.keep_only(set())

    def keep_only(self, names: set[str]) -> None:
        """Remove the pictures of earlier runs, which no report speaks of any more."""
        for path in self._folder.glob("*.jpg"):
            if path.name not in names:
                with suppress(OSError):  # it is open somewhere, and is shown on no page
                    path.unlink(missing_ok=True)

"""Detectors that take files: images reach them as PNGs in a folder of their own."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.introspection import synchronizer
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.protocol import Prediction

FASTEST = 1  # of zlib's levels: the files live for one call


class PathInput:
    """A detector whose images are files.

    The evaluation calls `stage_inputs` before it times `predict`, so that writing files is no part
    of the latency; reading them is.

    Parameters
    ----------
    detector : object
        Has ``fit(paths)`` and ``predict(paths) -> Prediction``.

    Notes
    -----
    The files are PNGs, hence without loss. Those of `fit` are kept until the next `fit`, for
    detectors that read them later; those of `stage_inputs` until the next `stage_inputs`. All of
    them go when the detector does.
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector
        self.name = str(getattr(detector, "name", type(detector).__name__))
        self._folder: Path | None = None
        self._numbers = count()

    def fit(self, images: Sequence[Image]) -> None:
        """Write all images to files and fit the detector on their paths."""
        self.detector.fit(self._written(images, "fit"))

    def stage_inputs(self, images: Sequence[Image]) -> list[str]:
        """Write images to files, in place of those staged before, and return their paths.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.

        Returns
        -------
        list of str
            Absolute paths of lossless PNGs, in the same order.

        Raises
        ------
        DetectorError
            If a file cannot be written.
        """
        return self._written(images, "predict")

    def predict(self, images: Sequence[str] | Sequence[Image]) -> Prediction:
        """Predict files that were staged; images are staged first."""
        paths = self.stage_inputs(images) if _are_images(images) else list(images)  # type: ignore[arg-type]
        prediction: Prediction = self.detector.predict(paths)
        return prediction

    @property
    def synchronize(self) -> Callable[[], None] | None:
        """What waits for the detector's device, where it offers that."""
        return synchronizer(self.detector)

    def description(self) -> dict[str, Any]:
        """Return the detector's own description and how it gets its images."""
        describe = getattr(self.detector, "description", None)
        own = dict(describe()) if callable(describe) else {}
        return own | {"input": "paths of temporary PNG files"}

    def _written(self, images: Iterable[Image], part: str) -> list[str]:
        folder = self._own_folder() / part
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        # A name is never used again: detectors may remember what they found under a path.
        return [_write(folder / f"{next(self._numbers):08d}.png", image) for image in images]

    def _own_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="pytest-robustbench-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


def _are_images(images: Sequence[object]) -> bool:
    return any(isinstance(image, np.ndarray) for image in images)


def _write(path: Path, image: Image) -> str:
    cv2 = opencv.load()
    pixels = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, FASTEST])
    if not encoded:
        raise DetectorError(f"an image of shape {np.shape(image)} cannot be written as PNG")
    try:
        path.write_bytes(data.tobytes())  # not imwrite: it drops the reason of a failure
    except OSError as error:
        raise DetectorError(f"the temporary file of an image cannot be written: {error}") from error
    return str(path)

"""What a detector is, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Floats, Image


@dataclass(frozen=True, eq=False)
class Prediction:
    """Scores and maps of a batch; higher is more anomalous.

    Parameters
    ----------
    scores : ndarray of shape (N,), float32
        One score per image.
    maps : ndarray of shape (N, h, w) or sequence of ndarrays of shape (h, w), float32, optional
        One anomaly map per image, at any resolution; ``None`` if the detector has none.
    """

    scores: Floats
    maps: Floats | Sequence[Floats] | None = None


@runtime_checkable
class Detector(Protocol):
    """Anything that learns from normal images and scores others.

    `predict` gives scores and maps from one inference, so that latency is that of production. An
    image's result must not depend on the others in its batch, and scores keep one fixed scale: a
    threshold found today has to mean the same tomorrow.

    A detector may also have ``name`` (str), ``description() -> dict`` of plain JSON values for the
    report, ``synchronize() -> None``, which waits until its device is done, and
    ``stage_inputs(images)``, work that latency leaves out: what it returns is given to `predict` in
    place of the images.
    """

    def fit(self, images: Sequence[Image]) -> None:
        """Learn from normal images, forgetting what was learned before.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.
        """
        ...

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score images.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            RGB; sizes may differ.

        Returns
        -------
        Prediction
            One score and, where the detector has maps, one map per image, in the order given.
        """
        ...

"""A detector must not let one image's result depend on the others in its batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import DetectorError, RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.evaluation.prediction import ImagePrediction, Predictor

# Kernels chosen by batch size round differently; a dependence on the batch moves far more.
RELATIVE_TOLERANCE = 1e-3


def check_batch_independence(
    predictor: Predictor, images: Sequence[Image], ids: Sequence[str]
) -> str:
    """Compare ``predict([a, b])`` with ``predict([a])`` and ``predict([b])``.

    Parameters
    ----------
    predictor : Predictor
        The detector, fitted.
    images : sequence of (H, W, 3) uint8 arrays
        The first two of equal shape are used; nothing is checked when there are none.
    ids : sequence of str
        Their sample ids.

    Returns
    -------
    str
        A note for the record: why nothing was checked, or empty.

    Raises
    ------
    DetectorError
        If the detector depends on its batch, or cannot take the batch size it is run with.
    """
    pair = _first_of_equal_shape(images)
    if pair is None:
        return "batch dependence not checked: no two images of equal size"
    chosen, names = [images[i] for i in pair], [ids[i] for i in pair]
    where = "batch check"
    try:
        alone = replace(predictor, batch_size=1).predict(chosen, names, where)
    except RobustbenchError as error:  # what touches single images fails their conditions
        return f"batch dependence not checked: {error}"
    try:
        together = replace(predictor, batch_size=2).predict(chosen, names, where)
    except DetectorError:
        if predictor.batch_size > 1:
            raise
        return "the detector takes one image at a time"
    for name, single, paired in zip(names, alone, together, strict=True):
        _require_equal(predictor.name, name, single, paired)
    return ""


def _first_of_equal_shape(images: Sequence[Image]) -> tuple[int, int] | None:
    seen: dict[tuple[int, ...], int] = {}
    for i, image in enumerate(images):
        if image.shape in seen:
            return seen[image.shape], i
        seen[image.shape] = i
    return None


def _require_equal(
    detector: str, sample: str, single: ImagePrediction, paired: ImagePrediction
) -> None:
    difference = abs(single.score - paired.score)
    scale = max(abs(single.score), abs(paired.score))
    if single.map is not None and paired.map is not None:
        difference = max(difference, float(np.abs(single.map - paired.map).max()))
        scale = max(scale, float(np.ptp(single.map)), float(np.ptp(paired.map)))
    if difference > RELATIVE_TOLERANCE * scale:
        message = (
            f"detector {detector!r} depends on its batch: image {sample} changes by "
            f"{difference:.3g} when it is predicted together with another one. A fixed threshold "
            "means nothing then; normalise by constants of the training set instead"
        )
        raise DetectorError(message)

"""A detector must not let one image's result depend on the others in its batch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import DetectorError, RobustbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.evaluation.measure.prediction import ImagePrediction, Predictor

# Kernels chosen by batch size round differently; a dependence on the batch moves far more.
RELATIVE_TOLERANCE = 1e-3


def check_batch_independence(
    predictor: Predictor, images: Sequence[Image], ids: Sequence[str]
) -> str:
    """Compare ``predict([a, b, ...])`` with ``predict([a])``, ``predict([b])``, ...

    Parameters
    ----------
    predictor : Predictor
        The detector, fitted.
    images : sequence of (H, W, 3) uint8 arrays
        A batch of those of the commonest shape is used; nothing is checked when no two are of
        equal shape.
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
    batch = _of_equal_shape(images)[: max(2, predictor.batch_size)]
    if len(batch) < 2:
        few = len(images) < 2
        why = "there is only one image to try" if few else "no two images of equal size"
        return f"batch dependence not checked: {why}"
    chosen, names = [images[i] for i in batch], [ids[i] for i in batch]
    where = "batch check"
    try:
        alone = replace(predictor, batch_size=1).predict(chosen, names, where)
    except RobustbenchError as error:  # what touches single images fails their conditions
        return f"batch dependence not checked: {error}"
    try:
        together = replace(predictor, batch_size=len(batch)).predict(chosen, names, where)
    except DetectorError:
        if predictor.batch_size > 1:
            raise
        return "the detector takes one image at a time"
    for name, single, batched in zip(names, alone, together, strict=True):
        _require_equal(predictor.name, name, single, batched)
    return ""


def _of_equal_shape(images: Sequence[Image]) -> list[int]:
    """Return the positions of the images of the commonest shape."""
    by_shape: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, image in enumerate(images):
        by_shape[image.shape].append(i)
    return max(by_shape.values(), key=len, default=[])


def _require_equal(
    detector: str, sample: str, single: ImagePrediction, batched: ImagePrediction
) -> None:
    difference = abs(single.score - batched.score)
    scale = max(abs(single.score), abs(batched.score))
    if single.map is not None and batched.map is not None:
        difference = max(difference, float(np.abs(single.map - batched.map).max()))
        scale = max(scale, float(np.ptp(single.map)), float(np.ptp(batched.map)))
    if difference > RELATIVE_TOLERANCE * scale:
        raise DetectorError(
            f"detector {detector!r} depends on its batch: image {sample} changes by "
            f"{difference:.3g} when it is predicted together with others. A fixed threshold "
            "means nothing then; normalise by constants of the training set instead"
        )

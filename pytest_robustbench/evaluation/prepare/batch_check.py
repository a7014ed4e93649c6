"""A detector must not let one image's result depend on the others in its batch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from pytest_robustbench.errors import DetectorError, RobustbenchError
from pytest_robustbench.evaluation.measure.repetition import NOT_REPEATABLE, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.evaluation.measure.prediction import Predictor


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
        If the detector depends on its batch, says something else of an image when it is asked
        again, or cannot take the batch size it is run with.
    """
    batch = _of_equal_shape(images)[: max(2, predictor.batch_size)]
    if len(batch) < 2:
        few = len(images) < 2
        why = "there is only one image to try" if few else "no two images of equal size"
        return f"batch dependence not checked: {why}"
    chosen, names = [images[i] for i in batch], [ids[i] for i in batch]
    where = "batch check"
    one_by_one = replace(predictor, batch_size=1)
    try:
        alone = one_by_one.predict(chosen, names, where)
    except RobustbenchError as error:  # what touches single images fails their conditions
        return f"batch dependence not checked: {error}"
    try:
        together = replace(predictor, batch_size=len(batch)).predict(chosen, names, where)
    except DetectorError:
        if predictor.batch_size > 1:
            raise
        return "the detector takes one image at a time"
    changes = [difference(*pair) for pair in zip(alone, together, strict=True)]
    for at, change in enumerate(changes):
        if change:
            (again,) = one_by_one.predict([chosen[at]], [names[at]], where)
            _refuse(predictor.name, names[at], change, repeated=difference(alone[at], again))
    return ""


def _of_equal_shape(images: Sequence[Image]) -> list[int]:
    """Return the positions of the images of the commonest shape."""
    by_shape: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, image in enumerate(images):
        by_shape[image.shape].append(i)
    return max(by_shape.values(), key=len, default=[])


def _refuse(detector: str, sample: str, change: float, *, repeated: float) -> NoReturn:
    if repeated:
        raise DetectorError(
            f"detector {detector!r} says something else of the same image: {sample} has changed by "
            f"{repeated:.3g} when it was predicted again, alone as before; {NOT_REPEATABLE}"
        )
    raise DetectorError(
        f"detector {detector!r} depends on its batch: image {sample} changes by {change:.3g} when "
        "it is predicted together with others. A fixed threshold means nothing then; normalise by "
        "constants of the training set instead"
    )

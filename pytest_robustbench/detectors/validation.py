"""Check what a detector returns, before a number is made of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError, NotMeasurableError

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats


def checked_prediction(prediction: object, images: Sized, where: str) -> Prediction:
    """Return `prediction` as owned, C-contiguous float32 arrays of the right number and rank.

    Arrays are copied: a detector may fill the same output buffer again with its next call.

    Parameters
    ----------
    prediction : object
        What the detector returned: anything with ``scores`` of shape (N,) or (N, 1), and ``maps``
        of shape (N, h, w), (N, 1, h, w), a sequence of N maps, or ``None``. NumPy arrays, torch
        tensors on any device, or nested lists.
    images : sized
        The N images it was given.
    where : str
        Detector, condition and images, for the message.

    Returns
    -------
    Prediction
        Scores ``(N,)``; maps ``(N, h, w)``, or a tuple where the detector gave a sequence.

    Raises
    ------
    DetectorError
        If it has another form, or not one score and one map per image.
    """
    if not (hasattr(prediction, "scores") and hasattr(prediction, "maps")):
        raise DetectorError(
            f"{where}: predict returned {_shown(prediction)}; expected a "
            "pytest_robustbench.Prediction(scores, maps)"
        )
    scores = _scores(prediction.scores, len(images), where)
    maps = None if prediction.maps is None else _maps(prediction.maps, len(images), where)
    return Prediction(scores, maps)


def require_finite(prediction: Prediction, ids: Sequence[str], where: str) -> None:
    """Refuse NaN and infinity in scores and maps.

    Parameters
    ----------
    prediction : Prediction
        A checked prediction.
    ids : sequence of str
        The ids of its images.
    where : str
        Detector and condition, for the message.

    Raises
    ------
    NotMeasurableError
        If a score or a map is not finite; it names the images.
    """
    _require_finite(prediction.scores, ids, "score", where)
    if prediction.maps is not None:
        _require_finite(prediction.maps, ids, "anomaly map", where)


def to_numpy(values: object) -> NDArray[Any]:
    """Return array-like `values` as a NumPy array; a torch tensor may live on any device.

    Raises
    ------
    TypeError, ValueError
        If they form no array of numbers.
    """
    # Looked up, not imported: where torch was never imported there are no tensors.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(values, torch.Tensor):
        # bfloat16 has no NumPy counterpart.
        values = values.detach().to("cpu", torch.float32).numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"dtype {array.dtype}")
    return array


def _scores(values: object, n_images: int, where: str) -> Floats:
    expected = f"one score per image, shape ({n_images},)"
    scores = _floats(values, "scores", expected, where)
    if scores.shape == (n_images, 1):
        scores = scores[:, 0]
    if scores.shape != (n_images,):
        raise _wrong("scores", f"shape {scores.shape}", expected, where)
    return scores


def _maps(values: object, n_images: int, where: str) -> Floats | tuple[Floats, ...]:
    if isinstance(values, (list, tuple)):
        return _sequence_of_maps(values, n_images, where)
    expected = f"one map per image, shape ({n_images}, h, w)"
    maps = _floats(values, "maps", expected, where)
    if maps.ndim == 4 and maps.shape[1] == 1:
        maps = maps[:, 0]
    if maps.ndim != 3 or len(maps) != n_images or 0 in maps.shape[1:]:
        raise _wrong("maps", f"shape {maps.shape}", expected, where)
    return maps


def _sequence_of_maps(values: Sequence[object], n_images: int, where: str) -> tuple[Floats, ...]:
    if len(values) != n_images:
        raise _wrong("maps", f"{len(values)} of them", f"{n_images}, one per image", where)
    return tuple(_single_map(value, where) for value in values)


def _single_map(value: object, where: str) -> Floats:
    expected = "each of shape (h, w)"
    single = _floats(value, "maps", expected, where)
    if single.ndim == 3 and single.shape[0] == 1:
        single = single[0]
    if single.ndim != 2 or 0 in single.shape:
        raise _wrong("maps", f"one of shape {single.shape}", expected, where)
    return single


def _floats(values: object, what: str, expected: str, where: str) -> Floats:
    try:
        array = to_numpy(values)
    except (TypeError, ValueError) as error:
        raise DetectorError(
            f"{where}: predict returned {what} as {_shown(values)} ({error}), not {expected}"
        ) from error
    # A float64 beyond float32 becomes infinite here, and `require_finite` reports it.
    with np.errstate(over="ignore"):
        return np.array(array, dtype=np.float32, order="C")


def _wrong(what: str, found: str, expected: str, where: str) -> DetectorError:
    return DetectorError(f"{where}: predict returned {what} with {found}; expected {expected}")


def _require_finite(
    values: Floats | Sequence[Floats], ids: Sequence[str], what: str, where: str
) -> None:
    bad = [name for name, v in zip(ids, values, strict=True) if not np.isfinite(v).all()]
    if bad:
        raise NotMeasurableError(
            f"{where}: NaN or infinity in the {what} of image {', '.join(bad)}"
        )


def _shown(values: object) -> str:
    name = type(values).__name__
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    return "None" if values is None else f"{article} {name}"

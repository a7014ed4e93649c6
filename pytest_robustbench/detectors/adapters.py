"""Make a detector of what people already have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.protocol import Detector, Prediction
from pytest_robustbench.detectors.validation import checked_prediction, to_numpy
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_robustbench.arrays import Image

ACCEPTED_FORMS = """\
  - fit(images) and predict(images) -> pytest_robustbench.Prediction
  - predict(images) -> Prediction alone, for a detector that is already fitted
  - fit, decision_function and predict_anomaly_map or get_anomaly_map (pyimgano's convention)
  - a callable: images -> maps, (scores, maps), (scores, None) or Prediction"""


def as_detector(obj: object, *, name: str | None = None) -> Detector:
    """Return `obj` as a `Detector`.

    Parameters
    ----------
    obj : object
        One of:

        - an object with ``fit(images)`` and ``predict(images) -> Prediction``, returned as it is;
        - an object with such a ``predict`` alone: already fitted;
        - an object of pyimgano's convention: ``decision_function(images)`` gives scores,
          ``predict_anomaly_map(images)`` or ``get_anomaly_map(image)`` gives maps, ``fit(images)``
          learns. Score and map are two inferences;
        - a callable ``images -> maps``, ``(scores, maps)`` or `Prediction`, fitted already unless
          it has ``fit``. Where it gives only maps, an image's score is its map's maximum.

        Images are a list of ``(H, W, 3)`` uint8 arrays, RGB.
    name : str, optional
        How messages and reports call what has to be adapted; by default its class or function.

    Raises
    ------
    DetectorError
        If `obj` is none of these.
    """
    if isinstance(obj, type):
        raise _not_a_detector(obj, "a class, not an instance of it")
    if _has(obj, "decision_function"):
        if not (_has(obj, "predict_anomaly_map") or _has(obj, "get_anomaly_map")):
            raise _not_a_detector(obj, "an estimator of feature vectors, without anomaly maps")
        return PyimganoAdapter(obj, name or type(obj).__name__)
    if isinstance(obj, Detector):
        return obj
    if _has(obj, "predict"):
        return CallableAdapter(obj.predict, name or type(obj).__name__)  # type: ignore[attr-defined]
    if callable(obj):
        return CallableAdapter(obj, name or str(getattr(obj, "__name__", type(obj).__name__)))
    raise _not_a_detector(obj, f"an instance of {_path(type(obj))}")


@dataclass(frozen=True, eq=False)
class PyimganoAdapter:
    """An object of pyimgano's convention; higher is more anomalous.

    Parameters
    ----------
    model : object
        Has ``decision_function`` and ``predict_anomaly_map`` or ``get_anomaly_map``.
    name : str
        How messages call it.
    """

    model: Any
    name: str

    def fit(self, images: Sequence[Image]) -> None:
        """Fit the model.

        Raises
        ------
        DetectorError
            If it has no ``fit``.
        """
        if not _has(self.model, "fit"):
            raise _unfittable(self.name)
        self.model.fit(list(images))

    @property
    def synchronize(self) -> Callable[[], None] | None:
        """What waits for the model's device, where the model offers it."""
        return _synchronizer(self.model)

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score images and then map them: two inferences."""
        batch = list(images)
        scores = self.model.decision_function(batch)
        # Checked by whoever asks for it: here that would count as the model's own time.
        return Prediction(scores, self._maps(batch))

    def description(self) -> dict[str, Any]:
        """Return the model's class and plain parameters, for the report."""
        return {
            "class": _path(type(self.model)),
            "parameters": _plain_attributes(self.model),
            "inference": "score and map are two inferences per image",
        }

    def _maps(self, batch: list[Image]) -> Any:
        if _has(self.model, "predict_anomaly_map"):
            return self.model.predict_anomaly_map(batch)
        return [self.model.get_anomaly_map(image) for image in batch]


@dataclass(frozen=True, eq=False)
class CallableAdapter:
    """A function from images to maps, scores and maps, or a `Prediction`.

    Parameters
    ----------
    function : callable
        Takes a list of images. Without a method ``fit`` it is taken to be fitted already.
    name : str
        How messages call it.
    """

    function: Callable[[list[Image]], object]
    name: str

    def fit(self, images: Sequence[Image]) -> None:
        """Fit the callable object.

        Raises
        ------
        DetectorError
            If it has no ``fit``.
        """
        if not _has(self.function, "fit"):
            raise _unfittable(self.name)
        self.function.fit(list(images))  # type: ignore[attr-defined]

    @property
    def synchronize(self) -> Callable[[], None] | None:
        """What waits for the device, where the function or the object it belongs to offers it."""
        return _synchronizer(getattr(self.function, "__self__", self.function))

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Call the function once."""
        batch = list(images)
        where = f"detector {self.name!r}"
        returned = self.function(batch)
        if hasattr(returned, "scores") and hasattr(returned, "maps"):
            return checked_prediction(returned, batch, where)
        scores, maps = _scores_and_maps(returned)
        if scores is not None:
            return checked_prediction(Prediction(scores, maps), batch, where)
        unscored = checked_prediction(_unscored(maps, len(batch), where), batch, where)
        return Prediction(_maxima(unscored), unscored.maps)

    def description(self) -> dict[str, Any]:
        """Return the function's import path, for the report."""
        return {"callable": _path(self.function)}


def _synchronizer(obj: object) -> Callable[[], None] | None:
    own: Callable[[], None] | None = getattr(obj, "synchronize", None)
    return own if callable(own) else None


def _scores_and_maps(returned: object) -> tuple[Any, Any]:
    """Tell ``(scores, maps)`` from two maps that happen to come in a tuple: by their ranks."""
    if isinstance(returned, tuple) and len(returned) == 2:
        scores, maps = returned
        if maps is None or _rank(scores) < _rank(maps):
            return scores, maps
    return None, returned


def _unscored(maps: Any, n_images: int, where: str) -> Prediction:
    if maps is None or _rank(maps) < 2:
        found = "None" if maps is None else f"{type(maps).__name__} of rank {_rank(maps)}"
        message = (
            f"{where}: the callable returned {found}; expected maps of shape ({n_images}, h, w), "
            "(scores, maps), (scores, None) or a Prediction"
        )
        raise DetectorError(message)
    return Prediction(np.zeros(n_images, np.float32), maps)


def _maxima(prediction: Prediction) -> Any:
    maps = () if prediction.maps is None else prediction.maps
    return np.array([np.max(m) for m in maps], dtype=np.float32)


def _rank(values: object) -> int:
    """Return the number of axes; lists may hold arrays of different sizes."""
    if isinstance(values, (list, tuple)):
        return 1 + max((_rank(value) for value in values), default=0)
    if hasattr(values, "ndim"):
        return int(values.ndim)
    try:
        return to_numpy(values).ndim
    except (TypeError, ValueError):
        return 0


def _plain_attributes(model: object) -> dict[str, Any]:
    """Return public attributes of plain type that were given, not learned (``name_``)."""
    return {
        key: value
        for key, value in vars(model).items()
        if not key.startswith("_") and not key.endswith("_") and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _has(obj: object, method: str) -> bool:
    return callable(getattr(obj, method, None))


def _path(obj: Any) -> str:
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    return f"{named.__module__}.{named.__qualname__}"


def _not_a_detector(obj: object, what: str) -> DetectorError:
    return DetectorError(f"{obj!r:.80} is {what}; accepted as a detector:\n{ACCEPTED_FORMS}")


def _unfittable(name: str) -> DetectorError:
    return DetectorError(f"detector {name!r} cannot be fitted here: declare fitted: true")

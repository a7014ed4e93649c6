"""Make a detector of what people already have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.adapter import Adapter
from pytest_robustbench.detectors.introspection import (
    comes_from,
    has_method,
    import_path,
    synchronizer,
)
from pytest_robustbench.detectors.protocol import Detector, Prediction
from pytest_robustbench.detectors.validation import checked_prediction, to_numpy
from pytest_robustbench.display import displayed
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_robustbench.arrays import Image

ACCEPTED_FORMS = """\
  - fit(images) and predict(images) -> pytest_robustbench.Prediction
  - predict(images) -> Prediction alone, for a detector that is already fitted
  - fit, decision_function and predict_anomaly_map or get_anomaly_map (pyimgano's convention)
  - an outlier detector of scikit-learn or PyOD, or a pipeline that ends in one
  - an anomalib model or inferencer
  - a callable: images -> maps, (scores, maps), (scores, None) or Prediction"""


def as_detector(
    obj: object,
    *,
    name: str | None = None,
    features: Callable[[Image], object] | None = None,
    sign: int | None = None,
) -> Detector:
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
        - an outlier detector of scikit-learn or PyOD, or a pipeline that ends in one: it sees a
          vector of features per image, and gives no maps;
        - an anomalib model, trained through its Engine unless it is declared as fitted, or one of
          anomalib's inferencers;
        - a callable ``images -> maps``, ``(scores, maps)`` or `Prediction`, fitted already unless
          it has ``fit``. Where it gives only maps, an image's score is its map's maximum.

        Images are a list of ``(H, W, 3)`` uint8 arrays, RGB.
    name : str, optional
        How messages and reports call what has to be adapted; by default its class or function.
    features : callable, optional
        For an estimator: one image -> its feature vector. By default
        `pytest_robustbench.detectors.libraries.image_features.image_features`.
    sign : {1, -1}, optional
        For an estimator: 1 where its higher scores are more anomalous, -1 where they are more
        normal. Known for those of scikit-learn and PyOD.

    Raises
    ------
    DetectorError
        If `obj` is none of these.
    """
    if isinstance(obj, type):
        raise _not_a_detector(obj, "a class, not an instance of it")
    called = name or str(getattr(obj, "__name__", type(obj).__name__))
    if features is not None or sign is not None:
        return _estimator(obj, called, features, sign)
    return _adapted(obj, called)


def _adapted(obj: object, name: str) -> Detector:
    if comes_from(obj, "anomalib"):
        from pytest_robustbench.detectors.libraries import anomalib_models

        return anomalib_models.adapted(obj, name)
    if _is_conventional(obj):
        from pytest_robustbench.detectors.libraries import pyimgano_models

        return pyimgano_models.adapted(obj, name)
    if has_method(obj, "decision_function") or _is_estimator(obj):
        return _estimator(obj, name, None, None)
    if isinstance(obj, Detector):
        return obj
    if has_method(obj, "predict"):
        return CallableAdapter(obj.predict, name)  # type: ignore[attr-defined]
    if callable(obj):
        return CallableAdapter(obj, name)
    raise _not_a_detector(obj, f"an instance of {import_path(type(obj))}")


def _estimator(
    obj: object, name: str, features: Callable[[Image], object] | None, sign: int | None
) -> Detector:
    from pytest_robustbench.detectors.libraries import estimators

    return estimators.adapted(obj, name, features, sign)


def _is_conventional(obj: object) -> bool:
    """Return whether images, not feature vectors, are what ``decision_function`` takes."""
    if not has_method(obj, "decision_function"):
        return False
    gives_maps = has_method(obj, "predict_anomaly_map") or has_method(obj, "get_anomaly_map")
    return gives_maps or comes_from(obj, "pyimgano")


def _is_estimator(obj: object) -> bool:
    """Return whether `obj` is an estimator, and not a detector that borrows its base class."""
    own = type(obj).__module__.partition(".")[0] == "sklearn"
    return own or comes_from(obj, "sklearn", "OutlierMixin") or comes_from(obj, "pyod")


@dataclass(frozen=True, eq=False)
class CallableAdapter(Adapter):
    """A function from images to maps, scores and maps, or a `Prediction`."""

    @property
    def synchronize(self) -> Callable[[], None] | None:
        """What waits for the device, where the function or the object it belongs to offers it."""
        return synchronizer(getattr(self.wrapped, "__self__", self.wrapped))

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Call the function once."""
        batch = list(images)
        where = f"detector {self.name!r}"
        returned = self.wrapped(batch)
        if hasattr(returned, "scores") and hasattr(returned, "maps"):
            return checked_prediction(returned, batch, where)
        scores, maps = _scores_and_maps(returned)
        if scores is not None:
            return checked_prediction(Prediction(scores, maps), batch, where)
        unscored = checked_prediction(_unscored(maps, len(batch), where), batch, where)
        return Prediction(_maxima(unscored), unscored.maps)

    def description(self) -> dict[str, Any]:
        """Return the function's import path, for the report."""
        return {"callable": import_path(self.wrapped)}


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
        raise DetectorError(
            f"{where}: the callable returned {found}; expected maps of shape ({n_images}, h, w), "
            "(scores, maps), (scores, None) or a Prediction"
        )
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


def _not_a_detector(obj: object, what: str) -> DetectorError:
    head = f"{displayed(repr(obj)):.80} is {what}; accepted as a detector:"
    return DetectorError(head, *ACCEPTED_FORMS.split("\n"))

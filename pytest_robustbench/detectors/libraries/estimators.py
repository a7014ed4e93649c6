"""Outlier detectors of scikit-learn and PyOD, on a vector of features per image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.detectors.adapter import Adapter
from pytest_robustbench.detectors.introspection import (
    comes_from,
    has_method,
    import_path,
    is_plain,
)
from pytest_robustbench.detectors.libraries.image_features import image_features
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.importing import import_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_robustbench.arrays import Floats, Image

SCORES = ("decision_function", "score_samples")
HIGHER_IS_ANOMALOUS, HIGHER_IS_NORMAL = 1, -1
MEANING = {HIGHER_IS_ANOMALOUS: "anomalous", HIGHER_IS_NORMAL: "normal"}


@dataclass(frozen=True, eq=False)
class FeatureDetector(Adapter):
    """An estimator of feature vectors as a detector of images; it gives no maps.

    It has ``decision_function`` or ``score_samples`` of an (N, F) array.

    Parameters
    ----------
    sign : {1, -1}
        1 where the estimator's higher scores are more anomalous, -1 where they are more normal:
        its scores are multiplied by this.
    features : callable
        One image -> one vector of finite numbers, of the same length for every image.
    """

    sign: int
    features: Callable[[Image], object] = image_features

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score images: the estimator's scores, turned so that higher is more anomalous.

        Raises
        ------
        DetectorError
            If the features cannot be used.
        """
        table = self._inputs(images)
        score = getattr(self.wrapped, _score_method(self.wrapped, self.name))
        scores = np.asarray(score(table), np.float64)
        return Prediction((self.sign * scores).astype(np.float32), None)

    def description(self) -> dict[str, Any]:
        """Return estimator, parameters, features and sign, for the report."""
        return {
            "class": import_path(type(self.wrapped)),
            "parameters": _parameters(self.wrapped),
            "features": import_path(self.features),
            "higher_is": MEANING[self.sign],
        }

    def _inputs(self, images: Sequence[Image]) -> Floats:
        rows = [self._row(image) for image in images]
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise self._unusable(f"vectors of different lengths, {lengths[0]} and {lengths[-1]}")
        return np.stack(rows)

    def _row(self, image: Image) -> Floats:
        returned = self.features(image)
        try:
            row = np.asarray(returned, np.float32)
        except (TypeError, ValueError) as error:
            raise self._unusable(f"no numbers ({error})") from error
        if row.ndim != 1:
            raise self._unusable(f"an array of shape {row.shape}")
        if not np.isfinite(row).all():
            raise self._unusable("NaN or infinity")
        return row

    def _unusable(self, found: str) -> DetectorError:
        return DetectorError(
            f"detector {self.name!r}: its features, {import_path(self.features)}, returned "
            f"{found}; expected one vector of finite numbers per image, always of the same length"
        )


def adapted(
    estimator: object,
    name: str,
    features: Callable[[Image], object] | None = None,
    sign: int | None = None,
) -> FeatureDetector:
    """Return an estimator as a detector; its sign is known or given, never guessed.

    Parameters
    ----------
    estimator : object
        An outlier detector of scikit-learn or PyOD, a pipeline that ends in one, or, with `sign`,
        anything that has ``decision_function`` or ``score_samples``.
    name : str
        How messages call it.
    features : callable, optional
        One image -> its vector; `image_features` by default.
    sign : {1, -1}, optional
        1 where higher scores are more anomalous, -1 where they are more normal.

    Raises
    ------
    DetectorError
        If it gives no scores for new images, or nothing says which way they point.
    """
    _score_method(estimator, name)
    chosen = _chosen_sign(estimator, name, sign)
    return FeatureDetector(estimator, name, chosen, features or image_features)


def load(
    estimator: str,
    kwargs: Mapping[str, Any] | None = None,
    features: str | None = None,
    sign: int | None = None,
) -> FeatureDetector:
    """Make a detector of an estimator by import path: a factory for YAML files.

    Parameters
    ----------
    estimator : str
        ``package.module:factory`` of the estimator.
    kwargs : mapping, optional
        Its arguments.
    features : str, optional
        ``package.module:function``, one image -> its vector.
    sign : {1, -1}, optional
        1 where higher scores are more anomalous.

    Raises
    ------
    DetectorError
        As `adapted`.
    """
    made = import_object(estimator)(**dict(kwargs or {}))
    return adapted(made, estimator, import_object(features) if features else None, sign)


def _score_method(estimator: object, name: str) -> str:
    for method in SCORES:
        if has_method(estimator, method):
            return method
    what = import_path(type(_last_step(estimator)))
    remedy = "say novelty: true" if what.endswith("LocalOutlierFactor") else "use one that has"
    raise DetectorError(
        f"detector {name!r}: {what} has neither decision_function nor score_samples, so it cannot "
        f"score images it has not seen; {remedy}"
    )


def _chosen_sign(estimator: object, name: str, given: int | None) -> int:
    if given not in (None, *MEANING):
        raise DetectorError(f"detector {name!r}: sign must be 1 or -1, not {given!r}")
    known = _known_sign(_last_step(estimator))
    if known is None and given is None:
        raise DetectorError(
            f"detector {name!r}: nothing says which way the scores of "
            f"{import_path(type(estimator))} point; say sign=1 if higher is more anomalous, "
            "sign=-1 if higher is more normal"
        )
    if known is not None and given not in (None, known):
        raise DetectorError(
            f"detector {name!r}: sign={given} contradicts its package, whose higher scores are "
            f"more {MEANING[known]}; leave sign out"
        )
    return given or known or HIGHER_IS_ANOMALOUS


def _last_step(estimator: Any) -> object:
    """Return what scores: the last step of a pipeline, and of the pipeline in it."""
    if comes_from(estimator, "sklearn", "Pipeline"):
        return _last_step(estimator.steps[-1][1])
    return estimator


def _known_sign(estimator: object) -> int | None:
    """Return the sign by the package that defines the base class, where that has one rule.

    PyOD's ``BaseDetector.decision_function`` rises with abnormality; scikit-learn's glossary has
    outliers score below inliers (``OutlierMixin``, ``score_samples``), and the ``score_samples`` of
    its densities are log-likelihoods.
    """
    if comes_from(estimator, "pyod", "BaseDetector"):
        return HIGHER_IS_ANOMALOUS
    if comes_from(estimator, "sklearn", "OutlierMixin"):
        return HIGHER_IS_NORMAL
    own = type(estimator).__module__.partition(".")[0] == "sklearn"
    is_density = own and not has_method(estimator, "decision_function")
    return HIGHER_IS_NORMAL if is_density else None


def _parameters(estimator: Any) -> dict[str, Any]:
    """Return plain parameters; others by their class, which is the same in every process."""
    if not has_method(estimator, "get_params"):
        return {}
    return {key: _plain(value) for key, value in sorted(estimator.get_params(deep=True).items())}


def _plain(value: object) -> object:
    return value if is_plain(value) else import_path(value)

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from detectors_pictures import drawn, real_set, scratched

from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.protocol import Detector, Prediction
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.evaluation.latency import device_synchronizer

IMAGES = drawn(3, (8, 6))
MAPS = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)


class Own:
    def fit(self, images):
        self.seen = len(images)

    def predict(self, images):
        return Prediction(np.zeros(len(images)), None)


class Fitted:
    def predict(self, images):
        return Prediction(np.ones(len(images)), MAPS[: len(images)])


class Conventional:
    def __init__(self):
        self.sigma, self.learned_ = 2.5, [1]

    def decision_function(self, x):
        assert isinstance(x, list)
        return np.arange(len(x), dtype=np.float64)

    def get_anomaly_map(self, image):
        return np.full(image.shape[:2], image.mean())


def test_the_protocol_itself_is_returned_as_it_is():
    own = Own()
    assert as_detector(own) is own
    assert isinstance(own, Detector)


def test_a_fitted_object_needs_no_fit():
    detector = as_detector(Fitted())
    assert detector.predict(IMAGES).scores.tolist() == [1, 1, 1]
    with pytest.raises(
        DetectorError, match=r"'Fitted' cannot be fitted here: declare fitted: true"
    ):
        detector.fit(IMAGES)


@pytest.mark.parametrize(
    "returned",
    [
        MAPS,
        MAPS[:, None],
        MAPS.astype(np.float64),
        list(MAPS),
        tuple(MAPS),
        MAPS.tolist(),
        torch.from_numpy(MAPS),
        torch.from_numpy(MAPS).requires_grad_(),
        [torch.from_numpy(m)[None] for m in MAPS],
        (MAPS.max(axis=(1, 2)), MAPS),
        (MAPS.max(axis=(1, 2)).tolist(), list(MAPS)),
        (torch.from_numpy(MAPS).amax((1, 2))[:, None], torch.from_numpy(MAPS)[:, None]),
        Prediction(MAPS.max(axis=(1, 2)), MAPS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_callable_may_return(returned):
    prediction = as_detector(lambda _: returned).predict(IMAGES)
    assert np.array_equal(prediction.scores, MAPS.max(axis=(1, 2)))
    assert np.array_equal(np.array(prediction.maps), MAPS)
    assert prediction.scores.dtype == np.float32


def test_two_maps_in_a_tuple_are_not_scores_and_maps():
    prediction = as_detector(lambda _: (MAPS[0], MAPS[1])).predict(IMAGES[:2])
    assert prediction.scores.tolist() == [MAPS[0].max(), MAPS[1].max()]


def test_maps_may_differ_in_size():
    maps = [np.ones((2, 3)), np.zeros((4, 4)), np.full((1, 1), 7.0)]
    prediction = as_detector(lambda _: maps).predict(IMAGES)
    assert prediction.scores.tolist() == [1, 0, 7]
    assert [m.shape for m in prediction.maps] == [(2, 3), (4, 4), (1, 1)]


def test_scores_alone_are_said_so():
    prediction = as_detector(lambda _: ([3, 1, 2], None)).predict(IMAGES)
    assert prediction.scores.tolist() == [3, 1, 2]
    assert prediction.maps is None


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, r"'odd': the callable returned None; expected maps of shape \(3, h, w\)"),
        (0.5, "returned float of rank 0"),
        ("maps", "returned str of rank 0"),
        ({"map": MAPS}, "returned dict of rank 0"),
        (np.zeros(3), r"returned ndarray of rank 1; expected .* \(scores, None\)"),
        (MAPS[:2], r"'odd': predict returned maps with shape \(2, 4, 5\); expected one map per"),
        (list(MAPS[:2]), "returned maps with 2 of them; expected 3, one per image"),
        (MAPS[0], r"maps with shape \(4, 5\)"),
        (np.zeros((3, 2, 4, 5)), r"maps with shape \(3, 2, 4, 5\)"),
        (np.zeros((3, 0, 5)), r"maps with shape \(3, 0, 5\)"),
        ([np.zeros((2, 4, 5))] * 3, r"maps with one of shape \(2, 4, 5\); expected each of shape"),
        ((np.zeros(2), MAPS), r"scores with shape \(2,\); expected one score per image, shape \(3"),
        ((["a", "b", "c"], MAPS), "scores as a list .*, not one score per image"),
        (Prediction(np.zeros(3), MAPS[:1]), r"maps with shape \(1, 4, 5\)"),
        (Prediction(np.zeros(3), [None, None, None]), "maps as None"),
    ],
)
def test_a_callable_returning_something_odd_is_named(returned, message):
    with pytest.raises(DetectorError, match=message):
        as_detector(lambda _: returned, name="odd").predict(IMAGES)


def test_a_callable_with_fit_is_fitted():
    class Scorer:
        def fit(self, images):
            self.level = np.mean(images)

        def __call__(self, images):
            return [np.abs(image.mean(2) - self.level) for image in images]

    detector = as_detector(Scorer())
    detector.fit(IMAGES)
    assert detector.name == "Scorer"
    assert len(detector.predict(IMAGES).scores) == 3


def test_a_function_is_described_and_cannot_be_fitted():
    detector = as_detector(np.asarray, name="line.models:load")
    assert detector.name == "line.models:load"
    assert "asarray" in detector.description()["callable"]
    with pytest.raises(DetectorError, match=r"'line.models:load' .* declare fitted: true"):
        detector.fit(IMAGES)


@pytest.mark.parametrize("thing", [3, "patchcore", None, object(), Own, [1]])
def test_what_is_no_detector_is_told_what_is(thing):
    with pytest.raises(DetectorError, match=r"accepted as a detector:(.|\n)*pyimgano's convention"):
        as_detector(thing)


def test_an_estimator_without_maps_is_refused():
    from sklearn.ensemble import IsolationForest

    with pytest.raises(DetectorError, match="estimator of feature vectors, without anomaly maps"):
        as_detector(IsolationForest())


def test_the_convention_without_fit_and_with_single_maps():
    detector = as_detector(Conventional())
    prediction = detector.predict(IMAGES)
    assert prediction.scores.tolist() == [0, 1, 2]
    assert [m.shape for m in prediction.maps] == [(8, 6)] * 3
    assert detector.description() == {
        "class": f"{__name__}.Conventional",
        "parameters": {"sigma": 2.5},
        "inference": "score and map are two inferences per image",
    }
    with pytest.raises(DetectorError, match="declare fitted: true"):
        detector.fit(IMAGES)


@pytest.fixture(params=["vision_pixel_mad_map", "vision_pixel_gaussian_map"])
def pyimgano_model(request):
    models = pytest.importorskip("pyimgano.models", reason="pyimgano is not installed")
    return models.create_model(request.param, resize_hw=(32, 32))


def test_a_pyimgano_model_gives_its_own_numbers(pyimgano_model):
    detector = as_detector(pyimgano_model)
    detector.fit(drawn(6))
    batch = [drawn(1, seed=9)[0], scratched(drawn(1, seed=9)[0])]
    prediction = detector.predict(batch)
    assert np.array_equal(prediction.scores, np.float32(pyimgano_model.decision_function(batch)))
    assert np.array_equal(prediction.maps, pyimgano_model.predict_anomaly_map(batch))
    assert prediction.scores[1] > prediction.scores[0]
    assert json.loads(json.dumps(detector.description()))["parameters"]["resize_hw"] == [32, 32]


def test_a_pyimgano_model_finds_real_defects(pyimgano_model, test_data):
    from sklearn.metrics import roc_auc_score

    nuts = real_set(test_data / "mvtec_layout" / "hazelnut_toy", size=64)
    detector = as_detector(pyimgano_model)
    detector.fit(nuts.fit)
    assert roc_auc_score(nuts.labels, detector.predict(nuts.test).scores) > 0.8


@pytest.mark.parametrize("convention", ["predict", "__call__", "decision_function"])
def test_an_adapted_object_keeps_what_waits_for_its_device(convention: str) -> None:
    waited = []

    def flat_maps(_: object, images: list[np.ndarray]) -> np.ndarray:
        return np.zeros((len(images), 4, 4), np.float32)

    def synchronize(self: object) -> None:
        waited.append(self)

    members = {convention: flat_maps, "predict_anomaly_map": flat_maps, "synchronize": synchronize}
    model = type("Model", (), members)()
    device_synchronizer(as_detector(model))()
    assert waited == [model]


def test_an_adapted_object_without_a_device_waits_for_cuda_only() -> None:
    detector = as_detector(lambda images: np.zeros((len(images), 4, 4), np.float32))
    assert detector.synchronize is None
    device_synchronizer(detector)()

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.libraries.path_input import PathInput
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.detectors.protocol import Detector, Prediction
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.evaluation.machine.latency import device_synchronizer
from pytest_robustbench.evaluation.machine.reference import computing_device
from tests.detectors.detectors_pictures import cv2, drawn, real_set, scratched

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


def test_an_object_that_only_says_decision_function_is_asked_for_its_sign():
    class Scorer:
        def decision_function(self, x):
            return np.zeros(len(x))

    with pytest.raises(DetectorError, match=r"nothing says which way the scores .* say sign=1"):
        as_detector(Scorer())


def test_a_detector_may_borrow_scikit_learns_base_class():
    from sklearn.base import BaseEstimator

    class Line(BaseEstimator):
        def fit(self, _):
            return self

        def predict(self, images):
            return Prediction(np.zeros(len(images)), None)

    own = Line()
    assert as_detector(own) is own


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


def test_a_pyimgano_model_that_reads_files_only_gets_files():
    models = pytest.importorskip("pyimgano.models", reason="pyimgano is not installed")
    bright = [np.full((64, 64, 3), level, np.uint8) for level in range(100, 110)]
    detector = as_detector(models.create_model("vision_knn"))
    detector.fit(bright)
    assert detector.description()["input"] == "paths of temporary PNG files"
    near, far = detector.predict([bright[5], np.full((64, 64, 3), 200, np.uint8)]).scores
    assert far > near
    assert detector.predict(bright).maps is None


def test_a_pyimgano_model_that_does_not_see_is_refused():
    models = pytest.importorskip("pyimgano.models", reason="pyimgano is not installed")
    with pytest.raises(DetectorError, match=r"the same score \(.*\): .* say input_mode: paths"):
        as_detector(models.create_model("vision_loda")).fit(drawn(4))


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("vision_pixl_mad_map", {}, "knows no model 'vision_pixl_mad_map'; nearest: vision_pixel_"),
        ("vision_pixel_mad_map", {"kwargs": {"reisze_hw": [8, 8]}}, "does not accept model-kwargs"),
        ("vision_pixel_mad_map", {"device": "cuda"}, "runs on the CPU only"),
        ("vision_pixel_mad_map", {"preset": "industrial-fast"}, "no preset 'industrial-fast' for"),
        ("vision_pixel_mad_map", {"preset": "industrial"}, "unknown preset 'industrial'"),
        ("vision_patchcore_anomalib", {}, "requires a checkpoint"),
        ("core_knn", {}, "takes feature vectors, not images; try pyimgano:vision_knn"),
    ],
)
def test_what_pyimgano_cannot_make_is_one_line(model, arguments, message):
    pytest.importorskip("pyimgano", reason="pyimgano is not installed")
    with pytest.raises(DetectorError, match=message) as caught:
        load_detector(f"pyimgano:{model}", **arguments)
    assert str(caught.value).startswith(f"detector 'pyimgano:{model}': ")
    assert "\n" not in str(caught.value)


def test_what_a_pyimgano_model_lacks_comes_with_the_packages_remedy(monkeypatch):
    pytest.importorskip("pyimgano", reason="pyimgano is not installed")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.delitem(sys.modules, "torchvision.transforms", raising=False)
    with pytest.raises(DetectorError, match=r"pip install 'pyimgano\[torch\]'") as caught:
        load_detector("pyimgano:vision_padim")
    assert "\n" not in str(caught.value)


def test_pretrained_and_contamination_reach_only_models_that_take_them():
    pytest.importorskip("pyimgano", reason="pyimgano is not installed")
    wanted = {"pretrained": True, "contamination": 0.2, "resize_hw": [8, 8]}
    detector = load_detector("pyimgano:vision_pixel_mad_map", kwargs=wanted)
    parameters = detector.description()["parameters"]
    assert parameters["contamination"] == 0.2
    assert "pretrained" not in parameters


def test_a_preset_of_pyimganos_catalogue_is_a_model():
    pytest.importorskip("pyimgano", reason="pyimgano is not installed")
    detector = load_detector("pyimgano:industrial-pixel-mad-map")
    assert detector.name == "pyimgano:industrial-pixel-mad-map"
    assert detector.description()["class"].endswith("VisionPixelMADMapDetector")


@given(
    image=hnp.arrays(
        np.uint8,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).map(
            lambda shape: (*shape, 3)
        ),
    )
)
@settings(deadline=None, max_examples=25)
def test_staged_files_hold_the_images_exactly(image):
    def read(paths):
        pictures = [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths]
        return [float(np.array_equal(picture, image)) for picture in pictures], None

    detector = PathInput(as_detector(read))
    assert detector.predict(detector.stage_inputs([image, image])).scores.tolist() == [1, 1]
    assert detector.predict([image]).scores.tolist() == [1]


def test_staged_files_go_with_the_next_ones_and_with_the_detector():
    seen = []

    class Keeper:
        def fit(self, paths):
            seen.extend(paths)

        def predict(self, paths):
            return Prediction(np.zeros(len(paths)), None)

    detector = PathInput(Keeper())
    detector.fit(drawn(2))
    first = detector.stage_inputs(drawn(3))
    second = detector.stage_inputs(drawn(1))
    assert [Path(path).exists() for path in seen] == [True, True]
    assert [Path(path).exists() for path in first[1:]] == [False, False]
    assert Path(second[0]).exists()
    folder = Path(seen[0]).parent.parent
    del detector
    gc.collect()
    assert not folder.exists()


@pytest.mark.parametrize("convention", ["predict", "__call__", "decision_function"])
def test_an_adapted_object_keeps_what_waits_for_its_device(convention: str) -> None:
    waited = []

    def flat_maps(_: object, images: list[np.ndarray]) -> np.ndarray:
        return np.zeros((len(images), 4, 4), np.float32)

    def synchronize(self: object) -> None:
        waited.append(self)

    members = {convention: flat_maps, "predict_anomaly_map": flat_maps, "synchronize": synchronize}
    model = type("Model", (), members)()
    device_synchronizer(as_detector(model), "cpu")()
    assert waited == [model]


def test_an_adapted_object_without_a_device_waits_for_cuda_only() -> None:
    detector = as_detector(lambda images: np.zeros((len(images), 4, 4), np.float32))
    assert detector.synchronize is None
    device_synchronizer(detector, computing_device(detector))()

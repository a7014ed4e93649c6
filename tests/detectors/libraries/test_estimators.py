from __future__ import annotations

import json
import sys
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, OneClassSVM

from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.libraries.image_features import N_FEATURES, image_features
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import DetectorError
from tests.detectors.detectors_pictures import drawn, real_set, scratched

NORMAL = drawn(24)
ODD = [scratched(image) // 2 for image in drawn(4, seed=5)]
UNSEEN = drawn(4, seed=6)


def levels(image):
    return image.mean((0, 1))


OUTLIER_DETECTORS = [
    IsolationForest(random_state=0),
    LocalOutlierFactor(n_neighbors=5, novelty=True),
    OneClassSVM(gamma="scale"),
    EllipticEnvelope(random_state=0),
    GaussianMixture(random_state=0),
    KernelDensity(),
    make_pipeline(StandardScaler(), OneClassSVM(gamma="scale")),
    make_pipeline(StandardScaler(), make_pipeline(PCA(2), LocalOutlierFactor(novelty=True))),
]


@pytest.mark.parametrize("estimator", OUTLIER_DETECTORS, ids=lambda e: type(e).__name__)
def test_higher_is_more_anomalous_whatever_scikit_learn_says(estimator):
    detector = as_detector(estimator, features=levels)
    detector.fit(NORMAL)
    prediction = detector.predict([*UNSEEN, *ODD])
    assert prediction.maps is None
    assert prediction.scores[4:].min() > prediction.scores[:4].max()
    assert detector.description()["higher_is"] == "normal"


@pytest.mark.parametrize("name", ["knn:KNN", "iforest:IForest", "pca:PCA"])
def test_higher_is_more_anomalous_in_pyod_too(name):
    module, _, class_name = name.partition(":")
    models = pytest.importorskip(f"pyod.models.{module}", reason="pyod is not installed")
    estimator = getattr(models, class_name)()
    detector = as_detector(estimator, features=levels)
    detector.fit(NORMAL)
    scores = detector.predict([*UNSEEN, *ODD]).scores
    assert scores[4:].min() > scores[:4].max()
    own = estimator.decision_function(np.array([levels(image) for image in UNSEEN], np.float32))
    assert np.allclose(scores[:4], own)
    assert detector.description()["higher_is"] == "anomalous"


def test_pyod_at_the_end_of_a_pipeline_keeps_its_sign():
    knn = pytest.importorskip("pyod.models.knn", reason="pyod is not installed")
    detector = as_detector(make_pipeline(StandardScaler(), knn.KNN()), features=levels)
    detector.fit(NORMAL)
    scores = detector.predict([*UNSEEN, *ODD]).scores
    assert scores[4:].min() > scores[:4].max()


@pytest.mark.parametrize(
    ("estimator", "sign", "message"),
    [
        (SVC(), None, "nothing says which way the scores of sklearn.svm._classes.SVC point"),
        (make_pipeline(SVC()), None, "nothing says which way"),
        (LocalOutlierFactor(), None, "cannot score images it has not seen; say novelty: true"),
        (StandardScaler(), None, "neither decision_function nor score_samples"),
        (IsolationForest(), 1, "sign=1 contradicts its package, whose higher scores are more norm"),
        (SVC(), 2, "sign must be 1 or -1, not 2"),
    ],
)
def test_a_sign_is_never_guessed(estimator, sign, message):
    with pytest.raises(DetectorError, match=message):
        as_detector(estimator, sign=sign)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sign_may_be_given(sign):
    class Level:
        def decision_function(self, table):
            return table[:, 0]

    detector = as_detector(Level(), features=levels, sign=sign)
    expected = [sign * image[..., 0].mean() for image in UNSEEN]
    assert np.allclose(detector.predict(UNSEEN).scores, expected)
    with pytest.raises(DetectorError, match="declare fitted: true"):
        detector.fit(NORMAL)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (lambda image: image, r"returned an array of shape \(64, 64, 3\); expected one vector"),
        (lambda _: ["a"], "returned no numbers"),
        (lambda _: [np.nan], "returned NaN or infinity"),
        (lambda image: np.zeros(3 + image[0, 0, 0] % 2), "different lengths, 3 and 4"),
    ],
)
def test_features_that_are_no_table_are_named(features, message):
    images = [np.full((64, 64, 3), level, np.uint8) for level in (0, 1)]
    with pytest.raises(DetectorError, match=message):
        as_detector(IsolationForest(), features=features).fit(images)


@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=30)
def test_default_features_are_as_many_for_every_image_and_between_0_and_1(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    features = image_features(image)
    assert features.shape == (N_FEATURES,)
    assert features.dtype == np.float32
    assert features.min() >= 0
    assert features.max() <= 1
    assert np.allclose(features[64:88].reshape(3, 8).sum(axis=1), 1)


def test_default_features_tell_colour_layout_and_channels_apart():
    gray = np.full((64, 64, 3), 90, np.uint8)
    red, half = gray.copy(), gray.copy()
    red[..., 0] = 200
    half[:, :32] = 150
    rows = [image_features(image) for image in (gray, red, red[..., ::-1], half, half[:, ::-1])]
    assert len({row.tobytes() for row in rows}) == 5


def test_the_description_is_plain_and_the_same_in_every_process():
    pipeline = make_pipeline(StandardScaler(), OneClassSVM(nu=0.2))
    text = json.dumps(as_detector(pipeline).description())
    assert "0x" not in text
    assert json.loads(text)["parameters"]["oneclasssvm__nu"] == 0.2
    assert json.loads(text)["features"].endswith("image_features.image_features")


FEATURES = """
    def shares(image):
        return image.mean((0, 1)) / 255
"""


def test_by_name_as_a_yaml_file_gives_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "line_features.py").write_text(dedent(FEATURES))
    plain = load_detector("sklearn.neighbors:LocalOutlierFactor", kwargs={"novelty": True})
    own = load_detector(
        "pytest_robustbench.detectors.libraries.estimators:load",
        kwargs={
            "estimator": "sklearn.neighbors:LocalOutlierFactor",
            "kwargs": {"novelty": True, "n_neighbors": 3},
            "features": "line_features:shares",
        },
        folder=tmp_path,
    )
    for detector in (plain, own):
        detector.fit(NORMAL)
        assert len(detector.predict(UNSEEN).scores) == 4
    assert plain.name == "sklearn.neighbors:LocalOutlierFactor"
    assert own.description()["features"] == "line_features.shares"
    assert own.description()["parameters"]["n_neighbors"] == 3
    sys.modules.pop("line_features", None)


def test_real_defects_score_higher(test_data):
    from sklearn.metrics import roc_auc_score

    nuts = real_set(test_data / "mvtec_layout" / "hazelnut_toy", size=128)
    detector = as_detector(LocalOutlierFactor(novelty=True, n_neighbors=5))
    detector.fit(nuts.fit)
    # 1.0 was seen; with the sign wrong it would be below a half.
    assert roc_auc_score(nuts.labels, detector.predict(nuts.test).scores) > 0.8


@pytest.mark.parametrize("thing", [[1], {"a": 1}])
def test_features_and_sign_are_for_estimators_only(thing):
    with pytest.raises(DetectorError, match="neither decision_function nor score_samples"):
        as_detector(thing, sign=1)

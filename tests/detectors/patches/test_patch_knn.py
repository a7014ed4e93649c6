from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_distances

from pytest_robustbench.detectors.families import Request
from pytest_robustbench.detectors.patches.neighbours import NearestNeighbours
from pytest_robustbench.detectors.patches.patch_knn import PatchKNN, PatchKNNSettings
from pytest_robustbench.errors import DetectorError
from tests.detectors.detectors_pictures import drawn, scratched


def small(**changes) -> PatchKNN:
    return PatchKNN(PatchKNNSettings(**{"input_size": 64, "coreset_size": 80, **changes}), "cpu")


def points(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(3, 1, (n, d)).astype(np.float32))


@settings(deadline=None, max_examples=25)
@given(n=st.integers(1, 30), m=st.integers(5, 40), d=st.integers(1, 20), k=st.integers(1, 5))
def test_the_k_nearest_are_those_of_brute_force(n, m, d, k):
    queries, bank = points(n, d, 1), points(m, d, 2)
    distances, indices = NearestNeighbours(bank).nearest(queries, k)
    exact = torch.cdist(queries.double(), bank.double())
    assert torch.allclose(distances.double(), exact.sort(1).values[:, :k], atol=5e-3)
    assert torch.allclose(exact.gather(1, indices), distances.double(), atol=5e-3)


@pytest.mark.parametrize(("distance", "expected"), [("mean", np.mean), ("kth", np.max)])
def test_anomalies_are_cosine_distances_averaged_over_layers(distance, expected):
    detector = small(k=3, distance=distance, coreset_size=0)
    detector.fit(drawn(3))
    image = drawn(1, seed=4)[0]

    def by_layer(picture):
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
        shallow, deep = detector._features.backbone.features(pixels)
        deep = torch.nn.functional.interpolate(deep, size=shallow.shape[-2:], mode="bilinear")
        return [layer.flatten(2)[0].T.numpy() for layer in (shallow, deep)]

    with torch.inference_mode():
        bank = [np.concatenate(rows) for rows in zip(*map(by_layer, drawn(3)), strict=True)]
        queries = by_layer(image)
        found = detector._anomalies(detector._features.patches(image)).numpy()
    cosine = np.mean([cosine_distances(q, b) for q, b in zip(queries, bank, strict=True)], axis=0)
    assert np.allclose(found, expected(np.sort(cosine)[:, :3], axis=1), atol=1e-4)


def test_the_score_is_the_mean_of_the_top_patches():
    images = [scratched(drawn(1, seed=3)[0])]
    scores = {}
    for share in (0.001, 0.1, 1):
        detector = small(top_share=share)
        detector.fit(drawn(5))
        anomalies = detector._anomalies(detector._features.patches(images[0]))
        top = anomalies.sort().values[-{0.001: 1, 0.1: 7, 1: 64}[share] :]
        scores[share] = detector.predict(images).scores[0]
        assert scores[share] == pytest.approx(float(top.mean()), rel=1e-5)
    assert scores[0.001] > scores[0.1] > scores[1]


def test_brightness_of_features_does_not_count_but_their_direction():
    detector = small()
    features = detector._features.patches(drawn(1)[0])
    assert torch.allclose(features.norm(dim=1), torch.ones(len(features)), atol=1e-5)


def test_memory_is_a_coreset_or_all_candidates():
    whole, bounded = small(coreset_size=0, candidates=150), small()
    for detector in (whole, bounded):
        detector.fit(drawn(5))
    assert whole.description()["remembered_patches"] == 150
    assert bounded.description()["remembered_patches"] == 80


def test_more_neighbours_than_patches():
    detector = small(coreset_size=4, k=5)
    with pytest.raises(DetectorError, match="k is 5, and only 4 patches are remembered"):
        detector.fit(drawn(3))


def test_recipes_differ_by_their_defaults_and_settings_go_before_them():
    names = ("patch_knn", "vision_anomalydino", "vision_superad")
    plain, dino, superad = (PatchKNN.build(Request(name)) for name in names)
    assert plain.settings == PatchKNNSettings()
    assert (plain.settings.k, plain.settings.distance) == (1, "mean")
    assert dino.settings == plain.settings
    assert (superad.settings.k, superad.settings.distance) == (3, "kth")
    assert (dino.settings.layers, superad.settings.layers) == ("auto", "spread")
    asked = Request("vision_superad", "industrial-fast", settings={"k": 7})
    assert PatchKNN.build(asked).settings.k == 7
    assert {each.name for each in (plain, dino, superad)} == {"patch_knn"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 0}, "patch_knn: k must be a whole number, 1 or more, not 0"),
        ({"distance": "median"}, "patch_knn: distance must be one of: mean, kth, not 'median'"),
        ({"distance": ["mean"]}, "patch_knn: distance must be one of"),
        ({"top_share": 0}, "patch_knn: top_share must be a share above 0, at most 1, not 0"),
        ({"top_share": 1.5}, "patch_knn: top_share must be a share"),
        ({"coreset_size": -1}, "patch_knn: coreset_size must be a whole number, 0 or more"),
    ],
)
def test_a_setting_that_cannot_be_used(changes, message):
    with pytest.raises(DetectorError, match=message):
        PatchKNNSettings(**changes)

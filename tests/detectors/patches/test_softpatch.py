from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import LocalOutlierFactor

from pytest_robustbench.detectors.families import Request
from pytest_robustbench.detectors.patches import outlier_factors
from pytest_robustbench.detectors.patches.outlier_factors import local_outlier_factors
from pytest_robustbench.detectors.patches.patchcore import PatchCore, PatchCoreSettings
from pytest_robustbench.detectors.patches.softpatch import SoftPatch, SoftPatchSettings
from pytest_robustbench.errors import DetectorError
from tests.detectors.detectors_pictures import drawn, scratched

SIZES = {"input_size": 64, "coreset_size": 60}


def clouds(c: int, n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(5, 1, (c, n, d)).astype(np.float32))


# From three neighbours in two dimensions on: a factor of one tiny distance, a difference of float32
# numbers, has no digits to compare.
@settings(deadline=None, max_examples=25, derandomize=True)
@given(n=st.integers(4, 40), d=st.integers(2, 8), k=st.integers(3, 12), seed=st.integers(0, 1000))
def test_factors_are_those_of_scikit_learn(n, d, k, seed):
    points = clouds(2, n, d, seed)
    found = local_outlier_factors(points, k)
    for cloud, factors in zip(points, found, strict=True):
        reference = LocalOutlierFactor(min(k, n - 1), algorithm="brute").fit(cloud.double())
        assert np.allclose(factors, -reference.negative_outlier_factor_, rtol=0.02)


def test_a_point_apart_has_the_largest_factor_and_one_amid_has_about_one():
    points = clouds(3, 60, 4)
    points[:, 7] += 20
    factors = local_outlier_factors(points, 5)
    assert factors.argmax(1).tolist() == [7, 7, 7]
    assert 0.9 < factors.median() < 1.2


def test_equal_points_are_no_trouble():
    assert torch.equal(local_outlier_factors(torch.ones(2, 9, 3), 5), torch.ones(2, 9))


def test_how_many_clouds_are_held_at_once_changes_nothing(monkeypatch):
    points = clouds(7, 10, 3)
    whole = local_outlier_factors(points, 3)
    monkeypatch.setattr(outlier_factors, "NUMBERS_AT_ONCE", 150)
    assert torch.allclose(local_outlier_factors(points, 3), whole)


def test_a_defect_in_the_training_images_is_not_learned():
    normal = drawn(12)
    train = [*normal[:-1], scratched(normal[-1])]
    shown = [*drawn(1, seed=5), scratched(drawn(1, seed=6)[0])]
    contrast = {}
    for detector in (
        PatchCore(PatchCoreSettings(**SIZES), "cpu"),
        SoftPatch(SoftPatchSettings(**SIZES), "cpu"),
    ):
        detector.fit(train)
        good, bad = detector.predict(shown).scores
        contrast[detector.name] = bad / good
    assert contrast["softpatch"] > 1.5 * contrast["patchcore"]


def test_what_is_discarded_is_the_share_that_was_asked_for():
    detector = SoftPatch(SoftPatchSettings(**{**SIZES, "coreset_size": 10_000}, discard=0.25))
    detector.fit(drawn(4))
    assert detector.description()["remembered_patches"] == 0.75 * 4 * 64


def test_without_doubt_it_is_patchcore_but_for_the_weights():
    keeping = {**SIZES, "coreset_size": 10_000}
    core = PatchCore(PatchCoreSettings(**keeping), "cpu")
    soft = SoftPatch(SoftPatchSettings(**keeping, discard=0, smoothing=0), "cpu")
    images = drawn(4)
    core.fit(images)
    soft.fit(images)
    shown = drawn(1, seed=9)[0]
    patches = soft._features.patches(shown)
    distances, nearest = soft._neighbours.nearest(patches)
    weights = soft._memory["weights"][nearest[:, 0]]
    plain = core._neighbours.distances(patches)
    assert torch.allclose(distances[:, 0], plain, atol=1e-3)
    assert torch.allclose(soft._anomalies(patches), plain * weights, atol=1e-3)


def test_memory_is_bounded_however_many_images():
    detector = SoftPatch(SoftPatchSettings(**SIZES, examined=5 * 64), "cpu")
    images = drawn(12)
    looked_at = detector._features.by_position(images, 5 * 64, seed=0)
    assert looked_at.shape[:2] == (64, 5)
    whole = torch.stack([detector._features.patches(image) for image in images], dim=1)
    assert detector._features.by_position(images, 10**6, seed=0).shape == whole.shape
    # Every patch looked at is one of that position, and positions look at different images.
    distances = torch.cdist(looked_at, whole, compute_mode="donot_use_mm_for_euclid_dist")
    assert distances.amin(2).max() < 1e-3
    assert len({tuple(row.tolist()) for row in distances.argmin(2).sort(1).values}) > 1


def test_candidates_bound_what_the_coreset_is_chosen_of():
    detector = SoftPatch(SoftPatchSettings(**SIZES, candidates=40), "cpu")
    detector.fit(drawn(4))
    assert detector.description()["remembered_patches"] == 40


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discard": 1}, "softpatch: discard must be a share, 0 or more and below 1, not 1"),
        ({"discard": "15 %"}, "softpatch: discard must be a share"),
        ({"neighbours": 0}, "softpatch: neighbours must be a whole number, 1 or more"),
        ({"examined": 1}, "softpatch: examined must be a whole number, 2 or more"),
        ({"coreset_size": 0}, "softpatch: coreset_size must be a whole number, 1 or more"),
    ],
)
def test_a_setting_that_cannot_be_used(changes, message):
    with pytest.raises(DetectorError, match=message):
        SoftPatchSettings(**changes)


def test_a_preset_and_single_settings():
    assert SoftPatch.build(Request("softpatch")).settings == SoftPatchSettings()
    asked = Request("softpatch", "industrial-fast", settings={"discard": 0.3})
    assert SoftPatch.build(asked).settings.discard == 0.3
    with pytest.raises(DetectorError, match="softpatch has no setting 'discrad'; did you mean 'd"):
        SoftPatch.build(Request("softpatch", settings={"discrad": 0.3}))

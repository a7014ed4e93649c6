"""The regression gate on real images: the same model, a thriftier one, a broken one."""

from __future__ import annotations

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.reports.compare.regression import Match, judge_matches
from tests.integration.integration_data import real_split

pytest.importorskip("torch")

CONDITIONS = {"corruptions": ["blur"], "severities": [3]}
ALLOWED = (
    AllowedChange("pixel_segf1", "max_drop", 0.1, relative=False, source="robustness.yaml:9"),
    AllowedChange("bg_fpr", "max_rise", 0.02, relative=False, source="robustness.yaml:10"),
    AllowedChange("miss_rate", "max_rise", 0.2, relative=False, source="robustness.yaml:11"),
)


def patchcore(**settings):
    few = {"candidates": 15_000} | settings  # the choice of the coreset takes most of the time
    return load_detector("patchcore", preset="industrial-fast", device="cpu", kwargs=few)


class Darkened:
    """A detector whose production code scales its input once too often: fitted right, fed wrong."""

    def __init__(self, detector) -> None:
        self._detector = detector

    def fit(self, images) -> None:
        self._detector.fit(images)

    def predict(self, images):
        return self._detector.predict([np.asarray(image) // 16 for image in images])


@pytest.fixture(scope="module")
def measured(test_data, tmp_path_factory):
    """Write the report of a detector on magnetic_tile; the baseline's thresholds may be frozen."""
    folder = tmp_path_factory.mktemp("reports")
    split = real_split(test_data, "magnetic_tile")

    def measure(name, detector, operating_point=None):
        benchmark = rb.Benchmark(
            split, detector, name="tiles", operating_point=operating_point, **CONDITIONS
        )
        benchmark.run().write(folder / f"{name}.json")
        return folder / f"{name}.json"

    return measure


@pytest.fixture(scope="module")
def baseline(measured):
    return measured("baseline", patchcore())


def verdict(baseline, candidate):
    (judged,) = judge_matches([Match("tiles", candidate, baseline, ALLOWED)])
    assert judged.problems == ()
    return judged


def test_the_same_model_differs_by_exactly_nothing(measured, baseline):
    judged = verdict(baseline, measured("again", patchcore()))

    assert judged.outcome == "pass"
    assert {v.loss for v in judged.verdicts} == {0.0}
    assert all(v.identical for v in judged.verdicts)
    assert judged.decisions == ()


def test_half_a_coreset_is_no_disaster(measured, baseline):
    judged = verdict(baseline, measured("half", patchcore(coreset_size=500)))

    assert judged.outcome in ("pass", "inconclusive")
    assert any(v.loss != 0 for v in judged.verdicts)


def test_a_random_backbone_has_regressed(measured, baseline):
    judged = verdict(baseline, measured("random", patchcore(pretrained=False)))

    regressed = {
        (v.condition, v.change.metric) for v in judged.verdicts if v.outcome == "regressed"
    }
    assert judged.outcome == "regressed"
    assert ("clean", "pixel_segf1") in regressed
    assert any(d.kind == "new miss" for d in judged.decisions)


def test_a_wrong_normalisation_at_the_thresholds_of_production_has_regressed(measured, baseline):
    point = rb.OperatingPoint.read(baseline)
    judged = verdict(baseline, measured("darkened", Darkened(patchcore()), point))

    assert judged.outcome == "regressed"

"""Tolerances as a benchmark measures them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_robustbench.conditions import Condition
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import ConfigError, NotMeasurableError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from tests.evaluation.evaluation_parts import benchmark, defect, normal, split

POINT = OperatingPoint.from_dict({"pixel_threshold": None, "image_threshold": 0.5})


class Exposed:
    """Calls whatever is half a stop brighter or darker than it is used to; sees every blot."""

    name = "exposed"

    def __init__(self, at=0.5):
        self.at = at
        self.calls = 0
        self.light = None

    def fit(self, images):
        self.light = np.mean([self._light(image) for image in images])

    def predict(self, images):
        self.calls += len(images)
        return Prediction(np.array([self._score(image) for image in images], np.float32))

    @staticmethod
    def _light(image):
        """The mean light of the left edge, which no blot reaches."""
        shares = image[:, :8, 0].astype(np.float64) / 255
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return linear.mean()

    def _score(self, image):
        blotted = np.ptp(cv2.blur(image[:, :, 0], (5, 5))) > 45
        stops = abs(np.log2(self._light(image) / self.light))
        return max(0.5 * stops / self.at, float(blotted))


def flat(name, seed, level=120):
    """A picture of its own, whose left edge is lit like that of all others."""
    sample = normal(name, seed)
    smooth = (120 + (sample.image.astype(np.int16) - 128) // 16).astype(np.uint8)
    smooth[:, :8] = level
    return type(sample)(sample.id, sample.label, smooth)


def parts(n=12, spread=0):
    good = [flat(f"test/good/{i:03d}", i, 120 + spread * (i % 5 - 2)) for i in range(n)]
    bad = [defect(f"test/blot/{i:03d}", 20_000 + i) for i in range(6)]
    fit = [flat(f"train/good/{i:03d}", 100 + i) for i in range(12)]
    return split(train=fit, test=[*bad, *good])


def tolerance(name, detector=None, data=None, *, corruptions=None, **limits):
    made = benchmark(
        parts() if data is None else data,
        detector or Exposed(),
        corruptions=corruptions or [name],
        severities=[3],
        tolerances={name: limits},
        operating_point=POINT,
    )
    made.prepare()
    return made.tolerance(Condition("tolerance", ladder=name))


@pytest.mark.parametrize("direction", ["darker", "brighter"])
@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_detector_that_fails_at_a_planted_exposure_is_found_to(at, direction):
    chosen = {"exposure": {"direction": direction}}
    result = tolerance("exposure", Exposed(at), corruptions=[chosen])
    level = result.scale.level(result.breaks.first.severity)
    assert level == pytest.approx(at, rel=0.1)
    assert result.breaks.broken_by == "false_reject_rate"
    assert result.metrics == {"tolerance": level}


def test_it_is_looked_for_ever_nearer_to_the_break():
    result = tolerance("exposure", corruptions=[{"exposure": {"direction": "darker"}}])
    low, high = result.ladder.bracket(result.breaks.first.severity)
    assert high - low <= 0.25
    assert {1, 2, 3, 4, 5} < {*result.ladder.severities}
    assert result.level == f"-{result.metrics['tolerance']:.3g} EV"


def test_what_draws_is_measured_by_two_draws_and_what_does_not_by_one():
    assert tolerance("exposure").ladder.n_draws == 2
    assert tolerance("blur").ladder.n_draws == 1
    noise = tolerance("noise").ladder.scores
    assert not np.array_equal(noise[:, 0], noise[:, 1])


def test_what_conditions_have_measured_is_not_measured_again():
    detector = Exposed()
    made = benchmark(
        parts(),
        detector,
        corruptions=["blur"],
        severities=[1, 2, 3, 4, 5],
        tolerances={"blur": {"miss_rate": 1.0}},
        operating_point=POINT,
    )
    for condition in made.conditions[:-1]:
        made.evaluate(condition)
    before = detector.calls
    found = made.tolerance(made.conditions[-1])
    assert found.breaks.broken_by is None
    assert detector.calls - before == 1, "one look at the first image again"


def test_the_limits_that_are_given_decide():
    chosen = [{"exposure": {"direction": "darker"}}]
    data = parts(spread=3)
    loose = tolerance("exposure", data=data, corruptions=chosen, false_reject_rate=0.9)
    strict = tolerance("exposure", data=data, corruptions=chosen, false_reject_rate=0.1)
    assert strict.breaks.first.severity < loose.breaks.first.severity
    assert strict.breaks.sides["false_reject_rate"].limit == 0.1
    assert strict.breaks.sides["miss_rate"].limit == pytest.approx(0.1)


def test_pixels_are_told_at_the_camera_where_all_pictures_have_its_size():
    assert tolerance("blur").at_camera == 1.0
    assert tolerance("exposure").at_camera is None
    large = [normal(f"test/good/x{i}", 500 + i, (512, 600)) for i in range(2)]
    data = parts()
    mixed = split(train=data.train, test=[*data.test, *large])
    assert tolerance("blur", data=mixed).at_camera is None


def test_images_whose_defect_a_draw_pushes_out_of_the_frame_are_left_out_of_clean_as_well():
    at_the_edge = [defect(f"test/blot/e{i}", 30_000 + i, where=np.s_[0:24, 0:1]) for i in range(8)]
    data = parts()
    result = tolerance("geo_jitter", data=split(train=data.train, test=[*data.test, *at_the_edge]))
    assert result.left_out
    assert set(result.left_out) < {sample.id for sample in at_the_edge}
    assert result.ladder.scores.shape[2] == len(result.kept) == len(result.ladder.clean)


def unchanged(image, mask, severity, rng):
    return Corrupted(image, mask)


def test_a_corruption_that_changes_nothing_has_no_tolerance():
    with pytest.raises(NotMeasurableError, match="changes no pixel"):
        tolerance("still", corruptions=[Corruption("still", unchanged)])


def test_a_score_that_is_not_finite_is_refused_with_its_image():
    class Lost(Exposed):
        def predict(self, images):
            found = super().predict(images)
            is_dark = np.array([image.mean() < 75 for image in images])
            return Prediction(np.where(is_dark, np.nan, found.scores).astype(np.float32))

    with pytest.raises(NotMeasurableError, match=r"exposure-severity_5.*test/good/"):
        tolerance("exposure", Lost())


@pytest.mark.parametrize("name", ["blurr", "dim"])
def test_a_tolerance_needs_a_corruption_with_severities(name):
    with pytest.raises(ConfigError, match=f"no corruption '{name}' with severities"):
        benchmark(
            corruptions=["blur", {"exposure": {"ev": -0.3}, "name": "dim"}], tolerances={name: {}}
        )

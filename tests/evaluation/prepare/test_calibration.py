"""From normal images to the thresholds: which images, which quantile, and when it is refused."""

from __future__ import annotations

import math
from collections import defaultdict

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.errors import CalibrationError, ConfigError
from pytest_robustbench.evaluation.prepare.division import folds, held_out
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings
from tests.evaluation.evaluation_parts import (
    SIZE,
    Contrast,
    Scores,
    benchmark,
    blot,
    normal,
    picture,
    split,
)


def names_of(blobs, samples):
    """The samples whose pixels the detector was fitted on."""
    by_pixels = {sample.image.tobytes(): sample.id for sample in samples}
    return [by_pixels[blob] for blob in blobs]


@pytest.mark.parametrize("n", [2, 3, 5, 28, 35, 120])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("seed", [0, 7])
def test_holdout_is_the_split_of_pyimgano(n, fraction, seed):
    robustness = pytest.importorskip("pyimgano.robustness.benchmark")

    mine = held_out([None] * n, CalibrationSettings(fraction=fraction, seed=seed))

    _, theirs = robustness._split_fit_calibration(
        range(n), calibration_fraction=fraction, seed=seed
    )
    assert mine.tolist() == theirs


@pytest.mark.parametrize("shrink", [1, 2])
def test_threshold_is_the_quantile_of_the_pooled_resized_maps(shrink):
    parts, detector = split(), Contrast(shrink)
    settings = {"pixel_normal_quantile": 0.99, "image_normal_quantile": 0.7}

    point = benchmark(parts, detector, calibration=settings).prepare()

    held = held_out([None] * 30, CalibrationSettings()).tolist()
    raw = [detector.map(parts.train[i].image) for i in held]
    maps = [cv2.resize(m, (32, 24), interpolation=cv2.INTER_LINEAR) for m in raw]
    expected = np.quantile(np.stack(maps), 0.99)
    assert point.pixel_threshold == pytest.approx(float(expected), rel=1e-7)
    scores = sorted(np.float32(detector.score(m)) for m in raw)
    assert point.image_threshold == scores[math.ceil(7 * 0.7) - 1]
    assert point.expected_false_reject_rate == pytest.approx(2 / 7)
    assert point.method == "holdout"
    assert point.n_images == 6


def test_holdout_fits_once_on_the_rest():
    parts, detector = split(), Contrast()

    subject = benchmark(parts, detector)
    subject.prepare()
    subject.prepare()

    held = held_out([None] * 30, CalibrationSettings())
    rest = [s.id for i, s in enumerate(parts.train) if i not in held]
    assert [names_of(fit, parts.train) for fit in detector.fits] == [rest]


def test_crossfit_pools_out_of_fold_maps_and_fits_on_everything_last():
    parts, detector = split(n_train=13), Contrast()
    settings = CalibrationSettings(method="crossfit", folds=4, seed=3)

    point = benchmark(parts, detector, calibration=vars(settings)).prepare()

    parts_out = [fold.tolist() for fold in folds([None] * 13, settings)]
    assert sorted(i for out in parts_out for i in out) == list(range(13))
    assert {len(fold) for fold in parts_out} == {3, 4}
    fitted = [names_of(fit, parts.train) for fit in detector.fits]
    ids = [s.id for s in parts.train]
    assert fitted == [*([i for k, i in enumerate(ids) if k not in out] for out in parts_out), ids]
    assert point.method == "crossfit"
    assert point.n_images == 13
    maps = np.stack(list(out_of_fold_maps(parts.train, parts_out)))
    assert point.pixel_threshold == pytest.approx(float(np.quantile(maps, 0.999)), rel=1e-7)


def out_of_fold_maps(samples, parts_out):
    for out in parts_out:
        fresh = Contrast()
        fresh.fit([s.image for i, s in enumerate(samples) if i not in out])
        yield from (fresh.map(samples[i].image) for i in out)


def test_crossfit_of_a_detector_that_remembers_its_images_is_no_batch_dependence():
    class Memory(Contrast):
        """The nearest fitted image, found by an inaccurate product: almost 0 where it is known."""

        def fit(self, images):
            super().fit(images)
            self.bank = np.stack([i[:, :, 0] for i in images]).astype(np.float32) / 255

        def predict(self, images):
            noise = 1e-4 * (len(images) - 1)
            stack = np.stack([i[:, :, 0] for i in images]).astype(np.float32) / 255
            maps = np.abs(stack[:, None] - self.bank).min(axis=1) + np.float32(noise)
            return rb.Prediction(maps.mean(axis=(1, 2)), maps)

    point = benchmark(detector=Memory(), calibration={"method": "crossfit"}).prepare()

    assert point.n_images == 30


def test_more_folds_than_images_are_refused():
    with pytest.raises(CalibrationError, match="4 train images cannot be divided into 5 folds"):
        benchmark(split(n_train=4), calibration={"method": "crossfit"}).prepare()


@pytest.mark.parametrize("n_train", [0, 1])
def test_too_few_train_images_are_refused(n_train):
    with pytest.raises(CalibrationError, match=f"{n_train} train image.s. cannot be divided"):
        benchmark(split(n_train=n_train)).prepare()


def test_own_calibration_images_leave_all_train_images_to_fit():
    own = [normal(f"calibration/{i}", 500 + i) for i in range(25)]
    parts, detector = split(n_train=5, calibration=own), Contrast()

    point = benchmark(parts, detector).prepare()

    assert [len(fit) for fit in detector.fits] == [5]
    assert (point.method, point.n_images) == ("images", 25)
    assert point.warnings == ()


def test_fewer_than_24_images_are_warned_of():
    (warning,) = benchmark(split(n_train=100)).prepare().warnings

    assert warning.startswith("calibrated on 20 images, fewer than 24")


@pytest.mark.parametrize(("n", "warned"), [(23, True), (24, False)])
def test_24_images_are_enough(n, warned):
    own = [normal(f"calibration/{i}", 500 + i) for i in range(n)]

    assert bool(benchmark(split(calibration=own)).prepare().warnings) == warned


class Drawn(Contrast):
    """Says of every image what was drawn for it."""

    def __init__(self, maps):
        super().__init__()
        self.maps = maps

    def predict(self, images):
        scores = super().predict(images).scores
        return rb.Prediction(scores, [self.maps[image.tobytes()] for image in images])


def prepared_with(maps, **calibration):
    """Calibrate on images of which the detector says this; of all others it says nothing."""
    own = [normal(f"calibration/{i}", 500 + i) for i in range(len(maps))]
    said = defaultdict(lambda: np.zeros(SIZE, np.float32))
    said |= {s.image.tobytes(): m for s, m in zip(own, maps, strict=True)}
    return benchmark(split(calibration=own), Drawn(said), calibration=calibration).prepare()


@pytest.mark.parametrize(("of_one", "warned"), [(105, True), (90, False)])
def test_an_image_that_has_more_than_half_of_the_tail_is_warned_of(of_one, warned):
    """One in a hundred of 24 * 768 pixels is in the tail: 184, most of them of the first image."""
    maps = np.random.default_rng(0).random((24, *SIZE), np.float32)
    maps[0].flat[:of_one] += 100
    maps[1:, 0, :10] += 50

    point = prepared_with(maps, pixel_normal_quantile=0.99)

    assert point.health.largest_tail_share == pytest.approx(of_one / 184, abs=0.01)
    assert bool(point.warnings) == warned


@pytest.mark.parametrize(("differ", "refused"), [(0.9e-4, True), (1.2e-4, False)])
def test_three_maxima_within_a_ten_thousandth_of_the_range_are_no_accident(differ, refused):
    maps = np.random.default_rng(0).random((3, *SIZE), np.float32)
    maps[:, 0, 0] = 20 * (1 + differ * np.array([0, 0.5, 1]))

    if refused:
        with pytest.raises(CalibrationError, match="has the same maximum"):
            prepared_with(maps)
    else:
        assert prepared_with(maps).n_images == 3


def test_what_is_not_set_is_what_the_reference_says():
    assert CalibrationSettings() == CalibrationSettings(
        pixel_normal_quantile=0.999,
        image_normal_quantile=0.95,
        method="holdout",
        fraction=0.2,
        folds=5,
        seed=0,
    )
    assert EvaluationSettings() == EvaluationSettings(
        seed=0,
        batch_size=1,
        pixel_segf1=True,
        aupro_limit=0.3,
        gaussian_sigma=0.0,
        memory_budget=2**30,
        image_budget=2**29,
    )


def test_one_odd_image_is_warned_of():
    odd, _ = blot(picture(1), np.s_[4:12, 4:16], by=90)
    own = [normal(f"calibration/{i}", 500 + i) for i in range(29)]
    own.insert(11, rb.Sample("calibration/odd", 0, odd))
    parts = split(calibration=own)

    point = benchmark(parts, calibration={"pixel_normal_quantile": 0.99}).prepare()

    (warning,) = point.warnings
    assert warning.startswith(f"calibration image {point.health.largest_tail_image} carries ")
    assert "make sure that it shows a good part" in warning
    assert point.health.largest_tail_share > 0.5
    assert point.health.n_images == len(point.health.without_each) == 30
    assert int(np.argmin(point.health.without_each)) == 11
    without = benchmark(
        split(calibration=[s for s in own if s.id != "calibration/odd"]),
        calibration={"pixel_normal_quantile": 0.99},
    ).prepare()
    assert without.pixel_threshold == point.health.without_each[11] == point.interval[0]
    assert without.pixel_threshold < point.pixel_threshold
    assert without.warnings == ()


def scaled_per_image(m):
    return (m - m.min()) / (m.max() - m.min())


@pytest.mark.parametrize("shrink", [1, 2, 3])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m: np.full_like(m, 3), "are constant"),
        (scaled_per_image, "per-image min-max scaling, or a clamp at both ends"),
        (lambda m: np.clip(m, 4, 5), "per-image min-max scaling, or a clamp at both ends"),
        (lambda m: np.minimum(m + m.mean(), 10), "or a clamp that every image reaches"),
        (
            lambda m: m / 5 if m.mean() < 5.2 else np.minimum(m + m.mean(), 10),
            "the score scale is clamped",
        ),
    ],
    ids=["constant", "min-max", "clamped at both ends", "all clamped", "some clamped"],
)
def test_maps_that_carry_no_fixed_threshold_are_refused(change, problem, shrink):
    class Changed(Contrast):
        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores, [change(m) for m in prediction.maps])

    with pytest.raises(CalibrationError, match=problem):
        benchmark(detector=Changed(shrink)).prepare()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m / m.max(),
        lambda m: (m - m.min()) / (m.max() - m.min() + 1e-8),
        lambda m: (m - m.min()) / (m.max() - m.min() + 1e-4),
    ],
    ids=["by the maximum", "small epsilon", "large epsilon"],
)
def test_maps_scaled_per_image_in_other_ways_are_refused(change):
    class Changed(Contrast):
        def map(self, image):
            return super().map(image) + np.float32(image.mean() / 50)

        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores, [change(m) for m in prediction.maps])

    with pytest.raises(CalibrationError, match="per-image"):
        benchmark(detector=Changed()).prepare()


def test_two_images_may_share_their_maximum():
    class Capped(Contrast):
        def predict(self, images):
            prediction = super().predict(images)
            return rb.Prediction(prediction.scores, [m + 20 - m.max() for m in prediction.maps])

    two = [normal(f"calibration/{i}", 500 + i) for i in range(2)]

    assert benchmark(split(calibration=two), Capped()).prepare().n_images == 2


def test_constant_scores_are_refused():
    class Constant(Scores):
        def score(self, anomaly_map):
            return 0 * anomaly_map.max()

    with pytest.raises(CalibrationError, match="every calibration image has the same score"):
        benchmark(detector=Constant()).prepare()


def test_a_scale_clamped_below_is_accepted():
    class Rectified(Contrast):
        def map(self, image):
            return np.maximum(super().map(image) - np.float32(4), 0)

    assert benchmark(detector=Rectified()).prepare().pixel_threshold > 0


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (lambda: CalibrationSettings(pixel_normal_quantile=1), "pixel_normal_quantile must be"),
        (lambda: CalibrationSettings(image_normal_quantile=0), "image_normal_quantile must be"),
        (lambda: CalibrationSettings(fraction=1.0), "fraction must be between 0 and 1"),
        (lambda: CalibrationSettings(method="cross-fit"), "one of holdout, crossfit"),
        (lambda: CalibrationSettings(folds=1), "folds must be at least 2, not 1"),
        (lambda: EvaluationSettings(batch_size=0), "batch_size must be at least 1"),
        (lambda: EvaluationSettings(aupro_limit=1.5), "aupro_limit must be above 0"),
    ],
)
def test_settings_that_cannot_be_carried_out_are_refused(settings, problem):
    with pytest.raises(ConfigError, match=problem):
        settings()

"""Every pixel metric equals a slow implementation, written here from the definitions alone."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from tests.evaluation.evaluation_parts import Contrast, Scores, benchmark, defect, normal, split

JITTER = rb.Condition("geo_jitter", 4)
CONDITIONS = pytest.mark.parametrize("condition", [CLEAN, JITTER], ids=lambda c: c.id)


def corner(name, seed):
    """A defect in the outermost corner, which a jitter may push out of the frame."""
    return defect(name, seed, where=np.s_[0:2, 0:2])


def all_samples():
    """Central and cornered defects, one of unknown place, one of two regions, and normal images."""
    corners = [corner(f"test/corner/{i}", 30_000 + i) for i in range(24)]
    central = [defect(f"test/blot/{i}", 40_000 + i) for i in range(3)]
    unknown = defect("test/unknown/0", 50_000, known=False)
    normals = [normal(f"test/good/{i}", 60_000 + i) for i in range(5)]
    two = defect("test/two/0", 70_000)
    two.mask[2:5, 2:5] = True
    clear = [c for c in corners if survived(c) == 0 or survived(c) > 0.9]
    return [*clear, *central, unknown, two, *normals]


@pytest.fixture(scope="module")
def measured():
    parts = split(test=all_samples())
    subject = benchmark(parts, Contrast(shrink=2), calibration={"pixel_normal_quantile": 0.99})
    results = {c: subject.evaluate(c) for c in (CLEAN, JITTER)}
    return subject, results


def survived(sample):
    """The share of the defect's area that severity 5 leaves, change of scale included."""
    mask = sample.mask
    moved = rb.corrupt(sample.image, mask, "geo_jitter", severity=5, sample_id=sample.id)
    return np.count_nonzero(moved.mask) / np.count_nonzero(mask)


def left_out(sample):
    return sample.mask is not None and survived(sample) < 0.5


def seen_pixels(subject, condition):
    """Yield ``(sample, scores, truth, region numbers)`` of the pixels that count, per image."""
    for sample in subject.split.test:
        if condition == JITTER and left_out(sample):
            continue
        known = sample.label == 0 or sample.mask is not None
        mask = np.zeros(sample.image.shape[:2], bool) if sample.mask is None else sample.mask
        image, counted = sample.image, np.ones_like(mask)
        if condition == JITTER:
            image, mask, ignored = rb.corrupt(
                image, mask, "geo_jitter", severity=4, sample_id=sample.id
            )
            counted = ~ignored
        detector = subject.evaluator.predictor.detector
        small = detector.map(image)
        resized = cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        regions, _ = ndimage.label(mask, structure=np.ones((3, 3)))
        if known:
            yield sample, resized[counted], mask[counted], regions[counted]


def slow_counts(subject, condition, threshold):
    for sample, scores, truth, _ in seen_pixels(subject, condition):
        called = scores > threshold
        tp, fp = int((called & truth).sum()), int((called & ~truth).sum())
        yield sample, tp, fp, int((~called & truth).sum()), int((~called & ~truth).sum())


@CONDITIONS
def test_thresholded_metrics_equal_the_definitions(measured, condition):
    subject, results = measured
    result = results[condition]
    rows = list(slow_counts(subject, condition, result.pixel_threshold))
    tp, fp, fn, tn = (sum(row[i] for row in rows) for i in (1, 2, 3, 4))
    normals = [row for row in rows if row[0].label == 0]
    fp_normal, tn_normal = sum(row[2] for row in normals), sum(row[4] for row in normals)
    singles = [Fraction(2 * a, 2 * a + b + c) for _, a, b, c, _ in rows if a + c]

    assert 0 < fp < tn
    assert 0 < tp < tp + fn
    assert result.metrics["pixel_segf1"] == 2 * tp / (2 * tp + fp + fn)
    assert result.metrics["bg_fpr"] == fp / (fp + tn)
    assert result.metrics["normal_fpr"] == fp_normal / (fp_normal + tn_normal)
    mean = float(sum(singles) / len(singles))
    assert result.metrics["pixel_segf1_per_image"] == pytest.approx(mean, rel=1e-15)
    assert result.trivial_segf1 == 2 * (tp + fn) / (2 * (tp + fn) + fp + tn)
    trivial = [2 * (a + c) / (2 * (a + c) + b + d) for _, a, b, c, d in rows if a + c]
    assert result.trivial_segf1_per_image == pytest.approx(sum(trivial) / len(trivial), rel=1e-12)


@CONDITIONS
def test_per_image_counts_equal_the_definitions(measured, condition):
    subject, results = measured
    result = results[condition]
    rows = {
        sample.id: counts
        for sample, *counts in slow_counts(subject, condition, result.pixel_threshold)
    }
    columns = result.per_image

    for i, sample in enumerate(subject.split.test):
        assert columns.counted[i] == (sample.id in rows)
        if columns.counted[i]:
            found = [int(c[i]) for c in (columns.tp, columns.fp, columns.fn, columns.tn)]
            assert found == rows[sample.id]


@CONDITIONS
def test_ranking_metrics_are_those_of_scikit_learn(measured, condition):
    subject, results = measured
    pixels = list(seen_pixels(subject, condition))
    scores = np.concatenate([p[1] for p in pixels])
    truth = np.concatenate([p[2] for p in pixels])
    metrics = results[condition].metrics

    assert metrics["pixel_auroc"] == pytest.approx(roc_auc_score(truth, scores), abs=1e-9)
    expected = average_precision_score(truth, scores)
    assert metrics["pixel_average_precision"] == pytest.approx(expected, abs=1e-9)


@CONDITIONS
def test_aupro_is_the_exact_area(measured, condition):
    subject, results = measured
    pixels = list(seen_pixels(subject, condition))
    background = np.concatenate([scores[~truth] for _, scores, truth, _ in pixels])
    regions = [
        scores[numbers == number]
        for _, scores, _, numbers in pixels
        for number in range(1, numbers.max(initial=0) + 1)
    ]

    expected = slow_aupro(background, regions, limit=0.3)

    assert len(regions) > 4
    assert results[condition].metrics["aupro"] == pytest.approx(expected, abs=1e-9)


def slow_aupro(background, regions, limit):
    """Visit every score of any pixel, from the top."""
    points = [(0.0, 0.0)]
    for threshold in np.unique(np.concatenate([background, *regions]))[::-1]:
        overlap = sum((r >= threshold).mean() for r in regions) / len(regions)
        points.append(((background >= threshold).mean(), overlap))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 >= limit:
            at_limit = y0 + (y1 - y0) * ((limit - x0) / (x1 - x0))
            return (area + (limit - x0) * (y0 + at_limit) / 2) / limit
        area += (x1 - x0) * (y0 + y1) / 2
    raise AssertionError(points[-1])


def test_images_pushed_out_of_the_frame_are_left_out(measured):
    subject, results = measured
    expected = tuple(sample.id for sample in subject.split.test if left_out(sample))

    result = results[JITTER]

    assert len(expected) > 1
    assert result.left_out == expected
    kept = [sample.id not in expected for sample in subject.split.test]
    assert result.per_image.measured.tolist() == kept
    assert np.isnan(result.per_image.score[~np.array(kept)]).all()
    assert sum(result.image_counts.values()) == sum(kept)
    assert results[CLEAN].left_out == ()


def test_an_unknown_mask_counts_in_no_pixel_metric():
    known = [s for s in all_samples() if s.id != "test/unknown/0"]
    with_unknown = benchmark(split(test=all_samples())).evaluate(CLEAN)
    without = benchmark(split(test=known)).evaluate(CLEAN)

    pixel = [k for k in without.metrics if "pixel" in k or k in ("aupro", "bg_fpr", "normal_fpr")]
    assert len(pixel) == 7
    assert all(with_unknown.metrics[k] == without.metrics[k] for k in pixel)
    assert with_unknown.unknown_masks == ("test/unknown/0",)
    assert sum(with_unknown.image_counts.values()) == len(known) + 1


def test_image_metrics_are_those_of_scikit_learn(measured):
    subject, results = measured
    labels = [sample.label for sample in subject.split.test]
    result = results[CLEAN]
    scores = result.per_image.score

    called = scores > result.image_threshold
    counts = {
        "tp": sum(c and y for c, y in zip(called, labels, strict=True)),
        "fp": sum(c and not y for c, y in zip(called, labels, strict=True)),
        "fn": sum(y and not c for c, y in zip(called, labels, strict=True)),
        "tn": sum(not y and not c for c, y in zip(called, labels, strict=True)),
    }

    assert result.metrics["auroc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
    expected = average_precision_score(labels, scores)
    assert result.metrics["average_precision"] == pytest.approx(expected, abs=1e-9)
    assert dict(result.image_counts) == counts
    assert result.metrics["miss_rate"] == counts["fn"] / (counts["fn"] + counts["tp"])
    assert result.metrics["false_reject_rate"] == counts["fp"] / (counts["fp"] + counts["tn"])


def test_only_scores_above_the_threshold_are_called():
    scores = {0: [1.0, 2.0, 3.0], 1: [2.0, 3.0, 4.0]}

    def detector(images):
        """The red values are the scores; blue only makes every picture another one."""
        maps = np.stack([image[:, :, 0] for image in images]).astype(np.float32)
        return maps.max(axis=(1, 2)), maps

    samples = [
        rb.Sample(
            f"{label}/{value}",
            label,
            np.full((4, 4, 3), (value, 0, 100 * label), np.uint8),
            np.ones((4, 4), bool) if label else None,
        )
        for label, values in scores.items()
        for value in values
    ]
    result = benchmark(
        split(test=samples),
        detector,
        fitted=True,
        operating_point=OperatingPoint(pixel_threshold=2.0, image_threshold=3.0),
    ).evaluate(CLEAN)

    assert dict(result.image_counts) == {"tp": 1, "tn": 3, "fp": 0, "fn": 2}
    assert result.metrics["bg_fpr"] == 1 / 3
    assert result.per_image.tp.tolist() == [0, 0, 0, 0, 16, 16]


def test_maps_are_enlarged_bilinearly():
    def detector(images):
        return np.ones(len(images)), np.tile(np.float32([[0, 4]]), (len(images), 2, 1))

    image = np.zeros((2, 4), np.uint8)
    parts = split(test=[rb.Sample("a", 0, image), rb.Sample("b", 0, image + 1)])
    point = OperatingPoint(pixel_threshold=0.5, image_threshold=2.0)
    subject = benchmark(parts, detector, fitted=True, operating_point=point)

    _, enlarged = subject.evaluator.picture(CLEAN, 0)

    # Pixel centres at -0.25, 0.25, 0.75 and 1.25 source pixels; cubic would overshoot 0 and 4.
    assert enlarged.tolist() == [[0.0, 1.0, 3.0, 4.0]] * 2
    assert subject.evaluate(CLEAN).metrics["bg_fpr"] == 0.75


@pytest.mark.parametrize(
    ("n_good", "n_defect", "undefined", "defined"),
    [
        (0, 4, "auroc specificity false_reject_rate normal_fpr", "miss_rate bg_fpr pixel_segf1"),
        (4, 0, "auroc miss_rate pixel_segf1 aupro pixel_auroc", "bg_fpr normal_fpr specificity"),
    ],
    ids=["defects only", "normals only"],
)
def test_one_class_leaves_some_metrics_undefined(n_good, n_defect, undefined, defined):
    result = benchmark(split(n_good=n_good, n_defect=n_defect)).evaluate(CLEAN)

    for name in undefined.split():
        assert result.metrics[name] is None
        assert "no normal image" in result.undefined[name] or "no defect" in result.undefined[name]
    for name in defined.split():
        assert result.metrics[name] is not None
        assert name not in result.undefined
    nothing = {name for name, value in result.metrics.items() if value is None}
    assert nothing == set(result.undefined)


def test_no_known_mask_at_all_leaves_the_background_of_normal_images():
    test = [defect("test/a", 1, known=False), normal("test/b", 62), normal("test/c", 63)]

    result = benchmark(split(test=test)).evaluate(CLEAN)

    assert result.metrics["pixel_segf1"] is None
    assert result.undefined["pixel_segf1"] == "no defect image has a mask"
    assert result.metrics["bg_fpr"] == result.metrics["normal_fpr"] is not None


def test_a_detector_without_maps_has_image_metrics_only():
    result = benchmark(detector=Scores()).evaluate(JITTER)

    assert result.pixel_threshold is None
    for name in ("pixel_segf1", "bg_fpr", "normal_fpr", "aupro", "pixel_auroc"):
        assert result.metrics[name] is None
        assert result.undefined[name] == "the detector gives no maps"
    assert result.metrics["auroc"] == 1.0
    assert not result.per_image.counted.any()
    assert result.trivial_segf1 is None
    assert result.trivial_segf1_per_image is None


def test_without_a_pixel_threshold_only_the_ranking_is_measured():
    point = OperatingPoint(pixel_threshold=None, image_threshold=30.0)

    result = benchmark(operating_point=point).evaluate(CLEAN)

    assert result.metrics["pixel_segf1"] is None
    assert "no pixel threshold" in result.undefined["bg_fpr"]
    assert result.metrics["pixel_auroc"] > 0.9
    assert not result.per_image.counted.any()  # no counts that a reader could pool


def test_pixel_segf1_can_be_switched_off():
    result = benchmark(evaluation={"pixel_segf1": False}).evaluate(CLEAN)

    assert result.metrics["pixel_segf1"] is None
    assert "switched off" in result.undefined["pixel_segf1"]
    assert result.metrics["bg_fpr"] is not None

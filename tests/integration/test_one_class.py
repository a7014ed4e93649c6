"""Real sets that lack a class or masks: what is defined is measured, the rest is null with why."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.gates.soundness import sides_seen


def gate_of(limits, *conditions):
    """Hold limits on one kind of image, with what sees the other side where nothing else does."""
    seen = sides_seen(limits)
    if not seen:
        limits = (*limits, Limit("recall", "min", 0.001, "r.yaml:2"))
    meant = {True: "false_alarms", False: "misses"}["false alarms" in seen]
    return Gate(dict.fromkeys(conditions, limits), one_sided=dict.fromkeys(conditions, meant))


IMAGE_RANKING = ("auroc", "average_precision")


def measured(split, metrics=("bg_fpr",), **settings):
    limits = tuple(
        Limit(m, "max" if m not in ("pixel_segf1", "auroc") else "min", 0.5, "r.yaml:1")
        for m in metrics
    )
    report = rb.Benchmark(
        split,
        load_detector("pixel_gaussian"),
        corruptions=["lighting"],
        severities=[3],
        gate=gate_of(limits, "clean", "lighting-severity_3"),
        evaluation=EvaluationSettings(**settings),
    ).run()
    return report, report.records["clean"], report.records["lighting-severity_3"]


def values(record):
    results = record["results"]
    names = {**results["metrics"], **results["pixel_metrics"]}
    return names | {name: results[name] for name in IMAGE_RANKING}


def outcomes(report):
    return {(v.condition, v.limit.metric): v.outcome for v in report.verdicts}


def test_no_normal_test_image(test_data):
    """The juice bottles of LOCO have logical anomalies only."""
    split = rb.load_split(
        "mvtec_loco", root=test_data / "mvtec_loco", category="juice_bottle", resize=(128, 64)
    )
    assert {sample.label for sample in split.test} == {1}
    assert len(split.calibration) == 4

    report, *records = measured(split, ("bg_fpr", "miss_rate", "false_reject_rate", "auroc"))

    for record in records:
        found = values(record)
        for metric in (*IMAGE_RANKING, "false_reject_rate", "normal_fpr"):
            assert found[metric] is None
            assert record["undefined"][metric]
        for metric in ("bg_fpr", "pixel_segf1", "pixel_auroc", "aupro", "miss_rate", "recall"):
            assert found[metric] is not None
    assert {o for (_, metric), o in outcomes(report).items() if metric == "auroc"} == {"error"}
    assert {o for (_, m), o in outcomes(report).items() if m == "bg_fpr"} <= {"pass", "fail"}
    assert not report.passed


def test_no_defect(test_data):
    whole = rb.load_split(
        "mvtec", root=test_data / "mvtec_layout", category="hazelnut_toy", resize=(96, 96)
    )
    split = replace(whole, test=tuple(s for s in whole.test if s.label == 0))

    report, *records = measured(split, ("bg_fpr", "pixel_segf1"))

    for record in records:
        found = values(record)
        for metric in (*IMAGE_RANKING, "miss_rate", "pixel_segf1", "pixel_auroc", "aupro"):
            assert found[metric] is None
            assert record["undefined"][metric]
        assert found["bg_fpr"] == found["normal_fpr"] is not None
    assert outcomes(report)["clean", "pixel_segf1"] == "error"


def test_no_masks(test_data):
    whole = rb.load_split(
        "mvtec", root=test_data / "mvtec_layout", category="hazelnut_toy", resize=(96, 96)
    )
    split = replace(whole, test=tuple(replace(s, mask=None) for s in whole.test))
    metrics = ("miss_rate", "false_reject_rate", "bg_fpr")

    report, *records = measured(split, metrics, pixel_segf1=False)

    normal = rb.Benchmark(
        replace(whole, test=tuple(s for s in whole.test if s.label == 0)),
        load_detector("pixel_gaussian"),
        corruptions=[],
    ).run()
    for record in records:
        found = values(record)
        assert found["pixel_segf1"] is None
        assert found["aupro"] is None
        assert all(found[metric] is not None for metric in metrics)
    assert values(records[0])["bg_fpr"] == values(normal.records["clean"])["bg_fpr"]
    assert "error" not in outcomes(report).values()


@pytest.mark.parametrize("metric", ["pixel_segf1", "bg_fpr", "pixel_auroc"])
def test_a_pixel_limit_on_a_detector_without_maps_says_why(test_data, metric):
    split = rb.load_split(
        "mvtec", root=test_data / "mvtec_layout", category="hazelnut_toy", resize=(64, 64)
    )
    bound = "max" if metric == "bg_fpr" else "min"
    gate = gate_of((Limit(metric, bound, 0.5, "r.yaml:7"),), "clean")

    def brightness(images):
        return [image.mean() for image in images], None

    report = rb.Benchmark(
        replace(split, calibration=split.train),
        brightness,
        corruptions=[],
        fitted=True,
        gate=gate,
    )
    with pytest.raises(Exception, match="train"):
        report.run()  # its own train images are not unseen
    report = rb.Benchmark(
        replace(split, train=(), calibration=split.train),
        brightness,
        corruptions=[],
        fitted=True,
        gate=gate,
    ).run()

    verdict = next(v for v in report.verdicts if v.limit.metric == metric)
    assert verdict.outcome == "error"
    assert verdict.value is None
    assert "map" in verdict.reason
    record = report.records["clean"]
    assert record["results"]["auroc"] is not None
    assert record["latency_ms_per_image"] > 0


def test_masks_with_soft_edges_are_noted(test_data):
    """Those of the magnetic tiles were stored with losses: any non-zero pixel marks too much."""
    root = test_data / "mvtec_layout"
    notes = {}
    for category in ("magnetic_tile", "hazelnut_toy"):
        split = rb.load_split("mvtec", root=root, category=category, resize=(48, 48))
        subject = rb.Benchmark(split, load_detector("pixel_gaussian"), corruptions=[])
        subject.prepare()
        notes[category] = [n for n in subject.header().notes if "several non-zero values" in n]

    assert "masks with several non-zero values: 80 " in notes["magnetic_tile"][0]
    assert notes["hazelnut_toy"] == []

"""A detector that misbehaves is named, and touches no condition but its own."""

from __future__ import annotations

import math
import shutil

import cv2
import pytest

import pytest_robustbench as rb
from tests.plugin.line_models import fingerprint
from tests.plugin.robustness_project import Project, condition, only_messages, outcomes

TWO = {"corruptions": "[lighting, blur]", "severities": "[3]"}
OPEN = "all: {miss_rate: {max: 0.99}, one_sided: misses}"


def faulty(fault: str, on: str = "") -> str:
    kwargs = f"{{fault: {fault}, on: '{on}'}}"
    return f"{{name: 'line_models:FaultyDetector', kwargs: {kwargs}}}"


def fingerprint_of(project: Project, name: str, corruption: str, severity: int) -> str:
    """Return the fingerprint of a test image as the detector will see it."""
    source = cv2.imread(str(project.data / "brushed_metal" / f"{name}.png"))[..., ::-1]
    corrupted = rb.corrupt(source, None, corruption, severity=severity, sample_id=name)
    return fingerprint(corrupted.image)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("nan", "NaN or infinity"),
        ("raise", "the frame grabber is gone"),
        ("exit", "the licence has run out"),
    ],
)
def test_one_image_of_one_condition(project: Project, fault: str, said: str) -> None:
    project.yaml(OPEN, **TWO)
    assert project.run().ret == 0
    whole = project.report()
    on = fingerprint_of(project, "test/dent/001", "lighting", 3)
    project.yaml(OPEN, detector=faulty(fault, on), **TWO)
    result = project.run("-v")
    assert outcomes(result) == {
        "hazelnut-clean": "passed",
        "hazelnut-lighting-severity_3": "error",
        "hazelnut-blur-severity_3": "passed",
        "hazelnut-complete": "failed",
    }
    text = only_messages(result)
    assert said in text
    assert "test/dent/001" in text
    report = project.report()
    for intact in ("clean", "blur-severity_3"):
        assert condition(report, intact)["per_image"] == condition(whole, intact)["per_image"]
    assert said in condition(report, "lighting-severity_3")["error"]
    assert report["missing"] == ["lighting-severity_3"]
    assert not report["complete"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("constant", "constant"),
        ("minmax", "min-max scaling"),
        ("too_many_maps", "maps with shape"),
        ("batch", "depends on its batch"),
        ("raise", "the frame grabber is gone"),
        ("exit", "the licence has run out"),
        ("nan", "NaN or infinity"),
        ("unfittable", "no more memory on the GPU"),
    ],
)
def test_an_unusable_detector_is_one_message_per_item(
    project: Project, fault: str, said: str
) -> None:
    project.yaml(OPEN, detector=faulty(fault), **TWO)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not {"passed", "skipped"} & set(outcomes(result).values())
    assert said in only_messages(result)
    report = project.report()
    assert len(report["missing"]) == 3
    assert {v["verdict"] for v in report["verdicts"]} == {"error"}


@pytest.mark.parametrize(
    ("detector", "extra", "said"),
    [
        ("{name: 'line_models:MeanDetector', fitted: true}", "", "already fitted"),
        (
            "{name: 'line_models:MeanDetector', fitted: true}",
            "calibration: {images: TRAIN}",
            "calibration image(s) are also train images",
        ),
        ("{name: 'line_models:NoSuch'}", "", "NoSuch"),
        ("{name: 'no_such_module:load'}", "", "no_such_module"),
        ("{name: 'line_models:MeanDetector', kwargs: {colour: red}}", "", "colour"),
    ],
)
def test_a_detector_that_cannot_be_used(
    project: Project, detector: str, extra: str, said: str
) -> None:
    train = project.data / "brushed_metal" / "train" / "good"
    project.yaml(OPEN, detector=detector, extra=extra.replace("TRAIN", str(train)), **TWO)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not {"passed", "skipped"} & set(outcomes(result).values())
    assert said in only_messages(result)


def test_a_broken_image_is_named(project: Project) -> None:
    root = project.path / "data"
    shutil.copytree(project.data, root)
    broken = root / "brushed_metal" / "test" / "good" / "001.png"
    broken.write_bytes(broken.read_bytes()[:60])
    project.yaml(OPEN, dataset=f"{{format: mvtec, root: '{root}', category: brushed_metal}}", **TWO)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert str(broken) in only_messages(result)


def test_scores_of_a_fitted_detector_at_given_thresholds(project: Project) -> None:
    project.yaml(
        "all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}",  # nothing scores so high
        detector="{name: 'line_models:MeanDetector', fitted: true}",
        extra="operating_point: {pixel_threshold: 40.0, image_threshold: 90.0}",
        **TWO,
    )
    assert set(project.judged().values()) == {"passed"}
    point = project.report()["operating_point"]
    assert (point["pixel_threshold"], point["method"]) == (40.0, "given")
    scores = condition(project.report(), "clean")["per_image"]["score"]
    assert all(math.isfinite(score) for score in scores)


def test_the_message_names_the_users_own_line(project: Project) -> None:
    project.yaml(OPEN, detector=faulty("raise"), **TWO)
    result = project.run("-v")
    result.stdout.fnmatch_lines(["*the frame grabber is gone (at *line_models.py:* in predict)"])


def test_what_the_data_lack_is_said_with_its_place_and_in_the_overview(project: Project) -> None:
    project.yaml(OPEN, dataset="{format: mvtec, root: nowhere, category: caps}", **TWO)
    result = project.run("-v")
    result.stdout.fnmatch_lines(
        [
            "robustness.yaml:3: *nowhere does not exist*",
            "  3 of 3 conditions could not be measured: robustness.yaml:3: *nowhere*",
        ]
    )

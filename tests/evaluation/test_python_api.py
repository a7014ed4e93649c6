"""The public Python API, used as its documentation shows it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import pytest_robustbench as rb
from tests.evaluation.evaluation_parts import Contrast

NAMES = (
    "Benchmark Condition ConditionResult Corruption Detector OperatingPoint Outcomes Prediction "
    "Report Sample Split as_detector as_split corrupt load_detector load_split "
    "register_corruption register_metric transform_corruption"
)


def test_public_names():
    assert sorted(rb.__all__) == sorted(NAMES.split())
    for name in rb.__all__:
        assert getattr(rb, name).__doc__
        assert name in dir(rb)
    with pytest.raises(AttributeError, match="no attribute 'Benchmarks'"):
        _ = rb.Benchmarks


def test_importing_the_package_imports_nothing_heavy():
    heavy = ["numpy", "cv2", "sklearn", "torch", "pydantic", "yaml", "pytest"]
    code = (
        "import sys, pytest_robustbench; pytest_robustbench.__version__; dir(pytest_robustbench); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


class Model(Contrast):
    """What a project has: any object that is a detector."""


def test_the_api_as_documented(tmp_path):
    model = Model()
    split = rb.load_split("synthetic", category="brushed_metal", resize=(64, 64), size=64)
    benchmark = rb.Benchmark(split, rb.as_detector(model), corruptions=["blur"], severities=[1, 3])
    told = []

    report = benchmark.run(progress=lambda *facts: told.append(facts))
    report.write(tmp_path / "robustness.json")

    plain = report.to_dict()
    assert json.loads((tmp_path / "robustness.json").read_text(encoding="utf-8")) == plain
    assert plain["complete"] is True
    assert plain["model"] == "contrast"
    assert list(plain["robustness"]["corruptions"]["blur"]) == ["severity_1", "severity_3"]
    assert {phase for phase, _, _ in told} == {
        "fit",
        "calibrate",
        "clean",
        "blur-severity_1",
        "blur-severity_3",
    }
    assert all(0 <= done <= total for _, done, total in told)
    assert told[-1][1] == told[-1][2] == len(split.test)


def test_single_steps_as_documented():
    split = rb.load_split("synthetic", category="brushed_metal", resize=(64, 64), size=64)
    detector = Model()
    benchmark = rb.Benchmark(split, detector, corruptions=["blur"], severities=[1, 3])

    point = benchmark.prepare()
    result = benchmark.evaluate(rb.Condition("blur", 3))

    assert isinstance(point, rb.OperatingPoint)
    assert isinstance(result, rb.ConditionResult)
    assert result.pixel_threshold == point.pixel_threshold
    assert len(detector.fits) == 1
    assert benchmark.run().records["blur-severity_3"]["data_digest"] == result.data_digest
    assert len(detector.fits) == 1


def test_every_built_in_condition_by_default():
    split = rb.load_split("synthetic", resize=(32, 32), size=32)

    conditions = rb.Benchmark(split, Model()).conditions

    assert len(conditions) == 26
    assert conditions[0] == rb.Condition("clean")
    assert len(set(conditions)) == 26


def test_one_picture_as_the_benchmark_would_make_it():
    split = rb.load_split("synthetic", resize=(64, 64), size=64)
    benchmark = rb.Benchmark(split, Model())
    index = next(i for i, sample in enumerate(split.test) if sample.label)
    picture, anomaly_map = benchmark.evaluator.picture(rb.Condition("glare", 4), index)
    clean, _ = benchmark.evaluator.picture(rb.Condition("clean"), index)

    image, mask, ignored = rb.corrupt(
        clean.image, clean.mask, "glare", severity=4, seed=0, sample_id=split.test[index].id
    )

    assert np.array_equal(image, picture.image)
    assert np.array_equal(mask, picture.mask)
    assert ignored is None
    assert anomaly_map.shape == (64, 64)


def test_an_infinite_setting_of_the_detector_does_not_lose_the_report(tmp_path):
    class Unbounded(Model):
        def description(self):
            return {"radius": float("inf"), "weights": np.float32(0.5), ("a", "tuple"): 1}

    split = rb.load_split("synthetic", resize=(32, 32), size=32)
    report = rb.Benchmark(split, Unbounded(), corruptions=[]).run()
    report.write(tmp_path / "report.json")

    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert written["detector"]["radius"] == "Infinity"

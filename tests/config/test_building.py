"""From declarations to splits, detectors, corruptions and operating points."""

# ruff: noqa: E501 (lines of YAML and of messages)

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pytest_robustbench.config import build
from pytest_robustbench.config.benchmarks import build_benchmark
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.errors import ConfigError, RobustbenchError

LEAST = """\
schema_version: 1
dataset:  {format: folder, normal_dir: images/good, test_dir: images/test_good, abnormal_dir: images/bad, mask_dir: images/masks}
detector: {name: "line_for_config_tests.models:load", kwargs: {path: v7.onnx}, fitted: true}
calibration: {images: images/calib_good}
corruptions: [blur, "line_for_config_tests.noise:rain"]
accept:
  all: {false_reject_rate: {max: 0.01}, miss_rate: {max: 0.05}}
"""
MODELS = """\
from pathlib import Path
import numpy as np

def load(path):
    weight = float(Path(path).read_text())
    return lambda images: [weight * np.asarray(image, np.float32).mean(-1) for image in images]
"""
NOISE = "def rain(image, mask, severity, rng):\n    return image // (1 + severity), mask\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project whose YAML lies elsewhere than the working directory."""
    project = tmp_path / "project"
    rng = np.random.default_rng(0)
    for name in ("good", "test_good", "bad", "calib_good", "masks"):
        (project / "images" / name).mkdir(parents=True)
        for i in range(3):
            picture = rng.integers(0, 256, (16, 16), dtype=np.uint8)
            picture = np.where(picture > 99, 255, 0) if name == "masks" else picture
            cv2.imwrite(str(project / "images" / name / f"{i}.png"), picture)
    package = project / "line_for_config_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(MODELS)
    (package / "noise.py").write_text(NOISE)
    (project / "v7.onnx").write_text("2.0")
    (project / "robustness.yaml").write_text(LEAST)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    yield project
    for module in [m for m in sys.modules if m.startswith("line_for_config_tests")]:
        del sys.modules[module]


def test_paths_and_imports_start_at_the_folder_of_the_file(folder):
    config = load_config(folder / "robustness.yaml")
    (benchmark,) = config.benchmarks
    split = build.build_split(benchmark, config.folder)
    assert (len(split.train), len(split.test), len(split.calibration)) == (3, 6, 3)
    assert split.category == benchmark.category
    detector = build.build_detector(benchmark.detector, config.folder)
    image = np.full((4, 4, 3), 10, np.uint8)
    assert np.asarray(detector.predict([image]).maps[0]) == pytest.approx(20.0)
    corruptions = build.build_corruptions(benchmark, config.folder)
    assert list(corruptions) == ["blur", "rain"]
    rained = corruptions["rain"].apply(image, None, 4, seed=0, sample_id="a").image
    assert rained.max() == 2


def test_the_limits_apply_to_train_and_test_images(folder):
    file = folder / "robustness.yaml"
    file.write_text(LEAST + "limit_train: 2\nlimit_test: 3\n")
    config = load_config(file)
    split = build.build_split(config.benchmarks[0], config.folder)
    assert (len(split.train), len(split.test), len(split.calibration)) == (2, 3, 3)


@pytest.mark.parametrize("category", ["hazelnut_toy", "grid"])
def test_a_real_category_in_the_mvtec_layout(tmp_path, test_data, category):
    file = tmp_path / "robustness.yaml"
    file.write_text(f"""\
schema_version: 1
defaults:
  dataset: {{format: mvtec, root: "${{DATA_ROOT:-data}}", resize: [256, 256]}}
  detector: {{name: pixel_gaussian}}
  accept: {{all: {{bg_fpr: {{max: 0.05}}, one_sided: false_alarms}}}}
benchmarks: {{{category}: }}
profiles: {{pr: {{limit_test: 5, severities: [3]}}}}
""")
    environ = {"DATA_ROOT": str(test_data / "mvtec_layout")}
    config = load_config(file, environ=environ)
    split = build.build_split(config.benchmarks[0], config.folder)
    assert (split.dataset, split.category, split.resize) == ("mvtec", category, (256, 256))
    assert len(split.train) == {"hazelnut_toy": 28, "grid": 25}[category]
    config = load_config(file, profile="pr", environ=environ)
    assert len(build.build_split(config.benchmarks[0], config.folder).test) == 5
    assert callable(build.build_detector(config.benchmarks[0].detector, config.folder).predict)


def test_a_missing_variable_fails_when_the_data_are_needed(folder, monkeypatch):
    monkeypatch.delenv("ROBUSTBENCH_NO_SUCH_ROOT", raising=False)
    file = folder / "robustness.yaml"
    file.write_text(
        LEAST.replace("format: folder,", "format: folder, root: '${ROBUSTBENCH_NO_SUCH_ROOT}',")
    )
    config = load_config(file)
    with pytest.raises(
        ConfigError, match=r"robustness.yaml:2: environment variable 'ROBUSTBENCH_NO"
    ):
        build.build_split(config.benchmarks[0], config.folder)
    monkeypatch.setenv("ROBUSTBENCH_NO_SUCH_ROOT", str(folder))
    assert len(build.build_split(config.benchmarks[0], config.folder).train) == 3


def test_a_variable_that_a_corruption_lacks_is_told_and_stands_in_the_report_as_written(folder):
    place = folder / "robustness.yaml"
    place.write_text(LEAST.replace("[blur,", "[{blur: {severity_3: {sigma_px: '${NONE}'}}},"))
    (benchmark,) = load_config(place, environ={}).benchmarks
    plain = json.loads(json.dumps(benchmark.effective))
    assert plain["corruptions"]["blur"] == {"blur": {"severity_3": {"sigma_px": "${NONE}"}}}
    with pytest.raises(RobustbenchError, match=r"robustness.yaml:5: environment variable 'NONE'"):
        build.build_corruptions(benchmark, folder)


def test_a_fixture_that_nobody_brings_is_told(load):
    config = load(
        "schema_version: 1\ndataset: fixture\ndetector: fixture\naccept: {all: {f1: {min: 0.001}, one_sided: misses}}\n"
    )
    (benchmark,) = config.benchmarks
    with pytest.raises(ConfigError, match=r"robustness.yaml:2: 'dataset: fixture' says that"):
        build.build_split(benchmark, config.folder)
    with pytest.raises(
        ConfigError, match=r"robustness.yaml:3: .* overrides the fixture robustness_d"
    ):
        build.build_detector(benchmark.detector, config.folder)


def test_an_operating_point_from_numbers_and_from_a_file(folder):
    file = folder / "robustness.yaml"
    plain = LEAST.replace("calibration: {images: images/calib_good}\n", "")
    file.write_text(plain + "operating_point: {pixel_threshold: 0.5, image_threshold: 2}\n")
    config = load_config(file)
    point = build.build_operating_point(config.benchmarks[0], config.folder)
    assert (point.pixel_threshold, point.image_threshold) == (0.5, 2.0)
    (folder / "point.json").write_text(json.dumps({"operating_point": point.to_dict()}))
    file.write_text(plain + "operating_point: point.json\n")
    config = load_config(file)
    assert build.build_operating_point(config.benchmarks[0], config.folder) == point
    (folder / "point.json").unlink()
    with pytest.raises(ConfigError, match=r"robustness.yaml:7: cannot .*point.json"):
        build.build_operating_point(config.benchmarks[0], config.folder)


def test_calibration_images_may_stand_beside_the_operating_point_that_judges(folder):
    file = folder / "robustness.yaml"
    file.write_text(LEAST + "operating_point: {pixel_threshold: 50, image_threshold: 100}\n")
    config = load_config(file)
    (declared,) = config.benchmarks
    split = build.build_split(declared, config.folder)
    detector = build.build_detector(declared.detector, config.folder)
    benchmark = build_benchmark(
        declared, config.folder, split, detector, operating_point=None, progress=lambda *_: None
    )
    point = benchmark.prepare()
    assert (point.pixel_threshold, point.image_threshold) == (50, 100)
    assert len(benchmark.split.calibration) == 3


def test_the_operating_point_of_another_benchmark_is_refused(folder):
    file = folder / "robustness.yaml"
    file.write_text(LEAST + "name: nut\noperating_point: 'of-{name}.json'\n")
    declared = load_config(file).benchmarks[0]
    stored = {"pixel_threshold": 0.5, "image_threshold": 2.0}
    for name in ("nut", "bolt"):
        report = {"name": name, "operating_point": stored}
        (folder / "of-nut.json").write_text(json.dumps(report))
        if name == "nut":
            assert build.build_operating_point(declared, folder).image_threshold == 2.0
    with pytest.raises(ConfigError, match="report of benchmark 'bolt', not of 'nut'"):
        build.build_operating_point(declared, folder)


def test_baseline_and_anchor_lie_in_the_folder_of_the_file(folder):
    file = folder / "robustness.yaml"
    file.write_text(
        LEAST + "regression: {baseline: 'baselines/{name}.json', "
        "anchor: '${ROBUSTBENCH_ANCHORS:-v1}/{name}.json', miss_rate: {max_rise: 0.1}, one_sided: misses}\n"
    )
    config = load_config(file)
    declared = config.benchmarks[0].regression
    path = build.stored_report_path(declared.baseline, "nut", config.folder)
    assert path == folder / "baselines" / "nut.json"
    path = build.stored_report_path(declared.anchor, "nut", config.folder)
    assert path == folder / "v1" / "nut.json"


def test_a_detector_that_cannot_be_made_is_told(folder):
    file = folder / "robustness.yaml"
    file.write_text(LEAST.replace("models:load", "models:lod"))
    config = load_config(file)
    with pytest.raises(RobustbenchError, match="lod"):
        build.build_detector(config.benchmarks[0].detector, config.folder)


def test_loading_imports_nothing_heavy(folder):
    program = f"""
import sys
from pathlib import Path
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.config.narrowing import narrow
import pytest_robustbench.config.build, pytest_robustbench.config.schema
narrow(load_config(Path({str(folder / "robustness.yaml")!r})), severities=[3]).benchmarks[0].effective
heavy = {{"numpy", "cv2", "torch", "sklearn", "pytest", "line_for_config_tests"}}
sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_bit_depth_and_masks_beside_images_reach_calibration_images(folder):
    text = LEAST.replace("mask_dir: images/masks", "mask_suffix: _gt, bit_depth: 12")
    for name in ("bad/0_gt.png", "calib_good/0_gt.png"):
        (folder / "images" / name).write_bytes((folder / "images/masks/0.png").read_bytes())
    (folder / "robustness.yaml").write_text(text)
    config = load_config(folder / "robustness.yaml")
    split = build.build_split(config.benchmarks[0], config.folder)
    samples = (*split.train, *split.test, *split.calibration)
    assert {sample.bit_depth for sample in samples} == {12}
    assert [len(split.calibration), split.unknown_masks] == [3, 2]
    own = replace(split, train=(replace(split.train[0], bit_depth=16),), calibration=())
    given = build.complete_split(own, config.benchmarks[0], config.folder)
    assert [given.train[0].bit_depth, given.calibration[0].bit_depth] == [16, 12]
    (folder / "robustness.yaml").write_text(text.replace("bit_depth: 12", "bit_depth: 13"))
    with pytest.raises(
        ConfigError, match=r"robustness\.yaml:2:\d+: dataset\.bit_depth must be .*12"
    ):
        load_config(folder / "robustness.yaml")

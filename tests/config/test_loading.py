"""What a valid file declares: both of the documented examples, and every way to say things."""

# ruff: noqa: E501 (lines of YAML and of messages)

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.gates.limits import Limit

LEAST = """\
schema_version: 1
dataset:  {format: folder, normal_dir: images/good, test_dir: images/test_good, abnormal_dir: images/bad, mask_dir: images/masks}
detector: {name: "line.models:load", kwargs: {path: v7.onnx}, fitted: true}
calibration: {images: images/calib_good}      # or  operating_point: {pixel_threshold: 0.42, image_threshold: 0.7}
accept:
  all: {false_reject_rate: {max: 0.01}, miss_rate: {max: 0.05}}
"""

ALL = """\
schema_version: 1
defaults: {dataset: {format: mvtec, root: "${DATA_ROOT:-data}", resize: [256, 256]}, severities: [1, 2, 3, 4, 5]}
detectors:
  v7: {name: patchcore, preset: industrial-balanced, device: auto}
benchmarks:                               # name: category; with several detectors: category-detector
  hazelnut:
    detector: v7
    seed: 0
    calibration: {pixel_normal_quantile: 0.999, image_normal_quantile: 0.95, method: holdout, fraction: 0.2, seed: 0}
    corruptions: [lighting, jpeg, blur, glare, geo_jitter]
    accept:
      all:      {miss_rate: {max: 0.05}, false_reject_rate: {max: 0.05}, latency_ms_per_image: {max: 200}}
      clean:    {pixel_segf1: {min: 0.35}}
      lighting:
        pixel_segf1: {min: 0.25}
        severity_5: {pixel_segf1: {min: 0.15}}
      summary:  {mean_corruption_pixel_segf1: {min: 0.25}}
    measure_only: [glare]
    regression:
      baseline: "baselines/{name}.json"
      pixel_segf1: {max_drop: 0.02}
      bg_fpr: {max_rise: 0.005}
profiles:
  pr:      {severities: [3, 5], limit_test: 40}
  nightly: {}
"""

SHORT = "schema_version: 1\ndataset: fixture\ndetector: fixture\naccept: {all: {f1: {min: 0.1}, one_sided: misses}}\n"
NAMES = ("lighting", "jpeg", "blur", "glare", "geo_jitter")


def test_profiles_are_called_by_names_that_every_file_system_takes(load):
    text = SHORT + "profiles:\n  ../x: {}\n  nul: {}\n  Fast: {}\n  fast: {}\n"
    with pytest.raises(ConfigError) as caught:
        load(text)
    line = text.count("\n") - 3
    first, second, third = str(caught.value).splitlines()
    assert first.startswith(
        f"robustness.yaml:{line}:3: profile name '../x' becomes part of file names, and"
    )
    assert first.endswith("dots and spaces between them")
    assert f"robustness.yaml:{line + 1}:3: profile name 'nul'" in second
    assert f"robustness.yaml:{line + 3}:3: profiles 'Fast' and 'fast' would share" in third


def test_the_least_that_works(load):
    (benchmark,) = load(LEAST).benchmarks
    assert benchmark.name == benchmark.category == "benchmark"
    assert benchmark.dataset.format == "folder"
    assert benchmark.dataset.options["mask_dir"] == "images/masks"
    assert benchmark.detector.name == "line.models:load"
    assert benchmark.detector.kwargs == {"path": "v7.onnx"}
    assert benchmark.detector.fitted
    assert benchmark.calibration.images == "images/calib_good"
    assert benchmark.conditions == (CLEAN, *(Condition(n, s) for n in NAMES for s in range(1, 6)))
    limits = (
        Limit("miss_rate", "max", 0.05, "robustness.yaml:6"),
        Limit("false_reject_rate", "max", 0.01, "robustness.yaml:6"),
    )
    assert set(benchmark.limits.values()) == {limits}
    assert benchmark.summary_limits == ()
    assert benchmark.regression is None


def test_all_of_it(load):
    config = load(ALL, environ={"DATA_ROOT": "/mnt/data"})
    (benchmark,) = config.benchmarks
    assert (config.profile, config.folder) == (None, Path.cwd())
    assert benchmark.name == benchmark.category == "hazelnut"
    assert benchmark.dataset.options == {"root": "/mnt/data", "category": "hazelnut"}
    assert benchmark.dataset.resize == (256, 256)
    assert (benchmark.detector.name, benchmark.detector.label) == ("patchcore", "v7")
    assert benchmark.detector.source == "robustness.yaml:4"
    assert benchmark.calibration.settings.pixel_normal_quantile == 0.999
    assert benchmark.source == "robustness.yaml:6"
    assert len(benchmark.conditions) == 26
    by_metric = {limit.metric: limit for limit in benchmark.limits["lighting-severity_5"]}
    assert by_metric["pixel_segf1"] == Limit("pixel_segf1", "min", 0.15, "robustness.yaml:16")
    assert by_metric["miss_rate"].source == "robustness.yaml:12"
    assert benchmark.limits["glare-severity_1"] == ()
    assert benchmark.measure_only == {f"glare-severity_{s}" for s in range(1, 6)}
    (summary,) = benchmark.summary_limits
    assert (summary.metric, summary.value) == ("mean_corruption_pixel_segf1", 0.25)
    assert benchmark.regression.baseline == "baselines/{name}.json"
    assert [(c.metric, c.bound, c.value) for c in benchmark.regression.allowed] == [
        ("pixel_segf1", "max_drop", 0.02),
        ("bg_fpr", "max_rise", 0.005),
    ]


def test_a_profile_changes_what_it_names_and_keeps_the_rest(load):
    (benchmark,) = load(ALL, profile="pr").benchmarks
    assert {c.severity for c in benchmark.conditions} == {None, 3, 5}
    assert benchmark.limit_test == 40
    assert benchmark.source == "robustness.yaml:6"
    assert benchmark.limits == {
        c.id: load(ALL).benchmarks[0].limits[c.id] for c in benchmark.conditions
    }
    assert load(ALL, profile="nightly").benchmarks == load(ALL).benchmarks


def test_a_profile_passes_over_limits_of_conditions_it_does_not_run(load):
    text = SHORT.replace("{all:", "{blur: {severity_1: {f1: {min: 0.3}}}, all:")
    (benchmark,) = load(text + "profiles: {pr: {severities: [2]}}\n", profile="pr").benchmarks
    assert [limit.value for limit in benchmark.limits["blur-severity_2"]] == [0.1]
    text += "profiles: {pr: {corruptions: [jpeg], accept: {jpeg: {f1: {min: 0.7}}}}}\n"
    (benchmark,) = load(text, profile="pr").benchmarks
    assert [limit.value for limit in benchmark.limits["jpeg-severity_2"]] == [0.7]
    assert [limit.value for limit in benchmark.limits["clean"]] == [0.1]


def test_a_profile_may_switch_optional_parts_off(load):
    text = SHORT + (
        "regression: {baseline: b.json, f1: {max_drop: 0.1}, one_sided: misses}\nlimit_test: 5\n"
        "profiles: {nightly: {regression: null, limit_test: null}}\n"
    )
    (benchmark,) = load(text, profile="nightly").benchmarks
    assert (benchmark.regression, benchmark.limit_test) == (None, None)


def test_several_benchmarks_and_detectors(load):
    config = load("""\
        schema_version: 1
        defaults:
          dataset: {format: mvtec, root: data, resize: [64, 64]}
          detector: [v7, pixel_gaussian]
          accept: {all: {f1: {min: 0.5}, specificity: {min: 0.1}}}
        detectors: {v7: {name: patchcore}}
        benchmarks:
          grid:
          nut:
            detector: {name: patchcore, kwargs: {neighbours: 3}}
            dataset: {category: hazelnut, resize: null}
            accept: {all: {f1: null, one_sided: false_alarms}}
          demo:
            detector: v7
            dataset: {format: synthetic, category: fabric}
    """)
    names = [(b.name, b.category, b.detector.name) for b in config.benchmarks]
    assert names == [
        ("grid-v7", "grid", "patchcore"),
        ("grid-pixel_gaussian", "grid", "pixel_gaussian"),
        ("nut", "hazelnut", "patchcore"),
        ("demo", "fabric", "patchcore"),
    ]
    nut, demo = config.benchmarks[2:]
    assert nut.dataset.resize is None
    assert nut.dataset.options["root"] == "data"
    assert [limit.metric for limit in nut.limits["clean"]] == ["specificity"]
    assert demo.dataset.options == {"category": "fabric"}, "options of another format are dropped"


def test_a_benchmark_replaces_the_detector_of_the_defaults_as_a_whole(load):
    config = load("""\
        schema_version: 1
        defaults: {dataset: fixture, detector: {name: patchcore, kwargs: {neighbours: 3}}, accept: {all: {f1: {min: 0.001}, one_sided: misses}}}
        benchmarks: {a: {detector: {name: pixel_gaussian}}}
    """)
    assert config.benchmarks[0].detector.kwargs == {}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("", "benchmark"),
        ("name: line-3\n", "line-3"),
        ("dataset: {format: mvtec, root: x, category: nut}\n", "nut"),
        ("name: line.3\ndataset: {format: mvtec, root: x, category: nut}\n", "line.3"),
    ],
)
def test_the_name_of_a_single_benchmark(load, line, name):
    text = SHORT.replace("dataset: fixture\n", "") if "dataset" in line else SHORT
    assert load(text + line).benchmarks[0].name == name


def test_corruptions_of_the_users_own_and_none_at_all(load):
    text = SHORT + "corruptions: [blur, 'line.noise:Rain', 'a:b.hail']\nseverities: [5, 1]\n"
    (benchmark,) = load(text).benchmarks
    assert benchmark.corruptions == {"blur": "blur", "rain": "line.noise:Rain", "hail": "a:b.hail"}
    ids = [c.id for c in benchmark.conditions]
    assert ids[:4] == ["clean", "blur-severity_1", "blur-severity_5", "rain-severity_1"]
    (benchmark,) = load(SHORT + "corruptions: none\n").benchmarks
    assert benchmark.conditions == (CLEAN,)


def test_a_corruption_may_be_called_like_anything(load):
    text = (
        SHORT.replace("{all:", "{json: {f1: {min: 0.9}}, all:")
        + "corruptions: ['a:json', 'a:copy']\n"
    )
    (benchmark,) = load(text).benchmarks
    assert [limit.value for limit in benchmark.limits["json-severity_1"]] == [0.9]
    assert [limit.value for limit in benchmark.limits["copy-severity_1"]] == [0.1]


def test_a_registered_corruption_is_known(load, monkeypatch):
    from pytest_robustbench.corruptions import catalogue

    monkeypatch.setitem(catalogue.REGISTERED, "rain", None)
    (benchmark,) = load(SHORT + "corruptions: [rain]\n").benchmarks
    assert benchmark.corruptions == {"rain": "rain"}


def test_single_conditions_may_be_measured_only(load):
    (benchmark,) = load(SHORT + "measure_only: [clean, blur-severity_3]\n").benchmarks
    assert benchmark.measure_only == {"clean", "blur-severity_3"}
    assert benchmark.limits["clean"] == ()
    assert benchmark.limits["blur-severity_2"] != ()


def test_an_operating_point_as_numbers_or_file(load):
    numbers = load(SHORT + "operating_point: {pixel_threshold: 1, image_threshold: 0.7}\n")
    point = numbers.benchmarks[0].operating_point
    assert (point.pixel_threshold, point.image_threshold, point.file) == (1.0, 0.7, None)
    for text in ("operating_point: point.json\n", "operating_point: {file: point.json}\n"):
        point = load(SHORT + text).benchmarks[0].operating_point
        assert (point.file, point.image_threshold) == ("point.json", None)
        assert point.source == "robustness.yaml:5"


@pytest.mark.parametrize("dataset", ["fixture", "{format: mvtec, root: x}"])
def test_a_fitted_detector_may_wait_for_the_validation_images_of_its_dataset(load, dataset):
    text = SHORT.replace("dataset: fixture", f"dataset: {dataset}")
    text = text.replace("detector: fixture", "detector: {name: fixture, fitted: true}")
    assert load(text).benchmarks[0].detector.fitted


def test_anchors_and_x_keys_work(load):
    (benchmark,) = load(
        "x-strict: &strict {f1: {min: 0.5}}\nschema_version: 1\ndataset: fixture\ndetector: fixture\n"
        "accept: {x-why: because, all: {<<: *strict, specificity: {min: 0.1}}}\n"
    ).benchmarks
    assert benchmark.limits["clean"] == (
        Limit("f1", "min", 0.5, "robustness.yaml:1"),
        Limit("specificity", "min", 0.1, "robustness.yaml:5"),
    )


def test_the_effective_configuration_is_plain_json(load):
    for profile in (None, "pr"):
        (benchmark,) = load(ALL, profile=profile, environ={"DATA_ROOT": "/secret"}).benchmarks
        text = json.dumps(benchmark.effective, allow_nan=False)
        assert json.loads(text) == benchmark.effective
        assert benchmark.effective["dataset"]["root"] == "${DATA_ROOT:-data}"
        assert "/secret" not in text
    assert benchmark.effective["accept"]["clean"]["pixel_segf1"] == {"min": 0.35}


def test_the_path_in_messages_is_relative_inside_the_working_directory(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "my.yaml"
    file.parent.mkdir()
    file.write_text(SHORT)
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("deep/my.yaml"))
    assert config.benchmarks[0].limits["clean"][0].source == "deep/my.yaml:4"
    assert (config.path, config.folder) == (file, file.parent)
    monkeypatch.chdir(file.parent)
    monkeypatch.chdir("/")
    assert load_config(file).benchmarks[0].source.endswith("deep/my.yaml:1")


@pytest.fixture(scope="module")
def schema():
    from jsonschema import Draft202012Validator

    from pytest_robustbench.config.schema import json_schema

    return Draft202012Validator(json_schema())


@pytest.mark.parametrize("text", [LEAST, ALL, SHORT])
def test_the_json_schema_accepts_what_the_loader_accepts(schema, text):
    assert list(schema.iter_errors(yaml.safe_load(text))) == []


def test_the_json_schema_is_one(schema):
    schema.check_schema(schema.schema)


@pytest.mark.parametrize(
    "change",
    [
        {"acept": {}},
        {"accept": {"clean": {"pixel_segf": {"min": 0.1}}}},
        {"accept": {"clean": {"bg_fpr": {"min": 0.1}}}},
        {"accept": {"blur": {"severity_6": {}}}},
        {"accept": {"blur": {"severity_2.5": {"pixel_segf": {"min": 0.1}}}}},
        {"severities": [0]},
        {"dataset": {"format": "mvtec", "root": "d", "category": "c", "response": "gamma"}},
        {"severities": [6]},
        {"detector": {"kwargs": {}}},
        {"schema_version": 2},
    ],
)
def test_the_json_schema_refuses_what_the_loader_refuses(schema, change):
    assert not schema.is_valid({**yaml.safe_load(SHORT), **change})


def test_the_json_schema_takes_severities_between_the_steps(schema):
    limits = {"blur": {"severity_2.5": {"miss_rate": {"max": 0.2}}}}
    content = {**yaml.safe_load(SHORT), "severities": [1, 2.5], "accept": limits}
    assert schema.is_valid(content)


def test_the_json_schema_allows_x_keys(schema):
    content = {**yaml.safe_load(SHORT), "x-a": 1, "calibration": {"x-b": 2}}
    assert schema.is_valid(content)

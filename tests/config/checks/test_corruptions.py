"""Corruptions with parameters, under another name, and composed, as a YAML says it."""

from __future__ import annotations

import json

import pytest

from pytest_robustbench.config.build import build_corruptions
from pytest_robustbench.errors import CorruptionError

HEAD = """\
schema_version: 1
dataset: fixture
detector: fixture
severities: [2]
accept: {all: {f1: {min: 0.1}, one_sided: misses}}
"""


def declared(load, corruptions, accept=""):
    (benchmark,) = load(f"{HEAD}{accept}corruptions: {corruptions}\n").benchmarks
    return benchmark


@pytest.mark.parametrize(
    ("corruptions", "ids"),
    [
        ("[blur, {lighting: {direction: darker}}]", ["blur-severity_2", "lighting-severity_2"]),
        (
            "[lighting, {lighting: {direction: darker}, name: dim}]",
            ["lighting-severity_2", "dim-severity_2"],
        ),
        ("[{compose: [motion_blur, lighting]}]", ["motion_blur_lighting-severity_2"]),
        ("[{compose: [blur, {lighting: {direction: darker}}], name: dusk}]", ["dusk-severity_2"]),
        ("[noise, dust, banding]", ["noise-severity_2", "dust-severity_2", "banding-severity_2"]),
    ],
)
def test_each_is_a_condition_of_its_own(load, tmp_path, corruptions, ids):
    benchmark = declared(load, corruptions)

    assert [c.id for c in benchmark.conditions] == ["clean", *ids]
    loaded = build_corruptions(benchmark, tmp_path)
    assert [f"{c.name}-severity_2" for c in loaded.values()] == ids
    assert list(loaded) == [c.name for c in loaded.values()]
    assert json.loads(json.dumps(benchmark.effective)) == benchmark.effective


def test_parameters_stand_in_the_specification(load, tmp_path):
    benchmark = declared(load, "[{lighting: {direction: darker}}]")

    (lighting,) = build_corruptions(benchmark, tmp_path).values()

    assert lighting.specification(0)["parameters"]["direction"] == "darker"


def test_environment_variables_may_stand_for_parameters(load, tmp_path):
    (benchmark,) = load(
        f'{HEAD}corruptions: [{{lighting: {{brightness: "${{BRIGHT}}"}}}}]\n',
        environ={"BRIGHT": "60"},
    ).benchmarks

    (lighting,) = build_corruptions(benchmark, tmp_path).values()

    assert lighting.specification(0)["parameters"]["brightness"] == 60


@pytest.mark.parametrize(
    ("corruptions", "words"),
    [
        ("[blurr]", "unknown corruption 'blurr'"),
        ("[{blurr: {}}]", "unknown corruption 'blurr'"),
        ("[{compose: [blur, blurr]}]", "unknown corruption 'blurr'"),
        ("[{compose: [blur]}]", "at least two"),
        ("[{compose: [blur, blur]}]", "'blur' twice"),
        ("[{blur: {}, lighting: {}}]", "one corruption"),
        ("[blur, {blur: {}}]", "would both be called 'blur'"),
        ("[{lighting: darker}]", "must be a mapping"),
        ("[{lighting: {direction: darker}, name: clean}]", "clean"),
        ("[{lighting: {direction: darker}, name: Dim-light}]", "Dim-light"),
        ("[blur, blur]", "lists 'blur' twice"),
    ],
)
def test_what_refers_to_no_corruption_is_named_with_its_place(complaints, corruptions, words):
    (line,) = complaints(f"{HEAD}corruptions: {corruptions}\n")

    assert line.startswith("robustness.yaml:6:")
    assert words in line


def test_limits_and_measure_only_go_by_the_new_name(load):
    text = "measure_only: [dim]\n"

    benchmark = declared(load, "[{lighting: {direction: darker}, name: dim}]", text)

    assert benchmark.measure_only == {"dim-severity_2"}


def test_the_five_of_the_guide_run_by_default(load):
    (benchmark,) = load(HEAD).benchmarks

    assert list(benchmark.corruptions) == ["lighting", "jpeg", "blur", "glare", "geo_jitter"]


def test_smoothing_of_maps_is_part_of_the_configuration(load, complaints):
    (benchmark,) = load(HEAD + "postprocess: {gaussian_sigma: 1.5}\n").benchmarks

    assert benchmark.evaluation.gaussian_sigma == 1.5
    assert benchmark.effective["evaluation"]["gaussian_sigma"] == 1.5
    (line,) = complaints(HEAD + "postprocess: {normalize: minmax}\n")
    assert "unknown key 'normalize' under postprocess" in line
    assert "never scaled by their own minimum and maximum" in line


def test_a_model_file_is_fitted_already(load, complaints):
    text = HEAD.replace("detector: fixture", "detector: {name: 'onnx:v7.onnx'}")

    assert "say fitted: true" in complaints(text)[0]
    fitted = text.replace("onnx'", "onnx', fitted: true")
    assert load(fitted).benchmarks[0].detector.fitted


def test_limits_that_measure_only_switches_off_altogether_are_refused(complaints):
    text = HEAD + "corruptions: [blur]\nmeasure_only: [clean, blur]\n"

    (line,) = complaints(text)

    assert line.startswith("robustness.yaml:7:")
    assert "no condition is left that any limit would judge" in line


def test_a_wrong_parameter_is_named_with_its_place(load, tmp_path):
    benchmark = declared(load, "[{lighting: {direction: darkr}}]")

    with pytest.raises(CorruptionError, match=r"robustness\.yaml:1: corruption 'lighting'"):
        build_corruptions(benchmark, tmp_path)

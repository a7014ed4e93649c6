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
        ("[blur, {blur: {sigma_px: 1.2}, name: soft}]", ["blur-severity_2", "soft"]),
        ("[{exposure: {ev: -0.3}}]", ["exposure"]),
        ("[{exposure: {direction: darker}}]", ["exposure-severity_2"]),
        ("[{blur: {severity_3: {sigma_px: 2}}}]", ["blur-severity_2"]),
        ("[{compose: [{blur: {sigma_px: 1}}, {veil: {percent: 5}}], name: old}]", ["old"]),
        ("[{compose: [{blur: {sigma_px: 1}}, veil]}]", ["blur_veil-severity_2"]),
        ("[{jpeg: {}, at: model}]", ["jpeg-severity_2"]),
    ],
)
def test_each_is_a_condition_of_its_own(load, tmp_path, corruptions, ids):
    benchmark = declared(load, corruptions)

    assert [c.id for c in benchmark.conditions] == ["clean", *ids]
    loaded = build_corruptions(benchmark, tmp_path)
    assert [c.name + ("" if c.by_value else "-severity_2") for c in loaded.values()] == ids
    assert list(loaded) == [c.name for c in loaded.values()]
    assert json.loads(json.dumps(benchmark.effective)) == benchmark.effective


def test_parameters_stand_in_the_specification(load, tmp_path):
    benchmark = declared(load, "[{lighting: {direction: darker}}]")

    (lighting,) = build_corruptions(benchmark, tmp_path).values()

    assert lighting.specification(0)["parameters"]["direction"] == "darker"


def test_environment_variables_may_stand_for_parameters(load, tmp_path):
    (benchmark,) = load(
        f'{HEAD}corruptions: [{{exposure: {{ev: "${{EV}}"}}}}]\n',
        environ={"EV": "0.6"},
    ).benchmarks

    (exposure,) = build_corruptions(benchmark, tmp_path).values()

    assert exposure.specification(0)["parameters"]["ev"] == 0.6


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
        ("[{blur: {response: linear}}]", "'response' is a property of the data"),
        ("[{compose: [jpeg, {veil: {response: srgb}}]}]", "'response' is a property of the data"),
        ("[{blur: {}, at: sensor}]", "'at' must be camera (before the resize) or model (after it)"),
        ("[{compose: [{blur: {}, at: model}, veil]}]", "'at' belongs to the whole"),
        ("[blur, {blur: {sigma_px: 1.2}}]", "would both be called 'blur'"),
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


def test_severities_between_the_steps_have_limits_of_their_own(load, complaints):
    text = HEAD.replace("severities: [2]", "severities: [1, 2.5, 4.0]").replace(
        "accept: {all:", "accept: {blur: {severity_2.5: {miss_rate: {max: 0.2}}}, all:"
    )

    (benchmark,) = load(f"{text}corruptions: [blur]\n").benchmarks

    ids = ["clean", "blur-severity_1", "blur-severity_2.5", "blur-severity_4"]
    assert [c.id for c in benchmark.conditions] == ids
    limited = {c: [limit.metric for limit in benchmark.limits[c]] for c in ids}
    assert "miss_rate" in limited.pop("blur-severity_2.5")
    assert not any("miss_rate" in metrics for metrics in limited.values())
    (line,) = complaints(text.replace("[1, 2.5, 4.0]", "[1, 2, 4]") + "corruptions: [blur]\n")
    assert "unknown severity 'severity_2.5' under accept.blur" in line


def test_limits_of_a_severity_do_not_reach_what_is_given_by_value(complaints):
    text = HEAD.replace("accept: {all:", "accept: {soft: {severity_2: {f1: {min: 0.2}}}, all:")

    (line,) = complaints(f"{text}corruptions: [jpeg, {{blur: {{sigma_px: 1}}, name: soft}}]\n")

    assert "limit for soft-severity_2, which is not run" in line


def test_the_response_of_the_camera_is_a_property_of_the_data(load, complaints):
    text = HEAD.replace(
        "dataset: fixture", "dataset: {format: mvtec, root: d, category: c, RESPONSE}"
    )

    linear, _ = (load(text.replace("RESPONSE", f"response: {r}")) for r in ("linear", "srgb"))

    assert linear.benchmarks[0].dataset.options["response"] == "linear"
    (line,) = complaints(text.replace("RESPONSE", "response: gamma"))
    assert "srgb" in line

"""Every kind of report is what the published JSON Schema says, and nothing else is."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.judgement import not_measurable
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.metrics.catalogue import METRICS, SUMMARY_METRICS
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file import schema as published
from pytest_robustbench.reports.file.fields import error_record
from pytest_robustbench.reports.file.model import ReportFile
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.file.schema import report_schema, session_schema
from tests.reports.report_samples import (
    GIVEN,
    drawn_header,
    drawn_report,
    scores_only,
    small_benchmark,
    unprepared_header,
)

BLUR = Condition("blur", 3)


def problems(plain, schema):
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(plain)]


def assert_valid(report):
    assert problems(report.to_dict(), report_schema()) == []


@pytest.mark.parametrize("schema", [report_schema(), session_schema()], ids=["report", "session"])
def test_the_schemas_are_schemas(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


REGENERATE = "python -m pytest_robustbench.reports.file.schema"


@pytest.mark.parametrize("name", published.TITLES)
def test_what_is_published_is_what_the_models_say(name):
    file = Path(published.__file__).with_name(f"{name}.schema.json")

    assert file.read_text("utf-8") == published.text_of(name), f"write it again: {REGENERATE}"


def objects_of(schema, path="$"):
    if isinstance(schema, dict):
        if "properties" in schema and isinstance(schema["properties"], dict):
            yield path, schema
        for key, value in schema.items():
            yield from objects_of(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects_of(value, f"{path}[{index}]")


@pytest.mark.parametrize("schema", [report_schema(), session_schema()], ids=["report", "session"])
def test_every_fixed_object_is_strict_and_every_field_described(schema):
    found = list(objects_of(schema))
    undescribed = [
        f"{path}.{name}"
        for path, each in found
        for name, field in each["properties"].items()
        if not ("description" in field or "$ref" in field)
    ]

    assert len(found) >= 2
    assert [path for path, each in found if each["additionalProperties"] is not False] == []
    assert undescribed == []


def test_a_complete_real_report(real_report):
    assert real_report.complete
    assert {v.outcome for v in real_report.verdicts} == {"pass", "fail"}
    assert_valid(real_report)


def test_a_report_without_maps():
    report = small_benchmark(scores_only, corruptions=["blur"], severities=[1]).run()
    pixels = report.to_dict()["robustness"]["clean"]["results"]["pixel_metrics"]

    assert set(pixels.values()) == {None}
    assert_valid(report)


def test_a_report_at_given_thresholds():
    report = small_benchmark(operating_point=GIVEN, corruptions=[]).run()

    assert report.to_dict()["robustness"]["pixel_threshold_strategy"] == "given"
    assert_valid(report)


def test_a_report_at_a_given_image_threshold_alone():
    point = replace(GIVEN, pixel_threshold=None)
    record = small_benchmark(operating_point=point, corruptions=[]).run().to_dict()["robustness"]

    assert record["clean"]["results"]["pixel_metrics"]["pixel_auroc"] is not None
    assert record["clean"]["results"]["pixel_metrics"]["bg_fpr"] is None
    assert set(record["clean"]["per_image"]["tn"]) == {None}, "counts at no threshold"


def _raises(image, mask, severity, rng):
    raise RuntimeError("out of paint")


def test_a_report_with_a_condition_that_cannot_be_measured():
    broken = Corruption("broken", _raises)
    report = small_benchmark(corruptions=[broken, "blur"], severities=[1]).run()
    entry = report.to_dict()["robustness"]["corruptions"]["broken"]["severity_1"]

    assert "out of paint" in entry["error"]
    assert report.missing == ("broken-severity_1",)
    assert_valid(report)


def test_a_report_of_a_benchmark_that_could_not_be_prepared():
    limit = Limit("auroc", "min", 0.9, "robustness.yaml:3")
    records = {c.id: error_record("the detector raised in fit") for c in (CLEAN, BLUR)}
    verdicts = not_measurable("clean", [limit], "the detector raised in fit")
    report = Report(unprepared_header(), (CLEAN, BLUR), records, verdicts)
    plain = report.to_dict()

    assert plain["operating_point"] is plain["samples"] is None
    assert plain["robustness"]["pixel_threshold_strategy"] is None
    assert set(plain["robustness_summary"].values()) == {None}
    assert not report.complete
    assert not report.passed
    assert_valid(report)


def test_a_report_of_a_run_that_never_came_to_clean():
    report = Report(drawn_header(), (CLEAN, BLUR), {BLUR.id: drawn_report().records[BLUR.id]})

    assert report.to_dict()["robustness"]["clean"] is None
    assert report.missing == ("clean",)
    assert_valid(report)


def test_a_narrowed_report_is_not_complete():
    report = replace(drawn_report(), narrowed=("--robustness-limit-test=40",))

    assert report.missing == ()
    assert not report.complete
    assert not report.passed
    assert_valid(report)


def test_a_report_without_limits():
    report = drawn_report()

    assert report.to_dict()["verdicts"] == []
    assert not report.passed  # nothing was judged
    assert_valid(report)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("extra",), 1),
        (("schema_version",), 1),
        (("robustness", "clean", "results", "auroc"), 1.5),
        (("robustness", "clean", "results", "metrics", "tp"), -1),
        (("robustness", "clean", "results", "pixel_metrics", "extra"), 0.5),
        (("robustness", "clean", "latency_ms_per_image"), None),
        (("robustness", "clean", "undefined", "No metric"), "why"),
        (("robustness", "clean", "error"), "measured, and yet not"),
        (("robustness", "corruptions", "blur", "severity_6"), {"error": "no such severity"}),
        (("robustness", "corruptions", "Blur"), {"severity_1": {"error": "capital"}}),
        (("robustness_summary", "clean_auroc"), "0.9"),
        (("operating_point", "image_threshold"), None),
        (("samples", "label"), [0, 2]),
        (("started",), None),
    ],
    ids=lambda part: ".".join(part) if isinstance(part, tuple) else "",
)
def test_the_schema_refuses(path, value):
    plain = copy.deepcopy(drawn_report().to_dict())
    part = plain
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value

    assert problems(plain, report_schema()) != []


def test_a_reader_knows_which_metrics_there_are():
    plain = copy.deepcopy(drawn_report().to_dict())
    plain["robustness"]["clean"]["undefined"]["no_metric"] = "why"

    with pytest.raises(ReportError, match=r"undefined\.no_metric.*the name of a metric"):
        ReportFile.from_dict(plain)


@pytest.mark.parametrize("key", sorted(drawn_report().to_dict()))
def test_the_schema_asks_for_every_outer_key(key):
    plain = drawn_report().to_dict()
    del plain[key]

    assert problems(plain, report_schema()) == [f"$: '{key}' is a required property"]


def test_the_summary_holds_every_metric_and_the_schema_asks_for_each():
    plain = drawn_report().to_dict()
    named = {f"clean_{metric}" for metric in METRICS} | set(SUMMARY_METRICS)

    assert set(plain["robustness_summary"]) == named
    del plain["robustness_summary"]["worst_drop_aupro"]
    assert problems(plain, report_schema()) != []


def test_the_keys_of_the_guide_are_where_it_has_them(real_report):
    plain = real_report.to_dict()
    clean = plain["robustness"]["clean"]

    assert {"schema_version", "dataset", "category", "model", "robustness_summary"} <= set(plain)
    assert set(plain["robustness"]) == {
        "pixel_threshold_strategy",
        "pixel_normal_quantile",
        "clean",
        "corruptions",
        "recorded",
    }
    assert plain["robustness"]["pixel_threshold_strategy"] == "normal_pixel_quantile"
    assert plain["robustness"]["pixel_normal_quantile"] == 0.999
    assert set(plain["robustness"]["corruptions"]["blur"]) == {"severity_3", "severity_5"}
    assert set(plain["robustness"]["corruptions"]["blur"]["severity_3"]) == set(clean)
    assert {"latency_ms_per_image", "results"} <= set(clean)
    assert {"auroc", "average_precision", "threshold", "metrics", "pixel_metrics"} <= set(
        clean["results"]
    )
    assert {
        "pixel_auroc",
        "pixel_average_precision",
        "aupro",
        "pixel_threshold",
        "pixel_segf1",
        "bg_fpr",
    } <= set(clean["results"]["pixel_metrics"])


def test_corruption_parameters_are_the_corruptions_own():
    def weaker(image, mask, severity, rng):
        return (image // np.uint8(severity)), mask

    own = Corruption("dim", weaker, version=3, parameters={"factor": [1, None], "why": {"é": "µ"}})
    report = small_benchmark(corruptions=[own], severities=[2]).run()
    found = report.to_dict()["robustness"]["corruptions"]["dim"]["severity_2"]["specification"]

    assert found["parameters"] == {"factor": [1, None], "why": {"é": "µ"}}
    assert_valid(report)


def session(**changes):
    benchmark = {
        "complete": True,
        "missing": [],
        "deselected": ["blur-severity_3"],
        "outcomes": {"complete": "skipped"},
        "problems": [],
        "regression": None,
        "verdicts": {"pass": 3, "fail": 0, "error": 0, "not_shown": 0, "shown": 1},
        "report": "nuts.json",
        "sha256": "0" * 64,
    }
    told = {"exit_status": 0, "problem": None, "benchmarks": {"nuts": benchmark | changes}}
    return sealed({"schema_version": 2, **told})


def test_a_session():
    assert problems(session(), session_schema()) == []
    assert problems(session(report=None, sha256=None), session_schema()) == []
    waived = {"complete": "passed", "summary": "xfailed"}
    compared = {"outcome": "inconclusive", "baseline": "nuts.json"}
    assert problems(session(outcomes=waived, regression=compared), session_schema()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 1},
        {"outcomes": {"complete": "pass"}},
        {"missing": ["Blur"]},
        {"sha256": "abc"},
        {"regression": {"outcome": "skipped", "baseline": None}},
    ],
    ids=str,
)
def test_the_session_schema_refuses(changes):
    assert problems(session(**changes), session_schema()) != []

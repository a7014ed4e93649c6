"""A stored report is compared only if it is whole and agrees with itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.digests import condition_digest
from pytest_robustbench.errors import ReportError
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.reports.compare.acceptance import acceptance_of
from pytest_robustbench.reports.file.stored import read_comparable
from tests.reports.report_samples import GIVEN, scores_only
from tests.reports.stored_reports import CONDITIONS, edited, hashed, measure, without

CLEAN = ("robustness", "clean")
BLUR = ("robustness", "corruptions", "blur", "severity_3")


@pytest.fixture(scope="module")
def plain():
    return measure()


@pytest.fixture(scope="module")
def sealed(plain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "r.json").write_text(json.dumps(plain), "utf-8")
    acceptance_of(folder / "r.json", folder / "b.json", "first").write()
    return json.loads((folder / "b.json").read_text("utf-8"))


@pytest.fixture
def refusal(tmp_path):
    def read(content):
        path = tmp_path / "b.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        with pytest.raises(ReportError) as caught:
            read_comparable(path)
        message = str(caught.value)
        assert str(path) in message
        assert "\n" not in message
        assert "measure" in message, "the remedy"
        return message

    return read


def assert_readable(plain, tmp_path):
    (tmp_path / "b.json").write_text(json.dumps(plain), "utf-8")
    return read_comparable(tmp_path / "b.json")


def test_a_complete_report_is_read_with_its_conditions_in_order(plain, tmp_path):
    report = assert_readable(plain, tmp_path)

    assert report.conditions == tuple(CONDITIONS)
    assert report.name == plain["name"]
    assert (
        report.record("blur-severity_3") == plain["robustness"]["corruptions"]["blur"]["severity_3"]
    )
    assert report.samples("clean") == plain["samples"]
    assert report.samples("recorded-led") == plain["robustness"]["recorded"]["led"]["samples"]


@pytest.mark.parametrize(
    "options",
    [
        {"detector": scores_only, "operating_point": GIVEN},
        {"detector": scores_only},
        {"operating_point": GIVEN},
        {"evaluation": EvaluationSettings(pixel_segf1=False)},
        {"evaluation": EvaluationSettings(memory_budget=0, batch_size=3)},
        {"recorded": {}, "config": {}, "corruptions": []},
    ],
    ids=["given thresholds, no maps", "no maps", "given", "no segf1", "binned", "clean alone"],
)
def test_every_kind_of_complete_report_can_be_read(options, tmp_path):
    conditions = ["clean"] if options.get("corruptions") == [] else CONDITIONS
    report = assert_readable(measure(**options), tmp_path)

    assert report.conditions == tuple(conditions)


def test_how_a_file_is_formatted_does_not_matter(plain, tmp_path):
    (tmp_path / "b.json").write_text(json.dumps(plain, indent=4, sort_keys=True), "utf-8")

    assert read_comparable(tmp_path / "b.json").digest == assert_readable(plain, tmp_path).digest


def test_half_a_file_is_refused(plain, refusal):
    text = json.dumps(plain)

    assert "cannot read the report" in refusal(text[: len(text) // 2])


@pytest.mark.parametrize("text", ["", "nonsense", "[1, 2]", "3", "[" * 100_000])
def test_what_is_no_report_is_refused(text, refusal):
    assert refusal(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ReportError, match="No such file"):
        read_comparable(tmp_path / "b.json")


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_schema_version_is_refused(plain, refusal, version):
    message = refusal(edited(plain, (("schema_version",), version)))

    assert f"schema version {version!r}, not 1" in message
    assert "accept REPORT" in message


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ((*CLEAN, "data_digest"), "0" * 32, "clean: data_digest contradicts the digests"),
        ((*CLEAN, "per_image", "digest", 2), "0" * 16, "clean: data_digest contradicts"),
        ((*BLUR, "specification", "seed"), 1, "blur-severity_3: data_digest contradicts"),
        (("samples", "source_digest", 0), "0" * 16, "sha256.dataset contradicts samples"),
        (("samples", "label", 0), lambda label: 1 - label, "sha256.dataset contradicts samples"),
        (("sha256", "dataset"), "0" * 64, "sha256.dataset contradicts samples"),
        (("sha256", "model"), "0" * 64, "sha256.model contradicts detector"),
        (("sha256", "config"), None, "sha256.config contradicts config"),
        (("config",), {"extra": 1}, "sha256.config contradicts config"),
        (("detector", "name"), "other", "sha256.model contradicts detector"),
        (("operating_point", "digest"), "0" * 32, "the operating point was edited"),
        (("operating_point", "image_threshold"), 7.5, "the operating point was edited"),
        (("operating_point", "calibrated_on"), "0" * 32, "the operating point was edited"),
        ((*BLUR, "results", "threshold"), 7.5, "blur-severity_3: measured at thresholds"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_a_digest_that_was_changed_or_contradicts_its_content_is_refused(
    plain, refusal, path, value, reason
):
    assert reason in refusal(edited(plain, (path, value)))


@pytest.mark.parametrize(
    ("path", "condition"),
    [
        (("robustness", "corruptions", "blur", "severity_5"), "blur-severity_5"),
        (("robustness", "corruptions", "geo_jitter"), "geo_jitter-severity_3"),
        (("robustness", "recorded", "led"), "recorded-led"),
    ],
)
def test_a_condition_that_was_removed_is_refused(plain, refusal, path, condition):
    told = refusal(without(plain, *path))

    assert f"condition(s) {condition}" in told
    assert "or, if the run was complete, the file has been damaged since" in told


def test_a_clean_condition_that_was_removed_is_refused(plain, refusal):
    assert "condition(s) clean are missing" in refusal(edited(plain, (CLEAN, None)))


def test_a_condition_removed_where_nothing_declares_it_leaves_its_mark_in_the_summary(refusal):
    plain = measure(config={}, recorded={})
    cut = without(plain, "robustness", "corruptions", "blur", "severity_5")

    assert "does not follow from the conditions" in refusal(cut)


def test_a_condition_that_was_added_is_refused(plain, refusal):
    severity_3 = plain["robustness"]["corruptions"]["blur"]["severity_3"]
    more = edited(plain, (("robustness", "corruptions", "blur", "severity_1"), severity_3))

    assert "does not declare blur-severity_1" in refusal(more)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ((*CLEAN, "per_image", "score", 1), "clean: per_image.score is null for 'test/"),
        ((*CLEAN, "per_image", "tn", 0), "clean: per_image.tn is null for 'test/"),
        ((*BLUR, "per_image", "digest", 0), "blur-severity_3: per_image.digest is null for"),
        ((*BLUR, "results", "auroc"), "disagree on auroc: a null needs a reason"),
        ((*BLUR, "results", "pixel_metrics", "aupro"), "a null needs a reason"),
        ((*BLUR, "results", "metrics", "tp"), "metrics.tp: a valid integer, found null"),
        ((*BLUR, "latency", "median_ms"), "latency.median_ms: a valid number, found null"),
        (("operating_point", "image_threshold"), "image_threshold: a valid number, found null"),
        (("operating_point",), "it has no operating_point"),
        (("samples",), "it has no samples"),
        (("robustness_summary", "clean_auroc"), "robustness_summary.clean_auroc does not follow"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_a_nan_written_as_null_is_refused(plain, refusal, path, reason):
    assert reason in refusal(edited(plain, (path, None)))


def test_a_nan_that_covers_its_tracks_is_refused(plain, refusal):
    """Named as left out, the image is missing in the digest; hashed again, in the metrics."""
    record = plain["robustness"]["clean"]
    gone = plain["samples"]["id"][0]
    nulls = [((*CLEAN, "per_image", k, 0), None) for k in record["per_image"]]
    hidden = edited(plain, ((*CLEAN, "left_out"), [gone]), *nulls)
    assert "data_digest contradicts" in refusal(hidden)

    digest = condition_digest(
        {}, None, plain["samples"]["id"][1:], record["per_image"]["digest"][1:]
    )
    assert "but its" in refusal(edited(hidden, ((*CLEAN, "data_digest"), digest)))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(plain, refusal, word):
    text = json.dumps(edited(plain, ((*CLEAN, "per_image", "score", 0), "HERE")))

    assert refusal(text.replace('"HERE"', word))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("complete",), False, "not complete"),
        (("narrowed",), ["--robustness-limit-test=3"], "narrowed by --robustness-limit-test=3"),
        (("missing",), ["glare-severity_1"], "condition(s) glare-severity_1 are missing"),
        (BLUR, {"error": "the detector raised"}, "blur-severity_3 could not be measured: the det"),
    ],
    ids=["complete", "narrowed", "missing", "error"],
)
def test_an_incomplete_run_is_refused(plain, refusal, path, value, reason):
    message = refusal(edited(plain, (path, value)))

    assert reason in message
    assert "measure every declared condition in one run" in message


@pytest.mark.parametrize(
    "metric",
    ["pixel_segf1", "pixel_segf1_per_image", "bg_fpr", "normal_fpr"],
)
def test_a_pixel_metric_that_its_counts_do_not_give_is_refused(plain, refusal, metric):
    found = plain["robustness"]["clean"]["results"]["pixel_metrics"][metric]
    path = (*CLEAN, "results", "pixel_metrics", metric)

    assert f"clean: {metric} is " in refusal(edited(plain, (path, found / 2 + 0.1)))


@pytest.mark.parametrize("metric", ["miss_rate", "false_reject_rate", "f1", "recall"])
def test_a_decision_metric_that_its_scores_do_not_give_is_refused(plain, refusal, metric):
    path = (*CLEAN, "results", "metrics", metric)

    assert f"clean: {metric} is 0.123" in refusal(edited(plain, (path, 0.123)))


def test_scores_and_counts_that_the_metrics_contradict_are_refused(plain, refusal):
    defect = plain["samples"]["label"].index(1)
    score = edited(plain, ((*CLEAN, "per_image", "score", defect), -1e6))
    count = edited(plain, ((*CLEAN, "per_image", "fp", 0), lambda fp: fp + 5))

    assert "but its" in refusal(score)
    assert "but its columns give" in refusal(count)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ((*CLEAN, "per_image", "tn", 0), 10**6, "more pixels are counted than the image has"),
        ((*CLEAN, "per_image", "tn", 0), 1.5, "a valid integer, found 1.5"),
        ((*CLEAN, "per_image", "fp", 0), -1, "greater than or equal to 0, found -1"),
        ((*CLEAN, "per_image", "score"), [1.0], "columns differ in length"),
        ((*CLEAN, "latency", "median_ms"), 0.0001, "latency_ms_per_image contradicts"),
        ((*CLEAN, "latency", "p95_ms"), 1e6, "latency.p95_ms is 1e+06, but the calls give"),
        ((*CLEAN, "latency", "count"), 1, "latency.count is 1, but there are"),
        ((*CLEAN, "unknown_masks"), ["test/good/000"], "unknown_masks contradicts"),
        ((*CLEAN, "left_out"), ["nobody"], "name no image of it: 'nobody'"),
        ((*CLEAN, "operating_point"), "0" * 32, "their digests differ"),
        (("robustness", "recorded", "led", "samples"), None, "samples of its own"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_columns_that_do_not_fit_together_are_refused(plain, refusal, path, value, reason):
    changed = edited(plain, (path[:-1], lambda there: _with(there, path[-1], value)))

    assert reason in refusal(changed)


def _with(there, key, value):
    if isinstance(there, list):
        return [value if i == key else v for i, v in enumerate(there)]
    return {**there, key: value}


def test_an_id_that_stands_twice_is_refused(plain, refusal):
    twice = edited(plain, (("samples", "id", 1), plain["samples"]["id"][0]))

    assert "an image id stands twice" in refusal(hashed(twice))


def all_places(plain):
    return [path for path in places(plain) if path]


def places(value, path=()):
    """Yield the paths of everything in a report."""
    yield path
    if isinstance(value, (dict, list)):
        children = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in children:
            yield from places(child, (*path, key))


JUNK = [None, True, -1, 0, 0.5, 1e38, 10**400, "", "x", "clean", [], [None], {}, {"error": "x"}]


@given(st.data())
@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_broken_ends_in_a_message_and_never_in_a_traceback(plain, tmp_path, data):
    path = data.draw(st.sampled_from(all_places(plain)))
    broken = edited(plain, (path, data.draw(st.sampled_from(JUNK))))
    (tmp_path / "b.json").write_text(json.dumps(broken), "utf-8")
    try:
        conditions = read_comparable(tmp_path / "b.json").conditions
    except ReportError:
        return
    assert set(conditions) == set(CONDITIONS)


@given(st.data())
@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_edit_of_an_accepted_baseline_is_refused(plain, sealed, tmp_path, data):
    path = data.draw(st.sampled_from(all_places(plain)))
    broken = edited(sealed, (path, data.draw(st.sampled_from(JUNK))))
    if json.dumps(broken) == json.dumps(sealed):
        assert_readable(broken, tmp_path)
        return
    with pytest.raises(ReportError):
        assert_readable(broken, tmp_path)

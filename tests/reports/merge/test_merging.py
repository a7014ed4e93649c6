"""Parts of one benchmark give back the whole, or are refused with what differs."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.fields import error_record
from pytest_robustbench.reports.file.model import Header
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.merge.merging import Part, merge_parts, refuse_contradictions
from pytest_robustbench.reports.merge.parts import find_reports, read_parts
from tests.reports.report_samples import GIVEN, unprepared_header
from tests.reports.stored_reports import CONDITIONS, edited, measure

COMMAND = "pytest-robustbench merge a.json b.json"
CLEAN, BLUR, JITTER = "clean", "blur-severity_3", "geo_jitter-severity_5"


@pytest.fixture(scope="module")
def plain():
    return measure()


@pytest.fixture(scope="module")
def whole(plain, tmp_path_factory):
    """A complete run, as one part."""
    path = tmp_path_factory.mktemp("whole") / "whole.json"
    path.write_text(json.dumps(plain), "utf-8")
    (part,) = read_parts(path)
    return part


def part(whole, conditions, source="a.json", **changes):
    """A part with some of the conditions; `changes` are those of its header."""
    records = {c: copy.deepcopy(whole.records[c]) for c in conditions}
    return Part(source, changed(whole.header, **changes), records)


def changed(header, **changes):
    return Header.from_dict({**header.to_dict(), **changes})


def written(header, records):
    """The report as plain JSON, without what a merge says of itself."""
    declared = tuple(map(condition_of, CONDITIONS))
    plain = json.loads(json.dumps(Report(header, declared, records).to_dict()))
    return {k: v for k, v in plain.items() if k not in ("started", "command", "content_sha256")}


def refusal(*parts):
    with pytest.raises(ReportError) as caught:
        merge_parts(parts, command=COMMAND)
    message = str(caught.value)
    assert "\n" not in message
    return message


shares = st.lists(
    st.sets(st.integers(0, 3), min_size=1), min_size=len(CONDITIONS), max_size=len(CONDITIONS)
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shares=shares, order=st.permutations(range(4)), starts=st.permutations(range(4)))
def test_any_shares_in_any_order_give_the_whole_back(whole, shares, order, starts):
    parts = [
        part(
            whole,
            [c for c, owners in zip(CONDITIONS, shares, strict=True) if i in owners],
            f"{i}.json",
            started=f"2026-01-0{starts[i] + 1}T00:00:00+00:00",
        )
        for i in order
    ]

    header, records = merge_parts(parts, command=COMMAND)

    assert written(header, records) == written(whole.header, whole.records)
    assert (header.started, header.command) == ("2026-01-01T00:00:00+00:00", COMMAND)


def timed(record, factor):
    changed = copy.deepcopy(record)
    changed["latency_ms_per_image"] *= factor
    changed["latency"]["median_ms"] *= factor
    changed["memory"]["host_peak_bytes"] = 7
    return changed


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_measurements_the_slower_counts_and_a_note_says_so(whole, turned):
    first = part(whole, [CLEAN], "z.json", started="2026-01-01T00:00:00+00:00")
    second = part(whole, [CLEAN], "a.json", started="2026-01-02T00:00:00+00:00")
    second = replace(second, records={CLEAN: timed(second.records[CLEAN], 2)})

    parts = [second, first] if turned else [first, second]
    header, records = merge_parts(parts, command=COMMAND)

    assert records == second.records
    assert any("the slower latency counts: 'clean'" in note for note in header.notes)


def test_one_part_may_lack_everything_that_was_not_measured(whole):
    header, records = merge_parts([part(whole, [BLUR])], command=COMMAND)

    assert written(header, records)["missing"] == [c for c in CONDITIONS if c != BLUR]
    assert not written(header, records)["complete"]


def test_no_part_is_a_mistake():
    assert "at least one" in refusal()


MOVED = GIVEN.to_dict()
OTHERS = [
    ({"name": "other"}, "benchmark", "other"),
    ({"profile": "nightly"}, "profile", "nightly"),
    ({"model": "other"}, "model", "other"),
    ({"category": "other"}, "category", "other"),
    ({"dataset": "other"}, "dataset", "other"),
    ({"operating_point": MOVED}, "pixel_threshold", "30.0"),
]


@pytest.mark.parametrize(("changes", "what", "value"), OTHERS)
def test_another_benchmark_is_refused_with_both_sources(whole, changes, what, value):
    message = refusal(part(whole, [CLEAN]), part(whole, [BLUR], "b.json", **changes))

    assert message.startswith("a.json and b.json")
    assert what in message
    assert value in message


def test_another_digest_of_equal_thresholds_is_refused(whole):
    point = {**whole.header.operating_point.to_dict(), "digest": "0" * 32}

    message = refusal(part(whole, [CLEAN]), part(whole, [BLUR], "b.json", operating_point=point))

    assert "digest" in message
    assert "not deterministic" in message


@pytest.mark.parametrize(
    ("key", "field", "change", "told"),
    [
        ("config", "config", {"calibration": {"seed": 1}}, "calibration.seed"),
        ("model", "detector", {"fitted": False}, "fitted: true and false"),
    ],
)
def test_another_configuration_or_detector_is_named(whole, key, field, change, told):
    other = {**getattr(whole.header, field), **change}
    changes = {field: other, "sha256": {**whole.header.sha256.to_dict(), key: "0" * 64}}

    message = refusal(part(whole, [CLEAN]), part(whole, [BLUR], "b.json", **changes))

    assert told in message


@pytest.mark.parametrize("kind", ["code", "files"])
def test_the_same_names_with_other_content_are_another_model(whole, kind):
    first, second = (
        whole.header.sources.to_dict() | {kind: {"same": "5" * 64, "m": digest * 64}}
        for digest in "ab"
    )
    parts = part(whole, [CLEAN], sources=first), part(whole, [BLUR], "b.json", sources=second)

    assert f"{kind} of the detector: other content of 'm'" in refusal(*parts)


def test_other_source_images_are_named(whole):
    samples = whole.header.samples.to_dict()
    samples["source_digest"][2] = "f" * 16

    message = refusal(part(whole, [CLEAN]), part(whole, [BLUR], "b.json", samples=samples))

    assert f"source_digest.{samples['id'][2]}" in message
    assert "f" * 16 in message


def test_other_parameters_of_a_corruption_are_refused(whole):
    second = part(whole, ["blur-severity_5"], "b.json")
    second.records["blur-severity_5"]["specification"]["version"] = 99

    message = refusal(part(whole, [BLUR]), second)

    assert "corruption blur: version: 1 and 99" in message


@pytest.mark.parametrize(
    "place",
    [
        ("results", "auroc"),
        ("results", "pixel_metrics", "bg_fpr"),
        ("per_image", "score", 3),
        ("per_image", "digest", 0),
        ("data_digest",),
        ("ranking",),
    ],
)
def test_an_overlap_that_disagrees_is_refused(whole, place):
    second = part(whole, [BLUR], "b.json")
    record = edited(second.records[BLUR], (place, "other"))
    second = replace(second, records={BLUR: record})

    message = refusal(part(whole, [BLUR]), second)

    assert message.startswith(f"a.json and b.json disagree on {BLUR}")
    assert str(place[-1]) in message


@pytest.mark.parametrize("turned", [False, True])
def test_a_measurement_does_not_silence_an_error(whole, turned):
    failed = Part("b.json", whole.header, {BLUR: error_record("the detector raised")})
    parts = [part(whole, [BLUR]), failed]

    message = refusal(*reversed(parts) if turned else parts)

    assert "a.json measured it, in b.json it could not be measured (the detector raised)" in message


def test_equal_errors_agree_and_different_ones_do_not(whole):
    failed = [Part(s, whole.header, {BLUR: error_record("raised")}) for s in ("a", "b")]

    assert merge_parts(failed, command=COMMAND)[1] == {BLUR: {"error": "raised"}}
    assert "raised" in refusal(failed[0], replace(failed[1], records={BLUR: error_record("no")}))


def test_a_part_that_could_not_be_prepared_leaves_its_errors(whole):
    known = {"operating_point": None, "samples": None, "model": "label", "detector": {}}
    sha256 = {**whole.header.sha256.to_dict(), "dataset": None, "model": None}
    broken = Part(
        "b.json",
        changed(whole.header, **known, sha256=sha256, started="2020-01-01"),
        {BLUR: error_record("no data here")},
    )

    header, records = merge_parts([broken, part(whole, [CLEAN])], command=COMMAND)

    assert header.samples == whole.header.samples
    assert header.model == whole.header.model
    assert records[BLUR] == {"error": "no data here"}


def test_parts_none_of_which_was_prepared_are_merged():
    parts = [Part(s, unprepared_header(), {s: error_record("no")}) for s in (CLEAN, BLUR)]

    header, records = merge_parts(parts, command=COMMAND)

    assert header.operating_point is None
    assert set(records) == {CLEAN, BLUR}


def test_options_other_than_a_shard_are_refused_by_name(whole):
    narrowed = replace(part(whole, [CLEAN]), narrowed=("--robustness-severities",))
    shard = replace(part(whole, [CLEAN]), narrowed=("--robustness-shard=1/2",))

    assert "a.json" in refusal(narrowed)
    assert "--robustness-severities" in refusal(narrowed)
    assert merge_parts([shard], command=COMMAND)[1].keys() == {CLEAN}


def test_other_machines_are_a_note_and_no_longer_one_machine(whole):
    other = whole.header.environment.to_dict()
    other |= {"cpu": "Other 9000"}
    other["packages"]["numpy"] = "0.1"
    second = part(whole, [BLUR], "b.json", environment=other)

    header, records = merge_parts([part(whole, [CLEAN]), second], command=COMMAND)

    notes = [n for n in header.notes if "different environments" in n]
    assert [n.split(": ")[1] for n in notes] == ["cpu", "numpy"]
    assert all("'a.json'" in n and "'b.json'" in n for n in notes)
    assert "Other 9000" in header.environment.cpu
    assert header.environment.cpu != "Other 9000"
    assert records.keys() == {CLEAN, BLUR}


def test_peaks_are_those_of_the_largest_part(whole):
    parts = [
        part(whole, [CLEAN], memory={"host_peak_bytes": 5, "device_peak_bytes": None}),
        part(whole, [BLUR], "b", memory={"host_peak_bytes": None, "device_peak_bytes": 3}),
    ]

    assert merge_parts(parts, command=COMMAND)[0].memory.to_dict() == {
        "host_peak_bytes": 5,
        "device_peak_bytes": 3,
    }


def shard_of(whole, conditions, records=None):
    """The report file of a shard, as plain JSON."""
    declared = tuple(map(condition_of, CONDITIONS))
    kept = {c: whole.records[c] for c in conditions} | (records or {})
    return json.loads(json.dumps(Report(whole.header, declared, kept).to_dict()))


@pytest.fixture
def read(tmp_path):
    def call(plain):
        path = tmp_path / "shard.json"
        path.write_text(json.dumps(plain), "utf-8")
        return read_parts(path)[0]

    return call


@pytest.mark.parametrize("conditions", [[CLEAN, BLUR], [JITTER, "recorded-led"], []])
def test_the_report_of_a_shard_is_read_though_it_is_not_complete(whole, read, conditions):
    found = read(shard_of(whole, conditions))

    assert found.header == whole.header
    assert found.records == {c: whole.records[c] for c in conditions}


def test_errors_are_read_too(whole, read):
    found = read(shard_of(whole, [CLEAN], {BLUR: error_record("raised")}))

    assert found.records[BLUR] == {"error": "raised"}


def test_a_shard_that_could_not_be_prepared_is_read(read):
    header = unprepared_header()
    plain = Report(header, (condition_of(CLEAN),), {CLEAN: error_record("no data")}).to_dict()

    found = read(json.loads(json.dumps(plain)))

    assert isinstance(found.header, Header)
    assert found.records == {CLEAN: {"error": "no data"}}


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("robustness", "clean", "per_image", "score", 0), lambda score: 50 - score, "auroc"),
        (("operating_point",), None, "without an operating point"),
        (("notes",), None, "notes: a valid list, found null"),
    ],
)
def test_an_edited_shard_is_refused(whole, read, place, value, told):
    plain = sealed(edited(shard_of(whole, [CLEAN, BLUR]), (place, value)))

    with pytest.raises(ReportError) as caught:
        read(plain)

    assert "shard.json" in str(caught.value)
    assert told in str(caught.value)
    assert "run that shard again" in str(caught.value)


def test_reports_are_found_in_folders_at_any_depth(plain, tmp_path):
    for place in ("one/a.json", "two/deep/b.json", "two/session.json", "two/c.txt"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(plain), "utf-8")
    (tmp_path / "two/timings.json").write_text('{"machine_info": {}}', "utf-8")
    (tmp_path / "two/list.json").write_text("[1]", "utf-8")

    found = find_reports([tmp_path / "one/a.json", tmp_path, tmp_path / "two"])

    assert [p.name for p in found] == ["a.json", "b.json"]
    assert find_reports([tmp_path / "two/session.json"]) == []


def test_places_without_a_report_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/a.json").write_text('{"schema_version": 2, "rob', "utf-8")

    for place, told in (("empty", "no report"), ("gone", "not exist"), ("torn", "a.json")):
        with pytest.raises(ReportError, match=told):
            find_reports([tmp_path / place])


def test_workers_that_tell_of_the_same_thing_contradict_nothing(whole):
    header = whole.header.to_dict()
    refuse_contradictions((header, {}), (header, dict(whole.records)))
    refuse_contradictions((header, dict(whole.records)), (header, dict(whole.records)))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("samples", "source_digest", 0), "0" * 16, "test images"),
        (("sha256", "model"), "0" * 64, "detector"),
        (("operating_point", "pixel_threshold"), 1.0, "operating point"),
        (("environment", "git_commit"), "0" * 40, "git commit"),
        (("sha256", "config"), "0" * 64, "configuration"),
    ],
)
def test_workers_that_do_not_are_told_apart(whole, place, value, said):
    header = edited(whole.header.to_dict(), (("environment", "git_commit"), "f" * 40))
    with pytest.raises(ReportError, match=f"what one worker has found.*{said}"):
        refuse_contradictions((header, {}), (edited(header, (place, value)), {}))


def test_two_results_of_one_condition_are_told_apart(whole):
    header, record = whole.header.to_dict(), whole.records[CLEAN]
    other = edited(record, (("per_image", "score", 0), 1e6))
    with pytest.raises(ReportError, match="disagree on clean"):
        refuse_contradictions((header, {CLEAN: record}), (header, {CLEAN: other}))

"""A report becomes a baseline: only a complete one, with a reason, and its differences shown."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import jsonschema
import pytest

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.limits import Demand, Limit
from pytest_robustbench.plain_json import dumps, is_sealed, sealed
from pytest_robustbench.reports.compare.acceptance import acceptable, acceptance_of, differences
from pytest_robustbench.reports.file.integrity import read_comparable
from pytest_robustbench.reports.file.schema import report_schema
from tests.reports.report_samples import GATE
from tests.reports.stored_reports import (
    CONDITIONS,
    CONFIG,
    compared,
    edited,
    measure,
    recorded_set,
    stored,
    without,
)

DAY = date(2026, 1, 31)


def accept(report, path, reason, day):
    """Say what changes, then write."""
    acceptance = acceptance_of(report, path, reason, day)
    acceptance.write()
    return list(acceptance.changes)


@pytest.fixture
def write(tmp_path):
    def written(plain, name="r.json"):
        (tmp_path / name).write_text(dumps(sealed(plain)), "utf-8")
        return tmp_path / name

    return written


def test_the_first_baseline_holds_the_report_and_why(base, write, tmp_path):
    path = tmp_path / "baselines" / "b.json"
    found = accept(write(base), path, "the model of the first line", DAY)
    written = json.loads(path.read_text("utf-8"))
    accepted = written.pop("accepted")

    assert found == ["this is the first baseline"]
    assert is_sealed({**written, "accepted": accepted})
    assert {**written, "content_sha256": base["content_sha256"]} == base
    assert accepted["reason"] == "the model of the first line"
    assert (accepted["date"], accepted["previous_sha256"]) == ("2026-01-31", None)
    assert read_comparable(path).digest == accepted["sha256"]


def test_a_baseline_is_what_the_published_schema_says(base, write, tmp_path):
    accept(write(base), tmp_path / "b.json", "first", DAY)

    jsonschema.validate(json.loads((tmp_path / "b.json").read_text("utf-8")), report_schema())


def test_the_next_baseline_knows_the_one_before_and_shows_what_differs(
    base, other, write, tmp_path
):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    found = accept(write(other, "other.json"), path, "a lighter model", DAY)

    assert json.loads(path.read_text("utf-8"))["accepted"]["previous_sha256"] == before
    assert read_comparable(path).content == read_comparable(tmp_path / "other.json").content
    assert any(line.startswith("operating point, pixel_threshold ") for line in found)
    assert any("(worse)" in line for line in found)


def test_what_changes_is_known_before_anything_is_written(base, other, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    before = path.read_bytes()
    acceptance = acceptance_of(write(other, "other.json"), path, "a lighter model", DAY)

    assert any("(worse)" in line for line in acceptance.changes)
    assert path.read_bytes() == before


def test_the_same_run_leaves_the_file_untouched(base, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    before = path.read_bytes()
    (line,) = accept(write(base), path, "again", date(2027, 1, 1))

    assert path.read_bytes() == before
    assert "left as it is" in line


def test_what_a_run_was_compared_with_is_no_part_of_a_baseline(base, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write({**base, "regression": [compared("pass", "pass")]}), path, "first", DAY)

    assert "regression" not in json.loads(path.read_text("utf-8"))


def test_a_baseline_is_line_stable(base, write, tmp_path):
    """One image's score is one line of the file."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    accept(write(base), first, "first", DAY)
    accept(write({**base, "command": "another"}), second, "first", DAY)
    lines = [path.read_text("utf-8").splitlines() for path in (first, second)]

    assert len(lines[0]) == len(lines[1])
    changed = [a for a, b in zip(*lines, strict=True) if a != b]
    assert [line.split('"')[1] for line in changed] == ["command", "sha256", "content_sha256"]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ((("complete",), False), "not complete"),
        ((("narrowed",), ["--robustness-severities=1"]), "narrowed by --robustness-severities=1"),
        ((("robustness", "clean"), {"error": "no memory"}), "clean could not be measured"),
        ((("robustness_summary", "clean_auroc"), 0.123), "clean_auroc does not follow"),
        ((("schema_version",), 0), "schema version 0"),
    ],
    ids=["incomplete", "narrowed", "failed to measure", "edited", "older"],
)
def test_what_must_not_become_a_baseline(base, write, tmp_path, edit, reason):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    before = path.read_bytes()
    with pytest.raises(ReportError, match=reason.replace("(", r"\(")):
        accept(write(edited(base, edit)), path, "because", DAY)

    assert path.read_bytes() == before


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_baseline_needs_a_reason(base, write, tmp_path, reason):
    with pytest.raises(ReportError, match="needs a reason"):
        accept(write(base), tmp_path / "b.json", reason, DAY)

    assert not (tmp_path / "b.json").exists()


def test_a_run_whose_limits_could_not_be_judged_is_refused(base):
    verdict = {
        "condition": "clean",
        "metric": "aupro",
        "bound": "min",
        "limit": 0.5,
        "value": None,
        "verdict": "error",
        "reason": "no defect image has a mask",
        "source": "robustness.yaml:3",
    }
    with pytest.raises(ReportError, match=r"aupro under clean \(no defect image has a mask\)"):
        acceptable(stored({**base, "verdicts": [verdict]}))
    acceptable(stored(base))


def test_violated_limits_are_shown_and_may_be_accepted(write, tmp_path):
    found = accept(write(measure(gate=GATE)), tmp_path / "b.json", "known", DAY)

    assert found[-1] == ("the new baseline violates 1 of its own limits: 'blur-severity_3: bg_fpr'")


def test_what_is_waived_is_no_violated_limit(write, tmp_path):
    plain = measure(gate=GATE)
    (violated,) = (v for v in plain["verdicts"] if v["verdict"] == "fail")
    waived = [v | {"waiver": {"by": "Ada"}} if v is violated else v for v in plain["verdicts"]]

    assert differences(None, stored(plain))[-1].startswith("the new baseline violates 1")
    assert len(differences(None, stored({**plain, "verdicts": waived}))) == 1


def test_limits_that_are_not_shown_are_told_and_may_be_accepted(write, tmp_path):
    limit = Limit("miss_rate", "max", 0.5, "robustness.yaml:3")
    gate = Gate({"clean": (limit,)}, demand=Demand(0.99), one_sided={"clean": "misses"})

    found = accept(write(measure(gate=gate)), tmp_path / "b.json", "known", DAY)

    assert found[-1] == "the new baseline does not show 1 of its own limits: 'clean: miss_rate'"


def test_the_baseline_of_another_benchmark_is_not_overwritten(base, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    before = path.read_bytes()
    with pytest.raises(ReportError, match=r"b\.json is the baseline of benchmark 'brushed_metal'"):
        accept(write({**base, "name": "nuts"}), path, "oops", DAY)

    assert path.read_bytes() == before


DAMAGED = '{"schema_version": 2,\n "name": "brushed_metal"'


@pytest.mark.parametrize(
    "there", [DAMAGED + "}", DAMAGED.replace("2", "0") + "}"], ids=["lacks", "older"]
)
def test_a_damaged_baseline_is_replaced_and_that_is_said(base, write, tmp_path, there):
    path = tmp_path / "b.json"
    path.write_text(there, "utf-8")
    found = accept(write(base), path, "first", DAY)

    assert found[0].startswith("the baseline that was there is DAMAGED, or of another ")
    assert "restore" not in found[0]
    assert "this is the first baseline" not in found
    assert read_comparable(path).name == "brushed_metal"


@pytest.mark.parametrize(
    "there", ["", DAMAGED, '{"name": "brushed_metal"}', '{"schema_version": 2}']
)
def test_a_file_that_is_no_baseline_is_not_replaced(base, write, tmp_path, there):
    path = tmp_path / "b.json"
    path.write_text(there, "utf-8")
    with pytest.raises(ReportError, match="is no report of benchmark 'brushed_metal' and is not"):
        accept(write(base), path, "first", DAY)

    assert path.read_text("utf-8") == there


def test_a_baseline_of_another_profile_is_not_replaced(base, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    before = path.read_bytes()
    quick = write({**base, "profile": "pr"}, "quick.json")
    with pytest.raises(
        ReportError, match=r"under no profile, and .*quick\.json under profile 'pr'"
    ):
        acceptance_of(quick, path, "oops", DAY, smaller=True)

    assert path.read_bytes() == before


def test_a_smaller_baseline_is_made_on_purpose(base, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    fewer = measure(recorded={}, config={**CONFIG, "conditions": CONDITIONS[:-1]})
    report = write(fewer, "fewer.json")
    with pytest.raises(ReportError, match=r"it has no recorded-led; .*--smaller-on-purpose"):
        accept(report, path, "the lamp is gone", DAY)

    acceptance = acceptance_of(report, path, "the lamp is gone", DAY, smaller=True)
    assert "conditions no longer measured: recorded-led" in acceptance.changes


def test_fewer_images_are_no_accident(base, write, tmp_path):
    path = tmp_path / "b.json"
    accept(write(base), path, "first", DAY)
    smaller = measure(recorded={"led": recorded_set(n_defect=2)})
    with pytest.raises(ReportError, match="recorded-led has 4 images instead of 5"):
        accept(write(smaller, "smaller.json"), path, "because", DAY)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("regressed", "this run has REGRESSED against baseline b.json"),
        ("inconclusive", "this run was INCONCLUSIVE against baseline b.json"),
        ("error", "this run was NOT COMPARABLE with baseline b.json"),
    ],
)
def test_what_the_run_itself_was_told_comes_first(base, write, tmp_path, outcome, said):
    report = write({**base, "regression": [compared(outcome, outcome)]})

    assert accept(report, tmp_path / "b.json", "anyway", DAY)[0].startswith(said)


def test_nothing_differs_between_equal_runs(base):
    assert differences(stored(base), stored(base)) == [
        "every metric, threshold and image is the same"
    ]


def test_differences_name_what_was_measured_and_how(base):
    changed = edited(
        base,
        (("model",), "v7"),
        (("detector", "name"), "v7"),
        (("environment", "packages", "numpy"), "0.1"),
        (("operating_point", "image_threshold"), 12.5),
        (("operating_point", "calibrated_on"), "0" * 32),
        (("samples", "id", 0), "test/new/000"),
        (("samples", "source_digest", 1), "0" * 16),
    )
    old = base["operating_point"]["image_threshold"]
    found = differences(
        stored(base), stored(without(changed, "robustness", "corruptions", "blur", "severity_5"))
    )

    assert f"model {base['model']} -> v7" in found
    assert "detector: name changed" in found
    assert f"numpy {base['environment']['packages']['numpy']} -> 0.1" in found
    assert f"operating point, image_threshold {old:.4g} -> 12.5" in found
    assert "operating point: calibrated on other images" in found
    assert "conditions no longer measured: blur-severity_5" in found
    assert f"1 test images no longer there: {base['samples']['id'][0]!r}" in found
    assert "1 test images new: 'test/new/000'" in found
    assert "the metrics before and after are not of the same images" in found
    assert any(line.startswith("1 test images with other pixels") for line in found)


def test_metrics_that_got_worse_come_first_and_are_few(base, other):
    found = differences(stored(base), stored(other))
    metrics = [line for line in found if "(better)" in line or "(worse)" in line]
    sizes = []
    for line in metrics:
        before, after = line.rsplit(" (", 1)[0].rsplit(" -> ")
        sizes.append((line.endswith("(worse)"), abs(float(after) - float(before.split()[-1]))))

    assert 0 < len(metrics) <= 10
    assert sizes == sorted(sizes, reverse=True)


def test_metrics_that_are_compared_are_all_shown(base, other):
    metrics = {"accuracy": {}, "latency_relative": {}}
    declared = {**base["config"], "regression": {"baseline": "b.json", **metrics}}
    few = differences(stored(base), stored(other))
    found = differences(stored(base), stored({**other, "config": declared}))

    changed = [c for c in CONDITIONS if _accuracy(base, c) != _accuracy(other, c)]
    assert changed
    assert [c for c in CONDITIONS if any(f"{c}: accuracy " in line for line in found)] == changed
    assert len([f for f in few if ": accuracy " in f]) < len(changed)
    assert any(line.startswith("clean: latency_relative ") for line in found)


def _accuracy(plain, condition):
    return stored(plain).record(condition)["results"]["metrics"]["accuracy"]


def test_a_metric_that_is_no_longer_defined_is_shown(base):
    path = ("robustness", "clean", "results", "pixel_metrics", "aupro")
    found = differences(stored(base), stored(edited(base, (path, None))))

    assert found == [f"clean: aupro {_at(base, path):.4g} -> none"]


def _at(plain, path):
    for key in path:
        plain = plain[key]
    return plain

"""Reports held against their baselines, from file to verdict."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from pytest_robustbench.benchmark import Benchmark
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.reports.compare import regression
from pytest_robustbench.reports.compare.regression import Match, judge_matches
from pytest_robustbench.reports.file.integrity import read_comparable
from pytest_robustbench.reports.file.stored import StoredReport
from tests.reports.report_samples import contrast
from tests.reports.stored_reports import duller, edit, measure

SEGF1 = AllowedChange("pixel_segf1", "max_drop", 0.1, relative=False, source="r.yaml:9")
BG_FPR = AllowedChange("bg_fpr", "max_rise", 0.1, relative=False, source="r.yaml:10")
SLOWER = AllowedChange("latency_relative", "max_rise", 0.1, relative=True, source="r.yaml:11")


def good_parts():
    drawn = load_split("synthetic", n_train=0, n_test_good=4, n_defect=0, size=32, seed=3)
    return replace(drawn, train=())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    recorded = {"recorded": {"led": good_parts()}}
    for name, plain in {
        "base": measure(**recorded),
        "again": measure(**recorded),
        "duller": measure(duller, **recorded),
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(plain))
    return folder


def judged(files, candidate, *allowed):
    match = Match("nuts", files / f"{candidate}.json", files / "base.json", allowed)
    return judge_matches([match])[0]


def declared(path, weights):
    """As if the model had been declared, with a file of its own."""

    def told(plain):
        plain["config"]["detector"] = {"name": "line:load", "kwargs": {"path": "m.pt"}}
        plain["sources"]["files"] = {"m.pt": weights * 64}

    edit(path, told)


@pytest.mark.parametrize(("weights", "outcome"), [("a", "pass"), ("b", "inconclusive")])
def test_equal_outputs_pass_without_evidence_only_where_the_model_is_the_same(
    files, tmp_path, weights, outcome
):
    for name, content in (("base", "a"), ("again", weights)):
        shutil.copy(files / f"{name}.json", tmp_path)
        declared(tmp_path / f"{name}.json", content)
    found = judged(tmp_path, "again", SEGF1, BG_FPR)
    assert (found.outcome, found.problems) == (outcome, ())
    assert {v.loss for v in found.verdicts} == {0.0}
    assert {v.identical for v in found.verdicts} == {outcome == "pass"}


def test_a_model_that_was_handed_over_in_memory_is_known_by_what_it_holds(files, tmp_path):
    found = judged(files, "again", SEGF1, BG_FPR)
    assert found.outcome == "pass"
    assert all(v.identical for v in found.verdicts)
    for name in ("base", "again"):
        shutil.copy(files / f"{name}.json", tmp_path)
        edit(tmp_path / f"{name}.json", lambda plain: plain["sha256"].update(fitted=None))
    found = judged(tmp_path, "again", SEGF1, BG_FPR)
    assert found.outcome == "inconclusive"
    assert not any(v.identical for v in found.verdicts)


def test_limits_that_can_fail_nothing_are_named_and_one_that_never_can_is_refused(files):
    wide = replace(SEGF1, value=0.9)
    found = judged(files, "duller", wide, BG_FPR)
    assert {v.outcome for v in found.verdicts if v.change is wide} == {"vacuous"}
    assert found.outcome == "error"
    assert any("can fail nothing under any condition" in problem for problem in found.problems)
    assert any("limits can fail nothing" in note for note in found.notes)


def test_a_share_of_nothing_is_set_apart_with_its_reason(files, tmp_path):
    for name in ("base", "again"):
        shutil.copy(files / f"{name}.json", tmp_path)
        edit(tmp_path / f"{name}.json", lambda plain: plain["sha256"].update(fitted=None))
    files, share = tmp_path, replace(BG_FPR, relative=True)
    found = judged(files, "again", SEGF1, share)
    of_share = [v for v in found.verdicts if v.change is share]
    apart = {v.condition for v in of_share if v.outcome == "vacuous"}
    assert "recorded-led" in apart
    assert "clean" not in apart
    (told,) = [note for note in found.notes if "a share of a baseline that is 0" in note]
    assert told.startswith(f"{len(apart)} of {len(found.verdicts)} limits can never be shown")
    assert found.problems == ()
    (problem,) = judged(files, "again", replace(share, metric="false_reject_rate")).problems
    assert "can be shown under no condition" in problem
    assert "allow a number (relative: false)" in problem


def test_a_recorded_set_of_good_parts_is_held_against_what_it_can_say(files):
    found = judged(files, "again", SEGF1, BG_FPR)
    where = {m: {v.condition for v in found.verdicts if v.change.metric == m} for m in METRICS}
    assert "recorded-led" in where["bg_fpr"]
    assert "recorded-led" not in where["pixel_segf1"]
    assert "clean" in where["pixel_segf1"]
    assert "recorded-led has no images for pixel_segf1: not compared there" in found.notes


METRICS = ("pixel_segf1", "bg_fpr")


@pytest.mark.parametrize(("allowed", "said"), [((SEGF1,), True), ((SEGF1, BG_FPR), False)])
def test_limits_that_see_no_false_alarms_are_named(files, allowed, said):
    notes = judged(files, "again", *allowed).notes
    assert any("no limit sees false alarms" in note for note in notes) == said


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (SEGF1, ""),
        (replace(SEGF1, value=0.09), ""),
        (replace(SEGF1, value=0.11), "pixel_segf1: max_drop 0.11 is not what the baseline was"),
        (replace(SEGF1, relative=True), "pixel_segf1: max_drop 0.1 relative is not what the"),
        (BG_FPR, "pixel_segf1 is judged no more; the baseline was measured with max_drop 0.1"),
    ],
    ids=["the same", "less", "more", "relative", "nothing"],
)
def test_who_allows_more_than_the_baseline_was_measured_with_is_told(files, tmp_path, now, said):
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    entry = {"max_drop": 0.1, "relative": False}
    terms = {"baseline": "b.json", "pixel_segf1": entry}
    edit(tmp_path / "base.json", lambda plain: plain["config"].update(regression=terms))
    notes = judged(tmp_path, "again", now).notes
    assert [note for note in notes if said and note.startswith(said)] or not said
    assert any("pixel_segf1" in note and "measured with" in note for note in notes) == bool(said)


def test_a_run_held_against_itself_is_told_and_in_the_run_itself_an_error(files):
    assert any("THE SAME RUN" in note for note in judged(files, "base", SEGF1).notes)
    path = files / "base.json"
    (found,) = judge_matches([Match("nuts", read_comparable(path), path, (SEGF1,))])
    assert found.outcome == "error"
    assert "is this very run" in found.problems[0]


def test_the_baseline_of_another_benchmark_is_told_and_in_the_run_itself_an_error(files, tmp_path):
    named = tmp_path / "named.json"
    shutil.copy(files / "again.json", named)
    edit(named, lambda plain: plain.update(name="caps"))
    by_path, in_memory = (
        judge_matches([Match("nuts", candidate, files / "base.json", (SEGF1,))])[0]
        for candidate in (named, read_comparable(named))
    )
    assert by_path.problems == ()
    assert any("is the report of another benchmark" in note for note in by_path.notes)
    assert any("is the report of another benchmark" in problem for problem in in_memory.problems)


@pytest.mark.parametrize(("rejected", "said"), [(10, True), (9, False)])
def test_a_condition_under_which_the_baseline_rejects_nearly_all_is_named(tmp_path, rejected, said):
    drawn = load_split("synthetic", n_train=0, n_test_good=10, n_defect=0, size=32, seed=3)
    recorded = {"led": replace(drawn, train=())}
    found = StoredReport(measure(recorded=recorded), tmp_path).record("recorded-led")
    scores = sorted(found["per_image"]["score"])
    below = [scores[0] - 1, *scores]
    point = OperatingPoint(pixel_threshold=20.0, image_threshold=float(below[10 - rejected]))
    plain = json.dumps(measure(recorded=recorded, operating_point=point))
    for name in ("base", "again"):
        (tmp_path / f"{name}.json").write_text(plain)

    notes = judged(tmp_path, "again", BG_FPR).notes

    (told,) = [note for note in notes if "already under" in note] or [""]
    assert ("recorded-led" in told) == said


def test_a_test_part_without_images_that_a_limit_speaks_of_is_an_error(tmp_path):
    drawn = load_split("synthetic", n_train=8, n_test_good=4, n_defect=0, size=32)
    split = replace(drawn, train=(), calibration=drawn.train)
    bare = Benchmark(split, contrast, fitted=True, corruptions=[])
    for name in ("base", "again"):
        (tmp_path / f"{name}.json").write_text(json.dumps(bare.run().to_dict()))

    found = judged(tmp_path, "again", replace(SEGF1, metric="recall"))

    assert [v.outcome for v in found.verdicts] == ["error"]


def test_another_detector_is_no_error(files):
    found = judged(files, "duller", SEGF1, BG_FPR)
    assert found.problems == ()
    assert {v.outcome for v in found.verdicts} <= {"pass", "inconclusive", "regressed", "vacuous"}


def test_all_latency_limits_of_a_run_share_one_rate_of_false_alarms(files, monkeypatch):
    alphas = []
    judge = regression.judge_latency

    def noted(*args, alpha, **options):
        alphas.append(alpha)
        return judge(*args, alpha=alpha, **options)

    monkeypatch.setattr(regression, "judge_latency", noted)
    match = Match("nuts", files / "again.json", files / "base.json", (SLOWER,))
    judge_matches([match, replace(match, benchmark="caps")])
    assert alphas == [0.025, 0.025]


@pytest.mark.parametrize(
    ("key", "value", "another"),
    [
        ("platform", "Linux-9.9.9-another-kernel", False),
        ("git_commit", None, False),
        ("cpu", "Another 9000", True),
        ("cpu_count", 999, True),
        ("python", "3.99.0", True),
        ("packages", {"numpy": "99.0"}, True),
        ("device", "named by the process that keeps results", False),
    ],
)
def test_the_same_machine_is_processor_cores_and_what_computes(elsewhere, key, value, another):
    assert elsewhere(environment={key: value}) != another


def test_the_same_machine_has_the_same_device(elsewhere):
    assert not elsewhere(device="cuda Y")


@pytest.fixture
def elsewhere(files, tmp_path, monkeypatch):
    """Whether the gate is told of the same machine, where the candidate says what it is given."""
    told, other, judge = [], tmp_path / "other.json", regression.judge_latency

    def noted(*args, same_machine, **options):
        told.append(same_machine)
        return judge(*args, same_machine=same_machine, **options)

    def same_machine(environment=(), device="cpu"):
        def measured_elsewhere(plain):
            plain["environment"] |= dict(environment)
            for latency in latencies(plain["robustness"]):
                latency |= {"device": device, "reference_device": device}

        other.write_bytes((files / "again.json").read_bytes())
        edit(other, measured_elsewhere)
        (found,) = judge_matches([Match("nuts", other, files / "base.json", (SLOWER,))])
        assert found.problems == ()
        return told.pop()

    monkeypatch.setattr(regression, "judge_latency", noted)
    return same_machine


def latencies(part):
    """Yield the latencies of all records, which lie at several depths."""
    if not isinstance(part, dict):
        return
    if "latency" in part:
        yield part["latency"]
    for inner in part.values():
        yield from latencies(inner)

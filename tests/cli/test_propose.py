"""``propose``: limits that the run they come from keeps, and that say what they are worth."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.benchmark import Gate
from pytest_robustbench.cli.main import main
from pytest_robustbench.config.loader import parse_config
from pytest_robustbench.gates.prediction import Predicted, jointly_predicted
from pytest_robustbench.metrics.catalogue import metric_called
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.compare.proposal import outwards
from pytest_robustbench.reports.file.integrity import read_comparable
from pytest_robustbench.reports.file.record import outcomes_of

RUN = """\
schema_version: 1
name: metal
dataset: {format: synthetic, n_train: 24, n_test_good: 30, n_defect: 60, size: 48}
detector: pixel_gaussian
calibration: {pixel_normal_quantile: 0.99}
corruptions: [blur, glare]
severities: [1, 5]
recorded: {led: {format: synthetic, n_test_good: 3, n_defect: 3, size: 48, seed: 7}}
accept: {all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}}
"""
CEILINGS = ("bg_fpr", "normal_fpr", "miss_rate", "false_reject_rate")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proposals")
    (folder / "run.yaml").write_text(RUN)
    assert main(["run", "--config", str(folder / "run.yaml"), "--output", f"{folder}/r.json"]) == 0
    return folder


@pytest.fixture
def call(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)

    def run(*arguments):
        code = main(["propose", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def gate_of(section):
    """Load a proposed section in the place of the run's own, through the loader."""
    text = RUN.replace("accept: {all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}}\n", section)
    (benchmark,) = parse_config(text, Path("robustness.yaml"), environ={}).benchmarks
    return Gate(benchmark.limits, benchmark.summary_limits, one_sided=benchmark.one_sided)


def judged(gate, report):
    return [
        verdict
        for condition in report.conditions
        for verdict in gate.judge(condition, report.record(condition))
    ]


@pytest.mark.parametrize("safety", [0.5, 0.95, 0.999])
def test_the_run_keeps_what_is_proposed_from_it(call, folder, safety):
    code, out, err = call("r.json", "--safety", safety)
    assert (code, err) == (0, "")
    verdicts = judged(gate_of(out), read_comparable(folder / "r.json"))
    conditions = {
        *("clean", "recorded-led"),
        *(f"{name}-severity_{s}" for name in ("blur", "glare") for s in (1, 5)),
    }
    listed = out.partition("measure_only: [")[2].partition("]")[0]
    measured_only = set(listed.split(", ")) - {""}
    assert {v.condition for v in verdicts} == conditions - measured_only
    few = {"recorded-led", "blur-severity_5"}
    assert measured_only <= few, "three parts of a kind make nothing safe, nor does a lost side"
    assert {v.outcome for v in verdicts} == {"pass"}


def test_every_limit_holds_with_all_others_on_another_set_and_is_rounded_outwards(call, folder):
    report = read_comparable(folder / "r.json")
    gate = gate_of(call("r.json", "--safety", "0.9")[1])
    values = {
        (c, m): Predicted(
            metric_called(m),
            c if c == "recorded-led" else "test",
            outcomes_of(report.record(c), report.samples(c)),
        )
        for c in report.conditions
        for m in ("pixel_segf1", *CEILINGS)
    }
    safe = dict(zip(values, jointly_predicted(tuple(values.values()), 0.9), strict=True))
    limits = [(c, limit) for c in report.conditions for limit in gate.limits[c]]
    assert len(limits) > 12
    for condition, limit in limits:
        bound = safe[condition, limit.metric]
        if limit.bound == "min":
            assert 0.9 * bound - 1e-12 <= limit.value <= bound
        else:
            assert limit.value >= bound
        assert len(Decimal(str(limit.value)).normalize().as_tuple().digits) <= 2


def test_recorded_sets_of_few_images_loosen_no_limit_on_the_others(call):
    gate = gate_of(call("r.json", "--safety", "0.8")[1])
    ceilings = {
        condition: {limit.metric: limit.value for limit in gate.limits[condition]}
        for condition in ("recorded-led", "blur-severity_1", "glare-severity_5")
    }
    assert not ceilings["recorded-led"], "three parts of a kind make one side safe at most"
    assert ceilings["blur-severity_1"]["bg_fpr"] == ceilings["glare-severity_5"]["bg_fpr"]


def test_more_safety_gives_looser_limits(call):
    loose, tight = (gate_of(call("r.json", "--safety", s)[1]).limits["clean"] for s in (0.9, 0.6))
    values = [{limit.metric: limit.value for limit in limits} for limits in (loose, tight)]
    shared = values[0].keys() & values[1].keys()
    assert "pixel_segf1" in shared
    assert values[0]["pixel_segf1"] < values[1]["pixel_segf1"]
    assert all(values[0][name] >= values[1][name] for name in shared & {*CEILINGS})


def test_every_severity_has_its_own_floor_and_false_alarms_share_a_ceiling(call, folder):
    section = call("r.json")[1]
    gate = gate_of(section)
    floors = {
        condition: limit.value
        for condition, limits in gate.limits.items()
        for limit in limits
        if limit.metric == "pixel_segf1"
    }
    assert len(set(floors.values())) > 1
    (blurred, glaring) = (
        {limit.metric: limit.source for limit in gate.limits[c]}
        for c in ("blur-severity_1", "glare-severity_1")
    )
    assert blurred["bg_fpr"] == glaring["bg_fpr"]


def test_the_comments_say_where_it_is_from_and_what_it_is_worth(call, folder):
    out = call("r.json")[1]
    started = json.loads((folder / "r.json").read_text())["started"]
    for text in (
        f"report r.json, {started}",
        "model pixel_gaussian on synthetic brushed_metal: 60 defect images and 30 normal images",
        "On fresh test images of this kind, as many of as many parts, at the same thresholds",
        "limits together with 95 %: at most 5 of 100 such test sets break any of them",
        '"as good as this run", not "good enough"',
        "#   latency_ms_per_image: {max: ",
    ):
        assert text in out
    assert "latency" not in [limit.metric for limit in gate_of(out).limits["clean"]]


def test_a_proposal_goes_to_a_new_file_alone(call, folder, tmp_path):
    file = tmp_path / "accept.yaml"
    assert call("r.json", "--output", file) == (0, "", f"proposal: {file}\n")
    assert file.read_text() == call("r.json")[1]
    code, out, err = call("r.json", "--output", file)
    assert (code, out) == (2, "")
    assert "exists already" in err


def edited(folder, tmp_path, change):
    plain = json.loads((folder / "r.json").read_text())
    change(plain)
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(sealed(plain)))
    return file


def narrow(plain):
    plain.update(complete=False, narrowed=["--robustness-limit-test"])


def lose_a_condition(plain):
    plain["robustness"]["corruptions"]["blur"].pop("severity_5")


def brighten(plain):
    plain["robustness"]["clean"]["results"]["pixel_metrics"]["pixel_segf1"] = 0.99


@pytest.mark.parametrize("change", [narrow, lose_a_condition, brighten])
def test_a_report_that_is_not_whole_or_contradicts_itself_is_refused(
    call, folder, tmp_path, change
):
    file = edited(folder, tmp_path, change)
    code, out, err = call(file)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert str(file) in err


@pytest.mark.parametrize("safety", ["0.4", "1", "0.9999", "nan", "95"])
def test_a_safety_that_is_none_is_refused(call, safety):
    code, out, err = call("r.json", "--safety", safety)
    assert (code, out) == (2, "")
    assert "--safety must be at least 0.5 and at most 0.999" in err


def test_a_model_that_finds_nothing_is_told_so(tmp_path, call):
    point = "operating_point: {pixel_threshold: 1.0e+6, image_threshold: 1.0e+6}\n"
    (tmp_path / "silent.yaml").write_text(RUN + point)
    report = tmp_path / "silent.json"
    main(["run", "--config", str(tmp_path / "silent.yaml"), "--output", str(report)])
    code, out, err = call(report)
    assert (code, out) == (2, "")
    assert "clean: it would see one side of decisions alone" in err


@settings(deadline=None, max_examples=200)
@given(st.floats(1e-9, 1e9))
def test_rounding_outwards_keeps_two_digits_and_never_tightens(value):
    below, above = outwards(value, floor=True), outwards(value, floor=False)
    assert below <= Decimal(value) <= above
    assert float(below) >= 0.9 * value
    assert float(above) <= 1.1 * value + 1e-12
    for number in (below, above):
        assert len(number.normalize().as_tuple().digits) <= 2

"""``compare`` and ``accept``: two files, one verdict, and an exit code that says it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_robustbench import Benchmark, Prediction, load_split
from pytest_robustbench.cli.main import main
from pytest_robustbench.plain_json import sealed, sha256_of
from tests.synthetic_tree import write_mvtec_tree

MISSES = ("--one-sided", "misses")
DROP = ("--max-drop", "pixel_segf1=0.3", *MISSES)
YAML = """\
schema_version: 1
name: caps
dataset: {format: mvtec, root: data, category: brushed_metal}
detector: pixel_gaussian
corruptions: [blur]
severities: [3]
accept: {all: {miss_rate: {max: 0.99}, one_sided: misses}}
regression: {baseline: "stored/{name}.json", pixel_segf1: {max_drop: 0.3}, bg_fpr: {max_rise: 0.2}}
"""


class Distance:
    """Distance to the mean train image, behind as much noise as is asked for."""

    def __init__(self, haze: float) -> None:
        self._haze = haze

    def description(self) -> dict[str, float]:
        return {"haze": self._haze}

    def fit(self, images) -> None:
        self._mean = np.mean([np.asarray(image, np.float32) for image in images], axis=0)

    def predict(self, images) -> Prediction:
        maps = np.stack([self._map(np.asarray(image, np.float32)) for image in images])
        return Prediction(maps.max(axis=(1, 2)), maps)

    def _map(self, image: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(int(image.sum()))
        noise = rng.exponential(self._haze, image.shape[:2]) if self._haze else 0.0
        return (np.abs(image - self._mean).mean(axis=2) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Reports of the model in production, of the same one again, and of two worse ones."""
    folder = tmp_path_factory.mktemp("reports")
    write_mvtec_tree(folder / "data", n_train=15, n_test_good=12, n_defect=40, size=48)
    split = load_split("mvtec", root=folder / "data", category="brushed_metal")
    for name, haze in (("base", 0.0), ("same", 0.0), ("hazy", 40.0), ("blurry", 3.0)):
        benchmark = Benchmark(
            split, Distance(haze), corruptions=["blur"], severities=[3], name="caps"
        )
        benchmark.run().write(folder / f"{name}.json")
    return folder


@pytest.fixture
def compare(reports, capsys, monkeypatch):
    monkeypatch.chdir(reports)

    def call(*arguments):
        code = main(["compare", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_same_model_passes(compare):
    code, out, err = compare("base.json", "same.json", *DROP)

    assert (code, err) == (0, "")
    assert "PASS" in out
    assert [line.split()[1] for line in out.splitlines()[1:3]] == ["pixel_segf1"] * 2


def test_a_worse_model_is_told_with_both_values(compare):
    code, out, _ = compare("base.json", "hazy.json", *DROP)

    assert code == 1
    assert "REGRESSED" in out
    assert "clean: pixel_segf1 falls from" in out
    assert "changed decisions" in out


def test_json_holds_every_verdict(compare):
    code, out, _ = compare("base.json", "hazy.json", *DROP, "--format", "json")

    assert json.loads(out)["outcome"] == "regressed"
    (compared,) = json.loads(out)["comparisons"]
    assert code == 1
    assert compared["benchmark"] == "caps"
    assert compared["outcome"] == "regressed"
    assert {v["condition"] for v in compared["verdicts"]} == {"clean", "blur-severity_3"}
    regressed = [v for v in compared["verdicts"] if v["outcome"] == "regressed"]
    assert regressed
    assert all(v["loss"] > v["allowed"] and v["p"] <= 0.05 for v in regressed)


def test_markdown_is_a_table(compare):
    code, out, _ = compare("base.json", "hazy.json", *DROP, "--format", "markdown")

    assert code == 1
    assert out.startswith("### caps against baseline base.json: REGRESSED")
    assert "| condition | metric |" in out.replace("\\", "")


def test_what_the_images_cannot_tell_is_code_3_where_asked(compare):
    tight = ("--max-drop", "pixel_segf1=0.0001", *MISSES)

    rise = ("--max-rise", "miss_rate=0.05", *MISSES)
    code, out, _ = compare("base.json", "blurry.json", *rise)
    strict, _, _ = compare("base.json", "blurry.json", *rise, "--strict")

    assert "INCONCLUSIVE" in out
    assert (code, strict) == (0, 3)
    assert compare("base.json", "same.json", *tight, "--strict")[0] == 0


@pytest.mark.parametrize(
    ("margins", "told"),
    [
        ((), "nothing says how much may be lost"),
        (("--max-drop", "pixel_segf1"), "METRIC=NUMBER"),
        (("--max-drop", "pixel_segf1=lots"), "METRIC=NUMBER"),
        (("--max-drop", "pixel_segf1=nan"), "METRIC=NUMBER"),
        (("--max-drop", "pixel_segf1=1"), "nothing could ever fail"),
        (("--max-drop", "pixel_segf1=100%"), "nothing could ever fail"),
        (("--max-drop", "pixel_segf1=0"), "no finite test set can show that: say how much"),
        (("--max-rise", "miss_rate=0%"), "--max-rise miss_rate=0% allows no loss at all"),
        (("--max-drop", "aupro=0.1"), "aupro"),
        (("--max-drop", "average_precision=0.1"), "take auroc"),
        (("--max-drop", "pixel_segf"), "pixel_segf1"),
        (("--max-drop", "bg_fpr=0.1"), "--max-rise"),
        (("--max-rise", "recall=0.1"), "--max-drop"),
        ((*DROP, *DROP), "two margins"),
        ((*DROP, "--min-overlap", "1.5"), "--min-overlap"),
        (("--profile", "pr"), "--config"),
        (
            ("--max-drop", "pixel_segf1=0.1"),
            "false_reject_rate, or give --one-sided misses",
        ),
        (("--max-drop", "auroc=0.1", "--max-rise", "false_reject_rate=0.1"), "sees misses"),
        (("--max-drop", "auroc=0.1"), "no limit sees a wrong decision"),
        (("--max-drop", "auroc=0.1", *MISSES), "no limit sees misses: declare miss_rate"),
        (MISSES, "--one-sided is about --max-drop and --max-rise"),
    ],
)
def test_mistakes_are_one_line_and_code_2(compare, margins, told):
    code, out, err = compare("base.json", "same.json", *margins)

    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_missing_or_broken_file_is_code_2(compare, reports):
    (reports / "half.json").write_text((reports / "base.json").read_text()[:4000])

    assert compare("absent.json", "same.json", *DROP)[0] == 2
    code, out, err = compare("half.json", "same.json", *DROP)
    assert code == 2
    assert "half.json" in out + err


def test_a_run_and_itself(compare, reports):
    """One file is refused; of two copies it is said that nothing was compared."""
    (reports / "copy.json").write_bytes((reports / "base.json").read_bytes())
    (reports / "link.json").unlink(missing_ok=True)
    (reports / "link.json").symlink_to("base.json")

    assert "THE SAME RUN" in compare("base.json", "copy.json", *DROP)[1]
    for same in ("base.json", "link.json"):
        code, _, err = compare("base.json", same, *DROP)
        assert code == 2
        assert "are one file" in err


def test_benchmarks_of_other_names_may_be_compared_by_hand(compare, reports):
    renamed = json.loads((reports / "base.json").read_text()) | {"name": "lids"}
    (reports / "lids.json").write_text(json.dumps(sealed(renamed)))

    code, out, _ = compare("lids.json", "same.json", *DROP)

    assert code == 0
    assert "note: lids.json is the report of another benchmark: 'lids', and the candidate" in out


def test_folders_are_compared_file_by_file(compare, reports):
    for name, report in (("old", "base"), ("new", "hazy")):
        (reports / name).mkdir(exist_ok=True)
        (reports / name / "caps.json").write_bytes((reports / f"{report}.json").read_bytes())

    assert compare("old", "new", *DROP)[0] == 1
    (reports / "new" / "more.json").write_bytes((reports / "base.json").read_bytes())
    code, _, err = compare("old", "new", *DROP)
    assert code == 2
    assert "more.json" in err


def test_one_strict_report_does_not_make_the_others_strict(compare, reports):
    section = {"miss_rate": {"max_rise": 0.05, "relative": False}, "one_sided": "misses"}
    for name, report, if_undecided in (("a", "same", "fail"), ("b", "blurry", "skip")):
        for folder, source in (("before", "base"), ("after", report)):
            (reports / folder).mkdir(exist_ok=True)
            plain = json.loads((reports / f"{source}.json").read_text())
            plain["config"] = {"regression": {**section, "inconclusive": if_undecided}}
            plain["sha256"]["config"] = sha256_of(plain["config"])
            (reports / folder / f"{name}.json").write_text(json.dumps(sealed(plain)))

    code, out, _ = compare("before", "after")

    assert out.rstrip().splitlines()[-1] == "INCONCLUSIVE: 2 compared"
    assert code == 0
    assert "note: margins: those that the baseline before/a.json was measured with" in out
    assert compare("before", "after", "--strict")[0] == 3


def with_margins(reports, source, file, **margins):
    plain = json.loads((reports / f"{source}.json").read_text())
    section = {m: {"max_drop": value, "relative": False} for m, value in margins.items()}
    plain["config"] = {"regression": {**section, "one_sided": "misses"}}
    plain["sha256"]["config"] = sha256_of(plain["config"])
    (reports / file).write_text(json.dumps(sealed(plain)))


def test_a_candidate_that_widens_its_margins_does_not_judge_itself(compare, reports):
    with_margins(reports, "base", "strict.json", pixel_segf1=0.05, auroc=0.2)
    with_margins(reports, "hazy", "wide.json", pixel_segf1=0.95)

    code, out, _ = compare("strict.json", "wide.json")

    assert code == 1
    assert "note: margins: those that the baseline strict.json was measured with" in out
    assert out.rstrip().splitlines()[-1] == "REGRESSED: 1 compared"
    code, _, err = compare("base.json", "wide.json")
    assert code == 2
    assert "the candidate does not judge itself" in err


def test_margins_wider_than_those_of_the_baseline_are_told_first(compare, reports):
    with_margins(reports, "base", "strict.json", pixel_segf1=0.05, auroc=0.2)

    _, out, _ = compare("strict.json", "same.json", "--max-drop", "pixel_segf1=0.3", *MISSES)

    notes = [line.strip() for line in out.splitlines() if line.startswith("  note: ")]
    assert set(notes[:2]) == {
        "note: auroc is judged no more; the baseline was measured with max_drop 0.2",
        "note: pixel_segf1: max_drop 0.3 is not what the baseline was measured with: max_drop 0.05",
    }
    _, out, _ = compare("strict.json", "same.json")
    assert "is not what" not in out


def test_margins_that_are_left_out_are_named(compare, reports):
    (reports / "robustness.yaml").write_text(YAML, encoding="utf-8")
    given = ("--config", "robustness.yaml", *DROP)

    _, out, _ = compare("base.json", "same.json", *given)

    assert "--max-drop and --max-rise alone; declared, and left out: bg_fpr" in out
    assert (
        "note: margins: those of robustness.yaml:8"
        in compare("base.json", "same.json", *given[:2])[1]
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"config": None},
        {"name": [1]},
        {"robustness": 3},
        {"config": {"regression": {"min_overlap": "x"}}},
    ],
)
@pytest.mark.parametrize("command", ["compare", "accept"])
def test_a_broken_candidate_is_one_line(reports, capsys, monkeypatch, broken, command):
    monkeypatch.chdir(reports)
    (reports / "robustness.yaml").write_text(YAML, encoding="utf-8")
    plain = json.loads((reports / "base.json").read_text()) | broken
    (reports / "broken.json").write_text(json.dumps(plain))
    rest = ("--reason", "x") if command == "accept" else ()
    files = ("broken.json",) if command == "accept" else ("base.json", "broken.json")
    if command == "compare" and broken.get("config"):  # only the baseline's margins are read
        files = files[::-1]

    assert main([command, *files, *rest]) == 2
    err = capsys.readouterr().err
    assert "broken.json" in err
    assert err.count("\n") == 1


def test_margins_of_a_yaml(compare, reports):
    (reports / "robustness.yaml").write_text(YAML, encoding="utf-8")

    code, out, _ = compare("base.json", "hazy.json", "--config", "robustness.yaml")

    assert code == 1
    assert "robustness.yaml:8" in out


def test_accept_writes_what_compare_reads(reports, capsys, monkeypatch):
    monkeypatch.chdir(reports)
    (reports / "robustness.yaml").write_text(YAML, encoding="utf-8")

    first = main(["accept", "base.json", "--reason", "in production since May"])
    assert first == 0
    assert "stored/caps.json" in capsys.readouterr().out
    stored = json.loads((reports / "stored/caps.json").read_text())
    assert stored["accepted"]["reason"] == "in production since May"

    assert main(["compare", "stored/caps.json", "same.json", *DROP]) == 0
    capsys.readouterr()
    assert main(["accept", "hazy.json", "--reason", "a trial"]) == 0
    assert "pixel_segf1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("base.json", "--reason", " "), "--reason"),
        (("absent.json", "--reason", "x", "--baseline", "b.json"), "absent.json"),
        (("base.json", "--reason", "x", "--config", "absent.yaml"), "--baseline"),
        (("base.json", "--reason", "x", "--profile", "pr"), "was measured under no profile"),
        (("base.json", "--reason", "x", "--baseline", "robustness.yaml"), "is no report of"),
    ],
)
def test_accept_refuses(reports, capsys, monkeypatch, arguments, told):
    monkeypatch.chdir(reports)
    (reports / "robustness.yaml").write_text(YAML, encoding="utf-8")

    assert main(["accept", *arguments]) == 2
    assert told in capsys.readouterr().err

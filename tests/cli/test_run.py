"""``pytest-robustbench run``: the guide's flags, a YAML, and what stands on which stream."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from pytest_robustbench.cli.main import main
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.reports.file.schema import report_schema

DATA = ["--dataset", "mvtec", "--root", "data", "--category", "bottle"]
QUICK = [*DATA, "--model", "pixel_gaussian", "--resize", "0", "0", "--corruptions", "blur"]
GAUSSIAN = [*QUICK, "--severities", "2"]
YAML = """\
schema_version: 1
dataset: {format: mvtec, root: data, category: bottle}
detector: pixel_gaussian
corruptions: none
accept: {all: {%s}}
"""
MEANT = "one_sided: false_alarms}\n"


@pytest.fixture
def run(bottles, capsys):
    """Run the command beside ./data/bottle; return exit code, standard output and error."""

    def call(*arguments):
        code = main(["run", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_report_alone_stands_on_standard_output(run):
    code, out, err = run(*GAUSSIAN)

    report = json.loads(out)
    jsonschema.validate(report, report_schema())
    assert code == 0
    assert report["dataset"] == "mvtec"
    assert report["model"] == "pixel_gaussian"
    assert set(report["robustness"]["corruptions"]["blur"]) == {"severity_2"}
    assert report["verdicts"] == []
    for line in (
        "bottle: 2 conditions",
        "  fit: 24 images",
        "  calibrate: 6 images",
        "  condition 1 of 2 clean: 12 images",
        "  condition 2 of 2 blur-severity_2: 12 images",
    ):
        assert line in err.splitlines()


def test_the_table_fits_80_columns(run):
    _, _, err = run(*GAUSSIAN)

    lines = err.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("condition "))
    first, second = lines[start - 1].split(), lines[start].split()
    assert first == ["pixel_", "false_", "latency_ms_"]
    assert second == ["condition", "segf1", "bg_fpr", "miss_rate", "reject_rate", "per_image"]
    table = lines[start - 1 : start + 3]
    assert {len(line) for line in table} == {len(table[0])}
    assert [line.split()[0] for line in table[2:]] == ["clean", "blur-severity_2"]
    assert "\x1b" not in err


def test_a_condition_with_a_long_name_keeps_its_severity(run, tmp_path, monkeypatch):
    name = "a_name_that_is_longer_than_the_table_has_room_for"
    code = f"def {name}(image, mask, severity, rng):\n    return image ^ 1, mask\n"
    (tmp_path / "long_drift.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    _, _, err = run(*GAUSSIAN, "--corruptions", f"long_drift:{name}")

    row = next(line for line in err.splitlines() if line.startswith("a_name"))
    assert len(row) == 80
    assert "...severity_2 " in row or "...-severity_2 " in row


def test_a_file_takes_the_report(run, tmp_path):
    code, out, err = run(*GAUSSIAN, "--output", "runs/deep/bottle.json")

    assert (code, out) == (0, "")
    jsonschema.validate(
        json.loads((tmp_path / "runs/deep/bottle.json").read_text()), report_schema()
    )
    assert "runs/deep/bottle.json" in err


def test_a_folder_takes_a_report_by_the_name_of_its_benchmark(run, tmp_path):
    code, out, _ = run(*GAUSSIAN, "--output-dir", "runs")

    assert (code, out) == (0, "")
    assert {p.name for p in (tmp_path / "runs").glob("*.json")} == {"bottle.json", "session.json"}


def test_every_flag_of_the_guide_reaches_the_configuration(run):
    code, out, _ = run(
        *DATA,
        *("--model", "vision_patchcore", "--preset", "industrial-fast", "--device", "cpu"),
        *("--pixel-normal-quantile", "0.99", "--pixel-calibration-fraction", "0.3"),
        *("--pixel-calibration-seed", "7", "--corruptions", "blur,glare", "--severities", "1", "4"),
        *("--seed", "5", "--resize", "16", "24", "--no-pretrained", "--model-kwargs", '{"k": 1}'),
        *("--checkpoint-path", "w.pt", "--no-pixel-segf1", "--pixel-postprocess"),
        *("--limit-train", "20", "--limit-test", "8", "--input-mode", "paths", "--emit-config"),
    )

    assert code == 0
    assert yaml.safe_load(out) == {
        "schema_version": 1,
        "name": "bottle",
        "dataset": {"format": "mvtec", "root": "data", "category": "bottle", "resize": [16, 24]},
        "detector": {
            "name": "vision_patchcore",
            "preset": "industrial-fast",
            "device": "cpu",
            "input_mode": "paths",
            "kwargs": {"k": 1, "pretrained": False, "checkpoint_path": "w.pt"},
        },
        "calibration": {"pixel_normal_quantile": 0.99, "fraction": 0.3, "seed": 7},
        "corruptions": ["blur", "glare"],
        "severities": [1, 4],
        "seed": 5,
        "pixel_segf1": False,
        "limit_train": 20,
        "limit_test": 8,
        "postprocess": {"gaussian_sigma": 2.0},
        "measure_only": ["clean", "blur", "glare"],
    }


def test_without_flags_the_guides_defaults_are_meant(run):
    _, out, _ = run(*DATA, "--emit-config")

    meant = yaml.safe_load(out)
    assert meant["detector"] == {"name": "vision_patchcore"}
    assert meant["dataset"]["resize"] == [256, 256]
    assert meant["corruptions"] == ["lighting", "jpeg", "blur", "glare", "geo_jitter"]


def numbers(report):
    """Everything of a report that a second run repeats."""
    return {
        condition: (record["data_digest"], record["per_image"], record["results"]["threshold"])
        for condition, record in [
            ("clean", report["robustness"]["clean"]),
            *report["robustness"]["corruptions"]["blur"].items(),
        ]
    }


def test_the_emitted_yaml_means_what_the_flags_mean(run, tmp_path):
    flags = [*GAUSSIAN, "--limit-test", "6", "--pixel-calibration-seed", "3"]
    _, by_flags, _ = run(*flags)
    _, text, _ = run(*flags, "--emit-config")
    (tmp_path / "robustness.yaml").write_text(text, encoding="utf-8")

    code, by_yaml, _ = run("--config", "robustness.yaml")

    assert code == 0
    assert numbers(json.loads(by_yaml)) == numbers(json.loads(by_flags))
    (benchmark,) = load_config(tmp_path / "robustness.yaml").benchmarks
    assert benchmark.limit_test == 6


def test_a_dollar_sign_in_a_flag_is_no_variable(run):
    _, out, _ = run("--dataset", "mvtec", "--root", "$HOME/x", "--category", "a", "--emit-config")

    assert yaml.safe_load(out)["dataset"]["root"] == "$$HOME/x"


def test_fewer_test_images_are_balanced_and_it_says_so(run):
    _, out, err = run(*GAUSSIAN, "--limit-test", "4")

    assert json.loads(out)["samples"]["label"] == [1, 1, 0, 0]
    assert "4 of 12 test images" in err
    assert "balanced" in err


@pytest.mark.parametrize(
    ("limit", "code", "said"),
    [
        ("miss_rate: {max: 0.5}, one_sided: misses", 0, ""),
        (
            "latency_ms_per_image: {max: 0.0001}, f1: {min: 0.1}, one_sided: misses",
            1,
            "clean: latency_ms_per_image = ",
        ),
        ("pixel_segf1: {min: 0.1}, normal_fpr: {max: 0.0}", 1, "clean: normal_fpr = "),
    ],
)
def test_the_limits_of_a_yaml_decide_the_exit_code(run, tmp_path, limit, code, said):
    (tmp_path / "r.yaml").write_text(YAML % limit, encoding="utf-8")

    found, out, err = run("--config", "r.yaml")

    assert found == code
    assert json.loads(out)["verdicts"]
    assert said in err
    assert ("above the ceiling" in err) == bool(said)


def test_wrong_decisions_that_no_limit_sees_are_told_after_the_limits(run, tmp_path):
    frozen = "operating_point: {pixel_threshold: 1000, image_threshold: -1}\n"
    pixels = "normal_fpr: {max: 0.5}, one_sided: false_alarms"
    (tmp_path / "r.yaml").write_text(YAML % pixels + frozen, encoding="utf-8")

    code, _, err = run("--config", "r.yaml")

    assert code == 0
    told = "clean: most image decisions on good parts are wrong (false_reject_rate 1), and no limit"
    assert any(told in line for line in err.splitlines() if "1 of 1 limits hold" in line)


def test_a_condition_that_cannot_be_measured_is_no_success(run, tmp_path):
    more = "recorded: {led: {format: folder, test_dir: drift}}\n"
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )

    code, out, err = run("--config", "r.yaml")

    assert code == 1
    assert json.loads(out)["missing"] == ["recorded-led"]
    assert "recorded-led could not be measured" in err


def test_several_benchmarks_need_a_folder(run, tmp_path):
    text = YAML % "miss_rate: {max: 0.99}, one_sided: misses"
    several = text.replace("detector: pixel_gaussian", "detector: [pixel_gaussian, other]")
    shelf = "detectors: {other: {name: pixel_gaussian}}\n"
    (tmp_path / "r.yaml").write_text(
        several.replace("schema_version: 1\n", f"schema_version: 1\n{shelf}"), encoding="utf-8"
    )

    code, _, err = run("--config", "r.yaml")
    assert code == 2
    assert "--output-dir" in err

    code, out, _ = run("--config", "r.yaml", "--output-dir", "runs")
    assert (code, out) == (0, "")
    assert len(list((tmp_path / "runs").glob("bottle*.json"))) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--dataset, --root, --category missing"),
        (["--dataset", "mvtec", "--category", "x"], "--root missing"),
        ([*DATA, "--model-kwargs", "{"], "--model-kwargs is no JSON"),
        ([*DATA, "--model-kwargs", "[1]"], "--model-kwargs is a JSON object"),
        ([*DATA, "--model", "patchcor"], "did you mean 'patchcore'?"),
        ([*DATA, "--corruptions", "blurr"], "did you mean 'blur'?"),
        ([*DATA, "--corruptions", ","], "--corruptions names none"),
        ([*DATA, "--severities", "6"], "unknown severity 6"),
        ([*DATA, "--preset", "industrial"], "unknown preset 'industrial'"),
        ([*DATA, "--pixel-normal-quantile", "1"], "pixel_normal_quantile"),
        ([*DATA, "--limit-test", "0"], "limit_test"),
        (["--dataset", "mvtek", *DATA[2:]], "unknown dataset format 'mvtek'"),
        ([*GAUSSIAN[:5], "cap", *GAUSSIAN[6:]], "Categories there: bottle"),
        ([*GAUSSIAN, "--no-pretrained"], "pixel_gaussian has no setting 'pretrained'"),
        (["--config", "r.yaml", "--seed", "3"], "leave out --seed"),
        (["--config", "none.yaml"], "none.yaml: cannot be read"),
        (["--profile", "pr", *DATA], "name it with --config"),
        ([*GAUSSIAN, "--output", "a", "--output-dir", "b"], "not both"),
        ([*GAUSSIAN, "--json"], "--json belongs to --list-models"),
        (["--config", "r.yaml", "--emit-config"], "--emit-config"),
        ([*DATA, "--resize", "16"], "--resize"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(run, arguments, words):
    code, out, err = run(*arguments)

    assert code == 2
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert "robustness.yaml:" not in err


def test_a_device_that_is_not_there_is_one_clear_error(run):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")

    code, out, err = run(*DATA, "--device", "cuda")

    assert (code, out) == (2, "")
    message = err.splitlines()[-1]
    assert "device 'cuda' is not available" in message
    assert "device: auto" in message


@pytest.mark.parametrize("as_json", [False, True])
def test_models_are_listed(run, as_json):
    code, out, _ = run("--list-models", *(["--json"] if as_json else []))

    names = json.loads(out)["models"] if as_json else out.splitlines()
    assert code == 0
    assert {"patchcore", "softpatch", "patch_knn", "pixel_gaussian"} <= set(names)
    aliases = {"vision_patchcore", "vision_softpatch", "vision_anomalydino", "vision_superad"}
    assert aliases <= set(names)


@pytest.mark.parametrize(
    "flags",
    [
        (
            *(
                "--preset",
                "industrial-fast",
                "--device",
                "auto",
                "--pixel-normal-quantile",
                "0.999",
            ),
            *("--pixel-calibration-fraction", "0.2", "--corruptions", "lighting,jpeg"),
            *("--severities", "1", "5", "--limit-test", "8"),
        ),
        (
            *("--device", "cpu", "--no-pretrained", "--corruptions", "lighting"),
            *("--severities", "1", "--limit-train", "12", "--limit-test", "8"),
        ),
    ],
)
def test_the_commands_of_the_guide_run_on_real_images(run, test_data, tmp_path, flags):
    """As written there, but for the root, the category, and how much is measured."""
    pytest.importorskip("torch")
    root = test_data / "mvtec_layout"
    data = ("--dataset", "mvtec", "--root", root, "--category", "hazelnut_toy")

    code, out, _ = run(*data, "--model", "vision_patchcore", *flags, "--output", "runs/r.json")

    report = json.loads((tmp_path / "runs/r.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, report_schema())
    assert (code, out) == (0, "")
    assert report["complete"] is True
    assert report["model"] == "patchcore"
    assert report["detector"]["parameters"]["pretrained"] is ("--no-pretrained" not in flags)


NOISY = """\
import pytest_robustbench as rb
from pytest_robustbench.detectors.loading import load_detector


class Noisy:
    def __init__(self):
        self.inner = load_detector("pixel_gaussian")

    def fit(self, images):
        print("fitting")
        self.inner.fit(images)

    def predict(self, images):
        print("predicting")
        return self.inner.predict(images)
"""


def test_what_a_detector_prints_does_not_stand_before_the_report(run, tmp_path):
    (tmp_path / "noisy_line_model.py").write_text(NOISY, encoding="utf-8")

    code, out, err = run(*DATA, "--model", "noisy_line_model:Noisy", "--corruptions", "none")

    assert code == 0
    assert json.loads(out)["model"] == "Noisy"
    assert "fitting" in err


def test_one_benchmark_that_cannot_be_measured_leaves_the_others_intact(run, tmp_path):
    text = """\
schema_version: 1
defaults: {detector: pixel_gaussian, corruptions: none,
          accept: {all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}}}
benchmarks:
  cap: {dataset: {format: mvtec, root: data}}
  bottle: {dataset: {format: mvtec, root: data}}
"""
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")

    code, _, err = run("--config", "r.yaml", "--output-dir", "runs")

    assert code == 2
    assert "category 'cap' is not in" in err
    assert json.loads((tmp_path / "runs/bottle.json").read_text())["complete"] is True


@pytest.mark.parametrize("output", [("--output", "data"), ("--output-dir", "r.txt")])
def test_a_report_that_could_not_be_written_is_refused_before_the_run(run, tmp_path, output):
    (tmp_path / "r.txt").write_text("a file", encoding="utf-8")

    code, _, err = run(*GAUSSIAN, *output)

    assert code == 2
    assert output[0] in err
    assert "fit:" not in err


def test_a_regression_that_cannot_be_judged_is_no_pass(run, tmp_path):
    more = "regression: {baseline: b.json, miss_rate: {max_rise: 0.1}, one_sided: misses}\n"
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )

    code, _, err = run("--config", "r.yaml")

    assert code == 2
    assert "no baseline at" in err
    assert "--without-baseline" in err
    assert "fit:" not in err


def test_a_baseline_is_compared_with(run, tmp_path):
    more = "regression: {baseline: stored.json, bg_fpr: {max_rise: 0.1}, " + MEANT
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )
    code, _, err = run("--config", "r.yaml", "--output", "first.json", "--without-baseline")
    assert code == 0
    assert "bottle: regression: not judged (--without-baseline)" in err
    (tmp_path / "first.json").rename(tmp_path / "old.json")
    assert main(["accept", "old.json", "--reason", "in use", "--config", "r.yaml"]) == 0

    code, _, err = run("--config", "r.yaml", "--output", "report.json")

    assert code == 0
    assert "against baseline stored.json: PASS" in err
    (compared,) = json.loads((tmp_path / "report.json").read_text())["regression"]
    assert compared["outcome"] == "pass"


@pytest.mark.parametrize("output", [("--output", "bottle.json"), ("--output-dir", ".")])
def test_a_report_is_not_written_over_its_own_baseline(run, tmp_path, output):
    more = "regression: {baseline: '{name}.json', bg_fpr: {max_rise: 0.1}, " + MEANT
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )
    (tmp_path / "bottle.json").write_text("the baseline", encoding="utf-8")

    code, _, err = run("--config", "r.yaml", *output)

    assert code == 2
    assert "r.yaml:6: the report of 'bottle' would be written over its own baseline" in err
    assert "fit:" not in err
    assert (tmp_path / "bottle.json").read_text(encoding="utf-8") == "the baseline"


def test_a_baseline_whose_place_is_not_known_is_told_before_the_run(run, tmp_path):
    more = "regression: {baseline: '${NOWHERE_SET}/b.json', bg_fpr: {max_rise: 0.1}, " + MEANT
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )

    code, _, err = run("--config", "r.yaml")

    assert code == 2
    assert "r.yaml:6: environment variable 'NOWHERE_SET' is not set" in err
    assert "fit:" not in err


def test_a_comparison_that_goes_wrong_loses_no_report(run, tmp_path, monkeypatch):
    more = "regression: {baseline: b.json, bg_fpr: {max_rise: 0.1}, " + MEANT
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")

    def broken(_):
        raise ZeroDivisionError("of ours\nand long")

    monkeypatch.setattr("pytest_robustbench.reports.compare.regression.judge_matches", broken)
    code, out, err = run("--config", "r.yaml")

    assert code == 70
    assert json.loads(out)["complete"] is True
    last = err.splitlines()[-1]
    assert "run: unexpected ZeroDivisionError: of ours and long (test_run.py:" in last


def test_a_benchmark_that_cannot_be_compared_leaves_the_others(run, tmp_path, monkeypatch):
    def unset(declaration, *_):
        raise ConfigError("gone meanwhile")

    more = "regression: {baseline: b.json, bg_fpr: {max_rise: 0.1}, " + MEANT
    (tmp_path / "r.yaml").write_text(
        YAML % "bg_fpr: {max: 0.99}, one_sided: false_alarms" + more, encoding="utf-8"
    )
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr("pytest_robustbench.config.matches.matches_of", unset)
    code, out, err = run("--config", "r.yaml")

    assert code == 1
    assert "bottle: not compared: gone meanwhile" in err
    assert json.loads(out)["complete"] is True

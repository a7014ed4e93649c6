"""``pytest-robustbench init``: from a folder of images to a gate that runs."""

from __future__ import annotations

import shutil
from unittest.mock import ANY

import pytest

from pytest_robustbench.cli.main import main
from pytest_robustbench.config.loader import load_config


def init(capsys, *arguments):
    code = main(["init", *map(str, arguments)])
    return code, capsys.readouterr().err


def test_a_recognised_folder_becomes_a_gate_that_runs(bottles, capsys, pytester, monkeypatch):
    monkeypatch.chdir(pytester.path)
    code, err = init(capsys, bottles)

    assert code == 0
    assert "robustness.yaml" in err
    text = (pytester.path / "robustness.yaml").read_text(encoding="utf-8")
    assert "#" in text
    (benchmark,) = load_config(pytester.path / "robustness.yaml").benchmarks
    assert benchmark.name == "bottle"
    assert benchmark.dataset.format == "mvtec"
    quick = text.replace("name: patchcore", "name: pixel_gaussian")
    (pytester.path / "robustness.yaml").write_text(quick, encoding="utf-8")
    result = pytester.runpytest_subprocess("-m", "robustness")
    # 15 corrupted conditions are only measured; clean is judged, and so is completeness.
    outcomes = result.parseoutcomes()
    assert outcomes["skipped"] == 15
    assert outcomes.get("passed", 0) + outcomes.get("failed", 0) == 2
    assert "errors" not in outcomes


def test_the_root_is_relative_to_where_the_file_goes(bottles, capsys, tmp_path):
    code, _ = init(capsys, "data", "--category", "bottle", "--into", "gates/bottle")

    assert code == 0
    (benchmark,) = load_config(tmp_path / "gates/bottle/robustness.yaml").benchmarks
    assert benchmark.dataset.options["root"] == "../../data"


def test_nothing_is_replaced_unasked(bottles, capsys, tmp_path):
    (tmp_path / "robustness.yaml").write_text("mine", encoding="utf-8")

    code, err = init(capsys, "data")
    assert code == 2
    assert "--force" in err
    assert (tmp_path / "robustness.yaml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "test_robustness.py").exists()

    assert init(capsys, "data", "--force")[0] == 0
    assert load_config(tmp_path / "robustness.yaml").benchmarks


def test_limits_are_those_the_data_can_carry(bottles, capsys, tmp_path):
    shutil.rmtree(bottles / "bottle/ground_truth")

    assert init(capsys, "data")[0] == 0

    (benchmark,) = load_config(tmp_path / "robustness.yaml").benchmarks
    assert benchmark.evaluation.pixel_segf1 is False
    assert {limit.metric for limit in benchmark.limits["clean"]} == {
        "bg_fpr",
        "miss_rate",
        "false_reject_rate",
    }


@pytest.mark.parametrize(("kept", "side"), [("good", "false_alarms"), ("broken", "misses")])
def test_images_of_one_class_give_limits_of_one_side(bottles, capsys, tmp_path, kept, side):
    for folder in (bottles / "bottle/test").iterdir():
        if (folder.name == "good") != (kept == "good"):
            shutil.rmtree(folder)

    assert init(capsys, "data") == (0, ANY)

    (benchmark,) = load_config(tmp_path / "robustness.yaml").benchmarks
    assert benchmark.one_sided == {"clean": side}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere is not a folder"),
        (["empty"], "no dataset is recognised"),
        (["data", "--category", "cap"], "cap"),
    ],
)
def test_a_folder_that_says_nothing_is_one_message(bottles, capsys, tmp_path, arguments, words):
    (tmp_path / "empty").mkdir()

    code, err = init(capsys, *arguments)

    assert code == 2
    assert words in err
    assert not (tmp_path / "robustness.yaml").exists()


def test_several_categories_want_a_choice(bottles, capsys):
    shutil.copytree(bottles / "bottle", bottles / "cap")

    code, err = init(capsys, "data")

    assert code == 2
    assert "--category" in err
    assert "bottle" in err
    assert "cap" in err

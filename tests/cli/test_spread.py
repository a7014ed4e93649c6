"""``pytest-robustbench spread``: training again, beside what a regression limit allows."""

from __future__ import annotations

import argparse
import json
import statistics
import sys

import pytest

from pytest_robustbench.cli.commands import spread as command
from pytest_robustbench.errors import ConfigError, RobustbenchError

YAML = """\
schema_version: 1
dataset: {format: mvtec, root: data, category: bottle}
detector: %s
corruptions: [blur]
severities: [2]
accept: {all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}}
"""
REGRESSION = """\
regression:
  baseline: baselines/{name}.json
  pixel_segf1: {max_drop: 0.02}
  miss_rate: {max_rise: 0.1}
  one_sided: misses
  latency_relative: {max_rise: 0.2, relative: true}
"""
MODELS = """\
import cv2
import numpy as np

from pytest_robustbench import Prediction


class Level:
    # Far from the fitted images' mean gray level is anomalous; on top, noise that a seed decides.

    def __init__(self, noise=0.0, seed=0):
        self.noise, self.seed = noise, seed

    def fit(self, images):
        self.mean = np.mean([image.mean() for image in images])

    def predict(self, images):
        maps = [self.map(image) for image in images]
        return Prediction(np.array([m.mean() + m.max() for m in maps], np.float32), maps)

    def map(self, image):
        gray = cv2.blur(image[:, :, 0].astype(np.float32), (3, 3))
        pattern = np.random.default_rng(self.seed).random(gray.shape)
        return (np.abs(gray - self.mean) + self.noise * pattern).astype(np.float32)


class Fixed(Level):
    def fit(self, images):
        self.mean = 120.0


def unseeded():
    return Level()


def seeded(seed=0):
    print("chatter of a detector")
    return Level(200.0, seed)


def fixed():
    return Fixed()
"""
FIXED_POINT = "operating_point: {pixel_threshold: 40, image_threshold: 60}\n"


@pytest.fixture
def spread(bottles, tmp_path, capsys, monkeypatch):
    """Run the command on a YAML beside ./data/bottle; return exit code and both streams."""
    (tmp_path / "spread_models.py").write_text(MODELS)
    monkeypatch.delitem(sys.modules, "spread_models", raising=False)

    def call(detector, *arguments, more=REGRESSION):
        (tmp_path / "robustness.yaml").write_text(YAML % detector + more)
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        code = command.run(parser.parse_args(["--config", "robustness.yaml", *arguments]))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield call
    sys.modules.pop("spread_models", None)


def test_every_limit_and_condition_has_its_spread(spread):
    code, out, _ = spread("spread_models:seeded", "--format", "json", "--refits", "6")
    found = json.loads(out)

    assert code == 0
    assert found["seeds"] == [0, 1, 2, 3, 4, 5]
    assert found["varied"] == ["calibration", "detector"]
    rows = {(row["metric"], row["condition"]): row for row in found["spreads"]}
    assert set(rows) == {
        (metric, condition)
        for metric in ("pixel_segf1", "miss_rate")
        for condition in ("clean", "blur-severity_2")
    }
    for row in rows.values():
        values = row["values"]
        assert len(values) == 6
        assert row["mean"] == pytest.approx(statistics.fmean(values))
        assert row["std"] == pytest.approx(statistics.stdev(values))
        assert (row["lowest"], row["highest"]) == (min(values), max(values))
        assert row["exceeds"] == (row["std"] > row["allowed"] / 2)
    assert rows["pixel_segf1", "clean"]["exceeds"]
    assert rows["pixel_segf1", "clean"]["max_drop"] == 0.02


def test_what_swings_more_than_half_of_the_margin_is_marked_and_warned_of(spread):
    _, out, err = spread("spread_models:seeded")

    (row,) = [line for line in out.splitlines() if line.startswith("pixel_segf1  clean ")]
    assert "more than half of what is allowed" in row
    (warning,) = [
        line for line in err.splitlines() if line.startswith("warning: clean: pixel_segf1")
    ]
    assert "over 5 refits" in warning
    assert "robustness.yaml:9" in warning
    assert "chatter" not in out


def test_a_detector_without_seed_swings_with_its_calibration_alone(spread):
    _, out, _ = spread("spread_models:unseeded", "--format", "json")
    found = json.loads(out)

    assert found["varied"] == ["calibration"]
    assert not found["identical"]
    assert max(row["std"] for row in found["spreads"]) > 0


def test_a_declared_seed_is_where_the_seeds_start(spread):
    detector = "{name: 'spread_models:seeded', kwargs: {seed: 2}}"
    values = {}
    for name in ("spread_models:seeded", detector):
        more = REGRESSION + FIXED_POINT
        found = json.loads(spread(name, "--format", "json", more=more)[1])
        values[name] = found["spreads"][0]["values"]

    # Frozen thresholds: only the fit part differs a little beside the seed.
    assert values[detector][:3] == pytest.approx(values["spread_models:seeded"][2:], abs=0.05)


def test_identical_refits_are_called_deterministic(spread):
    code, out, err = spread("spread_models:fixed", more=REGRESSION + FIXED_POINT)

    assert code == 0
    assert "deterministic" in err
    assert "warning" not in err
    assert "half of what is allowed" not in out


def test_a_file_takes_the_result(spread, tmp_path):
    code, out, err = spread("spread_models:fixed", "--output", "spread.json", "--format", "json")

    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "spread.json").read_text())["benchmark"] == "bottle"
    assert "spread.json" in err


@pytest.mark.parametrize(
    ("detector", "arguments", "more", "problem"),
    [
        ("spread_models:fixed", ["--refits", "4"], REGRESSION, "5 at least"),
        ("{name: 'spread_models:fixed', fitted: true}", [], None, "nothing to train again"),
        ("spread_models:fixed", [], "", "declare one under regression"),
        ("spread_models:fixed", ["--benchmark", "nut"], REGRESSION, "no benchmark 'nut'"),
        ("spread_models:fixed", ["--output", "gone/a.json"], REGRESSION, "cannot be written"),
    ],
    ids=["few refits", "fitted", "no margins", "unknown name", "no folder"],
)
def test_mistakes_are_told_before_anything_is_trained(spread, detector, arguments, more, problem):
    with pytest.raises(ConfigError, match=problem):
        spread(detector, *arguments, more=REGRESSION + FIXED_POINT if more is None else more)


def test_a_detector_that_cannot_be_made_is_named(spread):
    with pytest.raises(RobustbenchError, match="spread_models:nobody"):
        spread("spread_models:nobody")


def test_a_condition_that_cannot_be_measured_ends_the_command(spread, tmp_path):
    broken = MODELS + (
        "\n\nclass Breaking(Fixed):\n"
        "    def predict(self, images):\n"
        "        if any(image.max() > 220 for image in images):\n"
        "            raise RuntimeError('lost')\n"
        "        return super().predict(images)\n"
    )
    (tmp_path / "spread_models.py").write_text(broken)

    with pytest.raises(RobustbenchError, match=r"could not be measured.*lost"):
        spread("spread_models:Breaking")

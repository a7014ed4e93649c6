"""The model of this YAML, whatever another folder or an earlier run has loaded under its name."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from pytest_robustbench.cli.main import main
from tests.plugin.robustness_project import SUITE, Project, only_messages

MODULE = """\
import numpy as np
from pytest_robustbench import Prediction


class Model:
    def __init__(self, path):
        self.start = np.load(path)

    def fit(self, images):
        pass

    def predict(self, images):
        from late import finished
        maps = np.stack([finished(image, self.start) for image in images])
        return Prediction(maps.max((1, 2)), maps)
"""
LATE = "def finished(image, start): return image.mean(2) - start + {offset}\n"
UNIT = "import line_models, late\n\ndef test_unit(): pass\n"
DETECTOR = '{name: "line_models:Model", kwargs: {path: start.npy}}'
FEW = {
    "accept": "all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}",
    "corruptions": "[blur]",
    "severities": "[3]",
    "detector": DETECTOR,
}


def pixel_threshold(project: Project, folder: Path | None = None) -> float:
    """Return what tells the models apart: the offset is part of every score."""
    return project.report(folder=folder)["operating_point"]["pixel_threshold"]


def write_model(project: Project, folder: str, offset: int) -> Path:
    project.write(f"{folder}/line_models.py", MODULE)
    project.write(f"{folder}/late.py", LATE.format(offset=offset))
    np.save(project.path / folder / "start.npy", np.float32(0))
    return project.path / folder


@pytest.fixture
def project(project: Project) -> Project:
    """The YAML in packages/b; another model and its unit test in packages/a."""
    (project.path / "line_models.py").unlink()
    (project.path / "test_line.py").unlink()
    write_model(project, "packages/a", 1000)
    b = write_model(project, "packages/b", 0)
    project.yaml(**FEW)
    shutil.move(project.path / "robustness.yaml", b / "robustness.yaml")
    project.write("packages/b/test_gate.py", SUITE)
    project.write("packages/a/test_models.py", UNIT)
    return project


CONFIG = ("--robustness-config", "packages/b/robustness.yaml")


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_another_model_of_that_name_was_imported_before(project: Project, mode: str) -> None:
    if mode == "importlib":
        project.write("packages/a/conftest.py", "import sys; sys.path.insert(0, 'packages/a')\n")

    result = project.run(*CONFIG, f"--import-mode={mode}", "packages")

    result.assert_outcomes(passed=4)
    assert pixel_threshold(project) < 500


def test_two_files_of_one_session_have_each_its_own(project: Project) -> None:
    a, b = project.path / "packages" / "a", project.path / "packages" / "b"
    shutil.copy(b / "robustness.yaml", a / "robustness.yaml")
    project.write("packages/a/test_first.py", SUITE)

    project.run("packages").assert_outcomes(passed=7)

    low, high = (
        pixel_threshold(project, project.reports / "packages" / folder.name) for folder in (b, a)
    )
    assert low < 500
    assert high == pytest.approx(low + 1000)


def test_workers_and_the_command_line_judge_the_same_model(project: Project) -> None:
    project.run_apart(*CONFIG, "-n", "2", "packages").assert_outcomes(passed=4)
    threshold = pixel_threshold(project)
    assert threshold < 500

    config = str(project.path / "packages/b/robustness.yaml")
    assert main(["run", "--config", config, "--output-dir", "out"]) == 0

    assert pixel_threshold(project, project.path / "out") == threshold


def test_a_second_session_of_the_process_judges_what_lies_there_then(project: Project) -> None:
    project.run(*CONFIG, "packages/b")
    assert pixel_threshold(project) < 500

    write_model(project, "packages/b", 2000)
    project.run(*CONFIG, "packages/b")

    assert pixel_threshold(project) > 1500


def test_a_mirror_of_the_package_among_the_tests(project: Project) -> None:
    b = project.path / "packages" / "b"
    project.write("packages/b/line/__init__.py", "")
    project.write("packages/b/tests/line/__init__.py", "")
    project.write("packages/b/tests/line/test_a.py", "def test_a(): pass\n")
    shutil.move(b / "line_models.py", b / "line" / "models.py")
    yaml = b / "robustness.yaml"
    yaml.write_text(yaml.read_text("utf-8").replace("line_models", "line.models"), "utf-8")

    result = project.run(*CONFIG, "packages/b/tests", "packages/b")

    result.assert_outcomes(passed=4)


def test_a_fixture_of_another_folders_model_is_refused_with_both_files(project: Project) -> None:
    b = project.path / "packages" / "b"
    project.write(
        "packages/b/conftest.py",
        """\
        import pytest, sys

        sys.path.insert(0, "packages/a")
        import line_models

        @pytest.fixture(scope="session")
        def robustness_detector():
            return line_models.Model("packages/b/start.npy")
        """,
    )
    yaml = b / "robustness.yaml"
    yaml.write_text(yaml.read_text("utf-8").replace(DETECTOR, "fixture"))

    text = only_messages(project.run(*CONFIG, "packages/b"))

    assert str(b / "line_models.py") in text
    assert str(b.parent / "a" / "line_models.py") in text


# ---- what the report says of it ------------------------------------------------------------------


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_report_tells_code_and_model_file_by_their_content(project: Project) -> None:
    b = project.path / "packages" / "b"
    project.run(*CONFIG, "packages")

    assert project.report()["sources"] == {
        "code": {name: digest(b / name) for name in ("late.py", "line_models.py")},
        "files": {"start.npy": digest(b / "start.npy")},
    }


def test_another_model_file_is_measured_again_wherever_it_lies(project: Project) -> None:
    """Neither its name nor what the detector says of itself has changed, nor the thresholds."""
    project.write(
        "told.py",
        """\
        from pathlib import Path
        from tests.plugin.line_models import MeanDetector

        class Told(MeanDetector):
            def __init__(self, path):
                super().__init__()
                self.start = float(Path(path).read_text())

            def description(self):
                return {"class": "Told"}
        """,
    )
    store = project.path.parent / f"{project.path.name}-store"
    store.mkdir()
    (store / "model").write_text("1")
    detector = f"{{name: 'told:Told', kwargs: {{path: '{store / 'model'}'}}}}"
    extra = "operating_point: {pixel_threshold: 20.0, image_threshold: 30.0}\n"
    project.yaml(**{**FEW, "detector": detector}, extra=extra)

    root = ("--robustness-config", "robustness.yaml")

    def taken_over() -> bool:
        project.run(*root, "--robustness-resume", "packages/b").assert_outcomes(passed=3)
        return any(n.startswith("taken over") for n in project.report()["notes"])

    project.run(*root, "packages/b").assert_outcomes(passed=3)
    assert taken_over()
    (store / "model").write_text("2")
    assert not taken_over()
    assert set(project.report()["sources"]["files"]) == {"model"}

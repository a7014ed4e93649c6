"""What the README says, done: its files run, its YAML loads, its snippets work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml

import pytest_robustbench as rb
from pytest_robustbench.cli.main import main
from pytest_robustbench.config.loader import load_config
from tests.synthetic_tree import write_mvtec_tree

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+\.(?:py|ya?ml))\n")


def blocks(page: str = "README.md") -> list[tuple[str, str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [(m[1], m[2]) for m in BLOCK.finditer(text)]


def files(name: str) -> list[str]:
    """Return every block of the README whose first line names the file."""
    return [body for _, body in blocks() if (m := FILE.match(body)) and m[1] == name]


def test_the_two_commands_stand_at_the_top() -> None:
    commands = [body for language, body in blocks() if language == "bash"]
    assert [language for language, _ in blocks()][:2] == ["bash", "bash"]
    assert len(commands) == 2
    assert all(command.startswith('pip install "torch==2.13.0" -e ') for command in commands)


@pytest.fixture
def line(pytester: pytest.Pytester) -> Path:
    """A folder of images as a user has it: good, test_good, calib_good, bad and masks."""
    tree = write_mvtec_tree(
        pytester.path, category="brushed_metal", n_train=14, n_test_good=4, n_defect=4, size=64
    )
    images = pytester.path / "images"
    (images / "bad").mkdir(parents=True)
    (images / "masks").mkdir()
    good = sorted((tree / "train" / "good").iterdir())
    for index, path in enumerate(good):
        folder = images / ("good" if index < 7 else "calib_good")
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    (tree / "test" / "good").rename(images / "test_good")
    for kind in sorted((tree / "test").iterdir()):
        for path in kind.iterdir():
            name = f"{kind.name}_{path.name}"
            mask = tree / "ground_truth" / kind.name / f"{path.stem}_mask.png"
            path.rename(images / "bad" / name)
            mask.rename(images / "masks" / name)
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error")
    return pytester.path


def write(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body, encoding="utf-8")


def test_my_own_images_and_my_trained_model(pytester: pytest.Pytester, line: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 1, 3, padding=1), torch.nn.Flatten(1, 2), torch.nn.Softplus()
    )
    program = torch.export.export(model.eval(), (torch.zeros(1, 3, 256, 256),))
    torch.export.save(program, line / "v7.pt2")
    for name in ("line/models.py", "test_robustness.py"):
        write(line, name, files(name)[0])
    declared = files("robustness.yaml")[0].partition("accept:")[0]
    write(
        line, "robustness.yaml", declared + "accept: {all: {latency_ms_per_image: {min: 0.001}}}\n"
    )
    refused = pytester.runpytest_subprocess("-m", "robustness")
    refused.stdout.fnmatch_lines(["*robustness.yaml:*latency_ms_per_image*max*"])
    write(
        line,
        "robustness.yaml",
        declared + "accept: {all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}}\n",
    )
    result = pytester.runpytest_subprocess("-m", "robustness", "--robustness-severities=3")
    result.assert_outcomes(passed=6, skipped=1)


def test_my_own_detector_in_a_conftest(pytester: pytest.Pytester, line: Path) -> None:
    write(line, "conftest.py", files("conftest.py")[0])
    write(line, "test_robustness.py", files("test_robustness.py")[0])
    write(line, "test_own.py", files("test_own.py")[0])
    write(
        line,
        "robustness.yaml",
        "schema_version: 1\n"
        "dataset: {format: folder, normal_dir: images/good, test_dir: images/test_good,"
        " abnormal_dir: images/bad, mask_dir: images/masks}\n"
        "detector: fixture\ncorruptions: [blur]\naccept: {all: {bg_fpr: {max: 0.99}, "
        "one_sided: false_alarms}}\n",
    )
    result = pytester.runpytest("-m", "robustness")
    result.assert_outcomes(passed=13)


def test_the_conftest_example_does_the_whole_job(pytester: pytest.Pytester) -> None:
    source = (ROOT / "conftest_example.py").read_text(encoding="utf-8")
    written = re.search(r"that says\n\n(.*?)\n\nand", source, re.DOTALL)
    assert written is not None
    write(pytester.path, "conftest.py", source)
    write(pytester.path, "robustness.yaml", re.sub(r"^    ", "", written[1], flags=re.MULTILINE))
    write(pytester.path, "test_robustness.py", files("test_robustness.py")[0])
    result = pytester.runpytest("-m", "robustness")
    result.assert_outcomes(passed=2, skipped=10)


@pytest.mark.parametrize("page", ["README.md", "docs/reference.md", "docs/regression.md"])
def test_every_whole_configuration_loads(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATA_ROOT", raising=False)
    found = [body for language, body in blocks(page) if "schema_version: 1" in body]
    assert found
    for body in found:
        write(tmp_path, "robustness.yaml", body)
        config = load_config(tmp_path / "robustness.yaml")
        assert config.benchmarks


def test_the_commands_of_the_guide_mean_a_valid_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = [body for _, body in blocks() if "$ pytest-robustbench run" in body]
    commands = [c.replace("\\\n", " ") for c in block.split("$ pytest-robustbench ")[1:]]
    assert len(commands) == 2
    for command in commands:
        arguments = shlex.split(command.partition(">")[0])
        assert main([*arguments, "--emit-config"]) == 0
        write(tmp_path, "robustness.yaml", capsys.readouterr().out)
        (benchmark,) = load_config(tmp_path / "robustness.yaml").benchmarks
        assert benchmark.name == "bottle"


def test_the_corruptions_shown_are_valid(tmp_path: Path) -> None:
    (body,) = [body for _, body in blocks() if body.startswith("corruptions:\n")]
    head = (
        "schema_version: 1\ndataset: fixture\ndetector: fixture\naccept: {"
        "all: {f1: {min: 0.001}, one_sided: misses}}\n"
    )
    write(tmp_path, "robustness.yaml", head + body)

    (benchmark,) = load_config(tmp_path / "robustness.yaml").benchmarks

    assert list(benchmark.corruptions) == ["lighting", "dim", "fast_and_dim", "rain"]


def test_the_ci_examples_are_yaml_and_run_the_marker() -> None:
    for name in (".github/workflows/robustness.yml", ".gitlab-ci.yml"):
        (body,) = files(name)
        assert yaml.safe_load(body)
        assert "pytest -m robustness" in body
        assert "pytest-robustbench verdict robustness-report\n" in body


def test_the_python_snippet_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mvtec_tree(
        tmp_path / "data", category="granite", n_train=12, n_test_good=3, n_defect=3, size=64
    )
    (tmp_path / "data" / "granite").rename(tmp_path / "data" / "hazelnut")
    monkeypatch.chdir(tmp_path)
    (snippet,) = [b for _, b in blocks() if "rb.load_split(" in b]
    image = np.full((32, 32, 3), 90, np.uint8)

    class Model:
        def fit(self, images: list[np.ndarray]) -> None:
            self.mean = np.mean([i.astype(np.float32) for i in images], axis=0)

        def predict(self, images: list[np.ndarray]) -> rb.Prediction:
            maps = np.stack([np.abs(i - self.mean).mean(axis=2) for i in images])
            return rb.Prediction(scores=maps.max(axis=(1, 2)), maps=maps.astype(np.float32))

    drawn = [(np.full((32, 32, 3), 80 + i, np.uint8), i % 2, None) for i in range(4)]
    scope = {
        "model": Model(),
        "image": image,
        "mask": np.zeros((32, 32), np.bool_),
        "train_set": [item[0] for item in drawn],
        "test_set": drawn,
    }
    exec(snippet, scope)
    assert (tmp_path / "robustness.json").is_file()

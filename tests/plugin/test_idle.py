"""Without robustness items the plugin costs and says nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.plugin.robustness_project import SUITE, WITH_PAGE, only_messages, outcomes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.robustness_project import Project

HEAVY = ("numpy", "cv2", "sklearn", "torch", "yaml", "pydantic")
RUNNER = f"""
import json, sys
import pytest

hooks = []


class Spy:
    def pytest_unconfigure(self, config):
        for plugin in config.pluginmanager.get_plugins():
            if getattr(plugin, "__name__", "").startswith("pytest_robustbench"):
                hooks.extend(hook.name for hook in config.pluginmanager.get_hookcallers(plugin))


status = pytest.main(sys.argv[2:], plugins=[Spy()])
heavy = [name for name in {HEAVY!r} if name in sys.modules]
ours = sorted(name for name in sys.modules if name.startswith("pytest_robustbench"))
answer = {{"status": int(status), "heavy": heavy, "ours": ours, "hooks": sorted(hooks)}}
with open(sys.argv[1], "w") as file:
    json.dump(answer, file)
"""
IDLE = [
    "pytest_robustbench",
    "pytest_robustbench.plugin",
    "pytest_robustbench.plugin.fixtures",
    "pytest_robustbench.plugin.options",
]
IDLE_HOOKS = ["pytest_addoption", "pytest_configure", "pytest_generate_tests"]
UNIT = "def test_unit():\n    assert True\n"
OTHERS_OFF = ("-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:benchmark")


def run_and_look(project: Project, *options: str) -> tuple[dict, str]:
    runner = project.write("runner.py", RUNNER)
    answer = project.path / "answer.json"
    done = subprocess.run(
        [sys.executable, str(runner), str(answer), *OTHERS_OFF, *options],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.read_text()), done.stdout + done.stderr


def files(path: Path) -> set[str]:
    return {
        str(p.relative_to(path)) for p in path.rglob("*") if "cache" not in str(p.relative_to(path))
    }


def test_a_plain_project_pays_nothing(project: Project) -> None:
    project.write("test_line.py", UNIT)
    project.write("pytest.ini", WITH_PAGE)  # not one option of ours
    before = files(project.path)
    seen, text = run_and_look(project)
    assert seen["status"] == 0
    assert seen["heavy"] == []
    assert seen["ours"] == IDLE
    assert seen["hooks"] == IDLE_HOOKS
    assert files(project.path) - before == {"runner.py", "answer.json"}
    assert "robustness" not in text.replace("no:robustness", "")
    without, _ = run_and_look(project, "-p", "no:robustbench")
    assert without["heavy"] == []
    assert without["ours"] == []
    assert without["hooks"] == []


def test_a_yaml_alone_is_not_read(project: Project) -> None:
    project.yaml()
    project.write("test_line.py", UNIT)
    seen, text = run_and_look(project)
    assert seen["heavy"] == []
    assert "robustness: robustness.yaml" in text
    assert set(IDLE_HOOKS) < set(seen["hooks"])
    assert not project.reports.exists()


def test_collecting_imports_nothing_that_computes(project: Project) -> None:
    project.yaml()
    seen, _ = run_and_look(project, "--collect-only")
    assert seen["status"] == 0
    assert not {"numpy", "cv2", "sklearn", "torch"} & set(seen["heavy"])
    project.write("test_unit.py", UNIT)
    seen, _ = run_and_look(project, "-m", "not robustness")
    assert seen["status"] == 0
    assert not {"numpy", "cv2", "sklearn", "torch"} & set(seen["heavy"])


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("--help", ["*--robustness-config=FILE*", "*robustness_config (string)*"]),
        ("--markers", ["@pytest.mark.robustness(benchmark, corruption, severity)*"]),
        ("--fixtures", ["robustness_result*", "*What was measured under this condition*"]),
    ],
)
def test_a_plain_project_can_still_ask(project: Project, question: str, answers: list[str]) -> None:
    result = project.run(question)
    assert result.ret == 0
    result.stdout.fnmatch_lines(answers)


@pytest.mark.parametrize("given", ["--robustness-severities=6", "robustness_severities = 6"])
def test_a_bad_option_stops_a_plain_project_too(project: Project, given: str) -> None:
    project.write("test_line.py", UNIT)
    option = given.startswith("--")
    if not option:
        project.write("pytest.ini", f"[pytest]\n{given}\n")
    result = project.run(*([given] if option else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "severities must be numbers above 0, at most 5" in only_messages(result)


def test_a_benchmark_without_a_yaml_is_selected_and_fails(project: Project) -> None:
    project.write("test_unit.py", UNIT)
    result = project.run("-v", "-m", "robustness")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result) == {"robustness.yaml": "error"}
    assert project.session()["problem"] in result.stdout.str()


def test_overrides_may_come_from_a_plugin_of_the_project(project: Project) -> None:
    project.yaml(
        "all: {miss_rate: {max: 0.99}, one_sided: misses}",
        detector="fixture",
        corruptions="[blur]",
    )
    project.write("conftest.py", "pytest_plugins = ['line_fixtures']")
    project.write(
        "line_fixtures.py",
        """
        import pytest
        from tests.plugin.line_models import MeanDetector

        @pytest.fixture(scope="session")
        def robustness_detector():
            return MeanDetector()
        """,
    )
    project.write("test_line.py", UNIT)
    project.write("tests/test_benchmark.py", SUITE)
    found = project.judged()
    assert set(found.values()) == {"passed"}
    assert "hazelnut-complete" in found

"""The example projects run as they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
GENERATED = shutil.ignore_patterns("robustness-report", ".*", "__pycache__")

pytest.importorskip("torch")


def copy(name: str, folder: Path) -> None:
    shutil.copytree(EXAMPLES / name, folder, ignore=GENERATED, dirs_exist_ok=True)


def only_report(folder: Path) -> dict:
    """Return the one report of the run."""
    (path,) = (p for p in (folder / "robustness-report").glob("*.json") if p.stem != "session")
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_quick_start_passes(pytester: pytest.Pytester) -> None:
    copy("quickstart", pytester.path)

    result = pytester.runpytest_subprocess("-m", "robustness")

    assert result.ret == 0
    # Two conditions, the summary, and whether everything was measured; the rest is not judged.
    result.assert_outcomes(passed=4, skipped=24)
    report = only_report(pytester.path)
    assert report["complete"] is True
    assert {v["verdict"] for v in report["verdicts"]} == {"pass"}


@pytest.fixture
def real_category(
    pytester: pytest.Pytester, test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    copy("mvtec", pytester.path)
    monkeypatch.setenv("DATA_ROOT", str(test_data / "mvtec_layout"))
    monkeypatch.setenv("CATEGORY", "hazelnut_toy")
    return pytester.path


def test_the_quick_profile_measures_a_real_category(
    pytester: pytest.Pytester, real_category: Path
) -> None:
    """Whether the limits hold is the category's business; that everything is judged is ours."""
    result = pytester.runpytest_subprocess("-m", "robustness", "--robustness-profile=pr")

    outcomes = result.parseoutcomes()
    report = only_report(real_category)
    assert outcomes.keys() <= {"passed", "failed"}
    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    assert report["complete"] is True
    assert report["missing"] == []
    assert report["category"] == "hazelnut_toy"
    corruptions = report["robustness"]["corruptions"]
    assert len(corruptions) == 5
    n_conditions = 1 + sum(map(len, corruptions.values()))
    # Besides the conditions, the summary and whether everything was measured.
    assert sum(outcomes.values()) == n_conditions + 2
    assert {v["verdict"] for v in report["verdicts"]} <= {"pass", "fail"}

"""Ways to make a gate lie, each tried: none may end green."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

import pytest

from tests.plugin.robustness_project import SUITE, Project, condition, outcomes, text_of

ONE = {"corruptions": "[blur]", "severities": "[3]"}
VIOLATED = "all: {pixel_segf1: {min: 1.0}, one_sided: misses}"
XFAIL_BY_HOOK = """
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.xfail(reason="known"))
"""
FLIPPED = """
    import pytest

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(item):
        outcome = yield
        outcome.get_result().outcome = "passed"
"""


@pytest.mark.parametrize("conftest", [XFAIL_BY_HOOK, FLIPPED])
def test_a_violated_limit_hidden_by_a_conftest(project: Project, conftest: str) -> None:
    project.yaml(VIOLATED, **ONE)
    project.write("conftest.py", conftest)
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result)["hazelnut-complete"] == "failed"
    result.stdout.fnmatch_lines(["violated limits, but no test failed of them*", "clean: pixel_s*"])


@pytest.mark.parametrize(
    "body",
    [
        "with pytest.raises(BaseException): robustness_judge(robustness_result)",
        "try: robustness_judge(robustness_result)\n    except BaseException: pytest.skip('known')",
    ],
)
def test_a_violated_limit_swallowed_by_a_test(project: Project, body: str) -> None:
    project.yaml(VIOLATED, **ONE)
    project.write(
        "test_line.py",
        f"import pytest\n\ndef test_own(robustness_result, robustness_judge):\n    {body}\n",
    )
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result)["hazelnut-complete"] == "failed"


@pytest.mark.parametrize("mark", ["skip", "xfail"])
def test_a_broken_yaml_hidden_by_a_mark(project: Project, mark: str) -> None:
    project.yaml(extra="colour: red")
    project.write("test_line.py", f"import pytest\n{SUITE}pytestmark = pytest.mark.{mark}\n")
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*robustness.yaml-complete*FAILED*", "*unknown key 'colour'*"])
    assert "colour" in project.session()["problem"]


CHANGES = {
    "an image": ("shutil.copy(test / 'good/000.png', test / 'DEFECT/000.png')", "its image "),
    "a mask": ("cv2.imwrite(str(mask), 255 - cv2.imread(str(mask), 0))", "its mask "),
    "the detector": ("self._mean += 9", "says something else of the same image: "),
}


@pytest.mark.parametrize("budget", [1, 1 << 30], ids=["decoded again", "kept in memory"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_under_one_condition_fails_it_and_those_after_it(
    project: Project, change: str, budget: int
) -> None:
    shutil.copytree(project.data, project.path / "data")
    test = project.path / "data/brushed_metal/test"
    defect = next(path for path in sorted(test.iterdir()) if path.name != "good").name
    does, says = CHANGES[change]
    project.write(
        "restless.py",
        f"""\
        import shutil
        from pathlib import Path
        import cv2
        from tests.plugin.line_models import MeanDetector

        class Restless(MeanDetector):
            blurred = 0

            def predict(self, images):
                found = super().predict(images)
                self.blurred += any(image.std() < 1 for image in images)
                if self.blurred == 1:
                    test = Path({str(test)!r})
                    mask = test.parent / "ground_truth/{defect}/000_mask.png"
                    {does.replace("DEFECT", defect)}
                    self.blurred += 1
                return found

        def flat(image, mask, severity, rng):
            return image // 255, mask
        """,
    )
    dataset = "{format: mvtec, root: data, category: brushed_metal}"
    project.yaml(
        detector='{name: "restless:Restless"}',
        dataset=dataset,
        corruptions='[lighting, "restless:flat"]',
        severities="[3]",
        extra=f"memory_budget: {budget}",
    )
    result = project.run("-v")
    found = outcomes(result)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert found["hazelnut-lighting-severity_3"] == "passed"
    assert found["hazelnut-flat-severity_3"] == "error"
    assert found["hazelnut-complete"] == "failed"
    assert says in condition(project.report(), "flat-severity_3")["error"]


def test_thresholds_given_on_the_command_line_complete_nothing(project: Project) -> None:
    project.yaml("all: {miss_rate: {max: 0.0}, one_sided: misses}", **ONE)
    point = project.path / "point.json"
    point.write_text(json.dumps({"pixel_threshold": 0.0, "image_threshold": 0.0}))
    result = project.run("-v", f"--robustness-operating-point={point}")
    assert result.ret == 0
    assert outcomes(result)["hazelnut-complete"] == "skipped"
    report = project.report()
    assert report["complete"] is False
    assert report["narrowed"] == ["--robustness-operating-point"]
    assert report["operating_point"]["method"] == "given"


def test_another_benchmarks_report_gives_no_thresholds(project: Project) -> None:
    project.yaml(**ONE)
    assert project.run().ret == 0
    other = project.reports / "hazelnut.json"
    project.yaml(**ONE, name="acorn")
    result = project.run("-v", f"--robustness-operating-point={other}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*report of benchmark 'hazelnut', not of 'acorn'*"])


def test_no_older_report_stays_beside_a_run_that_measured_nothing(project: Project) -> None:
    project.yaml(**ONE)
    assert project.run().ret == 0
    assert project.report()["complete"] is True
    project.write("test_line.py", f"import pytest\n{SUITE}pytestmark = pytest.mark.skip\n")
    assert project.run().ret == pytest.ExitCode.TESTS_FAILED
    report = project.report()
    assert report["complete"] is False
    assert report["missing"] == ["clean", "blur-severity_3"]


def test_every_declared_benchmark_is_named(project: Project) -> None:
    project.yaml(
        extra="""
        benchmarks:
          acorn: {}
          beech: {}
        """
    )
    text = (project.path / "robustness.yaml").read_text(encoding="utf-8")
    head, _, rest = text.partition("name: hazelnut\n")
    shared, _, names = rest.partition("benchmarks:")
    body = "\n".join(f"  {line}" for line in shared.splitlines())
    project.write("robustness.yaml", f"{head}defaults:\n{body}\nbenchmarks:{names}")
    result = project.run("-k", "acorn")
    assert result.ret == 0, text_of(result)
    result.stdout.fnmatch_lines(["beech: NOT JUDGED, deselected"])
    session = project.session()["benchmarks"]
    assert list(session) == ["acorn", "beech"]
    assert session["acorn"]["complete"] is True
    assert session["beech"]["complete"] is False
    assert len(session["beech"]["deselected"]) == 5


def test_clean_comes_first_in_every_benchmark(project: Project) -> None:
    test_every_declared_benchmark_is_named(project)
    listed = project.run("--collect-only", "-q").stdout.str()
    assert listed.index("beech-clean") < listed.index("beech-lighting-severity_1")


def test_limits_taken_away_by_an_override(project: Project) -> None:
    project.yaml(VIOLATED, **ONE)
    project.write(
        "conftest.py",
        """
        from dataclasses import replace
        import pytest

        @pytest.fixture(scope="session")
        def robustness_benchmark(robustness_benchmark):
            return replace(robustness_benchmark, limits={})
        """,
    )
    result = project.run("-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*overrides robustness_benchmark*"])


def test_a_run_whose_tests_judge_nothing_says_so(project: Project) -> None:
    project.yaml(VIOLATED, **ONE)
    project.write("test_line.py", "def test_own(robustness_threshold):\n    pass\n")
    result = project.run("-v")
    assert outcomes(result)["hazelnut-complete"] == "skipped"
    result.stdout.fnmatch_lines(["*not judged as a whole: 2 of 2 conditions are deselected"])
    assert project.report()["complete"] is False


def test_measuring_everything_judges_nothing(project: Project) -> None:
    project.yaml("{}", **ONE, extra="measure_only: [clean, blur]")
    result = project.run("-v")
    assert outcomes(result)["hazelnut-complete"] == "skipped"
    result.stdout.fnmatch_lines(["*not judged as a whole: no limit is declared*"])


@pytest.mark.parametrize(("wanted", "status"), [(0, 1), (9, 9)])
def test_a_conftest_has_not_the_last_word_on_a_failure(
    project: Project, wanted: int, status: int
) -> None:
    project.yaml(VIOLATED, **ONE)
    project.write(
        "conftest.py",
        f"def pytest_sessionfinish(session):\n    session.exitstatus = {wanted}\n",
    )
    result = project.run_apart("-m", "robustness")
    assert result.ret == status
    session = json.loads((project.reports / "session.json").read_text())
    assert session["exit_status"] == status


@dataclass
class Surprise:
    """Raises what nobody foresaw, deep within."""

    text: str = "a fault of ours"

    def __call__(self, *_: object, **__: object) -> None:
        raise ArithmeticError(self.text)


def test_what_nobody_foresaw_is_one_finding(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_robustbench.evaluation import sweep

    project.yaml(**ONE)
    monkeypatch.setattr(sweep, "measure_pixels", Surprise())
    result = project.run("-v", "--reruns", "1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["not foreseen: ArithmeticError: a fault of ours*"])
    assert "error" in project.report()["robustness"]["clean"]

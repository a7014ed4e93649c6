"""Several robustness.yaml in one repository: the nearest to a test module decides for it."""

from __future__ import annotations

import json

import pytest

from pytest_robustbench.cli.main import main
from tests.extras import needs_pages
from tests.plugin.robustness_project import INI, SUITE, Project, only_messages, text_of

STRICT = "all: {pixel_segf1: {min: 0.999}, miss_rate: {max: 0.9}, one_sided: misses}"
DETECTOR = "pixel_gaussian"


@pytest.fixture
def two(project: Project) -> Project:
    """A lenient file in the rootdir, and a strict one of the same benchmark in a package."""
    project.yaml(detector=DETECTOR, corruptions="[blur]")
    project.yaml(STRICT, detector=DETECTOR, corruptions="[blur]", folder="packages/b")
    project.write("packages/b/tests/test_b.py", SUITE)
    return project


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """Return the outcome of every item of a verbose run, by its node id."""
    lines = [line.split() for line in result.outlines if "::" in line]
    words = ("PASSED", "FAILED", "ERROR", "SKIPPED")
    return {w[0]: w[1].lower() for w in lines if len(w) > 1 and w[1] in words}


def test_each_module_is_judged_by_the_file_nearest_to_it(two: Project) -> None:
    found = outcomes(two.run("-v"))
    inner = "packages/b/tests/test_b.py::test_robustness"
    assert found["test_line.py::test_robustness[hazelnut-clean]"] == "passed"
    assert found["test_line.py::test_robustness[hazelnut-complete]"] == "passed"
    assert found[f"{inner}[hazelnut-clean]"] == "failed"
    assert found[f"{inner}[hazelnut-complete]"] == "passed"

    lenient, strict = two.report(), two.report(folder=two.reports / "packages/b")
    assert {v["verdict"] for v in lenient["verdicts"]} == {"pass"}
    assert "fail" in {v["verdict"] for v in strict["verdicts"]}
    assert lenient["complete"]
    assert strict["complete"]
    session = two.session()["benchmarks"]
    assert {k: v["report"] for k, v in session.items()} == {
        "hazelnut": "hazelnut.json",
        "packages/b/hazelnut": "packages/b/hazelnut.json",
    }
    own = json.loads((two.reports / "packages/b/session.json").read_text())["benchmarks"]
    assert own == {"hazelnut": {**session["packages/b/hazelnut"], "report": "hazelnut.json"}}


@pytest.mark.parametrize("place", ["packages/b", "packages/b/tests/test_b.py::test_robustness"])
def test_pytest_called_above_a_package_judges_by_its_file(two: Project, place: str) -> None:
    result = two.run(place)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "robustness: packages/b/robustness.yaml" in text_of(result)
    assert "(packages/b/robustness.yaml:" in text_of(result)
    assert list(two.session()["benchmarks"]) == ["packages/b/hazelnut"]


def test_a_file_that_is_named_decides_for_all(two: Project) -> None:
    result = two.run("--robustness-config=robustness.yaml")
    assert result.ret == 0
    assert list(two.session()["benchmarks"]) == ["hazelnut"]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_output_names_the_file_of_every_benchmark(
    two: Project, workers: tuple[str, ...]
) -> None:
    text = text_of(two.run(*workers))
    assert "hazelnut (robustness.yaml): " in text
    assert "packages/b/hazelnut (packages/b/robustness.yaml): " in text
    if not workers:
        assert "robustness: robustness.yaml decides for test_line.py" in text
        assert (
            "robustness: packages/b/robustness.yaml decides for packages/b/tests/test_b.py" in text
        )


def test_workers_find_what_one_process_finds_of_each_file(two: Project) -> None:
    two.run()
    alone = [two.report(folder=folder) for folder in (two.reports, two.reports / "packages/b")]
    two.forget()
    result = two.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    shared = [two.report(folder=folder) for folder in (two.reports, two.reports / "packages/b")]
    for first, second in zip(alone, shared, strict=True):
        assert [v["value"] for v in first["verdicts"]] == [v["value"] for v in second["verdicts"]]
        assert second["complete"]
    assert set(two.session()["benchmarks"]) == {"hazelnut", "packages/b/hazelnut"}


def test_workers_find_a_file_that_lies_below_where_pytest_was_called_alone(two: Project) -> None:
    (two.path / "robustness.yaml").unlink()
    (two.path / "test_line.py").unlink()
    result = two.run("-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "robustness: packages/b/robustness.yaml" in text_of(result)
    assert two.report(folder=two.reports / "packages/b")["complete"]


def test_a_file_none_of_whose_items_is_selected_is_told_of_by_workers_too(two: Project) -> None:
    two.run("-n", "2", "packages", "test_line.py", "-k", "test_line")
    deselected = two.session()["benchmarks"]["packages/b/hazelnut"]["deselected"]
    assert len(deselected) == 3


def test_a_file_that_is_broken_leaves_the_others_to_be_judged(two: Project) -> None:
    two.write("packages/b/robustness.yaml", "schema_version: 1\nacept: {}\n")
    two.write("packages/c/test_c.py", SUITE)
    two.write("packages/c/robustness.yaml", "{")
    result = two.run("-v")
    found = outcomes(result)
    assert found["packages/b/tests/test_b.py::test_robustness[robustness.yaml]"] == "error"
    assert found["packages/c/test_c.py::test_robustness[robustness.yaml]"] == "error"
    assert found["test_line.py::test_robustness[hazelnut-complete]"] == "passed"
    problem = two.session()["problem"]
    for part in ("packages/b/robustness.yaml:2:1: ", "packages/c/robustness.yaml:"):
        assert part in problem
        assert part in text_of(result)


def test_a_link_that_leads_nowhere_is_not_passed_over(two: Project) -> None:
    path = two.path / "packages/b/robustness.yaml"
    path.unlink()
    path.symlink_to("nowhere")
    result = two.run("packages")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "decides here, and is no file that can be read" in only_messages(result)


def test_options_narrow_every_file_as_far_as_it_has_what_they_ask_for(two: Project) -> None:
    two.yaml(STRICT, detector=DETECTOR, corruptions="[lighting]", folder="packages/b")
    found = outcomes(two.run("-v", "--robustness-corruptions=lighting"))
    assert [name for name in found if "lighting" in name and "test_b" in name]
    assert [name for name in found if "test_line" in name and "clean" in name]
    assert not [name for name in found if "blur" in name]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--robustness-corruptions=blurr", "runs the corruption 'blurr'; did you mean 'blur'?"),
        ("--robustness-severities=2", "runs severity 2; valid: 1, 3"),
        ("--robustness-profile=nigthly", "unknown profile 'nigthly'"),
        ("--robustness-shard=1/7", "6 conditions are declared"),
    ],
)
def test_what_no_file_has_is_refused_at_once(
    two: Project, option: str, problem: str, workers: tuple[str, ...]
) -> None:
    result = two.run(option, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert problem in only_messages(result)


def test_a_profile_that_one_file_lacks_is_not_run_without_it(two: Project) -> None:
    nightly = "profiles: {nightly: {severities: [3]}}\n"
    two.yaml(detector=DETECTOR, corruptions="[blur]", extra=nightly)
    result = two.run("-v", "--robustness-profile=nightly")
    found = outcomes(result)
    assert found["test_line.py::test_robustness[hazelnut-blur-severity_3]"] == "passed"
    assert found["packages/b/tests/test_b.py::test_robustness[robustness.yaml]"] == "error"
    assert "packages/b/robustness.yaml: unknown profile 'nightly'" in text_of(result)


def test_shards_deal_out_the_conditions_of_all_files(two: Project) -> None:
    measured = []
    for shard in (1, 2):
        two.run(f"--robustness-shard={shard}/2", f"--robustness-report-dir=shard_{shard}")
        for folder in (two.path / f"shard_{shard}", two.path / f"shard_{shard}/packages/b"):
            if (folder / "hazelnut.json").exists():
                report = two.report(folder=folder)
                absent = report["missing"]
                measured += [
                    (folder.name, c) for c in report["config"]["conditions"] if c not in absent
                ]
    assert len(measured) == 6


def test_merging_the_shards_of_several_files_judges_all_of_them(
    two: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    two.run()
    whole = two.session()["benchmarks"]
    for shard in (1, 2):
        two.run(f"--robustness-shard={shard}/2", f"--robustness-report-dir=shards/{shard}")
    assert main(["merge", "shards", "--output-dir", "merged"]) == 1
    merged = two.path / "merged"
    session = json.loads((merged / "session.json").read_text())["benchmarks"]
    assert {k: v["verdicts"] for k, v in session.items()} == (
        {k: v["verdicts"] for k, v in whole.items()}
    )
    assert two.report(folder=merged / "packages/b")["complete"]
    capsys.readouterr()
    assert main(["verdict", "merged"]) == 1
    text = capsys.readouterr().out
    assert "packages/b/hazelnut: " in text
    assert "\n  hazelnut: " not in text

    (two.path / "packages/b/robustness.yaml").unlink()
    assert main(["merge", "shards", "--output-dir", "again"]) == 2
    assert "ran the YAML of packages/b as well" in capsys.readouterr().err


def test_the_page_tells_benchmarks_of_one_name_apart(two: Project) -> None:
    two.run()
    summary = (two.reports / "summary.md").read_text()
    assert " hazelnut: " in summary
    assert " packages/b/hazelnut: " in summary
    assert two.report(folder=two.reports / "packages/b")["place"] == "packages/b"
    assert "place" not in two.report()


@needs_pages
def test_the_page_of_a_folder_shows_the_reports_below_it(
    two: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    two.run("packages")
    assert main(["report", "robustness-report", "-o", "page.html"]) == 0, capsys.readouterr().err
    assert "packages/b/hazelnut" in (two.path / "page.html").read_text()


def test_files_have_baselines_of_their_own(two: Project) -> None:
    shared = 'regression: {baseline: "BASE", miss_rate: {max_rise: 0.5}, one_sided: misses}\n'
    lenient = {"detector": DETECTOR, "corruptions": "[blur]"}
    two.yaml(extra=shared.replace("BASE", "stored/{name}.json"), **lenient)
    two.yaml(
        extra=shared.replace("BASE", "../../stored/{name}.json"), folder="packages/b", **lenient
    )
    text = text_of(two.run("--robustness-update-baseline"))
    assert "would be that of hazelnut and of packages/b/hazelnut" in " ".join(text.split())
    assert not (two.path / "stored").exists()

    given = "--robustness-baseline=stored/{name}.json"
    result = two.run("--robustness-update-baseline", given)
    assert result.ret == 0, text_of(result)
    assert (two.path / "stored/packages/b/hazelnut.json").is_file()
    assert (two.path / "stored/hazelnut.json").is_file()
    result = two.run(given)
    assert result.ret == 0, text_of(result)


def test_a_resumed_run_takes_over_what_each_file_has_measured(two: Project) -> None:
    two.run()
    text = text_of(two.run("--robustness-resume"))
    assert text.count("taken over from an earlier run: 3 of 3 conditions") == 2


def test_items_of_one_file_stay_together_however_they_are_shuffled(two: Project) -> None:
    two.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection_modifyitems(items):
            items[:] = [*items[::2], *items[1::2]]
        """,
    )
    names = [name for name in outcomes(two.run("-v")) if "clean" in name or "severity" in name]
    modules = [name.partition("::")[0] for name in names]
    assert len(modules) == 6
    assert modules == sorted(modules, key=modules.index)


def test_where_none_decides_those_nearby_are_named(project: Project) -> None:
    project.yaml(folder="config")
    project.yaml(folder=".venv/lib/x")
    project.yaml(folder="node_modules/x")
    result = project.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = only_messages(result)
    assert "--robustness-config=config/robustness.yaml" in text
    assert "node_modules" not in text
    assert ".venv" not in text
    assert project.run("--robustness-config=config/robustness.yaml").ret == 0


def test_a_module_of_an_installed_package_is_judged_by_the_file_beside_it(
    project: Project,
) -> None:
    package = project.path / "env" / "site-packages" / "linechecks"
    project.yaml(folder="env/site-packages/linechecks")
    project.write("env/site-packages/linechecks/__init__.py", "")
    project.write("env/site-packages/linechecks/tests/__init__.py", "")
    project.write("env/site-packages/linechecks/tests/test_inside.py", SUITE)
    project.write("pytest.ini", INI + f"pythonpath = . {package.parent}\n")
    result = project.run("--pyargs", "linechecks.tests")
    assert result.ret == 0, text_of(result)
    assert list(project.session()["benchmarks"]) == ["linechecks/hazelnut"]
    assert project.run("-n", "2", "--pyargs", "linechecks.tests").ret == 0
    assert project.report(folder=project.reports / "linechecks")["complete"]


def test_two_files_whose_reports_would_lie_in_one_folder_are_refused(project: Project) -> None:
    (project.path / "linechecks").mkdir()
    project.yaml(folder="linechecks")
    project.write("linechecks/test_first.py", SUITE)
    project.yaml(folder="env/site-packages/linechecks")
    project.write("env/site-packages/linechecks/test_second.py", SUITE)
    result = project.run("linechecks", "env/site-packages/linechecks")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "would both write their reports to linechecks" in only_messages(result)

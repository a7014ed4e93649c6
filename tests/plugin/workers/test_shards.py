"""A run dealt out to several CI jobs."""

from __future__ import annotations

import pytest

from tests.plugin.robustness_project import Project, only_messages, text_of

DECLARED = {"clean", *(f"{c}-severity_{s}" for c in ("lighting", "blur") for s in (1, 3))}


@pytest.fixture
def declared(project: Project) -> Project:
    project.yaml()
    return project


def measured(project: Project, shard: str, *args: str) -> set[str]:
    """Run a shard; return the conditions it has a verdict on."""
    found = project.judged(f"--robustness-shard={shard}", *args)
    names = {name.removeprefix("hazelnut-") for name in found}
    return names - {"complete", "summary", "regression"}


def test_shards_share_the_conditions_evenly_and_leave_none_out(declared: Project) -> None:
    shards = [measured(declared, f"{i}/2") for i in (1, 2)]
    assert shards[0] | shards[1] == DECLARED
    assert not shards[0] & shards[1]
    assert {len(shard) for shard in shards} == {2, 3}


def test_what_else_is_selected_moves_no_condition_to_another_shard(declared: Project) -> None:
    whole = measured(declared, "1/2")
    assert measured(declared, "1/2", "-k", "lighting") == {c for c in whole if "lighting" in c}
    assert measured(declared, "1/2", "-p", "randomly") == whole


def test_a_shard_is_not_judged_as_a_whole_and_its_report_is_not_complete(
    declared: Project,
) -> None:
    found = declared.judged("--robustness-shard=2/2")
    assert found["hazelnut-complete"] == "skipped"
    text = text_of(declared.run("--robustness-shard=2/2"))
    assert "this is shard 2/2: pytest-robustbench merge judges all of them" in text
    report = declared.report()
    assert report["complete"] is False
    assert report["narrowed"] == []
    assert set(report["missing"]) == DECLARED - measured(declared, "2/2")


def test_one_shard_of_one_is_the_whole_run(declared: Project) -> None:
    assert declared.judged("--robustness-shard=1/1")["hazelnut-complete"] == "passed"
    assert declared.report()["complete"] is True


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2", "1/2/3"])
def test_what_is_no_shard_stops_at_once(declared: Project, shard: str) -> None:
    result = declared.run(f"--robustness-shard={shard}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"such as 2/5, not '{shard}'" in only_messages(result)


def test_a_shard_that_would_measure_nothing_stops_at_once(declared: Project) -> None:
    result = declared.run("--robustness-shard=1/6")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "5 conditions are declared" in only_messages(result)


def test_a_shard_may_stand_in_the_ini_file(declared: Project) -> None:
    ini = (declared.path / "pytest.ini").read_text()
    whole = measured(declared, "2/2")
    declared.write("pytest.ini", ini + "robustness_shard = 2/2\n")
    assert {n.removeprefix("hazelnut-") for n in declared.judged()} - {"complete"} == whole


def test_a_broken_yaml_fails_in_every_shard(declared: Project) -> None:
    declared.write("robustness.yaml", "schema_version: 1\n")
    assert declared.run("--robustness-shard=2/2").ret == pytest.ExitCode.TESTS_FAILED

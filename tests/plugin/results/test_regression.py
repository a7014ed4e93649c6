"""A model update is held against the stored baseline, and nothing passes for want of one."""

from __future__ import annotations

import json

import jsonschema
import pytest

from pytest_robustbench.reports.file.schema import session_schema
from tests.plugin.robustness_project import Project, only_messages, outcomes
from tests.synthetic_tree import write_mvtec_tree

MARGINS = """\
regression:
  baseline: "baselines/{name}.json"
  pixel_segf1: {max_drop: 0.3}
  bg_fpr: {max_rise: 0.2}
"""
ITEM = "hazelnut-regression"
HAZY = '{name: "line_models:HazyDetector"}'
MEAN = '{name: "line_models:MeanDetector"}'
NEW_BASELINE = "--robustness-update-baseline"


@pytest.fixture(scope="module")
def many_images(tmp_path_factory: pytest.TempPathFactory):
    """Enough defect images for a verdict on a wide margin."""
    root = tmp_path_factory.mktemp("many")
    write_mvtec_tree(root, n_train=15, n_test_good=12, n_defect=40, size=48)
    return root


@pytest.fixture
def line(project: Project, many_images) -> Project:
    """A project with a regression section, and no baseline yet."""
    line = Project(project.pytester, many_images)
    line.yaml(extra=MARGINS, corruptions="[blur]", severities="[3]")
    return line


@pytest.fixture
def shipped(line: Project) -> Project:
    """A project whose baseline is the model as it is."""
    line.run(NEW_BASELINE, "-q")
    assert line.path.joinpath("baselines/hazelnut.json").is_file()
    line.forget()
    return line


def with_model(line: Project, detector: str, extra: str = MARGINS) -> Project:
    line.yaml(extra=extra, corruptions="[blur]", severities="[3]", detector=detector)
    return line


def came_to(line: Project) -> tuple[str, str | None]:
    """Return what session.json says of the comparison, and with which file."""
    session = line.session()
    jsonschema.validate(session, session_schema(), jsonschema.Draft202012Validator)
    found = session["benchmarks"]["hazelnut"]["regression"]
    return found["outcome"], found["baseline"]


def test_a_missing_baseline_fails_and_names_the_remedy(line):
    result = line.run("-v")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*hazelnut-regression*", "*no baseline at *baselines/hazelnut.json*update-baseline*"]
    )
    only_messages(result)


def test_the_same_model_passes_with_a_difference_of_exactly_zero(shipped):
    assert shipped.judged()[ITEM] == "passed"
    (compared,) = shipped.report()["regression"]
    assert compared["outcome"] == "pass"
    assert [v["condition"] for v in compared["verdicts"][:2]] == ["clean", "blur-severity_3"]
    assert {v["loss"] for v in compared["verdicts"]} == {0.0}
    assert all(v["identical"] for v in compared["verdicts"])
    assert compared["changed_decisions"] == []
    assert came_to(shipped) == ("pass", "hazelnut.json")


def section(result) -> str:
    """Return what stands in the terminal's section, be the others asked for or not."""
    return result.stdout.str().partition("= robustness =")[2].partition("short test summary")[0]


def test_a_pass_tells_its_notes_and_what_got_better(shipped):
    frozen = MARGINS + "operating_point: {pixel_threshold: 30, image_threshold: 35}\n"
    with_model(shipped, HAZY, frozen).run("-q", NEW_BASELINE)
    result = with_model(shipped, MEAN, frozen).run("-q")

    assert result.ret == 0
    assert "PASS" in section(result)
    assert "better" in section(result)
    assert "note: both are judged at the same frozen operating point" in section(result)


def test_a_worse_model_fails_with_values_margins_and_images(shipped):
    result = with_model(shipped, HAZY).run("-v")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*REGRESSED*",
            "*clean: pixel_segf1 falls from * to *worse than *, p = *(robustness.yaml:11)*",
            "*changed decisions: *new miss*",
        ]
    )
    (compared,) = shipped.report()["regression"]
    assert compared["changed_decisions"][0]["kind"] == "new miss"
    shown = section(result).partition("changed decisions: ")[2].splitlines()
    named = [d["id"] for d in compared["changed_decisions"][:3]]
    assert all(name in line for name, line in zip(named, shown[1:], strict=False))
    assert "more, in the report)" in shown[4]
    only_messages(result)


def test_what_cannot_be_decided_is_skipped_or_fails_as_declared(project, data):
    few = Project(project.pytester, data)  # six defect images
    few.yaml(extra=MARGINS, corruptions="[blur]", severities="[3]")
    few.run(NEW_BASELINE, "-q")
    margins = MARGINS.replace("0.3", "0.01")
    hazy = '{name: "line_models:HazyDetector", kwargs: {haze: 3.0}}'

    skipped = with_model(few, hazy, margins).run("-v")
    assert outcomes(skipped)[ITEM] == "skipped"
    assert "1 inconclusive" in skipped.outlines[-1]
    assert "pixel_segf1" in section(skipped)
    assert "pixel_segf1: max_drop 0.01" not in section(skipped)  # it is narrower
    assert "not decided:" in section(skipped)
    assert came_to(few) == ("inconclusive", "hazelnut.json")
    result = with_model(few, hazy, margins + "  inconclusive: fail\n").run("-v")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*INCONCLUSIVE*", "*pixel_segf1*not decided:*"])
    assert "1 inconclusive" in result.outlines[-1]
    wider = with_model(few, hazy, margins.replace("0.01", "0.9")).run("-v")
    assert "is not what the baseline was measured with: max_drop 0.3" in section(wider)


def test_updating_shows_what_changes_and_is_no_verdict(shipped):
    before = json.loads((shipped.path / "baselines/hazelnut.json").read_text())
    result = with_model(shipped, HAZY).run("-v", NEW_BASELINE)

    result.stdout.fnmatch_lines(["*hazelnut-regression* SKIPPED*", "*pixel_segf1*->*"])
    after = json.loads((shipped.path / "baselines/hazelnut.json").read_text())
    assert after["robustness"]["clean"]["per_image"] != before["robustness"]["clean"]["per_image"]
    assert "regression" not in after
    assert came_to(shipped) == ("baseline_updated", "hazelnut.json")
    assert shipped.judged()[ITEM] == "passed"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-k", "clean"), "deselected"),
        (("--robustness-severities=3", "--robustness-corruptions=blur"), "--robustness-severities"),
        (("--robustness-limit-test=8",), "--robustness-limit-test"),
    ],
)
def test_no_baseline_is_written_from_a_part_of_a_run(line, arguments, why):
    result = line.run("-v", NEW_BASELINE, *arguments)

    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*not judged: *{why}*"])
    assert not (line.path / "baselines").exists()


def test_no_baseline_is_written_from_what_could_not_be_measured(line):
    broken = '{name: "line_models:FaultyDetector", kwargs: {fault: raise}}'
    result = with_model(line, broken).run("-v", NEW_BASELINE)

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*nothing to compare: *could not be measured*"])
    assert not (line.path / "baselines").exists()
    assert came_to(line) == ("error", None)


def test_a_part_of_a_run_is_not_judged(shipped):
    result = shipped.run("-v", "-k", "clean")

    result.stdout.fnmatch_lines(["*hazelnut-regression* SKIPPED*"])
    assert "regression" not in shipped.report()
    assert came_to(shipped) == ("not_judged", None)


def test_it_is_said_where_a_baseline_was_written_or_why_not(line):
    line.run(NEW_BASELINE).stdout.fnmatch_lines(["*baseline: baselines/hazelnut.json (commit it)"])
    line.path.joinpath("baselines/hazelnut.json").write_text("no report", encoding="utf-8")

    result = line.run("-v", NEW_BASELINE)

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the baseline was not written: *is no report of benchmark*"])


def test_every_profile_has_a_baseline_of_its_own(shipped):
    full = shipped.path.joinpath("baselines/hazelnut.json").read_bytes()
    profiles = "profiles: {pr: {limit_test: 20}}\n"
    shipped.yaml(extra=MARGINS + profiles, corruptions="[blur]", severities="[3]")

    refused = shipped.run("-v", NEW_BASELINE, "--robustness-profile=pr")
    assert refused.ret == 1
    refused.stdout.fnmatch_lines(["*was not written: *under no profile*under profile 'pr'*"])
    assert shipped.path.joinpath("baselines/hazelnut.json").read_bytes() == full

    own = MARGINS.replace("{name}", "{profile}-{name}")
    shipped.yaml(extra=own + profiles, corruptions="[blur]", severities="[3]")
    shipped.run("-q", NEW_BASELINE, "--robustness-profile=pr")
    shipped.run("-q", NEW_BASELINE)
    written = sorted(path.name for path in shipped.path.joinpath("baselines").iterdir())
    assert written == ["default-hazelnut.json", "hazelnut.json", "pr-hazelnut.json"]
    assert shipped.judged("--robustness-profile=pr")[ITEM] == "passed"


@pytest.mark.parametrize(
    "option",
    [
        "--robustness-operating-point=baselines/hazelnut.json",
        "--robustness-limit-test=30",
        "--robustness-severities=3",
    ],
)
def test_no_option_excuses_a_release_gate(shipped, option):
    shipped.yaml(extra=MARGINS + "  inconclusive: fail\n", corruptions="[blur]", severities="[3]")
    result = shipped.run("-v", option)

    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*not judged: *{option.partition('=')[0]}*owes its comparison*"])
    assert shipped.judged(option, "-k", "clean")[ITEM] == "skipped"


def test_another_baseline_can_be_named(shipped):
    stored = shipped.path / "baselines/hazelnut.json"
    stored.rename(shipped.path / "older-hazelnut.json")

    assert shipped.judged("--robustness-baseline=older-{name}.json")[ITEM] == "passed"


def test_a_baseline_without_margins_is_no_pass(shipped):
    shipped.yaml(corruptions="[blur]", severities="[3]")
    result = shipped.run("-v", "--robustness-baseline=baselines/hazelnut.json")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*declares no allowed change*"])


@pytest.mark.parametrize(
    ("baseline", "options"),
    [
        ("robustness-report/{name}.json", ()),
        ("linked/{name}.json", ()),
        ("baselines/{name}.json", ("--robustness-report-dir=baselines",)),
        ("b.json", ("--robustness-baseline=robustness-report/{name}.json",)),
    ],
)
@pytest.mark.parametrize("more", [(), (NEW_BASELINE,)])
def test_a_run_never_replaces_its_own_baseline(shipped, baseline, options, more):
    shipped.path.joinpath("robustness-report").mkdir(exist_ok=True)
    shipped.path.joinpath("linked").symlink_to("robustness-report")
    stored = shipped.path / "baselines/hazelnut.json"
    content = stored.read_bytes()
    (shipped.path / "robustness-report/hazelnut.json").write_bytes(content)
    with_model(shipped, HAZY, MARGINS.replace("baselines/{name}.json", baseline))

    result = shipped.run("-v", *options, *more)

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*would be written over its own baseline*"])
    assert stored.read_bytes() == content
    assert (shipped.path / "robustness-report/hazelnut.json").read_bytes() == content
    only_messages(result)


def test_an_edited_baseline_is_refused(shipped):
    path = shipped.path / "baselines/hazelnut.json"
    stored = json.loads(path.read_text())
    stored["robustness"]["clean"]["per_image"]["tp"][-1] += 1
    path.write_text(json.dumps(stored))

    result = shipped.run("-v")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*NOT COMPARABLE*", "*baselines/hazelnut.json*"])
    only_messages(result)


def test_an_anchor_notices_what_the_baseline_has_forgotten(shipped):
    (shipped.path / "anchor.json").write_bytes(
        (shipped.path / "baselines/hazelnut.json").read_bytes()
    )
    anchored = MARGINS + "  anchor: anchor.json\n"
    with_model(shipped, HAZY, anchored).run("-q", NEW_BASELINE)

    result = shipped.run("-v")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*against baseline hazelnut.json: PASS*",
            "*against anchor anchor.json: REGRESSED*",
            "*worse than the anchor, p = *",
            "*new miss: score * in the anchor *",
        ]
    )


def test_a_missing_anchor_is_not_made_by_updating_the_baseline(shipped):
    with_model(shipped, HAZY, MARGINS + "  anchor: anchor.json\n").run("-q", NEW_BASELINE)

    result = shipped.run("-v")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*no anchor at *anchor.json*accept REPORT --baseline *anchor.json*"]
    )
    result.stdout.no_fnmatch_line("*update-baseline*")


def test_the_baseline_of_another_benchmark_is_refused(shipped):
    shipped.yaml(extra=MARGINS, corruptions="[blur]", severities="[3]", name="walnut")

    result = shipped.run("-v", "--robustness-baseline=baselines/hazelnut.json")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the report of another benchmark: 'hazelnut'*'walnut'*"])


def test_the_limits_of_all_benchmarks_are_one_family(project, many_images):
    head = f"defaults: {{dataset: {{format: mvtec, root: '{many_images}'}}, corruptions: [blur], "
    head += "severities: [3]}\n"
    accept = "    accept: {all: {miss_rate: {max: 0.99}, one_sided: misses}}\n"
    own = "".join("    " + text + "\n" for text in MARGINS.rstrip().splitlines())

    def declare(first: str, second: str) -> None:
        text = f"schema_version: 1\n{head}benchmarks:\n"
        for name, model in (("a", first), ("b", second)):
            text += f"  {name}:\n    detector: {{name: 'line_models:{model}'}}\n"
            text += f"    dataset: {{format: mvtec, root: '{many_images}', "
            text += f"category: brushed_metal}}\n{accept}{own}"
        project.write("robustness.yaml", text)

    declare("MeanDetector", "MeanDetector")
    project.run(NEW_BASELINE, "-q")
    declare("MeanDetector", "HazyDetector")
    judged = project.judged()

    assert judged["a-regression"] == "passed"
    assert judged["b-regression"] == "failed"

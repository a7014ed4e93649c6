"""``report`` renders a page from JSON alone; ``run`` and ``merge`` write pages by themselves."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from pathlib import Path

import pytest

from pytest_robustbench.benchmark import judged_report
from pytest_robustbench.cli.main import main
from pytest_robustbench.config.benchmarks import gate_of
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.fields import error_record
from pytest_robustbench.reports.file.session import write_session
from pytest_robustbench.reports.file.stored import read_stored
from pytest_robustbench.reports.pages import extras
from tests.extras import needs_pages

pytestmark = needs_pages

YAML = """\
schema_version: 1
name: metal
dataset: {format: synthetic, size: 32, n_train: 24, n_test_good: 3, n_defect: 3}
detector: pixel_gaussian
corruptions: [blur]
severities: [3]
accept: {all: {bg_fpr: {max: 0.99}, false_reject_rate: {max: 0.99}, one_sided: false_alarms}}
"""
TWO = """\
schema_version: 1
defaults:
  dataset: {format: synthetic, category: granite, size: 32, n_test_good: 3, n_defect: 3}
  detector: pixel_gaussian
  corruptions: none
  accept: {all: {bg_fpr: {max: 0.99}, one_sided: false_alarms}}
benchmarks: {caps: {}, cups: {}}
"""
NO_PICTURE = "No picture: it was not kept beside the report."
PAGES = ("report.html", "summary.md", "conditions.csv")
WRITTEN = {"metal.json", "session.json", *PAGES[1:]}


@pytest.fixture(autouse=True)
def _no_github(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A folder with robustness.yaml and a run of it under ./runs, measured once."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "robustness.yaml").write_text(YAML, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        patch.chdir(folder)
        assert main(["run", "--config", "robustness.yaml", "--output-dir", "runs"]) == 0
    return folder


@pytest.fixture
def project(measured, tmp_path, monkeypatch):
    """A copy of that folder, which is the working directory."""
    shutil.copytree(measured, tmp_path / "line")
    monkeypatch.chdir(tmp_path / "line")
    return tmp_path / "line"


@pytest.fixture
def call(capsys):
    def command(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert "unexpected" not in captured.err
        return code, captured.out, captured.err

    return command


class Page:
    def __init__(self, path):
        self.source = Path(path).read_text("utf-8")
        self.pictures = set(re.findall('<img src="(data:image/jpeg;base64,[^"]+)"', self.source))
        self.text = " ".join(html.unescape(re.sub("<[^>]+>", " ", self.source)).split())
        self.title = html.unescape(re.search("<title>(.*?)</title>", self.source)[1])


def edit(path, change):
    plain = json.loads(Path(path).read_text("utf-8"))
    change(plain)
    Path(path).write_text(json.dumps(sealed(plain)), "utf-8")


def session(folder, outcomes, path="runs/metal.json", problems=()):
    absent = {
        "complete": False,
        "missing": [],
        "deselected": [],
        "outcomes": {"complete": "failed"},
        "problems": [],
        "regression": None,
        "verdicts": {"pass": 0, "fail": 0, "error": 0, "not_shown": 0, "shown": 0},
        "report": None,
        "sha256": None,
    }
    found = {
        **absent,
        "report": "metal.json",
        "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "outcomes": outcomes,
        "problems": list(problems),
    }
    told = {"exit_status": 0, "problem": None, "benchmarks": {"metal": found, "tin": absent}}
    write_session(Path(folder), told)


# ---- report ------------------------------------------------------------------------------------


def test_a_page_is_rendered_again_with_its_pictures(project, call):
    before = Page("runs/report.html")
    Path("runs/report.html").unlink()

    code, out, err = call("report", "runs/metal.json")

    assert (code, out) == (0, "")
    assert err == f"page: {Path('runs/report.html')}\n"
    after = Page("runs/report.html")
    assert after.title.startswith("metal: PASS")
    assert after.pictures == before.pictures
    assert after.pictures
    assert NO_PICTURE not in after.text


def test_from_json_alone_a_page_says_that_there_are_no_pictures(project, call):
    shutil.copy("runs/metal.json", "metal.json")

    code, _, _ = call("report", "metal.json", "-o", "alone.html")

    assert code == 0
    assert Page("alone.html").pictures == set()
    assert NO_PICTURE in Page("alone.html").text


def test_a_page_somewhere_else_still_shows_the_pictures_beside_the_report(project, call):
    call("report", "runs/metal.json", "--output", "deep/er/page.html")

    assert Page("deep/er/page.html").pictures == Page("runs/report.html").pictures


def test_a_folder_stands_for_its_reports(project, call):
    shutil.copy("runs/metal.json", "runs/copper.json")
    edit("runs/copper.json", lambda plain: plain.update(name="copper"))
    Path("runs/times.json").write_text('{"benchmarks": []}', "utf-8")

    code, _, err = call("report", "runs", "-o", "all.html")

    assert (code, err) == (0, "page: all.html\n")
    assert Page("all.html").title.startswith("copper: PASS, metal: PASS")


def test_a_folder_names_the_benchmarks_that_have_no_report(project, call):
    session("runs", {"complete": "passed"})
    call("report", "runs", "-o", "all.html")

    assert Page("all.html").title.startswith("tin: FAIL, metal: PASS")


def test_several_reports_stand_on_one_page_beside_the_first(project, call):
    for name in ("a", "b"):
        Path(name).mkdir()
        shutil.copy("runs/metal.json", f"{name}/{name}.json")
        edit(f"{name}/{name}.json", lambda plain, name=name: plain.update(name=name))

    code, _, err = call("report", "b/b.json", "a/a.json")

    assert (code, err) == (0, f"page: {Path('b/report.html')}\n")
    assert Page("b/report.html").title.startswith("b: PASS, a: PASS")


def test_reports_are_never_written(project, call):
    before = {p: p.read_bytes() for p in Path("runs").rglob("*.*") if p.suffix != ".html"}

    call("report", "runs/metal.json")

    after = {p: p.read_bytes() for p in Path("runs").rglob("*.*") if p.suffix != ".html"}
    assert after == before


@pytest.mark.parametrize("name", ["runs/metal.json", "new.json", "NEW.JSON"])
def test_a_page_is_not_written_under_the_name_of_a_report(project, call, name):
    code, _, err = call("report", "runs/metal.json", "-o", name)

    assert code == 2
    assert "name an .html" in err
    assert json.loads(Path("runs/metal.json").read_text("utf-8"))["name"] == "metal"
    assert not Path("NEW.JSON").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.json"], "cannot read the report nowhere.json"),
        (["empty"], "empty holds no report"),
        (["runs/metal.json", "-o", "empty"], "--output empty is a folder"),
        (["robustness.yaml"], "cannot read the report robustness.yaml"),
        (["other.json"], "other.json has schema version None"),
        (["half.json"], "cannot read the report half.json"),
        (["deep.json"], "nested too deeply"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_mistakes_are_one_line_and_code_2(project, call, arguments, told):
    Path("empty").mkdir()
    Path("other.json").write_text("{}", "utf-8")
    Path("half.json").write_text(Path("runs/metal.json").read_text("utf-8")[:5000], "utf-8")
    Path("deep.json").write_text("[" * 100_000, "utf-8")

    code, out, err = call("report", *arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_without_the_extra_the_remedy_is_told(project, call, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    code, _, err = call("report", "runs/metal.json", "-o", "page.html")

    assert code == 2
    assert 'pip install "pytest-robustbench[report]"' in err
    assert not Path("page.html").exists()


# ---- reports that cannot be trusted ------------------------------------------------------------


def clean(plain):
    return plain["robustness"]["clean"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: clean(p)["per_image"]["tp"].pop(), "columns differ in length"),
        (lambda p: p.update(operating_point=None), "without an operating point or samples"),
        (lambda p: p.update(missing=["Everything"]), "missing.0"),
    ],
)
def test_a_report_that_cannot_be_shown_is_refused_in_one_line(project, call, change, told):
    edit("runs/metal.json", change)

    code, _, err = call("report", "runs/metal.json", "-o", "page.html")

    assert code == 2
    assert told in err
    assert len(err.splitlines()) == 1
    assert not Path("page.html").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p["verdicts"][0].update(verdict="fail"), "its value says otherwise"),
        (lambda p: clean(p)["results"].update(auroc=0.123), "auroc is 0.123, but"),
    ],
)
def test_an_edited_report_is_shown_as_a_failure_with_its_contradiction(project, call, change, told):
    edit("runs/metal.json", change)

    code, _, _ = call("report", "runs/metal.json", "-o", "page.html")

    assert code == 0
    assert Page("page.html").title.startswith("metal: FAIL")
    assert "the file contradicts itself" in Page("page.html").text
    assert told in Page("page.html").text


def test_texts_of_a_report_stay_texts(project, call):
    evil = '"><script>alert(1)</script>'
    edit("runs/metal.json", lambda p: p.update(category=evil, model=evil, command=evil))

    call("report", "runs/metal.json", "-o", "page.html")

    assert "<script>alert" not in Page("page.html").source
    assert evil in Page("page.html").text or evil in html.unescape(Page("page.html").source)


# ---- session.json beside a report --------------------------------------------------------------


def test_what_failed_in_the_run_fails_on_its_page(project, call):
    session("runs", {"complete": "failed"}, problems=["[metal-complete] failed: blur vanished"])

    call("report", "runs/metal.json", "-o", "page.html")

    page = Page("page.html")
    assert page.title.startswith("metal: FAIL")
    assert "[metal-complete] failed: blur vanished" in page.text


def test_what_passed_in_the_run_passes(project, call):
    session("runs", {"summary": "passed", "complete": "passed"})

    call("report", "runs/metal.json", "-o", "page.html")

    assert Page("page.html").title.startswith("metal: PASS")


def test_a_report_that_is_not_the_one_of_its_session_fails(project, call):
    session("runs", {"complete": "passed"}, "robustness.yaml")

    call("report", "runs/metal.json", "-o", "page.html")

    page = Page("page.html")
    assert page.title.startswith("metal: FAIL")
    assert "session.json beside it is of another file" in page.text


def test_a_session_that_speaks_of_other_files_does_not_count(project, call):
    shutil.copy("runs/metal.json", "runs/copy.json")
    session("runs", {"complete": "failed"}, problems=["it failed"])

    call("report", "runs/copy.json", "-o", "page.html")

    assert Page("page.html").title.startswith("metal: PASS")


# ---- run ---------------------------------------------------------------------------------------


def run(call, *more):
    return call("run", "--config", "robustness.yaml", "--output-dir", "again", *more)


def test_a_run_writes_pages_with_pictures_beside_its_report(project, call):
    code, out, err = run(call)

    assert (code, out) == (0, "")
    assert sorted(p.name for p in Path("again").iterdir() if p.is_file()) == sorted(
        ["metal.json", "session.json", *PAGES]
    )
    assert str(Path("again/report.html")) in err
    page = Page("again/report.html")
    kept = list(Path("again/metal/thumbnails").iterdir())
    assert len(page.pictures) == len(kept) > 0
    assert NO_PICTURE not in page.text


def test_a_run_without_html_keeps_no_pictures(project, call):
    code, _, err = run(call, "--no-html")

    assert code == 0
    assert sorted(p.name for p in Path("again").iterdir()) == sorted(WRITTEN)
    assert "report.html" not in err


def test_a_run_without_html_removes_an_older_page(project, call):
    Path("again").mkdir()
    Path("again/report.html").write_text("of an older run", "utf-8")

    run(call, "--no-html")

    assert not Path("again/report.html").exists()


def test_without_the_extra_a_run_says_so_and_goes_on(project, call, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    code, _, err = run(call)

    assert code == 0
    assert "no report.html: jinja2 and matplotlib are not installed" in err
    written = ["metal", *WRITTEN]  # the pictures are kept for a page made later
    assert sorted(p.name for p in Path("again").iterdir()) == sorted(written)


def test_a_single_file_gets_no_pages(project, call):
    code, _, _ = call("run", "--config", "robustness.yaml", "--output", "one/metal.json")

    assert code == 0
    assert [p.name for p in Path("one").iterdir()] == ["metal.json"]


def test_pictures_of_an_earlier_run_are_removed(project, call):
    old = Path("again/metal/thumbnails", f"{'0' * 16}-{'1' * 16}.jpg")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")

    run(call)

    assert not old.exists()
    assert list(old.parent.iterdir())


@pytest.mark.parametrize("flag", [[], ["--no-html"]], ids=["html", "no html"])
def test_a_violated_limit_fails_with_and_without_pages(project, call, flag):
    Path("robustness.yaml").write_text(YAML.replace("bg_fpr: {max: 0.99}", "bg_fpr: {max: 0.0}"))

    code, _, _ = run(call, *flag)

    assert code == 1
    assert "metal: FAIL" in Path("again/summary.md").read_text("utf-8")


def test_pages_name_a_benchmark_that_could_not_be_measured(project, call):
    broken = TWO.replace("cups: {}", "cups: {dataset: {format: mvtec, root: nowhere, category: x}}")
    Path("robustness.yaml").write_text(broken, "utf-8")

    code, _, _ = run(call)

    assert code == 2
    assert "cups: FAIL" in Page("again/report.html").title
    assert "caps: PASS" in Page("again/report.html").title
    assert "cups: FAIL" in Path("again/summary.md").read_text("utf-8")


# ---- merge -------------------------------------------------------------------------------------


def shard(path, *conditions, error=""):
    """Write a report as a shard would that measures some conditions; it has all pictures."""
    (declaration,) = load_config(Path("robustness.yaml")).benchmarks
    whole = read_stored(Path("runs/metal.json"))
    records = {c: error_record(error) if error else whole.record(c) for c in conditions}
    gate, declared = gate_of(declaration), declaration.declared_conditions
    judged_report(whole.header, declared, records, gate).write(path)
    shutil.copytree("runs/metal", Path(path).parent / "metal")


def merge(call, *more):
    return call("merge", "shards", "--output-dir", "merged", *more)


def test_the_pictures_of_shards_stand_on_the_page_of_the_whole(project, call):
    shard("shards/0/metal.json", "clean")
    shard("shards/1/metal.json", "blur-severity_3")

    code, _, err = merge(call)

    assert code == 0, err
    page = Page("merged/report.html")
    assert page.title.startswith("metal: PASS")
    assert page.pictures == Page("runs/report.html").pictures
    assert NO_PICTURE not in page.text


def test_shards_without_pictures_are_merged_all_the_same(project, call):
    shard("shards/0/metal.json", "clean", "blur-severity_3")
    shutil.rmtree("shards/0/metal")

    code, _, _ = merge(call)

    assert code == 0
    assert NO_PICTURE in Page("merged/report.html").text


def test_a_merge_without_html_writes_the_other_pages(project, call):
    shard("shards/0/metal.json", "clean", "blur-severity_3")

    code, _, _ = merge(call, "--no-html")

    assert code == 0
    assert {p.name for p in Path("merged").iterdir() if p.is_file()} == WRITTEN


def test_a_missing_condition_is_incomplete_on_the_page_and_fails(project, call):
    shard("shards/0/metal.json", "clean")

    code, _, _ = merge(call)

    assert code == 1
    assert Page("merged/report.html").title.startswith("metal: INCOMPLETE")


def test_a_page_names_the_benchmark_that_no_shard_measured(project, call):
    Path("robustness.yaml").write_text(TWO, "utf-8")
    assert call("run", "--config", "robustness.yaml", "--output-dir", "two")[0] == 0
    Path("shards").mkdir()
    shutil.copy("two/caps.json", "shards")

    code, _, _ = merge(call)

    assert code == 1
    assert Page("merged/report.html").title.startswith("cups: FAIL, caps: PASS")
    assert "none of the reports is of it" in Page("merged/report.html").text
    assert "cups: FAIL" in Path("merged/summary.md").read_text("utf-8")


def test_an_error_of_a_shard_stands_on_the_page(project, call):
    shard("shards/0/metal.json", "clean")
    shard("shards/1/metal.json", "blur-severity_3", error="the lamp is off <b>")

    code, _, err = merge(call)

    assert code == 1, err
    assert "the lamp is off <b>" in Page("merged/report.html").text
    assert "the lamp is off \\<b\\>" in Path("merged/summary.md").read_text("utf-8")

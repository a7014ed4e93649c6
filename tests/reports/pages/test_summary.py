"""summary.md and conditions.csv: the numbers of the JSON, and texts that stay texts."""

from __future__ import annotations

import copy
import csv
import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.display import displayed
from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.limits import Limit, Verdict
from pytest_robustbench.metrics.catalogue import METRICS
from pytest_robustbench.reports.file.fields import metrics_of
from pytest_robustbench.reports.file.report import verdict_to_dict
from pytest_robustbench.reports.file.session import Unreported
from pytest_robustbench.reports.pages import extras
from pytest_robustbench.reports.pages.conditions_csv import BYTE_ORDER_MARK, conditions_csv
from pytest_robustbench.reports.pages.plain_markdown import escaped, table
from pytest_robustbench.reports.pages.source import Edition, Source
from pytest_robustbench.reports.pages.summary_markdown import summary_markdown
from pytest_robustbench.reports.pages.write import forget_pages, write_pages
from tests.reports.report_samples import drawn_report
from tests.reports.stored_reports import edited

BLUR = ("robustness", "corruptions", "blur", "severity_3")
EVIL = (
    '"><script>alert(1)</script>',
    "a | b || c",
    "`code` and ``more``",
    "[x](javascript:alert(1))",
    "![x](http://example.com/x.png)",
    "<javascript:alert(1)>",
    "ping @team now",
    "=cmd|' /C calc'!A0",
    "two\nlines\r\nand a third",
    "&lt;b&gt; &#60; &amp;",
    "*bold* _slanted_ ~~gone~~",
    "# no heading",
    "- no list",
    "12. no list",
    "+ no list",
    "back\\slash \\| \\\\",
    "trailing \\",
    "<!-- no comment -->",
)
CELLS_OF_SPREADSHEETS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def verdict(condition="blur-severity_3", **changes):
    found = {
        "condition": condition,
        "metric": "bg_fpr",
        "bound": "max",
        "limit": 0.5,
        "value": 0.75,
        "verdict": "fail",
        "reason": "",
        "source": "robustness.yaml:3",
    }
    return found | changes


@pytest.fixture(scope="module")
def plain():
    return json.loads(json.dumps(drawn_report().to_dict()))


def source(plain, *steps, **changes):
    return Source(edited({**plain, **changes}, *steps), Path("nuts.json"))


def summary(*found, **more):
    return summary_markdown(Edition([source(*found, **more)]))


def rows(text):
    """The cells of all tables; none of these tests has a pipe in one."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("\\", "") for cell in line.split("|")[1:-1]] for line in lines]


# ---- what a summary says -----------------------------------------------------------------------


def test_each_benchmark_has_its_word(plain):
    found = [source(plain), source(plain, name="caps", verdicts=[verdict()])]

    absent = [Unreported("cups", "It crashed."), Unreported("jars", "", False)]
    text = summary_markdown(Edition(found, unreported=absent))

    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert [re.sub(r"[^\w :#]", "", line) for line in headings] == [
        "## Robustness",
        "###  cups: FAIL",
        "###  jars: NOT JUDGED",
        "###  nuts: NOT JUDGED",
        "###  caps: FAIL",
    ]
    assert "It crashed." in text.splitlines()


def test_a_violated_limit_stands_with_value_limit_and_interval(plain):
    text = summary(plain, verdicts=[verdict(interval=[0.625, 0.875]), verdict("clean", value=0.7)])

    assert "Limits that do not hold:" in text
    assert rows(text)[2:] == [
        ["blur-severity_3", "bg_fpr", "0.75", "≤ 0.5", "0.625 to 0.875", "violated"],
        ["clean", "bg_fpr", "0.7", "≤ 0.5", "", "violated"],
    ]


def test_a_value_just_beyond_its_limit_is_told_apart_from_it(plain):
    text = summary(plain, verdicts=[verdict(value=0.5000001)])

    assert rows(text)[2][2] == "0.5000001"


def test_where_all_hold_the_limits_with_the_least_room_stand(plain):
    values = (0.1, 0.4, 0.3, 0.2)
    held = [
        verdict(metric=m, value=v, verdict="pass") for m, v in zip(METRICS, values, strict=False)
    ]

    text = summary(plain, verdicts=held)

    assert "Least room to a limit:" in text
    assert [(row[2], row[5]) for row in rows(text)[2:]] == [
        ("0.4", "holds, 20% room"),
        ("0.3", "holds, 40% room"),
        ("0.2", "holds, 60% room"),
    ]


def test_a_limit_that_cannot_be_measured_is_not_hidden_by_others(plain):
    unknown = verdict("clean", metric="aupro", value=None, verdict="error", reason="no maps")

    text = summary(plain, verdicts=[verdict(value=0.1, verdict="pass"), unknown, verdict()])

    assert [(row[1], row[5]) for row in rows(text)[2:]] == [
        ("aupro", "not measurable"),
        ("bg_fpr", "violated"),
    ]


def test_a_limit_that_cannot_be_decided_is_no_violation_and_no_pass(plain):
    text = summary(plain, verdicts=[verdict(value=0.5, verdict="error", reason="binned")])

    assert rows(text)[2][5] == "not decided"


def test_a_waived_limit_names_who_waived_it(plain):
    waiver = {"reason": "new lamp", "by": "Q", "until": "2999-01-31", "source": "robustness.yaml:9"}

    text = summary(plain, verdicts=[verdict(waiver=waiver)])

    assert rows(text)[2][5] == "waived"
    assert "waived until 2999-01-31 by Q: new lamp" in text


def test_many_violations_are_cut_and_counted(plain):
    text = summary(plain, verdicts=[verdict(source=f"y:{i}") for i in range(18)])

    assert len(rows(text)) == 2 + 15
    assert "and 3 more, in the report" in text


def test_an_error_is_told_once_for_all_its_conditions(plain):
    error = {"error": "the lamp is off"}
    steps = [((*BLUR[:-1], f"severity_{s}"), error) for s in (2, 3)]
    limits = [verdict(value=None, verdict="error", reason="the lamp is off")]

    text = summary(plain, *steps, verdicts=limits)

    assert text.count("could not be measured: the lamp is off") == 2 - 1
    assert "- blur-severity\\_2, blur-severity\\_3 could not be measured: the lamp is off" in text
    assert rows(text) == []


def test_a_comparison_stands_with_what_got_worse(plain):
    change = {
        "condition": "clean",
        "metric": "pixel_segf1",
        "outcome": "regressed",
        "baseline": 0.51234,
        "candidate": 0.25,
        "loss": 0.26,
        "allowed": 0.02,
        "interval": None,
        "improved": False,
        "reason": "",
    }
    compared = {
        "role": "baseline",
        "baseline": "b.json",
        "outcome": "regressed",
        "problems": ["other images"],
        "notes": [],
        "verdicts": [change, {**change, "metric": "bg_fpr", "outcome": "pass"}],
        "n_changed_decisions": 0,
        "changed_decisions": [],
    }

    text = summary(plain, regression=[compared])

    assert "Against the baseline b.json: regressed" in text
    assert "- other images" in text
    assert rows(text)[2:] == [["clean", "pixel_segf1", "0.5123", "0.25", "0.02", "regressed"]]


def test_it_ends_with_what_was_measured(plain):
    commit = {**plain["environment"], "git_commit": "0123456789abcdef"}

    last = summary(plain, environment=commit).strip().splitlines()[-1]

    assert last == ("drawn on nuts, 6 conditions, 2025-01-31T12:00:00+00:00, commit 0123456789ab")


# ---- texts that stay texts ---------------------------------------------------------------------


def with_evil_texts(plain, evil):
    return source(
        plain,
        (BLUR, {"error": evil}),
        name=evil,
        category=evil,
        model=evil,
        verdicts=[verdict("clean", source=evil)],
        narrowed=[evil],
    )


def shown_text(rendered):
    """What a reader sees of HTML, on one line: not what keeps an at sign from its name."""
    text = html.unescape(re.sub("<[^>]*>", "", rendered))
    return " ".join(text.replace("@\u200b", "@").split())


def tags(rendered):
    return set(re.findall(r"<\s*/?\s*([a-z0-9]+)", rendered))


@pytest.fixture(scope="module")
def render():
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    return parser.enable(["table", "strikethrough"]).render


@pytest.mark.parametrize("evil", EVIL)
def test_an_escaped_text_renders_as_it_is(render, evil):
    rendered = render(f"before\n\n{escaped(evil)}\n")

    assert tags(rendered) == {"p"}
    assert shown_text(rendered) == f"before {' '.join(evil.split())}"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=30))
@settings(deadline=None, max_examples=300)
def test_any_text_within_a_line_renders_as_it_is(render, text):
    rendered = render(f"x{escaped(text)}x\n")

    assert tags(rendered) == {"p"}
    shown = displayed(" ".join(text.split()))
    assert shown_text(rendered) == " ".join(f"x{shown}x".split())


@pytest.mark.parametrize("evil", EVIL)
def test_a_cell_of_a_table_renders_as_it_is(render, evil):
    rendered = render("\n".join(table(["a", "b"], [[evil, "next"]])))

    cells = re.findall("<td>(.*?)</td>", rendered)
    assert [shown_text(cell) for cell in cells] == [" ".join(evil.split()), "next"]
    assert tags(rendered) == {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("evil", EVIL)
def test_a_whole_summary_has_no_markup_but_its_own(render, plain, evil):
    found = with_evil_texts(plain, evil)

    rendered = render(summary_markdown(Edition([found], unreported=[Unreported(evil, evil)])))

    own = {"h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    assert tags(rendered) <= own
    assert shown_text(rendered).count(" ".join(evil.split())) >= 6


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_begins_markup_or_calls_a_person(plain, evil):
    """The same without a parser: what is special stands behind a backslash, or as an entity."""
    text = summary_markdown(Edition([with_evil_texts(plain, evil)]))

    for line in text.splitlines():
        bare = re.sub(r"\\[\\`*_\[\]<>|#~+.)-]|@&#8203;|&amp;", "", line)
        within = bare.replace("| ", "").removesuffix("|") if bare[:1] == "|" else bare.lstrip("# ")
        assert not set("\\`*_[]<>#~@&") & set(within)


# ---- the table for spreadsheets ----------------------------------------------------------------


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


def test_numbers_are_those_of_the_report_to_the_last_digit(plain):
    found = source(plain)

    for row in read_csv(conditions_csv(Edition([found]))):
        metrics = metrics_of(found.records[row["condition"]])
        assert {m: None if row[m] == "" else float(row[m]) for m in METRICS} == metrics


def test_there_is_a_row_for_each_benchmark_and_condition(plain):
    text = conditions_csv(Edition([source(plain), source(plain, name="caps", model="v7")]))

    found = [(r["benchmark"], r["model"], r["corruption"], r["severity"]) for r in read_csv(text)]
    conditions = [("clean", ""), *(("blur", str(s)) for s in range(1, 6))]
    assert found == [
        *(("nuts", "drawn", *condition) for condition in conditions),
        *(("caps", "v7", *condition) for condition in conditions),
    ]


def test_a_condition_that_was_not_tried_has_a_row_without_numbers(plain):
    short = copy.deepcopy(plain)
    del short["robustness"]["corruptions"]["blur"]["severity_5"]
    short["missing"] = ["blur-severity_5"]
    (row,) = (r for r in read_csv(conditions_csv(Edition([source(short)]))) if r["severity"] == "5")

    assert row["verdict"] == "missing"
    assert all(row[metric] == "" for metric in METRICS)


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ([], "no limit"),
        (["pass"], "pass"),
        (["pass", "waived"], "waived"),
        (["waived", "fail", "pass"], "fail"),
        (["pass", "fail", "error"], "error"),
    ],
)
def test_a_condition_has_the_worst_verdict_of_its_limits(plain, outcomes, word):
    waiver = {"reason": "r", "by": "b", "until": "2999-01-01", "source": "s"}
    limits = [
        verdict(verdict="fail", waiver=waiver) if o == "waived" else verdict(verdict=o)
        for o in outcomes
    ]

    found = read_csv(conditions_csv(Edition([source(plain, verdicts=limits)])))

    verdicts = {row["condition"]: row["verdict"] for row in found}
    assert verdicts["blur-severity_3"] == word
    assert verdicts["clean"] == "no limit"


def test_violated_metrics_are_named(plain):
    limits = [verdict(), verdict(metric="miss_rate"), verdict(metric="aupro", verdict="pass")]

    found = read_csv(conditions_csv(Edition([source(plain, verdicts=limits)])))

    assert {r["condition"]: r["violated"] for r in found}["blur-severity_3"] == "bg_fpr miss_rate"


def test_a_condition_that_could_not_be_measured_has_its_error_and_no_numbers(plain):
    found = read_csv(conditions_csv(Edition([source(plain, (BLUR, {"error": "no light"}))])))

    (row,) = (row for row in found if row["condition"] == "blur-severity_3")
    assert (row["verdict"], row["error"]) == ("error", "no light")
    assert {row[metric] for metric in METRICS} == {""}


@pytest.mark.parametrize(
    "evil", [*CELLS_OF_SPREADSHEETS, *EVIL, "a,b", 'a "quoted" b', "a\rb", "a;b"]
)
def test_a_text_is_one_cell_and_never_a_formula(plain, evil):
    text = conditions_csv(Edition([with_evil_texts(plain, evil)]))

    found = read_csv(text)
    assert len(found) == 6
    for row in found:
        assert None not in row, "no cell too many"
        texts = [v for k, v in row.items() if k not in (*METRICS, "severity")]
        assert not any(cell.startswith(FORMULA) for cell in texts)
        assert row["benchmark"].removeprefix("'") == displayed(evil)
        assert row["model"].removeprefix("'") == displayed(evil)
    (broken,) = (row for row in found if row["verdict"] == "error")
    assert broken["error"].removeprefix("'") == displayed(evil)


def test_the_file_says_that_it_is_utf_8(plain, tmp_path):
    written(tmp_path, source(plain, model="Schraubenprüfer"))

    content = (tmp_path / "conditions.csv").read_bytes()

    assert content.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "conditions.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["model"] for row in csv.DictReader(file)} == {"Schraubenprüfer"}


def test_pandas_reads_the_numbers_of_the_report(plain, tmp_path):
    pandas = pytest.importorskip("pandas")
    found = source(plain, model='a\rb, "c"\nd')
    written(tmp_path, found)

    # As text: not every version of pandas reads numbers to the last digit.
    frame = pandas.read_csv(tmp_path / "conditions.csv", dtype=str)

    assert set(frame["model"]) == {r'a\rb, "c"\nd'}
    for row in frame.to_dict("records"):
        metrics = metrics_of(found.records[row["condition"]])
        numbers = {m: float(row[m]) for m in METRICS}
        assert {m: None if np.isnan(v) else v for m, v in numbers.items()} == metrics


# ---- files -------------------------------------------------------------------------------------


PAGES = ("report.html", "summary.md", "conditions.csv")


def written(folder, *sources, html=False, environ=None):
    return write_pages(Edition(sources, folder), folder, html=html, environ=environ or {})


def test_all_pages_are_written(plain, tmp_path):
    found = written(tmp_path, source(plain), html=True)

    assert [path.name for path in found.paths] == list(PAGES)
    assert all(path.stat().st_size for path in found.paths)
    assert found.hints == ()


def test_pages_of_an_older_run_are_replaced(plain, tmp_path):
    for name in PAGES:
        (tmp_path / name).write_text("of an older run", "utf-8")

    written(tmp_path, source(plain), html=True)

    for name in PAGES:
        assert "of an older run" not in (tmp_path / name).read_text("utf-8")


def test_where_no_html_is_wanted_an_older_one_is_removed(plain, tmp_path):
    (tmp_path / "report.html").write_text("of an older run", "utf-8")

    found = written(tmp_path, source(plain))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["conditions.csv", "summary.md"]
    assert found.hints == ()


def test_without_the_extra_the_remedy_is_told_and_the_others_are_written(
    plain, tmp_path, monkeypatch
):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "matplotlib" else name)
    (tmp_path / "report.html").write_text("of an older run", "utf-8")

    found = written(tmp_path, source(plain), html=True)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["conditions.csv", "summary.md"]
    assert [path.name for path in found.paths] == ["summary.md", "conditions.csv"]
    assert "matplotlib is not installed" in found.hints[0]
    assert 'pip install "pytest-robustbench[report]"' in found.hints[0]


def test_pages_can_be_forgotten_and_nothing_else(tmp_path):
    for name in (*PAGES, "nuts.json"):
        (tmp_path / name).write_text("x", "utf-8")

    forget_pages(tmp_path, ["nuts"])
    forget_pages(tmp_path, ["nuts"])

    assert [path.name for path in tmp_path.iterdir()] == ["nuts.json"]


def test_a_file_name_that_is_no_unicode_is_spelled_out(plain, tmp_path):
    odd = "test/caf\udce9.png cannot be decoded"

    found = written(tmp_path, source(plain, (BLUR, {"error": odd})), html=True)

    for path in found.paths:
        assert re.search(r"test/caf\\+udce9\.png", path.read_text("utf-8")), path.name


def test_a_place_that_cannot_be_written_is_an_error_of_the_report(plain, tmp_path):
    (tmp_path / "summary.md").mkdir()

    with pytest.raises(ReportError, match=r"cannot remove .*summary\.md"):
        written(tmp_path, source(plain))


def test_the_summary_is_appended_to_that_of_a_github_step(plain, tmp_path):
    step = tmp_path / "step.md"
    step.write_text("of an earlier step\n", "utf-8")

    for _ in range(2):
        written(tmp_path, source(plain), environ={"GITHUB_STEP_SUMMARY": str(step)})

    summary_text = (tmp_path / "summary.md").read_text("utf-8")
    assert step.read_text("utf-8") == f"of an earlier step\n{summary_text}\n{summary_text}\n"


@pytest.mark.parametrize("environ", [{}, {"GITHUB_STEP_SUMMARY": ""}])
def test_elsewhere_no_summary_of_a_step_is_written(plain, tmp_path, environ):
    written(tmp_path, source(plain), environ=environ)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["conditions.csv", "summary.md"]


def test_a_summary_of_a_step_that_cannot_be_written_costs_a_hint_alone(plain, tmp_path):
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path / "not" / "there")}
    found = written(tmp_path, source(plain), html=True, environ=environ)

    assert "GITHUB_STEP_SUMMARY names cannot be written: No such file" in found.hints[0]
    assert {path.name for path in found.paths} == set(PAGES)


def test_the_summary_limits_and_the_whole_stand_in_the_table_for_spreadsheets(plain):
    over_all = Verdict("summary", Limit("worst_drop_recall", "max", 0.1, "r.yaml:1"), 0.2, "fail")
    found = read_csv(conditions_csv(Edition([source(plain, verdicts=[verdict_to_dict(over_all)])])))

    assert {row["overall"] for row in found} == {"FAIL"}
    (row,) = (row for row in found if row["condition"] == "summary")
    assert (row["verdict"], row["violated"]) == ("fail", "worst_drop_recall")


def test_a_benchmark_without_a_report_has_a_row(plain):
    absent = Unreported("caps", "=it was not measured")
    first, *_ = read_csv(conditions_csv(Edition([source(plain)], unreported=[absent])))

    assert (first["benchmark"], first["overall"]) == ("caps", "FAIL")
    assert first["error"] == "'=it was not measured"

"""Pages in a real browser: what it logs, fetches, shows, sorts, filters and prints."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytest_robustbench.reports.file.fields import metrics_of
from pytest_robustbench.reports.pages.source import Source
from tests.reports.page_samples import CONDITIONS, HOSTILE, HOSTILE_TEXTS, long_page
from tests.reports.pages import browser as chromium

LIMITS, METRICS = "benchmark-1-limit-table", "benchmark-1-metric-table"
CHANGES, DECISIONS = "benchmark-1-changes-1", "benchmark-1-decisions-1"
SCHEMES = ("light", "dark")
READABLE = 4.5  # of WCAG 2, level AA
WIDER = "return document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="session")
def chrome(tmp_path_factory):
    if None in chromium.installed():
        pytest.skip(chromium.MISSING)
    with chromium.started(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(params=["drawn_page", "real_page"])
def page(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def opened(chrome, drawn_page):
    return chrome.open(drawn_page.path)


def values(plain, metric):
    """The numbers of a report by condition, as they stand in its JSON."""
    return {c: metrics_of(record)[metric] for c, record in Source(plain).records.items()}


def exact(value):
    return "" if value is None else repr(value)


def rounds(text, value):
    """Whether a number in few digits is that number."""
    return (
        text == "\N{EN DASH}" if value is None else math.isclose(float(text), value, rel_tol=0.005)
    )


def test_nothing_is_logged_and_nothing_is_fetched(chrome, page):
    chrome.open(page.path)
    chrome.run("for (const image of document.images) image.scrollIntoView()")
    asked = {url for url in chrome.requests() if not url.startswith("data:")}
    assert chrome.console() == []
    assert asked == {page.path.as_uri()}


def test_every_picture_is_shown_and_described(chrome, page):
    chrome.open(page.path)
    script = "return Array.from(document.images, i => [i.alt.trim(), i.naturalWidth])"
    pictures = chrome.run(script)
    assert len(pictures) >= 15
    assert all(told and width > 0 for told, width in pictures)


def test_every_plot_is_described(chrome, page):
    chrome.open(page.path)
    script = (
        "return Array.from(document.querySelectorAll('svg'), "
        "s => [s.getAttribute('role'), s.getAttribute('aria-label').trim()])"
    )
    plots = chrome.run(script)
    assert len(plots) >= 10
    assert all(role == "img" and told for role, told in plots)


def test_heat_maps_show_the_numbers_of_the_report(chrome, page):
    chrome.open(page.path)
    script = (
        "return Array.from(document.querySelectorAll('table.heat'), t => [t.dataset.metric, "
        "Array.from(t.querySelectorAll('td[data-condition]'), c => [c.dataset.condition, "
        "c.dataset.value, c.querySelector('a').textContent])])"
    )
    maps = chrome.run(script)
    assert len(maps) >= 4
    for metric, cells in maps:
        known = values(page.plain, metric)
        assert {condition: value for condition, value, _ in cells} == {
            condition: exact(value) for condition, value in known.items()
        }
        assert all(rounds(text, known[condition]) for condition, _, text in cells)
        assert [condition for condition, _, _ in cells] == page.conditions


def test_the_table_of_metrics_shows_the_numbers_of_the_report(chrome, page):
    chrome.open(page.path)
    heads = chrome.run(f"return Array.from({METRICS_HEAD}, h => h.textContent)")
    shown = chrome.shown_rows(METRICS)
    assert [row[0] for row in shown] == page.conditions
    assert len(heads) > 15
    for column, metric in enumerate(heads[1:], start=1):
        known = list(values(page.plain, metric).values())
        assert chrome.values(METRICS, column) == [exact(value) for value in known]
        assert all(rounds(row[column], value) for row, value in zip(shown, known, strict=True))


METRICS_HEAD = f"document.querySelectorAll('#{METRICS} thead th')"


def word_of(verdict):
    if "waiver" in verdict:
        return "waived"
    holds = "shown" if verdict["shown"] else "holds"
    return {"pass": holds, "fail": "violated", "error": "not measurable"}[verdict["verdict"]]


def test_limits_are_the_verdicts_of_the_report(opened, drawn_page):
    shown = zip(
        *(opened.shown_rows(LIMITS), opened.values(LIMITS, 2), opened.values(LIMITS, 3)),
        strict=True,
    )
    found = {(r[0], r[1]): (value, limit, r[3][0], r[6].split()[0]) for r, value, limit in shown}
    assert found == {
        (v["condition"], v["metric"]): (
            exact(v["value"]),
            repr(v["limit"]),
            {"min": "≥", "max": "≤"}[v["bound"]],
            word_of(v).split()[0],
        )
        for v in drawn_page.plain["verdicts"]
    }


def test_differences_are_those_of_the_report(opened, drawn_page):
    columns = [opened.values(CHANGES, column) for column in (2, 3, 4, 6)]
    names = [row[0] for row in opened.shown_rows(CHANGES)]
    shown = dict(zip(names, zip(*columns, strict=True), strict=True))
    keys = ("baseline", "candidate", "loss", "allowed")
    assert shown == {
        v["condition"]: tuple(exact(v[key]) for key in keys)
        for v in drawn_page.plain["regression"][0]["verdicts"]
    }


@pytest.mark.parametrize(
    ("table", "column"),
    [(LIMITS, 2), (LIMITS, 3), (LIMITS, 4), (LIMITS, 5), (METRICS, 1), (METRICS, 19), (CHANGES, 4)],
)
def test_numbers_are_sorted_and_missing_ones_stand_last(opened, table, column):
    before = opened.values(table, column)
    known = sorted(float(value) for value in before if value)
    opened.click(opened.head(table, column))
    upwards = opened.values(table, column)
    opened.click(opened.head(table, column))
    downwards = opened.values(table, column)
    gaps = [""] * before.count("")
    assert [float(v) for v in upwards[: len(known)]] == known
    assert [float(v) for v in downwards[: len(known)]] == known[::-1]
    assert upwards[len(known) :] == downwards[len(known) :] == gaps


@pytest.mark.parametrize("column", [3, 4])
def test_decisions_are_sorted_by_their_scores(opened, drawn_page, column):
    key = {3: "baseline_score", 4: "candidate_score"}[column]
    opened.click(opened.head(DECISIONS, column))
    changed = drawn_page.plain["regression"][0]["changed_decisions"]
    assert opened.values(DECISIONS, column) == [repr(s) for s in sorted(c[key] for c in changed)]


def test_texts_are_sorted_by_the_alphabet(opened):
    opened.click(opened.head(METRICS, 0))
    upwards = [row[0] for row in opened.shown_rows(METRICS)]
    opened.click(opened.head(METRICS, 0))
    assert upwards == sorted(CONDITIONS)
    assert [row[0] for row in opened.shown_rows(METRICS)] == upwards[::-1]


def test_the_direction_is_told_to_screen_readers(opened):
    script = f"return Array.from({METRICS_HEAD}, h => h.getAttribute('aria-sort'))"
    assert set(opened.run(script)) == {None}
    for column, word in ((1, "ascending"), (1, "descending"), (2, "ascending")):
        opened.click(opened.head(METRICS, column))
        told = opened.run(script)
        assert [i for i, found in enumerate(told) if found] == [column]
        assert told[column] == word


def test_a_head_can_be_pressed_by_keyboard(opened):
    from selenium.webdriver.common.keys import Keys

    opened.click(f"[data-filters='{METRICS}'] input")
    opened.press(Keys.TAB, Keys.TAB, Keys.ENTER)
    focused = "return document.activeElement.closest('th').getAttribute('aria-sort')"
    assert opened.run(focused) == "ascending"
    assert opened.values(METRICS, 1) == sorted(opened.values(METRICS, 1), key=by_number)


def by_number(text):
    return float(text) if text else math.inf


def counted(opened, table):
    return opened.run(f"return document.querySelector(\"[data-filters='{table}'] output\").value")


def test_a_search_leaves_the_rows_with_all_its_words(opened):
    assert counted(opened, LIMITS) == "79 of 79 rows"
    opened.click(f"[data-filters='{LIMITS}'] input")
    opened.press("BLUR  bg_fpr ")
    shown = opened.shown_rows(LIMITS)
    assert sorted(row[0] for row in shown) == [c for c in CONDITIONS if c.startswith("blur")]
    assert {row[1] for row in shown} == {"bg_fpr"}
    assert counted(opened, LIMITS) == "5 of 79 rows"


def test_a_cleared_search_shows_everything_again(opened):
    from selenium.webdriver.common.keys import Keys

    opened.click(f"[data-filters='{METRICS}'] input")
    opened.press("x")
    assert opened.shown_rows(METRICS) == []
    opened.press(Keys.BACKSPACE)
    assert len(opened.shown_rows(METRICS)) == len(CONDITIONS)


@pytest.mark.parametrize("word", ["violated", "not measurable", "waived", "holds"])
def test_one_verdict_can_be_chosen(opened, drawn_page, word):
    verdicts = drawn_page.plain["verdicts"]
    expected = [word_of(v) for v in verdicts].count(word)
    opened.click(f"[data-filters='{LIMITS}'] select")
    opened.press(word, "\ue007")
    shown = opened.shown_rows(LIMITS)
    assert expected
    assert len(shown) == expected
    assert all(row[6].startswith(word) for row in shown)
    assert counted(opened, LIMITS) == f"{expected} of {len(verdicts)} rows"


def test_a_filtered_table_can_be_sorted(opened):
    opened.click(f"[data-filters='{LIMITS}'] input")
    opened.press("blur auroc")
    opened.click(opened.head(LIMITS, 0))
    shown = [row[0] for row in opened.shown_rows(LIMITS)]
    assert shown == [c for c in CONDITIONS if c.startswith("blur")]


def test_a_value_leads_to_the_images_of_its_condition(opened):
    opened.click("table.heat td[data-condition='blur-severity_4'] a")
    place = "const e = document.querySelector(':target'); return [e.innerText, e.id, scrollY > 0]"
    text, name, scrolled = opened.run(place)
    assert text.startswith("blur-severity_4")
    assert name == "benchmark-1-images-blur-severity_4"
    assert scrolled


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_a_page_is_never_wider_than_its_window(chrome, page, width):
    assert chrome.open(page.path, width=width).run(WIDER) <= 0


@pytest.mark.parametrize("width", [1280, 390])
def test_no_heat_map_has_to_be_scrolled(chrome, page, width):
    chrome.open(page.path, width=width)
    script = (
        "return Array.from(document.querySelectorAll('table.heat td'), "
        "c => c.scrollWidth - c.clientWidth).filter(wider => wider > 1).length"
    )
    assert chrome.run(script) == 0


CONTRASTS = """
const parts = colour => {
  const found = colour.match(/-?[\\d.e-]+/g).map(Number);
  const scale = colour.startsWith("color(") ? 1 : 255;
  return [...found.slice(0, 3).map(each => each / scale), found[3] ?? 1];
};
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
const light = colour => colour
  .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = element => {
  const above = element.parentElement ? ground(element.parentElement) : [1, 1, 1];
  return over(parts(getComputedStyle(element).backgroundColor), above);
};
const contrast = (element, colour, opacity) => {
  const [ink, below] = [parts(colour), ground(element)];
  for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
  ink[3] *= opacity;
  const [a, b] = [light(over(ink, below)), light(below)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = {};
const note = (element, colour, text, opacity = 1) => {
  const kind = element.tagName + "." + element.getAttribute("class") + " " + text;
  found[kind] = Math.min(found[kind] ?? 99, contrast(element, colour, opacity));
};
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || !element.getClientRects().length) continue;
  if (element.closest("script, style, option, title")) continue;
  const style = getComputedStyle(element);
  note(element, element.closest("svg") ? style.fill : style.color, text);
}
for (const input of document.querySelectorAll("input")) {
  const style = getComputedStyle(input, "::placeholder");
  note(input, style.color, "placeholder", Number(style.opacity));
}
return found;
"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read(chrome, page, scheme):
    contrasts = chrome.open(page.path, scheme=scheme).run(CONTRASTS)
    assert len(contrasts) > 100
    assert {text: c for text, c in contrasts.items() if c < READABLE} == {}


@pytest.fixture
def folder(tmp_path):
    named = Path(os.environ.get("ROBUSTBENCH_SCREENSHOTS") or tmp_path)
    named.mkdir(parents=True, exist_ok=True)
    return named


@pytest.mark.parametrize("look", [("light", 1280), ("dark", 1280), ("light", 390)])
def test_screenshots_are_not_blank(chrome, page, folder, look):
    scheme, width = look
    chrome.open(page.path, width=width, scheme=scheme)
    kind = page.path.parent.name.rstrip("0123456789")
    for part in ("", "-conditions", "-curves", "-point", "-images"):
        chrome.run(f"document.getElementById('benchmark-1{part}')?.scrollIntoView()")
        shot = chrome.screenshot()
        (folder / f"{kind}-{scheme}-{width}{part}.png").write_bytes(shot)
        image = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR).astype(np.int64)
        assert image.shape[1] == width
        assert len(np.unique(image @ [1, 256, 65536])) > 100
        assert (np.median(image) < 60) == (scheme == "dark")


def test_without_scripts_everything_is_there_and_no_filter(chrome, drawn_page):
    chrome.open(drawn_page.path, scripts=False)
    shown = "return Array.from(document.querySelectorAll(arguments[0])).filter(e => e.offsetHeight)"
    try:
        rows = chrome.run(f"{shown}.length", "table.sortable tbody tr")
        assert rows == len(drawn_page.plain["verdicts"]) + 2 * len(CONDITIONS) + 12
        assert chrome.run(f"{shown}.length", ".filters, thead button") == 0
    finally:
        chrome.command("Emulation.setScriptExecutionDisabled", value=False)


def test_a_page_can_be_printed(chrome, page):
    printed = chrome.open(page.path).printed()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 3


def test_a_page_printed_from_a_dark_screen_is_light(chrome, drawn_page):
    chrome.open(drawn_page.path, scheme="dark")
    chrome.command("Emulation.setEmulatedMedia", media="print")
    script = "return getComputedStyle(document.body).backgroundColor"
    assert chrome.run(script) == "rgb(255, 255, 255)"


def test_names_that_try_to_be_code_do_nothing(chrome, hostile):
    chrome.open(hostile.path)
    counts = "return ['script', 'img[src=x]', '[onerror]', 'script[src]'].map("
    assert chrome.run(counts + "css => document.querySelectorAll(css).length)") == [1, 0, 0, 0]
    assert chrome.console() == []
    assert {u for u in chrome.requests() if not u.startswith("data:")} == {hostile.path.as_uri()}


def test_names_that_try_to_be_code_are_read_as_they_are(chrome, hostile):
    text = chrome.open(hostile.path).run("return document.body.innerText")
    assert [wanted for wanted in HOSTILE_TEXTS if wanted not in text] == []


def test_links_work_whatever_a_benchmark_is_called(chrome, hostile):
    chrome.open(hostile.path)
    script = (
        "return Array.from(document.querySelectorAll('a[href^=\"#\"]'), "
        "a => [a.hash, document.getElementById(a.hash.slice(1)) !== null])"
    )
    links = chrome.run(script)
    assert len(links) > 20
    assert [name for name, there in links if not there] == []


def test_filters_work_whatever_a_benchmark_is_called(chrome, hostile):
    chrome.open(hostile.path)
    chrome.click(f"[data-filters='{DECISIONS}'] input")
    chrome.press(HOSTILE)
    assert len(chrome.shown_rows(DECISIONS)) == 1
    chrome.press("?")
    assert chrome.shown_rows(DECISIONS) == []


def test_names_that_try_to_be_code_fit_a_phone(chrome, hostile):
    assert chrome.open(hostile.path, width=390).run(WIDER) <= 0


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    return long_page(tmp_path_factory.mktemp("long"))


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names_fit_every_window(chrome, long_names, width):
    assert chrome.open(long_names.path, width=width).run(WIDER) <= 0


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names_leave_room_for_the_numbers(chrome, long_names, width):
    chrome.open(long_names.path, width=width)
    script = (
        "return Array.from(document.querySelectorAll('table.sortable, table.heat'), t => "
        "t.tBodies[0].rows[0].cells[0].offsetWidth / t.closest('.scroll').clientWidth)"
    )
    shares = chrome.run(script)
    assert len(shares) > 5
    assert max(shares) < 0.7


@pytest.mark.parametrize(("table", "column"), [(LIMITS, 2), (METRICS, 1), (CHANGES, 4)])
def test_the_sample_has_gaps_to_sort(opened, table, column):
    assert "" in opened.values(table, column)

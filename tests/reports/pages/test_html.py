"""Pages as text: valid, self-contained, the same every time, and never more than what they show."""

from __future__ import annotations

import base64
import hashlib
import re

import matplotlib as mpl
import numpy as np
import pytest
import yaml

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file.fields import error_record
from pytest_robustbench.reports.file.model import ReportFile
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.file.session import Unreported
from pytest_robustbench.reports.pages import extras
from pytest_robustbench.reports.pages.html.charts.canvas import BAD, LONGEST, THEME, WARN
from pytest_robustbench.reports.pages.html.charts.curves import Point, curve
from pytest_robustbench.reports.pages.html.charts.losses import losses
from pytest_robustbench.reports.pages.html.curves import curves
from pytest_robustbench.reports.pages.html.distributions import pixel_scores
from pytest_robustbench.reports.pages.source import Source
from tests.reports.page_samples import (
    HOSTILE,
    HOSTILE_TEXTS,
    LONG_NAME,
    WAIVED,
    Parsed,
    comparison,
    drawn_plain,
    full_plain,
    hostile_plain,
    long_plain,
    photographed_page,
    rendered,
    write_drawn_pictures,
)
from tests.reports.report_samples import unprepared_header
from tests.reports.stored_reports import edited, measure

MEGABYTE = 1_000_000
COUNTS = ("tp", "fp", "fn", "tn")


def unmeasured():
    plain = drawn_plain()
    errors = {f"severity_{s}": error_record("no space left") for s in (1, 2, 3, 4, 5)}
    clean = error_record("no space left")
    return edited(
        plain,
        (("robustness", "clean"), clean),
        (("robustness", "corruptions", "blur"), errors),
    )


def unknown_masks():
    plain = drawn_plain()
    records = [plain["robustness"]["clean"], *plain["robustness"]["corruptions"]["blur"].values()]
    for record in records:
        for name in COUNTS:
            record["per_image"][name][1] = None
    return edited(plain, (("samples", "mask_known", 1), False))


def without_pixel_threshold():
    """Maps, but an operating point that was given for images alone."""
    plain = drawn_plain()
    levels = {"level": [0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0]}
    levels |= {name: [float(n) for n in range(7)] for name in ("background", "defect")}
    for record in (
        plain["robustness"]["clean"],
        *plain["robustness"]["corruptions"]["blur"].values(),
    ):
        record["pixel_scores"] = levels
        record["results"]["pixel_metrics"]["pixel_threshold"] = None
        for name in COUNTS:
            record["per_image"][name] = [None] * 6
    return edited(plain, (("operating_point", "pixel_threshold"), None))


def without_clean():
    return edited(drawn_plain(), (("robustness", "clean"), error_record("no space left")))


def one_condition():
    return edited(drawn_plain(corruptions=()), (("verdicts",), []))


VARIANTS = {
    "without limits": drawn_plain,
    "without maps": lambda: drawn_plain(maps=False),
    "nothing measured": lambda: Report(unprepared_header(), (CLEAN,), {}).to_dict(),
    "every condition an error": unmeasured,
    "a recorded set": measure,
    "one condition": one_condition,
    "good parts only": lambda: drawn_plain(n=1),
    "unknown masks": unknown_masks,
    "no pixel threshold": without_pixel_threshold,
    "clean not measured": without_clean,
    "long names": long_plain,
    "a comparison that failed": lambda: edited(
        drawn_plain(),
        (("regression",), [comparison(outcome="error", problems=["none"], verdicts=[])]),
    ),
    "names that try to be code": hostile_plain,
}


@pytest.fixture(scope="module", params=VARIANTS)
def parsed(request, tmp_path_factory):
    page = rendered(tmp_path_factory.mktemp("variant"), VARIANTS[request.param]())
    return Parsed(page.text)


def test_the_samples_are_what_a_report_may_be():
    ReportFile.from_dict(sealed(full_plain()))


def test_elements_are_nested_as_they_must_be(parsed):
    assert parsed.wrong == []


def test_an_id_stands_for_one_element(parsed):
    ids = parsed.attributes("id")
    assert sorted(ids) == sorted(set(ids))


def test_links_lead_to_elements_of_the_page(parsed):
    targets = {link["href"] for link in parsed.all("a")}
    assert targets <= {f"#{name}" for name in parsed.attributes("id")}


def test_no_name_of_python_is_shown_for_a_number(parsed):
    assert re.findall(r"\b(nan|None|inf|Undefined)\b", parsed.visible) == []


@pytest.fixture(scope="module")
def whole(drawn_page):
    return Parsed(drawn_page.text)


def test_a_page_with_everything_is_valid(whole):
    ids = whole.attributes("id")
    assert whole.wrong == []
    assert sorted(ids) == sorted(set(ids))


def test_nothing_is_fetched_from_anywhere(whole):
    places = whole.attributes("src") + whole.attributes("xlink:href") + whole.attributes("href")
    styles = "".join(whole.raw["style"] + whole.attributes("style"))
    places += re.findall(r"url\(\s*['\"]?([^'\")]*)", styles)
    assert all(place.startswith(("data:", "#")) for place in places)
    assert "@import" not in styles
    assert not {"iframe", "object", "embed", "audio", "video"} & {tag for tag, _ in whole.elements}


def test_no_script_but_the_one_of_the_page_may_run(whole):
    (policy,) = (m["content"] for m in whole.all("meta") if "http-equiv" in m)
    (script,) = whole.raw["script"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy.split("; ")


def test_a_page_with_photographs_of_26_conditions_is_below_3_megabytes(tmp_path, test_data):
    page = photographed_page(tmp_path, test_data)
    pictures = Parsed(page.text).all("img")
    sizes = [len(picture["src"]) for picture in pictures]
    assert len(pictures) == 78
    assert min(sizes) > 3000
    assert page.path.stat().st_size < 3 * MEGABYTE


def test_a_page_rendered_again_is_the_same(tmp_path):
    plain = edited(drawn_plain(), (("regression",), [comparison()]))
    assert rendered(tmp_path, plain).text == rendered(tmp_path, plain).text


def test_two_benchmarks_share_one_page(tmp_path):
    caps = edited(drawn_plain(), (("name",), "caps"))
    page = Parsed(rendered(tmp_path, drawn_plain(), caps).text)
    ids = page.attributes("id")
    assert page.attributes("data-benchmark") == ["nuts", "caps"]
    assert sorted(ids) == sorted(set(ids))


def test_benchmarks_may_be_called_like_a_part_of_another(tmp_path):
    names = ("nuts", "nuts-limits", "benchmark-1")
    plains = [edited(drawn_plain(), (("name",), name)) for name in names]
    ids = Parsed(rendered(tmp_path, *plains).text).attributes("id")
    assert sorted(ids) == sorted(set(ids))


def test_two_comparisons_stand_apart_in_any_order(tmp_path):
    both = [comparison("anchor"), comparison("baseline")]
    plain = edited(drawn_plain(), (("regression",), both))
    ids = Parsed(rendered(tmp_path, plain).text).attributes("id")
    assert sorted(ids) == sorted(set(ids))


def test_a_benchmark_without_a_report_is_named(tmp_path):
    absent = Unreported("caps", "the worker crashed")
    page = rendered(tmp_path, drawn_plain(), unreported=[absent])
    assert "caps: FAIL" in page.text.split("</title>")[0]
    assert "the worker crashed" in Parsed(page.text).visible


def test_what_was_not_measured_is_said_in_words(tmp_path):
    nothing = Report(unprepared_header(), (CLEAN,), {}).to_dict()
    assert Parsed(rendered(tmp_path, nothing).text).visible.count("Nothing was measured.") == 2


def test_names_that_try_to_be_code_stay_text(hostile):
    page = Parsed(hostile.text)
    assert [text for text in HOSTILE_TEXTS if text not in page.visible] == []
    assert len(page.all("script")) == 1
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_a_configuration_is_shown_as_it_was(hostile):
    page = hostile.text
    shown = re.findall(r'<pre class="long">(.*?)</pre>', page, re.DOTALL)
    read = [yaml.safe_load("".join(Parsed(text).texts)) for text in shown]
    assert read == [hostile.plain["config"], hostile.plain["detector"]]


def test_pictures_are_described_by_their_names(hostile):
    told = [image["alt"] for image in Parsed(hostile.text).all("img")]
    assert told
    assert all(HOSTILE in text for text in told)


def test_a_file_name_that_is_no_unicode_can_be_shown(tmp_path):
    page = rendered(tmp_path, drawn_plain(ids=[f"test/gr\udcfcn/{n}" for n in range(6)]))
    assert r"test/gr\udcfcn/1" in Parsed(page.text).visible


def test_scores_beside_their_threshold_are_told_apart(tmp_path):
    decision = {"baseline_score": 39.51, "candidate_score": 39.49}
    thresholds = {"baseline_threshold": 39.5, "candidate_threshold": 39.5}
    changed = [{"condition": "clean", "id": "a", "kind": "new miss"} | decision | thresholds]
    compared = comparison(changed_decisions=changed)
    page = Parsed(rendered(tmp_path, edited(drawn_plain(), (("regression",), [compared]))).text)
    assert "39.51 > 39.50" in page.visible or "39.51 > 39.5" in page.visible


EQUAL = float(np.float32(0.7))  # stored in all digits as a threshold, as 0.7 as a score


def test_a_score_in_few_decimals_can_equal_its_threshold(tmp_path):
    decision = {"baseline_score": 0.7, "candidate_score": 0.70000005}
    thresholds = {"baseline_threshold": EQUAL, "candidate_threshold": EQUAL}
    changed = [{"condition": "clean", "id": "a", "kind": "new"} | decision | thresholds]
    compared = comparison(changed_decisions=changed)
    page = Parsed(rendered(tmp_path, edited(drawn_plain(), (("regression",), [compared]))).text)
    assert "0.7 \N{LESS-THAN OR EQUAL TO} 0.7" in page.visible
    assert "0.70000005 > 0.69999999" in page.visible


def test_an_image_is_told_as_it_was_decided(tmp_path):
    clean = ("robustness", "clean")
    counts = [((*clean, "per_image", name), [9] * 6) for name in COUNTS]
    scores = [0.7, 0.7, 0.8, 0.8, 0.9, 0.9]
    steps = [((*clean, "per_image", "score"), scores), ((*clean, "results", "threshold"), EQUAL)]
    page = Parsed(rendered(tmp_path, edited(drawn_plain(corruptions=()), *counts, *steps)).text)
    assert "score 0.7 not above the image threshold 0.7;" in page.visible
    assert "missed; score 0.7 not above" in page.visible
    assert "false reject; score 0.7 " not in page.visible
    assert "false reject; score 0.8 above the image threshold 0.7;" in page.visible


def test_images_without_a_known_mask_are_named(tmp_path):
    page = Parsed(rendered(tmp_path, unknown_masks()).text)
    captions = [text for text in page.texts if "the image threshold" in text]
    assert any(text.endswith("mask not known") for text in captions)
    assert not all("mask not known" in text for text in captions)


@pytest.mark.parametrize(
    "plain", [lambda: drawn_plain(maps=False), without_pixel_threshold, drawn_plain]
)
def test_as_many_panels_are_explained_as_there_are(tmp_path, plain):
    page = Parsed(rendered(tmp_path, plain()).text)
    has_third = plain is drawn_plain
    assert ("calls anomalous, in red" in page.visible) is has_third
    assert ("No third picture" in page.visible) is not has_third


def test_pictures_are_described_with_the_panels_they_have(tmp_path):
    without, whole = drawn_plain(maps=False), drawn_plain()
    for plain, has_third in ((without, False), (whole, True)):
        write_drawn_pictures(Source(plain, tmp_path / "0.json"))
        told = [image["alt"] for image in Parsed(rendered(tmp_path, plain).text).all("img")]
        assert told
        assert {"what the frozen threshold calls anomalous" in text for text in told} == {has_third}


def test_pixel_scores_are_drawn_beside_a_threshold_only(tmp_path):
    plain = without_pixel_threshold()
    assert "the pixel threshold" not in rendered(tmp_path, plain).text
    steps = (("operating_point", "pixel_threshold"), 3.5)
    assert "the pixel threshold is 3.5" in pixel_scores(Source(edited(plain, steps)))


def test_a_latency_without_clean_is_told_in_whole_sentences(tmp_path):
    visible = Parsed(rendered(tmp_path, without_clean()).text).visible
    assert "Red: the limit on the median." in visible
    assert "Red: the limit on the median. ." not in visible


def test_a_waived_limit_is_drawn_as_waived():
    corruption, severity = WAIVED.split("-severity_")
    found = {c["metric"]: c["panels"] for c in curves(Source(full_plain()))}["bg_fpr"]
    (svg,) = (panel["svg"] for panel in found if panel["corruption"] == corruption)
    told = svg.split('aria-label="')[1].split('"')[0]
    assert re.search(rf"severity {severity} \S+ \(limit 0.009\) waived", told)
    assert f"var(--{THEME[WARN]})" in svg


@pytest.mark.parametrize(
    ("point", "colours"),
    [
        (Point(1, 0.5, None, 0.6, violated=True), {BAD}),
        (Point(1, 0.5, None, 0.6, waived=True), {WARN}),
        (Point(1, 0.5, None, 0.4), set()),
    ],
)
def test_violated_and_waived_points_have_markers_of_their_own(point, colours):
    svg = curve("k", "d", [point], (0.0, 1.0))
    assert {each for each in (BAD, WARN) if f"var(--{THEME[each]})" in svg} == colours


def test_a_long_name_leaves_room_for_the_plot(tmp_path):
    page = Parsed(rendered(tmp_path, long_plain()).text)
    labels = [text for text in page.texts if "..." in text and "-severity_" in text]
    assert labels
    assert {len(text) for text in labels} == {LONGEST}
    assert {text[-1] for text in labels} == set("12345")
    assert LONG_NAME in page.visible


def lost(condition, interval=None):
    found = {"condition": condition, "loss": 0.1, "interval": interval}
    return {**found, "allowed": 0.2, "outcome": "pass"}


def test_dollars_in_labels_are_no_formula():
    svg = losses("k", "d", [lost("$x_1$")], "loss of $y$")
    assert "$x_1$" in svg
    assert "loss of $y$" in svg


def test_letters_that_matplotlib_has_no_font_for_are_drawn_by_the_reader():
    mirror = "\N{CJK UNIFIED IDEOGRAPH-93E1}"
    assert f">{mirror}</text>" in losses("k", "d", [lost(mirror)], "loss")


SETTINGS = {
    "figure.autolayout": True,
    "figure.constrained_layout.use": False,
    "savefig.bbox": "tight",
    "savefig.facecolor": "white",
    "path.sketch": (1, 100, 2),
    "lines.marker": "s",
    "axes.xmargin": 0.4,
    "text.usetex": True,
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_the_process_do_not_change_a_plot(setting):
    def drawn():
        return losses("k", "d", [lost("a", interval=[0, 0.2])], "loss")

    expected = drawn()
    with mpl.rc_context({setting: SETTINGS[setting]}):
        assert drawn() == expected


def test_settings_of_the_process_stay_as_they_were(tmp_path):
    before = dict(mpl.rcParams)
    rendered(tmp_path, drawn_plain())
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"jinja2"}, "jinja2 is not installed"),
        ({"jinja2", "matplotlib"}, "jinja2 and matplotlib are not installed"),
    ],
)
def test_without_the_extra_the_remedy_is_named(monkeypatch, tmp_path, lacking, said):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in lacking else True)
    remedy = re.escape('pip install "pytest-robustbench[report]"')
    with pytest.raises(ReportError, match=f"{said}.*{remedy}"):
        rendered(tmp_path, drawn_plain())
    assert not (tmp_path / "report.html").exists()

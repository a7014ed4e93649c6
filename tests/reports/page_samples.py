"""Reports for tests of pages: everything a page can show, and names that try to be code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from pytest_robustbench.benchmark import Benchmark, Gate, judged_report
from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.gates.limits import Limit, Waiver
from pytest_robustbench.reports.file.fields import error_record
from pytest_robustbench.reports.file.session import Unreported
from pytest_robustbench.reports.file.stored import read_stored
from pytest_robustbench.reports.pages.drawing import jpeg
from pytest_robustbench.reports.pages.formats import HTML
from pytest_robustbench.reports.pages.html.gallery import thumbnail_names
from pytest_robustbench.reports.pages.source import Edition, Source
from pytest_robustbench.reports.pages.thumbnails import Thumbnails, thumbnails_of
from tests.reports.report_samples import GIVEN, contrast, drawn_report
from tests.reports.stored_reports import edited

CONDITIONS = ("clean", *(f"{c}-severity_{s}" for c in DEFAULT for s in SEVERITIES))
UNMEASURED = "glare-severity_5"
ERROR = "the detector raised MemoryError on test/scratch/007"
WAIVED = "jpeg-severity_5"
HOSTILE = '"><script>alert(1)</script>\'"><img src=x onerror=alert(1)>{{7*7}}$x$'
LONG_NAME = "x" * 120
VOID = {"br", "img", "input", "link", "meta", "wbr"}
BLOCKS = {"article", "div", "dl", "figure", "h2", "h3", "h4", "p", "pre", "section", "table", "ul"}


@dataclass(frozen=True)
class Page:
    """A page, and the reports it shows."""

    path: Path
    plains: tuple[dict, ...]

    @property
    def plain(self):
        return self.plains[0]

    @property
    def conditions(self):
        return list(Source(self.plain).records)

    @property
    def text(self):
        return self.path.read_text(encoding="utf-8")


def rendered(folder, *plains, unreported=()):
    sources = [Source(plain, folder / f"{number}.json") for number, plain in enumerate(plains)]
    (page,) = HTML.write(Edition(sources, folder, unreported), folder)
    return Page(page, plains)


def drawn_plain(**options):
    return json.loads(json.dumps(drawn_report(**options).to_dict()))


def full_plain():
    """26 conditions with limits, a waiver, an error and a comparison."""
    report = drawn_report(24, corruptions=DEFAULT)
    records = {**report.records, UNMEASURED: error_record(ERROR)}
    waiver = Waiver(WAIVED, "bg_fpr", "new lens on order", "line 3", date(2999, 3, 31), "r.yaml:9")
    gate = Gate(
        {condition: _limits() for condition in CONDITIONS},
        (Limit("mean_corruption_pixel_segf1", "min", 0.3, "robustness.yaml:20"),),
        (waiver,),
    )
    plain = judged_report(report.header, report.declared, records, gate).to_dict()
    return json.loads(json.dumps({**plain, "regression": [comparison()]}))


def _limits():
    return (
        Limit("pixel_segf1", "min", 0.6, "robustness.yaml:10"),
        Limit("bg_fpr", "max", 0.009, "robustness.yaml:11"),
        Limit("auroc", "min", 0.4, "robustness.yaml:12"),
    )


def comparison(role="baseline", **changes):
    rng = np.random.default_rng(1)
    outcomes = ("pass", "regressed", "inconclusive")
    verdicts = [
        _change(condition, outcomes[number % 3], *rng.uniform(-0.02, 0.9, 3).tolist())
        for number, condition in enumerate(CONDITIONS)
        if condition != UNMEASURED
    ]
    verdicts.append(_change(UNMEASURED, "error", None, None, None))
    decisions = [
        {
            "condition": condition,
            "id": f"test/scratch/{number:03d}",
            "label": 1,
            "kind": "new miss" if number % 2 else "fixed miss",
            "baseline": bool(number % 2),
            "candidate": not number % 2,
            "baseline_score": 4.0 + number / 20,
            "candidate_score": 4.000001 - number / 20,
            "baseline_threshold": 4.0,
            "candidate_threshold": 4.0,
            "baseline_margin": 0.1,
            "candidate_margin": -0.1,
        }
        for number, condition in enumerate(CONDITIONS[:12])
    ]
    return {
        "role": role,
        "baseline": "nuts.json",
        "outcome": "regressed",
        "problems": [],
        "notes": ["blur: 2 images are new"],
        "verdicts": verdicts,
        "n_changed_decisions": len(decisions),
        "changed_decisions": decisions,
    } | changes


def _change(condition, outcome, baseline, candidate, loss):
    return {
        "condition": condition,
        "metric": "pixel_segf1",
        "bound": "max_drop",
        "value": 0.05,
        "relative": False,
        "outcome": outcome,
        "baseline": baseline,
        "candidate": candidate,
        "loss": loss,
        "allowed": None if loss is None else 0.05,
        "benchmark": "nuts",
        "interval": None if loss is None else [loss - 0.01, loss + 0.01],
        "p": None,
        "improved": False,
        "identical": False,
        "images_needed": None,
        "parts_needed": None,
        "images_kind": "",
        "reason": "the test set is too small" if outcome == "inconclusive" else "",
        "source": "robustness.yaml:30",
    }


def write_drawn_pictures(source):
    """Pictures in the place of every one that the page looks for."""
    columns = np.linspace(0, 255, 120, dtype=np.uint8)
    picture = np.broadcast_to(columns[None, :, None], (40, 120, 3))
    names = thumbnail_names(source)
    Thumbnails(source.path).write({name: jpeg(np.ascontiguousarray(picture), 76) for name in names})


def full_page(folder):
    plain = full_plain()
    write_drawn_pictures(Source(plain, folder / "0.json"))
    return rendered(folder, plain)


def photographed_page(folder, data, **options):
    """Real photographs, with pictures of the worst under each condition."""
    split = load_split(
        "mvtec", root=data / "mvtec_layout", category="hazelnut_toy", resize=(256, 256)
    )
    limits = {"clean": (Limit("bg_fpr", "max", 0.05, "r.yaml:3"),)}
    options |= {"operating_point": GIVEN, "gate": Gate(limits, one_sided={"clean": "false_alarms"})}
    benchmark = Benchmark(split, contrast, fitted=True, exhibits=True, **options)
    path = folder / "0.json"
    keep = Thumbnails(path)
    report = benchmark.run(on_result=lambda result: keep.write(thumbnails_of(result)))
    report.write(path)
    return rendered(folder, read_stored(path).plain)


def long_plain():
    """A corruption and a recorded set whose names fill more than a line."""
    text = json.dumps({**drawn_plain(), "regression": [comparison()]}).replace("blur", LONG_NAME)
    plain = json.loads(text)
    led = {**plain["robustness"]["clean"], "samples": plain["samples"], "notes": []}
    return edited(plain, (("robustness", "recorded"), {LONG_NAME: led}))


def long_page(folder):
    plain = long_plain()
    write_drawn_pictures(Source(plain, folder / "0.json"))
    return rendered(folder, plain)


def hostile_plain():
    """A report in which everything that is text tries to be code."""
    plain = drawn_plain(ids=[f"test/{HOSTILE}/{number}{HOSTILE}" for number in range(6)])
    records = plain["robustness"]["corruptions"]["blur"]
    records["severity_5"] = {"error": f"error {HOSTILE}"}
    samples = edited(plain["samples"], (("id",), [f"led {HOSTILE} {n}" for n in range(6)]))
    led = {**plain["robustness"]["clean"], "samples": samples, "notes": [f"led note {HOSTILE}"]}
    held = {"interval": None, "improved": False, "allowed": 0.05, "outcome": "regressed"}
    numbers = {"baseline": 0.5, "candidate": 0.4, "loss": 0.1}
    change = {"condition": "clean", "metric": "bg_fpr", "reason": f"change {HOSTILE}"}
    decision = {**comparison()["changed_decisions"][0], "id": f"decision {HOSTILE}"}
    words = {name: [f"{name} {HOSTILE}"] for name in ("problems", "notes", "narrowed")}
    verdict = {
        "condition": "clean",
        "metric": "bg_fpr",
        "bound": "max",
        "limit": 0.0,
        "value": plain["robustness"]["clean"]["results"]["pixel_metrics"]["bg_fpr"],
        "verdict": "fail",
        "reason": f"reason {HOSTILE}",
        "source": f"{HOSTILE}.yaml:3",
    }
    waiver = {"reason": f"why {HOSTILE}", "by": f"who {HOSTILE}", "until": "2999-01-31"}
    waived = {**verdict, "condition": "blur-severity_1", "waiver": {**waiver, "source": "r.yaml:9"}}
    compared = comparison(
        baseline=f"baseline {HOSTILE}",
        problems=words["problems"],
        notes=words["notes"],
        verdicts=[change | held | numbers],
        changed_decisions=[decision],
    )
    health = {
        "n_images": 3,
        "n_tail_images": 2,
        "largest_tail_share": 0.6,
        "largest_tail_image": f"health {HOSTILE}",
    }
    return edited(
        plain,
        (("robustness", "recorded"), {"led": led}),
        *(((name,), f"{name} {HOSTILE}") for name in ("name", "dataset", "category", "model")),
        *(((name,), f"{name} {HOSTILE}") for name in ("command", "rerun", "started")),
        (("profile",), f"profile {HOSTILE}"),
        (("notes",), [f"note {HOSTILE}"]),
        (("narrowed",), words["narrowed"]),
        (("trouble",), f"trouble {HOSTILE}"),
        (("missing",), ["blur-severity_5"]),
        (("config",), {f"key {HOSTILE}": [f"value {HOSTILE}", {"root": HOSTILE}]}),
        (("detector",), {"name": HOSTILE, "backbone": {HOSTILE: HOSTILE}}),
        (("environment", "cpu"), f"cpu {HOSTILE}"),
        (("operating_point", "warnings"), [f"warning {HOSTILE}"]),
        (("operating_point", "health"), health),
        (("accepted",), {"date": "2026-01-01", "reason": f"accepted {HOSTILE}"}),
        (("verdicts",), [verdict, waived]),
        (("regression",), [compared, {**compared, "role": "anchor"}]),
    )


def hostile_page(folder):
    plain = hostile_plain()
    write_drawn_pictures(Source(plain, folder / "0.json"))
    absent = Unreported(f"absent {HOSTILE}", f"it crashed {HOSTILE}")
    return rendered(folder, plain, unreported=[absent])


HOSTILE_TEXTS = [
    f"{what} {HOSTILE}"
    for what in (
        "name",
        "category",
        "model",
        "command",
        "profile",
        "error",
        "led",
        "led note",
        "note",
        "narrowed",
        "trouble",
        "warning",
        "health",
        "cpu",
        "accepted",
        "who",
        "why",
        "reason",
        "baseline",
        "problems",
        "notes",
        "change",
        "decision",
        "absent",
        "it crashed",
    )
] + [f"test/{HOSTILE}/1{HOSTILE}", f"{HOSTILE}.yaml:3"]


class Parsed(HTMLParser):
    """Elements in their order, and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.wrong, self.texts = [], [], [], []
        self.raw = {"script": [], "style": []}
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self._add(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._add(tag, attrs)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()} closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        inner = self.open[-1] if self.open else ""
        self.raw.get(inner, self.texts).append(data)

    def _add(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.wrong += [f"{name} twice in <{tag}>" for name in _twice(n for n, _ in attrs)]
        if tag in BLOCKS and "p" in self.open:
            self.wrong.append(f"<{tag}> at {self.getpos()} inside a paragraph")

    @property
    def visible(self):
        return "".join(self.texts)

    def all(self, tag):
        return [attrs for found, attrs in self.elements if found == tag]

    def attributes(self, name):
        return [attrs[name] for _, attrs in self.elements if name in attrs]


def _twice(names):
    found = list(names)
    return {name for name in found if found.count(name) > 1}

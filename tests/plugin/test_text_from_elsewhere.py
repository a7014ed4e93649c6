"""Names and values from elsewhere act in no log, and secrets of the environment stand nowhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.plugin.robustness_project import Project, text_of

SECRET = "hunter2-hunter2"
COMMAND = re.compile(r"^\s*::(error|stop)|\x1b\[2J|\u202e", re.MULTILINE)
EVIL = "zz\n::stop-commands::x\n\x1b[2J\u202e"

MARGINS = ("MARGINS", "f1: {max_drop: 0.1}, one_sided: misses")


def everything_told(project: Project, *args: str) -> str:
    """Run with every format there is; return all that was told and written."""
    result = project.run(*args, "--junitxml=junit.xml", "-rA", "--robustness-html=on")
    files = [p for p in project.reports.rglob("*") if p.suffix not in (".png", ".lock")]
    written = [p.read_text(encoding="utf-8", errors="replace") for p in files if p.is_file()]
    return "\n".join([text_of(result), (project.path / "junit.xml").read_text(), *written])


def copied_data(project: Project) -> Path:
    return Path(shutil.copytree(project.data, project.path / "data"))


def test_a_path_of_the_yaml_cannot_give_orders(project: Project) -> None:
    root = '"x\\n::error file=a.py,line=1::pwned\\n\\u202e"'
    project.yaml(dataset=f"{{format: mvtec, root: {root}, category: brushed_metal}}")
    told = everything_told(project)
    assert "pwned" in told
    assert not COMMAND.search(told)


def test_the_name_of_a_file_cannot_give_orders(project: Project) -> None:
    data = copied_data(project)
    folders = sorted((data / "brushed_metal" / "test").iterdir())
    folder = next(path for path in folders if path.name != "good")
    (folder / f"{EVIL}.png").write_bytes(b"x")
    project.yaml(dataset="{format: mvtec, root: data, category: brushed_metal}")
    told = everything_told(project)
    assert r"zz\n::stop-commands::x\n\x1b[2J\u202e" in told
    assert not COMMAND.search(told)


def test_a_file_name_that_is_no_unicode_breaks_nothing(project: Project) -> None:
    data = copied_data(project)
    good = data / "brushed_metal" / "test" / "good"
    first = min(good.iterdir())
    try:
        first.rename(good / "bad\udcff.png")
    except OSError:
        pytest.skip("this file system knows Unicode names alone")
    project.yaml(dataset="{format: mvtec, root: data, category: brushed_metal}")
    result = project.run("--robustness-html=on")
    assert result.ret == 0, text_of(result)
    assert any("udcff" in image for image in map(ascii, project.report()["samples"]["id"]))
    assert project.run("--robustness-resume").ret == 0


def test_the_reason_of_a_waiver_cannot_give_orders(project: Project) -> None:
    waiver = (
        "waivers:\n  - {condition: clean, metric: pixel_segf1, until: 2999-01-01, by: me, "
        'reason: "a\\n::error::b"}\n'
    )
    project.yaml("all: {pixel_segf1: {min: 1.0}, one_sided: misses}", extra=waiver)
    told = everything_told(project)
    assert r"a\n::error::b" in told
    assert not COMMAND.search(told)


FACTORY = """\
from tests.plugin.line_models import MeanDetector

class Told(MeanDetector):
    def __init__(self, token):
        super().__init__()
        self.token = token

    def description(self):
        return {"class": "Told", "token": self.token}

def refused(token):
    raise PermissionError(f"login with {token!r} failed\\n::error::{token}")

def asked(token):
    class Asked(Told):
        def predict(self, images):
            raise ConnectionError(f"GET https://x.test/?key={self.token}")
    return Asked(token)

def unforeseen(token):
    class Unforeseen(Told):
        def fit(self, images):
            raise SystemError(self.token)
    return Unforeseen(token)
"""
DATA = "{format: mvtec, root: '%s', category: brushed_metal}"


@pytest.mark.parametrize(
    "yaml",
    [
        {"dataset": DATA % "${SECRET}"},
        {"dataset": DATA % "/nowhere/${SECRET}/x"},
        {"dataset": "{format: mvtec, root: '%s', category: '${SECRET}'}"},
        {"detector": "{name: 'told:refused', kwargs: {token: '${SECRET}'}}"},
        {"detector": "{name: 'told:asked', kwargs: {token: 'x${SECRET}'}}"},
        {"detector": "{name: 'told:unforeseen', kwargs: {token: '${SECRET}'}}"},
        {"detector": "{name: 'told:Told', kwargs: {token: '${SECRET:-none}'}}"},
        {"detector": "{name: '${SECRET}'}"},
        {"detector": "{name: pixel_gaussian, preset: '${SECRET}'}"},
        {"detector": "{name: pixel_gaussian, device: '${SECRET}'}"},
        {"extra": "operating_point: '${SECRET}/x.json'\n"},
        {"extra": "calibration: {images: '${SECRET}'}\n"},
        {"extra": "regression: {baseline: '${SECRET}/{name}.json', MARGINS}\n".replace(*MARGINS)},
    ],
    ids=lambda yaml: str(yaml)[:60],
)
def test_a_secret_of_the_environment_stands_nowhere(
    project: Project, monkeypatch: pytest.MonkeyPatch, yaml: dict[str, str]
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    project.write("told.py", FACTORY)
    if "%s" in yaml.get("dataset", ""):
        yaml = {"dataset": yaml["dataset"] % project.data}
    project.yaml(corruptions="[blur]", severities="[1]", **yaml)
    told = everything_told(project, "-v")
    assert "${SECRET" in told
    assert SECRET not in told
    assert not COMMAND.search(told)


def test_detectors_that_differ_in_a_hidden_value_alone_are_measured_each(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("told.py", FACTORY)
    extra = "operating_point: {pixel_threshold: 20.0, image_threshold: 30.0}\n"
    project.yaml(detector="{name: 'told:Told', kwargs: {token: '${SECRET}'}}", extra=extra)
    taken = []
    for value in (SECRET, SECRET, "another-value"):
        monkeypatch.setenv("SECRET", value)
        assert project.run("--robustness-resume").ret == 0
        assert project.report()["detector"]["token"] == "${SECRET}"
        taken.append(any(n.startswith("taken over") for n in project.report()["notes"]))
    assert taken == [False, True, False]


def test_a_value_of_the_environment_that_can_be_no_name_is_not_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", "https://line:hunter2@host/part")
    project.yaml(name="'${SITE}'")
    told = text_of(project.run())
    assert ("benchmark name '${SITE}' becomes" in told, "hunter2" in told) == (True, False)


def test_names_and_numbers_of_the_environment_are_told_as_they_are(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PART": "brushed_metal", "LEVEL": "3", "DRIFT": "blur"}.items():
        monkeypatch.setenv(name, value)
    dataset = f"{{format: mvtec, root: '{project.data}', category: '${{PART}}'}}"
    project.yaml(
        dataset=dataset, corruptions="['${DRIFT}']", severities="['${LEVEL}']", name="'${PART}'"
    )
    result = project.run()
    assert result.ret == 0, text_of(result)
    assert "${" not in text_of(result)
    assert project.report("brushed_metal")["category"] == "brushed_metal"

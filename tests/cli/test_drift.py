"""``pytest-robustbench drift``: what stands on which stream, and what is written."""

from __future__ import annotations

import cv2
import pytest
import yaml

from pytest_robustbench.cli.main import main
from pytest_robustbench.reports.drift.model import read_drift
from tests.drift.drift_pictures import parts, photographed


@pytest.fixture
def line(tmp_path, monkeypatch):
    """Folders before and after, the latter half a stop darker."""
    monkeypatch.chdir(tmp_path)
    for side, seed, ev in (("before", 0, 0.0), ("after", 1, -0.5)):
        (tmp_path / side).mkdir()
        for i, one in enumerate(parts(12, seed)):
            picture = photographed(one, i + 100 * seed, ev=ev)
            cv2.imwrite(str(tmp_path / side / f"{i:02d}.png"), picture)
    return tmp_path


def drift(*arguments):
    return main(["drift", "--before", "before", "--after", "after", *arguments])


def test_a_table_in_words_stands_on_standard_output(line, capsys):
    assert drift("--response", "linear", "--name", "dimmer") == 0

    out, err = capsys.readouterr()
    assert err == "comparing 12 pictures after with 12 before: mostly less than a minute\n"
    assert out.startswith("drifted: exposure\n")
    assert "12 pictures of after against 12 pictures of before, response linear" in out
    (told,) = [part for part in out.splitlines() if part.strip().startswith("exposure")]
    assert "EV [" in told
    assert "darker (floor" in told
    assert "name: dimmer}" in out


def test_files_are_written_where_asked(line, capsys):
    assert drift("--response", "linear", "--out", "found") == 0

    err = capsys.readouterr().err
    record = read_drift(line / "found" / "drift.json")
    assert record.estimates["exposure"].value == pytest.approx(-0.5, abs=0.08)
    (reference,) = yaml.safe_load((line / "found" / "line_drift.yaml").read_text("utf-8"))[
        "corruptions"
    ]
    assert reference == record.corruption
    assert "drift.json" in err
    assert ("wrote found/drift.html" in err) == (line / "found" / "drift.html").exists()


def test_one_folder_against_itself_has_not_drifted(line, capsys):
    code = main(["drift", "--before", "before", "--after", "before", "--response", "linear"])

    assert code == 0
    assert capsys.readouterr().out.startswith("no drift is told apart from chance\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--after", "gone"], "after images: gone does not exist"),
        (["--name", "LED 2025"], "cannot be called 'LED 2025'"),
        (["--out", "before/00.png"], "--out before/00.png cannot be written"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_line_and_exit_code_2(line, capsys, arguments, message):
    code = drift(*arguments)
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_damaged_picture_is_named(line, capsys):
    (line / "after" / "03.png").write_bytes(b"no picture")

    assert drift() == 2
    err = capsys.readouterr().err
    assert "after/03" in err
    assert err.count("\n") == 2, "what is compared, and the message"


def test_too_few_pictures_are_refused(line, capsys):
    for path in sorted((line / "after").iterdir())[5:]:
        path.unlink()

    assert drift() == 2
    assert "5 pictures" in capsys.readouterr().err

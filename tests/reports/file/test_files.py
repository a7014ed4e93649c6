"""Report files: standard JSON that git can diff, whole or not there, and the same when read."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import dumps
from pytest_robustbench.reports.file.model import ReportFile
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.file.stored import read_stored
from pytest_robustbench.reports.file.writing import write_atomically
from tests.reports.report_samples import drawn_header, drawn_report, full_size_report


def test_a_report_with_nan_is_not_written(tmp_path):
    report = drawn_report()
    report.records["clean"]["latency_ms_per_image"] = float("nan")

    with pytest.raises(ReportError, match=r"cannot write .*r\.json: .*a finite number, found nan"):
        report.write(tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_json_has_no_number_for_is_recorded_as_the_word(tmp_path):
    header = drawn_header(detector={"name": "d", "quantile": float("nan"), "most": [float("inf")]})
    Report(header, (), {}).write(tmp_path / "r.json")

    assert read_stored(tmp_path / "r.json").plain["detector"] == {
        "name": "d",
        "quantile": "NaN",
        "most": ["Infinity"],
    }


def test_a_report_reads_back_the_same(tmp_path, real_report):
    path = tmp_path / "deep" / "er" / "report.json"
    real_report.write(str(path))

    assert read_stored(path).plain == json.loads(json.dumps(real_report.to_dict(), allow_nan=False))
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]


def test_what_is_read_and_written_again_is_the_same_text(tmp_path, real_report):
    path = tmp_path / "a.json"
    real_report.write(path)
    again = ReportFile.from_dict(read_stored(path).plain).to_dict()

    assert dumps(again) == path.read_bytes().decode()


IDS = ["bad/Kratzer_ä", "不良/001", "emoji 🔩", 'quote"back\\slash', "line\u2028separator", "x"]


def test_ids_may_be_any_unicode(tmp_path):
    drawn_report(ids=IDS).write(tmp_path / "r.json")

    assert read_stored(tmp_path / "r.json").plain["samples"]["id"] == IDS
    assert "不良/001" in (tmp_path / "r.json").read_text(encoding="utf-8")


def test_ids_may_be_file_names_that_are_no_unicode(tmp_path):
    name = os.fsdecode(b"k\xe4fer.png") if sys.platform != "win32" else "k\udce4fer.png"
    drawn_report(ids=[name, *IDS[1:]]).write(tmp_path / "r.json")

    assert read_stored(tmp_path / "r.json").plain["samples"]["id"][0] == name


def test_160_images_under_26_conditions_stay_small(tmp_path):
    full_size_report(side=512).write(tmp_path / "r.json")
    columns = read_stored(tmp_path / "r.json").plain["robustness"]["clean"]["per_image"]

    assert {len(column) for column in columns.values()} == {160}
    assert (tmp_path / "r.json").stat().st_size < 300_000


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")
    return path


def assert_untouched(path):
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in path.parent.iterdir()] == [path.name], "a temporary file is left"


def test_a_move_that_fails_leaves_the_old_file(old_file, monkeypatch):
    def refuse(source, target):
        raise PermissionError(errno.EACCES, "Permission denied", source, None, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReportError) as caught:
        drawn_report().write(old_file)

    assert str(caught.value) == f"cannot write {old_file}: Permission denied"
    assert_untouched(old_file)


def test_a_full_disk_leaves_the_old_file(old_file, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError) as caught:
        drawn_report().write(old_file)

    assert str(caught.value) == f"cannot write {old_file}: No space left on device"
    assert_untouched(old_file)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_fills_up_while_writing_leaves_the_old_file(old_file, monkeypatch):
    real_open = Path.open

    def open_full(path, mode="r", **options):
        return real_open(Path("/dev/full"), "w", **options) if "x" in mode else real_open(path)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(ReportError, match="No space left on device") as caught:
        write_atomically(old_file, "new" * 100_000)
    monkeypatch.undo()

    assert "\n" not in str(caught.value)
    assert_untouched(old_file)


def test_an_interrupted_write_leaves_the_old_file(old_file, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(old_file, "new")

    assert_untouched(old_file)


def test_a_folder_that_is_a_file_is_one_message(old_file):
    with pytest.raises(ReportError, match=r"cannot write .*below") as caught:
        drawn_report().write(old_file / "below" / "r.json")

    assert "\n" not in str(caught.value)
    assert_untouched(old_file)


@pytest.mark.parametrize("path", ["", "."])
def test_a_path_that_is_no_file_name_is_one_message(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match="cannot write"):
        drawn_report().write(path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_a_report_has_the_mode_of_any_new_file(tmp_path):
    plain, report = tmp_path / "plain", tmp_path / "report.json"
    plain.touch()
    drawn_report().write(report)

    assert stat.S_IMODE(report.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot read the report"),
        ('{"schema_version": 1}', "has schema version 1, not 2"),
        ('{"category": "nuts"}', "has schema version None, not 2"),
        ('{"schema_version": 2, "name": "nuts"}', "no whole report: it lacks dataset"),
    ],
)
def test_what_is_no_report_is_one_message(tmp_path, content, message):
    path = tmp_path / "r.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match=message) as caught:
        read_stored(path, "measure again")

    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("; measure again")
    assert "\n" not in str(caught.value)


def test_a_header_crosses_process_borders():
    header = drawn_header(ids=IDS, notes=["one", "two"])
    plain = json.loads(json.dumps(header.to_dict(), allow_nan=False))

    assert type(header).from_dict(plain) == header

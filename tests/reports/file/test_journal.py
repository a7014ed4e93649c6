"""The journal: what is finished is on disk, and nothing that ends a process takes more."""

from __future__ import annotations

import errno
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.file import journal
from pytest_robustbench.reports.file.journal import Entry, Journal, journals_in, read_journal

FIRST = Entry(
    "benchmark",
    "nuts",
    {"header": {"name": "nuts"}, "declared": ["clean"], "narrowed": [], "fitted": True},
)
SECOND = Entry(
    "condition",
    "nuts",
    {"condition": "clean", "key": "", "record": {"error": "é\n"}, "reused": False},
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "gw0.jsonl"


def test_what_is_appended_is_read_back_in_order(path):
    for entry in (FIRST, SECOND):
        Journal(path).append(entry)

    assert read_journal(path) == (FIRST, SECOND)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_torn_line_costs_nothing_else(tmp_path, data):
    path = tmp_path / "torn.jsonl"
    path.unlink(missing_ok=True)
    for entry in (FIRST, SECOND):
        Journal(path).append(entry)
    whole = path.read_bytes()
    start = whole.rstrip().rindex(b"\n") + 1
    path.write_bytes(whole[: data.draw(st.integers(start, len(whole) - 2))])

    assert read_journal(path) == (FIRST,)
    Journal(path).append(SECOND)
    assert read_journal(path) == (FIRST, SECOND)


def test_a_full_disk_is_one_message(path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal.os, "fsync", full)
    with pytest.raises(ReportError, match=r"cannot write the journal .*gw0.jsonl: No space left"):
        Journal(path).append(FIRST)


def test_what_json_has_no_word_for_is_no_entry(path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Journal(path).append(Entry("condition", "nuts", {"record": float("nan")}))


def test_another_version_is_refused(path):
    Journal(path).append(FIRST)
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "version": 0}))

    with pytest.raises(ReportError, match="no journal of version 1"):
        read_journal(path)


@pytest.mark.parametrize(
    "line", ['{"version": 1, "kind": "condition"}', '{"version": 1, "kind": "x"}', "{}"]
)
def test_a_file_of_something_else_is_refused(path, line):
    path.parent.mkdir()
    path.write_text(line)

    with pytest.raises(ReportError, match="no journal of version 1"):
        read_journal(path)


def test_a_missing_journal_is_one_message(path):
    with pytest.raises(ReportError, match="cannot read the journal"):
        read_journal(path)


def test_the_latest_run_comes_last(tmp_path):
    names = ["20260102T000000-b/gw0.jsonl", "20260101T000000-a/gw1.jsonl"]
    for name in names:
        Journal(tmp_path / name).append(FIRST)

    assert [p.relative_to(tmp_path).as_posix() for p in journals_in(tmp_path)] == names[::-1]

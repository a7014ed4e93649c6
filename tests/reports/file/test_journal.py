"""The journal: what is finished is on disk, and nothing that ends a process takes more."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.errors import ReportError
from pytest_robustbench.plain_json import sealed
from pytest_robustbench.reports.file import journal
from pytest_robustbench.reports.file.journal import (
    BenchmarkEntry,
    ConditionEntry,
    Journal,
    benchmarks_in,
    journal_lines,
    journals_in,
    read_journal,
)
from pytest_robustbench.reports.file.record import condition_record
from tests.reports.report_samples import drawn_header, drawn_result

FIRST = BenchmarkEntry(
    benchmark="nuts", header=drawn_header(), declared=["clean"], narrowed=[], fitted=True
)


def finished(record):
    plain = {"benchmark": "nuts", "condition": "clean", "key": "k", "record": record}
    return ConditionEntry.from_dict({**plain, "reused": False})


SECOND = finished({"error": "é\n"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "gw0.jsonl"


def test_what_is_appended_is_read_back_in_order(path):
    third = finished(condition_record(drawn_result(CLEAN, np.random.default_rng(0))))
    for entry in (FIRST, SECOND, third):
        Journal(path).append(entry)

    assert read_journal(path) == (FIRST, SECOND, third)


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


LINE = {"version": 2, "kind": "condition", **SECOND.to_dict()}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({}, "is no journal of version 2"),
        (sealed({**LINE, "version": 1}), "is no journal of version 2"),
        (sealed({**LINE, "kind": "x"}), "is no journal of version 2"),
        ({**sealed(LINE), "reused": True}, "was edited: content_sha256 contradicts its content"),
        (sealed({**LINE, "record": None}), "record.* is no line of a journal"),
        (sealed({**LINE, "more": 1}), "is no line of a journal: more: no such key is known"),
    ],
    ids=["nothing", "version", "kind", "edited", "type", "more"],
)
def test_what_was_not_written_so_is_refused_with_its_place(path, line, said):
    Journal(path).append(FIRST)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")

    with pytest.raises(ReportError, match=r"gw0\.jsonl:2 ") as caught:
        read_journal(path)
    assert all(part in str(caught.value) for part in said.split(".* ")[::-1])
    lines = journal_lines(path)
    assert [entry for _, entry in lines.entries] == [FIRST]
    assert lines.refused == (str(caught.value),)


BROKEN = ("[" * 100_000, "{", '"text"', "\x00", "\udcff", '{"version": 2, "version": 2}')


def test_broken_lines_are_counted_and_named_and_cost_nothing_else(path):
    Journal(path).append(FIRST)
    with path.open("ab") as file:
        file.write("".join(f"{line}\n" for line in BROKEN).encode("utf-8", "surrogateescape"))
    Journal(path).append(SECOND)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"version"')

    lines = journal_lines(path)
    assert [entry for _, entry in lines.entries] == [FIRST, SECOND]
    assert lines.broken == tuple(f"{path}:{2 + i}" for i in range(len(BROKEN)))
    assert lines.refused == ()
    broken, torn = lines.remarks()
    assert broken.startswith("6 lines that are no JSON, left out: ")
    assert f"'{path}:2'" in broken
    assert torn == f"{path}:10 was cut short when its run ended: it is as if never written"


def test_the_benchmarks_of_a_run_are_known_without_reading_it_all(path):
    for name in ("nuts", "nuts", "bolts"):
        Journal(path).append(FIRST.model_copy(update={"benchmark": name}))
    path.with_name("gw1.jsonl").write_text("[[[\n")
    assert benchmarks_in(path.parent) == {"nuts", "bolts"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_no_regular_file_is_not_waited_for(path):
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(OSError, match="FIFO"):
        benchmarks_in(path.parent)


def test_a_missing_journal_is_one_message(path):
    with pytest.raises(ReportError, match="cannot read the journal"):
        read_journal(path)


def test_the_latest_run_comes_last(tmp_path):
    names = ["20260102T000000-b/gw0.jsonl", "20260101T000000-a/gw1.jsonl"]
    for name in names:
        Journal(tmp_path / name).append(FIRST)

    assert [p.relative_to(tmp_path).as_posix() for p in journals_in(tmp_path)] == names[::-1]

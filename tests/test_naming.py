"""Names are names, on every file system."""

from __future__ import annotations

import pytest

from pytest_robustbench.config.checks.assembly import _TAKEN, is_name, name_from
from pytest_robustbench.naming import name_problem
from pytest_robustbench.reports.file.journal import FOLDER
from pytest_robustbench.reports.file.session import RERUN, SESSION_FILE

NO_NAMES = (
    *("", " ", ".", "..", "...", "a/b", "..\\x", "../../x", "/a", "C:", "C:x", "a:stream", "a*"),
    *("a?", "a|b", "<a>", '"', "a\n", "\x1b[2J", "a\u202eb", "a\udcff", "a\u2028b", "a\u200bb"),
    *("con", "CON", "Nul.txt", "com1", "LPT9.x.y", "aux .a", "com\xb9", "CONOUT$"),
    *(" a", "a ", "a.", "a. ", "x" * 101, "é" * 51),
)
NAMES = (
    "a",
    "nightly run 2.1",
    "console",
    "com10",
    "é" * 50,
    "x" * 100,
    "部品",
    "a-b_c",
    ".hidden",
)


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_what_is_no_name_everywhere_is_refused_with_a_reason(name):
    assert name_problem(name)
    assert not is_name(name)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_what_is_a_name_is_one(name):
    assert name_problem(name) == ""


@pytest.mark.parametrize("category", [*NO_NAMES, *NAMES, "session", "Session"], ids=ascii)
def test_a_category_always_gives_a_name(category):
    name = name_from(category)
    assert is_name(name)
    assert name.casefold() not in _TAKEN


def test_what_a_run_calls_its_own_is_taken():
    assert {f"{name}.json" for name in _TAKEN} >= {SESSION_FILE}
    assert {FOLDER, RERUN} <= set(_TAKEN)

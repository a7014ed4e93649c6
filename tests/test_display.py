"""Text from elsewhere is shown on one line, obeyed by nobody, and tells no secret."""

from __future__ import annotations

import pickle
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.display import (
    displayed,
    displayed_lines,
    environment_values,
    hiding_environment,
    redacted,
)
from pytest_robustbench.errors import ConfigError, DatasetError, message_for_user


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢字 👩‍🔬", "plain é 漢字 👩‍🔬"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J\x07\x85\x00", r"\x1b[2J\x07\x85\x00"),
        ("gnp\u202e.exe \u2028 \ufeff", r"gnp\u202e.exe \u2028 \ufeff"),
        ("file \udcff.png", r"file \udcff.png"),
        ("\U000e0041", r"\U000e0041"),
        ("::error file=a::b", r"\x3a:error file=a::b"),
        ("  ::stop-commands::x", r"  \x3a:stop-commands::x"),
        ("test.py::test[a]", "test.py::test[a]"),
        ("x ##vso[task.complete]", r"x \x23#vso[task.complete]"),
        ("##[group]", r"\x23#[group]"),
        ("### Heading", "### Heading"),
    ],
)
def test_what_cannot_be_seen_is_spelt_out_and_nothing_acts(text, shown):
    assert displayed(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_is_displayed_is_one_line_and_stays_as_it_is(text):
    shown = displayed(text)
    assert displayed(shown) == shown
    assert not re.match(r"\s*::", shown)
    assert len(shown.splitlines()) <= 1
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})


def test_lines_of_our_own_stay_and_none_of_them_is_a_command():
    assert displayed_lines("one\n::error::two\x07") == "one\n\\x3a:error::two\\x07"


def test_an_error_has_the_lines_it_was_given_and_no_more():
    error = ConfigError("a.yaml:1: x\n::error::y", "a.yaml:2: z")
    assert str(error) == "a.yaml:1: x\\n::error::y\na.yaml:2: z"
    assert str(error.within("here")) == "here: a.yaml:1: x\\n::error::y\na.yaml:2: z"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.fixture
def hidden():
    with hiding_environment():
        yield environment_values()


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("hunter2hunter2", "no hunter2hunter2!", "no ${X}!"),
        ("hunter2hunter2", "/a/xhunter2hunter2y/b", "/a/x${X}y/b"),
        ("/srv/line 7/", "cannot read /srv/line 7/part/a.png", "cannot read ${X}/part/a.png"),
        ("C:\\data\\x", r"FileNotFoundError: 'C:\\data\\x\\y'", r"FileNotFoundError: '${X}\\y'"),
        ("a b&c/d=e", "GET /?q=a%20b%26c%2Fd%3De", "GET /?q=${X}"),
        ("one-secret\ntwo-secret", "only two-secret", "only ${X}"),
        ("s3cr3t", "s3cr3t, as3cr3tb", "${X}, as3cr3tb"),
        ("cpu", "cpu", "cpu"),
        (".", "a.b", "a.b"),
        ("65536", "65536 of 165536 bytes", "65536 of 165536 bytes"),
        ("0.05", "0.05 is above 0.0512", "0.05 is above 0.0512"),
        ("1e-3", "1e-3", "1e-3"),
    ],
)
def test_a_value_of_the_environment_stands_as_it_is_written(hidden, value, text, shown):
    hidden.note("X", value, "${X}")
    assert redacted(text) == shown
    assert redacted(shown) == shown


def test_a_number_that_is_a_secret_is_hidden_where_it_stands_alone(hidden):
    hidden.note("DOOR_KEY", "48213", "${DOOR_KEY}")
    assert redacted("48213, 148213 and 48213.5") == "${DOOR_KEY}, 148213 and 48213.5"


def test_a_variable_called_as_its_value_is_shown_once(hidden):
    hidden.note("SECRET", "SECRET", "${SECRET}")
    assert redacted(redacted("SECRET")) == "${SECRET}"


def test_a_name_is_shown_unless_the_variable_speaks_of_a_secret(hidden):
    hidden.note("LINE", "hazelnuts", "${LINE}")
    hidden.note("TOKEN", "hunter2hunter2", "${TOKEN}")
    for name in ("hazelnuts", "hunter2hunter2"):
        hidden.reveal(name)
    assert redacted("hazelnuts hunter2hunter2") == "hazelnuts ${TOKEN}"


def test_what_was_noted_is_forgotten_with_the_run():
    with hiding_environment():
        environment_values().note("X", "hunter2hunter2", "${X}")
        assert str(DatasetError("hunter2hunter2")) == "${X}"
    assert str(DatasetError("hunter2hunter2")) == "hunter2hunter2"


def test_neither_message_nor_log_of_an_unforeseen_error_tells_a_value(hidden, caplog):
    hidden.note("X", "hunter2hunter2", "${X}")
    try:
        raise KeyError("hunter2hunter2\n::error::x")
    except KeyError as error:
        told = message_for_user(error)
    assert "not foreseen: KeyError: '${X}" in told
    assert "\n" not in told
    assert "hunter2" not in caplog.text
    assert "test_display.py" in caplog.text

"""JSON files: what is written is read back, can be diffed, and what is none is told in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench import plain_json
from pytest_robustbench.plain_json import dumps, is_sealed, parse_object, read_object, sealed

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
plain_values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(plain_values)
@settings(deadline=None)
def test_what_is_written_reads_back_the_same(value):
    text = dumps(value)

    assert json.loads(text) == value
    assert text.endswith("\n")


@given(st.lists(scalars), st.integers(0, 3))
@settings(deadline=None)
def test_an_array_of_scalars_is_one_line(values, depth):
    value = values
    for _ in range(depth):
        value = {"key": value}

    assert dumps(value).count("\n") == 2 * depth + 1


def test_every_other_value_has_a_line_of_its_own():
    value = {"a": 1, "b": {"c": None, "d": []}, "e": [[1, 2], [3]], "f": {}, "g": ()}

    assert dumps(value).splitlines() == [
        "{",
        ' "a": 1,',
        ' "b": {',
        '  "c": null,',
        '  "d": []',
        " },",
        ' "e": [',
        "  [1,2],",
        "  [3]",
        " ],",
        ' "f": {},',
        ' "g": []',
        "}",
    ]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")], ids=str)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"k": v}, lambda v: [0, [v]]])
def test_numbers_that_json_has_no_word_for_are_refused(number, wrap):
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps(wrap(number))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[1]", "it holds a list, not an object"),
        (b"null", "it holds null, not an object"),
        (b'"x"', "it holds a text, not an object"),
        (b'{"a": NaN}', "NaN is no standard JSON"),
        (b'{"a": [-Infinity]}', "-Infinity is no standard JSON"),
        (b'{"a": 1e999}', "1e999 is too large a number"),
        (b'{"a": {"b": 1, "b": 1}}', "the key 'b' stands twice"),
        (b'{"a": "\xff"}', "can't decode byte 0xff"),
        (b'{"a": ' + b"1" * 5000 + b"}", "111.* is too large a number"),
        (b'{"a": 1' + b"0" * 309 + b"}", "1000.* is too large a number"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a": ' * 120 + b"1" + b"}" * 120, "it is nested too deeply"),
    ],
    ids=lambda part: part[:20].decode("latin-1") if isinstance(part, bytes) else "",
)
def test_what_is_no_json_of_ours_is_one_line(content, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_object(content)

    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_harmless():
    assert parse_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_file_that_is_too_large_or_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(plain_json, "MOST_BYTES", 1 << 20)
    (tmp_path / "large.json").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(ValueError, match="it has 1 MiB, of 1 MiB allowed"):
        read_object(tmp_path / "large.json")
    with pytest.raises(ValueError, match="No such file or directory"):
        read_object(tmp_path / "none.json")
    with pytest.raises(ValueError, match="it is a folder, not a regular file"):
        read_object(tmp_path)


def test_a_seal_is_over_everything_else_and_no_matter_of_order():
    first = sealed({"a": 1, "b": [None, 0.1]})

    assert list(first) == ["a", "b", "content_sha256"]
    assert is_sealed(dict(reversed(first.items())))
    assert sealed(first) == first
    assert not is_sealed({**first, "a": 1.0})
    assert not is_sealed({**first, "c": 0})
    assert not is_sealed({"a": 1})

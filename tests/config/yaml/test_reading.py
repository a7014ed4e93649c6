"""The safe reader: YAML 1.2 scalars, marks, and a refusal of everything that is not plain data."""

from __future__ import annotations

import os

import pytest

from pytest_robustbench.config.yaml.nodes import Mark, key_mark, plain, value_mark
from pytest_robustbench.config.yaml.reading import read_text, tree_of
from pytest_robustbench.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    def read_yaml(text):
        file = tmp_path / "a.yaml"
        file.write_text(text, encoding="utf-8")
        return tree_of(read_text(file), file)

    return read_yaml


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("1e-3", 0.001),
        ("1_000", "1_000"),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("~", None),
        ("", None),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2(read, scalar, value):
    found = plain(read(f"key: {scalar}\n"))
    assert found == {"key": value}
    assert type(found["key"]) is type(value)


def test_keys_are_text_whatever_they_look_like(read):
    assert plain(read("on: 1\n000: 2\n1.5: 3\nnull: 4\n")) == {
        "on": 1,
        "000": 2,
        "1.5": 3,
        "null": 4,
    }


def test_every_key_and_value_knows_its_place(read):
    tree = read("a:\n  b: [1, {c: 2}]\n")
    assert key_mark(tree, ("a", "b")) == Mark(2, 3)
    assert value_mark(tree, ("a", "b")) == Mark(2, 6)
    assert value_mark(tree, ("a", "b", 1, "c")) == Mark(2, 14)
    assert value_mark(tree, ("a", "nowhere")) == Mark(2, 3)


def test_anchors_and_merge_keys_work_and_keep_their_places(read):
    tree = read("x-base: &base {a: 1, b: 2}\none: {<<: *base, b: 3}\ntwo: {<<: [{a: 9}, *base]}\n")
    assert plain(tree) == {"one": {"a": 1, "b": 3}, "two": {"a": 9, "b": 2}}
    assert value_mark(tree, ("one", "a")) == Mark(1, 19)
    assert value_mark(tree, ("one", "b")) == Mark(2, 21)


def test_x_keys_are_left_out_at_every_depth(read):
    assert plain(read("x-a: {b: 1}\nc: {x-d: 2, e: [{x-f: 3}]}\n")) == {"c": {"e": ({},)}}


def bomb() -> str:
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10)]
    return "\n".join(["l0: &l0 [0]", *levels])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: the file is empty; it needs schema_version: 1"),
        ("# nothing\n", "1:1: the file is empty; it needs schema_version: 1"),
        ("- a\n", "1:1: the file must be a mapping of keys to values"),
        ("just text\n", "1:1: the file must be a mapping of keys to values"),
        ("a: 1\nb: 2\na: 3\n", "3:1: duplicate key 'a'; it stands on line 1 already"),
        ("x-a: {b: 1, b: 2}\n", "1:13: duplicate key 'b'; it stands on line 1 already"),
        (
            "a: !!python/object/apply:os.system ['true']\n",
            (
                "1:4: the tag !!python/object/apply:os.system is not allowed; "
                "this file holds plain values only"
            ),
        ),
        (
            "a:\n  - !env HOME\n",
            "2:5: the tag !env is not allowed; this file holds plain values only",
        ),
        ("!thing a: 1\n", "1:1: the tag !thing is not allowed; this file holds plain values only"),
        ("a: !!set {b}\n", "1:4: the tag !!set is not allowed; this file holds plain values only"),
        ("a: !!int many\n", "1:4: 'many' is not what the tag !!int promises"),
        (
            "a: {{ b }}\n",
            "1:5: a key must be text; write a value that holds braces or brackets in quotes",
        ),
        ("a: {<<: 5}\n", "1:9: '<<' takes a mapping or a list of mappings"),
        (
            "a: {!!merge b: {c: 1}}\n",
            "1:5: the tag !!merge is not allowed; this file holds plain values only",
        ),
        ("a: &a [*a]\n", "1:4: an anchor contains itself"),
        (bomb(), "1:10: aliases make the file grow to more than 50000 values"),
        ("a: " + "[" * 1000 + "]" * 1000, "1:43: nested more than 40 levels deep"),
        ("a:\n\tb: 1\n", "2:1: not valid YAML: a tab cannot indent YAML; use spaces"),
        ("a: b: c\n", "1:5: not valid YAML: mapping values are not allowed here"),
        (
            "a: 1\n---\nb: 1\n",
            (
                "2:1: not valid YAML: expected a single document in the stream (from "
                "line 1): but found another document"
            ),
        ),
        ("a: *nowhere\n", "1:4: not valid YAML: found undefined alias 'nowhere'"),
        (
            'a: "open\n',
            (
                "2:1: not valid YAML: while scanning a quoted scalar (from line 1): found "
                "unexpected end of stream"
            ),
        ),
        (
            'a: 1\nb: "\\UFFFFFFFF"\n',
            (
                "2:7: not valid YAML: an escape or number that cannot be read "
                "(Python int too large to convert to C int)"
            ),
        ),
        (
            'a: "\\U00110000"\n',
            (
                "1:7: not valid YAML: an escape or number that cannot be read "
                "(chr() arg not in range(0x110000))"
            ),
        ),
        (
            f"a: {'9' * 5000}\n",
            f"1:4: '{'9' * 37}...{'9' * 38}' is not what the tag !!int promises",
        ),
        ("a: 1\nb: \x07\n", "2:4: character U+0007 is not allowed in YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_place(read, tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == f"{(tmp_path / 'a.yaml').as_posix()}:{message}"


def test_a_version_of_thousands_of_digits_is_refused_with_its_place(read):
    with pytest.raises(ConfigError, match=r"a.yaml:1:\d+: not valid YAML: .*4300 digits"):
        read(f"%YAML 1.{'9' * 5000}\n---\na: 1\n")


def test_another_encoding_is_refused_with_its_place(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes("a: 1\nb: große\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"a.yaml:2:7: byte 0xdf is not UTF-8; save"):
        tree_of(read_text(file), file)


def test_a_byte_order_mark_is_harmless(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes("a: ü\n".encode("utf-8-sig"))
    assert plain(tree_of(read_text(file), file)) == {"a": "ü"}


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"none.yaml: cannot be read: No such file") as caught:
        read_text(tmp_path / "none.yaml")
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_text(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match=r"a.yaml: cannot be read: it is a FIFO, not a regular"):
        read_text(tmp_path / "a.yaml")

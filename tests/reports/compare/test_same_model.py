"""A comparison says whether it has judged another model than the baseline's."""

from __future__ import annotations

import pytest

from pytest_robustbench.reports.compare.comparability import compare_inputs
from tests.reports.stored_reports import edited, stored

CODE = {"line/models.py": "a" * 64, "line/post.py": "b" * 64}
FILES = {"model.onnx": "c" * 64}
OTHER = "d" * 64


def model(plain, code=CODE, files=FILES, *, fitted=True):
    sources = {"code": code, "files": files}
    return edited(plain, (("sources",), sources), (("detector", "fitted"), fitted))


def note(baseline, candidate):
    (found,) = compare_inputs(stored(baseline, "b.json"), stored(candidate, "c.json")).notes
    return found


def test_the_same_code_and_file_are_the_same_model(base, other):
    other = edited(other, (("sha256", "model"), base["sha256"]["model"]))

    assert note(model(base), model(other)) == (
        "THE SAME MODEL: 'line/models.py', 'line/post.py' and 'model.onnx' are the baseline's, "
        "byte for byte: no new model was judged"
    )
    assert "fitted anew" in note(model(base, fitted=False), model(other, fitted=False))


def test_other_settings_of_the_same_code_are_another_model(base, other):
    other = edited(other, (("sha256", "model"), OTHER))

    assert note(model(base), model(other)).endswith("its settings have changed")


@pytest.mark.parametrize(
    ("code", "files", "told"),
    [
        (
            CODE | {"line/post.py": OTHER},
            FILES,
            "code changed ('line/post.py'); model file as in the baseline ('model.onnx')",
        ),
        (
            CODE,
            {"model.onnx": OTHER},
            "code as in the baseline ('line/models.py', 'line/post.py'); model file changed (",
        ),
        (CODE, {}, "'line/post.py'); model file changed ('model.onnx')"),
        ({}, FILES, "code changed ('line/models.py', 'line/post.py'); model file as in"),
    ],
)
def test_what_has_changed_is_named(base, other, code, files, told):
    assert told in note(model(base), model(other, code, files))


def test_a_file_under_another_name_is_the_same_file(base, other):
    other = edited(other, (("sha256", "model"), base["sha256"]["model"]))
    moved = model(other, files={"v2/model.onnx": FILES["model.onnx"]})

    assert note(model(base), moved).startswith("THE SAME MODEL")

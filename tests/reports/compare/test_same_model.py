"""A comparison says whether it has judged another model than the baseline's."""

from __future__ import annotations

import pytest

from pytest_robustbench.reports.compare.comparability import compare_inputs
from pytest_robustbench.reports.compare.same_model import is_same_model
from tests.reports.stored_reports import edited, stored

CODE = {"line/models.py": "a" * 64, "line/post.py": "b" * 64}
FILES = {"model.onnx": "c" * 64}
OTHER, HELD = "d" * 64, "e" * 64


def model(plain, code=CODE, files=FILES, *, fitted=True, held=HELD):
    """A report of a detector made of these, which holds this in memory."""
    sources = {"code": code, "files": files}
    facts = (("detector", "fitted"), fitted), (("sha256", "fitted"), held)
    return edited(plain, (("sources",), sources), *facts)


def note(baseline, candidate):
    (found,) = compare_inputs(stored(baseline, "b.json"), stored(candidate, "c.json")).notes
    return found


def test_the_same_code_and_file_are_the_same_model(base, other):
    other = edited(other, (("sha256", "model"), base["sha256"]["model"]))

    assert note(model(base), model(other)) == (
        "THE SAME MODEL: 'line/models.py', 'line/post.py' and 'model.onnx' are the baseline's, "
        "byte for byte: no new model was judged"
    )
    anew = note(model(base, fitted=False), model(other, fitted=False))
    assert anew.endswith("it was fitted anew, and is the same model again")


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ((HELD, OTHER), "what the fitted model holds is another content"),
        ((None, HELD), "whether it is the same model cannot be told"),
        ((None, None), "whether it is the same model cannot be told"),
    ],
)
def test_what_cannot_be_told_is_not_said_to_be_the_same(base, other, held, told):
    """Files that a file names, an environment variable, other train images: all end in memory."""
    other = edited(other, (("sha256", "model"), base["sha256"]["model"]))
    before, after = (model(each, held=h) for each, h in zip((base, other), held, strict=True))

    assert told in note(before, after)
    assert "THE SAME MODEL" not in note(before, after)
    assert not same(before, after)


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


def same(baseline, candidate):
    return is_same_model(stored(baseline, "b.json"), stored(candidate, "c.json"))


@pytest.fixture
def again(base, other):
    """The model of `base` measured again, with what it was declared as."""
    declared = edited(base, (("config", "detector"), "line.models:build"))
    measured = edited(
        other,
        (("config", "detector"), "line.models:build"),
        (("sha256", "model"), base["sha256"]["model"]),
        (("environment", "installed"), base["environment"]["installed"]),
    )
    return declared, measured


def test_the_same_run_and_the_same_code_files_settings_and_packages_are_one_model(base, again):
    before, after = again

    assert same(base, base)
    assert same(model(before), model(after))
    assert same(model(before, fitted=False), model(after, fitted=False))
    assert same(model(before, files={}, fitted=False), model(after, files={}, fitted=False))
    assert same(model(before, {}, held=None), model(after, {}, held=None))  # ours reads the file


@pytest.mark.parametrize(
    "change",
    [
        (("environment", "installed"), OTHER),
        (("environment", "python"), "3.9.0"),
        (("sha256", "fitted"), OTHER),
        (("sha256", "fitted"), None),
        (("sha256", "model"), OTHER),
        (("config", "detector"), "line.models:other"),
        (("sources", "code", "line/post.py"), OTHER),
        (("sources", "files", "model.onnx"), OTHER),
    ],
    ids=lambda change: ".".join(change[0]),
)
def test_what_differs_makes_another_model(again, change):
    before, after = map(model, again)

    assert same(before, after)
    assert not same(before, edited(after, change))


def test_a_fitted_model_without_a_file_may_be_any(again):
    before, after = again

    before, after = (model(each, {}, {}, held=None) for each in (before, after))
    assert not same(before, after)


def test_packages_that_differ_between_parts_are_not_known(again):
    before, after = (edited(model(each), (("environment", "installed"), None)) for each in again)

    assert not same(before, after)

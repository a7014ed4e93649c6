from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_robustbench.corruptions.catalogue import BUILT_IN, DEFAULT
from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.errors import CorruptionError


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("blur", "blur"),
        ("line.weather:rain", "rain"),
        ("line.weather:HAZE", "haze"),
        ("line:Weather.heavy", "heavy"),
        ({"lighting": {"direction": "darker"}}, "lighting"),
        ({"lighting": None}, "lighting"),
        ({"name": "dim", "lighting": {}}, "dim"),
        ({"line.weather:rain": {"amount": 3}}, "rain"),
        ({"line.weather:rain": {}, "name": "drizzle"}, "drizzle"),
        (
            {"compose": ["motion_blur", {"lighting": {"direction": "darker"}}]},
            "motion_blur_lighting",
        ),
        ({"compose": ["blur", {"a:b": {}, "name": "x"}], "name": "both"}, "both"),
        ({"compose": ["blur", {"compose": ["jpeg", "glare"]}]}, "blur_jpeg_glare"),
    ],
)
def test_names_in_condition_ids(reference, name):
    assert parse_reference(reference).name == name


def test_a_reference_is_taken_apart():
    parsed = parse_reference({"compose": ["a:b", {"lighting": {"gain": 0.1}}], "name": "x"})
    assert [part.name for part in parsed.parts] == ["b", "lighting"]
    assert parsed.parts[1].parameters == {"gain": 0.1}
    assert parsed.targets() == ("a:b", "lighting")
    assert parse_reference("blur").targets() == ("blur",)
    assert [parse_reference(one).at for one in ("blur", {"blur": {}, "at": "model"})] == [
        None,
        "model",
    ]


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        (3, "neither text nor a mapping"),
        (None, "neither text nor a mapping"),
        (["blur"], "neither text nor a mapping"),
        ("", "name of no corruption"),
        ("  ", "name of no corruption"),
        ("clean", "name of no corruption"),
        ("recorded", "name of no corruption"),
        ("compose", "name of no corruption"),
        ({}, "not no"),
        ({"name": "dim"}, "one corruption and at most 'name'"),
        ({"blur": {}, "jpeg": {}}, "not 'blur', 'jpeg'"),
        ({3: {}}, "3 is no name"),
        ({"blur": 3}, "parameters of corruption 'blur' must be a mapping, not 3"),
        ({"blur": [1, 2]}, "must be a mapping"),
        ({"blur": {1: 2}}, "must be a mapping"),
        ({"blur": {}, "name": 3}, "must be text, not 3"),
        ({"blur": {}, "name": "Dim"}, "lower-case"),
        ({"blur": {}, "name": "clean"}, "reserved"),
        ({"blur": {}, "name": "compose"}, "reserved"),
        ("line:", "not of the form"),
        (":rain", "not of the form"),
        ("a:b:c", "not of the form"),
        ("line.weather:clean", "reserved"),
        ({"compose": "blur"}, "at least two"),
        ({"compose": ["blur"]}, "at least two"),
        ({"compose": None}, "at least two"),
        ({"compose": {"blur": {}}}, "at least two"),
        ({"compose": ["blur", "blur"]}, "'blur' twice"),
        ({"compose": ["blur", {"jpeg": {}, "name": "blur"}]}, "'blur' twice"),
        ({"compose": ["blur", 3]}, "3 does not refer"),
        ({"compose": ["Blur", "jpeg"]}, "lower-case"),
        ({"blur": {}, "at": "sensor"}, "'at' must be camera"),
        ({"compose": [{"blur": {}, "at": "model"}, "jpeg"]}, "'at' belongs to the whole"),
    ],
)
def test_malformed_references_are_explained_in_one_line(reference, complaint):
    with pytest.raises(CorruptionError, match=complaint) as caught:
        parse_reference(reference)
    assert "\n" not in str(caught.value)


def test_the_default_set_is_the_five_of_the_first_release():
    assert DEFAULT == ("lighting", "jpeg", "blur", "glare", "geo_jitter")
    assert set(DEFAULT) < set(BUILT_IN)
    assert len(BUILT_IN) == 15


def test_parsing_imports_nothing_heavy():
    code = (
        "import sys; from pytest_robustbench.corruptions.references import parse_reference\n"
        "assert parse_reference({'compose': ['blur', {'jpeg': None}]}).name == 'blur_jpeg'\n"
        "print(sorted({'numpy', 'cv2', 'pytest'} & set(sys.modules)))"
    )
    run = [sys.executable, "-c", code]
    root = Path(__file__).parents[2]
    assert (
        subprocess.run(run, cwd=root, capture_output=True, text=True, check=True).stdout == "[]\n"
    )

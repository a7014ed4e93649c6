"""A drift for people and programs: units, words, YAML, a file that is not edited, a page."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.corruptions.registry import load_corruption
from pytest_robustbench.drift.change import Change
from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.drift.model import DriftRecord, read_drift, write_drift
from pytest_robustbench.reports.drift.record import drift_record
from pytest_robustbench.reports.drift.snippet import snippet
from pytest_robustbench.reports.drift.words import MISFIT, NO_SHIFT, UNKNOWN, headline, lines
from pytest_robustbench.reports.file.schema import drift_schema
from tests.drift.drift_pictures import exact_drift


def record(*arguments, **keywords) -> DriftRecord:
    return drift_record(exact_drift(*arguments, **keywords), "led_2025_11", ("a", "b"))


def text(*arguments, **keywords) -> str:
    found = record(*arguments, **keywords)
    return "\n".join(lines(found, snippet(found)))


def test_units_are_those_of_a_line():
    found = record(Change(veil=0.1, vignette=-1.0, blur=2.25, noise=64.0)).estimates

    assert found["veil"].value == 10
    assert found["vignette"].value == 50
    assert found["blur"].value == 1.5
    assert found["blur"].at_camera == 6
    assert found["noise"].value == 8
    assert found["exposure"].at_camera is None
    assert all(one.interval[0] <= one.value <= one.interval[1] for one in found.values())


@pytest.mark.parametrize(
    ("change", "yaml_line"),
    [
        (Change(exposure=-0.31), "{exposure: {ev: -0.31}, name: led_2025_11}"),
        (Change(gradient_x=-0.3, gradient_y=0.4), "gradient: {ev: 0.7, angle: 127.0}"),
        (Change(blur=1.44), "{blur: {sigma_px: 1.2}, name: led_2025_11}"),
        (Change(vignette=-1.0), "{vignette: {corner_ev: 1.0}, name: led_2025_11}"),
        (Change(veil=0.1, white_balance=-20.0), "{white_balance: {mired: -20.0}}, {veil: {percent"),
        (Change(noise=64.0), "{noise: {levels: 8.0}"),
    ],
)
def test_the_line_of_yaml_imitates_what_was_told(change, yaml_line):
    line = snippet(record(change))

    assert yaml_line in line
    reference = yaml.safe_load(line)
    assert parse_reference(reference).name == "led_2025_11"
    assert load_corruption(reference).by_value
    assert line in text(change)


def test_several_are_composed_in_the_order_of_a_camera():
    found = record(Change(noise=64.0, exposure=0.5, blur=1.0)).corruption

    assert [next(iter(part)) for part in found["compose"]] == ["exposure", "blur", "noise"]


@pytest.mark.parametrize("change", [Change(), Change(blur=-1.0), Change(noise=-9.0)])
def test_what_cannot_be_imitated_has_no_yaml(change):
    assert record(change).corruption is None
    assert "nothing to imitate" in text(change)


def test_what_is_not_told_apart_says_so_beside_its_floor():
    assert "not told apart from zero (floor 0.01 EV)" in text()
    assert headline(record()) == "no drift is told apart from chance"


def test_what_nobody_can_tell_is_said():
    assert UNKNOWN in text()
    assert NO_SHIFT in text()
    assert NO_SHIFT not in text(shift=True)


def test_what_is_left_is_named_with_its_place_and_casts_doubt_on_the_rest():
    told = text(Change(exposure=1.0), unexplained=["field"])

    assert "drifted: exposure; not explained: field" in told
    assert "row 1 of 4, column 2 of 4" in told
    assert MISFIT in told


def test_the_noise_that_blur_took_away_may_be_the_cameras_own():
    own, more = (Change(blur=1.0, noise=variance) for variance in (0.9, 9.0))

    assert "may be the camera's own" in text(own)
    assert "noise: {levels: 0.949}" in snippet(record(own))
    assert "may be the camera's own" not in text(more)


def test_a_direction_is_in_words():
    assert "darker" in text(Change(exposure=-1.0))
    assert "brighter to the left" in text(Change(gradient_x=-1.0))


def test_a_file_is_read_back_as_it_was_written(tmp_path):
    found = record(Change(exposure=-0.31), unexplained=["tone"])
    write_drift(found, tmp_path / "drift.json")

    validator = jsonschema.Draft202012Validator(drift_schema())
    assert list(validator.iter_errors(found.to_dict())) == []
    assert read_drift(tmp_path / "drift.json") == found


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda plain: plain.update(name="other"), "was edited"),
        (lambda plain: plain.pop("estimates"), "lacks estimates"),
        (lambda plain: plain.update(schema_version=2), "schema_version"),
    ],
)
def test_an_edited_file_is_refused(tmp_path, edit, told):
    path = tmp_path / "drift.json"
    write_drift(record(), path)
    plain = json.loads(path.read_text("utf-8"))
    edit(plain)
    path.write_text(json.dumps(plain), "utf-8")

    with pytest.raises(ReportError, match=told):
        read_drift(path)


def test_the_page_shows_three_strips_and_loads_nothing():
    pytest.importorskip("jinja2")
    from pytest_robustbench.reports.drift.page import SHOWN, drift_page

    one = exact_drift(Change(exposure=-0.31))
    page = drift_page(drift_record(one, "led", ("a&b", "c")), one)

    assert page.count('<img src="data:image/jpeg') == 3 * SHOWN
    assert "{exposure: {ev: -0.31}, name: led}" in page
    assert "a&amp;b" in page
    assert "http" not in page.replace("http-equiv", "")

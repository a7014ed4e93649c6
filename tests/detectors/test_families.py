"""One row per family of detectors: whoever knows families asks it."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from pytest_robustbench.cli.main import main
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.detectors import families
from pytest_robustbench.detectors.families import FAMILIES, Family, family_of, model_names
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import ConfigError, DetectorError
from pytest_robustbench.importing import import_object

DETECTORS = Path(__file__).parents[2] / "docs" / "detectors.md"

YAML = """
    schema_version: 1
    dataset: {{format: mvtec, root: data, category: bottle}}
    detector: {detector}
    calibration: {{images: unseen}}
    corruptions: none
    accept: {{clean: {{recall: {{min: 0.5}}, one_sided: misses}}}}
"""

NEW_ROOM = """
    from pytest_robustbench.detectors.protocol import Prediction

    class Plan:
        def __init__(self, request):
            self.name = request.name

        def predict(self, images):
            return Prediction([image.mean() for image in images], None)

    def names():
        return ["flat"]
"""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_row_names_a_builder_that_is_there(family: Family) -> None:
    for path in filter(None, (family.builder, family.models)):
        module, _, name = path.partition(":")
        assert find_spec(module) is not None, f"row {family.name!r}: no module {module}"
        assert callable(import_object(path)), f"row {family.name!r}: {name} cannot be called"


def test_a_name_belongs_to_one_family() -> None:
    names = [name for family in FAMILIES for name in (family.name, *family.aliases)]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert family_of(f"{family.name}:x" if family.of else family.name) is family
        assert family_of(family.name if family.of else f"{family.name}:x") is None


def test_the_page_of_detectors_names_every_family_and_what_it_needs() -> None:
    page = DETECTORS.read_text(encoding="utf-8")
    section = page.partition("## Names")[2].partition("| key |")[0]
    table = re.findall(r"^\| `.*$", section, re.MULTILINE)
    for family in FAMILIES:
        for name in (f"{family.name}:<" if family.of else family.name, *family.aliases):
            (line,) = (line for line in table if f"`{name}" in line)
            assert family.module in line.rpartition(" | ")[2], line
            assert ("; fitted |" in line) is family.is_fitted, line


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Family:
    """A family that is added in one file and one row."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "line_plans.py").write_text(dedent(NEW_ROOM))
    monkeypatch.syspath_prepend(str(tmp_path))
    row = Family("plan", "line_plans:Plan", "a plan", of="file", models="line_plans:names")
    monkeypatch.setattr(families, "FAMILIES", (*FAMILIES, row))
    yield row
    sys.modules.pop("line_plans", None)


def test_a_family_that_is_added_is_known_everywhere(
    plans: Family, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detector = load_detector("plan:nut.dxf")
    assert detector.predict([np.full((4, 4, 3), 7, np.uint8)]).scores == [7]
    assert model_names()[-1] == "plan:flat"
    with pytest.raises(DetectorError, match=r"'plan:nut.dxf': a plan has no presets"):
        load_detector("plan:nut.dxf", preset="industrial-fast")

    path = tmp_path / "robustness.yaml"
    path.write_text(dedent(YAML.format(detector='{name: "plan:nut.dxf", fitted: true}')))
    assert load_config(path, environ={}).benchmarks
    path.write_text(dedent(YAML.format(detector='"plan:nut.dxf"')))
    with pytest.raises(ConfigError, match=r"'plan:nut.dxf' is a model file, .*say fitted: true"):
        load_config(path, environ={})

    main(["run", "--list-models", "--json"])
    assert json.loads(capsys.readouterr().out)["models"][-1] == "plan:flat"


def test_a_row_without_its_file_is_an_error_that_names_it(
    plans: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Family("plan", "line_plans:Drawing", "a plan", of="file")
    monkeypatch.setattr(families, "FAMILIES", (*FAMILIES, row))
    message = "detector 'plan:nut.dxf' cannot be imported: .*'line_plans' has no attribute 'Draw"
    with pytest.raises(DetectorError, match=message):
        load_detector("plan:nut.dxf")

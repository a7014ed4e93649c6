"""A format is one file and one row; what is forgotten is named."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pytest_robustbench.datasets import catalogue, loading
from pytest_robustbench.datasets.catalogue import (
    COUNT,
    FORMATS,
    SEED,
    TEXT,
    Format,
    Option,
    by_name,
)
from pytest_robustbench.datasets.formats.recognition import recognised_format
from pytest_robustbench.errors import DatasetError
from tests.datasets.dataset_trees import write_pictures
from tests.package_copy import answers, copied_package, insert

MODULE = """
from pytest_robustbench.datasets.formats.images import image_folder
from pytest_robustbench.datasets.formats.recognition import Recognised
from pytest_robustbench.datasets.split import Split


def load_parts(*, root, category=None, tested=1):
    images = image_folder(root / category / "parts", "part")
    return Split("parts", category, images[tested:], images[:tested])


def recognise(root, category):
    return Recognised("parts", {"tested": 2}, ("nut",)) if (root / "nut/parts").is_dir() else None
"""
ROW = '    _layout("parts", Option("tested", COUNT, optional=False), may_calibrate=True),\n'
YAML = """
schema_version: 1
name: nut
dataset: {format: parts, root: data, category: nut, tested: LIMIT}
detector: {name: pixel_gaussian}
corruptions: none
accept: {clean: {bg_fpr: {max: 0.1}, one_sided: false_alarms}}
"""
PROGRAM = """
import sys
from pathlib import Path
from pytest_robustbench.config import schema
from pytest_robustbench.config.build import build_split
from pytest_robustbench.config.loader import parse_config
from pytest_robustbench.datasets.formats.recognition import recognised_format
from pytest_robustbench.errors import ConfigError

text, file = Path("robustness.yaml").read_text(), Path("robustness.yaml")
config = parse_config(text.replace("LIMIT", "3"), file)
assert "numpy" not in sys.modules
split = build_split(config.benchmarks[0], config.folder)
print(len(split.train), len(split.test), recognised_format("data").advice)
print(schema.json_schema()["$defs"]["Dataset"]["properties"]["tested"]["anyOf"][0])
for wrong in ("0", "3, n_train: 4", "3, seed: 1"):
    try:
        parse_config(text.replace("LIMIT", wrong), file)
    except ConfigError as error:
        print(error)
"""
ANSWERS = """\
5 3 this folder looks like parts: say format: parts, tested: 2
{'minimum': 1, 'type': 'integer'}
robustness.yaml:4:61: dataset.tested must be at least 1, found 0
robustness.yaml:4:64: the parts format has no option 'n_train'; \
valid: bit_depth, category, group, resize, response, root, tested
robustness.yaml:4:64: the parts format has no option 'seed'; did you mean 'tested'?
"""


def test_a_format_is_one_file_and_one_row(tmp_path):
    package = copied_package(tmp_path)
    (package / "datasets/formats/parts.py").write_text(MODULE)
    insert(package / "datasets/catalogue.py", ROW, above='    _layout("kolektor"')
    write_pictures(tmp_path / "data/nut/parts", 8)
    (tmp_path / "robustness.yaml").write_text(YAML)
    assert answers(tmp_path, PROGRAM) == ANSWERS


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"loader": "no.such:module"}, "the visa format .* names 'no.such:module': No module"),
        ({"loader": "csv:load_visa"}, "names 'csv:load_visa': .* no attribute 'load_visa'"),
        ({"options": (Option("size", COUNT),)}, "the option 'size', which .*:load_visa does not"),
        ({"options": ()}, "names no option 'split_csv', which .*:load_visa takes"),
        ({"recogniser": "csv:recognise"}, "the visa format .* names 'csv:recognise': "),
    ],
)
def test_a_row_without_its_functions_or_options_is_named(monkeypatch, tmp_path, change, complaint):
    row = replace(FORMATS["visa"], **change)
    for module in (catalogue, sys.modules[recognised_format.__module__]):
        monkeypatch.setattr(module, "FORMATS", {"visa": row})
    call = recognised_format if "recogniser" in change else partial(loading.load_split, "visa")
    with pytest.raises(DatasetError, match=complaint):
        call(root=tmp_path)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (Format("new", "a:b", aliases=("mvtec_ad",)), "the name 'mvtec_ad'"),
        (Format("new", "a:b", (Option("seed", TEXT),)), "the option 'seed'"),
    ],
)
def test_two_rows_that_contradict_each_other_are_refused(row, complaint):
    with pytest.raises(ValueError, match=complaint):
        by_name(*FORMATS.values(), row)
    assert "new" in by_name(*FORMATS.values(), Format("new", "a:b", (SEED,)))


def test_every_format_and_option_is_documented():
    text = (Path(__file__).parents[2] / "docs/datasets.md").read_text(encoding="utf-8")
    table = text.split("## Options")[1].split("## Layouts")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert {name for row in FORMATS.values() for name in (row.name, *row.keys)} <= named

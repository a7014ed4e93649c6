"""A built-in corruption is one file and one row; what is forgotten is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_robustbench.corruptions import registry
from pytest_robustbench.corruptions.catalogue import BUILT_IN
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import ALL
from tests.package_copy import answers, copied_package, insert

MODULE = """
from dataclasses import dataclass

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.parameters import Number, built_in, graded, growth
from pytest_robustbench.corruptions.stages import Stage


@dataclass(frozen=True)
class Shade:
    percent: float = graded(10, Number(1, 20))

    def level(self, severity):
        return f"{self.percent * growth(severity):g} %"

    def __call__(self, image, mask, severity, rng):
        left = 1 - self.percent / 100 * growth(severity)
        return Corrupted((image * left).round().astype(image.dtype), mask)


SHADE = built_in("shade", Shade, stage=Stage.LIGHT)
"""
PROGRAM = """
import sys
from pathlib import Path
from pytest_robustbench.config.loader import parse_config

text = '''
schema_version: 1
name: nut
dataset: fixture
detector: fixture
corruptions: [shade, {shade: {percent: 20}, name: dim}]
severities: [5]
accept: {shade: {miss_rate: {max: 0.1}, one_sided: misses}}
measure_only: [clean, dim]
'''
print(*(one.id for one in parse_config(text, Path("r.yaml")).benchmarks[0].conditions))
assert "numpy" not in sys.modules

import numpy as np
from pytest_robustbench.corruptions.registry import corrupt, load_corruption

print(corrupt(np.full((2, 2, 3), 100, np.uint8), None, "shade", severity=5).image.max())
print(load_corruption({"shade": {"percent": 20}}).specification(3))
"""


def test_a_corruption_is_one_file_and_one_row(tmp_path):
    package = copied_package(tmp_path)
    (package / "corruptions/built_in/shade.py").write_text(MODULE)
    insert(
        package / "corruptions/catalogue.py",
        '        "shade": (Quantity("percent", "%", 10),),\n',
        above='        "noise": (',
    )
    assert answers(tmp_path, PROGRAM).splitlines() == [
        "clean shade-severity_5 dim",
        "60",
        (
            "{'name': 'shade', 'version': 1, 'parameters': {'percent': 20.0}, 'at': 'camera', "
            "'seed': 3}"
        ),
    ]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("no.such:HAZE", "'haze' cannot be used: no.such:HAZE cannot be imported: No module"),
        ("csv:HAZE", "csv:HAZE cannot be imported: .* no attribute 'HAZE'"),
        (BUILT_IN["blur"], "blur:BLUR calls itself 'blur'"),
    ],
)
def test_a_row_without_its_corruption_is_named(monkeypatch, path, complaint):
    monkeypatch.setattr(registry, "BUILT_IN", {"haze": path})
    with pytest.raises(CorruptionError, match=complaint):
        registry.load_corruption("haze")


def test_every_corruption_and_parameter_is_documented():
    text = (Path(__file__).parents[2] / "docs/corruptions.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`([^`]+)`", line) for line in text.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in row[:2]}
    of_data = {"response"}
    assert {name for one in ALL for name in (one.name, *one.parameters)} <= named | of_data

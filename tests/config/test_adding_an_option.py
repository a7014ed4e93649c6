"""An option of the YAML is one row, beside what it sets; one that sets nothing is named."""

from __future__ import annotations

import pytest
from pydantic import create_model

from pytest_robustbench.config.checks.assembly import check_taken
from pytest_robustbench.config.models.file import Benchmark
from tests.package_copy import answers, copied_package, insert

PROGRAM = """
from pathlib import Path
from pytest_robustbench.config.loader import parse_config
from pytest_robustbench.config.schema import json_schema
from pytest_robustbench.errors import ConfigError

text = '''
schema_version: 1
dataset: fixture
detector: fixture
corruptions: none
accept: {clean: {miss_rate: {max: 0.1}, one_sided: misses}}
stride: STRIDE
'''
for stride in (4, 0):
    try:
        (benchmark,) = parse_config(text.replace("STRIDE", str(stride)), Path("r.yaml")).benchmarks
        print(benchmark.evaluation.stride, benchmark.effective["evaluation"]["stride"])
    except ConfigError as error:
        print(error)
print(json_schema()["properties"]["stride"]["default"])
"""


def test_an_option_is_one_row_beside_the_setting_that_it_makes(tmp_path):
    package = copied_package(tmp_path)
    insert(
        package / "evaluation/settings.py", "    stride: int = 1\n", above="    memory_budget: int"
    )
    insert(
        package / "config/models/file.py",
        "    stride: Count = EvaluationSettings.stride\n",
        above="    memory_budget: Count",
    )
    assert answers(tmp_path, PROGRAM) == "4 4\nr.yaml:7:9: stride must be at least 1, found 0\n1\n"


def test_an_option_that_nothing_takes_is_named():
    check_taken(Benchmark)
    more = create_model("Benchmark", __base__=Benchmark, stride=(int, 1), shine=(bool, False))
    with pytest.raises(TypeError, match="that nothing takes: shine, stride"):
        check_taken(more)

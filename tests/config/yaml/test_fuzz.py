"""Whatever a file holds, it loads or ends in one ConfigError whose every line names a place."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.config.loader import load_config
from pytest_robustbench.config.models.file import Benchmark, RobustnessFile
from pytest_robustbench.errors import ConfigError

WORDS = [
    *RobustnessFile.model_fields,
    *("all", "clean", "summary", "blur", "severity_1", "f1", "bg_fpr", "min", "max", "max_drop"),
    *("mean_drop_f1", "fixture", "patchcore", "mvtec", "folder", "root", "format", "none", "v7"),
    *("${X}", "${X:-1}", "${", "a:b", "x-y", "", "baseline", "{name}", "images", "file", "kwargs"),
    *("anchor", "min_overlap", "condition", "metric", "reason", "by", "until", "2026-03-31"),
]
words = st.sampled_from(WORDS)
leaves = st.none() | st.booleans() | st.integers(-1, 6) | st.floats() | words
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
sections = st.dictionaries(st.sampled_from([*Benchmark.model_fields]), trees, max_size=5)
files = st.fixed_dictionaries(
    {"schema_version": st.just(1)},
    optional={
        "defaults": sections,
        "benchmarks": st.dictionaries(words, sections, max_size=3),
        "detectors": st.dictionaries(words, trees, max_size=2),
        "profiles": st.dictionaries(words, sections, max_size=2),
        **dict.fromkeys(Benchmark.model_fields, trees),
    },
)


@settings(deadline=None, max_examples=40)
@given(files)
def test_no_content_ends_in_anything_but_a_config_error(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "robustness.yaml"
    text = json.dumps(content).replace("NaN", ".nan").replace("Infinity", ".inf")
    file.write_text(text, encoding="utf-8")
    try:
        config = load_config(file, environ={})
    except ConfigError as error:
        lines = str(error).splitlines()
        assert all(re.search(r"robustness\.yaml:\d+:\d+: \S", line) for line in lines)
        assert len(lines) == len(set(lines)) >= 1
    else:
        assert len(config.benchmarks) >= 1
        assert json.dumps([b.effective for b in config.benchmarks], allow_nan=False)

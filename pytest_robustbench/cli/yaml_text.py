"""A robustness.yaml as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGS_HEAD = """\
# What a command line of `pytest-robustbench run` means. Save it as robustness.yaml beside a test
# module that holds `from pytest_robustbench.suite import test_robustness`, and run `pytest`.
"""
FLAGS_TAIL = """\
# Nothing is judged yet. Replace measure_only by limits, such as:
# accept:
#   all: {bg_fpr: {max: 0.05}}
#   clean: {pixel_segf1: {min: 0.35}}
"""


def flags_as_yaml(config: Mapping[str, Any]) -> str:
    """Return the YAML of `config`, plain values all the way down, with what to do next."""
    return FLAGS_HEAD + as_yaml(config) + FLAGS_TAIL


def as_yaml(config: Mapping[str, Any]) -> str:
    """Return `config` as YAML, keys in its order, inner mappings and lists on one line."""
    import yaml

    literal = _with_dollars_escaped(dict(config))
    return yaml.safe_dump(
        literal, sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )


def _with_dollars_escaped(value: Any) -> Any:
    """Write $$ for $, which would otherwise begin an environment variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _with_dollars_escaped(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_dollars_escaped(inner) for inner in value]
    return value

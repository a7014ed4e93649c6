"""The line of robustness.yaml that imitates a drift."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_robustbench.reports.drift.model import DriftRecord


def snippet(record: DriftRecord) -> str:
    """Return the corruption as YAML on one line; empty where there is nothing to imitate.

    >>> _flow({"exposure": {"ev": -0.31}, "name": "led_2025_11"})
    '{exposure: {ev: -0.31}, name: led_2025_11}'
    """
    return "" if record.corruption is None else _flow(record.corruption)


def _flow(plain: Any) -> str:
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in plain.items()) + "}"
    if isinstance(plain, list):
        return "[" + ", ".join(map(_flow, plain)) + "]"
    # Names hold letters, digits and underscores; only some of them YAML takes for something else.
    return json.dumps(plain) if not isinstance(plain, str) or not plain[:1].isalpha() else plain

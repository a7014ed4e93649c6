"""The JSON Schema of robustness.yaml, for editors that complete and check YAML."""

from __future__ import annotations

from typing import Any

from pytest_robustbench.config.models.file import RobustnessFile

SEVERITY = r"^severity_[0-4]\.[0-9]{1,3}$"
"""Scopes of limits that lie between the steps; which of them there are, `severities` says."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the file.

    Keys that begin with ``x-`` are allowed everywhere, as they are by the loader.
    """
    schema = RobustnessFile.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        if part.get("type") == "object":
            part["patternProperties"] = {"^x-": {}}
    of_corruption = schema["$defs"]["CorruptionLimits"]
    of_corruption["patternProperties"] |= {SEVERITY: of_corruption["properties"]["severity_1"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "robustness.yaml",
    }

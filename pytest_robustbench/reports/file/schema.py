"""The published JSON Schemas of the files this package writes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a report."""
    return _schema("report")


def session_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of session.json."""
    return _schema("session")


def _schema(name: str) -> dict[str, Any]:
    file = files(__package__) / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema

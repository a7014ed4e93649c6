"""The published JSON Schemas of the files this package writes, made from their models."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_robustbench.reports.file.model_types import Part

TITLES = {
    "report": "pytest-robustbench report",
    "session": "pytest-robustbench session",
    "drift": "pytest-robustbench drift",
}


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a report."""
    return _schema("report")


def session_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of session.json."""
    return _schema("session")


def drift_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of drift.json."""
    return _schema("drift")


def _schema(name: str) -> dict[str, Any]:
    # The models say the same, and take their time to be imported.
    schema: dict[str, Any] = json.loads(_file(name).read_text(encoding="utf-8"))
    return schema


def _file(name: str) -> Path:
    return Path(str(files(__package__) / f"{name}.schema.json"))


def generated(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a file as its model gives it: what is published must be this."""
    from pydantic.json_schema import GenerateJsonSchema

    from pytest_robustbench.reports.drift.model import DriftRecord
    from pytest_robustbench.reports.file.model import ReportFile
    from pytest_robustbench.reports.file.session import SessionRecord

    class Untitled(GenerateJsonSchema):
        def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
            return False  # it would repeat the key

    models: dict[str, type[Part]] = {
        "report": ReportFile,
        "session": SessionRecord,
        "drift": DriftRecord,
    }
    schema = models[name].model_json_schema(schema_generator=Untitled)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": TITLES[name]}
    return {**head, **_closed({k: v for k, v in schema.items() if k != "title"})}


def _closed(schema: Any) -> Any:
    """Return a schema in which keys that match no pattern have no place either."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "patternProperties" in closed:
        closed["additionalProperties"] = False
    return closed


def text_of(name: str) -> str:
    """Return the text of the published file."""
    return json.dumps(generated(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in sys.argv[1:] or TITLES:
        _file(each).write_text(text_of(each), encoding="utf-8")

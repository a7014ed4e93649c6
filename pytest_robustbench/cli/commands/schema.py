"""``pytest-robustbench schema``: the JSON Schemas, for editors and for other programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pytest_robustbench.importing import import_object

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

SCHEMAS = {
    "config": "pytest_robustbench.config.schema:json_schema",
    "report": "pytest_robustbench.reports.file.schema:report_schema",
    "session": "pytest_robustbench.reports.file.schema:session_schema",
    "drift": "pytest_robustbench.reports.file.schema:drift_schema",
}
"""Name of a file -> import path of the function that returns its schema."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file",
        choices=tuple(SCHEMAS),
        help="config: robustness.yaml; report: the report of a benchmark; session: session.json; "
        "drift: drift.json",
    )


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    schema = import_object(SCHEMAS[arguments.file])()
    sys.stdout.write(json.dumps(schema, indent=2) + "\n")
    return 0

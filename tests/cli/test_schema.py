"""``pytest-robustbench``: what stands on which stream, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import jsonschema
import pytest

import pytest_robustbench
from pytest_robustbench.cli import main as entry
from pytest_robustbench.cli.main import main
from pytest_robustbench.config.schema import json_schema
from pytest_robustbench.errors import ReportError
from pytest_robustbench.reports.file.schema import drift_schema, report_schema, session_schema

HEAVY = ("numpy", "cv2", "sklearn", "torch", "yaml", "pydantic", "pytest", "jsonschema")


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("config", json_schema),
        ("report", report_schema),
        ("session", session_schema),
        ("drift", drift_schema),
    ],
)
def test_a_schema_stands_on_standard_output(capsys, file, schema):
    code = main(["schema", file])
    out, err = capsys.readouterr()
    printed = json.loads(out)

    assert (code, err) == (0, "")
    assert printed == schema()
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(printed)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pytest-robustbench {pytest_robustbench.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["schema", "--help"]], ids=" ".join)
def test_help_tells_what_there_is(capsys, arguments):
    assert main(arguments) == 0
    assert "schema" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: command"),
        (["schem"], "invalid choice: 'schem'"),
        (["schema"], "the following arguments are required: file"),
        (["schema", "yaml"], "invalid choice: 'yaml'"),
        (["schema", "report", "more"], "unrecognized arguments: more"),
        (["--verson"], "required"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, arguments, message):
    code = main(arguments)
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err.startswith("pytest-robustbench")
    assert message in err
    assert err.count("\n") == 1


def test_an_error_of_ours_is_its_message_and_exit_code_2(capsys, monkeypatch):
    def fail(arguments):
        raise ReportError(f"{arguments.path} has schema version 2, not 1")

    def add_arguments(parser):
        parser.set_defaults(path="r.json")

    monkeypatch.setattr(
        entry,
        "COMMANDS",
        {"read": ("read", SimpleNamespace(add_arguments=add_arguments, run=fail))},
    )
    code = main(["read"])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err == "pytest-robustbench read: r.json has schema version 2, not 1\n"


def run(program, **options):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, **options
    )


def test_help_and_the_reports_schema_import_nothing_heavy():
    program = (
        "import sys; from pytest_robustbench.cli.main import main\n"
        "assert main(['schema', 'report']) == main(['--help']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    found = run(program)

    assert (found.returncode, found.stderr) == (0, "[]\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_stops_early_is_no_traceback():
    program = (
        "import os, sys; from pytest_robustbench.cli.main import main\n"
        "read, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
        "sys.exit(main(['schema', 'report']))"
    )
    found = run(program)

    assert (found.returncode, found.stderr) == (141, "")

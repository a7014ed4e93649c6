"""A command is one module and one row: the parser works from the rows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

from pytest_robustbench.cli import commands, main

README = Path(__file__).parents[2] / "README.md"


def test_every_module_has_a_row():
    assert {module.name for module in iter_modules(commands.__path__)} == set(commands.SUMMARIES)


@pytest.mark.parametrize("name", commands.SUMMARIES)
def test_every_row_is_in_the_help_and_in_the_readme(name, capsys):
    assert main.main([name, "--help"]) == 0
    assert commands.SUMMARIES[name] in " ".join(capsys.readouterr().out.split())
    assert re.search(f"`{name}[ `]", README.read_text("utf-8"))


@pytest.mark.parametrize("lacking", ["add_arguments", "run"])
def test_a_row_whose_module_lacks_a_part_is_an_error_that_names_both(lacking, monkeypatch):
    module = ModuleType(f"{commands.__name__}.ship")
    for part in {"add_arguments", "run"} - {lacking}:
        setattr(module, part, print)
    monkeypatch.setitem(sys.modules, module.__name__, module)

    with pytest.raises(ImportError, match=f"'ship' lacks {lacking} in {module.__name__}"):
        main.module_of("ship")


def test_a_row_without_a_module_is_an_error_that_names_it():
    with pytest.raises(ImportError, match=r"cli\.commands\.ship"):
        main.module_of("ship")


@pytest.mark.parametrize(
    ("module", "code", "told"),
    [
        ("pytest_robustbench", 0, "pytest-robustbench "),
        ("pytest_robustbench.cli.main", 0, "pytest-robustbench "),
        ("pytest_robustbench.cli.commands.run", 1, "python -m pytest_robustbench NAME"),
    ],
)
def test_a_module_that_is_started_works_or_says_that_it_does_not(module, code, told):
    command = [sys.executable, "-W", "error", "-m", module, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert told in done.stdout + done.stderr

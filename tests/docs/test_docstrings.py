"""Every example in a docstring of the package runs; none is skipped."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import pytest_robustbench
from pytest_robustbench.corruptions import catalogue as corruptions
from pytest_robustbench.metrics import catalogue as metrics

PACKAGE = Path(pytest_robustbench.__file__).parent
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
NEEDED = {"transforms": "albumentations"}
"""Module -> package that its example shows and that need not be installed."""


def documented() -> Iterator[tuple[str, str, str]]:
    """Yield module, name and docstring of all that shows an example."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = (isinstance(node, DOCUMENTED) and ast.get_docstring(node)) or ""
            if ">>>" in text:
                yield module, getattr(node, "name", ""), text


EXAMPLES = {f"{module}.{name}": (module, text) for module, name, text in documented()}


@pytest.fixture(autouse=True)
def _registers_as_they_were() -> Iterator[None]:
    """Examples register things, which no other test should find."""
    registers = (corruptions.REGISTERED, metrics.REGISTERED)
    before = [dict(each) for each in registers]
    yield
    for register, entries in zip(registers, before, strict=True):
        register.clear()
        register.update(entries)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_shows_what_happens(name: str) -> None:
    module, text = EXAMPLES[name]
    pytest.importorskip(NEEDED.get(module.rpartition(".")[2], "pytest"))
    namespace = dict(vars(import_module(module)))
    example = doctest.DocTestParser().get_doctest(text, namespace, name, None, None)
    printed: list[str] = []

    outcome = doctest.DocTestRunner(verbose=False).run(example, out=printed.append)

    assert outcome.failed == 0, "".join(printed)
    assert outcome.attempted == len(example.examples)
    assert "SKIP" not in text


def test_the_public_api_shows_how_it_is_used() -> None:
    assert "pytest_robustbench.benchmark.Benchmark" in EXAMPLES

"""The house keeps its order: no circle of imports, no crowded folder, no fact in many places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_robustbench

ROOT = Path(pytest_robustbench.__file__).parent
MOST_MODULES = 16
MOST_LINES_OF_A_FUNCTION = 75


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in ROOT.rglob("*.py")
    }


def imported(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """Yield the modules of the package that a module imports anywhere, also for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found = (name if name in known else node.module for name in inside)
            yield from (name for name in found if name in known)


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the groups of modules that reach each other."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        found, ahead = set(), [start]
        while ahead:
            new = graph.get(ahead.pop(), set()) - found
            found |= new
            ahead += new
        reached[start] = found
    rings = [frozenset(o for o in reached[m] if m in reached[o]) for m in graph if m in reached[m]]
    return [set(ring) for ring in dict.fromkeys(rings)]


def test_no_modules_import_each_other_in_a_circle():
    found = modules()
    graph = {
        name: set(imported(ast.parse(path.read_text(encoding="utf-8")), set(found))) - {name}
        for name, path in found.items()
    }
    assert sum(map(len, graph.values())) > len(found), "imports are seen at all"
    assert circles(graph) == []


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in ROOT.rglob("*.py")}), ids=lambda path: path.name
)
def test_a_room_holds_few_modules_and_says_what_they_are(folder):
    inside = [path for path in folder.glob("*.py") if not path.name.startswith("__")]
    assert len(inside) <= MOST_MODULES
    words = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert words


def test_a_dataclass_is_frozen_or_plainly_changes():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    written = [ast.unparse(decorator) for one in classes for decorator in one.decorator_list]
    found = [text for text in written if text.startswith("dataclass(")]
    assert len(found) > 100
    assert [text for text in found if "frozen=True" not in text] == []


def test_a_metric_is_named_in_few_modules():
    """Whoever names one metric, and is not its row, knows a fact twice."""
    named = [p for p in ROOT.rglob("*.py") if "normal_fpr" in p.read_text(encoding="utf-8")]
    assert 0 < len(named) <= 5


def test_functions_are_short():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []

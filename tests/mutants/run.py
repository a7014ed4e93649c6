"""``python -m tests.mutants.run [PATH ...]``: do the tests notice when the package is changed?

Each PATH is a folder or a module of the package, by default the rooms that measure and decide.
Places in them are drawn at random, equally many of each path, and cosmic-ray changes one at a
time in a copy of the project: a comparison, an operator, a number. A change that all tests of its
room let pass has survived, and is shown; one that lets them run for too long counts as noticed, and
is told as such. Exit status 1 where fewer than 95 % are noticed.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import MutationVisitor, mutate_and_test
from cosmic_ray.operators.number_replacer import NumberReplacer
from cosmic_ray.plugins import get_operator
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome
from parso.python.tree import Number

ROOT = Path(__file__).parents[2]
PACKAGE = Path("pytest_robustbench")
ROOMS = ("gates", "metrics", "evaluation", "corruptions")
LEAST_KILLED = 0.95


def nearby(_: NumberReplacer, node: Number, index: int) -> Number:
    """Return a whole number that is one more or less, and any other by half of itself.

    cosmic-ray adds 1 to a level of 0.05 as well, which every test would notice.
    """
    value = ast.literal_eval(node.value)
    step = value / 2 if isinstance(value, float) and value else 1
    return Number(f" {value - step if index else value + step!r}", node.start_pos)


class WithoutTypes(ast.NodeTransformer):
    """What a module does: nobody computes with annotations, nor with what they alone import."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        of_types = any(
            isinstance(name, ast.Name) and name.id == "TYPE_CHECKING"
            for name in ast.walk(node.test)
        )
        return ast.Pass() if of_types else self.generic_visit(node)


def meaning(code: str) -> str:
    return ast.dump(WithoutTypes().visit(ast.parse(code)))


def mutants(modules: Sequence[Path], draws: random.Random) -> Iterator[MutationSpec]:
    """Yield one mutant of each place that can be changed, places and changes in random order."""
    by_place: dict[tuple[object, ...], list[MutationSpec]] = {}
    with use_db("mutants.sqlite", WorkDB.Mode.create) as database:
        init(modules, database, {})
        specs = [item.mutations[0] for item in database.work_items]
    for spec in sorted(specs, key=lambda one: (one.operator_name, one.occurrence)):
        by_place.setdefault((spec.module_path, spec.start_pos, spec.end_pos), []).append(spec)
    places = sorted(by_place)
    draws.shuffle(places)
    for place in places:
        spec = draws.choice(by_place[place])
        if _changes_something(spec):
            yield spec


def _changes_something(spec: MutationSpec) -> bool:
    code = spec.module_path.read_text(encoding="utf-8")
    operator = get_operator(spec.operator_name)(**spec.operator_args)
    mutated = MutationVisitor.mutate_code(code, operator, spec.occurrence)
    try:
        return meaning(mutated) != meaning(code)
    except SyntaxError:
        return False


def command(module: Path) -> str:
    """Return what runs the tests of a module's room, the nearest first, and those of all rooms."""
    parts = module.relative_to(PACKAGE).parts
    nearest = Path("tests", *parts[:-1], f"test_{parts[-1]}")
    folders = [Path("tests", *parts[:depth]) for depth in range(len(parts) - 1, 0, -1)]
    steps, done = [], []
    for step in (nearest, *folders, Path("tests/test_structure.py")):
        if step.exists():
            ignored = [f"--ignore={path}" for path in done]
            steps.append(
                [sys.executable, "-m", "pytest", "-xq", "-pno:cacheprovider", *ignored, step]
            )
            done.append(step)
    # pytest ends with 5 where the nearer steps have left nothing to run.
    tried = [f"{{ {shlex.join(map(str, step))} || [ $? = 5 ]; }}" for step in steps]
    return shlex.join(["sh", "-c", " && ".join(tried)])


def survivors(specs: Sequence[MutationSpec], seconds: float) -> Iterator[str]:
    """Yield the diffs of what no test notices."""
    for number, spec in enumerate(specs, 1):
        result = mutate_and_test([spec], command(spec.module_path), seconds)
        if result.test_outcome not in (TestOutcome.KILLED, TestOutcome.SURVIVED):
            raise RuntimeError(result.output)
        place = f"{spec.module_path}:{spec.start_pos[0]} {spec.operator_name}"
        late = f" after {seconds:g} s" if result.output == "timeout" else ""
        tell(f"{number}/{len(specs)} {result.test_outcome.value}{late} {place}")
        if result.test_outcome is TestOutcome.SURVIVED:
            tell(result.diff)
            yield result.diff


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def modules_below(path: str) -> list[Path]:
    place = PACKAGE / path
    found = [place] if place.is_file() else sorted(place.rglob("*.py"))
    if not found:
        raise SystemExit(f"{place} is no module and no folder of modules")
    return [module for module in found if module.name != "__init__.py"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", default=ROOMS)
    parser.add_argument("--sample", type=int, default=120, help="how many mutants, of all paths")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=300, help="for the tests of one mutant")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "project")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        os.chdir(copy)
        os.environ["PYTHONPATH"] = str(copy)
        return _sampled(arguments)


def _sampled(arguments: argparse.Namespace) -> int:
    NumberReplacer.mutate = nearby
    draws = random.Random(arguments.seed)
    specs: list[MutationSpec] = []
    for number, path in enumerate(arguments.paths):
        share = (arguments.sample - len(specs)) // (len(arguments.paths) - number)
        specs += islice(mutants(modules_below(path), draws), share)
    draws.shuffle(specs)  # what is interrupted has seen something of every path
    for module in {
        spec.module_path.relative_to(PACKAGE).parts[0]: spec.module_path for spec in specs
    }.values():
        outcome, output = run_tests(command(module), arguments.seconds)
        if outcome is not TestOutcome.SURVIVED:
            raise SystemExit(f"The tests fail, or take too long, as they are:\n{output}")
    alive = list(survivors(specs, arguments.seconds))
    killed = len(specs) - len(alive)
    tell(f"{killed} of {len(specs)} killed ({killed / len(specs):.1%})")
    return int(killed < LEAST_KILLED * len(specs))


if __name__ == "__main__":
    sys.exit(main())

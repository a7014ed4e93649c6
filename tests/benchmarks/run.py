"""Measure this project against others, and write the tables in Markdown.

    python tests/benchmarks/run.py [--quick] [NAME ...]

Real images are used where ROBUSTBENCH_TEST_DATA names their folder. Libraries that are not
installed get a row that says so. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from peers import DISTRIBUTIONS, complaint
from table import Table

from pytest_robustbench.processors import processors
from pytest_robustbench.reports.file.environment import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = (
    *("sweep", "metrics", "corruptions", "patchcore", "memory", "idle", "regression", "pages"),
    *("damage", "parts", "truth", "living", "drift", "tolerance"),
)
BASE = ("numpy", "opencv-python", "opencv-python-headless", "torch", "scikit-learn")

log = logging.getLogger("benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 if a benchmark could not be measured at all."""
    chosen = parsed(arguments)
    # Before any library starts its threads: those that wait in a loop take the time of others.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    log.setLevel(logging.INFO)
    write(f"{machine()}\n")
    failed = [name for name in chosen.names if not printed(name, chosen.quick)]
    return 1 if failed else 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure this project against others, and write the tables in Markdown."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="tiny inputs: only to see it work")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    chosen.names = chosen.names or NAMES
    return chosen


def printed(name: str, quick: bool) -> bool:
    """Print one benchmark's tables, or why there are none; the next is measured all the same."""
    log.info("%s ...", name)
    start = time.perf_counter()
    try:
        tables = import_module(name).tables(quick)
    except Exception as error:
        log.exception("%s failed", name)
        tables = [Table(name, ("what",), ((complaint(error),),))]
        measured = False
    else:
        measured = True
    for table in tables:
        write(f"\n{table.markdown()}")
    log.info("%s: %.0f s", name, time.perf_counter() - start)
    return measured


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


# ---- the machine -------------------------------------------------------------------------------


def machine() -> str:
    """Return processor, cores and versions in one line; nothing in it names the host."""
    python = f"Python {platform.python_version()}"
    return ", ".join([f"{environment()['cpu']}, {processors()} cores", python, *versions()])


def versions() -> list[str]:
    return [installed(name) for name in (*BASE, *DISTRIBUTIONS)]


def installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} not installed"


if __name__ == "__main__":
    sys.exit(main())

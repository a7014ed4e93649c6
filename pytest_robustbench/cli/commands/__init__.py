"""The commands: a row here and a module of the same name beside it each.

A module declares its arguments in ``add_arguments(parser)`` and carries the command out in
``run(arguments)``, which returns the exit code. What it needs beyond the standard library it
imports where it is used, so that the help of every command is there at once.
"""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

if sys.argv[:1] == ["-m"]:  # Python is looking for the module it was told to start, one of these
    sys.exit("a command is started by its name: python -m pytest_robustbench NAME")

SUMMARIES: Mapping[str, str] = MappingProxyType(
    {
        "run": "measure a detector, clean and under every corruption, and write the JSON report",
        "merge": "put the reports of shards together, and judge them like one run",
        "verdict": "say whether everything that a run declared was judged, to the end, and holds",
        "compare": "hold a report against another: pass, regressed or inconclusive",
        "accept": "show what differs, and make a report the baseline of its benchmark",
        "propose": "write limits that a run keeps, with a stated safety, to start from",
        "report": "render report.html again from JSON reports",
        "spread": "train a detector several times and say how far the metrics of its limits swing",
        "preview": "show the corruptions on your own images: a contact sheet as PNG and HTML",
        "drift": "say how good parts after differ from good parts before, in units, and as YAML",
        "init": "write a commented robustness.yaml and a test module for a folder of images",
        "schema": "print the JSON Schema (draft 2020-12) of a file on standard output",
    }
)
"""What each command does, in the order of the help."""

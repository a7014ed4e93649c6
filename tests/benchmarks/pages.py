"""What report.html costs: rendering it, and keeping its pictures while a run measures."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inputs import inputs
from table import Table
from timing import in_turn, once

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.datasets.subset import limit_split
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.reports.pages.source import Edition, Source
from pytest_robustbench.reports.pages.thumbnails import Thumbnails, thumbnails_of
from pytest_robustbench.reports.pages.write import write_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.evaluation.results import ConditionResult

REAL = "magnetic_tile"
DETECTORS = ("patchcore", "pixel_gaussian")
LIMITS = (
    Limit("pixel_segf1", "min", 0.3, "robustness.yaml:1"),
    Limit("bg_fpr", "max", 0.03, "robustness.yaml:2"),
    Limit("latency_ms_per_image", "max", 200.0, "robustness.yaml:3"),
)
NAME = "pages"
CPU_TIME = (
    "CPU time is that of writing pictures and page within the last run with them: other work of "
    "the machine does not count. Choosing the pictures while measuring is not in it (0.1 s)."
)


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    n, size, severities = (8, 64, (3,)) if quick else (160, 256, (1, 2, 3, 4, 5))
    found = inputs(REAL, size, n_train=120, n_test_good=n // 2, n_defect=n // 2)
    split = limit_split(found.split, 16 if quick else None, n)
    names = DETECTORS[1:] if quick else DETECTORS
    with tempfile.TemporaryDirectory() as folder:
        rows = [costs(name, split, severities, Path(folder), 1 if quick else 2) for name in names]
        rendered = rendering(Path(folder))
    images = f"{found.origin}, {len(split.test)} x {size}x{size}"
    return [
        Table(
            "A run with report.html and without",
            (
                *("detector", "conditions", "seconds without", "seconds with", "times as long"),
                *("CPU s, pictures and page", "% of the run's CPU time"),
            ),
            tuple(rows),
            (
                f"{images}. With: pictures kept, written, and the page rendered; in turn.",
                CPU_TIME,
            ),
        ),
        Table(
            "Rendering report.html from JSON and pictures",
            ("what", "seconds", "MB"),
            tuple(rendered),
            (f"{images}, {rows[0][1]} conditions. Imports included.",),
        ),
    ]


def costs(
    name: str, split: Split, severities: Sequence[int], folder: Path, rounds: int
) -> tuple[object, ...]:
    works = {
        "without": partial(run, name, split, severities, None),
        "with": partial(run, name, split, severities, folder),
    }
    works["with"]()  # what is slow the first time: imports, the cache of fonts
    found = in_turn(works, rounds)
    n_conditions = 1 + 5 * len(severities)
    ratio = found["with"].over(found["without"])
    extra, rest = found["with"].result
    seconds = found["without"].median, found["with"].median
    return name, n_conditions, *seconds, ratio, extra, 100 * extra / rest


def run(
    name: str, split: Split, severities: Sequence[int], folder: Path | None
) -> tuple[float, float] | None:
    """Measure; with a folder return the CPU seconds of pictures and page, and of all else."""
    benchmark = rb.Benchmark(
        split,
        load_detector(name),
        severities=severities,
        name=NAME,
        exhibits=folder is not None,
    )
    benchmark.gate = Gate({c.id: LIMITS for c in benchmark.conditions})
    if folder is None:
        benchmark.run()
        return None
    start, kept_s = time.process_time(), 0.0
    path = folder / f"{NAME}.json"
    kept = Thumbnails(path)

    def keep(result: ConditionResult) -> None:
        nonlocal kept_s
        begun = time.process_time()
        kept.write(thumbnails_of(result))
        kept_s += time.process_time() - begun

    report = benchmark.run(on_result=keep)
    report.write(path)
    begun = time.process_time()
    edition = Edition([Source(report.to_dict(), path)], folder)
    write_pages(edition, folder, html=True, environ={})
    extra = kept_s + time.process_time() - begun
    return extra, time.process_time() - start - extra


def rendering(folder: Path) -> list[tuple[object, ...]]:
    page = folder / "again.html"
    program = "import sys; from pytest_robustbench.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "report", f"{folder / NAME}.json", "-o", str(page)]
    timed = once(lambda: subprocess.run(command, check=True, capture_output=True))
    return [("pytest-robustbench report", timed.median, page.stat().st_size / 1e6)]

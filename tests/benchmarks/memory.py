"""Peak memory of a sweep, each size in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from table import Table

SIDE = 1024
MIB = 1 << 20
GENERATED = """\
import json
import sys

import cv2
import numpy as np

import pytest_robustbench as rb
from pytest_robustbench.datasets.split import Split

n, side = int(sys.argv[1]), int(sys.argv[2])
texture = np.random.default_rng(0).integers(64, 192, (side, side, 3), dtype=np.uint8)


def image(index):
    shown = np.roll(texture, 13 * index, axis=(0, 1))
    shown[0, 0] = index % 256, index // 256 % 256, index // 65536  # no picture twice
    if index % 2:
        shown[side // 4 : side // 2, side // 4 : side // 3] += 60
    return shown


def mask(index):
    found = np.zeros((side, side), bool)
    found[side // 4 : side // 2, side // 4 : side // 3] = True
    return found


def sample(part, index, label):
    number = 2 * index + label
    shown = (lambda: mask(number)) if label else None
    return rb.Sample(f"{part}/{index:03d}", label, lambda: image(number), shown)


class Contrast:
    def fit(self, images):
        pass

    def predict(self, images):
        maps = np.stack([cv2.blur(i[..., 0].astype(np.float32), (5, 5)) for i in images])
        return rb.Prediction(maps.max(axis=(1, 2)), maps)


split = Split(
    "generated",
    "texture",
    tuple(sample("train", 10_000 + i, 0) for i in range(20)),
    tuple(sample("test", i, i % 2) for i in range(n)),
)
report = rb.Benchmark(split, Contrast(), severities=[5]).run().to_dict()
clean = report["robustness"]["clean"]
json.dump({"peak": report["memory"]["host_peak_bytes"], "ranking": clean["ranking"]}, sys.stdout)
"""


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    side, sizes = (128, (10, 20)) if quick else (SIDE, (40, 160, 640))
    measured = [peak(n, side) for n in sizes]
    rows = [
        (n, found["ranking"], found["peak"] / MIB, found["peak"] / before["peak"])
        for n, found, before in zip(sizes, measured, [measured[0], *measured], strict=False)
    ]
    columns = ("test images", "ranking", "peak resident set, MiB", "times the row above")
    notes = (
        f"Images of {side}x{side}, drawn when they are read; a detector that blurs.",
        "Clean and every corruption at severity 5; the default memory budget of 1 GiB.",
    )
    return [Table("Peak memory of a sweep", columns, tuple(rows), notes)]


def peak(n: int, side: int) -> dict:
    command = [sys.executable, "-c", GENERATED, str(n), str(side)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path.cwd())
    return json.loads(done.stdout)

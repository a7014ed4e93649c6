"""The worst images of a violated limit are those that the metric looks at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.reports.pages.pictures import save_worst_images, worst_images

CLEAN = rb.Condition("clean")
LABELS = np.array([0, 0, 0, 1, 1, 1])


@pytest.fixture(scope="module")
def parts() -> rb.Benchmark:
    """Three good and three defective gray images; the map is the image itself."""
    levels = (10, 60, 30, 90, 20, 10)
    samples = []
    for index, (label, level) in enumerate(zip(LABELS, levels, strict=True)):
        image = np.zeros((16, 16), np.uint8)
        image[4:8, 4 : 8 + index] = level
        mask = np.zeros((16, 16), np.bool_)
        mask[4:8, 4:8] = True
        samples.append(rb.Sample(f"part {index}", int(label), image, mask if label else None))
    split = rb.Split("drawn", "parts", train=(), test=tuple(samples))
    return rb.Benchmark(
        split,
        lambda images: np.stack([image[..., 0].astype(np.float32) for image in images]),
        corruptions=[],
        fitted=True,
        operating_point=OperatingPoint(pixel_threshold=15.0, image_threshold=40.0),
    )


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("normal_fpr", [2, 1]),
        ("miss_rate", [5, 4]),
        ("false_reject_rate", [1]),
        ("bg_fpr", [2, 1, 4]),
        ("pixel_segf1", [5, 4, 3]),
        ("latency_p95_ms", []),
    ],
)
def test_images_of_the_kind_the_metric_is_about(
    parts: rb.Benchmark, metric: str, expected: list[int]
) -> None:
    assert worst_images(parts.evaluate(CLEAN), metric) == expected


def test_each_violated_metric_has_its_pictures_and_no_older_ones_stay(
    parts: rb.Benchmark, tmp_path: Path
) -> None:
    folder = tmp_path / "clean"
    folder.mkdir()
    (folder / "normal_fpr-1-old.png").write_bytes(b"of an earlier run")
    result = parts.evaluate(CLEAN)
    metrics = ["miss_rate", "false_reject_rate", "latency_relative"]
    lines = save_worst_images(parts.evaluator, result, metrics, tmp_path)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "false_reject_rate-1-part_1.png",
        "miss_rate-1-part_5.png",
        "miss_rate-2-part_4.png",
    ]
    assert all(any(name in line for line in lines) for name in names)
    assert not any("latency" in line for line in lines)
    panels = cv2.imread(str(folder / names[0]))
    assert panels.shape == (16, 3 * 16 + 2 * 4, 3)

"""How the threshold depends on the quantile and on the calibration images, measured on your data.

    python tuning.py quantiles ROOT CATEGORY [CATEGORY ...]
    python tuning.py calibration ROOT CATEGORY

Both print Markdown tables; docs/calibration.md was made with them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest_robustbench as rb
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.evaluation.settings import CalibrationSettings

CLEAN = rb.Condition("clean")
QUANTILES = (0.99, 0.995, 0.999, 0.9995, 0.9999)
SEEDS = (0, 1, 2, 3)


def measured(split: rb.Split, settings: CalibrationSettings) -> rb.ConditionResult:
    """Fit, calibrate as told, and measure the clean test set."""
    benchmark = rb.Benchmark(
        split, load_detector("patchcore"), corruptions=[], calibration=settings
    )
    return benchmark.evaluate(CLEAN)


def row(*cells: object) -> str:
    return "| " + " | ".join(str(c) for c in cells) + " |"


def quantiles(root: str, categories: list[str]) -> None:
    print(row("category", "quantile", "threshold", "pixel_segf1", "bg_fpr", "normal_fpr"))
    print(row(*["---"] * 6))
    for category in categories:
        split = rb.load_split("mvtec", root=root, category=category, resize=(256, 256))
        for q in QUANTILES:
            result = measured(split, CalibrationSettings(pixel_normal_quantile=q))
            print(row(category, q, f"{result.pixel_threshold:.3f}", *shown(result)))


def calibration(root: str, category: str) -> None:
    split = rb.load_split("mvtec", root=root, category=category, resize=(256, 256))
    print(row("method", "seed", "images", "threshold", "pixel_segf1", "bg_fpr", "normal_fpr"))
    print(row(*["---"] * 7))
    for method in ("holdout", "crossfit"):
        for seed in SEEDS:
            settings = replace(CalibrationSettings(), method=method, seed=seed)
            benchmark = rb.Benchmark(
                split, load_detector("patchcore"), corruptions=[], calibration=settings
            )
            point = benchmark.prepare()
            result = benchmark.evaluate(CLEAN)
            print(row(method, seed, point.n_images, f"{point.pixel_threshold:.3f}", *shown(result)))


def shown(result: rb.ConditionResult) -> list[str]:
    metrics = result.metrics
    return [
        f"{metrics['pixel_segf1']:.3f}",
        f"{metrics['bg_fpr']:.5f}",
        f"{metrics['normal_fpr']:.5f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("quantiles", "calibration"))
    parser.add_argument("root")
    parser.add_argument("categories", nargs="+")
    arguments = parser.parse_args()
    if arguments.what == "quantiles":
        quantiles(arguments.root, arguments.categories)
    else:
        calibration(arguments.root, arguments.categories[0])


if __name__ == "__main__":
    main()

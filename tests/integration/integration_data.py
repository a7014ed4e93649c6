"""Real categories with the built-in detector, measured once per session."""

from __future__ import annotations

from functools import cache

import pytest_robustbench as rb
from pytest_robustbench.datasets.subset import limit_split
from pytest_robustbench.detectors.loading import load_detector

CATEGORIES = ("hazelnut_toy", "magnetic_tile", "kolektor", "grid")

# 26 conditions of every test image take minutes where there are more of them.
FEW = 10


def real_split(test_data, category):
    return rb.load_split(
        "mvtec", root=test_data / "mvtec_layout", category=category, resize=(256, 256)
    )


@cache
def patchcore_benchmark(test_data, category):
    """The default preset, fitted and calibrated when first asked."""
    return rb.Benchmark(real_split(test_data, category), load_detector("patchcore", device="cpu"))


@cache
def clean_result(test_data, category):
    return patchcore_benchmark(test_data, category).evaluate(rb.Condition("clean"))


def quick_benchmark(test_data, category):
    """All conditions of a few test images, by the same fitted detector at the same thresholds."""
    whole = patchcore_benchmark(test_data, category)
    return rb.Benchmark(
        limit_split(whole.split, train=None, test=FEW),
        whole.evaluator.predictor.detector,
        fitted=True,
        operating_point=whole.prepare(),
    )

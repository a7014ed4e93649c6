"""Heavy modules, imported once: a run inside this process forgets what it imported."""

from __future__ import annotations

import cv2  # noqa: F401
import sklearn.metrics  # noqa: F401

import pytest_robustbench.config.benchmarks  # noqa: F401

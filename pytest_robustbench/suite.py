"""The ready-made test: one item per benchmark and condition of ``robustness.yaml``.

In a test module of yours, one line is all it takes, and your conftest.py overrides reach it::

    from pytest_robustbench.suite import test_robustness
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.plugin.measuring.judging import Judge

__all__ = ["test_robustness"]


def test_robustness(
    robustness_result: ConditionResult | ToleranceResult, robustness_judge: Judge
) -> None:
    """Hold one condition, or tolerance, measured at the frozen operating point, to its limits."""
    robustness_judge(robustness_result)

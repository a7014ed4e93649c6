"""What a calibration promises, given its images."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.metrics.thresholds.promise import FalseRejects
from pytest_robustbench.metrics.thresholds.quantile import conformal_threshold


@pytest.mark.parametrize("n", [24, 48, 120])
def test_the_true_rate_is_at_most_what_is_said_in_95_of_100_calibrations(n):
    rng = np.random.default_rng(0)
    drawn = [conformal_threshold(rng.random(n, np.float32), 0.95) for _ in range(4000)]

    rates = [1 - found.threshold for found in drawn]
    promised = FalseRejects(n, drawn[0].expected_false_reject_rate)

    assert np.mean(rates) == pytest.approx(promised.expected, abs=0.002)
    assert np.mean(np.array(rates) <= promised.at_most) == pytest.approx(0.95, abs=0.01)


def test_the_chance_of_rejects_counts_both_draws():
    rng = np.random.default_rng(0)
    promised = FalseRejects(24, 1 / 25)
    thresholds = rng.random((20000, 24)).max(axis=1)
    rejected = (rng.random((20000, 20)) > thresholds[:, None]).sum(axis=1)

    for k in (1, 2, 4):
        assert promised.chance_of(k, 20) == pytest.approx((rejected >= k).mean(), abs=0.01)
    assert promised.chance_of(0, 20) == 1

"""The robustness_* fixtures. Each is a view of what is measured: nothing is measured twice.

Every run registers them, so this module imports what they need only when one is made.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.config.declarations import BenchmarkDeclaration
    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.detectors.protocol import Detector
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.plugin.measuring.judging import Judge
    from pytest_robustbench.plugin.measuring.measurements import Measurements


@pytest.fixture(scope="session")
def robustness_benchmark(request: pytest.FixtureRequest) -> BenchmarkDeclaration:
    """The declared benchmark: its name, data, detector, conditions and limits.

    >>> def test_gated_on_misses(robustness_benchmark):
    ...     for limits in robustness_benchmark.limits.values():
    ...         assert any(limit.metric == "miss_rate" for limit in limits)
    """
    key = _param(request)
    file = _measurements(request).declared.file_of(key)
    if file.problem:
        pytest.fail(file.problem, pytrace=False)
    declaration: BenchmarkDeclaration = file.benchmarks[key]
    return declaration


@pytest.fixture(scope="session")
def robustness_dataset(
    request: pytest.FixtureRequest, robustness_benchmark: BenchmarkDeclaration
) -> Split:
    """The split the YAML declares. Override it to bring data of your own (``dataset: fixture``).

    >>> @pytest.fixture(scope="session")
    ... def robustness_dataset():
    ...     return Split("line", "caps", train=my_train_samples, test=my_test_samples)
    """
    measurements = _measurements(request)
    with _as_failure(measurements, robustness_benchmark):
        return measurements.build_split(robustness_benchmark)


@pytest.fixture(scope="session")
def robustness_detector(
    request: pytest.FixtureRequest, robustness_benchmark: BenchmarkDeclaration
) -> Detector:
    """The detector the YAML declares. Override it to bring your own (``detector: fixture``).

    >>> @pytest.fixture(scope="session")
    ... def robustness_detector(robustness_benchmark):
    ...     return MyDetector(robustness_benchmark.category)
    """
    measurements = _measurements(request)
    with _as_failure(measurements, robustness_benchmark):
        detector: Any = measurements.build_detector(robustness_benchmark)
        return detector  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def robustness_threshold(
    request: pytest.FixtureRequest,
    robustness_benchmark: BenchmarkDeclaration,
    robustness_dataset: Split,
    robustness_detector: Detector,
) -> OperatingPoint:
    """The operating point, calibrated once per session on images the detector has not seen.

    >>> def test_threshold_is_where_production_has_it(robustness_threshold):
    ...     assert robustness_threshold.pixel_threshold == pytest.approx(0.42, rel=0.1)
    """
    if request.config.getoption("setuponly", default=False):
        pytest.skip("--setup-only fits, calibrates and measures nothing")
    measurements = _measurements(request)
    with _as_failure(measurements, robustness_benchmark):
        benchmark = measurements.prepare(
            robustness_benchmark, robustness_dataset, robustness_detector
        )
        return benchmark.prepare()


@pytest.fixture(scope="session")
def robustness_condition(
    request: pytest.FixtureRequest, robustness_benchmark: BenchmarkDeclaration
) -> Condition:
    """The condition of this item: clean, or one corruption at one severity.

    >>> def test_mild(robustness_condition, robustness_result):
    ...     if robustness_condition.severity == 1:
    ...         assert robustness_result.metrics["miss_rate"] == 0
    """
    from pytest_robustbench.conditions import condition_of

    return condition_of(_param(request).removeprefix(f"{robustness_benchmark.key}-"))


@pytest.fixture
def robustness_result(
    request: pytest.FixtureRequest,
    robustness_benchmark: BenchmarkDeclaration,
    robustness_condition: Condition,
    *,
    robustness_dataset: Split,
    robustness_detector: Detector,
    robustness_threshold: OperatingPoint,
) -> ConditionResult | ToleranceResult:
    """What was measured under this condition, once per session, reruns included.

    Any test that asks for it gets one item per benchmark and condition; one that judges gets those
    of tolerances as well.

    >>> def test_worst_image(robustness_result):
    ...     assert robustness_result.metrics["pixel_segf1_per_image"] > 0.1
    """
    measurements = _measurements(request)
    with _as_failure(measurements, robustness_benchmark):
        # robustness_threshold is cached: it does not see this item's own overrides.
        measurements.require_prepared(
            robustness_benchmark, robustness_dataset, robustness_detector, robustness_threshold
        )
    outcome = measurements.measure(robustness_benchmark, robustness_condition)
    if outcome.result is None:
        pytest.fail(outcome.error, pytrace=False)
    return outcome.result


@pytest.fixture
def robustness_judge(
    request: pytest.FixtureRequest, robustness_benchmark: BenchmarkDeclaration
) -> Judge:
    """Holds a result against every declared limit of its condition.

    >>> def test_robustness(robustness_result, robustness_judge):
    ...     robustness_judge(robustness_result)
    """
    from pytest_robustbench.plugin.measuring.judging import Judge

    return Judge(request)


def _measurements(request: pytest.FixtureRequest) -> Measurements:
    from pytest_robustbench.plugin.measuring.course import measurements_of

    return measurements_of(request.config)


def _param(request: pytest.FixtureRequest) -> str:
    if not hasattr(request, "param"):
        pytest.fail(
            "this test asks for robustness fixtures, but pytest cannot parametrize it over the "
            "conditions: write it as a plain test function that names them as arguments "
            "(unittest.TestCase methods are never parametrized, nor does getfixturevalue do it)",
            pytrace=False,
        )
    return str(request.param)


@contextmanager
def _as_failure(measurements: Measurements, declaration: BenchmarkDeclaration) -> Iterator[None]:
    """Turn our errors into one clear message, and remember the first for the report."""
    from pytest_robustbench.errors import MissingDataError, RobustbenchError

    try:
        yield
    except RobustbenchError as error:
        problem = str(error)
        if isinstance(error, MissingDataError) and measurements.settings.missing_data == "skip":
            measurements.data_missing[declaration.key] = problem
            pytest.skip(f"NOT JUDGED, the data are missing: {problem}")
        measurements.errors.setdefault(declaration.key, problem)
        # From None: the message is all there is to see, no chain of tracebacks.
        raise pytest.fail.Exception(problem, pytrace=False) from None

"""Metrics of one's own: how they become known, what is refused, and what they give."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.errors import MetricError
from pytest_robustbench.metrics import own
from pytest_robustbench.metrics.catalogue import bound_of, metric_called
from pytest_robustbench.metrics.counts import PixelCounts
from pytest_robustbench.metrics.measured import ratio_of, value_of, with_own_metrics
from tests.metrics.metrics_columns import counted, decided

IMAGES = [PixelCounts(0, 1, 0, 9), PixelCounts(0, 3, 0, 7), PixelCounts(5, 2, 5, 8)]


def register(function, **options):
    return rb.register_metric(more_is_better=False, meaning="a meaning", **options)(function)


def reject_area(outcomes):
    return outcomes.fp, outcomes.fp + outcomes.tn


def test_it_is_the_ratio_of_what_images_add():
    everywhere = register(reject_area, level="pixel")
    outcomes = counted([*IMAGES, None], [0, 0, 1, 1])

    assert value_of(everywhere, outcomes) == 6 / 30
    of_good = register(reject_area, name="of_good", level="pixel", rests_on="normal")
    assert value_of(of_good, outcomes) == 4 / 20
    assert value_of(of_good, counted(IMAGES[2:], [1])) is None


def test_it_is_known_by_its_name_with_the_bounds_of_its_direction():
    metric = register(reject_area)

    assert metric_called("worst_corruption_reject_area") is metric
    assert (bound_of("reject_area"), bound_of("mean_drop_reject_area")) == ("max", "max")
    better = rb.register_metric(more_is_better=True, meaning="m", name="kept")(reject_area)
    assert bound_of("mean_corruption_kept") == better.bound == "min"


def test_registering_it_again_changes_nothing():
    first = register(reject_area)

    assert register(reject_area) == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "registered already"),
        ({"rests_on": "normal"}, "registered already"),
        ({"name": "bg_fpr"}, "that name is taken"),
        ({"name": "worst_drop_x"}, "that name is taken"),
        ({"name": "min_overlap"}, "that name is taken"),
        ({"name": "Reject Area"}, "lower-case letters"),
        ({"name": "x", "level": "latency"}, "level must be one of image, pixel"),
        ({"name": "x", "rests_on": "good"}, "rests_on must be one of"),
        ({"name": "x", "sees": ("everything",)}, "sees must be one of"),
        ({"name": "x", "largest": 0.0}, "largest value above 0"),
    ],
)
def test_what_cannot_be_a_metric_is_refused(change, message, registered):
    register(reject_area)
    before = dict(registered)

    with pytest.raises(MetricError, match=message):
        register(reject_area, **change)
    assert registered == before


def test_a_function_of_another_file_is_another_metric(tmp_path):
    texts = {"a": "outcomes.fp", "b": "outcomes.tn"}
    for folder, numerator in texts.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"line_{folder}.py").write_text(
            dedent(f"""
                import pytest_robustbench as rb
                @rb.register_metric(more_is_better=False, meaning="area")
                def reject_area(outcomes):
                    return {numerator}, outcomes.fp + outcomes.tn
                reject_area_module = __name__
            """)
        )
    own.load_metric("line_a:reject_area", tmp_path / "a")

    with pytest.raises(
        MetricError, match=r"registered already \(line_a:reject_area in .*line_a\.py"
    ):
        own.load_metric("line_b:reject_area", tmp_path / "b")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("reject_are", "unknown metric 'reject_are' of one's own; did you mean 'reject_area'"),
        ("nowhere:metric", "cannot be imported: ModuleNotFoundError"),
        (reject_area, "is a function: decorate a function of the outcomes"),
        ("math:sqrt", "decorate a function of the outcomes"),
    ],
)
def test_what_is_no_metric_is_told(reference, message):
    register(reject_area)

    with pytest.raises(MetricError, match=message):
        own.load_metric(reference)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda o: (o.fp[:1], o.fp[:1]), r"two columns over 3 images, not one of shape \(1,\)"),
        (lambda o: o.fp, r"two columns over 3 images, \(numerator, denominator\), not a ndarray"),
        (lambda _: None, "not a NoneType"),
        (lambda o: (o.fp.astype(str), o.fp), "of real numbers, not a ndarray of <U"),
        (lambda o: o.nothing, "raised AttributeError"),
        (lambda o: (-o.fp, o.tn), "below 0"),
        (lambda o: (o.fp, o.tn + np.inf), "too large to be summed"),
        (lambda o: (o.fp, np.full(3, 1e308)), "too large to be summed"),
        (lambda o: (np.full(3, -0.5), o.tn), "a number below 0"),
        (lambda o: (o.fp * 1j, o.tn), "of real numbers, not a ndarray of complex128"),
        (lambda o: (np.ma.masked_less(o.fp, 2), o.tn), "not a MaskedArray"),
    ],
)
def test_a_function_that_returns_something_else_is_an_error_and_no_value(function, message):
    metric = register(function, name="odd", level="pixel")

    with pytest.raises(MetricError, match=message):
        value_of(metric, counted(IMAGES, [0, 0, 1]))


def test_a_value_that_cannot_be_is_an_error():
    metric = register(lambda o: (5 * o.image_tp, o.image_tp), name="five", rests_on="defect")

    with pytest.raises(MetricError, match="is 5, and is said to be 1 at most"):
        with_own_metrics(decided(tp=3), [metric])
    assert with_own_metrics(decided(fn=3), [metric]).own["five"].value != 5


@pytest.mark.parametrize(("beyond", "accepted"), [(1e-12, True), (1e-6, False)])
def test_a_value_may_be_larger_than_can_be_by_its_last_digits_alone(beyond, accepted):
    metric = register(lambda o: ((1 + beyond) * o.image_tp, o.image_tp), name="nearly")

    with nullcontext() if accepted else pytest.raises(MetricError, match="1 at most"):
        with_own_metrics(decided(tp=3), [metric])


def test_a_report_holds_enough_to_judge_it_without_its_code(registered):
    live = register(reject_area, level="pixel", sees=("false alarms",), largest=float("inf"))
    outcomes = with_own_metrics(counted(IMAGES, [0, 0, 1]), [live])
    definition = own.definition_of(live)
    registered.clear()

    stored = own.known(own.metric_from("reject_area", definition))

    assert value_of(stored, outcomes) == 6 / 30
    assert own.definition_of(stored) == definition
    assert own.known(live).formula is live.formula, "code that turns up serves from then on"


def test_a_report_of_another_definition_is_refused():
    live = register(reject_area)
    definition = {**own.definition_of(live), "more_is_better": True}

    with pytest.raises(MetricError, match="registered already"):
        own.known(own.metric_from("reject_area", definition))


def test_a_package_brings_one_by_an_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "line-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: line\nVersion: 1.0\n")
    points = "lit = line_of_entry:lit\nbroken = no_such_module_at_all:lit\n"
    (info / "entry_points.txt").write_text(f"[pytest_robustbench.metrics]\n{points}")
    (tmp_path / "line_of_entry.py").write_text(
        dedent("""
            import pytest_robustbench as rb
            @rb.register_metric(more_is_better=False, meaning="area")
            def lit(outcomes):
                return outcomes.fp, outcomes.fp + outcomes.tn
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    assert own.load_metric("lit").source == "line_of_entry:lit"
    with pytest.raises(MetricError, match="'broken' cannot be imported: ModuleNotFoundError"):
        own.load_metric("broken")


def test_another_version_in_a_report_is_read_and_never_compared():
    live = register(reject_area)
    older = {**own.definition_of(live), "version": 0, "meaning": "in other words"}

    assert own.known(own.metric_from("reject_area", older)) is live
    assert not own.same_numbers(older, own.definition_of(live))
    assert own.same_numbers({**older, "version": 1}, own.definition_of(live))


def lit_above(share):
    def lit(outcomes):
        background = outcomes.fp + outcomes.tn
        return outcomes.fp > share * background, background > 0

    return lit


def test_two_functions_of_one_line_are_two_metrics():
    register(lit_above(0.5))

    with pytest.raises(MetricError, match="registered already"):
        register(lit_above(0.0))
    assert register(lit_above(0.5)).name == "lit", "the same one, made again"


@pytest.mark.parametrize("column", ["labels", "score", "tp", "fp", "fn", "tn"])
def test_columns_cannot_be_written_to(column):
    def writing(outcomes):
        getattr(outcomes, column)[:] = 0
        return outcomes.fp, outcomes.tn

    outcomes = counted(IMAGES, [0, 0, 1])
    before = getattr(outcomes, column).copy()

    with pytest.raises(MetricError, match=r"raised ValueError: .*read-only"):
        with_own_metrics(outcomes, [register(writing)])
    np.testing.assert_array_equal(getattr(outcomes, column), before)


def test_images_that_are_left_out_fall_out_by_themselves():
    missed = register(lambda o: (o.image_fn, o.labels), name="missed", rests_on="defect")
    outcomes = decided(tp=2, fn=2)
    left_out = replace(outcomes, score=np.where(np.arange(4) == 0, np.nan, outcomes.score))

    assert value_of(missed, outcomes) == 2 / 4
    assert value_of(missed, left_out) == 2 / 3


@pytest.mark.parametrize("column", [0, 1])
def test_an_image_with_a_number_that_is_none_adds_nothing(column):
    def of_three(outcomes):
        columns = outcomes.image_fn, np.ones(4)
        return tuple(
            np.where((np.arange(4) == 0) & (k == column), np.nan, each)
            for k, each in enumerate(columns)
        )

    ratio = ratio_of(register(of_three), decided(tp=2, fn=2))

    assert ratio.value == 2 / 3
    assert (ratio.numerator[0], ratio.denominator[0]) == (0, 0)

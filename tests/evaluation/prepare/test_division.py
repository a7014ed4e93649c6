"""Images of one part never stand on both sides of the calibration."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.errors import CalibrationError
from pytest_robustbench.evaluation.prepare.division import folds, held_out
from pytest_robustbench.evaluation.settings import CalibrationSettings

GROUPS = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=2, max_size=40)


def units(groups):
    return len({group for group in groups if group is not None}) + groups.count(None)


@given(GROUPS, st.floats(0.01, 0.99), st.integers(0, 5))
@settings(deadline=None)
def test_hold_out_divides_no_group(groups, fraction, seed):
    chosen = CalibrationSettings(fraction=fraction, seed=seed)
    if units(groups) < 2:
        with pytest.raises(CalibrationError):
            held_out(groups, chosen)
        return

    out = held_out(groups, chosen).tolist()

    inside = {groups[i] for i in range(len(groups)) if i not in out} - {None}
    outside = {groups[i] for i in out} - {None}
    assert not inside & outside
    assert 1 <= len(out) < len(groups)
    assert out == sorted(set(out))


@given(GROUPS, st.integers(2, 5), st.integers(0, 5))
@settings(deadline=None)
def test_folds_divide_no_group_and_cover_everything(groups, n, seed):
    chosen = CalibrationSettings(method="crossfit", folds=n, seed=seed)
    if units(groups) < n:
        with pytest.raises(CalibrationError):
            folds(groups, chosen)
        return

    parts = [set(part.tolist()) for part in folds(groups, chosen)]

    assert sorted(i for part in parts for i in part) == list(range(len(groups)))
    for group in set(groups) - {None}:
        assert sum(any(groups[i] == group for i in part) for part in parts) == 1


def test_as_many_images_are_held_out_as_the_fraction_asks_for():
    groups = [f"part {i // 4}" for i in range(40)]

    out = held_out(groups, CalibrationSettings(fraction=0.3))

    assert len(out) == 12


def test_one_group_alone_cannot_be_divided():
    with pytest.raises(CalibrationError, match="20 train images of one group"):
        held_out(["same"] * 20, CalibrationSettings())


@pytest.mark.parametrize("seed", range(8))
def test_one_large_group_is_not_held_out_for_a_small_fraction(seed):
    groups = ["all of one day"] * 100 + ["b", "c"]

    out = held_out(groups, CalibrationSettings(fraction=0.2, seed=seed))

    assert len(out) in (1, 2)


def test_the_smallest_group_is_held_out_where_all_are_too_large():
    groups = ["a"] * 50 + ["b"] * 49

    assert held_out(groups, CalibrationSettings(fraction=0.1)).tolist() == list(range(50, 99))

"""Which images show one part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.metrics.parts import group_numbers

NAMES = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("namings", "expected"),
    [
        ([[None, None, None]], [0, 1, 2]),
        ([["a", "b", "a"]], [0, 1, 0]),
        ([["a", None, None, "a"]], [0, 1, 2, 0]),
        ([["a", "b", "c"], ["x", "x", "y"]], [0, 0, 1]),
        # The first and the last share no name, and yet show one part.
        ([["a", "a", "b", "c"], ["x", "y", "y", "z"]], [0, 0, 0, 1]),
        # Equal names of two kinds have nothing to do with each other.
        ([["a", "b"], ["b", "c"]], [0, 1]),
        # One picture under as many names as there are copies.
        ([["p1", "p2", "p3", "p4"], ["d", "d", "d", "e"]], [0, 0, 0, 1]),
    ],
)
def test_images_that_share_any_name_show_one_part(namings, expected):
    numbers = group_numbers(*namings)

    same = numbers[:, None] == numbers
    assert (same == (np.array(expected)[:, None] == np.array(expected))).all()
    assert sorted(set(numbers.tolist())) == list(range(numbers.max() + 1))


@given(NAMES, st.data())
def test_a_further_naming_only_joins(names, data):
    others = data.draw(
        st.lists(st.sampled_from(["x", "y", None]), min_size=len(names), max_size=len(names))
    )

    one, both = group_numbers(names), group_numbers(names, others)

    assert all(both[i] == both[j] for i in range(len(names)) for j in range(i) if one[i] == one[j])

"""Which images show one part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.metrics.parts import Parts, group_numbers, parts_of

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


def test_a_stratum_is_what_the_images_of_a_part_are_labelled():
    labels, groups = np.array([0, 1, 1, 0, 0, 1]), np.array([7, 7, 3, 5, 5, 9])

    parts = parts_of(labels, groups)

    assert parts.of_image.tolist() == [2, 2, 0, 1, 1, 3]  # parts 3, 5, 7, 9
    first, second, third, fourth = parts.strata
    assert first == fourth
    assert len({first, second, third}) == 3
    assert not parts.each_image_is_one
    assert [members.tolist() for members in parts.members()] == [
        [False, True, False, False],
        [True, False, False, True],
        [False, False, True, False],
    ]
    assert parts.sums(np.arange(6.0)).tolist() == [2, 7, 1, 5]


@pytest.mark.parametrize("n", [2, 3, 10])
def test_the_variance_of_a_sum_is_n_times_that_of_its_parts_within_their_strata(n):
    rng = np.random.default_rng(0)
    values = rng.normal(3, 1, 2 * n)
    parts = Parts(np.arange(2 * n), np.repeat([0, 1], n))
    drawn = rng.multinomial(n, np.full(n, 1 / n), (5, 2)).reshape(5, -1).astype(float)

    found = parts.variance(drawn, np.tile(values, (5, 1)))

    for weights, variance in zip(drawn, found, strict=True):
        halves = (np.repeat(values[s], weights[s].astype(int)) for s in (slice(n), slice(n, None)))
        assert variance == pytest.approx(sum(n * np.var(half, ddof=1) for half in halves))


def test_one_part_of_its_kind_has_no_variance_of_its_own_but_its_square():
    one = Parts(np.arange(1), np.zeros(1, np.int64))

    assert one.variance(np.ones((1, 1)), np.full((1, 1), 3.0)).tolist() == [9.0]

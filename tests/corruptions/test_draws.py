from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.draws import generator

keys = st.tuples(st.integers(), st.text(max_size=4), st.integers(0, 20), st.text(max_size=4))


@settings(deadline=None)
@given(keys)
def test_equal_keys_draw_alike(key):
    assert (generator(*key).random(4) == generator(*key).random(4)).all()


@settings(deadline=None)
@given(keys, keys)
def test_different_keys_draw_apart(one, other):
    same = generator(*one).random() == generator(*other).random()
    assert same == (one == other)


def test_no_two_keys_are_confused():
    tricky = [
        (1, "a", 1, "1"),
        (1, "a", 11, ""),
        (11, "a", 1, ""),
        (1, 'a", 1, "', 1, ""),
        (1, "a1", 1, ""),
        (-1, "a", 1, "1"),
        (1, "a", 1, "1 "),
        (1, "a", 1, "\u00e9"),
        (1, "a", 1, "e\u0301"),
    ]
    draws = [generator(*key).random() for key in tricky]
    assert all(one != other for one, other in combinations(draws, 2))


def test_the_draws_of_a_released_version_stay():
    drawn = generator(0, "glare", 1, "test/good/000.png").random(3).round(12).tolist()
    assert drawn == [0.800189764157, 0.380166770109, 0.656008420842]

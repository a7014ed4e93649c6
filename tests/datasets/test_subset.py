from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from pytest_robustbench.datasets.split import Sample, Split
from pytest_robustbench.datasets.subset import limit_split
from pytest_robustbench.errors import DatasetError

GRAY = np.zeros((2, 2), np.uint8)


@pytest.fixture
def split():
    train = [Sample(f"train/good/{i:02d}", 0, GRAY) for i in range(20)]
    good = [Sample(f"test/good/{i:02d}", 0, GRAY) for i in range(12)]
    defects = [
        Sample(f"test/{kind}/{i:02d}", 1, GRAY, defect_type=kind)
        for kind, count in (("cut", 9), ("dent", 2))
        for i in range(count)
    ]
    return Split("d", "c", tuple(train), (*defects, *good), tuple(train[:2]), notes=("old",))


def ids(samples):
    return [sample.id for sample in samples]


def test_classes_and_defect_types_take_turns(split):
    def kinds(limit):
        return Counter(s.defect_type for s in limit_split(split, None, limit).test)

    assert kinds(8) == {"good": 4, "cut": 2, "dent": 2}
    assert kinds(12) == {"good": 6, "cut": 4, "dent": 2}
    assert kinds(23) == {"good": 12, "cut": 9, "dent": 2}


def test_a_smaller_limit_keeps_part_of_what_a_larger_one_keeps(split):
    for part in ("train", "test"):
        kept = [set(ids(getattr(limit_split(split, n, n), part))) for n in range(1, 24)]
        assert all(small <= large for small, large in pairwise(kept))
        assert [len(names) for names in kept[:12]] == list(range(1, 13))


def test_the_same_images_are_chosen_in_every_version(split):
    limited = limit_split(split, 3, 6)
    assert ids(limited.train) == [f"train/good/{number}" for number in ["04", "11", "16"]]
    assert ids(limited.test) == [
        f"test/{name}" for name in ["cut/01", "cut/06", "dent/01", "good/02", "good/06", "good/10"]
    ]


def test_order_and_calibration_images_stay(split):
    limited = limit_split(split, 5, 9)
    assert ids(limited.train) == sorted(ids(limited.train))
    assert ids(limited.test) == sorted(ids(limited.test))
    assert limited.calibration == split.calibration
    assert limited.notes == (
        "old",
        "limited to 5 of 20 train images",
        "limited to 9 of 23 test images, balanced over good parts and kinds of defects",
    )


def test_the_choice_hangs_on_ids_not_on_order(split):
    turned = Split("d", "c", split.train[::-1], split.test[::-1])
    assert set(ids(limit_split(turned, 5, 9).test)) == set(ids(limit_split(split, 5, 9).test))


def test_no_limit_and_a_large_limit_change_nothing(split):
    for limit in (None, 100):
        limited = limit_split(split, limit, limit)
        assert (limited.train, limited.test, limited.notes) == (split.train, split.test, ("old",))


def test_a_limit_below_one_is_refused(split):
    with pytest.raises(DatasetError, match="limit_test is at least 1, not 0"):
        limit_split(split, None, 0)

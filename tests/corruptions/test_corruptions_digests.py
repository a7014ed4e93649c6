from __future__ import annotations

import cv2
import numpy as np
import pytest
from corruption_pictures import ALL, SEVERITIES, block_mask, picture

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.digests import condition_digest, picture_digest


@pytest.fixture
def one_thread():
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


def digests():
    image, mask = picture(4, 300, 420), block_mask(300, 420)
    return [
        picture_digest(one.apply(image, mask, severity, seed=0, sample_id="a"))
        for one in ALL
        for severity in SEVERITIES
    ]


def test_opencv_threads_do_not_matter(one_thread):
    alone = digests()
    cv2.setNumThreads(4)
    assert digests() == alone
    assert len(set(alone)) == 25


def test_corruptions_leave_opencv_threads_alone():
    before = cv2.getNumThreads()
    digests()
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("lighting", "9914c215b48bea0d"),
        ("glare", "bb0236d2ec6b2031"),
        ("geo_jitter", "d194c040de6f6384"),
    ],
)
def test_the_pixels_of_a_released_version_stay(name, digest):
    """Where this fails, raise the corruption's version: reports are no longer comparable."""
    corruption = next(one for one in ALL if one.name == name)
    assert corruption.version == 1
    result = corruption.apply(picture(4, 300, 420), block_mask(300, 420), 4, seed=0, sample_id="a")
    assert picture_digest(result) == digest


def test_every_part_of_a_picture_counts():
    image, mask = picture(0), block_mask()
    other = image.copy()
    other[3, 3, 1] ^= 1
    variants = [
        Corrupted(image, None),
        Corrupted(other, None),
        Corrupted(image.reshape(56, 40, 3), None),
        Corrupted(image, mask),
        Corrupted(image, np.zeros_like(mask)),
        Corrupted(image, None, mask),
        Corrupted(image, mask, mask),
        Corrupted(image, mask, ~mask),
    ]
    assert len({picture_digest(one) for one in variants}) == len(variants)


def test_memory_layout_does_not_count():
    image, mask = picture(0), block_mask()
    flipped = np.ascontiguousarray(image[:, ::-1])[:, ::-1]
    assert picture_digest(Corrupted(flipped, mask)) == picture_digest(Corrupted(image, mask))


SPECIFICATION = {"name": "blur", "version": 1, "parameters": {}, "seed": 0}


def test_a_condition_is_its_specification_severity_and_pictures():
    base = condition_digest(SPECIFICATION, 3, ["a", "b"], ["00", "01"])
    assert (
        condition_digest(dict(reversed(SPECIFICATION.items())), 3, ["b", "a"], ["01", "00"]) == base
    )
    others = [
        condition_digest({**SPECIFICATION, "seed": 1}, 3, ["a", "b"], ["00", "01"]),
        condition_digest(SPECIFICATION, 4, ["a", "b"], ["00", "01"]),
        condition_digest(SPECIFICATION, 3, ["a", "b"], ["01", "00"]),
        condition_digest(SPECIFICATION, 3, ["a"], ["00"]),
        condition_digest({}, None, ["a", "b"], ["00", "01"]),
    ]
    assert len({base, *others}) == 6
    assert len(base) == 32


def test_each_picture_needs_a_digest():
    with pytest.raises(ValueError, match="shorter"):
        condition_digest(SPECIFICATION, 3, ["a", "b"], ["00"])

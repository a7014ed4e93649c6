from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.corruption import Corrupted
from pytest_robustbench.corruptions.digests import condition_digest, picture_digest
from tests.corruptions.corruption_pictures import ALL, SEVERITIES, block_mask, picture, pictures


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


def test_opencv_threads_do_not_matter_and_are_left_as_found(one_thread):
    alone = digests()
    assert len(set(alone)) == 5 * len(ALL)
    assert cv2.getNumThreads() == 1
    for threads in (2, 3, 4):
        cv2.setNumThreads(threads)
        assert digests() == alone
        assert cv2.getNumThreads() == threads


def test_two_threads_at_once_do_not_matter():
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: digests(), range(2))
    assert first == second == digests()


def test_torch_threads_are_left_as_found():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), torch.get_num_interop_threads()
    digests()
    assert (torch.get_num_threads(), torch.get_num_interop_threads()) == before


@pytest.mark.parametrize(
    ("name", "height", "width", "digest"),
    [
        ("lighting", 300, 420, "6f37b71e18f60467"),
        ("blur", 300, 420, "c88b1864ba8d529b"),
        ("glare", 300, 420, "5beaf2bfe91ca1d0"),
        ("geo_jitter", 300, 420, "9e4e21755e56f206"),
        ("exposure", 300, 420, "7386bebf3a7d14bf"),
        ("gradient", 300, 420, "42fb1d9e2688606e"),
        ("vignette", 300, 420, "805899053d848cd7"),
        ("white_balance", 300, 420, "25fc0c487641d751"),
        ("veil", 300, 420, "064837b3cfd05909"),
        ("banding", 300, 420, "c208785d83d22755"),
        ("dust", 300, 420, "89315fcfee3fd377"),
        ("defocus", 300, 420, "4578c05c913ff714"),
        ("motion_blur", 300, 420, "0b7fb643c0746b6c"),
        ("noise", 300, 420, "5a36a6adbb55006e"),
        ("blur", 561, 703, "d2cc70b395b4a89a"),
        ("motion_blur", 561, 703, "d0afadebca6d14c5"),
        ("defocus", 561, 703, "3f95c8386594f315"),
        ("blur", 1100, 1030, "389b803165c11dd9"),
        ("motion_blur", 1100, 1030, "ba1a1060a1eb563d"),
        ("defocus", 1100, 1030, "893e7577ff548ed8"),
        ("dust", 1100, 1030, "66de754440c747ed"),
        ("gradient", 1100, 1030, "920f50e4548c6c7f"),
    ],
)
def test_the_pixels_of_a_released_version_stay(name, height, width, digest):
    """Where this fails, raise the corruption's version: reports are no longer comparable.

    Nothing here may depend on the processor or on the build of OpenCV, so no JPEG.
    """
    corruption = next(one for one in ALL if one.name == name)
    assert corruption.version == 1
    image, mask = picture(4, height, width), block_mask(height, width)
    result = corruption.apply(image, mask, 4, seed=0, sample_id="a")
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


@settings(deadline=None, max_examples=40)
@given(image=pictures, part=st.integers(0, 2), data=st.data())
def test_no_pixel_can_change_unseen(image, part, data):
    mask = np.zeros(image.shape[:2], bool)
    before = Corrupted(image, mask, mask)
    arrays = [array.copy() for array in before]
    place = data.draw(st.integers(0, arrays[part].size - 1))
    arrays[part].flat[place] ^= 1
    assert picture_digest(Corrupted(*arrays)) != picture_digest(before)


def test_a_gray_picture_is_not_its_channel_in_another_colour():
    gray = picture(0, gray=True)
    variants = [gray, gray * np.uint8([1, 1, 0]), gray * np.uint8([1, 0, 0]), gray[::-1]]
    assert len({picture_digest(Corrupted(one, None)) for one in variants}) == len(variants)


def test_masks_of_other_shapes_do_not_fill_up_to_each_other():
    narrow, wide = (np.zeros((2, width, 3), np.uint8) for width in (6, 8))
    one = Corrupted(narrow, np.zeros((2, 6), bool))
    others = [
        Corrupted(wide, np.zeros((2, 8), bool)),
        Corrupted(narrow, np.zeros((3, 4), bool)),
        Corrupted(narrow, np.zeros((2, 8), bool)),
    ]
    assert picture_digest(one) not in [picture_digest(other) for other in others]


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

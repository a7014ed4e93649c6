"""What every corruption, built in or a user's own, must keep to."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import (
    ALL,
    SEVERITIES,
    block_mask,
    gray_pictures,
    picture,
    pictures,
    samples,
)

DRAWING = (
    *("lighting", "glare", "geo_jitter", "noise", "motion_blur", "vignette", "dust", "banding"),
    *("gradient",),
)

each = pytest.mark.parametrize("corruption", ALL, ids=lambda corruption: corruption.name)


def apply(corruption, image, mask, severity, *, seed=0, sample_id="a"):
    return corruption.apply(image, mask, severity, seed=seed, sample_id=sample_id)


@each
@settings(deadline=None, max_examples=15)
@given(image=pictures, sample=samples)
def test_pictures_of_any_size_keep_shape_and_types(corruption, image, sample):
    mask = np.ones(image.shape[:2], bool)
    for severity in SEVERITIES:
        result = apply(corruption, image, mask, severity, sample_id=sample)
        assert result.image.shape == image.shape
        assert result.image.dtype == np.uint8
        assert result.mask.shape == mask.shape
        assert result.mask.dtype == bool


@each
@settings(deadline=None, max_examples=15)
@given(image=gray_pictures, sample=samples)
def test_gray_stays_gray(corruption, image, sample):
    for severity in SEVERITIES:
        result = apply(corruption, image, None, severity, sample_id=sample).image
        assert (result == result[..., :1]).all()


@each
def test_unknown_masks_stay_unknown(corruption):
    assert apply(corruption, picture(0), None, 5).mask is None


@each
def test_only_geo_jitter_touches_the_mask(corruption):
    mask = block_mask()
    result = apply(corruption, picture(0), mask, 5)
    assert (result.mask == mask).all() == (corruption.name != "geo_jitter")
    assert (result.ignored is None) == (corruption.name != "geo_jitter")


@each
def test_inputs_are_left_alone_and_outputs_belong_to_nobody(corruption):
    image, mask = picture(1), block_mask()
    before = image.copy(), mask.copy()
    result = apply(corruption, image, mask, 5)
    assert (image == before[0]).all()
    assert (mask == before[1]).all()
    for part in result:
        if part is not None:
            assert not part.flags.writeable
            assert not np.shares_memory(part, image)
            assert not np.shares_memory(part, mask)


def frozen(array):
    array.flags.writeable = False
    return array


def test_a_read_only_mask_that_is_left_alone_is_handed_back_itself():
    mask = frozen(block_mask())
    for corruption in ALL:
        result = apply(corruption, picture(1), mask, 3)
        assert (result.mask is mask) == (corruption.name != "geo_jitter")
    mine = apply(of(lambda i, m: (255 - i, m)), picture(1), mask, 3)
    assert mine.mask is mask


def test_an_empty_mask_stays_empty_wherever_it_is_moved():
    mask = frozen(np.zeros((40, 56), bool))
    for corruption in ALL:
        result = apply(corruption, picture(1), mask, 5)
        assert result.mask is mask
        assert not result.mask.any()


@pytest.mark.parametrize("hand_back", [np.copy, lambda mask: mask[:], np.logical_not])
def test_only_the_mask_itself_is_taken_for_it(hand_back):
    mask = frozen(block_mask())
    result = apply(of(lambda i, m: (i, hand_back(m))), picture(1), mask, 3).mask
    assert not np.shares_memory(result, mask)
    assert (result == hand_back(mask)).all()


def test_fresh_arrays_are_handed_on_and_given_ones_are_copied():
    image, mask = picture(1), block_mask()
    made = []

    def function(image, mask):
        made.append(255 - image)
        return made[-1], mask, ~mask

    fresh = apply(of(function, fresh=True), image, mask, 3)
    careful = apply(of(function), image, mask, 3)
    assert np.shares_memory(fresh.image, made[0])
    assert not np.shares_memory(careful.image, made[1])
    assert not np.shares_memory(fresh.mask, mask)
    assert not any(part.flags.writeable for part in (*fresh, *careful))


@pytest.mark.parametrize("hand_back", [lambda image: image, lambda image: image[:, ::-1]])
def test_what_a_fresh_function_was_given_is_not_taken_for_new(hand_back):
    image = picture(1)
    result = apply(of(lambda i, m: (hand_back(i), m), fresh=True), image, None, 3).image
    assert not np.shares_memory(result, image)
    assert result.flags.c_contiguous
    assert (result == hand_back(image)).all()


@each
def test_read_only_and_strided_inputs_are_welcome(corruption):
    image, mask = picture(2, 60, 60), block_mask(60, 60)
    wide = np.zeros((60, 120, 3), np.uint8)
    wide[:, ::2] = image
    strided = wide[:, ::2]
    strided.flags.writeable = False
    expected = apply(corruption, image, mask, 3)
    assert picture_digest(apply(corruption, strided, mask, 3)) == picture_digest(expected)


@each
def test_order_threads_and_subset_do_not_matter(corruption):
    images = {name: picture(index) for index, name in enumerate("abcd")}
    jobs = list(product(images, SEVERITIES))

    def digest(job):
        name, severity = job
        result = apply(corruption, images[name], block_mask(), severity, sample_id=name)
        return picture_digest(result)

    alone = {job: digest(job) for job in jobs}
    with ThreadPoolExecutor(4) as pool:
        threaded = dict(zip(reversed(jobs), pool.map(digest, reversed(jobs)), strict=True))
    assert alone == threaded
    assert digest(("c", 4)) == alone["c", 4]


@pytest.mark.parametrize("name", DRAWING)
def test_sample_and_seed_decide_the_draw(name):
    corruption = next(one for one in ALL if one.name == name)
    image = picture(3)
    results = {
        picture_digest(apply(corruption, image, None, 5, seed=seed, sample_id=sample))
        for seed, sample in product((0, 1), ("a", "b"))
    }
    assert len(results) == 4


@each
def test_the_specification_is_plain_json(corruption):
    specification = corruption.specification(np.int64(3))
    assert json.loads(json.dumps(specification)) == specification
    assert specification["name"] == corruption.name
    assert specification["version"] == 1
    assert specification["seed"] == 3


def of(function, **options):
    """A corruption from a function of image and mask only."""
    return Corruption("mine", lambda image, mask, _s, _r: function(image, mask), **options)


def test_tuples_of_two_and_three_are_accepted():
    image, mask = picture(0), block_mask()
    two = apply(of(lambda i, m: (255 - i, m)), image, mask, 1)
    three = apply(of(lambda i, m: (i, m, ~m)), image, mask, 1)
    assert two.ignored is None
    assert (two.image == 255 - image).all()
    assert (three.ignored == ~mask).all()


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (lambda i, _: i, "returned a uint8 array of shape .*, not \\(image, mask\\)"),
        (lambda i, _: (i,), "returned a tuple of 1"),
        (lambda *_: None, "returned None"),
        (lambda i, m: (i / 255, m), "returned a float64 array of shape .* as image"),
        (lambda i, m: (i[:-1], m), "\\(39, 56, 3\\) as image, not a uint8 array of shape"),
        (lambda i, m: (i[..., 0], m), "\\(40, 56\\) as image"),
        (lambda i, m: (i.tolist(), m), "a list as image"),
        (lambda i, _: (i, None), "returned None as mask where it was given a bool array"),
        (lambda i, m: (i, m.astype(np.uint8)), "a uint8 array of shape .* as mask"),
        (lambda i, m: (i, m[1:]), "\\(39, 56\\) as mask"),
        (lambda i, m: (i, m, m * 1.0), "a float64 array of shape .* as ignored"),
        (lambda *_: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda i, _: i.fill(0), "raised ValueError: assignment destination is read-only"),
    ],
)
def test_a_wrong_return_is_explained(function, complaint):
    with pytest.raises(CorruptionError, match=f"corruption 'mine' on sample '007' .*{complaint}"):
        of(function).apply(picture(0), block_mask(), 2, seed=0, sample_id="007")


def test_a_mask_may_not_be_invented():
    invents = of(lambda i, _: (i, block_mask()))
    with pytest.raises(CorruptionError, match="as mask where it was given None"):
        apply(invents, picture(0), None, 2)


@pytest.mark.parametrize("severity", [0, 6, 5.01, -1, None, True, "3", float("nan")])
def test_severity_is_above_0_and_at_most_5(severity):
    with pytest.raises(CorruptionError, match="severity must be a number above 0, at most 5"):
        apply(of(lambda i, m: (i, m)), picture(0), None, severity)


def test_a_reused_buffer_does_not_leak_between_pictures():
    buffer = np.zeros((40, 56, 3), np.uint8)

    def reusing(image, mask):
        buffer[:] = image
        return buffer, mask

    first = apply(of(reusing), picture(0), None, 1).image
    apply(of(reusing), picture(1), None, 1)
    assert (first == picture(0)).all()


@pytest.mark.parametrize("name", ["clean", "recorded", "Rain", "heavy-rain", "", "a b"])
def test_names_must_fit_test_ids(name):
    with pytest.raises(CorruptionError, match="a corruption cannot be called"):
        Corruption(name, shifted)


@pytest.mark.parametrize("parameters", [{"x": np.float32(1)}, {"x": float("nan")}, {"x": {1}}])
def test_parameters_must_be_json(parameters):
    with pytest.raises(CorruptionError, match="parameters of corruption 'mine'"):
        of(lambda i, m: (i, m), parameters=parameters)


def shifted(image, mask, severity, _rng):
    def move(array):
        out = np.zeros_like(array)
        out[:, 4 * severity :] = array[:, : -4 * severity]
        return out

    ignored = np.zeros(image.shape[:2], bool)
    ignored[:, : 4 * severity] = True
    return Corrupted(move(image), None if mask is None else move(mask), ignored)


def test_leaving_out_needs_no_more_than_the_function():
    moving = Corruption("mine", shifted, moves_pixels=True)
    still = Corruption("mine", shifted)
    leaves, stays = np.zeros((2, 40, 56), bool)
    leaves[:, -30:] = True
    stays[:, :30] = True
    options = {"seed": 0, "sample_id": "a"}
    assert moving.leaves_out(leaves, **options)
    assert not moving.leaves_out(stays, **options)
    assert not moving.leaves_out(np.zeros((40, 56), bool), **options)
    assert not moving.leaves_out(None, **options)
    assert not still.leaves_out(leaves, **options)

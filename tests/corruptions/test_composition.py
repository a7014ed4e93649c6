from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.composition import composed
from pytest_robustbench.corruptions.corruption import Corrupted, Corruption
from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.corruptions.registry import corrupt, load_corruption
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import SEVERITIES, block_mask, picture

DRAW = {"seed": 3, "sample_id": "007"}


def one_after_the_other(names, image, mask, severity):
    for name in names:
        image, mask, _ = corrupt(image, mask, name, severity=severity, **DRAW)
    return image, mask


@pytest.mark.parametrize("names", [("lighting", "blur"), ("geo_jitter", "noise"), ("dust", "jpeg")])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_parts_are_applied_in_turn_with_their_own_draws(names, severity):
    image, mask = picture(0, 90, 100), block_mask(90, 100)
    result = corrupt(image, mask, {"compose": names}, severity=severity, **DRAW)
    expected = one_after_the_other(names, image, mask, severity)
    assert (result.image == expected[0]).all()
    assert (result.mask == expected[1]).all()


def test_the_order_is_that_in_which_a_picture_passes_them():
    image = picture(0)
    written = [["noise", "blur", "exposure"], ["exposure", "blur", "noise"]]
    one, other = (corrupt(image, None, {"compose": each}, severity=4, **DRAW) for each in written)
    assert picture_digest(one) == picture_digest(other)
    exposed, _ = one_after_the_other(written[1], image, None, 4)
    assert (one.image == exposed).all()


def test_with_a_part_of_ones_own_the_order_is_that_of_the_list():
    own = Corruption("own", lambda image, mask, *_: (255 - image, mask))
    known = {"own": own, "blur": load_corruption("blur"), "noise": load_corruption("noise")}
    one, other = (
        composed([known[name] for name in names]).apply(picture(0), None, 5, **DRAW)
        for names in (["noise", "blur", "own"], ["blur", "noise", "own"])
    )
    assert picture_digest(one) != picture_digest(other)


def test_a_part_by_value_keeps_its_level():
    parts = {"compose": [{"blur": {"sigma_px": 3}}, "exposure"]}
    image = picture(0)
    for severity in (1, 4):
        found = corrupt(image, None, parts, severity=severity, **DRAW).image
        lit = corrupt(image, None, "exposure", severity=severity, **DRAW).image
        expected = corrupt(lit, None, {"blur": {"sigma_px": 3}}, **DRAW).image
        assert (found == expected).all()
        told = load_corruption(parts).level_at(severity)
        assert "sigma 3 px at 256" in told


def test_the_specification_names_every_part_and_its_parameters():
    reference = {"compose": ["blur", {"lighting": {"direction": "darker"}, "name": "dim"}]}
    corruption = load_corruption(reference)
    assert corruption.name == "blur_dim"
    specification = corruption.specification(5)
    assert specification["name"] == "compose"
    assert specification["seed"] == 5
    dim, blur = specification["parameters"]["parts"]
    assert blur == {
        "name": "blur",
        "version": 1,
        "parameters": {"sigma_px": 1.0, "response": "srgb"},
    }
    assert (dim["name"], dim["parameters"]["direction"]) == ("lighting", "darker")
    renamed = load_corruption({**reference, "name": "evening"})
    assert renamed.name == "evening"
    assert renamed.specification(5) == specification


def test_a_name_may_not_be_given_twice():
    blur = load_corruption("blur")
    with pytest.raises(CorruptionError, match="'blur' twice"):
        composed([blur, blur])


def test_a_composition_may_not_take_a_built_in_name():
    with pytest.raises(CorruptionError, match="has the name of a built-in one, 'blur'"):
        load_corruption({"compose": ["jpeg", "glare"], "name": "blur"})


def test_compositions_may_be_parts():
    image = picture(0)
    nested = {"compose": ["blur", {"compose": ["lighting", "jpeg"]}]}
    flat = {"compose": ["blur", "lighting", "jpeg"]}
    one, other = (corrupt(image, None, each, severity=4, **DRAW) for each in (nested, flat))
    assert picture_digest(one) == picture_digest(other)
    assert load_corruption(nested).name == load_corruption(flat).name


def test_a_mask_that_no_part_touches_is_handed_back_itself():
    mask = block_mask()
    mask.flags.writeable = False
    still = load_corruption({"compose": ["blur", "glare"]})
    moving = load_corruption({"compose": ["blur", "geo_jitter"]})
    assert still.apply(picture(0), mask, 3, **DRAW).mask is mask
    assert not still.moves_pixels
    assert moving.apply(picture(0), mask, 3, **DRAW).mask is not mask
    assert moving.moves_pixels


def test_unknown_masks_stay_unknown_and_ignored_pixels_known():
    result = corrupt(picture(0), None, {"compose": ["geo_jitter", "blur"]}, severity=5, **DRAW)
    alone = corrupt(picture(0), None, "geo_jitter", severity=5, **DRAW)
    assert result.mask is None
    assert (result.ignored == alone.ignored).all()


def test_a_defect_is_left_out_as_by_the_part_that_moves_it():
    mask = np.zeros((100, 100), bool)
    mask[:3, :30] = True
    both = load_corruption({"compose": ["motion_blur", "geo_jitter", "noise"]})
    alone = load_corruption("geo_jitter")
    decisions = []
    for sample in map(str, range(60)):
        decisions.append(alone.leaves_out(mask, seed=0, sample_id=sample))
        assert both.leaves_out(mask, seed=0, sample_id=sample) == decisions[-1]
    assert set(decisions) == {True, False}


def test_two_moving_parts_are_measured_together():
    twice = load_corruption(
        {"compose": ["geo_jitter", {"geo_jitter": {"shift_percent": 40}, "name": "further"}]}
    )
    leaves, stays = np.zeros((2, 100, 100), bool)
    leaves[:2] = True
    stays[40:60, 40:60] = True
    samples = [str(index) for index in range(20)]
    assert any(twice.leaves_out(leaves, seed=0, sample_id=sample) for sample in samples)
    assert not any(twice.leaves_out(stays, seed=0, sample_id=sample) for sample in samples)


def pushed(by):
    """A corruption that moves everything to the right and ignores what comes from outside."""

    def push(image, mask, severity, rng):
        ignored = np.zeros(image.shape[:2], bool)
        ignored[:, : by * severity] = True
        moved = None if mask is None else np.roll(mask, by * severity, axis=1) & ~ignored
        return np.roll(image, by * severity, axis=1), moved, ignored

    return push


def test_ignored_pixels_are_moved_by_later_parts():
    first = Corruption("first", pushed(2), moves_pixels=True)
    second = Corruption("second", pushed(3), moves_pixels=True)
    ignored = composed([first, second]).apply(picture(0), None, 4, **DRAW).ignored
    # 8 columns from outside, then 12; what was ignored moves on, and one pixel more.
    assert ignored[:, : 8 + 12 + 1].all()
    assert not ignored[:, 8 + 12 + 1 :].any()


def test_ignored_pixels_of_parts_that_do_not_move_pixels_add_up():
    def shaded(rows):
        def shade(image, mask, severity, rng):
            ignored = np.zeros(image.shape[:2], bool)
            ignored[rows] = True
            return image, mask, ignored

        return shade

    parts = [Corruption("top", shaded(slice(0, 3))), Corruption("low", shaded(slice(-2, None)))]
    for chosen, count in ((parts, 5), ([parts[0], load_corruption("blur")], 3)):
        ignored = composed(chosen).apply(picture(0), block_mask(), 4, **DRAW).ignored
        assert ignored.all(axis=1).sum() == ignored.any(axis=1).sum() == count


def test_nothing_from_outside_the_frame_is_counted_after_two_jitters():
    """Fill the outside with a colour of its own, by hand, and look where it ends up."""
    reference = [load_corruption("geo_jitter"), load_corruption({"geo_jitter": {}, "name": "b"})]
    image = np.full((120, 120, 3), 100, np.uint8)
    jittered = reference[0].apply(image, None, 5, **DRAW)
    stained = jittered.image.copy()
    stained[jittered.ignored] = 255
    final = reference[1].apply(stained, None, 5, **DRAW)
    ignored = composed(reference).apply(image, None, 5, **DRAW).ignored
    assert not ((final.image[..., 0] > 101) & ~ignored).any()
    assert ignored.mean() < 0.4


def test_a_reused_buffer_of_a_part_does_not_leak():
    buffer = np.zeros((40, 56, 3), np.uint8)

    def reusing(image, mask, severity, rng):
        buffer[:] = 255 - image
        return buffer, mask

    for parts in (("mine", "blur"), ("blur", "mine")):
        known = {"mine": Corruption("mine", reusing), "blur": load_corruption("blur")}
        corruption = composed([known[name] for name in parts])
        first = corruption.apply(picture(0), None, 1, **DRAW).image
        kept = first.copy()
        corruption.apply(picture(1), None, 1, **DRAW)
        assert (first == kept).all()
        assert not first.flags.writeable
        assert buffer.flags.writeable


def test_what_a_part_does_wrong_is_said_of_that_part():
    broken = Corruption("broken", lambda *_: 1 / 0)
    wrong = Corruption("wrong", lambda image, mask, *_: (image / 2, mask))
    for part, complaint in ((broken, "ZeroDivisionError"), (wrong, "returned a float64 array")):
        corruption = composed([load_corruption("blur"), part])
        expected = f"'{corruption.name}' on sample '007' .*part '{part.name}' .*{complaint}"
        with pytest.raises(CorruptionError, match=expected):
            corruption.apply(picture(0), None, 1, **DRAW)


def test_gray_stays_gray():
    image = picture(0, gray=True)
    every = ["lighting", "noise", "glare", "motion_blur", "dust", "banding", "geo_jitter"]
    result = corrupt(image, None, {"compose": every}, severity=5, **DRAW).image
    assert (result == result[..., :1]).all()


def test_each_part_may_move_the_mask_and_all_agree_with_the_picture():
    image = np.zeros((120, 120, 3), np.uint8)
    mask = np.zeros((120, 120), bool)
    mask[50:70, 40:80] = True
    image[mask] = 255
    result = corrupt(image, mask, {"compose": ["geo_jitter", "noise", "blur"]}, severity=3, **DRAW)
    assert isinstance(result, Corrupted)
    bright = cv2.erode((result.image[..., 0] > 127).astype(np.uint8), np.ones((3, 3))) > 0
    assert bright.sum() > 400
    assert result.mask[bright].all()

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.datasets.pictures.duplicates import near_copies, shared_pictures
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.datasets.split import Sample


def flat(name, value, size=(8, 8)):
    return Sample(name, 0, np.full(size, value, np.uint8))


def test_shared_pictures_are_found_by_their_pixels():
    a = [flat(f"train/good/{i}", i) for i in range(3)]
    same = flat("test/good/x", 2)
    masked = replace(same, id="test/cut/y", label=1, mask=np.ones((8, 8), bool))
    other = flat("test/good/z", 2, (8, 9))

    pairs = shared_pictures(a, [same, masked, other], PictureStore((4, 4)))

    assert [(one.id, two.id) for one, two in pairs] == [
        ("train/good/2", "test/good/x"),
        ("train/good/2", "test/cut/y"),
    ]


def test_pictures_without_texture_are_no_near_copies():
    plain = [flat(f"train/{i}", 40 + i) for i in range(4)]

    assert near_copies([flat("test/x", 90)], plain, PictureStore()) == []
    assert near_copies([], plain, PictureStore()) == []
    assert near_copies(plain, [], PictureStore()) == []


def stored_again(image, how):
    if how == "jpeg":
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 75])
        return cv2.imdecode(data, cv2.IMREAD_COLOR)
    if how == "brighter":
        return cv2.convertScaleAbs(image, alpha=1.0, beta=6)
    other = image.copy()
    other[5, 7] ^= 255
    return other


@pytest.mark.parametrize("how", ["jpeg", "brighter", "one pixel"])
@pytest.mark.parametrize("category", ["hazelnut_toy", "grid", "kolektor", "magnetic_tile"])
def test_real_parts_differ_and_real_copies_do_not(test_data, category, how):
    parts = rb.load_split("mvtec", root=test_data / "mvtec_layout", category=category)
    store, train = PictureStore(), parts.train[:30]
    copied = [
        Sample(f"again/{i}", 0, stored_again(store.load(train[i]).image, how)) for i in range(5)
    ]

    found = near_copies([*copied, *parts.test], train, store)

    assert [(one.id, two.id) for one, two in found] == [
        (f"again/{i}", train[i].id) for i in range(5)
    ]


def two_kinds_in_one_fixture(rng):
    kinds = [cv2.GaussianBlur(rng.normal(120, 200, (128, 128)), (0, 0), 3) for _ in range(2)]
    return lambda number: kinds[number % 2] + rng.normal(0, 1, (128, 128))


def one_weave_wherever_it_lies(rng):
    y, x = np.mgrid[:128, :128]

    def photographed(_):
        right, down = rng.uniform(0, 2 * np.pi, 2)
        weave = 50 * np.sin(x / 4 + right) * np.sin(y / 4 + down)
        return 120 + weave + rng.normal(0, 3, (128, 128))

    return photographed


@pytest.mark.parametrize("line", [two_kinds_in_one_fixture, one_weave_wherever_it_lies])
def test_parts_that_look_alike_are_no_copies(line):
    photographed = line(np.random.default_rng(3))
    pictures = [np.clip(photographed(i), 0, 255).astype(np.uint8) for i in range(60)]
    samples = [Sample(f"{i}", 0, picture) for i, picture in enumerate(pictures)]

    assert near_copies(samples[:10], samples[10:], PictureStore()) == []


def test_pictures_that_stand_twice_in_the_train_part_hide_no_copy():
    grain = np.random.default_rng(4).integers(0, 256, (20, 64, 64), np.uint8)
    train = [Sample(f"{i}", 0, grain[i % 10]) for i in range(20)]
    again = Sample("again", 0, stored_again(grain[3], "one pixel"))

    assert near_copies([again], train, PictureStore()) == [(again, train[3])]

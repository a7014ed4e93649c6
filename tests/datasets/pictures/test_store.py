from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.datasets.split import Sample
from pytest_robustbench.errors import DatasetError

BYTES = 8 * 8 * 3 + 8 * 8


class Counted:
    """An image that counts how often it was read."""

    def __init__(self, value):
        self.value = value
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return np.full((8, 8, 3), self.value, np.uint8)


def counted_samples(count):
    return [Sample(f"train/good/{i}", 0, Counted(i)) for i in range(count)]


def test_a_picture_is_decoded_once():
    (sample,) = counted_samples(1)
    store = PictureStore()
    assert sample.image.reads == 0
    assert store.load(sample) is store.load(sample)
    assert sample.image.reads == 1


def test_the_first_pictures_that_fit_are_kept_through_every_sweep():
    samples = counted_samples(5)
    store = PictureStore(budget_bytes=2 * BYTES)
    for sample in samples * 3:
        store.load(sample)
        assert store.used_bytes <= 2 * BYTES
    assert [sample.image.reads for sample in samples] == [1, 1, 3, 3, 3]


def test_a_digest_costs_one_decoding_however_small_the_budget():
    samples = counted_samples(2)
    store = PictureStore(budget_bytes=0)
    digest = store.load(samples[0]).image_digest
    assert [store.image_digest(sample) for sample in samples * 2][::2] == [digest, digest]
    assert store.image_digest(samples[1]) != digest
    assert [sample.image.reads for sample in samples] == [1, 1]


@pytest.mark.parametrize(("room", "reads"), [(5, 5), (2, 3), (0, 1)])
def test_filling_decodes_as_long_as_there_is_room(room, reads):
    samples = counted_samples(5)
    store = PictureStore(budget_bytes=room * BYTES + BYTES // 2)

    for sample in samples:
        store.fill([sample])

    assert sum(sample.image.reads for sample in samples) == reads
    assert store.used_bytes == min(room, 5) * BYTES


def test_filling_leaves_what_is_broken_to_loading():
    broken = Sample("train/good/0", 0, lambda: np.zeros((8, 8), np.float32))
    (fine,) = counted_samples(1)
    store = PictureStore()

    store.fill([broken, fine])

    assert fine.image.reads == 1
    with pytest.raises(DatasetError, match="train/good/0"):
        store.load(broken)


def test_without_a_budget_nothing_is_kept():
    (sample,) = counted_samples(1)
    store = PictureStore(budget_bytes=0)
    assert store.load(sample).digest == store.load(sample).digest
    assert sample.image.reads == 2
    assert store.used_bytes == 0


def test_pictures_come_at_the_stores_size():
    (sample,) = counted_samples(1)
    picture = PictureStore((4, 6)).load(sample)
    assert picture.image.shape == (4, 6, 3)
    assert picture.mask.shape == (4, 6)


def test_threads_get_what_one_thread_gets():
    samples = counted_samples(20)
    store = PictureStore(budget_bytes=5 * BYTES)
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(store.load, samples * 20))
    assert [p.image[0, 0, 0] for p in pictures] == list(range(20)) * 20
    assert 0 < store.used_bytes <= 5 * BYTES


def test_a_broken_sample_stays_an_error_and_leaves_the_others(tmp_path):
    broken, (fine,) = Sample("test/x", 0, tmp_path / "gone.png"), counted_samples(1)
    store = PictureStore()
    for _ in range(2):
        with pytest.raises(DatasetError, match="'test/x'"):
            store.load(broken)
    assert store.load(fine).image.shape == (8, 8, 3)


def drawn(path, value):
    cv2.imwrite(str(path), np.full((8, 8), value, np.uint8))
    return path


@pytest.fixture
def on_disk(tmp_path):
    """A sample whose image and mask are files, and a folder of them."""
    mask = tmp_path / "masks"
    mask.mkdir()
    drawn(mask / "0.png", 255)
    return Sample("test/x", 1, drawn(tmp_path / "image.png", 7), mask, "cut")


KEPT_OR_NOT = pytest.mark.parametrize("budget", [0, 1 << 20], ids=["decoded again", "kept"])


@KEPT_OR_NOT
@pytest.mark.parametrize("role", ["image", "mask"])
def test_a_file_that_changes_is_an_error_that_names_it_for_as_long_as_it_differs(
    on_disk, budget, role
):
    file = on_disk.image if role == "image" else on_disk.mask / "0.png"
    before, store = file.read_bytes(), PictureStore(budget_bytes=budget)
    first = store.load(on_disk)
    pixels = np.full((8, 8), 9, np.uint8)
    pixels[0, 0] = 0
    cv2.imwrite(str(file), pixels)
    for _ in range(2):
        named = file if role == "image" else on_disk.mask
        with pytest.raises(DatasetError, match=f"'test/x': its {role} {named} has changed during"):
            store.load(on_disk)

    file.write_bytes(before)
    assert store.load(on_disk).digest == first.digest


@KEPT_OR_NOT
def test_a_file_that_goes_is_an_error(on_disk, budget):
    store = PictureStore(budget_bytes=budget)
    store.load(on_disk)
    on_disk.image.unlink()
    with pytest.raises(DatasetError, match=r"image\.png cannot be read: No such file"):
        store.load(on_disk)


@KEPT_OR_NOT
def test_a_mask_that_comes_to_a_folder_is_seen(on_disk, budget):
    store = PictureStore(budget_bytes=budget)
    drawn(on_disk.mask / "0.png", 0)
    cv2.imwrite(str(on_disk.mask / "0.png"), np.eye(8, dtype=np.uint8))
    store.load(on_disk)
    drawn(on_disk.mask / "1.png", 255)
    with pytest.raises(DatasetError, match=r"its mask .* has changed during the run"):
        store.load(on_disk)


@KEPT_OR_NOT
def test_a_file_that_is_written_again_with_the_same_pixels_is_none_of_it(on_disk, budget):
    store = PictureStore(budget_bytes=budget)
    first = store.load(on_disk)
    cv2.imwrite(str(on_disk.image), np.full((8, 8), 7, np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 0])
    assert store.load(on_disk).digest == store.load(on_disk).digest == first.digest
    assert store.used_bytes <= budget


def test_what_was_read_first_is_known_after_memory_was_given_back(on_disk):
    store = PictureStore()
    store.load(on_disk)
    store.clear()
    drawn(on_disk.image, 8)
    with pytest.raises(DatasetError, match="has changed during the run"):
        store.load(on_disk)


@pytest.mark.parametrize("role", ["image", "mask"])
def test_a_function_that_returns_other_pixels_the_second_time_is_an_error(role):
    noise = np.random.default_rng(0)
    sources = {"image": np.zeros((8, 8), np.uint8), "mask": np.ones((8, 8), bool)}
    sources[role] = lambda: noise.integers(0, 2, (8, 8), np.uint8)
    sample = Sample("test/x", 1, **sources)
    store = PictureStore(budget_bytes=0)
    store.load(sample)
    message = f"'test/x': the function that gives its {role} returned other pixels"
    with pytest.raises(DatasetError, match=message):
        store.load(sample)


def test_an_array_that_is_written_to_is_an_error():
    pixels = np.zeros((8, 8), np.uint8)
    sample, store = Sample("test/x", 0, pixels), PictureStore(budget_bytes=0)
    store.load(sample)
    pixels += 1
    with pytest.raises(DatasetError, match="'test/x': its image has changed during the run"):
        store.load(sample)

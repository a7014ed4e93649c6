"""Datasets that Python code brings."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pytest_robustbench.datasets.formats.sequences import as_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.errors import DatasetError

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (6, 8, 3), np.uint8)
GRAY = IMAGE[:, :, 0].copy()
MASK = np.zeros((6, 8), np.uint8)
MASK[2:4, 3:5] = 1


def one(image, label=0, mask=None):
    return read_picture(as_split(test=[(image, label, mask)]).test[0])


def test_a_list_makes_a_split():
    split = as_split(
        train=[IMAGE, IMAGE + 1],
        test=[(IMAGE, 0, None), (IMAGE, 1, MASK), (IMAGE, True)],
        calibration=[(IMAGE, 0)],
        name="line 7",
        category="nut",
        resize=(3, 4),
    )
    assert [s.id for s in split.train] == ["train/00000", "train/00001"]
    assert [(s.id, s.label, s.defect_type) for s in split.test] == [
        ("test/00000", 0, "good"),
        ("test/00001", 1, "defect"),
        ("test/00002", 1, "defect"),
    ]
    assert (split.dataset, split.category, split.resize) == ("line 7", "nut", (3, 4))
    assert split.notes == ("defect images without a mask: 1 ('test/00002')",)
    np.testing.assert_array_equal(read_picture(split.train[1]).image, IMAGE + 1)
    np.testing.assert_array_equal(read_picture(split.test[1]).mask, MASK > 0)
    assert read_picture(split.test[2]).mask is None


@pytest.mark.parametrize(("mask", "graded"), [(MASK, False), (MASK * RNG.random((6, 8)), True)])
def test_a_mask_of_several_values_is_known_as_graded(mask, graded):
    assert one(IMAGE, 1, mask).traits.graded_mask is graded


def test_images_are_read_on_demand():
    class Counting:
        reads = 0

        def __len__(self):
            return 5

        def __getitem__(self, index):
            self.reads += 1
            return IMAGE

    train = Counting()
    split = as_split(train=train, test=[(IMAGE, 0)])
    before = train.reads
    read_picture(split.train[3])
    assert train.reads == before + 1


@pytest.mark.parametrize(
    "image", [IMAGE, IMAGE / 255, (IMAGE / 255).astype(np.float32), np.moveaxis(IMAGE, 2, 0)]
)
def test_arrays_in_either_order_and_scale(image):
    np.testing.assert_array_equal(one(image).image, IMAGE)


@pytest.mark.parametrize("image", [GRAY, GRAY[None], GRAY[:, :, None], GRAY / 255])
def test_gray_arrays(image):
    np.testing.assert_array_equal(one(image).image[:, :, 0], GRAY)
    assert one(image).gray


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    first = torch.from_numpy(np.moveaxis(IMAGE, 2, 0).copy())
    mask = torch.from_numpy(MASK)[None].float()
    for image in (first, first.float() / 255, first.permute(1, 2, 0)):
        read = one(image, torch.tensor(1), mask)
        np.testing.assert_array_equal(read.image, IMAGE)
        np.testing.assert_array_equal(read.mask, MASK > 0)
    # Both ends look like channels: a tensor has them first.
    narrow = torch.arange(18, dtype=torch.uint8).reshape(3, 2, 3)
    assert one(narrow).image.shape == (2, 3, 3)
    assert one(narrow.numpy()).image.shape == (3, 2, 3)


def test_a_torch_dataset_with_half_floats():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(
        torch.full((4, 3, 6, 8), 0.5, dtype=torch.bfloat16), torch.tensor([0, 0, 1, 1])
    )
    split = as_split(test=data)
    assert [s.label for s in split.test] == [0, 0, 1, 1]
    assert set(np.unique(read_picture(split.test[0]).image)) == {128}


def test_pil_images():
    pil = pytest.importorskip("PIL.Image")
    colour = pil.fromarray(IMAGE)
    np.testing.assert_array_equal(one(colour).image, IMAGE)
    np.testing.assert_array_equal(one(pil.fromarray(GRAY)).image[:, :, 0], GRAY)
    np.testing.assert_array_equal(one(colour.convert("RGBA")).image, IMAGE)
    deep = pil.fromarray(GRAY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(one(deep).image[:, :, 0], GRAY)
    mask = pil.fromarray(MASK * 255)
    np.testing.assert_array_equal(one(colour, 1, mask).mask, MASK > 0)
    np.testing.assert_array_equal(one(colour, 1, mask.convert("1")).mask, MASK > 0)
    palette = colour.quantize(8)
    np.testing.assert_array_equal(one(palette).image, np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("label", [np.int64(1), np.bool_(True), np.array(1), np.array([1]), 1.0])
def test_labels_of_other_libraries(label):
    assert as_split(test=[(IMAGE, label)]).test[0].label == 1


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan, np.inf])
def test_normalised_images_are_refused_with_the_reason(value):
    image = IMAGE / 255
    image[0, 0, 0] = value
    with pytest.raises(DatasetError, match=r"test/00000: .* normalised.* without its Normalize"):
        as_split(test=[(image, 0)])


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (IMAGE, r"an item is \(image, label, mask\)"),
        ({"image": IMAGE, "label": 0}, r"an item is .*, not builtins\.dict"),
        ((IMAGE,), "not 1 values"),
        ((IMAGE, 0, None, "a.png"), "not 4 values"),
        ((IMAGE, 2), r"a label is 0 \(normal\) or 1 \(defect\), not 2"),
        ((IMAGE, "good"), "a label is 0 .* not 'good'"),
        ((IMAGE, MASK), "a label is 0"),
        ((IMAGE, None), "a label is 0 .* not None"),
        (("a.png", 0), "pixels are an array, a tensor or a PIL image, not 'a.png'"),
    ],
)
def test_an_item_of_another_shape_is_named(item, message):
    with pytest.raises(DatasetError, match=rf"^test/00000: (?!test).*{message}"):
        as_split(test=[item])


def test_a_dataset_that_draws_at_random_is_refused():
    class Alternating:
        reads = 0

        def __len__(self):
            return 3

        def __getitem__(self, index):
            self.reads += 1
            return IMAGE + np.uint8(self.reads % 2), 0

    for part in ({"test": Alternating()}, {"test": [(IMAGE, 0)], "train": Alternating()}):
        with pytest.raises(DatasetError, match=r"two reads of item 0 differ, .*random transforms"):
            as_split(**part)


def test_a_defect_among_the_train_images_is_refused():
    with pytest.raises(DatasetError, match="train holds only normal images, but item 0 is a"):
        as_split(test=[(IMAGE, 0)], train=[(IMAGE, 1)])
    split = as_split(test=[(IMAGE, 0)], train=[(IMAGE, int(i == 1)) for i in range(5)])
    with pytest.raises(DatasetError, match=r"sample 'train/00001': .*item 1 is a defect"):
        read_picture(split.train[1])


def test_what_has_no_length_or_no_test_items_is_refused():
    with pytest.raises(DatasetError, match="test: generator has no length"):
        as_split(test=(item for item in [(IMAGE, 0)]))
    with pytest.raises(DatasetError, match="there are no test images"):
        as_split(test=[])


def test_an_item_that_cannot_be_read_is_named():
    class Broken:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            if index:
                raise OSError("disk gone")
            return IMAGE, 0

    with pytest.raises(DatasetError, match=r"test/00001: reading item 1 raised OSError\('disk"):
        as_split(test=Broken())


def test_a_contradiction_between_label_and_mask_is_found():
    with pytest.raises(DatasetError, match="marks defect pixels, but the image is labelled normal"):
        one(IMAGE, 0, MASK)
    with pytest.raises(DatasetError, match="a mask holds NaN"):
        one(IMAGE, 1, np.where(MASK, np.nan, 0))
    with pytest.raises(DatasetError, match=r"a mask has shape"):
        one(IMAGE, 1, MASK[None, :, :, None])


def test_no_two_threads_read_a_dataset_at_a_time():
    class Watching:
        busy = threading.Lock()

        def __len__(self):
            return 40

        def __getitem__(self, index):
            assert self.busy.acquire(blocking=False)
            try:
                return np.full((64, 64, 3), index, np.uint8), 0
            finally:
                self.busy.release()

    split = as_split(test=Watching())
    store = PictureStore()
    store.fill(split.test)
    assert [store.load(s).image[0, 0, 0] for s in split.test] == list(range(40))


class Folders:
    """A map-style dataset of folders, as torchvision numbers its classes."""

    def __init__(self, *classes, **more):
        self.classes = sorted(classes)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples = [(f"root/{name}/0.png", i) for i, name in enumerate(self.classes)]
        vars(self).update(more)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return IMAGE + np.uint8(index), self.samples[index][1]


class Subset:
    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, indices

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]


class Joined(Folders):
    def __init__(self, *datasets):
        self.datasets = datasets
        self.cumulative_sizes = np.cumsum([len(one) for one in datasets]).tolist()

    def __len__(self):
        return self.cumulative_sizes[-1]

    def __getitem__(self, index):
        return [item for one in self.datasets for item in map(one.__getitem__, range(len(one)))][
            index
        ]


def labels(test, **kwargs):
    return [(s.label, s.defect_type) for s in as_split(test=test, **kwargs).test]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("defect", "good"), [(1, "defect"), (0, "good")]),
        (("ng", "ok"), [(1, "ng"), (0, "good")]),
        (("crack", "Good", "scratch"), [(0, "good"), (1, "crack"), (1, "scratch")]),
        (("0", "1"), [(0, "good"), (1, "1")]),
        (("anomaly", "bad"), [(1, "anomaly"), (1, "bad")]),
    ],
)
def test_classes_of_folders_are_taken_by_name(classes, expected):
    dataset = Folders(*classes)
    assert labels(dataset) == expected
    assert labels(Subset(Subset(dataset, [*range(len(dataset))][::-1]), [0])) == expected[-1:]
    assert labels(Joined(Folders("good"), dataset)) == [(0, "good"), *expected]
    assert labels(Folders(*classes, class_to_idx=None)) == expected


@pytest.mark.parametrize("left", ["root/@eaDir/0.png", "root/good/._0.png"])
def test_what_systems_leave_behind_is_no_class(left):
    dataset = Folders("crack", "good")
    dataset.samples.append((left, 0))
    with pytest.raises(DatasetError, match="1 of the files are hidden, thumbnails, or a system's"):
        as_split(test=dataset)
    hidden = [(f"root/.cache/{i}.png", i) for i in range(2)]
    assert len(as_split(test=Folders("crack", "good", samples=hidden)).test) == 2


def test_normal_classes_may_have_any_number():
    dataset = Folders("defect", "good")
    split = as_split(test=dataset, train=Subset(dataset, [1]), calibration=Folders("ok"))
    assert (len(split.train), len(split.calibration)) == (1, 1)
    with pytest.raises(DatasetError, match="train holds only normal images, but item 0 is a def"):
        as_split(test=dataset, train=Subset(dataset, [0]))


@pytest.mark.parametrize("classes", [("a", "b"), ("non_defective", "defective")])
def test_classes_whose_names_tell_nothing_are_refused(classes):
    with pytest.raises(DatasetError, match=r"test/00000: its classes are called .* rename one, or"):
        as_split(test=Folders(*classes))


def test_a_number_that_is_no_class_is_refused():
    dataset = Folders("defect", "good")
    dataset.samples[0] = ("root/0.png", 7)
    with pytest.raises(DatasetError, match="label 7 is none of its classes"):
        as_split(test=dataset)


def test_labels_that_were_changed_after_counting_are_taken_as_they_are():
    changed = Folders("defect", "good", target_transform=lambda label: 1 - label)
    assert labels(changed) == [(0, "good"), (1, "defect")]


def test_masks_among_the_files_of_a_dataset_are_refused():
    dataset = Folders("defect", "good")
    dataset.samples += [("root/defect/0_mask.png", 0)]
    with pytest.raises(DatasetError, match=r"1 of the pictures are masks.*defect/0_mask\.png"):
        as_split(test=dataset)
    assert len(as_split(test=Subset(dataset, [0, 1])).test) == 2


def test_pil_masks_keep_what_their_alpha_says():
    image = pytest.importorskip("PIL.Image")
    white = np.full_like(MASK, 255)
    brush = image.fromarray(np.dstack([white, white, white, MASK * np.uint8(255)]))
    gray = image.fromarray(np.dstack([white, MASK * np.uint8(255)]), "LA")
    opaque = image.fromarray(np.dstack([*[MASK * np.uint8(255)] * 3, white]))
    indexed = image.fromarray(MASK, "P")
    indexed.putpalette([255, 255, 255, 255, 0, 0])
    for mask in (brush, gray, opaque):
        np.testing.assert_array_equal(one(IMAGE, 1, mask).mask, MASK > 0)
    with pytest.raises(DatasetError, match="none of them is black"):
        one(IMAGE, 1, indexed)


def test_a_pil_image_that_is_see_through_in_places_is_refused():
    image = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(one(image.fromarray(IMAGE).convert("RGBA")).image, IMAGE)
    with pytest.raises(DatasetError, match="see-through in places"):
        one(image.fromarray(np.dstack([IMAGE, GRAY])))


def test_a_bit_depth_is_that_of_every_image():
    deep = GRAY.astype(np.uint16) * 16
    split = as_split(train=[deep], test=[(deep, 0)], calibration=[deep], bit_depth=12)
    for sample in (*split.train, *split.test, *split.calibration):
        assert read_picture(sample).image.max() == round(int(GRAY.max()) * 16 / 4095 * 255)
    with pytest.raises(DatasetError, match="bit_depth is 8, 10, 12, 14 or 16, not 11"):
        as_split(test=[(deep, 0)], bit_depth=11)

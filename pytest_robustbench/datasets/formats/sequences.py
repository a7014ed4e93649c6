"""A split made of datasets that Python code brings: torch datasets, lists, any sequence."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytest_robustbench.conditions import RESPONSES
from pytest_robustbench.datasets.class_names import classes_of, file_of
from pytest_robustbench.datasets.files import is_clutter
from pytest_robustbench.datasets.neighbours import check_no_masks
from pytest_robustbench.datasets.notes import notes_on_test_part
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.errors import DatasetError, InstallationError
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from pytest_robustbench.datasets.class_names import Classes


class Items(Protocol):
    """What a map-style ``torch.utils.data.Dataset`` and every sequence have."""

    def __len__(self) -> int:
        """Return the number of items."""

    def __getitem__(self, index: int, /) -> Any:
        """Return ``(image, label, mask)``, ``(image, label)`` or, to train on, a bare image."""


class Item(NamedTuple):
    """One item, taken apart; nothing in it is converted yet."""

    image: Any
    label: int
    mask: Any
    defect_type: str


def as_split(
    *,
    test: Items,
    train: Items = (),
    calibration: Items = (),
    name: str = "dataset",
    category: str = "",
    resize: tuple[int, int] | None = None,
    bit_depth: int | None = None,
    response: str = RESPONSES[0],
) -> Split:
    """Make a split of datasets that were loaded by other means.

    Every test item is read once here, for its label; its pixels are let go, and read again when
    they are needed. Reading is never done by two threads at a time.

    Parameters
    ----------
    test : sequence or map-style torch dataset
        Items ``(image, label, mask)`` or ``(image, label)``. Images are arrays, tensors or PIL
        images: uint8 or floats in 0..1, ``(H, W)``, ``(H, W, 3)`` or, as tensors, ``(3, H, W)``.
        A label is 0 (normal) or 1 (defect). Of a dataset that has ``class_to_idx`` or ``classes``,
        such as torchvision's ``ImageFolder``, it is the number of a class: the class called good,
        normal, ok or the like is normal, the others are types of defects. Any non-zero pixel of a
        mask is defect; a mask that is missing or ``None`` is unknown for a defect image and empty
        for a normal one.
    train, calibration : sequence or map-style torch dataset, optional
        The same, normal images only; bare images as well.
    name, category : str
        What reports call the data.
    resize : (int, int), optional
        Height and width.
    bit_depth : {8, 10, 12, 14, 16}, optional
        Bits that images of uint16 use, from the least significant one; all by default.
    response : {"srgb", "linear"}
        What the camera makes of light; see `load_split`.

    Returns
    -------
    Split
        Samples are named ``test/00012``, by part and index.

    Raises
    ------
    DatasetError
        If an item is of another shape, a dataset has no length, or two reads of one item differ;
        also if a dataset lists its files and one is the mask of another, or its classes have names
        that do not tell which is normal.
    """
    parts = (_Part(test, "test"), _Part(train, "train"), _Part(calibration, "calibration"))
    samples = _test_samples(parts[0])
    files = [file for part in parts for file in part.files()]
    check_no_masks(f"{name}/{category}".strip("/"), files)
    _check_no_clutter(files)
    return Split(
        dataset=name,
        category=category,
        train=_normal_samples(parts[1]),
        test=samples,
        calibration=_normal_samples(parts[2]),
        resize=resize,
        response=response,
        notes=notes_on_test_part(samples),
    ).with_bit_depth(bit_depth)


class _Part:
    """One dataset, read item by item."""

    def __init__(self, items: Items, name: str) -> None:
        self._items = items
        self._name = name
        # Files a dataset holds open, such as HDF5, are rarely fit for several threads.
        self._lock = Lock()
        try:
            self.size = len(items)
        except TypeError as error:
            raise DatasetError(
                f"{name}: {type(items).__name__} has no length; hand over a sequence or a "
                "map-style dataset (of an iterable one, a list)"
            ) from error

    def sample_id(self, index: int) -> str:
        return f"{self._name}/{index:05d}"

    def item(self, index: int) -> Item:
        try:
            with self._lock:
                raw = self._items[index]
        except InstallationError:
            raise
        except Exception as error:
            raise DatasetError(f"reading item {index} raised {error!r}") from error
        return _taken_apart(raw, classes_of(self._items, index), labelled=self._name == "test")

    def files(self) -> list[Path]:
        found = (file_of(self._items, index) for index in range(self.size))
        return [file for file in found if file is not None]

    def image(self, index: int) -> NDArray[Any]:
        from pytest_robustbench.datasets.foreign import image_array

        item = self.item(index)
        if self._name != "test" and item.label == DEFECT:
            raise DatasetError(
                f"{self._name} holds only normal images, but item {index} is a {item.defect_type}"
            )
        return image_array(item.image)

    def mask(self, index: int) -> NDArray[Any]:
        from pytest_robustbench.datasets.foreign import mask_array

        return mask_array(self.item(index).mask)

    def check_repeatable(self, indices: Iterable[int]) -> None:
        """Refuse a dataset whose items change from one read to the next."""
        import numpy as np

        for index in indices:
            with _naming(self.sample_id(index)):
                if not np.array_equal(self.image(index), self.image(index)):
                    raise DatasetError(
                        f"two reads of item {index} differ, so no result could be reproduced; hand "
                        "over the dataset without its random transforms"
                    )


@contextmanager
def _naming(sample_id: str) -> Iterator[None]:
    """Begin an error with the sample it is about, as `read_picture` does later on."""
    try:
        yield
    except DatasetError as error:
        raise DatasetError(f"{sample_id}: {error}") from error


def _taken_apart(raw: Any, classes: Classes | None, *, labelled: bool) -> Item:
    from pytest_robustbench.datasets.foreign import class_number, label_number

    if not isinstance(raw, (tuple, list)):
        if labelled or isinstance(raw, dict):
            raise DatasetError(
                "an item is (image, label, mask) or (image, label), not "
                f"{type(raw).__module__}.{type(raw).__qualname__}"
            )
        return Item(raw, NORMAL, None, "good")
    if len(raw) not in (2, 3):
        raise DatasetError(
            f"an item is (image, label, mask) or (image, label), not {len(raw)} values"
        )
    mask = raw[2] if len(raw) == 3 else None
    if classes is not None:
        label, defect_type = classes.labelled(class_number(raw[1]))
        return Item(raw[0], label, mask, defect_type)
    label = label_number(raw[1])
    return Item(raw[0], label, mask, "defect" if label == DEFECT else "good")


def _normal_samples(part: _Part) -> tuple[Sample, ...]:
    part.check_repeatable(_some(part.size))
    return tuple(
        Sample(part.sample_id(i), NORMAL, partial(part.image, i)) for i in range(part.size)
    )


def _test_samples(part: _Part) -> tuple[Sample, ...]:
    part.check_repeatable(_some(part.size))
    return tuple(_test_sample(part, i) for i in range(part.size))


def _test_sample(part: _Part, index: int) -> Sample:
    with _naming(part.sample_id(index)):
        item = part.item(index)
    return Sample(
        id=part.sample_id(index),
        label=item.label,
        image=partial(part.image, index),
        mask=None if item.mask is None else partial(part.mask, index),
        defect_type=item.defect_type,
    )


def _check_no_clutter(files: Sequence[Path]) -> None:
    """Refuse what systems and viewers leave behind, which libraries of folders take for a class."""
    found = [file for file in files if is_clutter(file.name) or is_clutter(file.parent.name)]
    if 0 < len(found) < len(files):
        raise DatasetError(
            f"{len(found)} of the files are hidden, thumbnails, or a system's own "
            f"({listed([str(file) for file in found])}): take them out of the data"
        )


def _some(size: int) -> list[int]:
    """Return the first, middle and last index."""
    return sorted({0, size // 2, size - 1}) if size else []

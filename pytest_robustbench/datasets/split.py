"""Samples, and the split of one category into train, calibration and test images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import RESPONSES
from pytest_robustbench.datasets.catalogue import BITS
from pytest_robustbench.datasets.neighbours import check_no_masks
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[Any]
    Source: TypeAlias = Path | Callable[[], Pixels] | Pixels

NORMAL = 0
DEFECT = 1


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """One image with what is known about it; nothing is decoded before it is needed.

    Parameters
    ----------
    id : str
        Name that is the same on every machine, such as ``test/crack/000``.
    label : {0, 1}
        0 for a normal image, 1 for an image with a defect.
    image : Path, array or callable
        A file, an array ``(H, W)`` or ``(H, W, 3)`` (RGB; uint8, uint16 or bool), or a function
        without arguments that returns such an array.
    mask : Path, array, callable or None
        Any non-zero pixel is defect. A file, a folder whose masks are united, an array ``(H, W)``
        or ``(H, W, C)``, or a function that returns one. ``None`` means empty for a normal image
        and unknown for a defect image.
    defect_type : str
        Kind of the defect; ``"good"`` for normal images.
    group : str, optional
        Names the part that several samples show, photographed several times. Samples of one group
        are never divided between the images a detector is fitted on and those it is calibrated on.
    bit_depth : int, optional
        Bits that a 16-bit image uses, from the least significant one: 12 where 4095 is white.

    Raises
    ------
    DatasetError
        If the id is empty, the label neither 0 nor 1, the bit depth none that cameras have, or a
        source of the wrong kind.
    """

    id: str
    label: int
    image: Source
    mask: Source | None = None
    defect_type: str = "good"
    group: str | None = None
    bit_depth: int | None = None

    def __post_init__(self) -> None:
        if not self.id:
            raise DatasetError("a sample has an empty id; ids tell images apart in every report")
        if self.label not in (NORMAL, DEFECT):
            raise DatasetError(
                f"sample {self.id!r}: label is 0 (normal) or 1 (defect), not {self.label!r}"
            )
        if not (self.bit_depth is None or BITS.accepts(self.bit_depth)):
            raise DatasetError(
                f"sample {self.id!r}: bit_depth is {BITS.words}, not {self.bit_depth!r}"
            )
        for role, source in (("image", self.image), ("mask", self.mask)):
            if not (_is_source(source) or (role == "mask" and source is None)):
                raise DatasetError(
                    f"sample {self.id!r}: {role} is a pathlib.Path, an array or a function that "
                    f"returns an array, not {type(source).__name__}"
                )

    def __repr__(self) -> str:
        return (
            f"Sample(id={self.id!r}, label={self.label}, image={_brief(self.image)}, "
            f"mask={_brief(self.mask)}, defect_type={self.defect_type!r})"
        )

    @property
    def mask_is_unknown(self) -> bool:
        """Whether this is a defect image that nobody has drawn a mask for."""
        return self.label == DEFECT and self.mask is None


@dataclass(frozen=True, eq=False)
class Split:
    """The images of one category.

    Parameters
    ----------
    dataset, category : str
        Name of the format and of the category.
    train : tuple of Sample
        Normal images a detector may be fitted on.
    test : tuple of Sample
        Labelled images that conditions are measured on; at least one.
    calibration : tuple of Sample
        Normal images that no detector is ever fitted on, such as ``validation/good``.
    resize : (int, int), optional
        Height and width every image and mask is resized to; ``None`` keeps each image's own size.
    response : {"srgb", "linear"}
        What the camera makes of light: about its square root, or grey levels in proportion to it.
    root : str
        Folder the images come from, for messages.
    notes : tuple of str
        What a reader of the results should know about the data.

    Raises
    ------
    DatasetError
        If ids repeat within a part, a train or calibration image is labelled as defect, a picture
        is the mask of another one by its name, the test part is empty, or the size or the response
        impossible.
    """

    dataset: str
    category: str
    train: tuple[Sample, ...]
    test: tuple[Sample, ...]
    calibration: tuple[Sample, ...] = ()
    resize: tuple[int, int] | None = None
    response: str = RESPONSES[0]
    root: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.test:
            raise DatasetError(
                f"{self.dataset}/{self.category}: there are no test images; at least one is needed"
            )
        self._check_no_masks()
        for part in ("train", "test", "calibration"):
            self._check_ids(part)
        for part in ("train", "calibration"):
            self._check_normal(part)
        _check_size(self.resize)
        if self.response not in RESPONSES:
            raise DatasetError(f"response is {' or '.join(RESPONSES)}, not {self.response!r}")

    def _check_no_masks(self) -> None:
        # Calibration images may come from anywhere, and say nothing about folders of the others.
        for samples in ((*self.train, *self.test), self.calibration):
            images = {s.image: s.mask for s in samples if isinstance(s.image, Path)}
            masked = {image for image, mask in images.items() if mask is not None}
            check_no_masks(f"{self.dataset}/{self.category}", images, masked)

    def _check_ids(self, part: str) -> None:
        counts = Counter(sample.id for sample in getattr(self, part))
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise DatasetError(
                f"{self.dataset}/{self.category}: {part} has more than one sample named "
                f"{listed(twice)}; ids must be unique"
            )

    def _check_normal(self, part: str) -> None:
        wrong = [sample.id for sample in getattr(self, part) if sample.label != NORMAL]
        if wrong:
            raise DatasetError(
                f"{self.dataset}/{self.category}: {part} holds only normal images (label 0), but "
                f"{listed(wrong)} {'is' if len(wrong) == 1 else 'are'} labelled as defect"
            )

    def with_bit_depth(self, bits: int | None) -> Split:
        """Return this split with every image of so many bits; itself where that is ``None``."""
        if bits is None:
            return self
        train, test, calibration = (
            tuple(replace(sample, bit_depth=bits) for sample in part)
            for part in (self.train, self.test, self.calibration)
        )
        return replace(self, train=train, test=test, calibration=calibration)

    @property
    def unknown_masks(self) -> int:
        """How many defect images of the test part have no mask."""
        return sum(sample.mask_is_unknown for sample in self.test)


def _is_source(source: object) -> bool:
    return isinstance(source, Path) or callable(source) or _is_array(source)


def _is_array(source: object) -> bool:
    # Told by its attributes: whoever only lists files should not have to import numpy.
    return hasattr(source, "shape") and hasattr(source, "dtype")


def _brief(source: object) -> str:
    if source is None or isinstance(source, Path):
        return repr(None if source is None else source.as_posix())
    if _is_array(source):
        return f"<array {source.shape} {source.dtype}>"  # type: ignore[attr-defined]
    return "<callable>"


def _check_size(resize: Sequence[int] | None) -> None:
    if resize is None:
        return
    sizes = tuple(resize) if isinstance(resize, (tuple, list)) else ()
    if len(sizes) != 2 or not all(type(size) is int and size > 0 for size in sizes):
        raise DatasetError(
            f"resize is [height, width] in pixels, both above 0, or nothing; not {resize!r}"
        )

"""The test samples, looked at once: sizes, digests, labels, and which masks are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.errors import DatasetError
from pytest_robustbench.evaluation.machine.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.datasets.pictures.picture import Traits
    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample

LISTED_PROBLEMS = 10


@dataclass(frozen=True)
class Inventory:
    """Columns over the test samples, in the split's order.

    Parameters
    ----------
    ids : tuple of str
        Sample ids.
    labels : (N,) int64
        1 = defect.
    shapes : tuple of (int, int)
        Height and width at which each image is evaluated.
    digests : tuple of str
        Source digests of image and mask.
    mask_known : (N,) bool
        False for a defect image without a mask.
    defect_pixels : (N,) int64
        Number of defect pixels known, at the shape evaluated.
    groups : tuple of str or None
        The part that each image shows; ``None`` where it is the only one of its part.
    traits : tuple of Traits
        What is worth a note about each picture.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    shapes: tuple[tuple[int, int], ...]
    digests: tuple[str, ...]
    mask_known: NDArray[np.bool_]
    defect_pixels: NDArray[np.int64]
    groups: tuple[str | None, ...]
    traits: tuple[Traits, ...] = ()

    def at(self, positions: Sequence[int]) -> Inventory:
        """Return the columns of the samples at these positions."""
        chosen = list(positions)
        return Inventory(
            ids=tuple(self.ids[i] for i in chosen),
            labels=self.labels[chosen],
            shapes=tuple(self.shapes[i] for i in chosen),
            digests=tuple(self.digests[i] for i in chosen),
            mask_known=self.mask_known[chosen],
            defect_pixels=self.defect_pixels[chosen],
            groups=tuple(self.groups[i] for i in chosen),
            traits=tuple(self.traits[i] for i in chosen),
        )

    def without(self, positions: Sequence[int]) -> tuple[str, ...]:
        """Return the ids of the samples at all other positions."""
        chosen = set(positions)
        return tuple(name for i, name in enumerate(self.ids) if i not in chosen)

    @property
    def unknown_masks(self) -> tuple[str, ...]:
        """Ids of the defect samples without a mask."""
        return tuple(i for i, known in zip(self.ids, self.mask_known, strict=True) if not known)

    def to_dict(self) -> dict[str, Any]:
        """Return the columns as plain JSON: the report's ``samples``."""
        return {
            "group": list(self.groups),
            "id": list(self.ids),
            "label": self.labels.tolist(),
            "mask_known": self.mask_known.tolist(),
            "shape": [list(shape) for shape in self.shapes],
            "source_digest": list(self.digests),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Inventory:
        """Rebuild what `to_dict` wrote; how many defect pixels there are it does not tell."""
        return cls(
            ids=tuple(plain["id"]),
            labels=np.array(plain["label"], np.int64),
            shapes=tuple((height, width) for height, width in plain["shape"]),
            digests=tuple(plain["source_digest"]),
            mask_known=np.array(plain["mask_known"], np.bool_),
            defect_pixels=np.zeros(len(plain["id"]), np.int64),
            groups=tuple(plain["group"]),
        )


def require_readable(samples: Sequence[Sample], store: PictureStore) -> None:
    """Decode every sample once, for nothing but what may be wrong.

    Raises
    ------
    DatasetError
        If images cannot be used: all of them in one message.
    """
    _facts(samples, store)


def take_inventory(samples: Sequence[Sample], store: PictureStore) -> Inventory:
    """Decode every sample once.

    Raises
    ------
    DatasetError
        If images or masks cannot be used: all of them in one message.
    """
    facts = _facts(samples, store)
    return Inventory(
        ids=tuple(s.id for s in samples),
        labels=np.array([s.label for s in samples], np.int64),
        shapes=tuple(f.shape for f in facts),
        digests=tuple(f.digest for f in facts),
        mask_known=np.array([f.mask_known for f in facts], np.bool_),
        defect_pixels=np.array([f.defect_pixels for f in facts], np.int64),
        groups=tuple(s.group for s in samples),
        traits=tuple(f.traits for f in facts),
    )


@dataclass(frozen=True)
class _Failure:
    message: str


@dataclass(frozen=True)
class _Facts:
    """What is kept of a picture, so that memory does not grow with the number of images."""

    shape: tuple[int, int]
    digest: str
    mask_known: bool
    defect_pixels: int
    traits: Traits


def _facts(samples: Sequence[Sample], store: PictureStore) -> list[_Facts]:
    def look(sample: Sample) -> _Facts | _Failure:
        try:
            picture = store.load(sample)
        except DatasetError as error:
            return _Failure(str(error))
        height, width = picture.image.shape[:2]
        found = 0 if picture.mask is None else int(np.count_nonzero(picture.mask))
        known = picture.mask is not None
        return _Facts((height, width), picture.digest, known, found, picture.traits)

    with Workers() as workers:
        looked = workers.map(look, samples)
    problems = [f.message for f in looked if isinstance(f, _Failure)]
    if problems:
        raise DatasetError(*_listed(problems))
    return [f for f in looked if isinstance(f, _Facts)]


def _listed(problems: Sequence[str]) -> Iterator[str]:
    yield from problems[:LISTED_PROBLEMS]
    more = len(problems) - LISTED_PROBLEMS
    if more > 0:
        yield f"(and {more} more)"

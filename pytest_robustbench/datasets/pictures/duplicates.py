"""Find pictures that are one, whatever their files are called."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats
    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample

SIDE = 64
NEIGHBOURHOOD = 9
NEAR = 0.97
USUAL_SHARE = 0.9
USUAL_ROWS = 256
CLOSER = 10
ROWS_AT_ONCE = 1024
LEAST_CONTRAST = 0.05  # gray levels, root mean square: below, there is no texture to compare


def shared_pictures(
    a: Sequence[Sample], b: Sequence[Sample], store: PictureStore
) -> list[tuple[Sample, Sample]]:
    """Return every pair from `a` and `b` whose images have equal pixels before resizing.

    Masks play no part. Pairs come in the order of `a`, then of `b`.
    """
    with ThreadPoolExecutor(processors()) as pool:
        digests = dict(zip([*a, *b], pool.map(store.image_digest, [*a, *b]), strict=True))
    by_digest: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in b:
        by_digest[digests[sample]].append(sample)
    return [(sample, twin) for sample in a for twin in by_digest.get(digests[sample], [])]


def near_copies(
    a: Sequence[Sample], b: Sequence[Sample], store: PictureStore
) -> list[tuple[Sample, Sample]]:
    """Return the images of `a` that are one of `b` stored again, and that one.

    With losses, scaled, or a little brighter: a picture keeps its fine texture, which no two
    photographs share. Compared is what a thumbnail of 64 x 64 gray pixels has beyond what all of
    them have in common, and beyond the mean of its neighbourhood. Copies correlate by more than
    0.97, and are ten times closer to 1 than those of `b` usually come to each other: two kinds of
    parts in one fixture, or one pattern shifted a little, correlate as much and are no copies.
    """
    if not a or not b:
        return []
    with ThreadPoolExecutor(processors()) as pool:
        small = np.stack(list(pool.map(lambda sample: _thumbnail(sample, store), [*a, *b])))
    common = small.mean(axis=0, dtype=np.float32)
    ours, theirs = small[: len(a)], small[len(a) :]
    limit = max(NEAR, 1 - (1 - _usual(theirs, common)) / CLOSER)
    found = []
    for start in range(0, len(a), ROWS_AT_ONCE):
        nearest, alike = _nearest(ours[start : start + ROWS_AT_ONCE], theirs, common)
        rows = np.flatnonzero(alike > limit).tolist()
        found += [(a[start + row], b[nearest[row]]) for row in rows]
    return found


def _thumbnail(sample: Sample, store: PictureStore) -> NDArray[np.uint8]:
    cv2 = opencv.load()
    gray = cv2.cvtColor(store.load(sample).image, cv2.COLOR_RGB2GRAY)
    small: NDArray[np.uint8] = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small


def _usual(pictures: NDArray[np.uint8], common: Floats) -> float:
    """Return how much a picture correlates with the most similar other one, in nine of ten."""
    pictures = np.unique(pictures, axis=0)  # one that is there twice is no other one
    rows = np.arange(0, len(pictures), -(-len(pictures) // USUAL_ROWS))
    _, alike = _nearest(pictures[rows], pictures, common, but=rows)
    return float(np.quantile(alike, USUAL_SHARE))


def _nearest(
    ours: NDArray[np.uint8],
    theirs: NDArray[np.uint8],
    common: Floats,
    but: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], Floats]:
    """Return which of `theirs`, but one for each, correlates most with `ours`, and how much."""
    texture = _texture(ours, common)
    nearest, best = np.zeros(len(ours), np.int64), np.full(len(ours), -1.0, np.float32)
    for start in range(0, len(theirs), ROWS_AT_ONCE):
        alike = texture @ _texture(theirs[start : start + ROWS_AT_ONCE], common).T
        if but is not None:
            alike[but[:, None] == start + np.arange(alike.shape[1])] = -1
        highest = alike.max(axis=1)
        nearest = np.where(highest > best, start + alike.argmax(axis=1), nearest)
        best = np.maximum(highest, best)
    return nearest, best


def _texture(thumbnails: NDArray[np.uint8], common: Floats) -> Floats:
    """Return ``(N, 4096)`` of unit length; shorter where there is next to none."""
    cv2 = opencv.load()
    own, size = thumbnails - common, (NEIGHBOURHOOD, NEIGHBOURHOOD)
    fine = np.stack([each - cv2.blur(each, size) for each in own]).reshape(len(own), -1)
    length = np.linalg.norm(fine, axis=1, keepdims=True)
    unit: Floats = fine / np.maximum(length, LEAST_CONTRAST * SIDE)
    return unit

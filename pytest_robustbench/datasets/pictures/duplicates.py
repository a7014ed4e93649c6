"""Find the same picture in two parts of a split, whatever the files are called."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.pictures.store import PictureStore
    from pytest_robustbench.datasets.split import Sample


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

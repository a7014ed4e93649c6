"""Fingerprints of corrupted pictures and of whole conditions."""

from __future__ import annotations

import json
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.corruptions.pixels.gray import gray_channel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.corruptions.corruption import JSON, Corrupted


def picture_digest(corrupted: Corrupted) -> str:
    """Return the digest of one corrupted picture: image, mask and ignored pixels.

    A gray image is hashed once and not three times, a mask as bits: SHA-256 over what is left
    distinguishes all that the whole arrays do.

    Returns
    -------
    str
        16 hexadecimal digits. Shapes and types are part of it; an unknown mask differs from an
        empty one.
    """
    digest = sha256(usedforsecurity=False)
    image = np.ascontiguousarray(corrupted.image)
    channel = gray_channel(image)
    digest.update(_header(image, "colour" if channel is None else "gray"))
    digest.update((image if channel is None else channel).data)
    for part in corrupted[1:]:
        digest.update(_header(part, "bits"))
        if part is not None:
            digest.update(np.packbits(part).data)
    return digest.hexdigest()[:16]


def condition_digest(
    specification: Mapping[str, JSON],
    severity: float | None,
    ids: Sequence[str],
    digests: Sequence[str],
) -> str:
    """Return the digest of one condition over its pictures.

    Parameters
    ----------
    specification : mapping
        `Corruption.specification`; empty for clean.
    severity : float or None
        ``None`` for clean, and for what is given by value.
    ids, digests : sequence of str
        Sample ids and their picture digests, in any common order.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    ValueError
        If there are not as many ids as digests.
    """
    pictures = sorted(zip(ids, digests, strict=True))
    content = json.dumps([dict(specification), severity, pictures], sort_keys=True)
    return blake2b(content.encode("ascii"), digest_size=16).hexdigest()


def _header(part: np.ndarray[Any, Any] | None, content: str) -> bytes:
    header = "none" if part is None else f"{part.dtype.str} {part.shape} {content}"
    return f"{header};".encode("ascii")

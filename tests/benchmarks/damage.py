"""Damaged image files: how many decode to wrong pixels, and how many of those are refused."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from inputs import inputs, pictures
from table import Table

from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET, check_file
from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    Pixels = NDArray[Any]
    Damage = Callable[[bytearray, int, int], None]

SHARE = 0.01
KINDS = ("JPEG", "JPEG, progressive", "JPEG, restart markers", "PNG", "TIFF, LZW", "TIFF, deflate")
OPTIONS = {
    "JPEG, progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "JPEG, restart markers": (cv2.IMWRITE_JPEG_RST_INTERVAL, 20),
    "TIFF, LZW": (cv2.IMWRITE_TIFF_COMPRESSION, 5),
    "TIFF, deflate": (cv2.IMWRITE_TIFF_COMPRESSION, 8),
}
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif"}


def _bit(data: bytearray, at: int, bit: int) -> None:
    data[at] ^= 1 << bit


def _byte(data: bytearray, at: int, bit: int) -> None:
    data[at] = (data[at] + 1 + bit * 31) % 256


def _zeros(data: bytearray, at: int, _: int) -> None:
    data[at : at + 512] = bytes(len(data[at : at + 512]))


def _lost(data: bytearray, at: int, _: int) -> None:
    del data[at : at + 64]


DAMAGES: tuple[Damage, ...] = (_bit, _byte, _zeros, _lost)


def tables(quick: bool) -> list[Table]:
    """Return what damage does, and what looking for it costs."""
    found = sources(3 if quick else 30)
    rows = tuple(row(kind, found) for kind in KINDS)
    columns = ("format", "damaged", "decoded", f"over {SHARE:.0%} wrong", "of them refused")
    damage = Table("damaged files", (*columns, "sound ones refused", "cost of looking"), rows)
    return [damage, Table("sound JPEG files as they are", ("files", "refused"), (sound(quick),))]


def sources(n: int) -> list[Pixels]:
    split = inputs("hazelnut_toy", 512, n_train=n, n_test_good=1, n_defect=1).split
    return [picture.image for picture in pictures(split, split.train[:n])]


def row(kind: str, images: Sequence[Pixels]) -> tuple[object, ...]:
    rng = np.random.default_rng(0)
    files = [encoded(kind, image) for image in images]
    counts: Counter[str] = Counter()
    for file in files:
        counts["sound refused"] += is_refused(file)
        for damage in DAMAGES:
            counts.update(outcome(file, damage, rng))
    cost = seconds(lambda data: check_file(data, IMAGE_BUDGET), files) / seconds(decoded, files)
    names = ("damaged", "decoded", "wrong", "wrong and refused", "sound refused")
    return (kind, *(counts[name] for name in names), cost)


def encoded(kind: str, image: Pixels) -> bytes:
    suffix = SUFFIXES[kind.partition(",")[0]]
    return cv2.imencode(suffix, image, list(OPTIONS.get(kind, ())))[1].tobytes()


def outcome(file: bytes, damage: Damage, rng: np.random.Generator) -> list[str]:
    """Return what becomes of one file that is damaged somewhere inside."""
    data = bytearray(file)
    damage(data, int(rng.integers(700, max(len(file) - 700, 701))), int(rng.integers(8)))
    expected, found = decoded(file), decoded(bytes(data))
    if found is None or expected is None or found.shape != expected.shape:
        return ["damaged"]
    wrong = (found != expected).reshape(*found.shape[:2], -1).any(axis=2).mean() > SHARE
    refused = ["wrong and refused"] if wrong and is_refused(bytes(data)) else []
    return ["damaged", "decoded", *(["wrong"] if wrong else []), *refused]


def decoded(data: bytes) -> Pixels | None:
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)


def is_refused(data: bytes) -> bool:
    try:
        check_file(data, IMAGE_BUDGET)
    except DatasetError:
        return True
    return False


def seconds(work: Callable[[bytes], object], files: Sequence[bytes]) -> float:
    def once() -> float:
        start = time.process_time()
        for file in files:
            work(file)
        return time.process_time() - start

    return min(once() for _ in range(3))


def sound(quick: bool) -> tuple[object, ...]:
    folder = os.environ.get("ROBUSTBENCH_TEST_DATA")
    files = sorted(Path(folder).rglob("*.jpg"))[: 5 if quick else None] if folder else []
    return len(files), sum(map(is_refused, (file.read_bytes() for file in files)))

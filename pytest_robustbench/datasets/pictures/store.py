"""Decoded pictures, kept within a memory budget."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET
from pytest_robustbench.datasets.pictures.picture import read_at_camera
from pytest_robustbench.datasets.pictures.stamps import path_of, stamp
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.processors import processors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.pictures.picture import Picture, Traits
    from pytest_robustbench.datasets.pictures.stamps import Stamp
    from pytest_robustbench.datasets.split import Sample, Source


class _Kept(NamedTuple):
    picture: Picture
    stamp: Stamp | None


class _Known(NamedTuple):
    """What stays known of a picture that is no longer kept."""

    image_digest: str
    digest: str
    traits: Traits


class PictureStore:
    """Decodes samples when they are asked for, and remembers the first ones; thread-safe.

    A sample has the same pixels for as long as the store lives: what else is read later is refused.

    What is remembered is never dropped. Conditions go through the samples in order, again and
    again: were room made for the latest pictures, none would still be there when its turn comes.

    Parameters
    ----------
    resize : (int, int), optional
        Height and width of every picture.
    budget_bytes : int
        Bytes the remembered arrays may occupy together; what no longer fits is decoded each time.
    image_budget : int
        Bytes that one file may take once it is decoded.
    """

    def __init__(
        self,
        resize: tuple[int, int] | None = None,
        budget_bytes: int = 1 << 30,
        image_budget: int = IMAGE_BUDGET,
    ) -> None:
        self._resize = resize
        self._image_budget = image_budget
        self._budget = budget_bytes
        self._kept: dict[tuple[Sample, bool], _Kept] = {}
        self._first: dict[Sample, _Known] = {}
        self._used = 0
        self._overflowed = False
        self._lock = Lock()

    @property
    def used_bytes(self) -> int:
        """Bytes the remembered arrays occupy."""
        return self._used

    @property
    def resize(self) -> tuple[int, int] | None:
        """Height and width of every picture that is loaded."""
        return self._resize

    def load(self, sample: Sample) -> Picture:
        """Return the picture of `sample`, resized.

        Raises
        ------
        DatasetError
            If it cannot be decoded (see `read_at_camera`), or has other pixels than the first time.
        """
        now = stamp(sample)
        known = self._remembered(sample, now, at_camera=False)
        return known or self._resized(sample, now, self._read(sample))

    def load_both(self, sample: Sample) -> tuple[Picture, Picture]:
        """Return the picture of `sample`, resized, and as the camera sees it; decoded once.

        At its own size a gray picture is one plane.

        Raises
        ------
        DatasetError
            As of `load`.
        """
        now = stamp(sample)
        large = self._remembered(sample, now, at_camera=True)
        if large is None:
            large = self._read(sample)
            self._keep((sample, True), _Kept(large, now))
        small = self._remembered(sample, now, at_camera=False)
        return small or self._resized(sample, now, large), large

    def _remembered(self, sample: Sample, now: Stamp | None, *, at_camera: bool) -> Picture | None:
        with self._lock:
            kept = self._kept.get((sample, at_camera))
        return kept.picture if kept is not None and kept.stamp == now else None

    def _read(self, sample: Sample) -> Picture:
        # Without the lock: decoding is the slow part, and OpenCV lets other threads run meanwhile.
        picture = read_at_camera(sample, self._image_budget)
        found = _Known(picture.image_digest, picture.digest, picture.traits)
        with self._lock:
            _require_unchanged(sample, self._first.setdefault(sample, found), found)
        return picture

    def _resized(self, sample: Sample, now: Stamp | None, large: Picture) -> Picture:
        small = large.resized(self._resize)
        self._keep((sample, False), _Kept(small, now))
        return small

    def fill(self, samples: Sequence[Sample]) -> None:
        """Decode `samples` on all processors for as long as there is room to remember them.

        One that cannot be decoded is left for `load` to complain about.
        """
        with ThreadPoolExecutor(processors()) as pool:
            for _ in pool.map(self._load_if_room, samples):
                pass

    def clear(self) -> None:
        """Forget every picture; digests stay known."""
        with self._lock:
            self._kept.clear()
            self._used = 0
            self._overflowed = False

    def _load_if_room(self, sample: Sample) -> None:
        if not self._overflowed:
            with suppress(DatasetError):
                self.load(sample)

    def image_digest(self, sample: Sample) -> str:
        """Return the `Picture.image_digest` of `sample`; it is decoded once at most for this.

        Raises
        ------
        DatasetError
            If it cannot be decoded; see `read_at_camera`.
        """
        return self._known(sample).image_digest

    def traits(self, sample: Sample) -> Traits:
        """Return the `Picture.traits` of `sample`, under the same conditions."""
        return self._known(sample).traits

    def _known(self, sample: Sample) -> _Known | Picture:
        return self._first.get(sample) or self.load(sample)

    def _keep(self, key: tuple[Sample, bool], kept: _Kept) -> None:
        with self._lock:
            # One that is there has the same pixels, perhaps of a file that was written again.
            is_new = key not in self._kept
            if is_new and self._used + kept.picture.nbytes > self._budget:
                self._overflowed = True
                return
            self._kept[key] = kept
            self._used += kept.picture.nbytes if is_new else 0


def _require_unchanged(sample: Sample, first: _Known, found: _Known) -> None:
    if found.digest == first.digest and found.image_digest == first.image_digest:
        return
    role = "mask" if found.image_digest == first.image_digest else "image"
    source = sample.mask if role == "mask" else sample.image
    raise DatasetError(f"sample {sample.id!r}: {_what_changed(role, source)}")


def _what_changed(role: str, source: Source | None) -> str:
    path = path_of(source)
    if path is None and callable(source):
        return (
            f"the function that gives its {role} returned other pixels than the first time; it "
            "must return the same ones whenever it is called, without any random augmentation"
        )
    return (
        f"its {role}{f' {path}' if path else ''} has changed during the run: its pixels are no "
        "longer those that were read first. Let nothing write to the data, and run again"
    )

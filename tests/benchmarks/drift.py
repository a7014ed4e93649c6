"""How well a known drift is read back from other parts, and how often one is seen where none is."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from inputs import inputs
from scipy.ndimage import gaussian_filter, zoom
from table import Table

from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.datasets.split import NORMAL, Sample
from pytest_robustbench.drift.change import PARAMETERS, Change
from pytest_robustbench.drift.fitting import fit
from pytest_robustbench.drift.measuring import SHIFTS, Drift, Frames, measured
from pytest_robustbench.drift.residual import remainders
from pytest_robustbench.drift.sides import Side
from pytest_robustbench.drift.traits import Scope, least_noise, tolerances
from pytest_robustbench.reports.drift.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

CATEGORIES = ("magnetic_tile", "hazelnut_toy", "grid", "kolektor")
"""The last one was not looked at while this was built."""
SIDES = (10, 30)
REPEATS = 3
SPLITS = 60
RESPONSE = "srgb"


# ---- a camera of its own, so that a mistake of the package's is not made twice ------------------


@dataclass(frozen=True)
class Applied:
    """What happens to the pictures after."""

    name: str
    exposure: float = 0.0
    white_balance: float = 0.0
    veil: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    banding: float = 0.0
    scaling: float = 1.0

    def __call__(self, pixels: Pixels, rng: np.random.Generator) -> Pixels:
        gray = pixels[..., 0] if np.ptp(pixels, axis=2).max() == 0 else pixels
        light = np.where(
            gray <= 10, gray / 255 / 12.92, ((gray / 255 + 0.055) / 1.055) ** 2.4
        ).reshape(*gray.shape[:2], -1)
        light = light * 2.0**self.exposure
        if light.shape[2] == 3:
            light = light * np.exp(self.white_balance * np.array([2.665e-3, 0, -5.329e-3]))
        rows = np.arange(len(light)) / len(light)
        light = light * (1 + self.banding * np.cos(2 * np.pi * (7 * rows + 0.2)))[:, None, None]
        light = light + self.veil * light.mean(axis=(0, 1))
        light = scaled(light, self.scaling)
        sigma = self.blur * max(1, min(gray.shape[:2]) / 256)
        light = gaussian_filter(light, (sigma, sigma, 0), mode="mirror") if sigma else light
        light = light + rng.normal(size=light.shape) * self.noise / 255 * np.sqrt(light)
        light = np.clip(light, 0, 1)
        share = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        return np.broadcast_to(np.rint(255 * share).astype(np.uint8), pixels.shape)


def scaled(light: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return the middle of the enlarged picture, in the size that it had."""
    if factor == 1:
        return light
    large = zoom(light, (factor, factor, 1), order=3, mode="mirror")
    top, left = ((a - b) // 2 for a, b in zip(large.shape[:2], light.shape[:2], strict=True))
    return np.clip(large[top : top + len(light), left : left + light.shape[1]], 0, 1)


KNOWN = (
    Applied("exposure", exposure=-0.31),
    Applied("blur", blur=1.0),
    Applied("all", exposure=0.25, white_balance=25, veil=0.1, blur=0.7, noise=8),
)
STRANGE = (Applied("banding 4 %", banding=0.04), Applied("scaling 12 %", scaling=1.12))


# ---- tables --------------------------------------------------------------------------------------


def tables(quick: bool) -> list[Table]:
    """Return every table of this benchmark."""
    chosen = CATEGORIES[1:2] if quick else CATEGORIES
    sides = SIDES[:1] if quick else SIDES
    found = [Category.of(name, small=quick) for name in chosen]
    repeats, splits = (1, 1) if quick else (REPEATS, SPLITS)
    return [
        Table(
            "A known drift, read back from other parts",
            ("pictures", "a side", "applied", "quantity", "true", "read back", "floor", "told"),
            tuple(row for one in found for n in one.sizes(sides) for row in back(one, n, repeats)),
            (
                f"Median, lowest and highest of {repeats} random splits; floor: median.",
                "Told: how often it is told apart from zero; else what was not applied has no row.",
            ),
        ),
        Table(
            "Undrifted splits",
            ("pictures", "a side", "splits", "said to have drifted", "unexplained", "either"),
            tuple(undrifted(one, n, splits) for one in found for n in one.sizes(sides)),
        ),
        Table(
            "What is not of the family",
            ("pictures", "a side", "applied", "unexplained", "where, the first time"),
            tuple(row for one in found for n in one.sizes(sides) for row in odd(one, n, repeats)),
        ),
    ]


class Category:
    """Good parts, and what was ever looked at in them."""

    def __init__(self, origin: str, images: list[Pixels]) -> None:
        self.origin = origin
        self.images = images
        self.side = Side(samples_of(images), RESPONSE)
        self.planes = 3 if self.side.colour else 1
        self.scope = Scope(
            RESPONSE,
            nyquist=0.5 * self.side.least_scale,
            least=least_noise(float(np.median(self.side.light))),
        )
        self._seen: dict[tuple[Change, int], NDArray[np.float64]] = {}

    @classmethod
    def of(cls, name: str, *, small: bool) -> Category:
        found = inputs(name, 128, n_train=40, n_test_good=1, n_defect=1)
        real = found.origin.startswith("real")
        # Real ones as the camera gives them, not resized.
        size = None if real and not small else found.split.resize
        images = [read_picture(sample, size).image for sample in found.split.train]
        return cls(name if real else found.origin, images)

    def sizes(self, sides: tuple[int, ...]) -> list[int]:
        """Return how many pictures a side has: 10, and 30 where there are as many."""
        return [n for n in sides if 2 * n <= len(self.images)]

    def halves(self, n: int, seed: int) -> tuple[list[int], list[int]]:
        order = np.random.default_rng(seed).permutation(len(self.images)).tolist()
        return order[:n], order[n : 2 * n]

    def traits(self, change: Change, which: list[int]) -> NDArray[np.float64]:
        new = [i for i in which if (change, i) not in self._seen]
        if new:
            rows = self.side.imitated(change, new, self.scope, None)
            self._seen.update(zip([(change, i) for i in new], rows, strict=True))
        return np.stack([self._seen[change, i] for i in which])


@dataclass(frozen=True)
class Some:
    """Some parts of a category, as a fit asks for them."""

    category: Category
    chosen: list[int]

    @property
    def count(self) -> int:
        return len(self.chosen)

    def __call__(self, change: Change, which: NDArray[np.intp]) -> NDArray[np.float64]:
        return self.category.traits(change, [self.chosen[i] for i in which])


def samples_of(images: list[Pixels]) -> list[Sample]:
    return [Sample(f"part/{i}", NORMAL, image) for i, image in enumerate(images)]


def drifted(category: Category, n: int, seed: int, applied: Callable[..., Pixels]) -> Drift:
    before, after = category.halves(n, seed)
    rng = np.random.default_rng(seed)
    photographed = [np.ascontiguousarray(applied(category.images[i], rng)) for i in after]
    sides = ([category.images[i] for i in before], photographed)
    return measured(*(Frames.of(samples_of(side)) for side in sides), RESPONSE)


def back(category: Category, n: int, repeats: int) -> Iterator[tuple[object, ...]]:
    for applied in KNOWN:
        found = [drifted(category, n, seed, applied) for seed in range(repeats)]
        for key in (name for name in PARAMETERS if name in found[0].estimates):
            row, true = QUANTITIES[key], getattr(applied, key, 0.0)
            estimates = [one.estimates[key] for one in found]
            told = sum(one.told for one in estimates)
            values = [row.natural(one.value) for one in estimates]
            floor = median(abs(row.natural(one.floor)) for one in estimates)
            if true or told:
                shown = f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
                truth = 100 * true if key == "veil" else true
                told_of = f"{told} of {repeats}"
                title = f"{row.title}, {row.unit}"
                yield category.origin, n, applied.name, title, truth, shown, floor, told_of


def undrifted(category: Category, n: int, splits: int) -> tuple[object, ...]:
    parameters = [name for name in PARAMETERS if category.planes == 3 or name != "white_balance"]
    said = np.zeros((splits, 2), bool)
    for seed in range(splits):
        before, after = category.halves(n, seed)
        seen = category.traits(Change(), after)
        found = fit(
            Some(category, before),
            seen,
            parameters,
            tolerance=tolerances(category.planes),
            compared=len(parameters) + len(SHIFTS),
        )
        left = remainders(found.remaining, seen, category.planes, category.scope.nyquist)
        said[seed, 0] = any(one.told for one in found.estimates.values())
        said[seed, 1] = any(one.unexplained for one in left)
    shares = [f"{share:.0%}" for share in (*said.mean(axis=0), said.any(axis=1).mean())]
    return category.origin, n, splits, *shares


def odd(category: Category, n: int, repeats: int) -> Iterator[tuple[object, ...]]:
    for applied in STRANGE:
        found = [drifted(category, n, seed, applied).remainders for seed in range(repeats)]
        left = [[one for one in some if one.unexplained] for some in found]
        where = next((f"{some[0].kind}: {some[0].where}" for some in left if some), "-")
        times = f"{sum(map(bool, left))} of {repeats}"
        yield category.origin, n, applied.name, times, where

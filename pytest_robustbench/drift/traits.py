"""What is looked at in one picture, as numbers that add up over pictures.

All but the first are told in shares of the mean light: a picture that is merely brighter differs in
one number, and what is called a veil is less contrast everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.drift.change import gray_of, light_in
from pytest_robustbench.drift.grain import grain
from pytest_robustbench.drift.spectra import BANDS, WAVES, profile_spectra, radial_spectrum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.drift.change import Light

    Vector = NDArray[np.float64]

TONE, SHAPE, FIELD, SPECTRUM, GRAIN, PROFILES = (
    *("tone", "shape", "field", "spectrum", "grain", "profiles"),
)
SMALL = 64
"""Shorter side of the picture in which light is looked at: neither noise nor blur is seen there."""
TOLERANCE: Mapping[str, float] = MappingProxyType(
    {TONE: 0.005, SHAPE: 0.01, FIELD: 0.01, SPECTRUM: 0.05, GRAIN: 0.1, PROFILES: 0.1}
)
"""Standard deviations of what an imitation errs by."""
CELLS = 4
"""Of the field, along each side."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
DARK = 0.05
"""Added to shares of the mean light before their logarithm: black is no number."""
LEAST = 1.0
"""Noise of a pixel that is no drift, in squares of 1/255 of white."""
LOW, HIGH = 0.02, 0.98
"""Quantiles between which light is averaged."""
CLIPPED = 254


@dataclass(frozen=True)
class Scope:
    """What all pictures of both sides are looked at in.

    Parameters
    ----------
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    nyquist : float
        The highest frequency that all of them have, cycles per pixel of a picture whose shorter
        side is 256.
    least : float
        Variance of noise, over the square of the mean light, that is added to each: rounding to
        grey levels is no drift. It is the same for all, so that light itself changes nothing.
    high : float
        The quantile above which a side is clipped, `HIGH` at most.
    """

    response: str
    nyquist: float
    least: float = 1e-5
    high: float = HIGH


def places(planes: int) -> Mapping[str, slice]:
    """Return where in a vector of traits each kind stands, for pictures of 1 or 3 planes."""
    sizes = (planes, len(QUANTILES), CELLS**2, BANDS, planes, 2 * WAVES)
    ends = accumulate(sizes, initial=0)
    names = (TONE, SHAPE, FIELD, SPECTRUM, GRAIN, PROFILES)
    return {name: slice(*ends) for name, ends in zip(names, pairwise(ends), strict=True)}


def traits(pixels: Image, scope: Scope) -> Vector:
    """Return the traits of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W) or (H, W, 3)
        RGB.
    scope : Scope
        What all pictures have in common.

    Returns
    -------
    ndarray of float64, shape (D,)
        As `places` tells. Binary logarithms, of the light or of its shares.
    """
    light = light_in(pixels, scope.response)
    small = _reduced(light)
    means = _means(small, scope)
    mean = 2.0 ** means.mean()
    gray, plane = gray_of(light), gray_of(small)
    shape = np.quantile(plane, np.array(QUANTILES) / HIGH * scope.high)
    parts = (
        _tone(means),
        np.log2(shape / mean + DARK),
        np.log2(_resized(plane, (CELLS, CELLS)) / mean + DARK).ravel(),
        radial_spectrum(gray / np.float32(mean), scope.nyquist, scope.least),
        np.log2(grain(light) / 255**2 / mean + scope.least),
        profile_spectra(plane / mean),
    )
    return np.concatenate(parts)


def least_noise(light: float) -> float:
    """Return `Scope.least` where the mean light is `light`."""
    return LEAST / 255**2 / max(light, 1e-3)


def noise_in(seen: Vector, planes: int, scope: Scope) -> float:
    """Return the noise that traits ``(n, D)`` tell of: a variance as `Change.noise` has it."""
    place = places(planes)
    mean = seen[:, place[TONE].start, None]
    relative = 2.0 ** seen[:, place[GRAIN]] - scope.least
    return 255**2 * float((relative * 2.0**mean).mean())


def tolerances(planes: int) -> Vector:
    """Return how well an imitation can agree with a picture, ``(D,)``, in the units of traits.

    Rounding to grey levels twice, and what a model of a lens leaves out, is no drift.
    """
    sizes = {name: place.stop - place.start for name, place in places(planes).items()}
    return np.concatenate([np.full(sizes[name], TOLERANCE[name]) for name in sizes])


def clipped_share(pixels: Image) -> float:
    """Return the share of places in which a pixel is white: their mean says too little."""
    white = (pixels >= CLIPPED).astype(np.float32)
    return float((_reduced(white) > 0).mean())


def _tone(means: Vector) -> Vector:
    """Return the mean light, and of colour pictures also red against blue, green against both."""
    if len(means) == 1:
        return means
    red, green, blue = means.tolist()
    return np.array([means.mean(), (red - blue) / 2, green - (red + blue) / 2])


def _means(small: Light, scope: Scope) -> Vector:
    """Return the logarithm of the mean light of each plane, between its outer quantiles."""
    ordered = np.sort(small.reshape(-1, 1 if small.ndim == 2 else small.shape[2]), axis=0)
    first, last = int(LOW * len(ordered)), int(np.ceil(scope.high * len(ordered)))
    means = ordered[first:last].mean(axis=0, dtype=np.float64)
    return np.asarray(np.log2(means + 1e-4), np.float64)


def _reduced(light: Light) -> Light:
    height, width = light.shape[:2]
    times = min(height, width) / SMALL
    return _resized(light, (max(1, round(height / times)), max(1, round(width / times))))


def _resized(light: Light, size: tuple[int, int]) -> Light:
    cv2 = opencv.load()
    return np.asarray(cv2.resize(light, size[::-1], interpolation=cv2.INTER_AREA))

"""How much structure of which size a picture holds: power over spatial frequency."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.corruptions.pixels.sizes import scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.drift.change import Light

    Vector = NDArray[np.float64]

BANDS = 14
"""Of the radial spectrum, equally wide in the logarithm."""
LOWEST = 1 / 64
"""Its lowest frequency, cycles per pixel of a picture whose shorter side is 256."""
WAVES = 6
"""Bands of the spectrum of row means, and of column means."""


def band_edges(nyquist: float) -> Vector:
    """Return the frequencies between which bands lie, ``(BANDS + 1,)``, from coarse to fine."""
    return np.geomspace(LOWEST, nyquist, BANDS + 1)


def wave_edges() -> Vector:
    """Return the numbers of stripes between which bands of profiles lie, ``(WAVES + 1,)``."""
    return np.geomspace(1.5, 32.5, WAVES + 1)


def radial_spectrum(gray: Light, nyquist: float, least: float) -> Vector:
    """Return the binary logarithm of the power in rings of frequency, ``(BANDS,)``.

    A periodogram under a Hann window, per square of the unit of frequency, so that the same scene
    in more pixels has the same.

    Parameters
    ----------
    gray : ndarray of float32, shape (H, W)
        In shares of its mean.
    nyquist : float
        Upper end of the last band, cycles per pixel of a picture whose shorter side is 256.
    least : float
        Power of white noise that is added to each: less is no drift.
    """
    from scipy.fft import rfft2

    ring, count, window = _rings(gray.shape[0], gray.shape[1], nyquist)
    power = np.abs(rfft2((gray - gray.mean()) * window)) ** 2
    total = np.bincount(ring, power.ravel(), BANDS + 2)[1:-1]
    return np.log2((total / count + least) / scale_of(gray.shape) ** 2)


def profile_spectra(small: Light) -> Vector:
    """Return the logarithm of the power of row means, then of column means, ``(2 * WAVES,)``.

    Stripes stand out there, which a ring of all directions hardly shows.
    """
    return np.concatenate([_wave_power(small.mean(axis=axis)) for axis in (1, 0)])


def _wave_power(profile: Light) -> Vector:
    length = len(profile)
    power = np.abs(np.fft.rfft((profile - profile.mean()) * np.hanning(length))) ** 2 / length**2
    band = np.digitize(np.arange(len(power)), wave_edges())
    total = np.bincount(band, power, WAVES + 2)[1 : WAVES + 1]
    return np.asarray(np.log2(total + 1e-9), np.float64)


@lru_cache(maxsize=16)
def _rings(height: int, width: int, nyquist: float) -> tuple[NDArray[np.intp], Vector, Light]:
    """Return the band of every frequency, how many each has, and the window."""
    window = np.outer(np.hanning(height), np.hanning(width))
    window /= np.sqrt((window**2).sum())
    across, down = np.fft.rfftfreq(width), np.fft.fftfreq(height)
    frequency = scale_of((height, width)) * np.hypot(down[:, None], across[None, :])
    ring = np.digitize(frequency.ravel(), band_edges(nyquist))
    count = np.maximum(np.bincount(ring, minlength=BANDS + 2)[1:-1], 1)
    return ring, count.astype(np.float64), window.astype(np.float32)

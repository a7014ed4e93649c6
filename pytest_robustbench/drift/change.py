"""A drift of a camera and its light, in units that a line knows, and pictures that went through it.

The scene's light comes first (exposure, colour, lamps), then the lens (stray light, blur), then the
sensor (noise): what `imitated` does to a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.corruptions.built_in.white_balance import colour_gains
from pytest_robustbench.corruptions.pixels.response import levels_in_light, table_of
from pytest_robustbench.corruptions.pixels.sizes import scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Image

    Light = NDArray[np.float32]

_TABLE = 1 << 14
"""Steps of light between which grey levels are looked up."""


@dataclass(frozen=True)
class Change:
    """What a drift does; all zeros do nothing.

    Parameters
    ----------
    exposure : float
        Stops (EV) by which the light grows.
    white_balance : float
        Mired by which the light gets warmer; of a gray picture without effect.
    veil : float
        Stray light as a share of the picture's own mean light, in each plane.
    gradient_x, gradient_y : float
        EV that the right edge gains over the left one, the lower one over the upper one.
    vignette : float
        EV that the corners gain over the centre: negative where they darken.
    blur : float
        Square of the sigma of a Gaussian, in pixels of a picture whose shorter side is 256;
        negative where pictures get sharper.
    noise : float
        Variance of shot noise at white, in squares of 1/255 of white; negative where there is less
        of it.
    """

    exposure: float = 0.0
    white_balance: float = 0.0
    veil: float = 0.0
    gradient_x: float = 0.0
    gradient_y: float = 0.0
    vignette: float = 0.0
    blur: float = 0.0
    noise: float = 0.0

    def moved(self, name: str, step: float) -> Change:
        """Return the same with one parameter moved by `step`."""
        return replace(self, **{name: getattr(self, name) + step})

    @property
    def imitable(self) -> Change:
        """The same without what no picture can be given: sharpness and quiet that it lacks."""
        return replace(self, blur=max(self.blur, 0.0), noise=max(self.noise, 0.0))


PARAMETERS = tuple(field.name for field in fields(Change))


def light_in(pixels: Image, response: str) -> Light:
    """Return the light, 0 to 1, of a picture ``(H, W)`` or ``(H, W, 3)``."""
    return np.asarray(opencv.load().LUT(pixels, _to_light(response)))


def imitated(pixels: Image, change: Change, response: str, seed: int) -> Image:
    """Return a picture as it would look after a drift.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W) or (H, W, 3)
        A picture before, RGB.
    change : Change
        What happens to it, as far as it is `Change.imitable`.
    response : str
        See `pytest_robustbench.corruptions.pixels.response`.
    seed : int
        Of the noise.

    Returns
    -------
    ndarray of uint8
        In the shape of `pixels`.
    """
    if change.imitable == Change():
        return pixels
    light = _veiled(_lit(pixels, change, response), change.veil)
    light = _blurred(light, change.blur * scale_of(pixels.shape) ** 2)
    light = _noisy(light, change.noise, seed)
    light *= _TABLE
    light += np.float32(0.5)
    return _to_levels(response)[np.clip(light, 0, _TABLE, out=light).astype(np.uint16)]


def gray_of(light: Light) -> Light:
    """Return the mean of the planes, ``(H, W)``."""
    return light if light.ndim == 2 else light @ np.full(3, 1 / 3, np.float32)


def _lit(pixels: Image, change: Change, response: str) -> Light:
    """Return the light of a picture after what changes at lamps and aperture."""
    cv2 = opencv.load()
    colours = colour_gains(change.white_balance) if pixels.ndim == 3 else (1.0,)
    gains = 2.0**change.exposure * np.array(colours)
    table = (_to_light(response)[:, None] * gains).astype(np.float32)
    lit = np.asarray(cv2.LUT(pixels, table[None]))
    field = _field(lit.shape[:2], change)
    if field is not None:
        lit *= field if lit.ndim == 2 else cv2.merge([field] * 3)
    return lit


def _veiled(light: Light, share: float) -> Light:
    """Return the light with a share of its mean added to each plane."""
    if not share:
        return light
    cv2 = opencv.load()
    return np.asarray(cv2.add(light, tuple(share * mean for mean in cv2.mean(light))))


def _field(shape: tuple[int, ...], change: Change) -> Light | None:
    """Return by what the light is multiplied at each place; it is 1 in the middle."""
    if not (change.gradient_x or change.gradient_y or change.vignette):
        return None
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)
    across = change.gradient_x / 2 * x + change.vignette / 2 * x * x
    down = change.gradient_y / 2 * y + change.vignette / 2 * y * y
    return np.asarray(np.exp2(down)[:, None] * np.exp2(across)[None, :])


def _blurred(light: Light, variance: float) -> Light:
    """Return the light behind a Gaussian of so many square pixels."""
    if variance <= 0:
        return light
    cv2 = opencv.load()
    return np.asarray(
        cv2.GaussianBlur(light, (0, 0), variance**0.5, borderType=cv2.BORDER_REFLECT_101)
    )


def _noisy(light: Light, variance: float, seed: int) -> Light:
    if variance <= 0:
        return light
    # Repeated for every change that is tried: a fast generator, as no digest rests on it.
    drawn = np.random.Generator(np.random.SFC64(seed)).standard_normal(light.shape, np.float32)
    drawn *= np.sqrt(np.maximum(light, 0) * np.float32(variance / 255**2))
    return light + drawn


@cache
def _to_light(response: str) -> Light:
    table = levels_in_light(response).astype(np.float32)
    table.flags.writeable = False
    return table


@cache
def _to_levels(response: str) -> Image:
    table = table_of(np.arange(_TABLE + 1) / _TABLE, response)
    table.flags.writeable = False
    return table

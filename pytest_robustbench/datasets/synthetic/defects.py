"""Procedural defects on a surface, with the exact mask of what they changed."""

from __future__ import annotations

from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.datasets.synthetic.surfaces import single, smooth_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Mask
    from pytest_robustbench.datasets.synthetic.surfaces import Field

    Defect = Callable[[np.random.Generator, Field], tuple[Field, Mask]]


def scratch(rng: np.random.Generator, surface: Field) -> tuple[Field, Mask]:
    """Scratch `surface`: a dark groove with a bright burr on one side, thinning out at its ends."""
    size = surface.shape[0]
    distance, along = _distance_to(_stroke(rng, size), size)
    width = rng.uniform(1.3, 2.4) * size / 256
    taper = np.clip(6 * np.minimum(along, 1 - along), 0.35, 1)
    inside = np.clip(1.15 - distance / (width * taper), 0, 1)
    burr = np.roll(inside, (1, 1), axis=(0, 1)) * (inside < 0.25)
    depth = rng.uniform(0.4, 0.6)
    scratched = surface * (1 - depth * inside)[:, :, None] + 0.22 * burr[:, :, None]
    return _applied(surface, scratched, (inside > 0) | (burr > 0))


def dent(rng: np.random.Generator, surface: Field) -> tuple[Field, Mask]:
    """Dent `surface`: its texture is drawn in, one flank lies in the shade and one in the light."""
    size = surface.shape[0]
    x, y, radius = _ellipse(rng, size, (0.055, 0.11))
    hollow = np.clip(1 - radius**2, 0, 1)
    light = rng.uniform(0, 2 * np.pi)
    facing = (np.cos(light) * x + np.sin(light) * y) / (np.hypot(x, y) + 1e-6)
    shade = 1 + rng.uniform(0.5, 0.8) * facing * radius * np.sqrt(hollow) - 0.06 * hollow
    bent = _drawn_in(surface, 0.3 * hollow * x, 0.3 * hollow * y) * shade[:, :, None]
    return _applied(surface, bent, radius < 1)


def stain(rng: np.random.Generator, surface: Field) -> tuple[Field, Mask]:
    """Stain `surface`: an irregular drop that soaked in and dried with a darker rim."""
    size = surface.shape[0]
    _, _, radius = _ellipse(rng, size, (0.06, 0.13))
    edge = 1 - radius + 0.16 * np.clip(smooth_noise(rng, size, 14), -2, 2)
    soaked = np.clip(edge / 0.12, 0, 1)
    rim = soaked * np.exp(-(((edge - 0.14) / 0.09) ** 2))
    patchy = 1 + 0.15 * smooth_noise(rng, size, 20)
    opacity = np.clip(soaked * (rng.uniform(0.24, 0.38) * patchy + 0.22 * rim), 0, 0.8)
    colour = np.array(_STAIN_COLOURS[rng.integers(len(_STAIN_COLOURS))], np.float32)
    stained = surface * (1 - opacity[:, :, None] * (1 - colour))
    return _applied(surface, stained, soaked > 0)


DEFECTS: Mapping[str, Defect] = MappingProxyType({"dent": dent, "scratch": scratch, "stain": stain})

_STAIN_COLOURS = ((0.42, 0.30, 0.16), (0.18, 0.20, 0.22), (0.55, 0.40, 0.12))


def _applied(surface: Field, changed: NDArray[np.floating], mask: Mask) -> tuple[Field, Mask]:
    """Take the changed pixels inside the mask and the surface's own, bit for bit, outside."""
    return np.where(mask[:, :, None], changed, surface).astype(np.float32), mask


def _stroke(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Draw a gently bent line of ``(points, 2)`` pixel positions, never along the brushing."""
    length = rng.uniform(0.22, 0.5) * size
    angle = np.deg2rad(rng.uniform(25, 155))
    position = np.linspace(-0.5, 0.5, 24)
    x, y = length * position, rng.uniform(-0.35, 0.35) * length * (position**2 - 0.08)
    y = y + rng.uniform(-0.012, 0.012) * length * np.sin(9 * position)
    turned = np.stack(
        [np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y]
    )
    centre = rng.uniform(0.3, 0.7, size=2) * size
    line: NDArray[np.float64] = turned.T + centre
    return line


def _distance_to(points: NDArray[np.float64], size: int) -> tuple[Field, Field]:
    """Return each pixel's distance to a line, and how far along (0..1) it comes nearest."""
    x, y = _pixel_grid(size)
    best = np.full((size, size), np.inf, np.float32)
    along = np.zeros((size, size), np.float32)
    steps = len(points) - 1
    for number, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        dx, dy = x1 - x0, y1 - y0
        share = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx**2 + dy**2), 0, 1)
        distance = np.hypot(x - x0 - share * dx, y - y0 - share * dy)
        nearer = distance < best
        best[nearer] = distance[nearer]
        along[nearer] = (number + share[nearer]) / steps
    return best, along


def _ellipse(
    rng: np.random.Generator, size: int, radii: tuple[float, float]
) -> tuple[Field, Field, Field]:
    """Return pixel offsets from a random ellipse's centre, and the radius: 1 on its rim."""
    x, y = _pixel_grid(size)
    centre = rng.uniform(0.2, 0.8, size=2) * size
    major, minor = np.sort(rng.uniform(*radii, size=2))[::-1] * size
    turn = rng.uniform(0, np.pi)
    dx, dy = single(x - centre[0]), single(y - centre[1])
    along = (np.cos(turn) * dx + np.sin(turn) * dy) / major
    across = (np.cos(turn) * dy - np.sin(turn) * dx) / minor
    return dx, dy, single(np.hypot(along, across))


def _drawn_in(surface: Field, dx: NDArray[np.floating], dy: NDArray[np.floating]) -> Field:
    """Let every pixel show the texture that lay `dx`, `dy` pixels further out."""
    cv2 = opencv.load()
    x, y = _pixel_grid(surface.shape[0])
    drawn: Field = cv2.remap(
        surface, single(x + dx), single(y + dy), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return drawn


def _pixel_grid(size: int) -> tuple[Field, Field]:
    x, y = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    return x, y

"""Good parts as a camera might see them, and a small camera of the tests' own that drifts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from pytest_robustbench.datasets.split import NORMAL, Sample
from pytest_robustbench.drift.change import Change
from pytest_robustbench.drift.fitting import Estimate
from pytest_robustbench.drift.measuring import Drift, Frames, measured
from pytest_robustbench.drift.residual import Remainder
from pytest_robustbench.reports.drift.quantities import QUANTITIES

SIZE = (96, 128)


def parts(n: int, seed: int, planes: int = 1) -> list[np.ndarray]:
    """Return the linear light of different parts of one kind, each ``(H, W, planes)``."""
    rng = np.random.default_rng(seed)
    return [part(rng, planes) for _ in range(n)]


def part(rng: np.random.Generator, planes: int) -> np.ndarray:
    fine, coarse = (gaussian_filter(rng.normal(size=SIZE), sigma) for sigma in (1.2, 6))
    texture = 0.3 * fine / fine.std() + 0.2 * coarse / coarse.std()
    tint = np.array([1.1, 1, 0.8])[:planes] if planes == 3 else np.ones(1)
    light = 0.25 * np.exp(texture)[..., None] * tint
    return light * np.exp(rng.normal(0, 0.05))


def photographed(
    light: np.ndarray,
    seed: int,
    *,
    ev: float = 0.0,
    veil: float = 0.0,
    corner: float = 0.0,
    across: float = 0.0,
    sigma: float = 0.0,
    shot: float = 1.0,
    stripes: float = 0.0,
) -> np.ndarray:
    """Return the grey levels of a camera with a linear response, uint8."""
    y, x = (np.linspace(-1, 1, length) for length in light.shape[:2])
    squared = (y[:, None] ** 2 + x[None, :] ** 2) / 2
    light = light * 2.0**ev * (1 - corner * squared)[..., None]
    light = light * 2.0 ** (across / 2 * x)[None, :, None]
    light = light * (1 + stripes * np.sin(2 * np.pi * 7 * y / 2))[:, None, None]
    light = light + veil * light.mean(axis=(0, 1))
    if sigma:
        light = gaussian_filter(light, (sigma, sigma, 0), mode="mirror")
    noise = np.random.default_rng(seed).normal(size=light.shape) * shot / 255
    levels = np.rint(255 * np.clip(light + noise * np.sqrt(light), 0, 1)).astype(np.uint8)
    return levels[..., 0] if levels.shape[2] == 1 else levels


def frames(pictures: list[np.ndarray]) -> Frames:
    return Frames.of([Sample(f"part/{i}", NORMAL, one) for i, one in enumerate(pictures)])


def drift_of(n: int = 12, planes: int = 1, seed: int = 0, **drifted: float) -> Drift:
    """Return what is measured between parts, and other parts that were photographed otherwise."""
    before = [photographed(one, i) for i, one in enumerate(parts(n, seed, planes))]
    after = [
        photographed(one, 100 + i, **drifted) for i, one in enumerate(parts(n, seed + 1, planes))
    ]
    return measured(frames(before), frames(after), "linear")


def exact_drift(
    change: Change | None = None, unexplained: Sequence[str] = (), shift: bool = False
) -> Drift:
    """Return a drift by `change`, whose margins are small; nothing is measured."""
    change = change or Change()
    sides = [frames([photographed(one, 0) for one in parts(10, seed)]) for seed in (0, 1)]
    names = [name for name in QUANTITIES if shift or not name.startswith("shift")]
    return Drift(
        *sides,
        "linear",
        change,
        {name: Estimate(getattr(change, name, 0.0), 0.01, 0.01) for name in names},
        [Remainder(kind, 0.001, "row 1 of 4, column 2 of 4") for kind in unexplained],
        blurred_away=1.0 if change.blur > 0 else 0.0,
        scale=4.0,
        colour=True,
    )


def told(drift: Drift) -> set[str]:
    return {name for name, one in drift.estimates.items() if one.told}

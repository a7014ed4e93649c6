"""What may be chosen about calibration and evaluation; light, so that collection may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET
from pytest_robustbench.errors import ConfigError

CalibrationMethod = Literal["holdout", "crossfit"]
LARGEST_CHUNK = 128 << 20
LARGEST_SIGMA = 1000
"""Pixels: a kernel of eight times as many is still one that OpenCV makes."""


@dataclass(frozen=True)
class CalibrationSettings:
    """How the operating point is found.

    Parameters
    ----------
    pixel_normal_quantile, image_normal_quantile : float
        Share of normal pixels (images) that must lie at or below the threshold; in (0, 1).
    method : {"holdout", "crossfit"}
        Hold a `fraction` of the train images out of `fit`, or pool the out-of-fold maps of
        `folds` fits.
    fraction : float
        Held-out share of the train images, in (0, 1).
    folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the split.

    Raises
    ------
    ConfigError
        If a value cannot be used.
    """

    pixel_normal_quantile: float = 0.999
    image_normal_quantile: float = 0.95
    method: CalibrationMethod = "holdout"
    fraction: float = 0.2
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("pixel_normal_quantile", "image_normal_quantile", "fraction"):
            _require(0 < getattr(self, name) < 1, name, "between 0 and 1", getattr(self, name))
        methods = get_args(CalibrationMethod)
        _require(self.method in methods, "method", f"one of {', '.join(methods)}", self.method)
        _require(self.folds >= 2, "folds", "at least 2", self.folds)


@dataclass(frozen=True)
class EvaluationSettings:
    """How conditions are measured.

    Parameters
    ----------
    seed : int
        Seed of every corruption draw.
    batch_size : int
        Images per timed `predict` call.
    pixel_segf1 : bool
        Whether pixel SegF1 is wanted; switch it off for sets without masks.
    aupro_limit : float
        False-positive rate up to which AUPRO is integrated, in (0, 1].
    gaussian_sigma : float
        Smoothing of every anomaly map, in calibration as in evaluation: standard deviation in
        pixels at mask resolution, 0 for none, at most `LARGEST_SIGMA`.
    memory_budget : int
        Bytes that decoded images, pixel scores and everything between them may occupy together.
        Half of it keeps decoded images, a quarter the scores of one condition, an eighth the places
        of defects, an eighth the images in work. Where all scores do not fit, they are ranked in a
        histogram; images that do not fit are decoded again for every condition.
    image_budget : int
        Bytes that one image or mask file may take once it is decoded; a file whose header asks for
        more is refused. The default holds 179 million pixels of 8 bits in 3 channels.

    Raises
    ------
    ConfigError
        If a value cannot be used.
    """

    seed: int = 0
    batch_size: int = 1
    pixel_segf1: bool = True
    aupro_limit: float = 0.3
    gaussian_sigma: float = 0.0
    memory_budget: int = 1 << 30
    image_budget: int = IMAGE_BUDGET

    def __post_init__(self) -> None:
        _require(self.batch_size >= 1, "batch_size", "at least 1", self.batch_size)
        _require(0 < self.aupro_limit <= 1, "aupro_limit", "above 0, at most 1", self.aupro_limit)
        is_sigma = 0 <= self.gaussian_sigma <= LARGEST_SIGMA
        limits = f"at least 0, at most {LARGEST_SIGMA}"
        _require(is_sigma, "gaussian_sigma", limits, self.gaussian_sigma)
        _require(self.memory_budget >= 0, "memory_budget", "at least 0", self.memory_budget)
        _require(self.image_budget >= 1, "image_budget", "at least 1", self.image_budget)

    @property
    def picture_bytes(self) -> int:
        """What decoded images may occupy."""
        return self.memory_budget // 2

    @property
    def ranking_bytes(self) -> int:
        """What the pixel scores of one condition may occupy."""
        return self.memory_budget // 4

    @property
    def region_bytes(self) -> int:
        """What the places of defects may occupy."""
        return self.memory_budget // 8

    @property
    def chunk_bytes(self) -> int:
        """What the images in work at the same time may occupy."""
        return min(self.memory_budget // 8, LARGEST_CHUNK)


def _require(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise ConfigError(f"{name} must be {expected}, not {found!r}")

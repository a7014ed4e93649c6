"""The frozen thresholds a detector is judged at, and what they were calibrated on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pytest_robustbench.errors import CalibrationError
from pytest_robustbench.plain_json import DIGEST, is_sealed, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST = float(np.finfo(np.float32).max)
GIVEN = "given"


@dataclass(frozen=True)
class CalibrationHealth:
    """How far the pixel threshold can be trusted.

    Parameters
    ----------
    n_images : int
        Number of calibration images.
    n_tail_images : int
        How many of them carry the pixels above the threshold.
    largest_tail_share : float
        Share of those pixels that lie in the images of one single part.
    largest_tail_image : str
        Id of the image of that part in which most of them lie.
    without_each : tuple of float
        For each image, the pixel threshold with the part that it shows left out.
    """

    n_images: int
    n_tail_images: int
    largest_tail_share: float
    largest_tail_image: str
    without_each: tuple[float, ...]


Ends: TypeAlias = tuple[float | None, float | None]


@dataclass(frozen=True)
class RedrawnThresholds:
    """Where other calibration images of the same kinds would have put the thresholds.

    Parameters
    ----------
    tail : float
        How often a threshold would lie beyond one of its ends, at most.
    pixel_threshold : (float or None, float or None), optional
        Lower and upper end; an end is ``None`` where the threshold might lie anywhere on that side.
        ``None`` for a detector without maps.
    image_threshold : (float or None, float or None)
        The same.
    """

    tail: float
    pixel_threshold: Ends | None
    image_threshold: Ends


@dataclass(frozen=True)
class Calibrated:
    """Thresholds, and the normal images that they come from.

    Parameters
    ----------
    pixel_threshold : float or None
        Exactly representable as float32; ``None`` for a detector without maps.
    image_threshold : float
        Exactly representable as float32.
    method : str
        ``holdout``, ``crossfit``, ``images`` (normal images of their own) or ``given``.
    pixel_normal_quantile, image_normal_quantile : float, optional
        The quantiles asked for; ``None`` where the thresholds were given.
    n_images : int
        Number of calibration images; 0 where the thresholds were given.
    n_parts : int
        Number of parts that they show.
    expected_false_reject_rate : float, optional
        Share of future normal images above the image threshold, ``(n + 1 - k) / (n + 1)``.
    calibrated_on : str
        Digest of the calibration images' pixels; empty where the thresholds were given.
    warnings : tuple of str
        What a reader of the result has to know.
    """

    pixel_threshold: float | None
    image_threshold: float
    method: str = GIVEN
    pixel_normal_quantile: float | None = None
    image_normal_quantile: float | None = None
    n_images: int = 0
    n_parts: int = 0
    expected_false_reject_rate: float | None = None
    calibrated_on: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixel_threshold is not None:
            pixel = _as_float32("pixel_threshold", self.pixel_threshold)
            object.__setattr__(self, "pixel_threshold", pixel)
        image = _as_float32("image_threshold", self.image_threshold)
        object.__setattr__(self, "image_threshold", image)


@dataclass(frozen=True, kw_only=True)
class Recalibration(Calibrated):
    """What calibrating this detector anew would have given, beside frozen thresholds.

    Parameters
    ----------
    calibration_normal_fpr : float or None
        Share of the calibration images' pixels above the frozen pixel threshold; ``None`` where
        there is none, or no map.
    promised_normal_fpr : float or None
        What the quantile of the frozen threshold promises, ``1 - q``; of the declared calibration
        where the frozen threshold does not tell its own.
    calibration_false_reject_rate, promised_false_reject_rate : float or None
        The same of whole images and the image threshold.
    """

    calibration_normal_fpr: float | None
    promised_normal_fpr: float | None
    calibration_false_reject_rate: float | None
    promised_false_reject_rate: float | None


@dataclass(frozen=True)
class OperatingPoint(Calibrated):
    """One pixel threshold and one image threshold, calibrated once and used for every condition.

    A pixel (image) is called anomalous when its score lies strictly above the threshold.

    Parameters
    ----------
    health : CalibrationHealth, optional
        How stable the pixel threshold is.
    recalibrated : Recalibration, optional
        What calibrating would have given, where the thresholds were given and there are images for
        it. No part of the identity.
    redrawn : tuple of RedrawnThresholds
        Where other calibration images would have put the thresholds; empty where nothing was
        calibrated. No part of the identity.
    """

    health: CalibrationHealth | None = None
    recalibrated: Recalibration | None = field(default=None, compare=False)
    redrawn: tuple[RedrawnThresholds, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """Identity of the operating point: thresholds, quantiles and calibration images."""
        parts = [
            self.pixel_threshold,
            self.image_threshold,
            self.pixel_normal_quantile,
            self.image_normal_quantile,
            self.calibrated_on,
        ]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    @property
    def other_pixel_thresholds(self) -> tuple[float, ...]:
        """Pixel thresholds that other calibrations would have given, each once."""
        again = () if self.recalibrated is None else (self.recalibrated.pixel_threshold,)
        ends = (end for redrawn in self.redrawn for end in redrawn.pixel_threshold or ())
        return tuple(dict.fromkeys(t for t in (*again, *ends) if t is not None))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Smallest and largest pixel threshold when one calibration part is left out."""
        if self.health is None or not self.health.without_each:
            return None
        return min(self.health.without_each), max(self.health.without_each)

    def as_given(self) -> OperatingPoint:
        """Return the same thresholds as they are frozen for another run.

        The method is ``given``, however they were found. Warnings of that calibration, what
        recalibrating another detector would have given, and where other images would have put the
        thresholds, are left behind: they would read as if they were of the other run.
        """
        return replace(self, method=GIVEN, warnings=(), recalibrated=None, redrawn=())

    def to_dict(self) -> dict[str, Any]:
        """Return the operating point as plain JSON, digest and interval included."""
        plain = asdict(self)
        plain["interval"] = self.interval
        plain["digest"] = self.digest
        loaded: dict[str, Any] = json.loads(json.dumps(plain))
        return loaded

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> OperatingPoint:
        """Rebuild what `to_dict` wrote.

        Raises
        ------
        CalibrationError
            If a threshold is missing, a value is of another type, or the digest contradicts the
            values.
        """
        if not isinstance(plain, dict) or "image_threshold" not in plain:
            raise CalibrationError("the operating point has no image_threshold")
        values = {"pixel_threshold": None, **plain}
        for name in ("pixel_threshold", "image_threshold"):
            if values[name] is not None or name == "image_threshold":
                _as_float32(name, values[name])
        known = {f.name for f in fields(cls)}
        point = _validated({k: v for k, v in values.items() if k in known})
        if plain.get("digest", point.digest) != point.digest:
            raise CalibrationError("the operating point was edited: its digest does not match")
        return point

    @classmethod
    def read(cls, path: Path, benchmark: str | None = None) -> OperatingPoint:
        """Read the operating point from a report, or from a file that holds nothing else.

        Parameters
        ----------
        path : Path
            The file; see `as_given` for what is left of the calibration that it tells of.
        benchmark : str, optional
            Refuse the report of any other benchmark.

        Raises
        ------
        CalibrationError
            If the file cannot be read, holds no operating point, was edited, or is the report of
            another benchmark.
        """
        try:
            content = read_object(path)
        except ValueError as error:
            raise CalibrationError(
                f"cannot read an operating point from {path}: {error}"
            ) from error
        try:
            if DIGEST in content and not is_sealed(content):
                raise CalibrationError(f"it was edited: {DIGEST} contradicts its content")
            point = cls.from_dict(content.get("operating_point", content))
            _require_same(content.get("name", benchmark), benchmark)
        except CalibrationError as error:
            raise CalibrationError(f"cannot use {path}: {error}") from error
        return point.as_given()


def _validated(values: Mapping[str, Any]) -> OperatingPoint:
    from pydantic import TypeAdapter, ValidationError

    try:
        # As JSON: a tuple may come as a list then, and nothing else is of another type.
        return TypeAdapter(OperatingPoint).validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place, message = ".".join(map(str, first["loc"])), first["msg"]
    if place.startswith("recalibrated"):
        place = f"what recalibration would have given cannot be read: {place}"
    raise CalibrationError(f"{place}: {message}, found {str(first['input'])[:40]}")


def _require_same(name: str | None, benchmark: str | None) -> None:
    if benchmark is not None and name != benchmark:
        raise CalibrationError(f"it is the report of benchmark {name!r}, not of {benchmark!r}")


def _as_float32(name: str, value: float) -> float:
    """Round to float32, so that ``score > threshold`` means the same in every precision."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise CalibrationError(f"{name} must be a number, not {value!r}")
    if not abs(value) <= LARGEST:  # NaN compares false
        raise CalibrationError(f"{name} must be a finite number, not {value!r}")
    return float(np.float32(value))

"""Fit and calibrate once per host, whichever process of a run comes first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from pytest_robustbench.detectors.fingerprint import fingerprint
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.evaluation.machine.worker_group import WorkerGroup
    from pytest_robustbench.evaluation.prepare.preparation import Preparation

NAME = "prepared"
DETECTOR, FOUND = "detector", "found.json"
PROBES = 2
PROBE_TOLERANCE = 1e-4
"""Much more than rounding, and much less than another coreset."""


@dataclass(frozen=True)
class Found:
    """What fitting and calibrating came to.

    Parameters
    ----------
    operating_point : OperatingPoint
        The frozen thresholds.
    notes : tuple of str
        Observations for the record.
    probe : tuple of float
        Scores of the first test images: the same detector gives the same ones.
    model : str, optional
        `fingerprint` of the detector, where it was fitted.
    """

    operating_point: OperatingPoint
    notes: tuple[str, ...]
    probe: tuple[float, ...] = ()
    model: str | None = None


@dataclass
class SharedPreparation:
    """A preparation that one process does, and the others take over where the detector allows.

    A detector with ``save(path)`` and ``restore(path)`` is fitted once. Any other is fitted in
    every process, and must come to the same operating point in each.

    Parameters
    ----------
    worker_group : WorkerGroup
        The other processes.
    preparation : Preparation
        How to fit and calibrate.
    """

    worker_group: WorkerGroup
    preparation: Preparation
    fitted_here: bool = field(default=True, init=False)

    def run(self) -> Found:
        """Fit and calibrate, or take over what another process has found.

        Raises
        ------
        RobustbenchError
            If no operating point can be derived.
        DetectorError
            If the detector was fitted here as well, and came to another operating point.
        """
        # Where there is nothing to take over, all processes fit at the same time.
        fitted = None if self._can_take_over else self._make()
        found = self.worker_group.once(
            NAME, lambda: fitted or self._make(), self._write, self._read
        )
        if self.fitted_here:
            return found
        if fitted is not None:
            self.fitted_here = True
            self._require_same(found, fitted)
        own = self._probe()
        if not np.allclose(own, found.probe, rtol=PROBE_TOLERANCE, atol=0):
            self._refuse_scores(found.probe, own)
        return found

    def _make(self) -> Found:
        point = self.preparation.run()
        return Found(point, tuple(self.preparation.notes), model=fingerprint(self._detector))

    @property
    def _detector(self) -> Any:
        return self.preparation.predictor.detector

    @property
    def _can_take_over(self) -> bool:
        # What was fitted before needs no fit, and so nothing but the operating point.
        return self.preparation.fitted or self._is_savable

    @property
    def _is_savable(self) -> bool:
        names = ("save", "restore")
        return all(callable(getattr(self._detector, name, None)) for name in names)

    def _write(self, found: Found, path: Path) -> None:
        path.mkdir(exist_ok=True)
        if self._is_savable and not self.preparation.fitted:
            self._detector.save(path / DETECTOR)
            self._require_saved(path / DETECTOR)
        plain = {
            "operating_point": found.operating_point.to_dict(),
            "notes": found.notes,
            "probe": self._probe(),
            "model": found.model,
        }
        (path / FOUND).write_text(json.dumps(plain), encoding="utf-8")

    def _require_saved(self, path: Path) -> None:
        if not path.exists():
            found = ", ".join(sorted(p.name for p in path.parent.iterdir())) or "nothing"
            raise DetectorError(
                f"save(path) of detector {self.preparation.predictor.name!r} must write to exactly "
                f"that path, here {path.name!r}; found {found} (numpy.save appends a suffix unless "
                "it is given an open file)"
            )

    def _read(self, path: Path) -> Found:
        self.fitted_here, saved = False, path / DETECTOR
        if saved.exists():
            self._detector.restore(saved)
        plain = json.loads((path / FOUND).read_text(encoding="utf-8"))
        point = OperatingPoint.from_dict(plain["operating_point"])
        return Found(point, tuple(plain["notes"]), tuple(plain["probe"]), plain["model"])

    def _require_same(self, other: Found, own: Found) -> None:
        points = other.operating_point, own.operating_point
        if points[0].digest != points[1].digest:
            thresholds = " and ".join(str(point.pixel_threshold) for point in points)
            self._refuse(f"pixel thresholds {thresholds}")

    def _probe(self) -> tuple[float, ...]:
        samples = self.preparation.split.test[:PROBES]
        images = [self.preparation.store.load(sample).image for sample in samples]
        predictor, ids = self.preparation.predictor, [sample.id for sample in samples]
        return tuple(p.score for p in predictor.predict(images, ids, "two workers compared"))

    def _refuse_scores(self, saved: tuple[float, ...], own: tuple[float, ...]) -> None:
        if not self._can_take_over:
            self._refuse(f"scores of the first test images {saved} and {own}")
        raise DetectorError(
            f"detector {self.preparation.predictor.name!r} comes back from restore(path) as another"
            f" than save(path) has written: the first test images score {own}, and scored {saved}"
        )

    def _refuse(self, difference: str) -> NoReturn:
        raise DetectorError(
            f"detector {self.preparation.predictor.name!r} is not deterministic: in two workers of "
            f"this run it came to different results ({difference}). Give it a seed, or save(path) "
            "and restore(path), or run in one process (-n 0)"
        )

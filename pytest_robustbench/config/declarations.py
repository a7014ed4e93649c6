"""What robustness.yaml declares, as light domain objects; nothing is opened or imported for them.

Texts that need an environment variable which is not set are `Unresolved` until the data are needed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pytest_robustbench.config.yaml.environment import Unresolved, as_written
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.gates.limits import Demand, Limit, Waiver
    from pytest_robustbench.gates.regression.changes import AllowedChange
    from pytest_robustbench.gates.soundness import OneSided
    from pytest_robustbench.metrics.metric import SideName

DeferredText: TypeAlias = "str | Unresolved"
CorruptionReference: TypeAlias = "str | Mapping[str, Any]"
"""A built-in name, an import path, or a mapping with parameters; see `corruptions.references`."""

FIXTURE = "fixture"
"""Name of a dataset or detector that the project's conftest.py brings."""


@dataclass(frozen=True)
class DetectorDeclaration:
    """One detector.

    Parameters
    ----------
    name : str or Unresolved
        Built-in name, ``prefix:model``, ``package.module:factory``, or ``"fixture"``.
    preset, device : str or Unresolved, optional
        As given; ``None`` leaves the choice to the detector.
    kwargs : mapping
        Arguments of the detector's factory.
    fitted : bool
        Whether it is fitted already, and must not be fitted again.
    source : str
        ``file:line`` of the declaration.
    label : str
        What the file calls it: its name under `detectors`, or else `name` itself.
    input_mode : {"numpy", "paths"}
        Whether it takes images, or only paths of image files.
    """

    name: DeferredText
    preset: DeferredText | None
    device: DeferredText | None
    kwargs: Mapping[str, Any]
    fitted: bool
    source: str
    label: str
    input_mode: str = "numpy"

    @property
    def is_fixture(self) -> bool:
        """Whether conftest.py brings it."""
        return self.name == FIXTURE


@dataclass(frozen=True)
class DatasetDeclaration:
    """One dataset.

    Parameters
    ----------
    format : str
        Name of the format, or ``"fixture"``.
    options : mapping
        What the format is given beside `resize`: root, category, folders.
    resize : (int, int), optional
        Height and width.
    source : str
        ``file:line`` of the declaration.
    """

    format: str
    options: Mapping[str, object]
    resize: tuple[int, int] | None
    source: str

    @property
    def is_fixture(self) -> bool:
        """Whether conftest.py brings it."""
        return self.format == FIXTURE


@dataclass(frozen=True)
class CalibrationDeclaration:
    """How the operating point is found, and the folder of normal images of its own, if there is."""

    settings: CalibrationSettings = field(default_factory=CalibrationSettings)
    images: DeferredText | None = None


@dataclass(frozen=True)
class OperatingPointDeclaration:
    """Thresholds that are known already: as numbers, or in a `file`."""

    pixel_threshold: float | None
    image_threshold: float | None
    file: DeferredText | None
    source: str


@dataclass(frozen=True)
class LineDriftDeclaration:
    """The `file` in which it stands how the line itself has drifted."""

    file: DeferredText
    source: str


@dataclass(frozen=True)
class RegressionDeclaration:
    """The stored reports to hold new ones against; ``{name}`` is the benchmark's name.

    Parameters
    ----------
    baseline : str or Unresolved
        The report of the model in production.
    anchor : str or Unresolved, optional
        A second one that stays: it catches many small losses in a row.
    allowed : tuple of AllowedChange
        What may get worse, and how far; never empty.
    min_overlap : float
        Least share of the test images that both reports must have, in (0, 1].
    strict_pixels : bool
        Whether corrupted pixels must be equal to the last bit.
    inconclusive : {"skip", "fail"}
        How a comparison ends that the images cannot decide.
    one_sided : {"misses", "false_alarms"}, optional
        The side of wrong decisions that the changes are meant to see alone.
    source : str
        ``file:line`` of the declaration.
    """

    baseline: DeferredText
    anchor: DeferredText | None
    allowed: tuple[AllowedChange, ...]
    min_overlap: float
    strict_pixels: bool
    inconclusive: Literal["skip", "fail"]
    one_sided: OneSided | None
    source: str


@dataclass(frozen=True)
class BenchmarkDeclaration:
    """One benchmark: a (category, detector) pair with its conditions and limits.

    Parameters
    ----------
    name, category : str
        The benchmark's name is part of test ids and of the report's file name.
    dataset, detector, calibration, operating_point, evaluation
        What is measured, and how.
    conditions : tuple of Condition
        Clean first, then the corruptions in declared order, severities ascending.
    corruptions : mapping of str to reference
        Name in condition ids -> built-in name, import path, or a mapping with parameters.
    recorded : mapping of str to DatasetDeclaration
        Sets recorded under drift, by their names in condition ids.
    metrics : tuple of str
        Names of metrics of one's own, which are measured beside the built-in ones.
    limits : mapping of str to tuple of Limit
        Condition id -> the limits that bind it; empty where it is only measured.
    summary_limits : tuple of Limit
        Limits over all conditions.
    one_sided : mapping of str to {"misses", "false_alarms"}
        Condition id -> the side of wrong decisions that its limits are meant to see alone.
    measure_only : frozenset of str
        Ids of the conditions that are measured and never judged.
    tolerances : mapping of str to mapping
        Corruptions along which a tolerance is looked for -> the shares of parts above which image
        decisions are broken there, where limits say.
    line_drift : LineDriftDeclaration, optional
        How the line itself has drifted: tolerances are told as multiples of it.
    regression : RegressionDeclaration, optional
        The comparison with a stored baseline.
    waivers : tuple of Waiver
        Limits that may be violated for a while.
    demand : Demand, optional
        That limits are shown at a confidence, and not only hold.
    limit_train, limit_test : int, optional
        Largest number of train and test images.
    source : str
        ``file:line`` of the declaration.
    declared_conditions : tuple of Condition
        The conditions of the file, or its profile, before any narrowing from the command line.
    declared_limits : tuple of (int or None, int or None)
        Limits of train and test images before any narrowing.
    place : str
        Where its file lies, if a session of pytest may hold several; empty for the first of them.
    """

    name: str
    category: str
    dataset: DatasetDeclaration
    detector: DetectorDeclaration
    calibration: CalibrationDeclaration
    operating_point: OperatingPointDeclaration | None
    evaluation: EvaluationSettings
    conditions: tuple[Condition, ...]
    corruptions: Mapping[str, CorruptionReference]
    recorded: Mapping[str, DatasetDeclaration]
    metrics: tuple[str, ...]
    limits: Mapping[str, tuple[Limit, ...]]
    summary_limits: tuple[Limit, ...]
    one_sided: Mapping[str, OneSided]
    measure_only: frozenset[str]
    tolerances: Mapping[str, Mapping[SideName, float]]
    line_drift: LineDriftDeclaration | None
    regression: RegressionDeclaration | None
    waivers: tuple[Waiver, ...]
    demand: Demand | None
    limit_train: int | None
    limit_test: int | None
    source: str
    declared_conditions: tuple[Condition, ...]
    declared_limits: tuple[int | None, int | None]
    place: str = ""

    @property
    def key(self) -> str:
        """Its name in a session, and its report's below the folder of all reports."""
        return f"{self.place}/{self.name}" if self.place else self.name

    @property
    def all_limits(self) -> tuple[Limit, ...]:
        """Every limit, of conditions and of the summary."""
        of_conditions = (limit for limits in self.limits.values() for limit in limits)
        return (*of_conditions, *self.summary_limits)

    @property
    def is_narrowed(self) -> bool:
        """Whether less is measured than the file declares, so that no report can be complete."""
        subset = (self.limit_train, self.limit_test)
        return self.conditions != self.declared_conditions or subset != self.declared_limits

    @property
    def effective(self) -> dict[str, Any]:
        """The effective configuration as plain JSON, for the report.

        Environment variables stand as they are written, so that it neither differs between machines
        nor tells what they hold.
        """
        return {
            "name": self.name,
            "category": self.category,
            "dataset": _dataset_record(self.dataset),
            "detector": _record(self.detector),
            "calibration": {
                **asdict(self.calibration.settings),
                "images": as_written(self.calibration.images),
            },
            "operating_point": self.operating_point and _record(self.operating_point),
            "evaluation": asdict(self.evaluation),
            "conditions": [condition.id for condition in self.conditions],
            "corruptions": as_written(dict(self.corruptions)),
            "recorded": {name: _dataset_record(one) for name, one in self.recorded.items()},
            **({"metrics": list(self.metrics)} if self.metrics else {}),
            "accept": {name: _bounds(limits) for name, limits in self.limits.items() if limits},
            "summary": _bounds(self.summary_limits),
            "one_sided": dict(self.one_sided),
            "measure_only": [c.id for c in self.conditions if c.id in self.measure_only],
            **({"tolerances": _plain(self.tolerances)} if self.tolerances else {}),
            **({"line_drift": _record(self.line_drift)} if self.line_drift else {}),
            "regression": self.regression and _regression_record(self.regression),
            "waivers": [_waiver_record(waiver) for waiver in self.waivers],
            "demand": self.demand and asdict(self.demand),
            "limit_train": self.limit_train,
            "limit_test": self.limit_test,
        }


@dataclass(frozen=True)
class RobustnessConfig:
    """Everything one file declares, under one profile.

    Parameters
    ----------
    path, folder : Path
        The file, and the folder that relative paths and imports start at.
    profile : str, optional
        Name of the profile that was applied.
    benchmarks : tuple of BenchmarkDeclaration
        In the order of the file.
    """

    path: Path
    folder: Path
    profile: str | None
    benchmarks: tuple[BenchmarkDeclaration, ...]


def _record(declaration: Any) -> dict[str, Any]:
    fields = {k: getattr(declaration, k) for k in declaration.__dataclass_fields__ if k != "source"}
    record: dict[str, Any] = as_written(fields)  # type: ignore[assignment]
    return record


def _dataset_record(dataset: DatasetDeclaration) -> dict[str, Any]:
    record = _record(dataset)
    return {"format": record["format"], **record["options"], "resize": record["resize"]}


def _regression_record(regression: RegressionDeclaration) -> dict[str, Any]:
    record = _record(regression)
    del record["allowed"]
    changes = {c.metric: {c.bound: c.value, "relative": c.relative} for c in regression.allowed}
    return {**record, **changes}


def _waiver_record(waiver: Waiver) -> dict[str, Any]:
    record = _record(waiver)
    return {**record, "until": waiver.until.isoformat()}


def _plain(tolerances: Mapping[str, Mapping[SideName, float]]) -> dict[str, dict[str, float]]:
    return {name: {str(k): v for k, v in breaks.items()} for name, breaks in tolerances.items()}


def _bounds(limits: tuple[Limit, ...]) -> dict[str, dict[str, float]]:
    return {limit.metric: {limit.bound: limit.value} for limit in limits}

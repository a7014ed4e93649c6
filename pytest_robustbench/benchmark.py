"""One (category, detector) pair with its conditions and limits: the public Python API."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import (
    CLEAN,
    RECORDED,
    SEVERITIES,
    TOLERANCE,
    Condition,
    condition_of,
)
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.corruptions.registry import load_corruption
from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.sources import sources_of
from pytest_robustbench.errors import ConfigError, RobustbenchError
from pytest_robustbench.evaluation.evaluator import Evaluator, silent
from pytest_robustbench.folder_imports import imports_from
from pytest_robustbench.gates.judgement import judge, not_measurable
from pytest_robustbench.gates.limits import CONFIDENCE, Demand
from pytest_robustbench.gates.showing import held_to
from pytest_robustbench.gates.soundness import objections
from pytest_robustbench.gates.summary import judge_summary
from pytest_robustbench.gates.tolerance import judge_tolerance
from pytest_robustbench.gates.waivers import apply_waivers, today
from pytest_robustbench.metrics.own import definition_of, load_metric
from pytest_robustbench.naming import suggestion
from pytest_robustbench.plain_json import sha256_of
from pytest_robustbench.reports.compare.evidence import with_intervals, with_summary_intervals
from pytest_robustbench.reports.file.environment import environment
from pytest_robustbench.reports.file.fields import (
    error_record,
    metrics_of,
    ranking_error_of,
    undefined_of,
)
from pytest_robustbench.reports.file.model import (
    Digests,
    Environment,
    Frozen,
    Header,
    LineDrift,
    MetricDefinition,
    ModelSources,
)
from pytest_robustbench.reports.file.record import condition_record, memory_record
from pytest_robustbench.reports.file.record_model import Samples
from pytest_robustbench.reports.file.report import Report
from pytest_robustbench.reports.file.tolerance.record import (
    tolerance_from_record,
    tolerance_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.detectors.sources import Sources
    from pytest_robustbench.evaluation.machine.worker_group import WorkerGroup
    from pytest_robustbench.evaluation.measure.sample_sets import RecordedSet
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.evaluation.results import ConditionResult
    from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings
    from pytest_robustbench.evaluation.tolerance.result import ToleranceResult
    from pytest_robustbench.gates.limits import Limit, Verdict, Waiver
    from pytest_robustbench.gates.soundness import OneSided
    from pytest_robustbench.metrics.metric import Metric, SideName

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Gate:
    """The limits of one benchmark.

    Parameters
    ----------
    limits : mapping of condition id to limits
        What each condition is held against.
    summary : tuple of Limit
        What the summary over all conditions is held against.
    waivers : tuple of Waiver
        Limits that may be violated for now.
    day : date, optional
        The day on which waivers hold or have run out; today where it is ``None``.
    demand : Demand, optional
        That limits are shown at a confidence; by default they are held against values alone.
    one_sided : mapping of condition id to {"misses", "false_alarms"}
        The side of wrong decisions that the limits of a condition are meant to see alone.

    Raises
    ------
    ConfigError
        If nothing can violate a limit, it bounds what is better, or the limits of a condition do
        not see both misses and false alarms.
    """

    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    summary: tuple[Limit, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    day: date | None = None
    demand: Demand | None = None
    one_sided: Mapping[str, OneSided] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse limits that would be green whatever happens."""
        found = objections(self.limits, self.summary, self.one_sided)
        problems = [f"{limit.source}: {text}" for limit, text in found]
        if problems:
            raise ConfigError("\n".join(problems))

    def judge(
        self,
        condition: str,
        record: Mapping[str, Any],
        samples: Mapping[str, Any] | None = None,
    ) -> tuple[Verdict, ...]:
        """Hold the limits of one condition against its record.

        Parameters
        ----------
        condition : str
            Id of the condition.
        record : mapping
            What was measured, or ``{"error": message}``.
        samples : mapping, optional
            Columns over the images of the record; without them no verdict has an interval.
        """
        limits = self.limits.get(condition, ())
        if "error" in record:
            return not_measurable(condition, limits, record["error"])
        along = condition_of(condition)
        if along.ladder:
            assert samples is not None, "a tolerance is worked out from scores of samples"
            result = tolerance_from_record(along, record, samples)
            return self._final(judge_tolerance(result, limits, self.demand), shown=True)
        error = ranking_error_of(record)
        verdicts = judge(condition, limits, metrics_of(record), undefined_of(record), error)
        if samples is not None:
            verdicts = with_intervals(verdicts, record, samples, self._confidence)
        return self._final(verdicts)

    def judge_summary(self, report: Report) -> tuple[Verdict, ...]:
        """Hold the limits over all conditions against the summary of a report."""
        verdicts = judge_summary(self.summary, report.summary())
        return self._final(with_summary_intervals(verdicts, report, self._confidence))

    @property
    def _confidence(self) -> float:
        return CONFIDENCE if self.demand is None else self.demand.confidence

    def _final(self, verdicts: tuple[Verdict, ...], *, shown: bool = False) -> tuple[Verdict, ...]:
        demand = (self.demand or Demand()) if shown else self.demand
        held = (held_to(verdict, demand) for verdict in verdicts)
        return apply_waivers(held, self.waivers, self.day or today())


class Benchmark:
    """Fit, calibrate once, and measure a detector on the clean test set and under corruptions.

    Parameters
    ----------
    split : Split
        Train, calibration and test images of one category.
    detector : Detector
        Anything `as_detector` takes.
    corruptions : sequence of str, mapping or Corruption, optional
        Names, import paths or mappings with parameters, as in a YAML; by default ``lighting``,
        ``jpeg``, ``blur``, ``glare`` and ``geo_jitter``; an empty one leaves the clean condition.
    severities : sequence of float
        Above 0, at most 5.
    recorded : mapping of str to Split or callable, optional
        Sets whose images were really taken under drift: their test parts are measured at the same
        thresholds. A function that returns one is called when its condition is measured.
    name : str, optional
        By default the category.
    fitted : bool
        The detector is already fitted and is never fitted here.
    operating_point : OperatingPoint, optional
        Thresholds already in production; nothing is calibrated then.
    calibration : CalibrationSettings, optional
        How the operating point is found.
    evaluation : EvaluationSettings, optional
        How conditions are measured.
    tolerances : mapping of str to limits, optional
        Corruptions along whose severities it is looked for where image decisions break, each with
        the shares of parts, ``false_reject_rate`` and ``miss_rate``, above which they are; one that
        is absent at 0.10 more than under clean, and half of them at most.
    line_drift : LineDrift, optional
        How the line itself has drifted: tolerances are told as multiples of it.
    metrics : sequence of str or Metric
        Metrics of one's own, to be measured beside the built-in ones: what `register_metric`
        returned, or what a YAML may call it.
    gate : Gate, optional
        The limits; none by default.
    config : mapping, optional
        The effective configuration, recorded in the report; plain JSON.
    folder : Path, optional
        Where import paths are searched and whose git commit is recorded.
    sources : Sources, optional
        What the detector was made of; by default what can be told of it as it is.
    worker_group : WorkerGroup, optional
        Other processes of the same run on this host.
    progress : callable, optional
        Told ``(phase, done, total)``.
    exhibits : bool
        Whether results keep small pictures of their worst images.

    Raises
    ------
    RobustbenchError
        If a corruption or the detector cannot be used.

    Examples
    --------
    >>> import pytest_robustbench as rb
    >>> split = rb.load_split("synthetic", n_train=8, n_test_good=3, n_defect=3, size=32)
    >>> detector = rb.load_detector("pixel_gaussian", kwargs={"size": 32})
    >>> report = rb.Benchmark(split, detector, corruptions=["blur"], severities=[1, 3]).run()
    >>> list(report.records)
    ['clean', 'blur-severity_1', 'blur-severity_3']
    """

    def __init__(
        self,
        split: Split,
        detector: object,
        *,
        corruptions: Sequence[str | Mapping[str, Any] | Corruption] | None = None,
        severities: Sequence[float] = SEVERITIES,
        recorded: Mapping[str, RecordedSet] | None = None,
        name: str = "",
        fitted: bool = False,
        operating_point: OperatingPoint | None = None,
        calibration: CalibrationSettings | None = None,
        evaluation: EvaluationSettings | None = None,
        tolerances: Mapping[str, Mapping[SideName, float]] | None = None,
        line_drift: LineDrift | None = None,
        metrics: Sequence[str | Metric] = (),
        gate: Gate | None = None,
        config: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        sources: Sources | None = None,
        worker_group: WorkerGroup | None = None,
        progress: Progress = silent,
        exhibits: bool = False,
    ) -> None:
        self.split = split
        self.name = name or split.category or split.dataset
        self.gate = gate or Gate()
        chosen = DEFAULT if corruptions is None else corruptions
        loaded = [c if isinstance(c, Corruption) else load_corruption(c, folder) for c in chosen]
        _check_names(loaded)
        along = tolerances or {}
        self._line_drift = line_drift
        _check_ladders(along, loaded)
        self.conditions = (
            *_conditions(loaded, severities, recorded or {}),
            *(Condition(TOLERANCE, ladder=name) for name in along),
        )
        self._config = _plain(config or {})
        self._folder = folder
        self._sources = sources or sources_of(detector, folder)
        self._started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.evaluator = Evaluator(
            split,
            as_detector(detector),
            {c.name: c.seen_by(split.response) for c in loaded},
            calibration=calibration,
            settings=evaluation,
            metrics=tuple(load_metric(metric, folder) for metric in metrics),
            fitted=fitted,
            operating_point=operating_point,
            recorded=recorded,
            worker_group=worker_group,
            progress=progress,
            exhibits=exhibits,
            tolerances=along,
        )

    def prepare(self) -> OperatingPoint:
        """Fit and calibrate, once.

        Raises
        ------
        RobustbenchError
            If no trustworthy operating point can be derived.
        """
        with imports_from(self._folder):
            return self.evaluator.prepare().operating_point

    def evaluate(self, condition: Condition) -> ConditionResult:
        """Measure one condition at the frozen operating point.

        Raises
        ------
        RobustbenchError
            If the condition cannot be measured.
        """
        with imports_from(self._folder):
            return self.evaluator.evaluate(condition)

    def tolerance(self, condition: Condition) -> ToleranceResult:
        """Find where image decisions break along the severities of a corruption.

        Raises
        ------
        RobustbenchError
            If that cannot be measured.
        """
        with imports_from(self._folder):
            return self.evaluator.tolerance(condition)

    def judge(self, condition: Condition, record: Mapping[str, Any]) -> tuple[Verdict, ...]:
        """Hold the limits of one condition against its record, each value with its interval.

        Parameters
        ----------
        condition : Condition
            One of this benchmark's.
        record : mapping
            `condition_record` of what `evaluate` returned, or ``{"error": message}``.
        """
        tested = self.evaluator.tested.inventory.to_dict()
        return self.gate.judge(condition.id, record, record.get("samples") or tested)

    def header(self) -> Header:
        """Return what the report says once; the benchmark is prepared."""
        prepared = self.evaluator.prepare()
        samples = self.evaluator.tested.inventory.to_dict()
        detector, sources = self._detector_description(), self._sources
        return Header(
            name=self.name,
            dataset=self.split.dataset,
            category=self.split.category,
            model=self.evaluator.predictor.name,
            started=self._started,
            command=shlex.join(sys.argv),
            rerun=None,
            operating_point=Frozen.from_dict(prepared.operating_point.to_dict()),
            config=self._config,
            detector=detector,
            sources=ModelSources(code=dict(sources.code), files=dict(sources.files)),
            sha256=Digests(
                config=sha256_of(self._config),
                dataset=sha256_of(samples),
                model=sha256_of(detector),
                fitted=prepared.model,
            ),
            environment=Environment.from_dict(environment(self._folder)),
            samples=Samples.from_dict(samples),
            memory=memory_record(prepared.memory),
            profile=None,
            notes=[*self.split.notes, *prepared.notes],
            **_of_some(self.evaluator.metrics, self._line_drift),
        ).changed()

    def run(
        self,
        progress: Progress | None = None,
        *,
        on_result: Callable[[ConditionResult], None] | None = None,
    ) -> Report:
        """Prepare, measure and judge every condition.

        A condition that cannot be measured leaves an error in the report; the others go on.

        Parameters
        ----------
        progress : callable, optional
            Told ``(phase, done, total)``.
        on_result : callable, optional
            Told every result as soon as it is measured.

        Raises
        ------
        RobustbenchError
            If the benchmark cannot be prepared.
        """
        if progress is not None:
            self.evaluator.progress = progress
        self.prepare()
        records = {c.id: self._record(c, on_result) for c in self.conditions}
        return judged_report(self.header(), self.conditions, records, self.gate)

    def _record(
        self, condition: Condition, on_result: Callable[[ConditionResult], None] | None
    ) -> dict[str, Any]:
        try:
            if condition.ladder:
                return tolerance_record(self.tolerance(condition))
            result = self.evaluate(condition)
        except RobustbenchError as error:
            return error_record(str(error))
        if on_result is not None:
            on_result(result)
        return condition_record(result)

    @property
    def is_described(self) -> bool:
        """Whether the report says enough of the detector to know it again.

        Thresholds are no fingerprint: they have seen the calibration images only.
        """
        return callable(getattr(self.evaluator.predictor.detector, "description", None))

    def _detector_description(self) -> dict[str, Any]:
        predictor = self.evaluator.predictor
        own = _described(predictor.detector.description) if self.is_described else {}  # type: ignore[attr-defined]
        return {"name": predictor.name, **own, "fitted": self.evaluator.fitted}


def judged_report(
    header: Header,
    declared: Sequence[Condition],
    records: Mapping[str, Mapping[str, Any]],
    gate: Gate,
) -> Report:
    """Hold every limit against what was measured.

    Parameters
    ----------
    header : Header
        What the report says once.
    declared : sequence of Condition
        Every condition that a complete run measures.
    records : mapping of condition id to record
        What was measured, or ``{"error": message}``. Where a declared condition has none, the
        summary is not judged: its means would speak of other conditions.
    gate : Gate
        The limits.

    Returns
    -------
    Report
        Its records in the order in which they are declared.
    """
    ordered = {c.id: records[c.id] for c in declared if c.id in records}
    report = Report(header, tuple(declared), ordered)
    # Only a recorded set has samples of its own.
    tested = header.samples.to_dict() if header.samples else None
    verdicts = [v for c, r in ordered.items() for v in gate.judge(c, r, r.get("samples") or tested)]
    if len(ordered) == len(declared):
        verdicts += gate.judge_summary(report)
    return replace(report, verdicts=tuple(verdicts))


def _described(describe: Callable[[], object]) -> dict[str, Any]:
    """Return a detector's own description as plain JSON; it must never cost a finished run."""
    try:
        # Standard JSON has no infinity: such a setting is recorded as the word.
        text = json.dumps(describe(), default=str, skipkeys=True)
        plain: dict[str, Any] = json.loads(text, parse_constant=str)
        return dict(plain)
    except Exception as error:  # whatever a user's code may raise
        return {"description": f"not available: {type(error).__name__}: {error}"}


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` as the report will hold it; refuse now what JSON cannot hold."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(config), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"config must be plain JSON: {error}") from None
    return plain


def _check_names(corruptions: Sequence[Corruption]) -> None:
    names = [c.name for c in corruptions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"corruptions {', '.join(twice)} are given twice: a name stands for one condition"
        )


def _check_ladders(names: Iterable[str], corruptions: Sequence[Corruption]) -> None:
    graded = [c.name for c in corruptions if not c.by_value]
    for name in names:
        if name not in graded:
            raise ConfigError(
                f"no corruption {name!r} with severities to look for a tolerance along; "
                f"{suggestion(name, graded)}"
            )


def _conditions(
    corruptions: Sequence[Corruption], severities: Sequence[float], recorded: Iterable[str]
) -> tuple[Condition, ...]:
    """Return clean, every corruption at every severity in ascending order, the recorded sets."""
    corrupted = [
        Condition(corruption.name, severity)
        for corruption in corruptions
        for severity in ([None] if corruption.by_value else sorted({*severities}))
    ]
    return (CLEAN, *corrupted, *(Condition(RECORDED, recorded=name) for name in recorded))


def _of_some(metrics: Sequence[Metric], line_drift: LineDrift | None) -> dict[str, Any]:
    """Return what not every report has: metrics of one's own, the drift of the line itself."""
    defined = {m.name: MetricDefinition.from_dict(definition_of(m)) for m in metrics}
    found: dict[str, Any] = {"own_metrics": defined} if defined else {}
    return found if line_drift is None else {**found, "line_drift": line_drift}

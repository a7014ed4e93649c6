"""The dataset, the detector and the operating point that a benchmark declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.config.declarations import (
    FIXTURE,
    CalibrationDeclaration,
    DatasetDeclaration,
    DetectorDeclaration,
    OperatingPointDeclaration,
)
from pytest_robustbench.config.models.inputs import Dataset, Detector, Thresholds
from pytest_robustbench.config.yaml.environment import Unresolved, retyped, settled
from pytest_robustbench.corruptions.names import fits_test_ids
from pytest_robustbench.datasets.catalogue import NAMES, format_named
from pytest_robustbench.detectors.families import (
    PRESETS,
    family_of,
    is_import_path,
    known_names,
)
from pytest_robustbench.evaluation.settings import CalibrationSettings
from pytest_robustbench.naming import MOST_BYTES, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.config.checks.scope import Scope, Step
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.config.models.inputs import Calibration
    from pytest_robustbench.config.yaml.nodes import Table


_FITTED_NEEDS = (
    "fitted: true needs calibration.images (normal images the detector never saw) or an "
    "operating_point: on its own train images a fitted detector scores far too low, and a "
    "threshold from them gives about ten times the promised false positives"
)


def dataset_of(model: Benchmark, here: Scope) -> DatasetDeclaration | None:
    """Return the declared dataset; None after a complaint."""
    declared = model.dataset
    if declared is None:
        here.complain("'dataset' is missing; give a mapping with a format, or fixture")
        return None
    if not isinstance(declared, Dataset):
        return DatasetDeclaration(FIXTURE, {}, None, here.source("dataset"))
    return _dataset(declared, here, ("dataset",))


def recorded_of(model: Benchmark, here: Scope) -> dict[str, DatasetDeclaration]:
    """Return the declared sets of images taken under drift, by name."""
    found: dict[str, DatasetDeclaration] = {}
    for name, declared in model.recorded.items():
        if not fits_test_ids(name) or len(name) > MOST_BYTES:
            message = (
                f"recorded set {name!r} becomes part of test ids: use lower-case letters, digits "
                f"and underscores, {MOST_BYTES} at most"
            )
            here.complain_of_key(message, "recorded", name)
            continue
        row = format_named(declared.format or "")
        for key in row.train_options if row else ():
            if key in declared.model_fields_set:
                message = (
                    f"{key!r} under recorded.{name}: a recorded set is measured, never trained on; "
                    "its normal images are test_dir"
                )
                here.complain_of_key(message, "recorded", name, key)
        dataset = _dataset(declared, here, ("recorded", name))
        found |= {} if dataset is None else {name: dataset}
    return found


def _dataset(declared: Dataset, here: Scope, path: tuple[Step, ...]) -> DatasetDeclaration | None:
    where, name = ".".join(map(str, path)), declared.format
    row = format_named(name or "")
    if name is None or row is None:
        problem = f"'format' is missing under {where}; valid: {', '.join(sorted(NAMES))}"
        if name is not None:
            problem = f"unknown dataset format {name!r}; {suggestion(name, NAMES)}"
        here.complain(problem, *path, "format")
        return None
    written = _written_under(here.table, path)
    for key in written:
        if key not in row.keys:
            message = f"the {name} format has no option {key!r}; {suggestion(key, row.keys)}"
            here.complain_of_key(message, *path, key)
    given = {key: getattr(declared, key) for key in row.declared if key in written}
    options = {key: value for key, value in given.items() if key in row.keys and value is not None}
    if row.required and row.required[0] not in options:
        key, meaning = row.required
        here.complain(f"{key!r} is missing under {where}: {meaning}", *path)
    category = here.key or ((here.title or "benchmark") if row.many_folders else None)
    if category is not None:
        options.setdefault("category", category)
    return DatasetDeclaration(name, options, declared.resize, here.source(*path))


def _written_under(table: Table, path: tuple[Step, ...]) -> list[str]:
    for step in path:
        table = table.table(str(step))
    return [key for key in table.entries if key != "format"]


def shared_detectors(
    declared: Mapping[str, str | Unresolved | Detector], here: Scope
) -> dict[str, DetectorDeclaration]:
    """Return what stands under `detectors`, by name; `here` is that section."""
    shared = {}
    for label, entry in declared.items():
        if label == FIXTURE:
            here.complain_of_key("a detector cannot be called 'fixture'; that name is taken", label)
        shared[label] = _detector(entry, label, here, (label,))
    return shared


def detectors_of(
    model: Benchmark, shared: Mapping[str, DetectorDeclaration], here: Scope
) -> list[DetectorDeclaration]:
    """Return the detectors of a benchmark, references to shared ones followed."""
    declared = model.detector
    if declared is None:
        here.complain("'detector' is missing; give a name, a mapping, or fixture")
        return []
    if not isinstance(declared, tuple):
        return [_referenced(declared, shared, here, ("detector",))]
    return [_referenced(d, shared, here, ("detector", i)) for i, d in enumerate(declared)]


def _referenced(
    entry: str | Unresolved | Detector,
    shared: Mapping[str, DetectorDeclaration],
    here: Scope,
    path: tuple[Step, ...],
) -> DetectorDeclaration:
    if isinstance(entry, str) and entry in shared:
        return shared[entry]
    return _detector(entry, None, here, path, [*shared])


def _detector(
    entry: str | Unresolved | Detector,
    label: str | None,
    here: Scope,
    path: tuple[Step, ...],
    shared: list[str] | None = None,
) -> DetectorDeclaration:
    detector = entry if isinstance(entry, Detector) else Detector(name=entry)
    place = (*path, "name") if isinstance(entry, Detector) else path
    name = settled(detector.name)
    _check_detector(detector, here, path, place, shared or [])
    kwargs = retyped(detector.kwargs)
    return DetectorDeclaration(
        name=name or "",
        preset=settled(detector.preset),
        device=settled(detector.device),
        kwargs=kwargs if isinstance(kwargs, dict) else {},
        fitted=detector.fitted,
        source=here.source(*path),
        label=label or (name if isinstance(name, str) else "detector"),
        input_mode=detector.input_mode,
    )


def _check_detector(
    detector: Detector,
    here: Scope,
    path: tuple[Step, ...],
    place: tuple[Step, ...],
    shared: list[str],
) -> None:
    name, preset = detector.name, detector.preset
    if not isinstance(name, str):
        return
    if ":" in name:
        family = family_of(name)
        if family is None and not is_import_path(name):
            here.complain(f"{name!r} is not of the form package.module:factory", *place)
        elif family is not None and not name.partition(":")[2].strip():
            here.complain(f"{name!r} names nothing after its colon", *place)
        elif family is not None and family.is_fitted and not detector.fitted:
            here.complain(
                f"{name!r} is a model file, which is fitted already: say fitted: true", *place
            )
    elif name == FIXTURE:
        for key in ("preset", "device", "kwargs", "input_mode"):
            if key in detector.model_fields_set:
                message = f"{key!r} has no effect on a fixture: conftest.py makes that detector"
                here.complain_of_key(message, *path, key)
    elif name not in known_names():
        valid = [*shared, *known_names(), FIXTURE]
        here.complain(f"unknown detector {name!r}; {suggestion(name, valid)}", *place)
    elif isinstance(preset, str) and preset not in PRESETS:
        message = f"unknown preset {preset!r}; {suggestion(preset, PRESETS)}"
        here.complain(message, *path, "preset")


def calibration_of(declared: Calibration) -> CalibrationDeclaration:
    """Return how the operating point is to be found."""
    chosen = declared.model_dump(exclude={"images"})
    return CalibrationDeclaration(CalibrationSettings(**chosen), declared.images)


def operating_point_of(model: Benchmark, here: Scope) -> OperatingPointDeclaration | None:
    """Return the operating point that is known already, if there is one."""
    declared = model.operating_point
    if declared is None:
        return None
    if not isinstance(declared, Thresholds):
        declared = Thresholds(file=declared)
    _check_operating_point(declared, here)
    return OperatingPointDeclaration(
        declared.pixel_threshold,
        declared.image_threshold,
        declared.file,
        here.source("operating_point"),
    )


def _check_operating_point(declared: Thresholds, here: Scope) -> None:
    numbers = {"pixel_threshold", "image_threshold"} & declared.model_fields_set
    if declared.file is not None and numbers:
        here.complain("operating_point takes numbers or a file, not both", "operating_point")
    elif declared.file is None and declared.image_threshold is None:
        message = "'image_threshold' is missing under operating_point"
        here.complain(message, "operating_point")


def check_fitted(
    detector: DetectorDeclaration, dataset: DatasetDeclaration, model: Benchmark, here: Scope
) -> None:
    """Complain of a fitted detector that nothing could calibrate."""
    calibrated = model.calibration.images is not None or model.operating_point is not None
    row = format_named(dataset.format)
    if detector.fitted and not calibrated and row is not None and not row.may_calibrate:
        here.complain(_FITTED_NEEDS, "detector", "fitted")

"""The dataset, the detector and the operating point that a benchmark declares."""

from __future__ import annotations

import re
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
from pytest_robustbench.datasets.catalogue import NAMES, format_named
from pytest_robustbench.detectors.names import (
    FILE_PREFIXES,
    PREFIXES,
    PRESETS,
    is_import_path,
    known_names,
)
from pytest_robustbench.evaluation.settings import CalibrationSettings
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.config.checks.scope import Page, Step
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.config.models.inputs import Calibration
    from pytest_robustbench.config.yaml.nodes import Table

_RECORDED_NAME = re.compile("[a-z0-9_]+")

_FITTED_NEEDS = (
    "fitted: true needs calibration.images (normal images the detector never saw) or an "
    "operating_point: on its own train images a fitted detector scores far too low, and a "
    "threshold from them gives about ten times the promised false positives"
)


def dataset_of(model: Benchmark, page: Page) -> DatasetDeclaration | None:
    """Return the declared dataset; None after a complaint."""
    declared = model.dataset
    if declared is None:
        page.complain("'dataset' is missing; give a mapping with a format, or fixture")
        return None
    if not isinstance(declared, Dataset):
        return DatasetDeclaration(FIXTURE, {}, None, page.source("dataset"))
    return _dataset(declared, page, ("dataset",))


def recorded_of(model: Benchmark, page: Page) -> dict[str, DatasetDeclaration]:
    """Return the declared sets of images taken under drift, by name."""
    found: dict[str, DatasetDeclaration] = {}
    for name, declared in model.recorded.items():
        if not _RECORDED_NAME.fullmatch(name):
            message = (
                f"recorded set {name!r} becomes part of test ids: use lower-case letters, digits "
                "and underscores"
            )
            page.complain_of_key(message, "recorded", name)
            continue
        row = format_named(declared.format or "")
        for key in row.train_options if row else ():
            if key in declared.model_fields_set:
                message = (
                    f"{key!r} under recorded.{name}: a recorded set is measured, never trained on; "
                    "its normal images are test_dir"
                )
                page.complain_of_key(message, "recorded", name, key)
        dataset = _dataset(declared, page, ("recorded", name))
        found |= {} if dataset is None else {name: dataset}
    return found


def _dataset(declared: Dataset, page: Page, path: tuple[Step, ...]) -> DatasetDeclaration | None:
    where, name = ".".join(map(str, path)), declared.format
    row = format_named(name or "")
    if name is None or row is None:
        problem = f"'format' is missing under {where}; valid: {', '.join(sorted(NAMES))}"
        if name is not None:
            problem = f"unknown dataset format {name!r}; {suggestion(name, NAMES)}"
        page.complain(problem, *path, "format")
        return None
    written = _written_under(page.table, path)
    for key in written:
        if key not in row.keys:
            message = f"the {name} format has no option {key!r}; {suggestion(key, row.keys)}"
            page.complain_of_key(message, *path, key)
    given = {key: getattr(declared, key) for key in row.arguments if key in written}
    options = {key: value for key, value in given.items() if key in row.keys and value is not None}
    if row.required and row.required[0] not in options:
        key, meaning = row.required
        page.complain(f"{key!r} is missing under {where}: {meaning}", *path)
    category = page.key or ((page.title or "benchmark") if row.many_folders else None)
    if category is not None:
        options.setdefault("category", category)
    return DatasetDeclaration(name, options, declared.resize, page.source(*path))


def _written_under(table: Table, path: tuple[Step, ...]) -> list[str]:
    for step in path:
        table = table.table(str(step))
    return [key for key in table.entries if key != "format"]


def shelf_of(
    declared: Mapping[str, str | Unresolved | Detector], page: Page
) -> dict[str, DetectorDeclaration]:
    """Return what stands under `detectors`, by name.

    The page's table is the table of that section.
    """
    shelf = {}
    for label, entry in declared.items():
        if label == FIXTURE:
            page.complain_of_key("a detector cannot be called 'fixture'; that name is taken", label)
        shelf[label] = _detector(entry, label, page, (label,))
    return shelf


def detectors_of(
    model: Benchmark, shelf: Mapping[str, DetectorDeclaration], page: Page
) -> list[DetectorDeclaration]:
    """Return the detectors of a benchmark, references to the shelf followed."""
    declared = model.detector
    if declared is None:
        page.complain("'detector' is missing; give a name, a mapping, or fixture")
        return []
    if not isinstance(declared, tuple):
        return [_referenced(declared, shelf, page, ("detector",))]
    return [_referenced(d, shelf, page, ("detector", i)) for i, d in enumerate(declared)]


def _referenced(
    entry: str | Unresolved | Detector,
    shelf: Mapping[str, DetectorDeclaration],
    page: Page,
    path: tuple[Step, ...],
) -> DetectorDeclaration:
    if isinstance(entry, str) and entry in shelf:
        return shelf[entry]
    return _detector(entry, None, page, path, [*shelf])


def _detector(
    entry: str | Unresolved | Detector,
    label: str | None,
    page: Page,
    path: tuple[Step, ...],
    shelf: list[str] | None = None,
) -> DetectorDeclaration:
    detector = entry if isinstance(entry, Detector) else Detector(name=entry)
    place = (*path, "name") if isinstance(entry, Detector) else path
    name = settled(detector.name)
    _check_detector(detector, page, path, place, shelf or [])
    kwargs = retyped(detector.kwargs)
    return DetectorDeclaration(
        name=name or "",
        preset=settled(detector.preset),
        device=settled(detector.device),
        kwargs=kwargs if isinstance(kwargs, dict) else {},
        fitted=detector.fitted,
        source=page.source(*path),
        label=label or (name if isinstance(name, str) else "detector"),
        input_mode=detector.input_mode,
    )


def _check_detector(
    detector: Detector,
    page: Page,
    path: tuple[Step, ...],
    place: tuple[Step, ...],
    shelf: list[str],
) -> None:
    name, preset = detector.name, detector.preset
    if not isinstance(name, str):
        return
    if ":" in name:
        prefix, _, rest = name.partition(":")
        if prefix not in PREFIXES and not is_import_path(name):
            page.complain(f"{name!r} is not of the form package.module:factory", *place)
        elif prefix in PREFIXES and not rest.strip():
            page.complain(f"{name!r} names nothing after its colon", *place)
        elif prefix in FILE_PREFIXES and not detector.fitted:
            page.complain(
                f"{name!r} is a model file, which is fitted already: say fitted: true", *place
            )
    elif name == FIXTURE:
        for key in ("preset", "device", "kwargs", "input_mode"):
            if key in detector.model_fields_set:
                message = f"{key!r} has no effect on a fixture: conftest.py makes that detector"
                page.complain_of_key(message, *path, key)
    elif name not in known_names():
        valid = [*shelf, *known_names(), FIXTURE]
        page.complain(f"unknown detector {name!r}; {suggestion(name, valid)}", *place)
    elif isinstance(preset, str) and preset not in PRESETS:
        message = f"unknown preset {preset!r}; {suggestion(preset, PRESETS)}"
        page.complain(message, *path, "preset")


def calibration_of(declared: Calibration) -> CalibrationDeclaration:
    """Return how the operating point is to be found."""
    chosen = declared.model_dump(exclude={"images"})
    return CalibrationDeclaration(CalibrationSettings(**chosen), declared.images)


def operating_point_of(model: Benchmark, page: Page) -> OperatingPointDeclaration | None:
    """Return the operating point that is known already, if there is one."""
    declared = model.operating_point
    if declared is None:
        return None
    if not isinstance(declared, Thresholds):
        declared = Thresholds(file=declared)
    _check_operating_point(declared, page)
    return OperatingPointDeclaration(
        declared.pixel_threshold,
        declared.image_threshold,
        declared.file,
        page.source("operating_point"),
    )


def _check_operating_point(declared: Thresholds, page: Page) -> None:
    numbers = {"pixel_threshold", "image_threshold"} & declared.model_fields_set
    if declared.file is not None and numbers:
        page.complain("operating_point takes numbers or a file, not both", "operating_point")
    elif declared.file is None and declared.image_threshold is None:
        message = "'image_threshold' is missing under operating_point"
        page.complain(message, "operating_point")


def check_fitted(
    detector: DetectorDeclaration, dataset: DatasetDeclaration, model: Benchmark, page: Page
) -> None:
    """Complain of a fitted detector that nothing could calibrate."""
    calibrated = model.calibration.images is not None or model.operating_point is not None
    row = format_named(dataset.format)
    if detector.fitted and not calibrated and row is not None and not row.may_calibrate:
        page.complain(_FITTED_NEEDS, "detector", "fitted")

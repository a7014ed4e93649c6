"""Declarations to what they declare: here files are opened, modules imported, detectors made.

`folder` is that of the YAML file, where relative paths and imports start. An environment variable
that is not set is a ConfigError, here and not before.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_robustbench.config.yaml.environment import resolved
from pytest_robustbench.datasets.catalogue import format_named
from pytest_robustbench.errors import (
    ConfigError,
    CorruptionError,
    DetectorError,
    RobustbenchError,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from pytest_robustbench.config.declarations import (
        BenchmarkDeclaration,
        CorruptionReference,
        DatasetDeclaration,
        DetectorDeclaration,
    )
    from pytest_robustbench.config.yaml.environment import Unresolved
    from pytest_robustbench.corruptions.corruption import Corruption
    from pytest_robustbench.datasets.split import Split
    from pytest_robustbench.detectors.protocol import Detector
    from pytest_robustbench.detectors.sources import Sources
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
    from pytest_robustbench.reports.file.model import LineDrift


def build_split(declaration: BenchmarkDeclaration, folder: Path) -> Split:
    """List the images of a benchmark: its dataset, calibration images and limits applied.

    Raises
    ------
    ConfigError
        If the dataset is a fixture.
    DatasetError
        If the folders are not what the format promises.
    """
    from pytest_robustbench.datasets.loading import load_split

    dataset = declaration.dataset
    if dataset.is_fixture:
        raise _brought_by_conftest("dataset", dataset.source)
    split = load_split(dataset.format, resize=dataset.resize, **_options(dataset, folder))
    return complete_split(split, declaration, folder)


def recorded_sets(
    declaration: BenchmarkDeclaration, folder: Path, split: Split
) -> dict[str, Callable[[], Split]]:
    """Return what lists each set recorded under drift, once it is needed.

    Sets that declare no size, no bit depth or no group have that of the benchmark's own images,
    `split`.
    """

    def listed(dataset: DatasetDeclaration) -> Split:
        from pytest_robustbench.datasets.loading import load_split
        from pytest_robustbench.datasets.subset import limit_split

        options = {
            "bit_depth": split.test[0].bit_depth,
            "group": _pattern(declaration),
            **_options(dataset, folder),
        }
        found = load_split(dataset.format, resize=dataset.resize or split.resize, **options)
        return limit_split(found, train=None, test=declaration.limit_test)

    return {name: partial(listed, one) for name, one in declaration.recorded.items()}


def complete_split(split: Split, declaration: BenchmarkDeclaration, folder: Path) -> Split:
    """Give `split`, whoever made it, the declared calibration images and limits.

    Raises
    ------
    DatasetError
        If the folder of calibration images is missing or empty.
    """
    from pytest_robustbench.datasets.formats.images import image_folder
    from pytest_robustbench.datasets.grouping import named_parts
    from pytest_robustbench.datasets.subset import limit_split

    images = declaration.calibration.images
    if images is not None:
        place = _below(folder, str(resolved(images)))
        suffix = cast("str | None", resolved(declaration.dataset.options.get("mask_suffix")))
        depth = split.test[0].bit_depth
        own = [replace(s, bit_depth=depth) for s in image_folder(place, "calibration", suffix)]
        pattern = _pattern(declaration)
        split = replace(split, calibration=named_parts(own, pattern) if pattern else tuple(own))
    return limit_split(split, train=declaration.limit_train, test=declaration.limit_test)


def _pattern(declaration: BenchmarkDeclaration) -> str | None:
    """Return what tells the part of an image from its name."""
    return cast("str | None", resolved(declaration.dataset.options.get("group")))


def build_detector(declaration: DetectorDeclaration, folder: Path) -> Detector:
    """Make the declared detector; it is not fitted here.

    A keyword argument called ``path``, or ending in ``_path``, is a path.

    Raises
    ------
    ConfigError
        If the detector is a fixture.
    DetectorError
        If it cannot be made.
    """
    from pytest_robustbench.detectors.loading import load_detector

    if declaration.is_fixture:
        raise _brought_by_conftest("detector", declaration.source)
    kwargs = cast("dict[str, Any]", resolved(dict(declaration.kwargs)))
    try:
        return load_detector(
            str(resolved(declaration.name)),
            preset=cast("str | None", resolved(declaration.preset)),
            device=str(resolved(declaration.device or "auto")),
            kwargs=_with_paths(kwargs, folder),
            folder=folder,
            input_mode=declaration.input_mode,
        )
    except DetectorError as error:
        raise error.within(declaration.source) from error


def detector_sources(declaration: DetectorDeclaration, detector: object, folder: Path) -> Sources:
    """Return what a detector was made of, the declared one or a fixture's.

    Raises
    ------
    DetectorError
        If it comes from another file than the YAML's folder holds under that name.
    """
    from pytest_robustbench.detectors.sources import sources_of

    try:
        if declaration.is_fixture:
            return sources_of(detector, folder)
        kwargs = cast("dict[str, Any]", resolved(dict(declaration.kwargs)))
        name = str(resolved(declaration.name))
        return sources_of(detector, folder, name, _with_paths(kwargs, folder))
    except DetectorError as error:
        raise DetectorError(f"{declaration.source}: {error}") from error


def build_corruptions(declaration: BenchmarkDeclaration, folder: Path) -> dict[str, Corruption]:
    """Load the corruptions of a benchmark, by their names in condition ids.

    Raises
    ------
    UnsetVariableError
        If one needs a variable that is not set.
    CorruptionError
        If one cannot be imported, or is no corruption.
    """
    from pytest_robustbench.corruptions.registry import load_corruption

    references = cast("dict[str, CorruptionReference]", resolved(dict(declaration.corruptions)))
    try:
        return {n: load_corruption(ref, folder) for n, ref in references.items()}
    except CorruptionError as error:
        raise error.within(declaration.source) from error


def build_operating_point(declaration: BenchmarkDeclaration, folder: Path) -> OperatingPoint | None:
    """Return the operating point that is declared, read from its file if need be.

    Raises
    ------
    ConfigError
        Naming file:line of the declaration, if there is no operating point in its file, or that of
        another benchmark.
    """
    from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint

    point = declaration.operating_point
    if point is None:
        return None
    try:
        if point.file is not None:
            path = stored_report_path(point.file, declaration.name, folder)
            return OperatingPoint.read(path, declaration.name)
        numbers = ("pixel_threshold", "image_threshold")
        return OperatingPoint.from_dict({name: getattr(point, name) for name in numbers})
    except ConfigError:
        raise
    except RobustbenchError as error:
        raise ConfigError(f"{point.source}: {error}") from None


def build_line_drift(declaration: BenchmarkDeclaration, folder: Path) -> LineDrift | None:
    """Return how the line itself has drifted, where that is declared.

    Raises
    ------
    ConfigError
        Naming file:line of the declaration, if its file cannot be read.
    """
    from pytest_robustbench.reports.drift.levels import drift_levels
    from pytest_robustbench.reports.drift.model import read_drift
    from pytest_robustbench.reports.file.model import LineDrift

    declared = declaration.line_drift
    if declared is None:
        return None
    try:
        found = read_drift(stored_report_path(declared.file, declaration.name, folder))
    except RobustbenchError as error:
        raise ConfigError(f"{declared.source}: {error}") from None
    return LineDrift(name=found.name, levels=drift_levels(found))


def stored_report_path(template: str | Unresolved, name: str, folder: Path) -> Path:
    """Return where the stored report of a benchmark lies; ``{name}`` stands for its `name`."""
    return _below(folder, str(resolved(template)).replace("{name}", name))


def _options(dataset: DatasetDeclaration, folder: Path) -> dict[str, Any]:
    options = cast("dict[str, Any]", resolved(dict(dataset.options)))
    row = format_named(dataset.format)
    if row is None or not row.has_root:
        return options
    # Where there is a root, all other paths of a dataset start there.
    place = row.required[0] if row.required and "root" not in options else "root"
    return {**options, place: _below(folder, options.get(place, "."))}


def _with_paths(kwargs: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    paths = {k: v for k, v in kwargs.items() if k.split("_")[-1] == "path" and isinstance(v, str)}
    return {**kwargs, **{key: str(_below(folder, path)) for key, path in paths.items()}}


def _below(folder: Path, path: str | os.PathLike[str]) -> Path:
    return folder / Path(path).expanduser()


def _brought_by_conftest(what: str, source: str) -> ConfigError:
    return ConfigError(
        f"{source}: '{what}: fixture' says that a conftest.py overrides the fixture "
        f"robustness_{what}; none does, or this command reads none: run it with pytest"
    )

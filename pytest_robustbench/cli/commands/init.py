"""``pytest-robustbench init``: a robustness.yaml and a test module for a folder of images."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_robustbench.cli.configuration import YAML_FILE
from pytest_robustbench.cli.telling import tell
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.evaluation.settings import CalibrationSettings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from pytest_robustbench.datasets.split import Split

TEST_FILE = "test_robustness.py"
TEST_MODULE = '''\
"""One test item per condition that robustness.yaml declares."""

from pytest_robustbench.suite import test_robustness

__all__ = ["test_robustness"]
'''
LEAST_TRAIN_IMAGES = 4
FEW_TRAIN_IMAGES = 60
"""Below, holding images out costs more than fitting once per fold."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="the data: a category, or a folder of them")
    parser.add_argument("--category", metavar="NAME", help="which, where there are several")
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="DIR", help="where the files go (default: .)"
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(arguments: Namespace) -> int:
    """Return the exit code."""
    from pytest_robustbench.config.loader import parse_config

    target: Path = arguments.into
    files = {target / YAML_FILE: "", target / TEST_FILE: TEST_MODULE}
    _check_free(files, force=arguments.force)
    dataset, split = _recognised(arguments.folder, arguments.category)
    text = "\n".join(_lines(dataset, split, target)) + "\n"
    parse_config(text, target / YAML_FILE)
    files[target / YAML_FILE] = text
    _write(files)
    run = "pytest -m robustness" if target == Path() else f"cd {target} && pytest -m robustness"
    tell(f"wrote {', '.join(map(str, files))}")
    tell(f"read {YAML_FILE}, then run: {run}")
    return 0


def _check_free(files: dict[Path, str], *, force: bool) -> None:
    taken = [str(path) for path in files if path.exists()]
    if taken and not force:
        raise ConfigError(
            f"{' and '.join(taken)} exist(s) already: move it, or say --force to replace it"
        )


def _write(files: dict[Path, str]) -> None:
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{error.filename} cannot be written: {error.strerror or error}"
        ) from None


def _recognised(folder: Path, category: str | None) -> tuple[dict[str, Any], Split]:
    """Return the dataset section and what it lists."""
    from pytest_robustbench.datasets.formats.recognition import recognised_format
    from pytest_robustbench.datasets.loading import load_split

    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder")
    found = recognised_format(folder, category)
    if found is None:
        raise ConfigError(
            f"no dataset is recognised in {folder}: the layouts are described in "
            "docs/datasets.md; folders of any other layout are declared with format: folder"
        )
    options: dict[str, Any] = {"root": folder, **found.options}
    if category is not None:
        options["category"] = category
    elif len(found.categories) > 1:
        names = ", ".join(found.categories)
        raise ConfigError(
            f"{folder} holds several categories: choose one with --category ({names})"
        )
    elif found.categories:
        options["category"] = found.categories[0]
    split = load_split(found.format, **options)
    if _units(split) < LEAST_TRAIN_IMAGES:
        raise ConfigError(
            f"{folder} holds {len(split.train)} images to train on, too few to fit and calibrate; "
            "for a model that is trained already, see 'My own images and my trained model' in the "
            "README"
        )
    return {"format": found.format, **options}, split


def _lines(dataset: dict[str, Any], split: Split, target: Path) -> Iterator[str]:
    from pytest_robustbench.cli.yaml_text import as_yaml
    from pytest_robustbench.config.checks.assembly import name_from

    normal = sum(sample.label == 0 for sample in split.test)
    defect = len(split.test) - normal
    known = defect - split.unknown_masks
    given = Path(dataset["root"])
    root = given if given.is_absolute() else Path(os.path.relpath(given, target))
    yield "# Written by `pytest-robustbench init`: read it, change it, commit it."
    yield "# All keys for your editor: pytest-robustbench schema config > robustness.schema.json"
    section = {**dataset, "root": root.as_posix(), "resize": [256, 256]}
    # The name is part of test ids and of the report's file name.
    yield as_yaml(
        {"schema_version": 1, "name": name_from(split.category), "dataset": section}
    ).strip()
    yield f"# {len(split.train)} train images; to test {normal} normal and {defect} with a defect,"
    yield f"# {known} of them with a mask"
    yield from _detector_lines()
    yield from _calibration_lines(split)
    yield "# leave both out to run all five corruptions at severity 1 to 5"
    yield f"corruptions: [{', '.join(DEFAULT)}]"
    yield "severities: [1, 3, 5]"
    if not known:
        yield "pixel_segf1: false   # no defect image has a mask"
    yield from _limit_lines(normal, defect, known)


def _detector_lines() -> Iterator[str]:
    name = "patchcore" if find_spec("torch") else "pixel_gaussian"
    yield f"detector: {{name: {name}}}"
    yield '# your own: {name: "package.module:factory"}, with fitted: true if it is trained already'


def _calibration_lines(split: Split) -> Iterator[str]:
    if split.calibration:
        yield f"# the thresholds are calibrated on {len(split.calibration)} images of their own"
    elif len(split.train) < FEW_TRAIN_IMAGES:
        folds = min(CalibrationSettings.folds, _units(split))
        yield f"calibration: {{method: crossfit, folds: {folds}}}   # better with few train images"
    else:
        yield "calibration: {method: holdout, fraction: 0.2}"


def _units(split: Split) -> int:
    """Return how many train images, or groups of them, may be divided."""
    groups = [sample.group for sample in split.train]
    return groups.count(None) + len(set(groups) - {None})


def _limit_lines(normal: int, defect: int, known: int) -> Iterator[str]:
    yield "# A beginning, not a recommendation: run once, look at the table, then declare what your"
    yield "# line needs. More specific limits win: a corruption's over all, a severity's over both."
    yield "accept:"
    yield "  clean:                           # all: instead of clean: binds every condition"
    if normal or known:
        yield "    bg_fpr: {max: 0.1}             # share of the background called anomalous"
    if normal:
        yield "    false_reject_rate: {max: 0.5}  # good parts called defective"
    if defect:
        yield "    miss_rate: {max: 0.5}          # defective parts called good"
    if known:
        yield "    # pixel_segf1: {min: 0.3}"
    if not (normal and defect):
        side = "misses" if defect else "false_alarms"
        yield f"    one_sided: {side}          # the test images show nothing of the other side"
    yield "# measured, not judged yet: take out what you declare limits for"
    yield f"measure_only: [{', '.join(DEFAULT)}]"

"""Whether two reports measured the same thing, so that a difference is one of the models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.evaluation.prepare.operating_point import GIVEN
from pytest_robustbench.evaluation.settings import EvaluationSettings
from pytest_robustbench.naming import listed
from pytest_robustbench.reports.compare.same_model import model_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pytest_robustbench.reports.file.stored import StoredReport

    Plain = Mapping[str, Any]

NUMBERS_DEPEND_ON = ("pixel_segf1", "aupro_limit", "gaussian_sigma")
IMAGE_FACTS = {
    "shape": "are evaluated at another size",
    "source_digest": "are other pictures or have other masks",
    "mask_known": "have a mask in one report only",
    "label": "have another label",
    "group": "are said to show other parts",
}
"""In the order of cause and effect: an image is named for the first that applies."""
METHOD_SETTINGS = {"holdout": ("fraction", "seed"), "crossfit": ("folds", "seed")}
RECALIBRATE = (
    "measure both with the same calibration, or judge the candidate at the baseline's operating "
    "point (operating_point: {file: BASELINE})"
)


@dataclass(frozen=True)
class Comparability:
    """What stands between two reports, and which images they share.

    Parameters
    ----------
    problems : tuple of str
        Why they cannot be compared; each names both values.
    notes : tuple of str
        What a reader of the comparison has to know.
    overlap : mapping of str to tuple of str
        Condition -> ids of the images both have, in the baseline's order.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    overlap: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Sides:
    baseline: StoredReport
    candidate: StoredReport
    conditions: tuple[str, ...]

    def records(self, condition: str) -> tuple[Plain, Plain]:
        return self.baseline.record(condition), self.candidate.record(condition)

    def samples(self, condition: str) -> tuple[Plain, Plain]:
        return self.baseline.samples(condition), self.candidate.samples(condition)

    def shared(self, condition: str) -> tuple[str, ...]:
        first, second = self.samples(condition)
        there = set(second["id"])
        return tuple(i for i in first["id"] if i in there)

    def parts(self, key: str) -> tuple[Any, Any]:
        return self.baseline.plain[key], self.candidate.plain[key]


def compare_inputs(
    baseline: StoredReport,
    candidate: StoredReport,
    *,
    min_overlap: float = 1.0,
    strict_pixels: bool = False,
    latency: bool = False,
) -> Comparability:
    """Compare everything that two reports have to have in common.

    Parameters
    ----------
    baseline, candidate : StoredReport
        As `read_comparable` returns them.
    min_overlap : float
        Least number of shared images over that of all images of both, for the test part and for
        every recorded set.
    strict_pixels : bool
        Whether corrupted pixels that differ, though source and specification are the same, are a
        problem and not a note.
    latency : bool
        Whether latencies are going to be compared, so that other images per call are a problem.
    """
    both = tuple(c for c in baseline.conditions if c in candidate.conditions)
    sides = _Sides(baseline, candidate, both)
    pixels = list(_pixel_differences(sides))
    batches = list(_batch_differences(sides, judged=latency))
    problems = [
        *_data_problems(sides),
        *_condition_problems(sides),
        *_overlap_findings(sides, min_overlap, enough=False),
        *_image_problems(sides),
        *_specification_problems(sides),
        *_calibration_findings(sides, refused=True),
        *_evaluation_problems(sides),
        *(pixels if strict_pixels else ()),
        *(batches if latency else ()),
    ]
    notes = [
        *_same_run(sides),
        *_overlap_findings(sides, min_overlap, enough=True),
        *_calibration_findings(sides, refused=False),
        *_evaluation_notes(sides),
        *_measuring_notes(sides),
        *(() if latency else batches),
        *(() if strict_pixels else pixels),
    ]
    overlap = {condition: sides.shared(condition) for condition in both}
    return Comparability(tuple(problems), tuple(notes), overlap)


def _differing(what: str, baseline: object, candidate: object) -> str:
    return f"{what}: {_shown(baseline)} in the baseline, {_shown(candidate)} in the candidate"


def _shown(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, default=str)


def _data_problems(sides: _Sides) -> Iterator[str]:
    for key in ("dataset", "category"):
        first, second = sides.parts(key)
        if first != second:
            yield _differing(key, first, second)


def _condition_problems(sides: _Sides) -> Iterator[str]:
    reports = {"baseline": sides.baseline, "candidate": sides.candidate}
    for name, report in reports.items():
        alone = [c for c in report.conditions if c not in sides.conditions]
        if alone:
            yield f"only the {name} has {', '.join(alone)}: measure both under the same conditions"


def _sample_sets(sides: _Sides) -> Iterator[tuple[str, str]]:
    """Yield what images are called, and a condition that is measured on them: each set once."""
    tested = [c for c in sides.conditions if "samples" not in sides.baseline.record(c)]
    if tested:
        yield "test images", tested[0]
    yield from ((f"images of {c}", c) for c in sides.conditions if c not in tested)


def _overlap_findings(sides: _Sides, min_overlap: float, *, enough: bool) -> Iterator[str]:
    """Say where images are new or gone: as notes where enough are left, else as problems."""
    for what, condition in _sample_sets(sides):
        first, second = (set(samples["id"]) for samples in sides.samples(condition))
        n_shared, n_all = len(first & second), len(first | second)
        is_enough = n_shared > 0 and n_shared / n_all >= min_overlap - 1e-12
        if n_shared == n_all or is_enough != enough:
            continue
        told = f"{n_shared} of {n_all} {what} are in both ({_alone(first, second)})"
        yield told if enough else f"{told}: less than min_overlap = {min_overlap:g}"


def _alone(baseline: set[str], candidate: set[str]) -> str:
    parts = {"baseline": baseline - candidate, "candidate": candidate - baseline}
    return "; ".join(f"only in the {k}: {listed(sorted(v))}" for k, v in parts.items() if v)


def _image_problems(sides: _Sides) -> Iterator[str]:
    for what, condition in _sample_sets(sides):
        first, second = map(_by_id, sides.samples(condition))
        left = list(sides.shared(condition))
        total = len(left)
        for column, difference in IMAGE_FACTS.items():
            other = [i for i in left if first[i][column] != second[i][column]]
            if other:
                values = (side[other[0]][column] for side in (first, second))
                example = _differing(other[0], *values)
                yield f"{len(other)} of {total} {what} {difference} ({example}): {listed(other)}"
            named = set(other)
            left = [i for i in left if i not in named]


def _by_id(samples: Plain) -> dict[str, dict[str, Any]]:
    columns = {name: samples[name] for name in IMAGE_FACTS}
    return {
        i: {name: column[row] for name, column in columns.items()}
        for row, i in enumerate(samples["id"])
    }


def _specification_problems(sides: _Sides) -> Iterator[str]:
    """Say what differs in the corruptions, once for all conditions it concerns."""
    found: dict[str, list[str]] = {}
    for condition in sides.conditions:
        first, second = (record["specification"] for record in sides.records(condition))
        for key in (k for k in (first | second) if first.get(k) != second.get(k)):
            text = _differing(f"{key} of the corruption", first.get(key), second.get(key))
            found.setdefault(text, []).append(condition)
    yield from (f"{listed(conditions)}: {text}" for text, conditions in found.items())


def _calibration_findings(sides: _Sides, *, refused: bool) -> Iterator[str]:
    """Say how the operating points came about differently.

    Thresholds that were given are frozen: no calibration is part of what is judged then. Given on
    one side only, they have to be those of the other.
    """
    first, second = sides.parts("operating_point")
    n_given = [point["method"] for point in (first, second)].count(GIVEN)
    thresholds = [_thresholds(point) for point in (first, second)]
    if n_given == 0:
        yield from _calibration_problems(sides) if refused else ()
    elif thresholds[0] == thresholds[1]:
        if not refused:
            yield f"both are judged at the same frozen operating point ({_named(thresholds[0])})"
    elif (n_given == 1) == refused:
        text = _differing("operating point", *map(_named, thresholds))
        methods = _differing("its method", first["method"], second["method"])
        yield f"{text}; {methods}: {RECALIBRATE}" if refused else text


def _thresholds(point: Plain) -> tuple[float | None, float]:
    return point["pixel_threshold"], point["image_threshold"]


def _named(thresholds: tuple[float | None, float]) -> str:
    pixel, image = thresholds
    return f"pixel threshold {_shown(pixel)}, image threshold {_shown(image)}"


def _calibration_problems(sides: _Sides) -> Iterator[str]:
    first, second = sides.parts("operating_point")
    for key in ("method", "pixel_normal_quantile", "image_normal_quantile", "n_images"):
        if first[key] != second[key]:
            yield _differing(f"calibration: {key}", first[key], second[key]) + f": {RECALIBRATE}"
    if first["calibrated_on"] != second["calibrated_on"]:
        what = "calibration: digest of the images"
        digests = first["calibrated_on"], second["calibrated_on"]
        yield f"{_differing(what, *digests)}: {RECALIBRATE}"
    settings = [_section(config, "calibration") for config in sides.parts("config")]
    if first["method"] == second["method"] and all(settings):
        for key in METHOD_SETTINGS.get(first["method"], ()):
            values = [section.get(key) for section in settings]
            if values[0] != values[1]:
                yield _differing(f"calibration: {key}", *values) + f": {RECALIBRATE}"


def _section(config: Plain, name: str) -> Plain:
    """Return a section of a configuration; empty where the benchmark was made without one."""
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _evaluation_problems(sides: _Sides) -> Iterator[str]:
    settings = [_section(config, "evaluation") for config in sides.parts("config")]
    if not all(settings):
        return
    for key in NUMBERS_DEPEND_ON:
        values = [section.get(key, getattr(EvaluationSettings(), key)) for section in settings]
        if values[0] != values[1]:
            yield _differing(f"evaluation: {key}", *values)


def _evaluation_notes(sides: _Sides) -> Iterator[str]:
    reports = {"baseline": sides.baseline, "candidate": sides.candidate}
    silent = [k for k, r in reports.items() if not _section(r.plain["config"], "evaluation")]
    if silent:
        yield (
            f"no configuration in the {' and the '.join(silent)}: whether maps are smoothed alike "
            "and the AUPRO limit is the same could not be checked"
        )


def _same_run(sides: _Sides) -> Iterator[str]:
    if sides.baseline.digest == sides.candidate.digest:
        yield "THE SAME RUN: baseline and candidate are one and the same, nothing was compared"
    else:
        yield from model_notes(sides.baseline, sides.candidate)


def _measuring_notes(sides: _Sides) -> Iterator[str]:
    yield from _record_differences(sides, "ranking of the pixels", lambda r: r["ranking"])
    yield from _record_differences(sides, "pixels", _counting)


def _batch_differences(sides: _Sides, *, judged: bool) -> Iterator[str]:
    """Say where calls took other numbers of images: the time per image is another quantity then."""
    remedy = ": latencies cannot be compared; measure both with the same batch_size"
    for text in _record_differences(
        sides, "images per call", lambda record: record["latency"]["batch_size"]
    ):
        yield text + (remedy if judged else "")


def _record_differences(
    sides: _Sides, what: str, of_record: Callable[[Plain], object]
) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for condition in sides.conditions:
        values = [of_record(record) for record in sides.records(condition)]
        if values[0] != values[1]:
            found.setdefault(_differing(what, *values), []).append(condition)
    yield from (f"{listed(conditions)}: {text}" for text, conditions in found.items())


def _counting(record: Plain) -> str:
    counted = any(value is not None for value in record["per_image"]["tn"])
    return "counted at the threshold" if counted else "not counted (no maps, or no threshold)"


def _pixel_differences(sides: _Sides) -> Iterator[str]:
    """Say where equal sources and specifications gave other pixels, with what may explain it."""
    differing = [c for c in sides.conditions if _other_pixels(sides, c)]
    if differing:
        reasons = list(_environment_differences(*sides.parts("environment")))
        told = "; ".join(reasons) or "the versions and the processor are the same"
        yield (
            f"{len(differing)} of {len(sides.conditions)} conditions have other pixels, though "
            f"source images and specifications are the same ({listed(differing)}); {told}"
        )


def _other_pixels(sides: _Sides, condition: str) -> bool:
    records, samples = sides.records(condition), sides.samples(condition)
    if records[0]["specification"] != records[1]["specification"]:
        return False
    first, second = (
        {
            i: (source, digest)
            for i, source, digest in zip(
                s["id"], s["source_digest"], r["per_image"]["digest"], strict=True
            )
            if digest is not None
        }
        for r, s in zip(records, samples, strict=True)
    )
    both = first.keys() & second.keys()
    return any(first[i][0] == second[i][0] and first[i][1] != second[i][1] for i in both)


def _environment_differences(first: Plain, second: Plain) -> Iterator[str]:
    flat = [{**env, **env["packages"]} for env in (first, second)]
    names: Iterable[str] = sorted(first["packages"].keys() | second["packages"].keys())
    for name in (*names, "pytest_robustbench", "platform", "cpu"):
        values = [environment.get(name, "not installed") for environment in flat]
        if values[0] != values[1]:
            yield _differing(name, *values)

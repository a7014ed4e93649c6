"""Whether the record of one condition agrees with itself: metrics are worked out from columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.evaluation.measure.measures import SEGF1_METRICS, SWITCHED_OFF
from pytest_robustbench.metrics.catalogue import BUILT_IN, metric_called
from pytest_robustbench.metrics.images import best_f1, rank_images
from pytest_robustbench.metrics.measured import NO_MAPS, measure, value_of
from pytest_robustbench.metrics.outcomes import COUNTS
from pytest_robustbench.naming import listed
from pytest_robustbench.reports.file.fields import metrics_of, undefined_of
from pytest_robustbench.reports.file.record import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.metrics.ranking.exact import Ranking

    Plain = Mapping[str, Any]

TRIVIAL = dict(zip(("trivial_segf1", "trivial_segf1_per_image"), SEGF1_METRICS, strict=True))
"""What a metric would be if every pixel were called."""
TOLERANCE = 1e-9  # another processor may add up a mean in another order
CALL_TOLERANCE = 2e-3  # single calls are stored to four digits
ENDS = ("lowest", "highest")
CALLED = {"tp": "fn", "fp": "tn"}
"""What a lower threshold turns into what is called."""
EDITED = "it was edited after it was measured"


def record_problems(condition: str, samples: Plain, record: Plain, point: Plain) -> list[str]:
    """Return where the record of a measured condition contradicts itself.

    Parameters
    ----------
    condition : str
        Its id.
    samples, record, point : mapping
        The columns over its images, the record, and the operating point of the report.
    """
    columns = column_problems(condition, samples, record)
    if columns:  # metrics over columns that do not fit would only repeat the message, or raise
        return columns
    outcomes = outcomes_of(record, samples)
    return [
        *_threshold_contradictions(point, record),
        *_redrawn_contradictions(point, record),
        *_count_contradictions(samples, outcomes),
        *_metric_contradictions(record, outcomes),
        *_latency_contradictions(record),
    ]


def column_problems(condition: str, samples: Plain, record: Plain) -> list[str]:
    """Return what is wrong with the columns of one condition: lengths, ids, nulls."""
    if bool(condition_of(condition).recorded) != bool(record.get("samples")):
        return ["a recorded set, and nothing else, has samples of its own"]
    lengths = {f"samples.{k}": len(v) for k, v in samples.items()}
    lengths |= {f"per_image.{k}": len(v) for k, v in record["per_image"].items()}
    lengths |= {
        f"own_metrics.{name}.{k}": len(own[k])
        for name, own in _own(record).items()
        for k in ("numerator", "denominator")
        if own["value"] is not None
    }
    lengths |= {
        f"redrawn.{i}.{end}.{k}": len(each[end][k])
        for i, each in enumerate(record.get("redrawn", ()))
        for end in ENDS
        for k in ("tp", "fp")
        if each[end][k] is not None
    }
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {n}" for name, n in lengths.items())
        return [f"columns differ in length ({told})"]
    named = (*record["left_out"], *record["erased"], *record["unknown_masks"])
    strangers = {*named} - {*samples["id"]}
    if strangers:
        return [
            f"left_out, erased or unknown_masks name no image of it: {listed(sorted(strangers))}"
        ]
    pairs = zip(samples["id"], samples["mask_known"], strict=True)
    if record["unknown_masks"] != [i for i, known in pairs if not known]:
        return [f"unknown_masks contradicts samples.mask_known: {EDITED}"]
    return list(_null_problems(samples, record))


def _null_problems(samples: Plain, record: Plain) -> Iterator[str]:
    """Say where a null stands for a number that must be there, or the reverse."""
    ids, per_image = samples["id"], record["per_image"]
    left_out = set(record["left_out"])
    measured = np.array([i not in left_out for i in ids])
    known = measured & np.array(samples["mask_known"], np.bool_) & counts_pixels(record)
    expected = {"score": measured, "digest": measured, **dict.fromkeys(COUNTS, known)}
    for name, present in expected.items():
        found = np.array([value is not None for value in per_image[name]])
        lost = [ids[i] for i in np.flatnonzero(present & ~found)]
        if lost:
            yield f"per_image.{name} is null for {listed(lost)}, and nothing says why"
        more = [ids[i] for i in np.flatnonzero(found & ~present)]
        if more:
            yield f"per_image.{name} has a value for {listed(more)}, which does not count there"


def counts_pixels(record: Plain) -> bool:
    """Return whether pixels are counted at all: there are maps, and a threshold for them."""
    has_threshold = record["results"]["pixel_metrics"]["pixel_threshold"] is not None
    return has_threshold and record["undefined"].get("bg_fpr") != NO_MAPS


def _threshold_contradictions(point: Plain, record: Plain) -> Iterator[str]:
    results = record["results"]
    used = (results["pixel_metrics"]["pixel_threshold"], results["threshold"])
    frozen = (point["pixel_threshold"], point["image_threshold"])
    if used != frozen:
        yield f"measured at thresholds {used}, but the operating point is {frozen}"
    if record["operating_point"] != point["digest"]:
        yield "measured at another operating point than the report's: their digests differ"


def _redrawn_contradictions(point: Plain, record: Plain) -> Iterator[str]:
    """Say where redrawn thresholds are not the report's, or count what they cannot."""
    found = record.get("redrawn", ())
    stated = [(each["tail"], *(_thresholds(each[end]) for end in ENDS)) for each in found]
    if stated != [_redrawn_ends(each) for each in point.get("redrawn", ())]:
        yield f"redrawn is at other thresholds than the operating point says: {EDITED}"
    for end, at in ((end, each[end]) for each in found for end in ENDS):
        if any((at[name] is None) != (at["pixel_threshold"] is None) for name in CALLED):
            yield f"redrawn.{end} has counts without a pixel threshold, or the reverse: {EDITED}"
        elif at["pixel_threshold"] is not None:
            yield from (f"redrawn.{end}.{name} {problem}" for name, problem in _moved(at, record))


def _thresholds(at: Plain) -> tuple[float | None, float | None]:
    return at["pixel_threshold"], at["image_threshold"]


def _redrawn_ends(each: Plain) -> tuple[Any, ...]:
    pixel = each["pixel_threshold"] or (None, None)
    return (each["tail"], *zip(pixel, each["image_threshold"], strict=True))


def _moved(at: Plain, record: Plain) -> Iterator[tuple[str, str]]:
    """Say which counts at another threshold contradict those at the frozen one."""
    per_image, frozen = record["per_image"], record["results"]["pixel_metrics"]["pixel_threshold"]
    for name, left in CALLED.items():
        here, there, rest = (
            np.array(column, np.float64) for column in (per_image[name], at[name], per_image[left])
        )
        more, most = (
            (there - here, rest) if at["pixel_threshold"] <= frozen else (here - there, here)
        )
        if (np.isnan(there) != np.isnan(here)).any() or (more < 0).any() or (more > most).any():
            yield name, f"cannot be, beside the counts at the frozen threshold: {EDITED}"


def _count_contradictions(samples: Plain, outcomes: Outcomes) -> Iterator[str]:
    """Say which counts no image can have; a corruption may ignore pixels, so fewer are fine."""
    defect, background = outcomes.tp + outcomes.fn, outcomes.fp + outcomes.tn
    normal = ~outcomes.defective & (defect > 0)
    if normal.any():
        ids = [samples["id"][i] for i in np.flatnonzero(normal)]
        yield f"normal images with defect pixels: {listed(ids)}"
    large = defect + background > np.prod(np.array(samples["shape"], np.int64), axis=1)
    if large.any():
        ids = [samples["id"][i] for i in np.flatnonzero(large)]
        yield f"more pixels are counted than the image has: {listed(ids)}"


def _metric_contradictions(record: Plain, outcomes: Outcomes) -> Iterator[str]:
    """Say which metrics do not follow from the columns, or are null without a reason."""
    stated, undefined = metrics_of(record), undefined_of(record)
    nulls = {name for name, value in stated.items() if value is None}
    if nulls != set(undefined):
        names = ", ".join(sorted(nulls ^ set(undefined)))
        yield f"null and undefined disagree on {names}: a null needs a reason"
    stated |= {name: record["results"]["pixel_metrics"][name] for name in TRIVIAL}
    scores = outcomes.score[outcomes.measured].astype(np.float32)
    labels = outcomes.labels[outcomes.measured]
    for name, value in _metrics(record, outcomes, rank_images(scores, labels)).items():
        if not agree(stated[name], value):
            yield f"{name} is {stated[name]}, but its columns give {value}"
    counts = record["results"]["metrics"]
    for name in COUNTS:
        number = int(getattr(outcomes, f"image_{name}").sum())
        if counts[name] != number:
            yield f"{name} is {counts[name]}, but its scores give {number}"
    best = best_f1(scores, labels)
    if record["results"]["best_f1"] != (None if best is None else best._asdict()):
        yield "best_f1 does not follow from the scores"


def _metrics(record: Plain, outcomes: Outcomes, ranking: Ranking) -> dict[str, float | None]:
    """Return every metric that follows from scores and counts."""
    given = {"auroc": ranking.auroc, "average_precision": ranking.average_precision}
    rows = [m for m in BUILT_IN if m.formula is not None or m.name in given]
    measured = measure(outcomes, rows, given)
    if record["undefined"].get(SEGF1_METRICS[0]) == SWITCHED_OFF:
        measured = measured.without(SEGF1_METRICS, SWITCHED_OFF)
    everything_called = outcomes.all_called()
    trivial = {t: value_of(metric_called(m), everything_called) for t, m in TRIVIAL.items()}
    own = {m: outcomes.own[m].value if m in outcomes.own else None for m in _own(record)}
    return {**measured.values, **trivial, **own}


def _own(record: Plain) -> Mapping[str, Any]:
    own: Mapping[str, Any] = record.get("own_metrics", {})
    return own


def _latency_contradictions(record: Plain) -> Iterator[str]:
    latency = record["latency"]
    calls = np.array(latency["calls_ms"])
    found = {
        "reference_ms": float(np.median(latency["reference_calls_ms"])),
        "median_ms": float(np.median(calls)),
        "p95_ms": float(np.quantile(calls, 0.95)),
        "mean_ms": float(calls.mean()),
        "relative": latency["median_ms"] / latency["reference_ms"],
    }
    if latency["count"] != calls.size:
        yield f"latency.count is {latency['count']}, but there are {calls.size} calls"
    if record["latency_ms_per_image"] != latency["median_ms"]:
        yield "latency_ms_per_image contradicts latency.median_ms"
    for name, value in found.items():
        if not math.isclose(latency[name], value, rel_tol=CALL_TOLERANCE, abs_tol=TOLERANCE):
            yield f"latency.{name} is {latency[name]:g}, but the calls give {value:g}"


def agree(stated: float | None, found: float | None) -> bool:
    """Return whether a metric is what was worked out again, but for the last digits."""
    if stated is None or found is None:
        return stated is found
    return math.isclose(stated, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)

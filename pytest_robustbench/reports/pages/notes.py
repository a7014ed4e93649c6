"""What a reader has to know before a verdict is believed."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.corruptions.catalogue import unit_of
from pytest_robustbench.evaluation.prepare.operating_point import GIVEN
from pytest_robustbench.gates.effects import by_effect, effect_of
from pytest_robustbench.gates.intervals import bound_on
from pytest_robustbench.gates.judgement import would_fail_a_silent_detector
from pytest_robustbench.metrics.catalogue import known_metrics, metric_called
from pytest_robustbench.metrics.measured import ratio_of
from pytest_robustbench.metrics.parts import parts_of
from pytest_robustbench.metrics.thresholds.promise import CONFIDENCE, FalseRejects
from pytest_robustbench.reports.file.fields import notes_on_recorded_sets
from pytest_robustbench.reports.file.record import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_robustbench.gates.effects import Effect
    from pytest_robustbench.gates.limits import Limit
    from pytest_robustbench.metrics.outcomes import Outcomes
    from pytest_robustbench.reports.pages.source import Plain, Source

ROUNDING = 1e-9
NEAR_TRIVIAL = 1.25
FAR_BELOW, CERTAINLY_BELOW = 0.4, 0.1
"""AUROC that is noted with many images, and with however few."""


def notes_on(source: Source, limits: Iterable[Limit]) -> Iterator[str]:
    """Yield what was noticed about data, calibration and limits.

    Parameters
    ----------
    source : Source
        The report.
    limits : iterable of Limit
        Everything that is declared, judged in this run or not.
    """
    yield from noticed(source.plain, source.records)
    yield from _on_data(source)
    yield from _on_effects(source)
    yield from _on_erased(source)
    yield from _on_line_drift(source)
    yield from _on_ranking(source)
    yield from _on_false_alarms(source)
    yield from _on_promises(source)
    if source.measured and not would_fail_a_silent_detector(limits):
        yield (
            "no limit would fail a detector that never fires: add a floor such as pixel_segf1 "
            "or recall, or a ceiling on miss_rate"
        )


def noticed(header: Plain, records: Mapping[str, Plain]) -> Iterator[str]:
    """Yield what was noticed while the benchmark was measured.

    Parameters
    ----------
    header : mapping
        A report, or its header.
    records : mapping of str to mapping
        By condition.
    """
    yield from header["notes"]
    yield from (header["operating_point"] or {}).get("warnings", ())
    yield from notes_on_recorded_sets(records)


def _on_data(source: Source) -> Iterator[str]:
    clean = source.measured.get("clean", {})
    unknown = clean.get("unknown_masks", ())
    if unknown:
        yield f"{len(unknown)} defect images have no mask: their pixels count nowhere"
    left_out = {c: len(r["left_out"]) for c, r in source.measured.items() if r["left_out"]}
    if left_out:
        condition, n = next(iter(left_out.items()))
        corruption = source.conditions[condition].corruption
        yield f"{corruption} leaves out {n} images whose defect it would push out of the frame"
    pixels = clean.get("results", {}).get("pixel_metrics", {})
    segf1, trivial = pixels.get("pixel_segf1"), pixels.get("trivial_segf1")
    if segf1 is not None and trivial and segf1 < NEAR_TRIVIAL * trivial:
        yield (
            f"clean pixel_segf1 {segf1:.3g} is hardly better than {trivial:.3g}, or worse, which "
            "calling every pixel a defect gives: it says nothing"
        )


def _on_effects(source: Source) -> Iterator[str]:
    """Name the conditions that say nothing, and what the summary is then over."""
    drifted = [c for c in source.measured if source.conditions[c].is_corrupted]
    if "clean" not in source.measured or not drifted:
        return
    clean = source.outcomes("clean")
    found = by_effect({c: effect_of(source.outcomes(c), clean) for c in drifted})
    for effect, conditions in found.items():
        if conditions and effect in _SAYING_NOTHING:
            yield f"{_grouped(conditions)}: {_SAYING_NOTHING[effect]}"
    if len(found["graded"]) < len(drifted):
        yield (
            f"means over corruptions (mean_corruption_*, mean_drop_*) are over {len(drifted)} "
            f"conditions, of which {len(found['graded'])} say how drift is taken"
        )


_SAYING_NOTHING: Mapping[Effect, str] = MappingProxyType(
    {
        "dead": "nearly all good parts are rejected there, or nearly all defects missed: "
        "how one model is worse than another cannot be told",
        "unmoved": "every image is decided as under clean: too mild to tell anything",
    }
)


def _grouped(conditions: Iterable[str]) -> str:
    """Return conditions with the severities of one corruption together: ``blur 4, 5; jpeg 5``."""
    found: dict[str, list[str]] = {}
    for name in conditions:
        condition = condition_of(name)
        severities = found.setdefault(condition.corruption, [])
        if condition.severity is not None:
            severities.append(f"{condition.severity:g}")
    return "; ".join(f"{name} {', '.join(each)}".strip() for name, each in found.items())


def _on_line_drift(source: Source) -> Iterator[str]:
    """Say which parts of the line's own drift no tolerance is looked for to."""
    drift = source.plain.get("line_drift")
    if drift is None:
        return
    along = (r["specification"] for r in source.tolerances.values() if "error" not in r)
    seen = {specification["ladder"]["name"] for specification in along}
    unseen = [
        f"{name} {level:.3g} {unit_of(name)}"
        for name, level in drift["levels"].items()
        if name not in seen
    ]
    if unseen and source.tolerances:
        yield (
            f"the line drifted ({drift['name']}) by what no tolerance is looked for to: "
            f"{', '.join(unseen)}; name it under accept.tolerance"
        )


def _on_erased(source: Source) -> Iterator[str]:
    """Say where a miss is not the detector's alone."""
    erased = {c: len(record["erased"]) for c, record in source.measured.items()}
    for condition in (c for c, n in erased.items() if n):
        n_defects = sum(source.labels(condition)) - len(source.measured[condition]["unknown_masks"])
        yield (
            f"{condition} leaves nothing to be seen of {erased[condition]} of {n_defects} defects "
            "(saturated, or below one gray level): misses there are not the detector's alone"
        )


def _on_ranking(source: Source) -> Iterator[str]:
    """Say where scores rank good parts above defective ones, and which limits then mean nothing."""
    known = known_metrics()
    for condition in source.measured:
        if source.conditions[condition].is_corrupted:
            continue  # drift may well make a ranking worse than chance
        values, labels = source.metrics[condition], source.labels(condition)
        for ranking, bound in (("auroc", _far_below_chance(labels)), ("pixel_auroc", FAR_BELOW)):
            value = values.get(ranking)
            if value is None or value >= bound:
                continue
            level = known[ranking].level
            names = [m for m in dict.fromkeys(m for _, m in source.judged) if m in known]
            judged = [name for name in names if known[name].level == level]
            what = f"the limits on {', '.join(judged)}" if judged else f"metrics at {level} level"
            yield (
                f"{condition}: {ranking} {value:.3g} is far below 0.5: what is defect scores lower "
                "than what is good, so that the labels or masks (0 is good), or the sign of the "
                f"score, are inverted; {what} mean nothing then"
            )


def _far_below_chance(labels: Sequence[int]) -> float:
    """Return the AUROC that chance alone falls below in about 1 of 100 draws, within bounds."""
    defects = sum(labels)
    good = len(labels) - defects
    if not defects or not good:
        return 0.0
    deviation: float = ((defects + good + 1) / (12 * defects * good)) ** 0.5
    return max(min(0.5 - 2.33 * deviation, FAR_BELOW), CERTAINLY_BELOW)


def _on_promises(source: Source) -> Iterator[str]:
    """Say where clean good parts contradict what the calibration promises of such parts."""
    point, clean = source.plain["operating_point"], source.measured.get("clean")
    if clean is None or point is None or point["method"] == GIVEN:
        return
    outcomes = outcomes_of(clean, source.samples("clean")).as_calibrated()
    promised = FalseRejects(point["n_parts"], point["expected_false_reject_rate"])
    rejected, tested = _good_parts(outcomes)
    if tested and promised.chance_of(rejected, tested) <= 1 - CONFIDENCE:
        yield (
            f"the promise of the image threshold is broken: {rejected} of {tested} clean good "
            f"parts are rejected, expected are {promised.expected:.2g} of them: they differ from "
            "the calibration images, or these are not normal"
        )
    share = 1 - point["pixel_normal_quantile"]
    at_least = bound_on("lower", metric_called("normal_fpr"), outcomes)
    if at_least is not None and at_least > share:
        found = source.metrics["clean"]["normal_fpr"]
        yield (
            f"the promise of the pixel threshold is broken: {found:.2g} of clean good "
            f"pixels are called, at least {at_least:.2g} at 95 %; the quantile promises {share:.2g}"
        )


def _good_parts(outcomes: Outcomes) -> tuple[int, int]:
    """Return how many good parts are rejected, each by the share of its images, and of how many."""
    ratio = ratio_of(metric_called("false_reject_rate"), outcomes)
    by_part = ratio.by_part(parts_of(outcomes.labels, outcomes.groups))
    shown = by_part.denominator > 0
    shares = by_part.numerator[shown] / by_part.denominator[shown]
    return int(shares.sum() + ROUNDING), int(shown.sum())


def _on_false_alarms(source: Source) -> Iterator[str]:
    """Say where good parts may all be rejected, and no limit would mind."""
    seeing = [name for name, metric in known_metrics().items() if "false alarms" in metric.sees]
    free = [
        condition
        for condition in source.measured
        if not any((condition, metric) in source.judged for metric in seeing)
    ]
    rates = {c: source.metrics[c]["false_reject_rate"] or 0.0 for c in free}
    worst = max(rates, key=rates.__getitem__, default="")
    if source.verdicts and rates.get(worst):
        yield (
            f"no limit on false alarms under {len(free)} of {len(source.measured)} conditions: "
            f"false_reject_rate reaches {rates[worst]:.3g} there ({worst})"
        )

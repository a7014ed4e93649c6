"""Where scores and latencies lie, condition by condition, beside what judges them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.reports.pages.html.charts.canvas import ACCENT, DEFECT, NORMAL
from pytest_robustbench.reports.pages.html.charts.ranges import Range, RangeRow, ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from pytest_robustbench.reports.pages.source import Plain, Source

    Floats = NDArray[np.float64]

SPREAD = (0.05, 0.25, 0.5, 0.75, 0.95)
TAIL = 0.999
"""Of background pixels the upper tail decides: one in a thousand lies above."""
WHOLE = (0.0, 0.25, 0.5, 0.75, 1.0)
LATENCY = "latency_ms_per_image"


def pixel_scores(source: Source) -> Markup | None:
    """Draw the pixel scores beside the pixel threshold; ``None`` where a report lacks either."""
    rows = [
        RangeRow(condition, found)
        for condition, record in source.measured.items()
        if (found := _of_pixels(record.get("pixel_scores")))
    ]
    point = source.plain["operating_point"]
    threshold = None if point is None else point["pixel_threshold"]
    if not rows or threshold is None:
        return None
    description = f"Pixel scores by condition; the pixel threshold is {threshold}"
    key = f"{source.title}-pixels"
    return ranges(key, description, rows, "pixel score", threshold)


def _of_pixels(plain: Plain | None) -> dict[str, Range]:
    if plain is None:
        return {}
    kinds = ((NORMAL, "background", (*SPREAD, TAIL)), (DEFECT, "defect", SPREAD))
    found = {colour: _at(plain, kind, levels) for colour, kind, levels in kinds}
    return {colour: each for colour, each in found.items() if each is not None}


def _at(plain: Plain, kind: str, levels: Sequence[float]) -> Range | None:
    known = dict(zip(plain["level"], plain[kind], strict=False))
    if not all(level in known for level in levels):
        return None
    return Range(*(known[level] for level in levels))


def image_scores(source: Source) -> Markup | None:
    """Draw the image scores beside the image threshold; ``None`` where nothing was measured."""
    rows = [RangeRow(c, dict(_of_images(source, c))) for c in source.measured]
    point = source.plain["operating_point"]
    if not rows or point is None:
        return None
    threshold = point["image_threshold"]
    description = f"Image scores by condition; the image threshold is {threshold}"
    return ranges(f"{source.title}-images", description, rows, "image score", threshold)


def _of_images(source: Source, condition: str) -> Iterator[tuple[str, Range]]:
    score = np.array(source.records[condition]["per_image"]["score"], np.float64)
    labels = np.asarray(source.labels(condition))
    for colour, label in ((NORMAL, 0), (DEFECT, 1)):
        of_kind = score[(labels == label) & np.isfinite(score)]
        if of_kind.size:
            yield colour, _range(of_kind, WHOLE)


def latencies(source: Source) -> Markup | None:
    """Draw the timed calls beside the limits on their median; ``None`` without any."""
    rows = [
        RangeRow(c, {ACCENT: _range(r["latency"]["calls_ms"], SPREAD)}, _limit(source, c))
        for c, r in source.measured.items()
    ]
    if not rows:
        return None
    medians = ", ".join(_medians(source.measured))
    description = f"Milliseconds per image by condition; medians: {medians}"
    return ranges(f"{source.title}-latency", description, rows, "ms per image")


def _limit(source: Source, condition: str) -> float | None:
    verdict = source.judged.get((condition, LATENCY))
    return None if verdict is None else verdict.limit.value


def _medians(records: Mapping[str, Plain]) -> Iterable[str]:
    return (f"{c} {r[LATENCY]:.3g}" for c, r in records.items())


def _range(values: Sequence[float] | Floats, levels: Sequence[float]) -> Range:
    low, inner_low, middle, inner_high, high = np.quantile(np.asarray(values), levels).tolist()
    return Range(low, inner_low, middle, inner_high, high)

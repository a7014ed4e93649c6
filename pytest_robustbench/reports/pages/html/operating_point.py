"""The frozen thresholds in words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.reports.pages.html.figures import brief

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.reports.pages.source import Plain

METHODS = MappingProxyType(
    {
        "holdout": "calibrated on {} train images held out from fitting",
        "crossfit": "calibrated on all {} train images, each by a detector that never saw it",
        "images": "calibrated on {} normal images of their own",
        "given": "given, not calibrated in this run",
    }
)


def operating_point(plain: Plain) -> list[tuple[str, str]]:
    """Return names and values of what is known of the thresholds; nothing without any."""
    point = plain["operating_point"]
    return [] if point is None else list(_facts(point))


def _facts(point: Plain) -> Iterator[tuple[str, str]]:
    yield "thresholds", METHODS[point["method"]].format(point["n_images"])
    if point["pixel_threshold"] is not None:
        yield "pixel threshold", f"{brief(point['pixel_threshold'])}{_quantile(point, 'pixel')}"
    yield "image threshold", f"{brief(point['image_threshold'])}{_quantile(point, 'image')}"
    expected = point.get("expected_false_reject_rate")
    if expected is not None:
        yield "to be expected", f"{expected:.1%} of good parts above the image threshold"
    yield from _health(point)
    yield "digest", str(point["digest"])


def _quantile(point: Plain, kind: str) -> str:
    quantile = point[f"{kind}_normal_quantile"]
    what = "pixels" if kind == "pixel" else "images"
    return "" if quantile is None else f" (quantile {quantile:g} of the normal {what})"


def _health(point: Plain) -> Iterator[tuple[str, str]]:
    interval, health = point.get("interval"), point.get("health")
    if interval is not None:
        low, high = map(brief, interval)
        yield "without any one image", f"the pixel threshold would lie at {low} to {high}"
    if health is not None:
        share = f"{health['largest_tail_share']:.0%}"
        images = f"{health['n_tail_images']} of {health['n_images']} images"
        largest = f"the largest share, {share}, is that of {health['largest_tail_image']}"
        yield "rests on", f"pixels of {images}; {largest}"

"""Names and values: the frozen thresholds in words, and where a report comes from."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml

from pytest_robustbench.metrics.thresholds.promise import FalseRejects
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
DIGESTS = {"config": "configuration", "dataset": "test images", "model": "detector"}
SOURCES = {"code": "its code, SHA-256", "files": "its files, SHA-256"}


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
        most = FalseRejects(point["n_parts"], expected).at_most
        told = f"{expected:.1%} of good parts above the image threshold, at most {most:.1%} at 95 %"
        yield "to be expected", told
    yield from _health(point)
    yield from _redrawn(point)
    yield "digest", str(point["digest"])


def _quantile(point: Plain, kind: str) -> str:
    quantile = point[f"{kind}_normal_quantile"]
    what = "pixels" if kind == "pixel" else "images"
    return "" if quantile is None else f" (quantile {quantile:g} of the normal {what})"


def _health(point: Plain) -> Iterator[tuple[str, str]]:
    interval, health = point.get("interval"), point.get("health")
    unit = "image" if point["n_parts"] == point["n_images"] else "part"
    if interval is not None:
        low, high = map(brief, interval)
        yield f"without any one {unit}", f"the pixel threshold would lie at {low} to {high}"
    if health is not None:
        share = f"{health['largest_tail_share']:.0%}"
        images = f"{health['n_tail_images']} of {health['n_images']} images"
        of_part = "" if unit == "image" else "the part of "
        largest = f"the largest share, {share}, is that of {of_part}{health['largest_tail_image']}"
        yield "rests on", f"pixels of {images}; {largest}"


def _redrawn(point: Plain) -> Iterator[tuple[str, str]]:
    for kind in ("pixel", "image") if point.get("redrawn") else ():
        ends = point["redrawn"][0][f"{kind}_threshold"]
        if ends is not None:
            low, high = ("any value" if end is None else brief(end) for end in ends)
            what = f"the {kind} threshold would lie at {low} to {high}, in 95 of 100 cases"
            yield f"on other good images, {kind}s", what


def provenance(plain: Plain) -> Iterator[tuple[str, str]]:
    """Yield names and values of everything that identifies a run."""
    environment = plain["environment"]
    yield "measured", str(plain["started"])
    yield "command", str(plain["command"])
    yield "profile", str(plain["profile"] or "none")
    yield "data", f"{plain['dataset']}, {plain['category']}{_images(plain)}"
    yield "detector", str(plain["model"])
    for kind, what in SOURCES.items():
        told = [f"{file} {sha256[:12]}" for file, sha256 in plain["sources"][kind].items()]
        if told:
            yield what, ", ".join(told)
    for name, what in DIGESTS.items():
        yield f"SHA-256, {what}", str(plain["sha256"][name] or "not known")
    yield "git commit", str(environment.get("git_commit") or "none")
    packages = [f"{name} {version}" for name, version in environment["packages"].items()]
    yield (
        "versions",
        ", ".join(
            [
                f"pytest-robustbench {environment['pytest_robustbench']}",
                f"Python {environment['python']}",
                *packages,
            ]
        ),
    )
    cores = environment.get("cpu_count")
    machine = [environment["platform"], environment["cpu"], *([f"{cores} cores"] if cores else [])]
    yield "machine", ", ".join(map(str, [*machine, f"device {environment['device']}"]))
    yield from _accepted(plain)


def _images(plain: Plain) -> str:
    samples = plain["samples"]
    if samples is None:
        return ""
    defects = sum(samples["label"])
    return f"; {len(samples['id'])} test images, {defects} of them with defects"


def _accepted(plain: Plain) -> Iterator[tuple[str, str]]:
    accepted = plain.get("accepted")
    if accepted:
        yield "accepted as baseline", f"{accepted['date']}: {accepted['reason']}"


def as_yaml(plain: Plain) -> str:
    """Return plain data as YAML, for people to read."""
    # `default_flow_style=None`: short lists and mappings on one line.
    return yaml.safe_dump(
        dict(plain), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )

"""The worst images of every condition, and how to see them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.evaluation.measure.exhibits import telling_images
from pytest_robustbench.reports.file.record_integrity import counts_pixels
from pytest_robustbench.reports.pages.drawing import data_uri
from pytest_robustbench.reports.pages.html.figures import apart, brief, exceeds
from pytest_robustbench.reports.pages.reproduction import command_for
from pytest_robustbench.reports.pages.thumbnails import Thumbnails, thumbnail_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_robustbench.reports.pages.source import Plain, Source

COUNTS = ("tp", "fp", "fn", "tn")
PANELS = "image, outline of the defect"
CALLED = "what the frozen threshold calls anomalous"


def gallery(source: Source, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield each condition that was tried, with its worst images and what measures it again.

    Parameters
    ----------
    source : Source
        The report.
    folder : Path
        Where the commands start from.
    """
    thumbnails = Thumbnails(source.path)
    for condition in source.records:
        badge, word = condition_badge(source, condition)
        error = source.errors.get(condition, "")
        images = [] if error else list(_images(source, condition, thumbnails))
        yield {
            "condition": condition,
            "badge": badge,
            "word": word,
            "images": images,
            "command": command_for(source.plain, condition, source.path, folder),
            "called": bool(images) and counts_pixels(source.records[condition]),
            "error": error,
        }


def thumbnail_names(source: Source) -> set[str]:
    """Return the names of all pictures that a page shows."""
    digest = _operating_point(source)
    return {
        thumbnail_name(record["per_image"]["digest"][index], digest)
        for condition, record in source.measured.items()
        for index in _worst(source, condition)
    }


def condition_badge(source: Source, condition: str) -> tuple[str, str]:
    """Return how a condition was judged: a class of the style, and a word."""
    if condition in source.errors:
        return "error", "not measured"
    verdicts = [v for (c, _), v in source.judged.items() if c == condition]
    if any(v.violated for v in verdicts):
        return "fail", "limit violated"
    if any(v.waived for v in verdicts):
        return "waived", "waived"
    if any(v.open for v in verdicts):
        return "open", "not shown"
    return ("pass", "limits hold") if verdicts else ("none", "no limit")


def _images(source: Source, condition: str, thumbnails: Thumbnails) -> Iterator[dict[str, str]]:
    record, digest = source.records[condition], _operating_point(source)
    samples, panels = source.samples(condition), _panels(record)
    for index in _worst(source, condition):
        sample, what = samples["id"][index], _wrong(record, samples, index)
        picture = thumbnails.read(thumbnail_name(record["per_image"]["digest"][index], digest))
        yield {
            "sample": sample,
            "what": what,
            "picture": "" if picture is None else data_uri(picture),
            "alternative": f"{sample} under {condition}: {panels}; {what}",
        }


def _panels(record: Plain) -> str:
    return f"{PANELS}, {CALLED}" if counts_pixels(record) else PANELS


def _operating_point(source: Source) -> str:
    return str(source.plain["operating_point"]["digest"]) if source.measured else ""


def _worst(source: Source, condition: str) -> list[int]:
    record, labels = source.records[condition], np.asarray(source.labels(condition), np.int64)
    columns = record["per_image"]
    counts = np.array([columns[name] for name in COUNTS], np.float64)
    # As it was measured: in float32 a score may equal the threshold.
    score = np.array(columns["score"], np.float64).astype(np.float32)
    return telling_images(labels, score, counts, record["results"]["threshold"])


def _wrong(record: Plain, samples: Plain, index: int) -> str:
    score, threshold = record["per_image"]["score"][index], record["results"]["threshold"]
    is_above = exceeds(score, threshold)
    kind = {(1, False): "missed", (0, True): "false reject"}.get(
        (samples["label"][index], is_above)
    )
    shown, limit = apart(score, threshold)
    told = f"score {shown} {'above' if is_above else 'not above'} the image threshold {limit}"
    return "; ".join([*([kind] if kind else []), told, *_pixels(record, samples, index)])


def _pixels(record: Plain, samples: Plain, index: int) -> Iterator[str]:
    is_defect = samples["label"][index]
    if is_defect and not samples["mask_known"][index]:
        yield "mask not known"
    tp, fp, fn, tn = (record["per_image"][name][index] for name in COUNTS)
    if tp is None:
        return
    if is_defect:
        yield f"SegF1 {brief(2 * tp / max(2 * tp + fp + fn, 1))}"
    else:
        yield f"{fp / max(fp + tn, 1):.2%} of its pixels called anomalous"

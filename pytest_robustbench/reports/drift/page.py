"""A drift as a page: what has changed, and pictures before, before with the drift, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.drift.change import imitated
from pytest_robustbench.reports.drift.snippet import snippet
from pytest_robustbench.reports.drift.words import (
    compared,
    headline,
    quantity_rows,
    remainder_rows,
    remarks,
)
from pytest_robustbench.reports.pages.drawing import data_uri, jpeg, shrunk
from pytest_robustbench.reports.pages.html.templates import rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.datasets.split import Sample
    from pytest_robustbench.drift.measuring import Drift
    from pytest_robustbench.reports.drift.model import DriftRecord

SHOWN = 6
"""Pictures of a strip."""
LONGEST = 170
QUALITY = 88


def drift_page(record: DriftRecord, drift: Drift) -> str:
    """Return the page, self-contained.

    Raises
    ------
    ReportError
        If the packages of the extra ``report`` are not installed.
    """
    before, after = _pictures(drift.before.samples), _pictures(drift.after.samples)
    fitted = [
        imitated(image, drift.change, drift.response, seed=index)
        for index, image in enumerate(before)
    ]
    told = [one.told for one in record.estimates.values()]
    changed = record.before.jpeg_quality != record.after.jpeg_quality
    rows = zip(quantity_rows(record), [*told, changed], strict=True)
    return rendered(
        "drift.html",
        name=record.name,
        headline=headline(record),
        compared=compared(record),
        rows=[{"title": title, "text": text, "told": known} for (title, text), known in rows],
        remainders=remainder_rows(record),
        remarks=list(remarks(record)),
        snippet=snippet(record),
        strips=[
            _strip("Before", before),
            _strip("Before, with the drift that was found", fitted),
            _strip("After", after),
        ],
    )


def _pictures(samples: Sequence[Sample]) -> list[Image]:
    store = PictureStore()
    chosen = np.linspace(0, len(samples) - 1, min(SHOWN, len(samples))).round().astype(int)
    return [store.load(samples[index]).image for index in chosen.tolist()]


def _strip(title: str, images: Sequence[Image]) -> dict[str, Any]:
    small = [shrunk(image, LONGEST) for image in images]
    tiles = [
        {
            "uri": data_uri(jpeg(image, QUALITY)),
            "alt": f"{title}, picture {number}",
            "height": image.shape[0],
            "width": image.shape[1],
        }
        for number, image in enumerate(small, start=1)
    ]
    return {"title": title, "tiles": tiles}

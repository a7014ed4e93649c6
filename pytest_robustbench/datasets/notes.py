"""What a reader of the results should know about the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.datasets.split import DEFECT, NORMAL, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.split import Sample


def notes_on_test_part(
    test: Sequence[Sample], orphans: Sequence[str] = (), empty: Sequence[str] = ()
) -> tuple[str, ...]:
    """Say what is missing from a test part: masks, images of masks, a whole class.

    Parameters
    ----------
    test : sequence of Sample
        The test part.
    orphans : sequence of str
        Masks that belong to none of its images.
    empty : sequence of str
        Folders that should hold images and hold none.
    """
    unknown = [sample.id for sample in test if sample.mask_is_unknown]
    labels = {sample.label for sample in test}
    notes = []
    if unknown:
        notes.append(f"defect images without a mask: {len(unknown)} ({listed(unknown)})")
    if orphans:
        notes.append(f"masks without an image: {len(orphans)} ({listed(orphans)})")
    if empty:
        notes.append(f"folders without an image: {len(empty)} ({listed(empty)})")
    if len(labels) == 1:
        missing = "defect" if labels == {NORMAL} else "normal"
        notes.append(f"the test part has no {missing} image: image-level metrics are not defined")
    return tuple(notes)


def defects_left_out(train: Sequence[Sample]) -> tuple[str, ...]:
    """Say how many defect images a published train part has, on which nothing is fitted."""
    defects = [sample.id for sample in train if sample.label == DEFECT]
    if not defects:
        return ()
    return (f"defect images of the train part left out: {len(defects)} ({listed(defects)})",)

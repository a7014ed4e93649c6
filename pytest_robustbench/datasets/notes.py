"""What a reader of the results should know about the data."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import unread_images
from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

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
    labels = {sample.label for sample in test}
    missing = "defect" if labels == {NORMAL} else "normal"
    one_class = f"the test part has no {missing} image: metrics that need both are not defined"
    return (
        *counted("defect images without a mask", [s.id for s in test if s.mask_is_unknown]),
        *counted("masks without an image", orphans),
        *counted("folders without an image", empty),
        *([one_class] if len(labels) == 1 else []),
    )


def counted(what: str, names: Sequence[str], advice: str = "") -> tuple[str, ...]:
    """Say how many there are and which come first; nothing where there is none."""
    more = f"; {advice}" if advice else ""
    return (f"{what}: {len(names)} ({listed(names)}){more}",) if names else ()


def unread_files(
    root: Path, folders: Iterable[Path], *, recursive: bool = False
) -> tuple[str, ...]:
    """Say how many images of formats that are not read lie in `folders`, named from `root`."""
    names = [
        os.path.relpath(path, root).replace(os.sep, "/")
        for folder in folders
        for path in unread_images(folder, recursive=recursive)
    ]
    return counted("image files of a format that is not read", names, "convert them to png")


def graded_masks(ids: Sequence[str]) -> tuple[str, ...]:
    """Say which samples have a mask with several non-zero values, by `Picture.graded_mask`."""
    reason = (
        "every non-zero pixel counts as defect, so a mask resized smoothly or stored with losses "
        "marks too much"
    )
    return counted("masks with several non-zero values", ids, reason)


def defects_left_out(train: Sequence[Sample]) -> tuple[str, ...]:
    """Say how many defect images a published train part has, on which nothing is fitted."""
    defects = [sample.id for sample in train if sample.label == DEFECT]
    return counted("defect images of the train part left out", defects)

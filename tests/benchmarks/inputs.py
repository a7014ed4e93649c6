"""What is measured on: real images where ROBUSTBENCH_TEST_DATA names them, else drawn ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest_robustbench as rb
from pytest_robustbench.datasets.pictures.picture import read_picture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.datasets.pictures.picture import Picture
    from pytest_robustbench.datasets.split import Sample, Split

DRAWN = "woven_fabric"


class Inputs(NamedTuple):
    """A split, and where it comes from, for a reader of the table."""

    split: Split
    origin: str


def inputs(category: str, size: int, **drawn: int) -> Inputs:
    """Return a real category, or as many drawn images as `drawn` says.

    Parameters
    ----------
    category : str
        A folder of ``mvtec_layout`` in the real data.
    size : int
        Height and width of the images.
    **drawn : int
        Numbers of drawn images: `n_train`, `n_test_good`, `n_defect`.
    """
    folder = os.environ.get("ROBUSTBENCH_TEST_DATA")
    if folder:
        root = Path(folder, "mvtec_layout")
        split = rb.load_split("mvtec", root=root, category=category, resize=(size, size))
        return Inputs(split, f"real images: {category}")
    split = rb.load_split("synthetic", category=DRAWN, size=size, **drawn)
    return Inputs(split, f"drawn images ({DRAWN}), as ROBUSTBENCH_TEST_DATA is not set")


def pictures(split: Split, samples: Iterable[Sample]) -> list[Picture]:
    """Decode samples of a split."""
    return [read_picture(sample, split.resize) for sample in samples]

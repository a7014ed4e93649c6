"""The folder layout of MVTec AD.

::

    <category>/train/good/000.png
    <category>/validation/good/000.png              optional: calibration images
    <category>/test/good/000.png
    <category>/test/crack/000.png
    <category>/ground_truth/crack/000_mask.png      or 000.png, or a folder 000/ of masks

The trees of LOCO and AD 2 are near enough to be read as well; `load_mvtec_loco` and
`load_mvtec_ad2` also check what is special about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import subfolders
from pytest_robustbench.datasets.formats.recognition import by_mark
from pytest_robustbench.datasets.formats.trees import TreeLayout, read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Split

LAYOUT = TreeLayout("mvtec", tests=("test", "test_public"))


def load_mvtec(
    *,
    root: Path,
    category: str | None = None,
) -> Split:
    """Read one category; parameters and errors are those of `read_tree`."""
    return read_tree(LAYOUT, root, category)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise a tree of this kind that is of no more special format."""
    return by_mark("mvtec", has_marks, root, category)


def has_marks(folder: Path) -> bool:
    """Tell whether a folder has normal train images, and types of test images."""
    return (folder / "train/good").is_dir() and bool(subfolders(folder / "test"))

"""The folder layout of MVTec 3D-AD, of which the photographs are read.

::

    <category>/train/good/rgb/000.png
    <category>/validation/good/rgb/000.png
    <category>/test/good/rgb/000.png
    <category>/test/crack/rgb/000.png
    <category>/test/crack/gt/000.png                mask
    <category>/test/crack/xyz/000.tiff              not read
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

LAYOUT = TreeLayout("mvtec_3d", images="rgb", masks="gt")


def load_mvtec_3d(
    *,
    root: Path,
    category: str | None = None,
) -> Split:
    """Read one category; parameters and errors are those of `read_tree`."""
    return read_tree(LAYOUT, root, category)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise MVTec 3D-AD by its folders of photographs."""

    def is_category(folder: Path) -> bool:
        tested = [path / "rgb" for path in subfolders(folder / "test")]
        return (folder / "train/good/rgb").is_dir() and any(path.is_dir() for path in tested)

    return by_mark("mvtec_3d", is_category, root, category)

"""The folder layout of BTAD (beanTech).

::

    <category>/train/ok/0000.bmp
    <category>/test/ok/0000.bmp
    <category>/test/ko/0000.bmp
    <category>/ground_truth/ko/0000.png     .png or .bmp, whatever the image has; not in all exports
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.datasets.formats.recognition import by_mark
from pytest_robustbench.datasets.formats.trees import TreeLayout, read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Split

LAYOUT = TreeLayout("btad", good="ok", types=("ok", "ko"))


def load_btad(
    *,
    root: Path,
    category: str | None = None,
) -> Split:
    """Read one category, such as ``01``; parameters and errors are those of `read_tree`."""
    return read_tree(LAYOUT, root, category)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise BTAD by its names of labels."""

    def is_category(folder: Path) -> bool:
        labels = [folder / "test" / label for label in ("ok", "ko")]
        return (folder / "train/ok").is_dir() and any(label.is_dir() for label in labels)

    return by_mark("btad", is_category, root, category)

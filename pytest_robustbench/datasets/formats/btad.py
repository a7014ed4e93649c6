"""The folder layout of BTAD (beanTech).

::

    <category>/train/ok/0000.bmp
    <category>/test/ok/0000.bmp
    <category>/test/ko/0000.bmp
    <category>/ground_truth/ko/0000.png     .png or .bmp, whatever the image has; not in all exports
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.datasets.formats.trees import TreeLayout, read_tree

if TYPE_CHECKING:
    import os

    from pytest_robustbench.datasets.split import Split

LAYOUT = TreeLayout("btad", good="ok", types=("ok", "ko"))


def load_btad(
    *,
    root: str | os.PathLike[str] | None = None,
    category: str | None = None,
    resize: tuple[int, int] | None = None,
) -> Split:
    """Read one category.

    Parameters
    ----------
    root : path-like
        Folder that holds the categories ``01``, ``02`` and ``03``, or the category's own folder
        when `category` is not given.
    category : str, optional
        Name of the category's folder.
    resize : (int, int), optional
        Height and width.

    Raises
    ------
    MissingDataError
        If the root does not exist, or holds no category at all.
    DatasetError
        If another folder is missing, empty or not of this layout, or a mask is ambiguous.
    """
    return read_tree(LAYOUT, root, category, resize)

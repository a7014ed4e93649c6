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

from pytest_robustbench.datasets.formats.trees import TreeLayout, read_tree

if TYPE_CHECKING:
    import os

    from pytest_robustbench.datasets.split import Split

LAYOUT = TreeLayout("mvtec", tests=("test", "test_public"))


def load_mvtec(
    *,
    root: str | os.PathLike[str] | None = None,
    category: str | None = None,
    resize: tuple[int, int] | None = None,
) -> Split:
    """Read one category.

    Parameters
    ----------
    root : path-like
        Folder that holds the categories, or the category's own folder when `category` is not given.
    category : str, optional
        Name of the category's folder.
    resize : (int, int), optional
        Height and width.

    Returns
    -------
    Split
        ``validation/good``, where there is one, is its calibration part.

    Raises
    ------
    MissingDataError
        If the root does not exist, or holds no category at all.
    DatasetError
        If another folder is missing or empty, or a mask is ambiguous.
    """
    return read_tree(LAYOUT, root, category, resize)

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

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import subfolders
from pytest_robustbench.datasets.formats.recognition import by_mark
from pytest_robustbench.datasets.formats.trees import TreeLayout, category_folder, read_tree
from pytest_robustbench.datasets.neighbours import check_mask_suffix, suffix_beside

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Split

LAYOUT = TreeLayout("mvtec", tests=("test", "test_public"))


def load_mvtec(
    *,
    root: Path,
    category: str | None = None,
    mask_suffix: str | None = None,
) -> Split:
    """Read one category.

    Parameters
    ----------
    root, category
        As in `read_tree`.
    mask_suffix : str, optional
        Masks lie beside their images (``test/crack/000_mask.png``), and this follows the image's
        name in theirs; see `load_folder`.

    Raises
    ------
    MissingDataError, DatasetError
        As in `read_tree`; also if no mask is called so.
    """
    folder = category_folder(root, category)
    tests = (folder / name for name in LAYOUT.tests)
    check_mask_suffix(mask_suffix, [test for test in tests if test.is_dir()])
    return read_tree(replace(LAYOUT, mask_suffix=mask_suffix), root, category)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise a tree of this kind that is of no more special format."""
    found = by_mark("mvtec", has_marks, root, category)
    if found is None or len(found.categories) > 1:
        return found
    suffix = suffix_beside(subfolders(root.joinpath(*found.categories, "test")))
    return found if suffix is None else replace(found, options={"mask_suffix": suffix})


def has_marks(folder: Path) -> bool:
    """Tell whether a folder has normal train images, and types of test images."""
    return (folder / "train/good").is_dir() and bool(subfolders(folder / "test"))

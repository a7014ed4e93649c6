"""The folder layout of MVTec AD 2.

::

    <category>/train/good/000_regular.png
    <category>/validation/good/000_regular.png
    <category>/test_public/good/000_regular.png
    <category>/test_public/bad/000_regular.png
    <category>/test_public/ground_truth/bad/000_regular_mask.png
    <category>/test_private/000_regular.png         no labels
    <category>/test_private_mixed/000_mixed.png     no labels
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.datasets.formats.recognition import by_mark
from pytest_robustbench.datasets.formats.trees import TreeLayout, category_folder, read_tree
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Split

PUBLIC = "test_public"
PRIVATE = ("test_private", "test_private_mixed")

LAYOUT = TreeLayout("mvtec_ad2", tests=(PUBLIC,), types=("good", "bad"))


def load_mvtec_ad2(
    *,
    root: Path,
    category: str | None = None,
    test_part: str = PUBLIC,
) -> Split:
    """Read one category.

    Parameters
    ----------
    root, category
        As in `read_tree`.
    test_part : str
        ``test_public``. The private parts are refused: their labels are withheld by the publisher.

    Raises
    ------
    MissingDataError, DatasetError
        As in `read_tree`; also if a private part is asked for, or the only one there.
    """
    if test_part in PRIVATE:
        raise _withheld(test_part)
    if test_part != PUBLIC:
        raise DatasetError(
            f"there is no test part {test_part!r}; {suggestion(test_part, [PUBLIC])}"
        )
    folder = category_folder(root, category)
    parts = [part for part in (PUBLIC, *PRIVATE) if (folder / part).is_dir()]
    if parts and PUBLIC not in parts:
        raise _withheld(parts[0])
    return read_tree(LAYOUT, root, category)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise AD 2 by the names of its test parts."""
    parts = (PUBLIC, *PRIVATE)
    return by_mark("mvtec_ad2", lambda own: any((own / p).is_dir() for p in parts), root, category)


def _withheld(part: str) -> DatasetError:
    return DatasetError(
        f"{part} cannot be measured here: the publisher of MVTec AD 2 withholds its labels, and "
        f"only the publisher's evaluation server has results for it; use {PUBLIC}"
    )

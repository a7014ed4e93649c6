"""The folder layouts of VisA: as published, and as its own script converts it for PyTorch.

::

    <root>/split_csv/1cls.csv                              object,split,label,image,mask
    <root>/<category>/Data/Images/Normal/0000.JPG
    <root>/<category>/Data/Images/Anomaly/000.JPG
    <root>/<category>/Data/Masks/Anomaly/000.png           small values: every non-zero one counts

    <root>/visa_pytorch/1cls/<category>/train/good/0000.JPG       or with less of the way to it
    <root>/visa_pytorch/1cls/<category>/test/good/0000.JPG
    <root>/visa_pytorch/1cls/<category>/test/bad/000.JPG
    <root>/visa_pytorch/1cls/<category>/ground_truth/bad/000.png
"""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import is_clutter, nfc
from pytest_robustbench.datasets.formats.listed_paths import (
    check_listed_once,
    listed_name,
    listed_path,
)
from pytest_robustbench.datasets.formats.mvtec import has_marks
from pytest_robustbench.datasets.formats.recognition import by_mark
from pytest_robustbench.datasets.formats.trees import TreeLayout, is_category, read_tree
from pytest_robustbench.datasets.notes import defects_left_out, notes_on_test_part
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.lfs import POINTER, is_pointer_file
from pytest_robustbench.naming import suggestion
from pytest_robustbench.regular_file import read_regular_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.datasets.formats.recognition import Recognised

    Row = tuple[str, dict[str, str]]
    """Where a row stands (file:line), and its cells by column."""

DEFAULT_SPLIT = "1cls"
COLUMNS = ("object", "split", "label", "image", "mask")
IMAGES = "Data/Images"
TABLES = "split_csv"
CONVERTED = ("visa_pytorch/1cls", "visa_pytorch", "1cls", ".")
"""Where converted categories may lie below the root."""

LAYOUT = TreeLayout("visa", types=("good", "bad"))

_LABELS = {"normal": NORMAL, "anomaly": DEFECT}


def load_visa(
    *,
    root: Path,
    category: str | None = None,
    split_csv: str | None = None,
) -> Split:
    """Read one category; the published layout goes before the converted one.

    Parameters
    ----------
    root, category
        As in `read_tree`.
    split_csv : str, optional
        Which table of the folder ``split_csv`` names train and test images: ``1cls`` (default),
        ``2cls_fewshot`` or ``2cls_highshot``. Only for the published layout. Defect images in the
        train part of a table are left out, and a note says how many.

    Raises
    ------
    MissingDataError, DatasetError
        As in `read_tree`; also if the table or a file it names is missing, or a row is malformed.
    """
    places = (root / place for place in CONVERTED)
    converted = next((place for place in places if is_category(place / (category or ""))), None)
    published = _published(root, category, or_listed=converted is None)
    if published is not None:
        return _listed_split(*published, split_csv or DEFAULT_SPLIT)
    if split_csv is not None:
        raise DatasetError(
            f"split_csv chooses a table of VisA's published layout, which {root} has not"
        )
    return read_tree(LAYOUT, converted or root, category)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise VisA in either layout."""
    found = by_mark("visa", lambda own: (own / IMAGES / "Normal").is_dir(), root, category)
    if found is not None:
        return found
    if "visa_pytorch" in root.resolve().parts:
        return by_mark("visa", has_marks, root, category)
    homes = [root / place for place in CONVERTED if place.startswith("visa_pytorch")]
    answers = (by_mark("visa", has_marks, home, category) for home in homes if home.is_dir())
    return next((answer for answer in answers if answer is not None), None)


def _published(base: Path, category: str | None, *, or_listed: bool) -> tuple[Path, str] | None:
    """Return the root and the category, if that is there in the published layout.

    With `or_listed` it is enough that there are tables, which tell a category misspelt.
    """
    if category is not None:
        found = (base / category / IMAGES).is_dir() or (or_listed and (base / TABLES).is_dir())
        return (base, category) if found else None
    own = base.resolve()
    return (own.parent, own.name) if (own / IMAGES).is_dir() else None


def _listed_split(base: Path, category: str, table_name: str) -> Split:
    table = _table(base, table_name)
    rows = _rows(table)
    own = [row for row in rows if row[1]["object"] == category]
    if not own:
        objects = sorted({cells["object"] for _, cells in rows})
        raise DatasetError(
            f"{table} lists no image of {category!r}; {suggestion(category, objects)}"
        )
    written = [(where, cells["image"]) for where, cells in own]
    check_listed_once((where, name, listed_path(base, name, where)) for where, name in written)
    train, test = _samples(base, own, "train"), _samples(base, own, "test")
    normals = tuple(sample for sample in train if sample.label == NORMAL)
    return Split(
        dataset="visa",
        category=nfc(category),
        train=normals,
        test=test,
        root=str(base),
        notes=(*defects_left_out(train), *notes_on_test_part(test)),
    )


def _table(base: Path, name: str) -> Path:
    folder = base / TABLES
    names = sorted(path.stem for path in folder.glob("*.csv") if not is_clutter(path.name))
    if not names:
        raise DatasetError(
            f"{folder}: there is no table of train and test images (such as 1cls.csv)"
        )
    if name.removesuffix(".csv") not in names:
        raise DatasetError(
            f"split_csv: there is no {name!r} in {folder}; {suggestion(name, names)}"
        )
    return folder / f"{name.removesuffix('.csv')}.csv"


def _rows(table: Path) -> list[Row]:
    if is_pointer_file(table):
        raise DatasetError(f"{table} {POINTER}")
    try:
        text = StringIO(read_regular_text(table), newline="")
        reader = csv.DictReader(text, restval="", strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DatasetError(f"{table}:1: the columns are {','.join(COLUMNS)}, in this order")
        return [_row(cells, f"{table}:{reader.line_num}") for cells in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{table} cannot be read: {error}") from error


def _row(cells: dict[str, str], where: str) -> Row:
    if None in cells:
        raise DatasetError(f"{where}: a row has {len(COLUMNS)} cells ({','.join(COLUMNS)})")
    for column, valid in (("split", ("train", "test")), ("label", tuple(_LABELS))):
        if cells[column] not in valid:
            raise DatasetError(f"{where}: {column} is {' or '.join(valid)}, not {cells[column]!r}")
    return where, cells


def _samples(base: Path, rows: Sequence[Row], part: str) -> tuple[Sample, ...]:
    return tuple(_sample(base, *row) for row in rows if row[1]["split"] == part)


def _sample(base: Path, where: str, cells: dict[str, str]) -> Sample:
    label = _LABELS[cells["label"]]
    mask = cells["mask"].strip()
    name = PurePosixPath(listed_name(cells["image"]))
    return Sample(
        id=f"{cells['split']}/{name.parent.name}/{name.stem}",
        label=label,
        image=listed_path(base, cells["image"], where),
        mask=listed_path(base, mask, where) if mask else None,
        defect_type="bad" if label == DEFECT else "good",
    )

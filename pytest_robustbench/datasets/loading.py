"""From the name of a dataset format and its options to a split."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.catalogue import FORMATS, NAMES, format_named, part_of
from pytest_robustbench.datasets.files import required_root
from pytest_robustbench.datasets.formats.recognition import recognised_format
from pytest_robustbench.datasets.grouping import grouped
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.naming import name_problem, suggestion

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pytest_robustbench.datasets.catalogue import Format
    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Split


def load_split(
    dataset: str,
    *,
    root: str | os.PathLike[str] | None = None,
    category: str | None = None,
    resize: Sequence[int] | None = None,
    bit_depth: int | None = None,
    group: str | None = None,
    response: str | None = None,
    **options: Any,
) -> Split:
    """List the images of one category; nothing is decoded yet.

    Parameters
    ----------
    dataset : str
        Name of the format, one of `catalogue.NAMES`.
    root : path-like, optional
        Folder of the data.
    category : str, optional
        Name of the category.
    resize : (int, int), optional
        Height and width every image and mask is resized to; ``None`` keeps each image's own size.
    bit_depth : {8, 10, 12, 14, 16}, optional
        Bits that images in 16-bit files use, from the least significant one; all by default.
    group : str, optional
        Regular expression that tells the part from the name of an image; see
        `grouping.grouped`. By default each image shows a part of its own, or what the format says.
    response : {"srgb", "linear"}, optional
        What the camera makes of light: about its square root, as pictures for the eye have it, or
        grey levels in proportion to it, as machine-vision cameras often do. The first by default.
    **options
        What the format takes beside these: see its loader, such as `load_folder`.

    Returns
    -------
    Split

    Raises
    ------
    DatasetError
        If the format or an option is unknown, an option is of the wrong type, or the folders are
        not what the format promises; if they are what another format promises, the message names
        that.
    """
    row = _row(dataset)
    for_all = {"bit_depth": bit_depth, "group": group, "response": response}
    given = {"root": root, "category": category, **for_all, **options}
    _check_options(row, dataset, given)
    size: Any = tuple(resize) if isinstance(resize, list) else resize
    loader = loader_of(row)
    try:
        split = loader(root=_root(row, root), category=category, **options)
        seen_by = replace(split, resize=size, response=response or split.response)
        split = grouped(seen_by.with_bit_depth(bit_depth), group)
    except DatasetError as error:
        raise _with_advice(error, row.name, root, category) from error
    return _with_nearer_format(split, row.name, root, category)


def loader_of(row: Format) -> Callable[..., Split]:
    """Return the loader of a format, held against its row.

    Raises
    ------
    DatasetError
        Naming format and option, if there is no such function, or the row declares an option that
        it does not take, or the other way round. That is a mistake in the catalogue of formats.
    """
    loader: Callable[..., Split] = part_of(row, row.loader)
    declared, taken = set(row.arguments), set(inspect.signature(loader).parameters)
    where = f"the {row.name} format cannot be used: its row in datasets/catalogue.py names"
    for option in sorted(declared - taken):
        raise DatasetError(f"{where} the option {option!r}, which {row.loader} does not take")
    for option in sorted(taken - declared):
        raise DatasetError(f"{where} no option {option!r}, which {row.loader} takes")
    return loader


def _root(row: Format, root: str | os.PathLike[str] | None) -> Path | None:
    place = None if root is None else Path(root).expanduser()
    if row.required is None or row.required[0] != "root":
        return place
    if place is None:
        raise DatasetError(f"the {row.name} format needs `root`: {row.required[1]}")
    return required_root(place)


def _row(dataset: object) -> Format:
    if not isinstance(dataset, str):
        raise DatasetError(f"the dataset format is a text such as 'mvtec', not {dataset!r}")
    row = format_named(dataset)
    if row is None:
        raise DatasetError(f"there is no dataset format {dataset!r}; {suggestion(dataset, NAMES)}")
    return row


def _check_options(row: Format, dataset: str, given: Mapping[str, Any]) -> None:
    """Hold what is given against the options of the row."""
    options = row.declared
    for name, value in given.items():
        if name not in options:
            hint = suggestion(name, [*options, "resize"])
            raise DatasetError(f"the {dataset} format has no option {name!r}; {hint}")
        option = options[name]
        if not option.kind.accepts(value) and not (option.optional and value is None):
            wanted = option.kind.words + (" or nothing" if option.optional else "")
            raise DatasetError(f"{name} of the {dataset} format is {wanted}, not {value!r}")
        if option.kind.least is not None and value < option.kind.least:
            raise DatasetError(f"{name} is at least {option.kind.least}, not {value}")
        if option.kind.most is not None and value > option.kind.most:
            raise DatasetError(f"{name} is at most {option.kind.most}, not {value}")
    _check_category(given["category"])


def _check_category(category: object) -> None:
    problem = name_problem(category) if isinstance(category, str) else ""
    if problem:
        raise DatasetError(
            f"category is the name of one folder, not {category!r} ({problem}); a path belongs "
            "into root"
        )


def _with_advice(
    error: DatasetError, name: str, root: str | os.PathLike[str] | None, category: str | None
) -> DatasetError:
    """Add the name of the format that the folder has, where that is another one."""
    found = _recognised(root, category)
    if found is None or found.format == name:
        return error
    # The data are not missing, whatever the loader of another format took for missing.
    return DatasetError(f"{error}; {found.advice}")


def _with_nearer_format(
    split: Split, name: str, root: str | os.PathLike[str] | None, category: str | None
) -> Split:
    """Add a note that names the format that the folder has, where `name` reads it as well."""
    if not any(row.read_as == name for row in FORMATS.values()):
        return split
    found = _recognised(root, category)
    if found is None or FORMATS[found.format].read_as != name:
        return split
    return replace(split, notes=(*split.notes, f"read as {name}; {found.advice}"))


def _recognised(root: str | os.PathLike[str] | None, category: str | None) -> Recognised | None:
    try:
        return None if root is None else recognised_format(root, category)
    except DatasetError:  # a folder that cannot be listed, of which the loader spoke already
        return None

"""Dataset formats by name; reading this table imports neither numpy nor OpenCV."""

from __future__ import annotations

import inspect
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import is_plain_name
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.importing import import_object
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Split

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "btad": "pytest_robustbench.datasets.formats.btad:load_btad",
        "folder": "pytest_robustbench.datasets.formats.folder:load_folder",
        "kolektor": "pytest_robustbench.datasets.formats.kolektor:load_kolektor",
        "manifest": "pytest_robustbench.datasets.formats.manifest:load_manifest",
        "mvtec": "pytest_robustbench.datasets.formats.mvtec:load_mvtec",
        "mvtec_ad2": "pytest_robustbench.datasets.formats.mvtec_ad2:load_mvtec_ad2",
        "mvtec_loco": "pytest_robustbench.datasets.formats.mvtec_loco:load_mvtec_loco",
        "synthetic": "pytest_robustbench.datasets.synthetic.load:load_synthetic",
        "visa": "pytest_robustbench.datasets.formats.visa:load_visa",
    }
)
"""Name of a format -> import path of its loader."""

ALIASES: Mapping[str, str] = MappingProxyType({"mvtec_ad": "mvtec"})
"""Further names of formats."""

# How annotations of loaders are said in words, and what they take.
_KINDS: Mapping[str, tuple[str, tuple[type, ...]]] = MappingProxyType(
    {
        "str": ("a text", (str,)),
        "os.PathLike[str]": ("a path", (PathLike,)),
        "bool": ("true or false", (bool,)),
        "int": ("an integer", (Integral,)),
        "float": ("a number", (Real,)),
        "None": ("nothing", (NoneType,)),
    }
)
_READ_AS_MVTEC = ("mvtec_loco", "mvtec_ad2")


def load_split(
    dataset: str,
    *,
    root: str | os.PathLike[str] | None = None,
    category: str | None = None,
    resize: Sequence[int] | None = None,
    **options: Any,
) -> Split:
    """List the images of one category; nothing is decoded yet.

    Parameters
    ----------
    dataset : str
        Name of the format, a key of `FORMATS` or `ALIASES`.
    root : path-like, optional
        Folder of the data.
    category : str, optional
        Name of the category.
    resize : (int, int), optional
        Height and width every image and mask is resized to; ``None`` keeps each image's own size.
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
    loader = _loader(dataset)
    _check_options(loader, dataset, {"root": root, "category": category, **options})
    size = tuple(resize) if isinstance(resize, (list, tuple)) else resize
    name = ALIASES.get(dataset, dataset)
    try:
        split = loader(root=root, category=category, resize=size, **options)
    except DatasetError as error:
        raise _with_advice(error, name, root, category) from error
    return _with_nearer_format(split, root, category) if name == "mvtec" else split


def _check_options(
    loader: Callable[..., Split], dataset: str, options: Mapping[str, object]
) -> None:
    """Hold the options against the annotations of the loader."""
    parameters = inspect.signature(loader).parameters
    for option, value in options.items():
        if option not in parameters:
            hint = suggestion(option, parameters)
            raise DatasetError(f"the {dataset} format has no option {option!r}; {hint}")
        kinds = str(parameters[option].annotation).split(" | ")
        if not any(_is_of_kind(value, kind) for kind in kinds):
            wanted = " or ".join(_KINDS[kind][0] for kind in kinds)
            raise DatasetError(f"{option} of the {dataset} format is {wanted}, not {value!r}")
    _check_seed(options.get("seed", 0))
    _check_category(options["category"])


def _is_of_kind(value: object, kind: str) -> bool:
    types = _KINDS[kind][1]
    # A bool is an int to Python, but nobody means a number by it.
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _check_seed(seed: Any) -> None:
    if seed < 0:
        raise DatasetError(f"seed is at least 0, not {seed}")


def _check_category(category: object) -> None:
    if isinstance(category, str) and not is_plain_name(category):
        raise DatasetError(
            f"category is the name of one folder, not {category!r}; a path belongs into root"
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
    split: Split, root: str | os.PathLike[str] | None, category: str | None
) -> Split:
    found = _recognised(root, category)
    if found is None or found.format not in _READ_AS_MVTEC:
        return split
    return replace(split, notes=(*split.notes, f"read as mvtec; {found.advice}"))


def _recognised(root: str | os.PathLike[str] | None, category: str | None) -> Recognised | None:
    from pytest_robustbench.datasets.formats.recognition import recognised_format

    try:
        return None if root is None else recognised_format(root, category)
    except DatasetError:  # a folder that cannot be listed, of which the loader spoke already
        return None


def _loader(dataset: object) -> Callable[..., Split]:
    if not isinstance(dataset, str):
        raise DatasetError(f"the dataset format is a text such as 'mvtec', not {dataset!r}")
    name = ALIASES.get(dataset, dataset)
    if name not in FORMATS:
        raise DatasetError(
            f"there is no dataset format {dataset!r}; {suggestion(dataset, [*FORMATS, *ALIASES])}"
        )
    loader: Callable[..., Split] = import_object(FORMATS[name])
    return loader

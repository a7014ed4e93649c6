"""Dataset formats by name; reading this table imports neither numpy nor OpenCV."""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.errors import DatasetError
from pytest_robustbench.importing import import_object
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pytest_robustbench.datasets.split import Split

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "folder": "pytest_robustbench.datasets.folder:load_folder",
        "mvtec": "pytest_robustbench.datasets.mvtec:load_mvtec",
        "synthetic": "pytest_robustbench.datasets.synthetic:load_synthetic",
    }
)
"""Name of a format -> import path of its loader."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {"mvtec_ad": "mvtec", "mvtec_ad2": "mvtec", "mvtec_loco": "mvtec"}
)
"""Further names of formats."""


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
        Name of the format: ``mvtec``, ``folder`` or ``synthetic``.
    root : path-like, optional
        Folder of the data.
    category : str, optional
        Name of the category.
    resize : (int, int), optional
        Height and width every image and mask is resized to; ``None`` keeps each image's own size.
    **options
        What the format takes beside these: see `load_mvtec`, `load_folder`, `load_synthetic`.

    Returns
    -------
    Split

    Raises
    ------
    DatasetError
        If the format or an option is unknown, or the folders are not what the format promises.
    """
    loader = _loader(dataset)
    known = set(inspect.signature(loader).parameters)
    for option in options:
        if option not in known:
            message = f"the {dataset} format has no option {option!r}; {suggestion(option, known)}"
            raise DatasetError(message)
    size = tuple(resize) if isinstance(resize, (list, tuple)) else resize
    return loader(root=root, category=category, resize=size, **options)


def _loader(dataset: str) -> Callable[..., Split]:
    name = ALIASES.get(dataset, dataset)
    if name not in FORMATS:
        message = (
            f"there is no dataset format {dataset!r}; {suggestion(dataset, [*FORMATS, *ALIASES])}"
        )
        raise DatasetError(message)
    loader: Callable[..., Split] = import_object(FORMATS[name])
    return loader

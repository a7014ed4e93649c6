"""The pixels of a mask, wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.datasets.files import image_files
from pytest_robustbench.datasets.pictures.decoding import Decoded, decode_file, varying
from pytest_robustbench.datasets.pictures.forms import Form
from pytest_robustbench.datasets.pictures.headers import IMAGE_BUDGET
from pytest_robustbench.errors import DatasetError, InstallationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Mask
    from pytest_robustbench.datasets.split import Source


@dataclass(frozen=True, eq=False)
class DecodedMask:
    """A mask, and what its values were.

    Parameters
    ----------
    pixels : ndarray of bool, shape (H, W)
        True = defect.
    graded : bool
        Whether one of its files holds more than one non-zero value. Drawn masks hold one; several
        are the trace of smooth resizing or of losses, or name classes of defects.
    forms : tuple of Form
        What its files say beside their pixels.
    """

    pixels: Mask
    graded: bool
    forms: tuple[Form, ...] = (Form(),)


_REDRAW = "redraw it in gray without transparency: 0 for the background, 255 for the defect"


def read_mask(source: Source, budget: int = IMAGE_BUDGET) -> DecodedMask:
    """Read a mask: every non-zero pixel is defect, however small its value.

    Where alpha alone says something, what is not see-through is defect.

    Parameters
    ----------
    source : Path, array or callable
        A file, a folder whose masks are united, an array ``(H, W)`` or ``(H, W, C)``, or a function
        that returns one.
    budget : int
        Bytes that one decoded file may take.

    Returns
    -------
    DecodedMask

    Raises
    ------
    DatasetError
        If a file is missing or damaged, the masks of a folder differ in size, the shape is none of
        a mask, or nobody can tell what is defect: alpha and colour contradict each other, or
        there are several colours and none of them is black.
    """
    if isinstance(source, Path) and source.is_dir():
        masks = [read_mask(file.path, budget) for file in image_files(source)]
        union = united([mask.pixels for mask in masks], source)
        forms = tuple(form for mask in masks for form in mask.forms)
        return DecodedMask(union, any(mask.graded for mask in masks), forms)
    mask = _without_alpha(decoded(source, budget))
    try:
        return marked(mask)
    except DatasetError as error:
        name = source if isinstance(source, Path) else "a mask"
        raise DatasetError(f"{name} {error}") from error


def marked(mask: Decoded) -> DecodedMask:
    """Return what a decoded mask marks; errors are those of `read_mask`."""
    pixels = mask.pixels
    if pixels.ndim not in (2, 3):
        raise DatasetError(f"has shape (H, W) or (H, W, C), not {pixels.shape}")
    planes = pixels[:, :, None] if pixels.ndim == 2 else pixels
    coloured: Mask = (planes != 0).any(axis=2)
    if mask.alpha is not None:
        visible: Mask = mask.alpha != 0
        if _alpha_decides(planes, coloured, visible):
            return DecodedMask(visible, _several(mask.alpha[visible]), (mask.form,))
    if coloured.all() and not (planes == planes[:1, :1]).all():
        raise DatasetError(
            "marks every pixel: it holds several colours and none of them is black, so that nobody "
            f"can tell which is the background; {_REDRAW}"
        )
    background = mask.form.background or (0,)
    mostly = any(background) and (planes == background).all(axis=2).mean() > 0.5
    if mostly and not coloured.all():
        raise DatasetError(
            f"is mostly of the first colour of its palette, {background}, which is the "
            f"background by its place and defect by not being black; {_REDRAW}"
        )
    # Of a coloured mask the brightest channel, so that red alone is one value.
    return DecodedMask(coloured, _several(planes.max(axis=2, initial=0)[coloured]), (mask.form,))


def _alpha_decides(planes: NDArray[Any], coloured: Mask, visible: Mask) -> bool:
    """Tell whether a mask is meant by its alpha, and not by its colours."""
    one_colour = bool((planes == planes[:1, :1]).all())
    if not visible.all() and (one_colour or bool(coloured[visible].all())):
        return True
    if one_colour or (not visible.all() and coloured[~visible].any()):
        raise DatasetError(f"says one thing by its alpha and another by its colours; {_REDRAW}")
    return False


def _several(values: NDArray[Any]) -> bool:
    return bool(values.size) and bool(values.min() != values.max())


def _without_alpha(mask: Decoded) -> Decoded:
    """Return a mask of two or four channels with the last one as its alpha."""
    pixels = mask.pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (2, 4):
        return mask
    return Decoded(pixels[:, :, :-1], varying(pixels[:, :, -1]), mask.form)


def united(masks: Sequence[Mask], folder: Path) -> Mask:
    """Return the union of the masks of one image, which lie in `folder`.

    Raises
    ------
    DatasetError
        If there is none, or they differ in size.
    """
    shapes = {mask.shape for mask in masks}
    if len(shapes) != 1:
        sizes = ", ".join(sorted(size_text(shape) for shape in shapes)) or "none"
        raise DatasetError(f"the masks in {folder} must have one size; found: {sizes}")
    union: Mask = np.logical_or.reduce(masks)
    return union


def decoded(source: Source, budget: int = IMAGE_BUDGET) -> Decoded:
    """Return what a file, of at most `budget` bytes decoded, a function or an array holds.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, or the function raises.
    """
    if isinstance(source, Path):
        return decode_file(source, budget)
    if not callable(source):
        return Decoded(np.asarray(source))
    try:
        return Decoded(np.asarray(source()))
    except (DatasetError, InstallationError):
        raise
    except Exception as error:
        raise DatasetError(
            f"the function that should return its pixels raised {error!r}"
        ) from error


def size_text(size: tuple[int, ...]) -> str:
    """Return ``20 x 30`` for a height of 20 and a width of 30."""
    return " x ".join(str(length) for length in size)

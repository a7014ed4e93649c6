"""What a network returns, as grids of patch features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from pytest_robustbench.errors import DetectorError


@contextmanager
def trying(size: int) -> Iterator[None]:
    """Explain why a network cannot be made for, or run on, images of side `size`.

    Raises
    ------
    DetectorError
        In place of whatever else is raised inside.
    """
    try:
        yield
    except DetectorError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[-1]
        raise DetectorError(
            f"it cannot take an image of input_size {size} x {size} "
            f"({type(error).__name__}: {reason:.200}); set input_size to what it takes"
        ) from error


def as_grids(outputs: Sequence[Tensor], size: int) -> list[Tensor]:
    """Return each output as ``(1, C, h, w)`` features of a square grid.

    Parameters
    ----------
    outputs : sequence of Tensors of shape (1, C, h, w) or (1, T, C)
        Tokens are taken row by row from the end: class and register tokens, which come first, are
        those beyond the largest square number.
    size : int
        Side of the image the network saw, in pixels.

    Raises
    ------
    DetectorError
        If an output has another shape, or its grid is not square.
    """
    return [_as_grid(output, size) for output in outputs]


def chosen_outputs(
    outputs: Tensor | Sequence[Tensor] | Mapping[str, Tensor], layers: str | Sequence[str | int]
) -> list[Tensor]:
    """Return the outputs that the setting `layers` names: all of them if it is a word.

    Raises
    ------
    DetectorError
        If there is no such output.
    """
    if isinstance(outputs, Mapping):
        named = dict(outputs)
    else:
        several = [outputs] if isinstance(outputs, Tensor) else outputs
        named = {str(i): output for i, output in enumerate(several)}
    names = list(named)
    return [named[names[i]] for i in layer_indices(names, layers, range(len(names)))]


def layer_indices(
    names: Sequence[str], layers: str | Sequence[str | int], default: Sequence[int]
) -> list[int]:
    """Return the indices of the layers that a setting names, or `default` where it is a word.

    Raises
    ------
    DetectorError
        If there is no such layer, or one is named twice.
    """
    if isinstance(layers, str):
        return list(default)
    indices = [_index(names, layer) for layer in layers]
    if len(set(indices)) < len(indices):
        raise DetectorError(f"layers {list(layers)!r} name one layer twice")
    return indices


def default_indices(reductions: Sequence[float], layers: str) -> list[int]:
    """Choose layers by how much smaller than the image their grids are.

    Parameters
    ----------
    reductions : sequence of float
        Side of the image over side of the grid, from the first layer to the last.
    layers : str
        ``"auto"`` or ``"spread"``.

    Returns
    -------
    list of int
        Of a network whose grid shrinks, the last layers at reductions 8 and 16, or else of its two
        middle sizes; of one whose grid stays, the last layer, or four evenly spaced.
    """
    last_of_size = {round(reduction): i for i, reduction in enumerate(reductions)}
    if len(last_of_size) > 1:
        middle = sorted(last_of_size)[(len(last_of_size) - 1) // 2 :][:2]
        wanted = (8, 16) if {8, 16} <= set(last_of_size) else middle
        return [last_of_size[reduction] for reduction in wanted]
    depth = len(reductions)
    if layers == "auto":
        return [depth - 1]
    return sorted({math.ceil(depth * quarter / 4) - 1 for quarter in (1, 2, 3, 4)})


def _index(names: Sequence[str], layer: str | int) -> int:
    if isinstance(layer, int) and -len(names) <= layer < len(names):
        return layer % len(names)
    if layer in names:
        return names.index(str(layer))
    message = f"it has no layer {layer!r}; layers: {', '.join(names)}"
    if not all(map(str.isdigit, names)):
        message += f", or their indices 0 to {len(names) - 1}"
    raise DetectorError(message)


def _as_grid(output: Tensor, size: int) -> Tensor:
    if not isinstance(output, Tensor) or not torch.is_floating_point(output):
        raise DetectorError(f"a layer gave {_shown(output)}, not a tensor of features")
    features = output.float()
    if features.ndim == 3 and len(features) == 1:
        return _tokens_as_grid(features, size)
    if features.ndim != 4 or len(features) != 1 or features.shape[2] != features.shape[3]:
        raise DetectorError(
            f"a layer gave {_shown(output)}; expected a square grid (1, channels, h, h) or tokens "
            "(1, tokens, channels): name other layers"
        )
    return features


def _tokens_as_grid(tokens: Tensor, size: int) -> Tensor:
    side = math.isqrt(tokens.shape[1])
    if side == 0 or size % side:
        raise DetectorError(
            f"a layer gave {_shown(tokens)}: {tokens.shape[1]} tokens are no square grid over an "
            f"image of {size} x {size}, with or without class tokens before it"
        )
    grid = tokens[:, tokens.shape[1] - side * side :]
    return grid.transpose(1, 2).reshape(1, tokens.shape[2], side, side)


def _shown(output: object) -> str:
    if isinstance(output, Tensor):
        return f"shape {tuple(output.shape)}, {str(output.dtype).removeprefix('torch.')}"
    return f"a {type(output).__name__}"

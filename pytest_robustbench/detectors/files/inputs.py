"""What a model file takes: an image as the tensor that the model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench import opencv
from pytest_robustbench.detectors.pictures import resized
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Image

LAYOUTS = ("nchw", "nhwc")
SCALES = ("0-1", "0-255")
CHANNELS = {"rgb": 3, "bgr": 3, "gray": 1}
ANY_SIZE = "any"


@dataclass(frozen=True)
class InputForm:
    """How an image becomes the model's input.

    Parameters
    ----------
    size : (int, int), optional
        Height and width the image is resized to; ``None`` for the image's own.
    layout : str
        ``"nchw"`` or ``"nhwc"``.
    scale : str
        ``"0-1"`` or ``"0-255"``.
    mean, std : tuple of float
        Subtracted from the scaled values, and divided by; one per channel, in the model's order.
    color : str
        ``"rgb"``, ``"bgr"`` or ``"gray"``.
    dtype : str
        NumPy dtype of the input.
    """

    size: tuple[int, int] | None
    layout: str
    scale: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    color: str
    dtype: str = "float32"

    def tensor(self, image: Image) -> NDArray[Any]:
        """Return an image as a batch of one, C-contiguous.

        Parameters
        ----------
        image : (H, W, 3) uint8 array
            RGB.
        """
        pixels = self._colored(resized(image, self.size) if self.size else image)
        if self.dtype == "uint8":
            values: NDArray[Any] = pixels
        else:
            values = self._scaled(pixels).astype(self.dtype)
        if self.layout == "nchw":
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None])

    def _colored(self, image: Image) -> Image:
        if self.color == "gray":
            gray: Image = opencv.load().cvtColor(image, opencv.load().COLOR_RGB2GRAY)
            return gray[..., None]
        return image[..., ::-1] if self.color == "bgr" else image

    def _scaled(self, pixels: Image) -> Floats:
        values = pixels.astype(np.float32)
        if self.scale == "0-1":
            values /= 255
        mean, std = (np.array(part, np.float32) for part in (self.mean, self.std))
        return values if not mean.size else (values - mean) / std


@dataclass(frozen=True)
class DeclaredInput:
    """What a file says about its input; ``None`` where it says nothing.

    Parameters
    ----------
    shape : sequence of int or None
        Four axes; ``None`` for one of any length.
    dtype : str
        NumPy dtype.
    """

    shape: Sequence[int | None] | None = None
    dtype: str = "float32"


def input_form(declared: DeclaredInput, settings: Mapping[str, Any]) -> InputForm:
    """Join what the file says and what the user says; nothing is guessed.

    Parameters
    ----------
    declared : DeclaredInput
        What the file says.
    settings : mapping
        ``input_size``, ``layout``, ``scale`` and ``color``, where given.

    Raises
    ------
    DetectorError
        If the two disagree, or something is said by neither.
    """
    shape = declared.shape
    if shape is not None and len(shape) != 4:
        raise DetectorError(
            f"its input has {len(shape)} axes, not the 4 of a batch of images: {_shown(shape)}"
        )
    if shape is not None and shape[0] not in (None, 1):
        raise DetectorError(
            f"it takes batches of {shape[0]} only: export it with a batch of 1 or of any size"
        )
    layout = _layout(shape, settings.get("layout"))
    color = _color(_axis(shape, layout, 0), settings.get("color"))
    scale, mean, std = _scale(declared.dtype, settings.get("scale"), CHANNELS[color])
    size = _size(shape, layout, settings.get("input_size"))
    return InputForm(size, layout, scale, mean, std, color, declared.dtype)


def _layout(shape: Sequence[int | None] | None, given: object) -> str:
    possible = [name for name in LAYOUTS if _axis(shape, name, 0) in (1, 3, None)]
    told = [name for name in LAYOUTS if _axis(shape, name, 0) in (1, 3)]
    if given is None:
        if len(told) == 1:
            return told[0]
        raise DetectorError(
            f"say layout: nchw or nhwc; its input of shape {_shown(shape)} does not tell"
        )
    if given not in LAYOUTS:
        raise DetectorError(f"layout must be nchw or nhwc, not {given!r}")
    if given not in possible:
        raise DetectorError(f"layout: {given} contradicts its input of shape {_shown(shape)}")
    return str(given)


def _axis(shape: Sequence[int | None] | None, layout: str, which: int) -> int | None:
    """Return channels (0), height (1) or width (2) of the input, if the file says it."""
    if shape is None:
        return None
    axes = shape[1:] if layout == "nchw" else (shape[3], *shape[1:3])
    return axes[which]


def _color(channels: int | None, given: object) -> str:
    if given is None:
        return "gray" if channels == 1 else "rgb"
    if given not in CHANNELS:
        raise DetectorError(f"color must be rgb, bgr or gray, not {given!r}")
    if channels not in (None, CHANNELS[str(given)]):
        raise DetectorError(f"color: {given} contradicts its input of {channels} channel(s)")
    return str(given)


def _scale(
    dtype: str, given: object, channels: int
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    if dtype == "uint8":
        if given not in (None, "0-255"):
            raise DetectorError("its input is uint8: scale can only be 0-255")
        return "0-255", (), ()
    if given in SCALES:
        return str(given), (), ()
    if isinstance(given, dict) and given.keys() == {"mean", "std"}:
        mean, std = _numbers("mean", given, channels), _numbers("std", given, channels)
        if not all(value > 0 for value in std):
            raise DetectorError(f"scale: std must be above 0, not {given['std']!r}")
        return "0-1", mean, std
    expected = "scale: 0-1, scale: 0-255, or scale: {mean: [...], std: [...]} of values from 0 to 1"
    found = "no file tells how its pixels were scaled" if given is None else f"not {given!r}"
    raise DetectorError(f"say {expected}; {found}")


def _numbers(key: str, scale: Mapping[str, Any], channels: int) -> tuple[float, ...]:
    values = scale[key]
    numbers = isinstance(values, (list, tuple)) and all(_is_number(value) for value in values)
    if not numbers or len(values) != channels:
        raise DetectorError(
            f"scale: {key} must be {channels} number(s), one per channel, not {values!r}"
        )
    return tuple(float(value) for value in values)


def _size(shape: Sequence[int | None] | None, layout: str, given: object) -> tuple[int, int] | None:
    height, width = _axis(shape, layout, 1), _axis(shape, layout, 2)
    told = None if height is None or width is None else (height, width)
    if given is None:
        if told is not None:
            return told
        raise DetectorError(
            "say input_size: [H, W], or input_size: any to give it images in their own size; "
            f"its input of shape {_shown(shape)} does not tell"
        )
    wanted = None if given == ANY_SIZE else _two(given)
    if told is not None and wanted != told:
        raise DetectorError(f"input_size: {given!r} contradicts its input of shape {_shown(shape)}")
    return wanted


def _two(given: Any) -> tuple[int, int]:
    pair = given if isinstance(given, (list, tuple)) else ()
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise DetectorError(f"input_size must be [H, W] in pixels or any, not {given!r}")
    return pair[0], pair[1]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return "that the file does not declare"
    return "[" + ", ".join("any" if axis is None else str(axis) for axis in shape) + "]"

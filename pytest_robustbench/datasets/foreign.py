"""Pixels that torch and Pillow hold, as arrays; neither of them is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.errors import DatasetError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

_CHANNELS = (1, 3)
_NORMALISED = (
    "is normalised, or scaled otherwise: its values reach from {low:.3g} to {high:.3g}. Such "
    "images cannot be judged, for corruptions are defined on the camera's pixels: hand over the "
    "dataset without its Normalize, as uint8 or floats in 0..1 (the detector normalises for itself)"
)


def image_array(image: Any) -> NDArray[Any]:
    """Return an image as `Sample` takes it.

    Parameters
    ----------
    image : array, tensor or PIL image
        ``(H, W)``, ``(H, W, C)`` or ``(C, H, W)`` with one or three channels; uint8, uint16, bool
        or floats in 0..1. Where both ends look like channels, a tensor has them first and an array
        has them last.

    Returns
    -------
    ndarray of uint8, uint16 or bool, shape (H, W) or (H, W, 3)

    Raises
    ------
    DatasetError
        If it is nothing of this, or floats reach beyond 0..1.
    """
    array = _channels_last(_array(image, "RGB"), first=_is_tensor(image))
    if not np.issubdtype(array.dtype, np.floating):
        return array
    low, high = _range(array)
    if not (low >= 0 and high <= 1):  # NaN as well
        raise DatasetError(f"an image {_NORMALISED.format(low=low, high=high)}")
    levels: NDArray[np.uint8] = np.rint(array * 255).astype(np.uint8)
    return levels


def mask_array(mask: Any) -> NDArray[Any]:
    """Return a mask as an array ``(H, W)`` or ``(H, W, C)`` of the values it holds.

    Parameters
    ----------
    mask : array, tensor or PIL image
        ``(H, W)``, ``(H, W, C)`` or ``(C, H, W)`` with one or three channels. A PIL image whose
        alpha varies keeps it, as the last of four channels.

    Raises
    ------
    DatasetError
        If it is nothing of this, or holds NaN.
    """
    array = _channels_last(_array(mask, "L"), first=_is_tensor(mask))
    if np.issubdtype(array.dtype, np.floating) and np.isnan(array).any():
        raise DatasetError("a mask holds NaN; a pixel is defect (non-zero) or not (zero)")
    return array


def label_number(label: Any) -> int:
    """Return a label as 0 or 1.

    Parameters
    ----------
    label : int, bool, or scalar of numpy or torch
        0 (normal) or 1 (defect).

    Raises
    ------
    DatasetError
        If it is neither.
    """
    value = _scalar(label)
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise DatasetError(f"a label is 0 (normal) or 1 (defect), not {_brief(label)}")
    return int(value)


def class_number(label: Any) -> int:
    """Return a label that is the number of a class.

    Raises
    ------
    DatasetError
        If it is no integer.
    """
    value = _scalar(label)
    if not isinstance(value, (bool, int)):
        raise DatasetError(f"a label is the number of a class, not {_brief(label)}")
    return int(value)


def _scalar(label: Any) -> Any:
    try:
        return label.item() if hasattr(label, "item") else label
    except (ValueError, RuntimeError, TypeError):  # more than one element
        return None


def _is_tensor(source: Any) -> bool:
    return hasattr(source, "detach") and hasattr(source, "cpu")


def _is_pil(source: Any) -> bool:
    return hasattr(source, "mode") and hasattr(source, "convert")


def _array(source: Any, pil_mode: str) -> NDArray[Any]:
    if _is_pil(source):
        return _pil_array(source, pil_mode)
    if _is_tensor(source):
        tensor = source.detach().cpu()
        # numpy knows no bfloat16.
        return np.asarray(tensor.float() if tensor.is_floating_point() else tensor)
    if isinstance(source, np.ndarray):
        return source
    raise DatasetError(f"pixels are an array, a tensor or a PIL image, not {_brief(source)}")


def _pil_array(source: Any, mode: str) -> NDArray[Any]:
    if source.mode in ("1", "L", "RGB"):
        return np.asarray(source)
    if source.mode in ("RGBA", "LA", "PA") or "transparency" in source.info:
        return _without_constant_alpha(np.asarray(source.convert("RGBA")), mode)
    if not source.mode.startswith("I"):
        # A palette's indices are no gray levels: look them up in either case.
        return np.asarray(source.convert("RGB" if source.mode == "P" else mode))
    levels = np.asarray(source)  # 16-bit PNG files; as int32 in older versions of Pillow
    if levels.size and not (levels.min() >= 0 and levels.max() <= 65535):
        raise DatasetError("a PIL image of mode I lies in 0..65535; convert it to 8 or 16 bits")
    return levels.astype(np.uint16)


def _without_constant_alpha(pixels: NDArray[Any], mode: str) -> NDArray[Any]:
    """Return the colours where alpha says nothing; of a mask, all channels where it does."""
    alpha = pixels[:, :, 3]
    if not alpha.size or alpha.min() == alpha.max():
        return pixels[:, :, :3]
    if mode == "RGB":
        raise DatasetError(
            "an image is see-through in places (its alpha varies): flatten it on its background"
        )
    return pixels


def _channels_last(array: NDArray[Any], *, first: bool) -> NDArray[Any]:
    if array.ndim != 3:
        return array
    if array.shape[0] in _CHANNELS and (first or array.shape[2] not in _CHANNELS):
        array = np.moveaxis(array, 0, 2)
    return array[:, :, 0] if array.shape[2] == 1 else array


def _range(array: NDArray[Any]) -> tuple[float, float]:
    return (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__module__}.{type(value).__qualname__}"

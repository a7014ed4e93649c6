"""Settings of built-in detectors, as a YAML file gives them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_robustbench.errors import DetectorError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

S = TypeVar("S")

BACKBONE_FILES = ("onnx:", "torchscript:")


def chosen_settings(base: S, changes: Mapping[str, Any], detector: str) -> S:
    """Return the settings dataclass `base` with single settings changed.

    Raises
    ------
    DetectorError
        If there is no such setting, or the dataclass refuses a value.
    """
    valid = [field.name for field in fields(base)]  # type: ignore[arg-type]
    for key in changes:
        if key not in valid:
            raise DetectorError(f"{detector} has no setting {key!r}; {suggestion(str(key), valid)}")
    return replace(base, **changes)  # type: ignore[type-var]


def with_folder(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return settings whose relative backbone file starts at `folder`.

    Parameters
    ----------
    settings : mapping
        Settings of a detector. Only ``backbone: onnx:<file>`` and ``backbone: torchscript:<file>``
        are changed.
    folder : Path
        The folder of the YAML file.
    """
    backbone = settings.get("backbone")
    if not isinstance(backbone, str) or not backbone.startswith(BACKBONE_FILES):
        return dict(settings)
    prefix, _, path = backbone.partition(":")
    return {**settings, "backbone": f"{prefix}:{folder / path}"}

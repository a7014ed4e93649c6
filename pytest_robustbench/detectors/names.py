"""Names a detector may be given by. Light: read while tests are collected."""

from __future__ import annotations

BUILT_IN = {
    "patchcore": "pytest_robustbench.detectors.patchcore:build",
    "pixel_gaussian": "pytest_robustbench.detectors.pixel_gaussian:build",
}
"""Built-in name -> import path of its builder, which takes preset, device and settings."""

PRESETS = ("industrial-fast", "industrial-balanced", "industrial-accurate")
DEFAULT_PRESET = "industrial-balanced"

RESERVED_PREFIXES = ("pyimgano", "anomalib", "onnx", "torchscript", "openvino")
"""Prefixes that are no module of the user's; none can be loaded yet."""


def known_names() -> tuple[str, ...]:
    """Return the built-in names."""
    return tuple(BUILT_IN)


def is_import_path(name: str) -> bool:
    """Return whether `name` has the form ``package.module:factory``, and no reserved prefix."""
    module, colon, attribute = name.partition(":")
    parts = [*module.split("."), *attribute.split(".")]
    return bool(colon) and module not in RESERVED_PREFIXES and all(p.isidentifier() for p in parts)

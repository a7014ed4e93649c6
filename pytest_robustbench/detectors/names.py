"""Names a detector may be given by. Light: read while tests are collected."""

from __future__ import annotations

BUILT_IN = {
    "patchcore": "pytest_robustbench.detectors.patches.patchcore:build",
    "softpatch": "pytest_robustbench.detectors.patches.softpatch:build",
    "patch_knn": "pytest_robustbench.detectors.patches.patch_knn:build",
    "pixel_gaussian": "pytest_robustbench.detectors.pixel_gaussian:build",
}
"""Built-in name -> import path of its builder, which takes preset, device and settings."""

ALIASES = {
    "vision_patchcore": "pytest_robustbench.detectors.patches.patchcore:build",
    "vision_softpatch": "pytest_robustbench.detectors.patches.softpatch:build",
    "vision_anomalydino": "pytest_robustbench.detectors.patches.patch_knn:build_anomalydino",
    "vision_superad": "pytest_robustbench.detectors.patches.patch_knn:build_superad",
}
"""Names of pyimgano's models -> builders of the built-in detectors that follow the same recipe."""

PREFIXES = {
    "pyimgano": "pytest_robustbench.detectors.libraries.pyimgano_models:load",
    "anomalib": "pytest_robustbench.detectors.libraries.anomalib_models:load",
    "onnx": "pytest_robustbench.detectors.files.model_file:load_onnx",
    "openvino": "pytest_robustbench.detectors.files.model_file:load_openvino",
    "torchscript": "pytest_robustbench.detectors.files.model_file:load_torchscript",
}
"""Prefix of a name -> import path of what makes a detector of the rest of it."""

FILE_PREFIXES = ("onnx", "openvino", "torchscript")
"""Prefixes whose rest is the path of a model file, which is fitted already."""

PRESETS = ("industrial-fast", "industrial-balanced", "industrial-accurate")
DEFAULT_PRESET = "industrial-balanced"


def known_names() -> tuple[str, ...]:
    """Return the names that stand for a detector by themselves."""
    return (*BUILT_IN, *ALIASES)


def is_import_path(name: str) -> bool:
    """Return whether `name` has the form ``package.module:factory``, and no known prefix."""
    module, colon, attribute = name.partition(":")
    parts = [*module.split("."), *attribute.split(".")]
    return bool(colon) and module not in PREFIXES and all(p.isidentifier() for p in parts)

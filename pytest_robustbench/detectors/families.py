"""Every family of detectors, one row each. Light: read while tests are collected."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.importing import import_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROOM = "pytest_robustbench.detectors"
TORCH = '"pytest-robustbench[torch]"'

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "industrial-fast": {"input_size": 192, "coreset_size": 1000, "smoothing": 3.0},
        "industrial-balanced": {},
        "industrial-accurate": {
            "input_size": 320,
            "coreset_size": 4000,
            "projection": 64,
            "smoothing": 5.0,
        },
    }
)
"""Preset -> what it changes in the settings of the patch family; pyimgano's have the same names."""


@dataclass(frozen=True)
class Request:
    """A detector that was asked for.

    Parameters
    ----------
    name : str
        As `load_detector` takes it.
    preset : str, optional
        A name in `PRESETS`, where the family has presets.
    device : str
        ``"auto"`` leaves the choice to the detector.
    settings : mapping
        Settings of a built-in detector or a model file, or arguments of a model.
    folder : Path, optional
        Where relative files start.
    """

    name: str
    preset: str | None = None
    device: str = "auto"
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def rest(self) -> str:
        """What stands behind the prefix."""
        return self.name.partition(":")[2]

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What the name itself sets, if it is the alias of a published recipe."""
        family = family_of(self.name)
        return family.aliases.get(self.name, {}) if family else {}


@dataclass(frozen=True)
class Family:
    """What is to be known of detectors that are named alike.

    Parameters
    ----------
    name : str
        Name of a built-in detector, or the prefix of others.
    builder : str
        Import path of the function that makes the detector of a `Request`.
    called : str
        How messages call it.
    of : str
        What stands behind the colon, ``"model"`` or ``"file"``; empty where the name stands alone.
    aliases : mapping of str to settings
        Further names of a built-in detector, and what the recipe that they name sets.
    presets : bool
        Whether `PRESETS` may be asked for.
    takes_paths : bool
        Whether it can be given files in place of images.
    module, package : str
        What must be installed, as it is imported and as pip calls it; empty for nothing.
    models : str
        Import path of the function that lists the models behind the prefix, where there is one.
    """

    name: str
    builder: str
    called: str
    of: str = ""
    aliases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    presets: bool = False
    takes_paths: bool = False
    module: str = ""
    package: str = ""
    models: str = ""

    @property
    def is_fitted(self) -> bool:
        """Whether its detectors have learned elsewhere: those that are files."""
        return self.of == "file"

    @property
    def is_installed(self) -> bool:
        """Whether what it needs can be found; nothing of it is imported."""
        from importlib.util import find_spec

        return not self.module or find_spec(self.module) is not None


FAMILIES = (
    Family(
        "patchcore",
        f"{ROOM}.patches.patchcore:PatchCore.build",
        "patchcore",
        aliases={"vision_patchcore": {}},
        presets=True,
        module="torch",
        package=TORCH,
    ),
    Family(
        "softpatch",
        f"{ROOM}.patches.softpatch:SoftPatch.build",
        "softpatch",
        aliases={"vision_softpatch": {}},
        presets=True,
        module="torch",
        package=TORCH,
    ),
    Family(
        "patch_knn",
        f"{ROOM}.patches.patch_knn:PatchKNN.build",
        "patch_knn",
        aliases={
            "vision_anomalydino": {"k": 1, "layers": "auto"},
            "vision_superad": {"k": 3, "distance": "kth", "layers": "spread"},
        },
        presets=True,
        module="torch",
        package=TORCH,
    ),
    Family("pixel_gaussian", f"{ROOM}.pixel_gaussian:PixelGaussian.build", "pixel_gaussian"),
    Family(
        "pyimgano",
        f"{ROOM}.libraries.pyimgano_models:load",
        "pyimgano",
        of="model",
        presets=True,
        takes_paths=True,
        module="pyimgano",
        package="pyimgano",
        models=f"{ROOM}.libraries.pyimgano_models:names",
    ),
    Family(
        "anomalib",
        f"{ROOM}.libraries.anomalib_models:load",
        "anomalib",
        of="model",
        module="anomalib",
        package="'anomalib[cpu]'",
    ),
    Family("onnx", f"{ROOM}.files.model_file:load_onnx", "a model file", of="file"),
    Family(
        "openvino",
        f"{ROOM}.files.model_file:load_openvino",
        "a model file",
        of="file",
        module="openvino",
        package="openvino",
    ),
    Family(
        "torchscript",
        f"{ROOM}.files.model_file:load_torchscript",
        "a model file",
        of="file",
        module="torch",
        package=TORCH,
    ),
)


def family_of(name: str) -> Family | None:
    """Return the family that a name belongs to by itself, as an alias or by its prefix."""
    prefix, colon, _ = name.partition(":")
    for family in FAMILIES:
        names = (family.name, *family.aliases)
        if (bool(colon), prefix) in {(bool(family.of), each) for each in names}:
            return family
    return None


def built_in_names() -> tuple[str, ...]:
    """Return the names of the built-in detectors."""
    return tuple(family.name for family in FAMILIES if not family.of)


def known_names() -> tuple[str, ...]:
    """Return the names that stand for a detector by themselves, aliases last."""
    return (*built_in_names(), *(alias for family in FAMILIES for alias in family.aliases))


def model_names() -> list[str]:
    """Return every detector that can be asked for by name alone, on this machine.

    anomalib's models, model files and factories are named by a prefix or an import path and are not
    listed here.
    """
    listed = [f for f in FAMILIES if f.models and f.is_installed]
    behind = [f"{f.name}:{model}" for f in listed for model in import_object(f.models)()]
    return [*known_names(), *behind]


def is_import_path(name: str) -> bool:
    """Return whether `name` has the form ``package.module:factory``, and no known prefix."""
    module, colon, attribute = name.partition(":")
    parts = [*module.split("."), *attribute.split(".")]
    return bool(colon) and family_of(name) is None and all(p.isidentifier() for p in parts)

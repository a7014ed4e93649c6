"""The flags of ``pytest-robustbench run``, and the robustness.yaml that they mean."""

from __future__ import annotations

import argparse
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.datasets.catalogue import FORMATS, format_named
from pytest_robustbench.detectors.families import family_of
from pytest_robustbench.errors import ConfigError
from pytest_robustbench.plain_json import parse_json

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

GIVEN = argparse.SUPPRESS
"""Default of every flag that stands for a key of the YAML: what is not given is not there."""

DEFAULT_MODEL = "vision_patchcore"
DEFAULT_RESIZE = (256, 256)
SMOOTHING = 2.0
"""Standard deviation that ``--pixel-postprocess`` stands for, pixels."""

YAML_KEYS = {
    "pixel_normal_quantile": "pixel_normal_quantile",
    "pixel_calibration_fraction": "fraction",
    "pixel_calibration_seed": "seed",
}
"""Flag -> key under `calibration`."""

SAME_KEYS = ("severities", "seed", "pixel_segf1", "limit_train", "limit_test")
"""Flags that are called like their key."""

FLAGS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "data": {
            "dataset": {"metavar": "FORMAT", "help": ", ".join(sorted(FORMATS))},
            "root": {"help": "folder that holds the categories; of manifest: the JSONL file"},
            "category": {"help": "name of the category (always needed)"},
            "resize": {
                "type": int,
                "nargs": 2,
                "metavar": ("H", "W"),
                "help": "size of images and masks (default: 256 256; 0 0 keeps their own)",
            },
            "limit_train": {"type": int, "metavar": "N", "help": "at most N train images"},
            "limit_test": {
                "type": int,
                "metavar": "N",
                "help": "at most N test images, normal and defect in turn, the same every time",
            },
        },
        "detector": {
            "model": {"metavar": "NAME", "help": f"default: {DEFAULT_MODEL}; --list-models"},
            "preset": {"help": "industrial-fast, -balanced or -accurate"},
            "device": {"help": "auto (default), cpu, cuda, cuda:1, mps"},
            "pretrained": {
                "action": argparse.BooleanOptionalAction,
                "help": "pretrained or random weights of the backbone (default: the model's)",
            },
            "model_kwargs": {"metavar": "JSON", "help": "object of further arguments of the model"},
            "checkpoint_path": {"metavar": "FILE", "help": "weights that the model loads"},
            "input_mode": {
                "choices": ("numpy", "paths"),
                "help": "paths: the model takes paths; corrupted images become temporary PNGs",
            },
        },
        "threshold": {
            "pixel_normal_quantile": {"type": float, "metavar": "Q"},
            "pixel_calibration_fraction": {"type": float, "metavar": "F"},
            "pixel_calibration_seed": {"type": int, "metavar": "SEED"},
            "pixel_segf1": {
                "action": argparse.BooleanOptionalAction,
                "help": "off for sets without masks",
            },
            "pixel_postprocess": {
                "action": "store_true",
                "help": f"smooth maps (Gaussian, sigma {SMOOTHING:g}); never min-max per image",
            },
        },
        "conditions": {
            "corruptions": {"metavar": "A,B", "help": "default: all five of the guide; none"},
            "severities": {"type": float, "nargs": "+", "metavar": "S"},
            "seed": {"type": int, "help": "of every corruption draw"},
        },
    }
)
"""Every flag that says what is measured, by groups; how argparse reads it."""

KEYS = tuple(key for group in FLAGS.values() for key in group)


def add_flags(parser: ArgumentParser, *groups: str) -> None:
    """Declare what is measured, as far as `groups` of flags say it."""
    for title in groups:
        group = parser.add_argument_group(title)
        for key, options in FLAGS[title].items():
            group.add_argument(f"--{key.replace('_', '-')}", default=GIVEN, **options)


def given_flags(arguments: Namespace) -> list[str]:
    """Return the flags on the command line that say what is measured, as they are written."""
    return [f"--{key.replace('_', '-')}" for key in KEYS if hasattr(arguments, key)]


def config_of(arguments: Namespace) -> dict[str, Any]:
    """Return the robustness.yaml that the flags mean, as a mapping.

    Raises
    ------
    ConfigError
        If the data are not named, or a flag's value cannot be read.
    """
    given = {key: value for key, value in vars(arguments).items() if key in KEYS}
    from pytest_robustbench.config.checks.assembly import name_from

    missing = [f"--{key}" for key in ("dataset", "root", "category") if key not in given]
    if missing:
        raise ConfigError(f"{', '.join(missing)} missing: name the data, or a YAML with --config")
    row = format_named(given["dataset"])
    if row is not None and row.many_folders:
        raise ConfigError(
            f"--dataset {row.name} has several folders, which flags cannot name: write a YAML "
            "(pytest-robustbench init) and run it with --config"
        )
    names = _corruptions(given.get("corruptions"))
    config = {
        "schema_version": 1,
        "name": name_from(given["category"]),
        "dataset": _dataset(given),
        "detector": _detector(given),
        "calibration": {YAML_KEYS[key]: given[key] for key in YAML_KEYS if key in given},
        "corruptions": names or "none",
        **{key: given[key] for key in SAME_KEYS if key in given},
        "postprocess": {"gaussian_sigma": SMOOTHING} if "pixel_postprocess" in given else {},
        # Flags declare no limits: everything is measured, nothing is judged.
        "measure_only": ["clean", *(parse_reference(name).name for name in names)],
    }
    return {key: value for key, value in config.items() if value != {}}


def _dataset(given: Mapping[str, Any]) -> dict[str, Any]:
    row = format_named(given["dataset"])
    place = row.required[0] if row is not None and row.required else "root"
    dataset = {"format": given["dataset"], place: given["root"], "category": given["category"]}
    resize = given.get("resize", DEFAULT_RESIZE)
    return dataset | ({} if list(resize) == [0, 0] else {"resize": list(resize)})


def _detector(given: Mapping[str, Any]) -> dict[str, Any]:
    name = given.get("model", DEFAULT_MODEL)
    if name == "fixture":
        raise ConfigError("--model fixture: only pytest has fixtures; name a detector")
    chosen = {key: given[key] for key in ("preset", "device", "input_mode") if key in given}
    kwargs = _model_kwargs(given.get("model_kwargs", "{}"))
    kwargs |= {key: given[key] for key in ("pretrained", "checkpoint_path") if key in given}
    family = family_of(name)
    fitted = {"fitted": True} if family is not None and family.is_fitted else {}
    return {"name": name} | chosen | ({"kwargs": kwargs} if kwargs else {}) | fitted


def _model_kwargs(text: str) -> dict[str, Any]:
    try:
        kwargs = parse_json(text.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise ConfigError(
            f"--model-kwargs is no JSON ({error}): write an object such as '{{\"k\": 1}}'"
        ) from None
    if not isinstance(kwargs, dict):
        raise ConfigError(f"--model-kwargs is a JSON object such as '{{\"k\": 1}}', not {text}")
    return kwargs


def _corruptions(text: str | None) -> list[str]:
    if text is None:
        return list(DEFAULT)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ConfigError("--corruptions names none; write --corruptions none to run clean alone")
    return [] if names == ["none"] else names

"""The flags of ``pytest-robustbench run``, and the robustness.yaml that they mean."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.datasets.catalogue import FORMATS, format_named
from pytest_robustbench.detectors.families import family_of
from pytest_robustbench.errors import ConfigError

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

KEYS = (
    *("dataset", "root", "category", "resize", "corruptions", *SAME_KEYS, *YAML_KEYS),
    *("model", "preset", "device", "pretrained", "model_kwargs", "checkpoint_path", "input_mode"),
    "pixel_postprocess",
)
"""Every flag that says what is measured."""


def add_data_flags(parser: ArgumentParser) -> None:
    """Declare which images are measured."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--dataset", default=GIVEN, metavar="FORMAT", help=", ".join(sorted(FORMATS))
    )
    group.add_argument(
        "--root",
        default=GIVEN,
        help="folder that holds the categories; of manifest: the JSONL file",
    )
    group.add_argument("--category", default=GIVEN, help="name of the category (always needed)")
    group.add_argument(
        "--resize",
        type=int,
        nargs=2,
        default=GIVEN,
        metavar=("H", "W"),
        help="size of images and masks (default: 256 256; 0 0 keeps their own)",
    )
    group.add_argument(
        "--limit-train", type=int, default=GIVEN, metavar="N", help="at most N train images"
    )
    group.add_argument(
        "--limit-test",
        type=int,
        default=GIVEN,
        metavar="N",
        help="at most N test images, normal and defect in turn, the same ones every time",
    )


def add_model_flags(parser: ArgumentParser) -> None:
    """Declare which detector is measured."""
    group = parser.add_argument_group("detector")
    group.add_argument(
        "--model", default=GIVEN, metavar="NAME", help=f"default: {DEFAULT_MODEL}; --list-models"
    )
    group.add_argument("--preset", default=GIVEN, help="industrial-fast, -balanced or -accurate")
    group.add_argument("--device", default=GIVEN, help="auto (default), cpu, cuda, cuda:1, mps")
    group.add_argument(
        "--pretrained",
        action=argparse.BooleanOptionalAction,
        default=GIVEN,
        help="pretrained or random weights of the backbone (default: what the model does)",
    )
    group.add_argument(
        "--model-kwargs",
        default=GIVEN,
        metavar="JSON",
        help="object of further arguments of the model",
    )
    group.add_argument(
        "--checkpoint-path", default=GIVEN, metavar="FILE", help="weights that the model loads"
    )
    group.add_argument(
        "--input-mode",
        choices=("numpy", "paths"),
        default=GIVEN,
        help="paths: the model takes paths; corrupted images are written to temporary PNGs",
    )


def add_calibration_flags(parser: ArgumentParser) -> None:
    """Declare how the threshold is found and what is measured at it."""
    group = parser.add_argument_group("threshold")
    group.add_argument("--pixel-normal-quantile", type=float, default=GIVEN, metavar="Q")
    group.add_argument("--pixel-calibration-fraction", type=float, default=GIVEN, metavar="F")
    group.add_argument("--pixel-calibration-seed", type=int, default=GIVEN, metavar="SEED")
    group.add_argument(
        "--pixel-segf1",
        action=argparse.BooleanOptionalAction,
        default=GIVEN,
        help="off for sets without masks",
    )
    group.add_argument(
        "--pixel-postprocess",
        action="store_true",
        default=GIVEN,
        help=f"smooth every map (Gaussian, sigma {SMOOTHING:g}); never min-max per image",
    )


def add_condition_flags(parser: ArgumentParser) -> None:
    """Declare under which corruptions."""
    group = parser.add_argument_group("conditions")
    group.add_argument(
        "--corruptions", default=GIVEN, metavar="A,B", help="default: all five of the guide; none"
    )
    group.add_argument("--severities", type=int, nargs="+", default=GIVEN, metavar="S")
    group.add_argument("--seed", type=int, default=GIVEN, help="of every corruption draw")


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
        kwargs = json.loads(text)
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

"""Every kind of feature network, one row each; nothing heavy is imported to read it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_robustbench.detectors.families import TORCH

ROOM = "pytest_robustbench.detectors.backbones"


@dataclass(frozen=True)
class Kind:
    """What is to be known of networks that are named alike.

    Parameters
    ----------
    name : str
        The whole name, or the prefix of others.
    loader : str
        Module whose ``load(rest, settings, device)`` returns the `Backbone`.
    package : str
        What it needs, as pip calls it.
    of : str
        What stands behind the colon, ``"name"`` or ``"file"``; empty where the name stands alone.
    own : tuple of str
        Settings that it brings itself, so that none may be given.
    why : str
        Why, for messages.
    stride : int
        What the side of its input must be a multiple of, so that it divides into whole patches.
    """

    name: str
    loader: str
    package: str
    of: str = ""
    own: tuple[str, ...] = ()
    why: str = ""
    stride: int = 1

    @property
    def form(self) -> str:
        """How it is written, for messages."""
        return f"{self.name}:<{self.of}>" if self.of else self.name


KINDS = (
    Kind(
        "efficientnet_lite0",
        f"{ROOM}.efficientnet_lite0",
        TORCH,
        own=("checkpoint_path", "mean", "std"),
        why="has its own",
        stride=16,
    ),
    Kind("torchvision", f"{ROOM}.torchvision_model", "torchvision", of="name"),
    Kind("timm", f"{ROOM}.timm_model", "timm", of="name"),
    Kind(
        "onnx",
        f"{ROOM}.onnx_file",
        TORCH,
        of="file",
        own=("checkpoint_path", "pretrained"),
        why="holds its weights",
    ),
    Kind(
        "torchscript",
        f"{ROOM}.torchscript_file",
        TORCH,
        of="file",
        own=("checkpoint_path", "pretrained"),
        why="holds its weights",
    ),
)
DEFAULT = "efficientnet_lite0"


def kind_of(backbone: object) -> Kind | None:
    """Return the kind of network that a setting names; ``None`` where it names none."""
    if not isinstance(backbone, str):
        return None
    prefix, _, rest = backbone.partition(":")
    for kind in KINDS:
        if kind.name == prefix and (bool(rest) if kind.of else backbone == kind.name):
            return kind
    return None

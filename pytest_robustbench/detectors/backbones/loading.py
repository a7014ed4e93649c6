"""Feature networks by the name a setting gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from pytest_robustbench.detectors.backbones.kinds import KINDS
from pytest_robustbench.detectors.backbones.outputs import as_grids, trying
from pytest_robustbench.detectors.packages import required
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from pytest_robustbench.detectors.patches.settings import PatchSettings


def _as_they_are(images: Tensor) -> Tensor:
    return images


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen feature network.

    Parameters
    ----------
    network : callable
        Takes a normalised batch ``(1, 3, H, W)``, float32, and returns one tensor per layer:
        ``(1, C, h, w)``, or a vision transformer's tokens ``(1, T, C)``.
    weights : str
        Which weights it has, for the report; equal only if the weights are.
    normalised : callable, optional
        RGB in 0..255 -> what the network takes; by default that is RGB in 0..255.
    """

    network: Callable[[Tensor], Sequence[Tensor]]
    weights: str
    normalised: Callable[[Tensor], Tensor] = _as_they_are

    def features(self, images: Tensor) -> list[Tensor]:
        """Return each layer's features ``(1, C, h, w)`` of a batch ``(1, 3, H, W)`` in 0..255."""
        return as_grids(self.network(self.normalised(images)), images.shape[-1])


def load_backbone(settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the network that `settings` name, on `device`, tried on a black image.

    Raises
    ------
    DetectorError
        If it or its weights cannot be loaded, or it cannot take images of that size.
    """
    prefix, _, rest = settings.backbone.partition(":")
    kind = next(kind for kind in KINDS if kind.name == prefix)
    try:
        loader = required(kind.loader, kind.package)
        backbone: Backbone = loader.load(rest, settings, device)
        size = settings.input_size
        with trying(size), torch.inference_mode():
            backbone.features(torch.zeros(1, 3, size, size, device=device))
    except DetectorError as error:
        raise DetectorError(
            f"{settings.detector}: backbone {settings.backbone!r}: {error}"
        ) from error
    return backbone

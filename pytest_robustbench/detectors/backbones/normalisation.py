"""Pixels as a trained network expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pytest_robustbench.detectors.patches.settings import PatchSettings

WHITE = 255
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalisation:
    """Subtract the mean and divide by the standard deviation of a network's training images.

    Parameters
    ----------
    settings : PatchSettings
        Whose `mean` and `std` are used where given.
    device : torch.device
        Where the images are.
    mean, std : sequence of three float
        The network's own, of values in 0..1.
    """

    def __init__(
        self,
        settings: PatchSettings,
        device: torch.device,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        self._mean = _per_channel(settings.mean or mean, device)
        self._std = _per_channel(settings.std or std, device)

    def __call__(self, images: Tensor) -> Tensor:
        """Return normalised images; given ``(N, 3, H, W)``, RGB in 0..255."""
        return (images - self._mean) / self._std


def _per_channel(values: Sequence[float], device: torch.device) -> Tensor:
    channels = torch.tensor(tuple(values), dtype=torch.float32, device=device) * WHITE
    return channels.reshape(1, 3, 1, 1)

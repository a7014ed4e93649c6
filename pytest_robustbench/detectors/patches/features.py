"""Images as grids of patch features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from pytest_robustbench.detectors.backbones.loading import load_backbone
from pytest_robustbench.detectors.pictures import squared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.detectors.patches.settings import PatchSettings


class PatchFeatures:
    """Features of a network's layers, averaged over neighbourhoods and joined on one grid.

    The grid is that of the finest layer; coarser ones are enlarged to it bilinearly. Images go
    through the network one by one, so that no result depends on its batch.

    Parameters
    ----------
    settings : PatchSettings
        Backbone, layers, size of the input and of the neighbourhood.
    device : torch.device
        Where to compute.
    unit : bool
        Scale each layer's features, and so the joined ones, to length 1: half the squared distance
        of two patches is then their cosine distance, averaged over the layers.

    Raises
    ------
    DetectorError
        If the backbone cannot be loaded.
    """

    def __init__(
        self, settings: PatchSettings, device: torch.device, *, unit: bool = False
    ) -> None:
        self.device = device
        self.backbone = load_backbone(settings, device)
        self._size = settings.input_size
        self._neighbourhood = settings.neighbourhood
        self._unit = unit

    def patches(self, image: Image) -> Tensor:
        """Return the features of one image's patches, ``(h * w, channels)``, row by row.

        Raises
        ------
        DetectorError
            If the image is no (H, W, 3) uint8 array.
        """
        # torch takes neither reversed nor read-only views.
        pixels = torch.from_numpy(np.require(squared(image, self._size), requirements=["C", "W"]))
        batch = pixels.to(self.device).permute(2, 0, 1)[None].float()
        layers = [self._averaged(layer) for layer in self.backbone.features(batch)]
        side = max(layer.shape[-1] for layer in layers)
        grids = [_on_grid(layer, side) for layer in layers]
        if self._unit:
            grids = [functional.normalize(grid, dim=1) / len(grids) ** 0.5 for grid in grids]
        features = torch.cat(grids, dim=1)
        return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])

    def drawn(self, images: Sequence[Image], number: int, seed: int) -> Tensor:
        """Return as many random patches of each image as share the allowed number evenly.

        Returns
        -------
        Tensor of shape (about `number` at most, channels)
        """
        generator = np.random.default_rng(seed)
        share = max(1, number // len(images))
        drawn = []
        for image in images:
            patches = self.patches(image)
            if share < len(patches):
                kept = generator.choice(len(patches), share, replace=False)
                patches = patches[torch.from_numpy(kept).to(self.device)]
            drawn.append(patches)
        return torch.cat(drawn)

    def by_position(self, images: Sequence[Image], number: int, seed: int) -> Tensor:
        """Return patches of each position of the grid, from as many images as `number` allows.

        Where that is fewer than there are, each position draws its own images.

        Returns
        -------
        Tensor of shape (h * w, images drawn, channels)
            At least two images, and about `number` patches at most.
        """
        first = self.patches(images[0])
        places, channels = first.shape
        share = min(len(images), max(2, number // places))
        # An image's rank at a position is its place there, if it is drawn.
        draws = np.random.default_rng(seed).random((len(images), places))
        ranks = torch.from_numpy(draws.argsort(0).argsort(0)).to(self.device)
        drawn = torch.empty((places, share, channels), device=self.device)
        for i, image in enumerate(images):
            patches = self.patches(image) if i else first
            (at,) = torch.nonzero(ranks[i] < share, as_tuple=True)
            drawn[at, ranks[i, at]] = patches[at]
        return drawn

    def _averaged(self, features: Tensor) -> Tensor:
        """Average each position's neighbourhood, counting zeros outside, as PatchCore's paper does.

        The network's own padding makes border features odd. The zeros damp them; without, the
        border of normal images outscores small defects.
        """
        side = self._neighbourhood
        return functional.avg_pool2d(features, side, stride=1, padding=side // 2)


def _on_grid(features: Tensor, side: int) -> Tensor:
    if features.shape[-1] == side:
        return features
    return functional.interpolate(features, size=(side, side), mode="bilinear")

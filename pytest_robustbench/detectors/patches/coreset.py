"""A small subset that covers a cloud of points."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def greedy_coreset(points: Tensor, size: int, projection: int = 0, seed: int = 0) -> Tensor:
    """Choose points by greedy k-center: each next one is the farthest from those chosen.

    The largest distance from any point to the subset is at most twice that of the best subset of
    this size [1]_. With `projection`, distances are those of a Gaussian random projection, which
    keeps them approximately (Johnson-Lindenstrauss) and makes each step cheaper, as in [2]_.

    Parameters
    ----------
    points : Tensor of shape (n, d), float32
        On any device.
    size : int
        Points wanted; all are taken where there are no more.
    projection : int
        Dimensions to project to; 0, or at least d, for none.
    seed : int
        Seed of the projection.

    Returns
    -------
    Tensor of shape (min(n, size),), int64
        Indices in the order chosen; the first is the point nearest to the mean.

    References
    ----------
    .. [1] T. Gonzalez, Clustering to minimize the maximum intercluster distance, Theoretical
       Computer Science 38, 1985.
    .. [2] K. Roth et al., Towards total recall in industrial anomaly detection, CVPR 2022.
    """
    if len(points) <= size:
        return torch.arange(len(points), device=points.device)
    # Distances by |a|^2 + |b|^2 - 2ab lose fewer digits near the origin.
    points = _projected(points - points.mean(0), projection, seed)
    squared_norms = points.square().sum(1)
    chosen = torch.empty(size, dtype=torch.int64, device=points.device)
    chosen[0] = squared_norms.argmin()
    nearest = torch.full_like(squared_norms, torch.inf)
    for i in range(size - 1):
        latest = chosen[i]
        distances = torch.addmv(squared_norms, points, points[latest], alpha=-2)
        torch.minimum(nearest, distances.add_(squared_norms[latest]), out=nearest)
        chosen[i + 1] = nearest.argmax()
    return chosen


def _projected(points: Tensor, dimensions: int, seed: int) -> Tensor:
    if dimensions == 0 or dimensions >= points.shape[1]:
        return points
    # Drawn on the CPU: the same numbers on every device, and no global generator is touched.
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(points.shape[1], dimensions, generator=generator)
    return points @ (matrix / math.sqrt(dimensions)).to(points)

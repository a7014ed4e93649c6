"""How much each point of a cloud stands apart from the others."""

from __future__ import annotations

import torch
from torch import Tensor

NUMBERS_AT_ONCE = 1 << 24
"""Entries of the distance matrices held at once: 64 MiB of float32."""


def local_outlier_factors(clouds: Tensor, k: int) -> Tensor:
    """Return the local outlier factor [1]_ of each point among the points of its own cloud.

    It compares the density around a point's `k` nearest neighbours with the density around the
    point: 1 in the midst of a cloud, larger outside.

    Parameters
    ----------
    clouds : Tensor of shape (c, n, d), float32
        `c` clouds of `n` points, at least two each.
    k : int
        Neighbours; n - 1 where there are fewer others.

    Returns
    -------
    Tensor of shape (c, n), float32

    References
    ----------
    .. [1] M. Breunig et al., LOF: identifying density-based local outliers, SIGMOD 2000.
    """
    n = clouds.shape[1]
    at_once = max(1, NUMBERS_AT_ONCE // (n * n))
    parts = torch.split(clouds, at_once)
    return torch.cat([_factors(part, min(k, n - 1)) for part in parts])


def _factors(clouds: Tensor, k: int) -> Tensor:
    distances, indices = _others(clouds).topk(k, dim=2, largest=False)
    # A neighbour counts as no nearer than its own k-th neighbour is to it.
    reach = torch.maximum(distances, _of_neighbours(distances[:, :, -1], indices))
    # Equal points have no distance, and with the smallest one their densities still compare.
    density = 1 / reach.mean(2).clamp_min_(torch.finfo(reach.dtype).eps)
    return _of_neighbours(density, indices).mean(2) / density


def _others(clouds: Tensor) -> Tensor:
    """Return the distances of each cloud's points, infinite from a point to itself."""
    centred = clouds - clouds.mean(1, keepdim=True)
    norms = centred.square().sum(2)
    squared = torch.baddbmm(norms[:, None, :], centred, centred.transpose(1, 2), alpha=-2)
    distances = squared.add_(norms[:, :, None]).clamp_min_(0).sqrt_()
    return distances.diagonal_scatter(torch.full_like(norms, torch.inf), dim1=1, dim2=2)


def _of_neighbours(values: Tensor, indices: Tensor) -> Tensor:
    """Return ``values[c, indices[c, n, k]]``."""
    c, n, k = indices.shape
    return values.gather(1, indices.reshape(c, n * k)).reshape(c, n, k)

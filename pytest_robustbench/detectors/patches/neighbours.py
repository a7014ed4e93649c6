"""Exact nearest neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

QUERIES_AT_ONCE = 1024


class NearestNeighbours:
    """Distances from queries to their nearest points of a bank, by one matrix product.

    Parameters
    ----------
    bank : Tensor of shape (m, d), float32
        On any device; queries must be on the same.
    """

    def __init__(self, bank: Tensor) -> None:
        self.bank = bank
        # Distances by |a|^2 + |b|^2 - 2ab lose fewer digits near the origin.
        self._centre = bank.mean(0)
        centred = bank - self._centre
        self._squared_norms = centred.square().sum(1)
        self._transposed = centred.T.contiguous()

    def distances(self, queries: Tensor) -> Tensor:
        """Return the Euclidean distance of each query to its nearest point.

        Parameters
        ----------
        queries : Tensor of shape (n, d), float32

        Returns
        -------
        Tensor of shape (n,), float32
        """
        parts = [self._nearest_squared(part) for part in torch.split(queries, QUERIES_AT_ONCE)]
        return torch.cat(parts).clamp_min_(0).sqrt_()

    def nearest(self, queries: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
        """Return distances to, and indices of, each query's `k` nearest points, nearest first.

        Parameters
        ----------
        queries : Tensor of shape (n, d), float32
        k : int
            Not more than the bank has points.

        Returns
        -------
        tuple of Tensors of shape (n, k), float32 and int64
        """
        found = [self._k_nearest_squared(part, k) for part in torch.split(queries, QUERIES_AT_ONCE)]
        squared = torch.cat([squared for squared, _ in found])
        return squared.clamp_min_(0).sqrt_(), torch.cat([indices for _, indices in found])

    def _nearest_squared(self, queries: Tensor) -> Tensor:
        centred = queries - self._centre
        return self._without_own_norms(centred).amin(1).add_(centred.square().sum(1))

    def _k_nearest_squared(self, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
        centred = queries - self._centre
        squared, indices = self._without_own_norms(centred).topk(k, dim=1, largest=False)
        return squared.add_(centred.square().sum(1, keepdim=True)), indices

    def _without_own_norms(self, centred: Tensor) -> Tensor:
        return torch.addmm(self._squared_norms, centred, self._transposed, alpha=-2)

"""Exact nearest neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

QUERIES_AT_ONCE = 1024


class NearestNeighbours:
    """Distances from queries to their nearest point of a bank, by one matrix product.

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
        parts = [self._squared(part) for part in torch.split(queries, QUERIES_AT_ONCE)]
        return torch.cat(parts).clamp_min_(0).sqrt_()

    def _squared(self, queries: Tensor) -> Tensor:
        centred = queries - self._centre
        products = torch.addmm(self._squared_norms, centred, self._transposed, alpha=-2)
        return products.amin(1).add_(centred.square().sum(1))

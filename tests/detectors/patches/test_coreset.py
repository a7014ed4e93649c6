from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.detectors.patches.coreset import greedy_coreset
from pytest_robustbench.detectors.patches.neighbours import QUERIES_AT_ONCE, NearestNeighbours


def points(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(3, 1, (n, d)).astype(np.float32))


def radius(cloud: torch.Tensor, chosen: torch.Tensor) -> float:
    return float(torch.cdist(cloud, cloud[chosen]).amin(1).max())


@settings(deadline=None, max_examples=40)
@given(n=st.integers(4, 9), k=st.integers(1, 3), seed=st.integers(0, 1000))
def test_greedy_covers_within_twice_the_best_possible(n, k, seed):
    cloud = points(n, 2, seed)
    best = min(radius(cloud, torch.tensor(c)) for c in combinations(range(n), k))
    assert radius(cloud, greedy_coreset(cloud, k)) <= 2 * best + 1e-4


def test_greedy_covers_better_than_chance_projected_or_not():
    cloud = points(2000, 5) @ points(5, 40, 1)
    by_chance = min(radius(cloud, points_at_random(cloud, seed)) for seed in range(20))
    assert radius(cloud, greedy_coreset(cloud, 100)) < by_chance
    assert radius(cloud, greedy_coreset(cloud, 100, projection=16)) < by_chance


def points_at_random(cloud: torch.Tensor, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).choice(len(cloud), 100, replace=False))


def test_an_isolated_point_is_remembered():
    cloud = points(500, 8)
    cloud[123] += 50
    assert 123 in greedy_coreset(cloud, 2).tolist()


def test_points_are_chosen_once_and_small_clouds_whole():
    cloud = points(300, 8)
    assert len(set(greedy_coreset(cloud, 200).tolist())) == 200
    assert greedy_coreset(cloud, 300).tolist() == list(range(300))
    assert greedy_coreset(cloud[:3], 10).tolist() == [0, 1, 2]


def test_a_cloud_of_equal_points_is_no_trouble():
    assert len(greedy_coreset(torch.ones(50, 4), 5)) == 5


def test_the_seed_decides_and_the_global_generator_is_left_alone():
    cloud, before = points(500, 30), torch.get_rng_state()
    first = greedy_coreset(cloud, 50, projection=8, seed=1)
    assert torch.equal(first, greedy_coreset(cloud, 50, projection=8, seed=1))
    assert not torch.equal(first, greedy_coreset(cloud, 50, projection=8, seed=2))
    assert torch.equal(before, torch.get_rng_state())


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 40), m=st.integers(1, 40), d=st.integers(1, 20), offset=st.floats(-100, 100)
)
def test_distances_are_those_of_brute_force(n, m, d, offset):
    queries, bank = points(n, d, 1) + offset, points(m, d, 2) + offset
    exact = np.linalg.norm(queries.double().numpy()[:, None] - bank.double().numpy(), axis=2).min(1)
    assert np.allclose(NearestNeighbours(bank).distances(queries), exact, rtol=1e-4, atol=5e-3)


def test_more_queries_than_one_product_takes():
    queries, bank = points(2 * QUERIES_AT_ONCE + 5, 6, 1), points(50, 6, 2)
    distances = NearestNeighbours(bank).distances(queries)
    assert torch.allclose(distances, torch.cdist(queries, bank).amin(1), atol=1e-3)


def test_a_point_of_the_bank_is_near_itself():
    bank = points(200, 150) + 20
    assert NearestNeighbours(bank).distances(bank).max() < 0.02

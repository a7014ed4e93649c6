"""Synthetic pictures and hypothesis strategies for the tests of this folder."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from pytest_robustbench.corruptions.catalogue import BUILT_IN
from pytest_robustbench.corruptions.registry import load_corruption

SEVERITIES = (1, 2, 3, 4, 5)
ALL = [load_corruption(name) for name in BUILT_IN]

samples = st.text(max_size=8)
seeds = st.integers(0, 2**32)


def picture(seed, height=40, width=56, gray=False):
    """A picture with edges and texture, from black to white."""
    rng = np.random.default_rng(seed)
    channels = 1 if gray else 3
    blocks = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, channels), dtype=np.uint8)
    large = blocks.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    texture = rng.integers(0, 32, (height, width, channels), dtype=np.uint8)
    image = np.where(large < 128, large + texture, large - texture)
    return np.ascontiguousarray(np.broadcast_to(image, (height, width, 3)))


def block_mask(height=40, width=56):
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height // 2, width // 4 : width // 2] = True
    return mask


pictures = st.builds(
    picture, st.integers(0, 1000), st.integers(1, 70), st.integers(1, 70), st.booleans()
)
gray_pictures = st.builds(
    picture, st.integers(0, 1000), st.integers(1, 70), st.integers(1, 70), st.just(value=True)
)

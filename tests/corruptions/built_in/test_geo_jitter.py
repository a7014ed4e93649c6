from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_robustbench.corruptions.built_in.geo_jitter import GEO_JITTER, GeoJitter
from pytest_robustbench.corruptions.draws import generator
from pytest_robustbench.corruptions.pixels import sizes
from tests.corruptions.corruption_pictures import SEVERITIES, samples, seeds

sides = st.integers(20, 120)
draws = given(height=sides, width=sides, seed=seeds, sample=samples)


def full_matrix(height, width, seed, sample):
    """Severity 3 as a homogeneous matrix, read off where three points go."""
    affine = GeoJitter().draw_affine((height, width), generator(seed, "geo_jitter", 1, sample))
    points = np.array([[0, width, 0], [0, 0, height]], np.float32)
    x, y = (np.asarray(one, float) for one in affine.places(*points))
    matrix = np.eye(3)
    matrix[:2, 2] = x[0], y[0]
    matrix[:2, 0] = (x[1] - x[0]) / width, (y[1] - y[0]) / width
    matrix[:2, 1] = (x[2] - x[0]) / height, (y[2] - y[0]) / height
    return matrix


def matrix_at(severity, *draw):
    return np.eye(3) + 2.0 ** (severity - 3) * (full_matrix(*draw) - np.eye(3))


def sources(severity, height, width, seed, sample):
    """Where each pixel comes from, by inverting the matrix in double precision."""
    y, x = np.indices((height, width))
    points = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    inverse = np.linalg.inv(matrix_at(severity, height, width, seed, sample))
    return (inverse @ points)[:2].reshape(2, height, width)


def corners_moved(matrix, height, width):
    corners = np.array(
        [[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [1, 1, 1, 1]], float
    )
    return np.hypot(*((matrix @ corners) - corners)[:2])


def jittered(image, mask, severity, seed=0, sample="a"):
    return GEO_JITTER.apply(image, mask, severity, seed=seed, sample_id=sample)


def centroid(weights):
    rows, columns = np.indices(weights.shape)
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


def smooth(height, width):
    y, x = np.indices((height, width))
    waves = [127 + 120 * np.sin(x / 9 + c) * np.cos(y / 11 - c) for c in range(3)]
    return np.stack(waves, axis=-1).round().astype(np.uint8)


@settings(deadline=None, max_examples=50)
@draws
def test_the_largest_corner_displacement_grows_within_its_bounds(height, width, seed, sample):
    draw = (height, width, seed, sample)
    moved = [corners_moved(matrix_at(s, *draw), height, width).max() for s in SEVERITIES]
    assert moved == sorted(moved)
    linear = full_matrix(*draw)[:2, :2]
    scale = np.sqrt(np.linalg.det(linear))
    assert 0.97 - 1e-3 <= scale <= 1.03 + 1e-3
    assert abs(np.degrees(np.arctan2(linear[1, 0], linear[0, 0]))) <= 3 + 1e-2
    centre = np.array([(width - 1) / 2, (height - 1) / 2, 1])
    shift = (full_matrix(*draw) @ centre - centre)[:2]
    assert abs(shift[0]) <= 0.02 * width + 1e-3
    assert abs(shift[1]) <= 0.02 * height + 1e-3


@settings(deadline=None, max_examples=30)
@draws
def test_pixels_come_from_where_the_matrix_says(height, width, seed, sample):
    image = smooth(height, width)
    for severity in (1, 4, 5):
        result = jittered(image, None, severity, seed, sample)
        x, y = sources(severity, height, width, seed, sample)
        x, y = x.clip(0, width - 1.001), y.clip(0, height - 1.001)
        left, top = x.astype(int), y.astype(int)
        u, v = (x - left)[..., None], (y - top)[..., None]
        above = image[top, left] * (1 - u) + image[top, left + 1] * u
        below = image[top + 1, left] * (1 - u) + image[top + 1, left + 1] * u
        expected = above * (1 - v) + below * v
        assert np.abs(result.image - expected)[~result.ignored].max(initial=0) < 2


@settings(deadline=None, max_examples=30)
@draws
def test_ignored_is_what_came_from_outside(height, width, seed, sample):
    mask = np.ones((height, width), bool)
    for severity in SEVERITIES:
        result = jittered(smooth(height, width), mask, severity, seed, sample)
        x, y = sources(severity, height, width, seed, sample)
        depth = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y])
        certain = np.abs(depth) > 0.01
        assert (result.ignored == (depth < 0))[certain].all()
        assert not (result.mask & result.ignored).any()
        assert result.mask[~result.ignored].all()


@settings(deadline=None, max_examples=30)
@given(seed=seeds, sample=samples, x=st.integers(50, 78), y=st.integers(40, 60))
def test_the_mask_moves_with_the_image(seed, sample, x, y):
    rows, columns = np.indices((100, 128))
    disc = np.hypot(rows - y, columns - x) < 12
    image = np.repeat((disc * np.uint8(255))[..., None], 3, axis=2)
    for severity in SEVERITIES:
        result = jittered(image, disc, severity, seed, sample)
        expected = matrix_at(severity, 100, 128, seed, sample) @ (x, y, 1)
        assert centroid(result.image[..., 0]) == pytest.approx(expected[:2], abs=0.1)
        assert centroid(result.mask) == pytest.approx(expected[:2], abs=0.5)


@settings(deadline=None, max_examples=30)
@given(seed=seeds, sample=samples)
def test_blobs_keep_their_size(seed, sample):
    mask = np.zeros((160, 160), bool)
    mask[50:110, 60:100] = True
    image = np.zeros((160, 160, 3), np.uint8)
    for severity in SEVERITIES:
        area = mask.sum() * np.linalg.det(matrix_at(severity, 160, 160, seed, sample))
        assert jittered(image, mask, severity, seed, sample).mask.sum() == pytest.approx(
            area, rel=0.05
        )


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds,
    sample=samples,
    points=st.lists(st.tuples(st.integers(30, 98), st.integers(30, 98)), min_size=2, max_size=4),
)
def test_a_crack_one_pixel_wide_stays_whole(seed, sample, points):
    line = np.zeros((128, 128), np.uint8)
    cv2.polylines(line, [np.array(points, np.int32)], isClosed=False, color=1)
    assume(np.ptp(points, axis=0).max() > 8)
    image = np.zeros((128, 128, 3), np.uint8)
    for severity in SEVERITIES:
        moved = jittered(image, line > 0, severity, seed, sample).mask
        assert cv2.connectedComponents(moved.astype(np.uint8), connectivity=8)[0] == 2


@pytest.mark.parametrize("pixels", [1, 100, 1500])
def test_bands_leave_no_seams(monkeypatch, pixels):
    image, mask = smooth(97, 61), np.zeros((97, 61), bool)
    mask[30:70, 12:40] = True
    whole = [jittered(image, mask, severity) for severity in SEVERITIES]
    monkeypatch.setattr(sizes, "BAND", pixels)
    cut = [jittered(image, mask, severity) for severity in SEVERITIES]
    for one, other in zip(whole, cut, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@settings(deadline=None, max_examples=40)
@given(seed=seeds, sample=samples, data=st.data())
def test_defects_move_alone_as_they_move_together(seed, sample, data):
    places = st.tuples(st.integers(0, 34), st.integers(0, 34), *[st.integers(1, 9)] * 2)
    masks = np.zeros((4, 90, 90), bool)
    for mask, (row, column) in zip(masks, ((0, 0), (0, 46), (46, 0), (46, 46)), strict=True):
        top, left, height, width = data.draw(places)
        mask[row + top : row + top + height, column + left : column + left + width] = True
    image = np.zeros((90, 90, 3), np.uint8)
    for severity in (1, 5):
        apart = [jittered(image, mask, severity, seed, sample).mask for mask in masks]
        together = jittered(image, masks.any(axis=0), severity, seed, sample).mask
        assert np.array_equal(np.any(apart, axis=0), together)


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds,
    angle=st.sampled_from([0.0, 20.0, 45.0]),
    box=st.tuples(st.integers(0, 60), st.integers(0, 80), st.integers(3, 90), st.integers(3, 120)),
)
def test_a_large_defect_is_moved_whole_as_the_frame_is(seed, angle, box):
    top, left, height, width = box
    mask = np.zeros((100, 140), bool)
    mask[top : top + height, left : left + width] = True
    image = np.repeat((mask * np.uint8(255))[..., None], 3, axis=2)
    jitter = GeoJitter(rotation_deg=angle, scale_percent=20)

    result = jitter(image, mask, 3, generator(seed, "geo_jitter", 1, "a"))

    full, seen = result.image[..., 0], ~result.ignored
    assert result.mask[seen & (full == 255)].all()
    assert not result.mask[seen & (full == 0)].any()


def test_severity_one_moves_and_mirrored_strips_hold_no_defect():
    mask = np.zeros((64, 64), bool)
    mask[:, :6] = mask[:, -6:] = mask[:6] = mask[-6:] = True
    results = [jittered(smooth(64, 64), mask, 1, sample=str(index)) for index in range(20)]
    assert all((one.image != smooth(64, 64)).any() for one in results)
    assert not any((one.mask & one.ignored).any() for one in results)


@settings(deadline=None, max_examples=60)
@given(seed=seeds, sample=samples, left=st.integers(0, 85), top=st.integers(0, 85))
def test_left_out_is_less_than_half_of_the_source_defect(seed, sample, left, top):
    mask = np.zeros((100, 100), bool)
    mask[top : top + 15, left : left + 15] = True
    draw = (100, 100, seed, sample)
    moved = jittered(np.zeros((100, 100, 3), np.uint8), mask, 5, seed, sample)
    share = moved.mask.sum() / np.linalg.det(matrix_at(5, *draw)) / mask.sum()
    assume(abs(share - 0.5) > 0.1)
    assert GEO_JITTER.leaves_out(mask, seed=seed, sample_id=sample) == (share < 0.5)


def test_defects_at_the_edge_are_sometimes_left_out_and_central_ones_never():
    edge, centre = np.zeros((2, 100, 100), bool)
    edge[:3] = True
    centre[40:60, 40:60] = True
    names = [str(index) for index in range(60)]
    out = [GEO_JITTER.leaves_out(edge, seed=0, sample_id=name) for name in names]
    assert 5 < sum(out) < 55
    assert not any(GEO_JITTER.leaves_out(centre, seed=0, sample_id=name) for name in names)
    assert not GEO_JITTER.leaves_out(None, seed=0, sample_id="0")
    assert not GEO_JITTER.leaves_out(np.zeros((9, 9), bool), seed=0, sample_id="0")

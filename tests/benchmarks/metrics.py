"""AUROC, average precision and AUPRO of the pixels of one condition, against other libraries'."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from inputs import inputs, pictures
from peers import load, made_ready
from table import Table
from timing import Timed, in_turn

from pytest_robustbench.datasets.subset import limit_split
from pytest_robustbench.metrics.ranking.exact import rank_pixels
from pytest_robustbench.metrics.ranking.histogram import ScoreHistogram
from pytest_robustbench.metrics.regions import label_regions

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_robustbench.arrays import Floats, Mask
    from pytest_robustbench.metrics.ranking.exact import Ranking
    from pytest_robustbench.metrics.ranking.histogram import BinnedRanking

    Work = Callable[["Pixels"], "Values"]

CATEGORY = "magnetic_tile"
DEFECT_SHARE = 0.03
AUPRO_LIMIT = 0.3
THRESHOLDS = 200
OURS = "pytest-robustbench, exact"
STREAMING = "pytest-robustbench, streaming"


class Pixels(NamedTuple):
    """Scores ``(N, H, W)`` float32 in 0..1, masks ``(N, H, W)`` bool, and where they come from."""

    maps: Floats
    masks: NDArray[np.bool_]
    origin: str


class Values(NamedTuple):
    """What a library computes; ``None`` for what it has not."""

    auroc: float | None = None
    average_precision: float | None = None
    aupro: float | None = None


def tables(quick: bool) -> list[Table]:
    """Return the only table of this benchmark."""
    pixels = condition(n=8, size=64) if quick else condition(n=80, size=256)
    others = made_ready(OTHERS, pixels)
    bounds = values_of(binned(pixels).error)
    works = {OURS: exact, STREAMING: streaming, **others.works}
    exact(pixels)  # the others have had their warm-up
    timed = in_turn({who: partial(work, pixels) for who, work in works.items()}, rounds=5)
    rows = [row(who, timed[who], timed[OURS]) for who in works]
    rows.insert(2, ("its own bounds of these errors", None, None, *bounds))
    return [Table(title(pixels), COLUMNS, (*rows, *others.complaints.items()), notes(pixels))]


def row(who: str, timed: Timed, ours: Timed) -> tuple[object, ...]:
    pairs = zip(timed.result, ours.result, strict=True)
    differences = [None if value is None else abs(value - mine) for value, mine in pairs]
    return who, timed.median * 1e3, timed.over(ours), *differences


COLUMNS = (
    "who",
    "ms",
    "times ours",
    "AUROC, from ours",
    "AP, from ours",
    "AUPRO, from ours",
)


def title(pixels: Pixels) -> str:
    n, height, width = pixels.maps.shape
    millions = pixels.maps.size / 1e6
    return f"AUROC, AP and AUPRO of {n} maps of {height}x{width} ({millions:.1f} M pixels)"


def notes(pixels: Pixels) -> tuple[str, ...]:
    return (
        f"Masks of {pixels.origin}; {pixels.masks.mean():.1%} of the pixels are defect.",
        "Scores are drawn: smooth, with a heavy tail, higher on defects, scaled to 0..1.",
        "Everyone starts from maps and masks. The ratio is to our time for all three metrics.",
        f"pyimgano: its default of {THRESHOLDS} thresholds for AUPRO, exact otherwise.",
        "Ratios are of medians, with the range over the rounds; 'from ours': absolute difference.",
    )


# ---- the pixels --------------------------------------------------------------------------------


def condition(n: int, size: int) -> Pixels:
    """Return `n` maps and masks; at most three of four images have a defect."""
    rng = np.random.default_rng(0)
    defects, origin = defect_masks(n, size)
    share = np.cumsum([mask.mean() for mask in defects]) / n
    kept = defects[: int(np.searchsorted(share, DEFECT_SHARE)) + 1]
    masks = np.zeros((n, size, size), np.bool_)
    masks[: len(kept)] = kept
    maps = np.stack([anomaly_map(mask, rng) for mask in masks])
    return Pixels(maps / maps.max(), masks, origin)


def defect_masks(n: int, size: int) -> tuple[list[Mask], str]:
    """Return masks of all types of defects in turn."""
    split, origin = inputs(CATEGORY, size, n_train=2, n_test_good=n, n_defect=n)
    samples = [sample for sample in limit_split(split, None, 2 * n).test if sample.label]
    return [picture.mask for picture in pictures(split, samples[: 3 * n // 4])], origin


def anomaly_map(mask: Mask, rng: np.random.Generator) -> Floats:
    """Draw smooth scores, as those of enlarged patches, that most of a defect stands out of."""
    side, sigma = mask.shape[0] // 8, mask.shape[0] / 64
    patches = rng.gamma(6.0, 0.2, (side, side)).astype(np.float32)
    field = cv2.resize(patches, mask.shape, interpolation=cv2.INTER_LINEAR)
    response = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    height = rng.lognormal(0.0, 0.7) / max(response.max(), 1e-6)
    return cv2.GaussianBlur(field, (0, 0), sigma) + response * np.float32(height)


# ---- ours --------------------------------------------------------------------------------------


def exact(pixels: Pixels) -> Values:
    maps, masks, _ = pixels
    return values_of(rank_pixels(maps[~masks], maps[masks], region_numbers(masks), AUPRO_LIMIT))


def region_numbers(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the region of every defect pixel; regions of different images differ."""
    numbers, found = [], 0
    for mask in masks:
        labels, areas = label_regions(mask)
        numbers.append(labels[mask].astype(np.int64) - 1 + found)
        found += len(areas)
    return np.concatenate(numbers)


def streaming(pixels: Pixels) -> Values:
    return values_of(binned(pixels).ranking)


def binned(pixels: Pixels) -> BinnedRanking:
    histogram = ScoreHistogram()
    for scores, mask in zip(pixels.maps, pixels.masks, strict=True):
        histogram.add_background(scores[~mask])
        if mask.any():
            histogram.add_defect(scores[mask], label_regions(mask)[0][mask] - 1)
    return histogram.ranking(AUPRO_LIMIT)


def values_of(ranking: Ranking) -> Values:
    return Values(ranking.auroc, ranking.average_precision, ranking.aupro)


# ---- the others --------------------------------------------------------------------------------


def pyimgano() -> Work:
    peer = load("pyimgano.evaluation")

    def work(pixels: Pixels) -> Values:
        given = pixels.masks.astype(np.uint8), pixels.maps
        return Values(
            peer.compute_pixel_auroc(*given),
            peer.compute_pixel_average_precision(*given),
            peer.compute_aupro(*given, AUPRO_LIMIT, THRESHOLDS),
        )

    return work


def scikit_learn() -> Work:
    peer = load("sklearn.metrics")

    def work(pixels: Pixels) -> Values:
        given = pixels.masks.ravel(), pixels.maps.ravel()
        return Values(peer.roc_auc_score(*given), peer.average_precision_score(*given))

    return work


def torchmetrics(thresholds: int | None) -> Work:
    peer, torch = load("torchmetrics.functional.classification"), load("torch")

    def work(pixels: Pixels) -> Values:
        maps, masks = torch.from_numpy(pixels.maps).ravel(), torch.from_numpy(pixels.masks).ravel()
        given = maps, masks.long()
        return Values(
            float(peer.binary_auroc(*given, thresholds=thresholds)),
            float(peer.binary_average_precision(*given, thresholds=thresholds)),
        )

    return work


def anomalib() -> Work:
    peer, torch = load("anomalib.metrics.aupro"), load("torch")

    def work(pixels: Pixels) -> Values:
        metric = peer._AUPRO(fpr_limit=AUPRO_LIMIT)
        metric.update(torch.from_numpy(pixels.maps), torch.from_numpy(pixels.masks).int())
        return Values(aupro=float(metric.compute()))

    return work


def sorting() -> Work:
    def work(pixels: Pixels) -> Values:
        np.sort(pixels.maps, axis=None)
        return Values()

    return work


OTHERS: dict[str, Callable[[], Work]] = {
    "pyimgano": pyimgano,
    "scikit-learn": scikit_learn,
    "torchmetrics, exact": partial(torchmetrics, None),
    f"torchmetrics, {THRESHOLDS} thresholds": partial(torchmetrics, THRESHOLDS),
    "anomalib, AUPRO": anomalib,
    "numpy.sort of all scores, for scale": sorting,
}

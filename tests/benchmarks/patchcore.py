"""The built-in patchcore against others of that name, given the features of the same network."""

from __future__ import annotations

import logging
from functools import partial
from itertools import cycle, islice
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
from inputs import inputs, pictures
from peers import load, made_ready
from table import Table
from timing import Timed, in_turn, once
from torch.nn import functional

from pytest_robustbench.datasets.subset import limit_split
from pytest_robustbench.detectors.backbones.efficientnet_lite0 import EfficientNetLite0
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.metrics.ranking.exact import rank_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from pytest_robustbench.arrays import Floats, Image

    Predict = Callable[[Sequence[Image]], Prediction]

OURS = "pytest-robustbench, industrial-balanced"
NETWORK = "the network alone, for scale"
SIZE = 256
SMOOTHING = 4.0
NAIVE_SHARE = 0.1
"""What the paper keeps of all patches."""

log = logging.getLogger("benchmarks")


class Task(NamedTuple):
    """What all detectors are to do.

    Parameters
    ----------
    category : str
        Real category, where there are real images.
    train, shown : int
        Images of the fit, and of each round of predictions.
    rounds : int
        How often these are predicted.
    bank : int
        Patches to be remembered.
    most_tested : int, optional
        Test images for the accuracy; all by default.
    """

    category: str
    train: int
    shown: int
    rounds: int
    bank: int
    most_tested: int | None = None


FULL = (
    Task("magnetic_tile", train=200, shown=20, rounds=5, bank=2000),
    # Fewer images make 30 MB blocks in anomalib's fit, which glibc before 2.38 does not use again.
    Task("hazelnut_toy", train=40, shown=20, rounds=5, bank=2000),
)
QUICK = (Task("hazelnut_toy", train=3, shown=2, rounds=3, bank=100, most_tested=6),)


def tables(quick: bool) -> list[Table]:
    """Return one table per category."""
    return [compared(task) for task in (QUICK if quick else FULL)]


class Detector(Protocol):
    """What is compared."""

    def fit(self, images: Sequence[Image]) -> None: ...

    def predict(self, images: Sequence[Image]) -> Prediction: ...


# ---- measuring ---------------------------------------------------------------------------------


class Images(NamedTuple):
    """Train images as often as it takes, the tests, and where both come from."""

    train: list[Image]
    test: list[Image]
    masks: NDArray[np.bool_]
    origin: str


def images_of(task: Task) -> Images:
    split, origin = inputs(task.category, SIZE, n_train=task.train, n_test_good=20, n_defect=20)
    # Copies, as a camera's pictures are writable, and torch warns of others.
    train = [picture.image.copy() for picture in pictures(split, split.train)]
    test = pictures(split, limit_split(split, None, task.most_tested).test)
    origin = f"{origin}; {min(len(train), task.train)} train images make {task.train}"
    return Images(
        list(islice(cycle(train), task.train)),
        [picture.image.copy() for picture in test],
        np.stack([picture.mask for picture in test]),
        origin,
    )


class Fitted(NamedTuple):
    """How each detector predicts, the seconds of its fits, and why others could not be fitted."""

    predict: dict[str, Predict]
    seconds: Mapping[str, list[float]]
    complaints: Mapping[str, str]


def compared(task: Task) -> Table:
    given = images_of(task)
    fitted = fit_all(task, given)
    works = {**fitted.predict, NETWORK: see()}
    shown = given.test[: task.shown]
    predicted = in_turn({w: partial(one_by_one, works[w], shown) for w in works}, task.rounds)
    rows = [
        (
            who,
            *fit_cells(who, fitted.seconds),
            *predict_cells(who, predicted),
            *accuracy(predict, given),
        )
        for who, predict in fitted.predict.items()
    ]
    scale = (NETWORK, None, None, *predict_cells(NETWORK, predicted), None, None)
    title = f"PatchCore, fitted on {task.train} images of {SIZE}x{SIZE}"
    return Table(title, COLUMNS, (*rows, scale, *fitted.complaints.items()), notes(task, given))


def fit_all(task: Task, given: Images) -> Fitted:
    """Fit ours, the others, and ours once more: the machine may be busier now, or less so."""
    seconds: dict[str, list[float]] = {who: [] for who in ALL}
    fits = {who: partial(fit, seconds[who], who, make, task, given) for who, make in ALL.items()}
    fit_ours = fits.pop(OURS)
    fit_ours()
    others = made_ready(fits, given.train[:1])
    return Fitted({OURS: fit_ours(), **others.works}, seconds, others.complaints)


def fit(
    seconds: list[float], who: str, make: Callable[[Task], Detector], task: Task, given: Images
) -> Predict:
    """Fit a detector, note the seconds it took, and return how it predicts."""
    detector = make(task)
    seconds.append(once(partial(detector.fit, given.train)).median)
    log.info("  %s fitted in %.1f s", who, seconds[-1])
    return detector.predict


def fit_cells(who: str, seconds: Mapping[str, list[float]]) -> tuple[object, ...]:
    return mean(seconds[who]), mean(seconds[who]) / mean(seconds[OURS])


def predict_cells(who: str, predicted: dict[str, Timed]) -> tuple[object, ...]:
    each = predicted[who]
    return each.median / len(each.result) * 1e3, each.over(predicted[OURS])


COLUMNS = (
    "who",
    "fit, s",
    "times ours",
    "predict, ms per image",
    "times ours",
    "image AUROC",
    "pixel AUROC",
)


def notes(task: Task, given: Images) -> tuple[str, ...]:
    return (
        f"{given.origin}; {len(given.test)} test images, one at a time.",
        "All see with our EfficientNet-Lite0, batch norms folded: 32x32 patches of 152 channels.",
        f"ours: {task.bank} patches chosen from at most 50,000 drawn ones.",
        f"naive: {NAIVE_SHARE:.0%} of all patches, drawn at random; torch.cdist.",
        f"pyimgano: VisionPatchCore, given our features; {task.bank} chosen from all, 1 neighbour.",
        "pyimgano's map alone is timed: its score would be a second inference.",
        f"anomalib: PatchcoreModel with our network as backbone; {task.bank} chosen from all.",
        "Fits hold the network's time as well; ours is the mean of one before and one after all.",
    )


def one_by_one(predict: Predict, images: Sequence[Image]) -> list[Prediction]:
    return [predict([image]) for image in images]


def accuracy(predict: Predict, given: Images) -> tuple[float | None, float | None]:
    """Return AUROC of images and of pixels."""
    predictions = one_by_one(predict, given.test)
    scores = np.concatenate([prediction.scores for prediction in predictions])
    maps = np.concatenate([prediction.maps for prediction in predictions])
    return auroc(scores, given.masks.any(axis=(1, 2))), auroc(maps, given.masks)


def auroc(scores: Floats, defect: NDArray[np.bool_]) -> float | None:
    return rank_scores(scores[~defect], scores[defect]).auroc


# ---- the detectors -----------------------------------------------------------------------------


def ours(task: Task) -> Detector:
    settings = {"coreset_size": task.bank}
    return load_detector("patchcore", preset="industrial-balanced", device="cpu", kwargs=settings)


class Features:
    """The patches of one image ``(32 * 32, 152)``, described as our detector does."""

    def __init__(self) -> None:
        self.network = EfficientNetLite0()

    def __call__(self, image: Image) -> Tensor:
        with torch.inference_mode():
            shallow, deep = (
                functional.avg_pool2d(tap, 3, stride=1, padding=1)
                for tap in self.network(as_batch(image))
            )
            deep = functional.interpolate(deep, size=shallow.shape[-2:], mode="bilinear")
            return torch.cat([shallow, deep], dim=1)[0].flatten(1).T


def as_batch(image: Image) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float()


def see() -> Callable[[Sequence[Image]], object]:
    """Return what nobody here can be faster than."""
    features = Features()
    return lambda images: [features(image) for image in images]


class Naive:
    """Distances to a random tenth of all patches, by `torch.cdist`."""

    def __init__(self, task: Task) -> None:
        del task
        self.features = Features()

    def fit(self, images: Sequence[Image]) -> None:
        patches = torch.cat([self.features(image) for image in images])
        order = torch.randperm(len(patches), generator=torch.Generator().manual_seed(0))
        self.bank = patches[order[: int(NAIVE_SHARE * len(patches))]]

    def predict(self, images: Sequence[Image]) -> Prediction:
        (image,) = images
        distances = torch.cdist(self.features(image), self.bank).amin(1)
        side = round(len(distances) ** 0.5)
        enlarged = cv2.resize(distances.reshape(side, side).numpy(), (SIZE, SIZE))
        return of_map(cv2.GaussianBlur(enlarged, (0, 0), SMOOTHING))


class Pyimgano:
    """Its VisionPatchCore, whose backbones would have to be downloaded, with our features."""

    def __init__(self, task: Task) -> None:
        features = Features()
        base = load("pyimgano.models.patchcore").VisionPatchCore

        class WithOurFeatures(base):
            def _build_model(self) -> None:
                self.model = features.network

            def _extract_patch_features(self, image: Image) -> tuple[Floats, tuple[int, int]]:
                patches = features(image).numpy()
                side = round(len(patches) ** 0.5)
                return patches, (side, side)

        load("torchvision.transforms")  # it asks for them, and does not need them here
        share = task.bank / (task.train * 32 * 32)
        self.detector = WithOurFeatures(coreset_sampling_ratio=share, n_neighbors=1)

    def fit(self, images: Sequence[Image]) -> None:
        self.detector.fit(images)

    def predict(self, images: Sequence[Image]) -> Prediction:
        (image,) = images
        return of_map(self.detector.get_anomaly_map(image))


class Anomalib:
    """Its PatchcoreModel, which takes any network as backbone."""

    def __init__(self, task: Task) -> None:
        self.share = task.bank / (task.train * 32 * 32)
        self.model = load("anomalib.models.image.patchcore.torch_model").PatchcoreModel(
            layers=["blocks.4", "blocks.10"], backbone=EfficientNetLite0(), pre_trained=False
        )

    def fit(self, images: Sequence[Image]) -> None:
        self.model.train()
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for image in images:
                self.model(as_batch(image))
            self.model.subsample_embedding(self.share)
        self.model.eval()

    def predict(self, images: Sequence[Image]) -> Prediction:
        (image,) = images
        with torch.inference_mode():
            found = self.model(as_batch(image))
        return Prediction(found.pred_score.numpy(), found.anomaly_map[:, 0].numpy())


def of_map(anomaly_map: Floats) -> Prediction:
    return Prediction(np.array([anomaly_map.max()]), anomaly_map[None])


ALL: dict[str, Callable[[Task], Any]] = {
    OURS: ours,
    "naive": Naive,
    "pyimgano": Pyimgano,
    "anomalib": Anomalib,
}

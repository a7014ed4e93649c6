"""Images per second of each corruption, against what comes near it in other libraries."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from inputs import inputs, pictures
from peers import load, made_ready
from table import Table, cell
from timing import Ratio, in_turn

from pytest_robustbench.conditions import SEVERITIES
from pytest_robustbench.corruptions.built_in.blur import Blur
from pytest_robustbench.corruptions.built_in.jpeg import Jpeg
from pytest_robustbench.corruptions.catalogue import DEFAULT
from pytest_robustbench.corruptions.registry import load_corruption
from pytest_robustbench.datasets.subset import limit_split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_robustbench.arrays import Image, Mask

    Apply = Callable[[Image, Mask], object]
    Pair = tuple[Image, Mask]

CATEGORIES = {"colour": "hazelnut_toy", "gray": "grid"}
SEVERITY = 3
STRENGTH = SEVERITY / max(SEVERITIES)
PIXELS_AT_ONCE = 16 * 256 * 256
MOST_IMAGES = 16


def tables(quick: bool) -> list[Table]:
    """Return the rates, and which counterparts they are compared with."""
    sizes = (64,) if quick else (256, 1024)
    with one_thread():
        cases = [
            measured(name, scene, 3 if quick else 5) for scene in scenes(sizes) for name in DEFAULT
        ]
    return [rate_table(cases), counterpart_table()]


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold OpenCV to one thread: a sweep has its own, and the others have no more."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


# ---- what is measured on -----------------------------------------------------------------------


class Scene(NamedTuple):
    """Images of one size and kind, with their masks."""

    size: int
    kind: str
    pairs: Sequence[Pair]
    origin: str


def scenes(sizes: Sequence[int]) -> Iterator[Scene]:
    for size in sizes:
        for kind, category in CATEGORIES.items():
            split, origin = inputs(category, size, n_train=2, n_test_good=8, n_defect=8)
            some = limit_split(split, None, min(MOST_IMAGES, PIXELS_AT_ONCE // size**2))
            shown = pictures(some, some.test)
            yield Scene(size, kind, [as_kind(p.image, p.mask, kind) for p in shown], origin)


def as_kind(image: Image, mask: Mask, kind: str) -> Pair:
    return (np.repeat(image[..., :1], 3, axis=2) if kind == "gray" else image), mask


# ---- measuring ---------------------------------------------------------------------------------


class Rate(NamedTuple):
    """Images per second of another library, and how many times as fast ours is."""

    per_second: float
    ours: Ratio

    def __str__(self) -> str:
        return f"{cell(self.per_second)}; {self.ours}"


class Case(NamedTuple):
    """One corruption on one scene."""

    corruption: str
    scene: Scene
    ours: dict[int, float]
    others: dict[str, Rate]
    complaints: dict[str, str]

    def row(self) -> tuple[object, ...]:
        each = [1 / rate for rate in self.ours.values()]
        return (
            self.corruption,
            f"{self.scene.size}, {self.scene.kind}",
            self.ours[SEVERITY],
            len(each) / sum(each),
            *map(self.other, PEERS),
        )

    def other(self, peer: str) -> object:
        return "not measured" if peer in self.complaints else self.others.get(peer)


def measured(name: str, scene: Scene, rounds: int) -> Case:
    makers = {
        peer: partial(through_pairs, partial(counterpart.make, scene.size))
        for peer, counterpart in COUNTERPARTS[name].items()
    }
    ready = made_ready(makers, scene.pairs)
    mine = {s: through_pairs(partial(ours, name, s)) for s in SEVERITIES}
    mine[SEVERITY](scene.pairs)  # the others have had their warm-up
    timed = in_turn(
        {key: partial(work, scene.pairs) for key, work in {**mine, **ready.works}.items()}, rounds
    )

    def rate(key: int | str) -> float:
        return len(scene.pairs) / timed[key].median

    others = {peer: Rate(rate(peer), timed[peer].over(timed[SEVERITY])) for peer in ready.works}
    return Case(name, scene, {s: rate(s) for s in SEVERITIES}, others, ready.complaints)


def through_pairs(make: Callable[[], Apply]) -> Callable[[Sequence[Pair]], None]:
    apply = make()

    def work(pairs: Sequence[Pair]) -> None:
        for image, mask in pairs:
            apply(image, mask)

    return work


def rate_table(cases: Sequence[Case]) -> Table:
    complaints = {peer: text for case in cases for peer, text in case.complaints.items()}
    origins = {case.scene.kind: case.scene.origin for case in cases}
    return Table(
        "Corruptions: images per second, one thread",
        (
            "corruption",
            "images",
            f"ours, severity {SEVERITY}",
            "ours, mean of severities",
            *(f"{peer}; how many times as fast is ours" for peer in PEERS),
        ),
        tuple(case.row() for case in cases),
        (
            *(f"{kind}: {origin}" for kind, origin in origins.items()),
            "Everyone gets images of three channels; the gray ones have three equal channels.",
            "Ours checks what it returns; geo_jitter returns the pixels to be ignored as well.",
            *(f"{peer}: {text}" for peer, text in complaints.items()),
        ),
    )


# ---- ours and the others -----------------------------------------------------------------------


class Counterpart(NamedTuple):
    """What comes near one of our corruptions: in words, and made for a size of images."""

    what: str
    make: Callable[[int], Apply]


def ours(name: str, severity: int) -> Apply:
    corruption, ids = load_corruption(name), map(str, count())
    return lambda image, mask: corruption.apply(image, mask, severity, seed=0, sample_id=next(ids))


def pyimgano(name: str, size: int) -> Apply:
    apply = getattr(load("pyimgano.robustness.corruptions"), f"apply_{name}")
    rng = np.random.default_rng(0)
    return lambda image, mask: apply(image, mask=mask, severity=SEVERITY, rng=rng)


def albumentations(build: Callable[[Any, int], Any], size: int) -> Apply:
    transform = build(load("albumentations"), size)
    return lambda image, mask: transform(image=image, mask=mask.view(np.uint8))


def imagecorruptions(name: str, severity: Callable[[int], int], size: int) -> Apply:
    peer = load("imagecorruptions")
    peer.corruptions.gaussian = gaussian  # scikit-image has renamed an argument since
    return lambda image, _mask: peer.corrupt(image, severity(size), name)


def gaussian(image: Any, sigma: float, multichannel: bool) -> Any:
    channel_axis = -1 if multichannel else None
    return load("skimage.filters").gaussian(image, sigma=sigma, channel_axis=channel_axis)


def sigma_at(size: int) -> float:
    return Blur().sigma_px * max(1.0, size / 256)


def nearest(values: Sequence[float], wanted: float) -> int:
    """Return the severity, from 1 on, whose value comes nearest."""
    return 1 + int(np.argmin(np.abs(np.subtract(values, wanted))))


QUALITY = Jpeg().quality_at(SEVERITY)
PEER_QUALITIES = (25, 18, 15, 10, 7)
PEER_SIGMAS = (1, 2, 3, 4, 6)


def blur_severity(size: int) -> int:
    return nearest(PEER_SIGMAS, sigma_at(size))


def jpeg_severity(size: int) -> int:
    return nearest(PEER_QUALITIES, QUALITY)


def same_severity(size: int) -> int:
    return SEVERITY


def lighting(peer: Any, size: int) -> Any:
    levels = peer.RandomBrightnessContrast(0.15 * STRENGTH, 0.25 * STRENGTH, p=1)
    span = 25 * STRENGTH
    return peer.Compose([levels, peer.RandomGamma((100 - span, 100 + span), p=1)])


def jpeg(peer: Any, size: int) -> Any:
    return peer.ImageCompression("jpeg", (QUALITY, QUALITY), p=1)


def blur(peer: Any, size: int) -> Any:
    return peer.GaussianBlur(blur_limit=0, sigma_limit=(sigma_at(size), sigma_at(size)), p=1)


def glare(peer: Any, size: int) -> Any:
    return peer.RandomSunFlare((0, 0, 1, 1), size // 4, num_flare_circles_range=(2, 3), p=1)


def geo_jitter(peer: Any, size: int) -> Any:
    shift, scale, angle = 0.02, 0.03, 3
    return peer.Affine(
        scale=(1 - scale, 1 + scale),
        translate_percent=(-shift, shift),
        rotate=(-angle, angle),
        border_mode=cv2.BORDER_REFLECT_101,
        p=1,
    )


PEERS = ("pyimgano", "albumentations", "imagecorruptions")
COUNTERPARTS = {
    "lighting": {
        "pyimgano": Counterpart("apply_lighting, severity 3", partial(pyimgano, "lighting")),
        "albumentations": Counterpart(
            "RandomBrightnessContrast (15 %, 25 %) and RandomGamma (25 %), each times 3/5",
            partial(albumentations, lighting),
        ),
        "imagecorruptions": Counterpart(
            "contrast, severity 3 (its brightness takes the way through HSV, twenty times longer)",
            partial(imagecorruptions, "contrast", same_severity),
        ),
    },
    "jpeg": {
        "pyimgano": Counterpart("apply_jpeg, severity 3", partial(pyimgano, "jpeg")),
        "albumentations": Counterpart(
            f"ImageCompression, quality {QUALITY}", partial(albumentations, jpeg)
        ),
        "imagecorruptions": Counterpart(
            f"jpeg_compression, quality 25, the nearest to {QUALITY} it has",
            partial(imagecorruptions, "jpeg_compression", jpeg_severity),
        ),
    },
    "blur": {
        "pyimgano": Counterpart("apply_blur, severity 3", partial(pyimgano, "blur")),
        "albumentations": Counterpart(
            "GaussianBlur of the same sigma (1 at 256, 4 at 1024)", partial(albumentations, blur)
        ),
        "imagecorruptions": Counterpart(
            "gaussian_blur of the nearest sigma it has (1 at 256, 4 at 1024)",
            partial(imagecorruptions, "gaussian_blur", blur_severity),
        ),
    },
    "glare": {
        "pyimgano": Counterpart("apply_glare, severity 3", partial(pyimgano, "glare")),
        "albumentations": Counterpart(
            "RandomSunFlare (overlay), 2 to 3 circles, radius a quarter of the side",
            partial(albumentations, glare),
        ),
    },
    "geo_jitter": {
        "pyimgano": Counterpart("apply_geo_jitter, severity 3", partial(pyimgano, "geo_jitter")),
        "albumentations": Counterpart(
            "Affine: 3 degrees, 2 % shift, 3 % scale; reflected border",
            partial(albumentations, geo_jitter),
        ),
    },
}


def counterpart_table() -> Table:
    rows = [
        (name, peer, counterpart.what)
        for name, counterparts in COUNTERPARTS.items()
        for peer, counterpart in counterparts.items()
    ]
    return Table("Corruptions: what is compared", ("corruption", "with", "what"), tuple(rows))

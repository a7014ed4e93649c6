"""Training images that are not all normal: what softpatch is for."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.opencv import load as load_opencv
from tests.integration.integration_data import real_split

pytest.importorskip("torch")

SHARE = 0.1
FEW = {"candidates": 15_000}  # the choice of the coreset takes most of the time
SIDE = 64  # of masks and maps when they are compared: 108 whole ones take long to rank


@pytest.fixture(scope="module")
def split(test_data):
    return real_split(test_data, "magnetic_tile")


def contaminated(split, seed, share=SHARE):
    """Train and test samples: `share` of the train images are defect images, no longer tested."""
    generator = np.random.default_rng(seed)
    defects = [sample for sample in split.test if sample.label]
    taken = set(generator.choice(len(defects), round(share * len(split.train)), replace=False))
    hidden = [defects[i] for i in sorted(taken)]
    kept = generator.permutation(len(split.train))[len(hidden) :]
    train = [split.train[i] for i in sorted(kept)] + hidden
    return train, [sample for sample in split.test if sample not in hidden]


def pixel_average_precision(detector, train, test):
    detector.fit([picture(sample).image for sample in train])
    shown = [picture(sample) for sample in test]
    maps = detector.predict([each.image for each in shown]).maps
    truth = np.stack([_small(each.mask.astype(np.float32)) > 0 for each in shown])
    return average_precision_score(truth.ravel(), np.stack([_small(m) for m in maps]).ravel())


@cache
def picture(sample):
    return read_picture(sample, (256, 256))


def _small(values):
    cv2 = load_opencv()
    return cv2.resize(values, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def both(split, seed, share=SHARE):
    train, test = contaminated(split, seed, share)
    arguments = {"preset": "industrial-fast", "device": "cpu", "kwargs": FEW}
    return [
        pixel_average_precision(load_detector(name, **arguments), train, test)
        for name in ("patchcore", "softpatch")
    ]


@pytest.fixture
def _features_once(monkeypatch):
    """The features of a picture are the same for both detectors and every draw."""
    from pytest_robustbench.detectors.patches.features import PatchFeatures

    calculated, found = PatchFeatures.patches, {}

    def patches(self, image):
        if id(image) not in found:  # `picture` keeps every image that there is
            found[id(image)] = calculated(self, image)
        return found[id(image)]

    monkeypatch.setattr(PatchFeatures, "patches", patches)


def test_the_hidden_defects_are_tested_no_more(split):
    train, test = contaminated(split, seed=1)

    assert len(train) == len(split.train) == 120
    assert sum(sample.label for sample in train) == 12
    assert not {sample.id for sample in train} & {sample.id for sample in test}
    assert len(test) == len(split.test) - 12


@pytest.mark.usefixtures("_features_once")
def test_it_beats_patchcore_when_a_tenth_of_the_training_images_has_defects(split):
    patchcore, softpatch = np.mean([both(split, seed) for seed in (0, 1, 2)], axis=0)

    assert softpatch > patchcore

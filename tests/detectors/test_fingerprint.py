"""What a fitted model holds, as one digest: the same in every run, other for another model."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.detectors.fingerprint import fingerprint

OF_A_FIT = """
import sys
import numpy as np
import pytest_robustbench as rb
from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.fingerprint import fingerprint

rng = np.random.default_rng(int(sys.argv[2]))
images = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(6)]
detector = as_detector(rb.load_detector(sys.argv[1]))
detector.fit(images)
sys.stdout.write(str(fingerprint(detector)))
"""


def of_a_fit(name, images, hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    command = [sys.executable, "-c", OF_A_FIT, name, str(images)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("name", ["pixel_gaussian", "patchcore", "softpatch", "patch_knn"])
def test_two_processes_fit_one_model_and_other_images_make_another(name):
    if name != "pixel_gaussian":
        pytest.importorskip("torch")
    first, again, other = of_a_fit(name, 0, 1), of_a_fit(name, 0, 2), of_a_fit(name, 1, 1)

    assert len(first) == 64
    assert first == again
    assert first != other


@dataclass
class Weighted:
    """Where its numbers come from does not matter: a file, a folder, the environment."""

    weights: np.ndarray
    settings: dict[str, object] = field(default_factory=dict)


def test_equal_content_is_one_model_wherever_it_lies():
    name = "line"
    one = Weighted(np.arange(6.0), {"a": name, "b": name})
    other = Weighted(np.arange(12.0)[::2] / 2, {"a": name, "b": "".join(["li", "ne"])})

    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    "changed",
    [
        Weighted(np.array([0.0, 1, 2, 3, 4, 5.001])),
        Weighted(np.arange(6, dtype=np.float32)),
        Weighted(np.arange(6.0).reshape(2, 3)),
        Weighted(np.arange(6.0), {"threshold": 1}),
    ],
)
def test_other_content_is_another_model(changed):
    assert fingerprint(changed) != fingerprint(Weighted(np.arange(6.0)))


def test_a_module_of_torch_is_what_its_parameters_are():
    torch = pytest.importorskip("torch")

    def network(seed):
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))

    assert fingerprint(network(0)) == fingerprint(network(0)) is not None
    assert fingerprint(network(0)) != fingerprint(network(1))


MODEL = np.arange(3.0)


def of_a_global(images):
    return [float(MODEL.sum()) for _ in images]


class OfAGlobal:
    def predict(self, images):
        return of_a_global(images)


@pytest.mark.parametrize("detector", [of_a_global, OfAGlobal()], ids=["function", "method"])
def test_a_model_that_code_holds_beside_its_arguments_counts(detector, monkeypatch):
    before = fingerprint(detector)

    assert before == fingerprint(detector) is not None
    monkeypatch.setitem(globals(), "MODEL", np.arange(4.0))
    assert fingerprint(detector) != before


def test_so_does_one_in_a_closure():
    def made(weights):
        return lambda images: [weights.sum() for _ in images]

    assert fingerprint(made(np.arange(3.0))) == fingerprint(made(np.arange(3.0))) is not None
    assert fingerprint(made(np.arange(3.0))) != fingerprint(made(np.arange(4.0)))


class RefersToItself:
    def __init__(self):
        self.me = self


@pytest.mark.parametrize(
    "holds",
    [threading.Lock(), (each for each in ()), RefersToItself()],
    ids=["lock", "generator", "itself"],
)
def test_what_cannot_be_told_has_no_digest(holds):
    assert fingerprint(Weighted(np.zeros(3), {"held": holds})) is None


def test_the_report_has_it():
    split = rb.load_split("synthetic", n_train=8, n_test_good=3, n_defect=3)
    runs = [rb.Benchmark(split, rb.load_detector("pixel_gaussian"), corruptions=[]) for _ in "ab"]
    first, second = (run.run().header.sha256.fitted for run in runs)

    assert first == second is not None

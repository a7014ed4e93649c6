"""One model as torch module and as four kinds of file: the same verdicts on real images."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.benchmark import Gate
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.gates.limits import Limit
from pytest_robustbench.reports.file.record import condition_record
from tests.integration.integration_data import real_split

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

from tests import model_exports  # noqa: E402 - imports torch

SIZE = (128, 128)
KNOWN = 16  # train images whose patches the model remembers; the others calibrate
PATCHES = 150
SEVERITY = 3
CORRUPTIONS = ("lighting", "blur")
CONDITIONS = (CLEAN, *(rb.Condition(name, SEVERITY) for name in CORRUPTIONS))
KWARGS = {"scale": "0-1", "input_size": list(SIZE)}
FILES = {
    "torchscript": "torchscript:v7.pt",
    "program": "torchscript:v7.pt2",
    "onnx": "onnx:v7.onnx",
    "opencv": "onnx:v7.onnx",
    "openvino": "openvino:v7.xml",
}

# Scores are distances from 0.8 to 2.9. The largest differences from torch that were seen, over
# clean, lighting and blur: TorchScript and exported program 0, onnxruntime 7.2e-7, OpenCV and
# OpenVINO 8.4e-7.
LARGEST_SCORE_DIFFERENCE = 1e-5

# On both sides of what is measured, so that both verdicts occur.
LIMITS = (
    Limit("auroc", "min", 0.6, "robustness.yaml:1"),
    Limit("pixel_auroc", "min", 0.999, "robustness.yaml:2"),
    Limit("bg_fpr", "max", 0.05, "robustness.yaml:3"),
    Limit("miss_rate", "max", 0.9, "robustness.yaml:4"),
    Limit("false_reject_rate", "max", 0.5, "robustness.yaml:5"),
)


class PatchDistances(torch.nn.Module):
    """Distances of random but fixed features to those of normal images; one map and its maximum."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.features = torch.nn.Sequential(
                torch.nn.Conv2d(3, 24, 7, stride=2, padding=3),
                torch.nn.ReLU(),
                torch.nn.Conv2d(24, 32, 5, stride=2, padding=2),
                torch.nn.ReLU(),
            )
        self.register_buffer("bank", torch.zeros(PATCHES, 32))

    def remember(self, images: torch.Tensor) -> None:
        with torch.inference_mode():
            patches = self.features(8 * images - 4).permute(0, 2, 3, 1).reshape(-1, 32)
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randperm(len(patches), generator=generator)[:PATCHES]
        self.bank = patches[chosen].clone()

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grid = self.features(8 * image - 4)
        patches = grid.permute(0, 2, 3, 1).reshape(-1, 1, 32)
        squares = (patches - self.bank).square().sum(2).amin(1)
        distances = squares.sqrt().reshape(1, 1, SIZE[0] // 4, SIZE[1] // 4)
        return distances.amax((1, 2, 3)), distances


class Measured(NamedTuple):
    operating_point: rb.OperatingPoint
    scores: np.ndarray  # (conditions, images)
    verdicts: list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def split(test_data):
    """Hazelnuts: the model knows the first ones, the others calibrate."""
    whole = replace(real_split(test_data, "hazelnut_toy"), resize=SIZE)
    return replace(whole, train=(), calibration=whole.train[KNOWN:])


@pytest.fixture(scope="module")
def model(test_data, split):
    known = real_split(test_data, "hazelnut_toy").train[:KNOWN]
    store = PictureStore(split.resize)
    fitted = PatchDistances()
    fitted.remember(torch.stack([tensor(store.load(sample).image) for sample in known]))
    return fitted.eval()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("line")
    model_exports.torchscript(model, folder / "v7.pt", SIZE)
    model_exports.program(model, folder / "v7.pt2", SIZE)
    model_exports.onnx(model, folder / "v7.onnx", SIZE)
    model_exports.openvino(folder / "v7.onnx", folder / "v7.xml")
    return folder


@pytest.fixture(scope="module")
def reference(split, model):
    """The module itself: the operating point, results and verdicts that the files must repeat."""

    def predict(images):
        with torch.inference_mode():
            outputs = [model(tensor(image)[None]) for image in images]
        return [float(score) for score, _ in outputs], [values[0] for _, values in outputs]

    return measured(split, rb.as_detector(predict, name="torch"), None)


def tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def measured(split, detector, operating_point):
    benchmark = rb.Benchmark(
        split,
        detector,
        fitted=True,
        corruptions=CORRUPTIONS,
        severities=[SEVERITY],
        operating_point=operating_point,
        gate=Gate({condition.id: LIMITS for condition in CONDITIONS}),
    )
    results = {condition.id: benchmark.evaluate(condition) for condition in CONDITIONS}
    judged = [
        (name, verdict.limit.metric, verdict.outcome)
        for name, result in results.items()
        for verdict in benchmark.gate.judge(name, condition_record(result))
    ]
    scores = np.array([result.per_image.score for result in results.values()])
    return Measured(benchmark.prepare(), scores, judged)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_gives_the_same_verdicts(kind, split, folder, reference, monkeypatch):
    if kind == "opencv":
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    kwargs = KWARGS | {"layout": "nchw"}
    detector = load_detector(FILES[kind], device="cpu", kwargs=kwargs, folder=folder)

    other = measured(split, detector, reference.operating_point)

    assert np.abs(other.scores - reference.scores).max() < LARGEST_SCORE_DIFFERENCE
    assert other.verdicts == reference.verdicts


def test_the_verdicts_are_not_all_one(reference):
    assert len(reference.verdicts) == len(LIMITS) * len(CONDITIONS)
    assert {outcome for *_, outcome in reference.verdicts} == {"pass", "fail"}
    assert (np.ptp(reference.scores, axis=1) > 1e4 * LARGEST_SCORE_DIFFERENCE).all()
    assert not np.array_equal(reference.scores[0], reference.scores[1])

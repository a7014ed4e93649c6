"""Models of anomalib on real images: trained through its Engine, judged by their raw scores."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import DetectorError
from tests.integration.integration_data import real_split

torch = pytest.importorskip("torch")

PADIM = {"backbone": "resnet18", "layers": ["layer1", "layer2"], "n_features": 30}
PATCHCORE = {"backbone": "resnet18", "layers": ["layer2"], "coreset_sampling_ratio": 0.002}
UNTRAINED = {"pre_trained": False}  # weights cannot be downloaded in tests
CORRUPTIONS = ("lighting",)
SEVERITY = 3


@pytest.fixture(scope="module", autouse=True)
def anomalib():
    """anomalib's models; skips where they cannot be imported."""
    if importlib.util.find_spec("anomalib") is None:
        pytest.skip("anomalib is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torchvision  # noqa: F401
        except RuntimeError:  # a torchvision built for another torch fails in this module only
            name = "torchvision._meta_registrations"
            stub = ModuleType(name)
            stub.__spec__ = ModuleSpec(name, None)
            for loaded in [each for each in sys.modules if each.startswith("torchvision")]:
                del sys.modules[loaded]
            sys.modules[name] = stub
        return pytest.importorskip("anomalib.models.image")


@pytest.fixture(scope="module")
def split(test_data):
    return real_split(test_data, "hazelnut_toy")


@pytest.fixture(scope="module")
def fit_images(split):
    store = PictureStore(split.resize)
    return [store.load(sample).image for sample in split.train[:8]]


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """The folder of temporary files, of this module alone: other runs have theirs at hand."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def padim(fit_images, temporary):
    detector = load_detector("anomalib:Padim", device="cpu", kwargs=PADIM | UNTRAINED)
    detector.fit(fit_images)
    return detector


@pytest.mark.parametrize(("name", "settings"), [("Padim", PADIM), ("patchcore", PATCHCORE)])
def test_it_finds_real_defects_clean_and_corrupted(name, settings, split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    detector = load_detector(f"anomalib:{name}", device="cpu", kwargs=settings | UNTRAINED)
    benchmark = rb.Benchmark(split, detector, corruptions=CORRUPTIONS, severities=[SEVERITY])
    clean = benchmark.evaluate(CLEAN)
    dark = benchmark.evaluate(rb.Condition("lighting", SEVERITY))

    # With random weights, 0.994 (PaDiM) and 0.987 (PatchCore) were seen.
    assert clean.metrics["pixel_auroc"] > 0.9
    assert (clean.per_image.score != dark.per_image.score).all()
    assert list(tmp_path.iterdir()) == []
    json.dumps(benchmark.header().detector)


def test_its_scores_are_the_raw_ones(padim, fit_images):
    network = padim._model
    batch = torch.from_numpy(np.stack(fit_images[:2])).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        output = network.model(network.pre_processor(batch))
    prediction = padim.predict(fit_images[:2])
    assert np.allclose(prediction.scores, output.pred_score.flatten())
    assert np.allclose(np.array(prediction.maps), output.anomaly_map)
    assert prediction.scores.max() > 1  # its post-processor would have clamped them


def test_fitting_again_gives_the_same_and_leaves_the_session_as_it_was(padim, fit_images):
    before = padim.predict(fit_images[:2]).scores
    torch.manual_seed(3)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    level = logging.getLogger("lightning.pytorch").level
    padim.fit(fit_images)
    assert torch.rand(1) == drawn
    assert logging.getLogger("lightning.pytorch").level == level
    assert np.array_equal(padim.predict(fit_images[:2]).scores, before)


def test_an_instance_is_fitted_where_it_has_learned_and_trained_where_it_has_not(
    anomalib, padim, fit_images
):
    trained = rb.as_detector(padim._model)
    assert np.array_equal(
        trained.predict(fit_images[:2]).scores, padim.predict(fit_images[:2]).scores
    )
    with pytest.raises(DetectorError, match="declare fitted: true"):
        trained.fit(fit_images)
    fresh = rb.as_detector(anomalib.Padim(**PADIM, **UNTRAINED), name="line")
    fresh.fit(fit_images)
    assert np.isfinite(fresh.predict(fit_images[:1]).scores).all()


def test_a_lightning_checkpoint_is_fitted(padim, fit_images, tmp_path):
    from lightning.pytorch import Trainer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = Trainer(logger=False, accelerator="cpu", enable_progress_bar=False)
    trainer.strategy.connect(padim._model)
    trainer.save_checkpoint(tmp_path / "v7.ckpt")

    detector = load_detector(
        "anomalib:Padim", device="cpu", kwargs={"checkpoint_path": "v7.ckpt"}, folder=tmp_path
    )
    # Not to the last digit: kernels differ by how their memory happens to be aligned.
    np.testing.assert_allclose(
        detector.predict(fit_images[:2]).scores, padim.predict(fit_images[:2]).scores, rtol=1e-6
    )
    with pytest.raises(DetectorError, match="'anomalib:Padim' cannot be fitted here: declare fit"):
        detector.fit(fit_images)
    with pytest.raises(DetectorError, match=r"v7.ckpt is no checkpoint of Patchcore"):
        load_detector("anomalib:Patchcore", kwargs={"checkpoint_path": "v7.ckpt"}, folder=tmp_path)


def test_its_exports_and_inferencers_give_the_same(padim, fit_images, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    from anomalib.deploy import OpenVINOInferencer, TorchInferencer

    monkeypatch.chdir(tmp_path)  # the OpenVINO inferencer makes a cache folder where it stands
    monkeypatch.setenv("TRUST_REMOTE_CODE", "1")
    size = fit_images[0].shape[:2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch_file = padim._model.to_torch(tmp_path, model_file_name="v7")
        xml = padim._model.to_openvino(tmp_path, model_file_name="v7", input_size=size)
    wanted = padim.predict(fit_images[:2])
    names = {"score": "pred_score", "map": "anomaly_map"}
    file = load_detector(
        f"openvino:{os.path.relpath(xml, tmp_path)}",
        kwargs={"scale": "0-1", "outputs": names},
        folder=tmp_path,
    )
    others = [
        file,
        rb.as_detector(TorchInferencer(torch_file, device="cpu")),
        rb.as_detector(OpenVINOInferencer(xml, device="CPU")),
    ]
    for other in others:
        found = other.predict(fit_images[:2])
        # OpenVINO files of anomalib hold half precision.
        assert np.allclose(found.scores, wanted.scores, rtol=0.02)
        maps = np.array(found.maps).reshape(2, *size)
        assert np.allclose(maps, np.array(wanted.maps)[:, 0], rtol=0.05, atol=0.05)
        with pytest.raises(DetectorError, match="declare fitted: true"):
            other.fit(fit_images)


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("Padimm", {}, "knows no model 'Padimm'; nearest: Padim"),
        ("Padim", {"kwargs": {"backbon": "resnet18"}}, "no argument 'backbon'; did you mean 'back"),
        ("Padim", {"preset": "industrial-fast"}, "anomalib has no presets"),
        ("Padim", {"device": "tpu"}, "unknown device 'tpu'"),
        ("Padim", {"kwargs": {"batch_size": 0}}, "batch_size must be a whole number"),
        ("Padim", {"kwargs": {"checkpoint_path": "no.ckpt"}}, "no such checkpoint: no.ckpt"),
        ("Padim", {"kwargs": {"n_features": 9999} | UNTRAINED}, "cannot be made: ValueError"),
        ("VlmAd", {}, "computes its outputs in a predict_step of its own"),
    ],
)
def test_what_anomalib_cannot_make_is_one_line(model, arguments, message):
    with pytest.raises(DetectorError, match=message) as caught:
        load_detector(f"anomalib:{model}", **arguments)
    assert str(caught.value).startswith(f"detector 'anomalib:{model}': ")
    assert "\n" not in str(caught.value)


def test_an_untrained_model_does_not_predict(fit_images):
    detector = load_detector("anomalib:Padim", device="cpu", kwargs=PADIM | UNTRAINED)
    with pytest.raises(DetectorError, match="has not been fitted; give it a checkpoint_path"):
        detector.predict(fit_images[:1])


def test_temporary_files_are_gone(padim, temporary):
    assert padim is not None
    assert list(temporary.glob("pytest-robustbench-*/Padim*")) == []

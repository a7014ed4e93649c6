"""Feature networks from other packages and from files; random weights are enough for that."""

from __future__ import annotations

import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_robustbench.detectors.backbones.kinds import KINDS, kind_of
from pytest_robustbench.detectors.backbones.outputs import as_grids, default_indices
from pytest_robustbench.detectors.families import Request
from pytest_robustbench.detectors.patches.patch_knn import PatchKNN, PatchKNNSettings
from pytest_robustbench.detectors.patches.settings import with_folder
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.importing import import_object
from tests import model_exports
from tests.detectors.detectors_pictures import drawn

SIZE = 64


@pytest.fixture
def torchvision():
    # The torchvision that fits no torch here cannot register its operators; none is needed.
    sys.modules.setdefault(
        "torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations")
    )
    return pytest.importorskip("torchvision")


@pytest.fixture
def timm(torchvision):
    return pytest.importorskip("timm")


class Stages(torch.nn.Module):
    """A network whose output has two stages."""

    def __init__(self, named: bool = False) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.fine = torch.nn.Conv2d(3, 5, 8, stride=8)
            self.coarse = torch.nn.Conv2d(5, 7, 2, stride=2)
        self.named = named

    def forward(self, images):
        fine = self.fine(images)
        outputs = {"fine": fine, "coarse": self.coarse(fine)}
        return outputs if self.named else tuple(outputs.values())


class Tokens(Stages):
    """One class token before 8 x 8 patch tokens."""

    def forward(self, images):
        tokens = self.fine(images).flatten(2).transpose(1, 2)
        return torch.cat([tokens.mean(1, keepdim=True) + 1000, tokens], dim=1)


def with_backbone(backbone: str, **settings) -> PatchKNN:
    sizes = {"input_size": SIZE, "coreset_size": 40}
    return PatchKNN(PatchKNNSettings(**{**sizes, "backbone": backbone, **settings}), "cpu")


def untrained(backbone: str, **settings) -> PatchKNN:
    return with_backbone(backbone, pretrained=False, **settings)


def shapes(detector: PatchKNN) -> list[tuple[int, ...]]:
    size = detector.settings.input_size
    with torch.inference_mode():
        grids = detector._features.backbone.features(torch.zeros(1, 3, size, size))
    return [tuple(grid.shape[1:]) for grid in grids]


# ---- which layers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reductions", "layers", "expected"),
    [
        ([2, 4, 8, 16, 32], "auto", [2, 3]),
        ([2, 4, 8, 16, 32], "spread", [2, 3]),
        ([2, 4, 4, 8, 8, 16, 16, 32], "auto", [4, 6]),
        ([4, 9, 18, 36], "auto", [1, 2]),
        ([4, 8], "auto", [0, 1]),
        ([14] * 12, "auto", [11]),
        ([14] * 12, "spread", [2, 5, 8, 11]),
        ([16] * 24, "spread", [5, 11, 17, 23]),
        ([16] * 2, "spread", [0, 1]),
    ],
)
def test_layers_that_nobody_named(reductions, layers, expected):
    assert default_indices(reductions, layers) == expected


@given(side=st.integers(1, 12), prefix=st.integers(0, 5))
def test_class_and_register_tokens_come_first_and_are_left_out(side, prefix):
    if side * side + prefix >= (side + 1) ** 2:
        return  # such a sequence would be a larger grid
    grid = torch.arange(2 * side * side, dtype=torch.float32).reshape(1, 2, side, side)
    tokens = torch.cat([torch.full((1, prefix, 2), -1.0), grid.flatten(2).transpose(1, 2)], dim=1)
    assert torch.equal(as_grids([tokens], side * 16)[0], grid)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (torch.zeros(1, 4, 3, 2), r"gave shape \(1, 4, 3, 2\), float32; expected a square grid"),
        (torch.zeros(1, 10), r"gave shape \(1, 10\), float32; expected"),
        (torch.zeros(1, 9, 5), "9 tokens are no square grid over an image of 64 x 64"),
        (torch.zeros(1, 4, 8, 8, dtype=torch.int64), "int64, not a tensor of features"),
        ("features", "gave a str, not a tensor of features"),
    ],
)
def test_an_output_that_is_no_grid(output, message):
    with pytest.raises(DetectorError, match=message):
        as_grids([output], SIZE)


# ---- packages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("resnet18", {}, [(128, 8, 8), (256, 4, 4)]),
        ("resnet18", {"layers": ["layer1", -1]}, [(64, 16, 16), (512, 2, 2)]),
        ("resnet18", {"layers": ["layer2.0.conv1"]}, [(128, 8, 8)]),
        ("mobilenet_v3_small", {}, [(24, 8, 8), (48, 4, 4)]),
        ("swin_t", {"layers": [3]}, [(192, 8, 8)]),
        ("vit_b_32", {"layers": [0]}, [(768, 2, 2)]),
    ],
)
def test_a_network_of_torchvision(torchvision, name, settings, expected):
    detector = untrained(f"torchvision:{name}", **settings)
    assert shapes(detector) == expected


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("resnet10t", {}, [(128, 8, 8), (256, 4, 4)]),
        ("vit_tiny_patch16_224", {}, [(192, 4, 4)]),
        ("vit_tiny_patch16_224", {"layers": "spread"}, [(192, 4, 4)] * 4),
        ("vit_tiny_patch16_224", {"layers": ["blocks.3", 7]}, [(192, 4, 4)] * 2),
        ("vit_small_patch14_reg4_dinov2", {"input_size": 70, "layers": [2]}, [(384, 5, 5)]),
    ],
)
def test_a_network_of_timm(timm, name, settings, expected):
    detector = untrained(f"timm:{name}", **settings)
    assert shapes(detector) == expected


@pytest.mark.parametrize("backbone", ["torchvision:resnet18", "timm:resnet10t"])
def test_random_weights_are_repeatable_and_leave_the_global_generator(torchvision, timm, backbone):
    before = torch.get_rng_state()
    one, same, other = (untrained(backbone, seed=seed) for seed in (3, 3, 4))
    image = drawn(1)[0]
    patches = [each._features.patches(image) for each in (one, same, other)]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(patches[0], patches[1])
    assert not torch.allclose(patches[0], patches[2])
    assert one.description()["weights"] == "random, seed 3: not trained on anything"


def test_pixels_are_normalised_as_the_network_or_the_settings_say(timm):
    image = drawn(1)[0]
    networks = [
        untrained("timm:vit_tiny_patch16_224", **settings)
        for settings in (
            {},
            {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
            {"mean": [0.485, 0.456, 0.406]},
        )
    ]
    own, same, other = (each._features.patches(image) for each in networks)
    assert torch.equal(own, same)
    assert not torch.allclose(own, other)


@pytest.mark.parametrize("backbone", ["torchvision:resnet18", "timm:resnet10t"])
def test_weights_from_a_file(torchvision, timm, backbone, tmp_path):
    package, _, name = backbone.partition(":")
    made = (
        torchvision.models.get_model(name, num_classes=3)
        if package == "torchvision"
        else timm.create_model(name, num_classes=3)
    )
    state = {f"module.{key}": value for key, value in made.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 7}, tmp_path / "line.pt")
    one, other = (
        with_backbone(backbone, checkpoint_path=tmp_path / "line.pt", seed=seed) for seed in (1, 2)
    )
    image = drawn(1)[0]
    assert torch.equal(one._features.patches(image), other._features.patches(image))
    assert one.description()["weights"].startswith("file, sha256 ")


def test_position_embeddings_fit_the_image_size(torchvision, tmp_path):
    with torch.device("meta"):  # only shapes matter, and drawing so many weights takes long
        shaped = torchvision.models.vit_b_32(num_classes=3).state_dict()
    state = {name: torch.zeros(values.shape) for name, values in shaped.items()}
    torch.save(state, tmp_path / "vit.pt")
    detector = with_backbone(
        "torchvision:vit_b_32", checkpoint_path=tmp_path / "vit.pt", layers=[0]
    )
    assert shapes(detector) == [(768, 2, 2)]


def test_weights_of_another_network_are_named(timm, tmp_path):
    state = timm.create_model("resnet10t").state_dict()
    del state["layer1.0.conv1.weight"]
    state["neck.weight"] = torch.zeros(1)
    state["conv1.0.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "other.pt")
    message = (
        r"weights in .*other\.pt are not this network's: missing: layer1\.0\.conv1\.weight; "
        r"unknown: neck\.weight; of another shape: conv1\.0\.weight"
    )
    with pytest.raises(DetectorError, match=message):
        with_backbone("timm:resnet10t", checkpoint_path=tmp_path / "other.pt")


def test_a_file_that_would_run_code_or_holds_no_weights(timm, tmp_path):
    torch.save({"weight": Path("x")}, tmp_path / "code.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("no weights")
    for name, message in {
        "code.pt": "cannot be loaded as plain weights",
        "text.pt": "cannot be loaded as plain weights",
        "list.pt": "holds a list, no state dictionary",
        "missing.pt": "cannot be read",
    }.items():
        with pytest.raises(DetectorError, match=message):
            with_backbone("timm:resnet10t", checkpoint_path=tmp_path / name)


def test_weights_that_cannot_be_downloaded(timm, monkeypatch):
    def no_network(*_, **__):
        raise OSError("name resolution failed\nand more")

    monkeypatch.setattr(timm, "create_model", no_network)
    message = r"cannot be had \(OSError: name resolution failed\); .* checkpoint_path"
    with pytest.raises(DetectorError, match=message):
        with_backbone("timm:resnet10t")


@pytest.mark.parametrize(
    ("backbone", "settings", "message"),
    [
        ("timm:resnt10t", {}, "has no network 'resnt10t'; near: resnet10t"),
        ("timm:resnet10t", {"layers": ["layer9"]}, "no layer 'layer9'; layers: act1, layer1"),
        ("timm:resnet10t", {"layers": [5]}, "no layer 5; layers: act1"),
        ("timm:resnet10t", {"layers": [1, "layer1"]}, "name one layer twice"),
        (
            "timm:vit_tiny_patch16_224",
            {"input_size": 100},
            "cannot take an image of input_size 100",
        ),
        ("torchvision:resnt", {}, "no classification network 'resnt'; near: resne"),
        ("torchvision:resnet18", {"layers": ["stage"]}, "no layer 'stage'; layers: layer1, layer2"),
        ("torchvision:vit_b_32", {"input_size": 100}, "cannot take an image of input_size 100"),
    ],
)
def test_a_network_or_layer_that_is_not_there(torchvision, timm, backbone, settings, message):
    with pytest.raises(DetectorError, match=f"patch_knn: backbone '{backbone}': .*{message}"):
        untrained(backbone, **settings)


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_a_package_that_is_not_installed(package, monkeypatch):
    for module in [m for m in sys.modules if m.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DetectorError, match=f"install it with: pip install {package}"):
        untrained(f"{package}:resnet18")


# ---- files -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("onnx", reason="onnx is not installed: no ONNX files can be made")
    folder, size = tmp_path_factory.mktemp("networks"), (SIZE, SIZE)
    model_exports.onnx(Stages(), folder / "stages.onnx", size, outputs=("fine", "coarse"))
    model_exports.onnx(Tokens(), folder / "tokens.onnx", size, outputs=("tokens",))
    model_exports.torchscript(Stages(), folder / "stages.pt", size)
    model_exports.torchscript(Tokens(), folder / "tokens.pt", size)
    (folder / "text.onnx").write_text("no network")
    (folder / "text.pt").write_text("no network")
    return folder


@pytest.fixture(params=["onnxruntime", "opencv"])
def runtime(request, monkeypatch):
    if request.param == "onnxruntime":
        pytest.importorskip("onnxruntime")
    else:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    return request.param


def expected_patches(image: np.ndarray) -> list[torch.Tensor]:
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    pixels = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        return list(Stages()(((pixels - mean) / std)[None]))


def features_of(detector: PatchKNN, image: np.ndarray) -> list[torch.Tensor]:
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        return detector._features.backbone.features(pixels)


def test_outputs_of_an_onnx_file_are_those_of_the_network(folder, runtime):
    image = drawn(1)[0]
    found = features_of(with_backbone(f"onnx:{folder / 'stages.onnx'}"), image)
    for mine, expected in zip(found, expected_patches(image), strict=True):
        assert torch.allclose(mine, expected, atol=1e-4)


def test_outputs_of_an_onnx_file_by_name_and_index(folder, runtime):
    path = f"onnx:{folder / 'stages.onnx'}"
    assert shapes(with_backbone(path, layers=["coarse"])) == [(7, 4, 4)]
    assert shapes(with_backbone(path, layers=[1, 0])) == [(7, 4, 4), (5, 8, 8)]
    with pytest.raises(
        DetectorError, match=r"no layer 'middle'; layers: (fine, coarse|coarse, fine)"
    ):
        with_backbone(path, layers=["middle"])


def test_tokens_of_a_file_become_a_grid(folder, runtime):
    image = drawn(1)[0]
    for path in (f"onnx:{folder / 'tokens.onnx'}", f"torchscript:{folder / 'tokens.pt'}"):
        (found,) = features_of(with_backbone(path), image)
        assert torch.allclose(found, expected_patches(image)[0], atol=1e-4)


def test_a_torchscript_file_returns_a_list_or_a_dictionary(folder, tmp_path):
    image = drawn(1)[0]
    fine, coarse = expected_patches(image)
    listed = with_backbone(f"torchscript:{folder / 'stages.pt'}", layers=[-1])
    assert torch.allclose(features_of(listed, image)[0], coarse, atol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(Stages(named=True), torch.zeros(1, 3, SIZE, SIZE), strict=False)
        torch.jit.save(traced, str(tmp_path / "named.pt"))
    named = with_backbone(f"torchscript:{tmp_path / 'named.pt'}", layers=["fine"])
    assert torch.allclose(features_of(named, image)[0], fine, atol=1e-5)
    with pytest.raises(DetectorError, match="no layer 'deep'; layers: fine, coarse"):
        with_backbone(f"torchscript:{tmp_path / 'named.pt'}", layers=["deep"])


@pytest.mark.parametrize("prefix", ["onnx", "torchscript"])
def test_a_file_that_is_none(folder, prefix):
    suffix = {"onnx": "onnx", "torchscript": "pt"}[prefix]
    with pytest.raises(DetectorError, match=r"missing\.x: cannot be read \(No such file"):
        with_backbone(f"{prefix}:{folder / 'missing.x'}")
    with pytest.raises(
        DetectorError, match=rf"text\.{suffix} cannot be read by (onnxruntime|torch): "
    ):
        with_backbone(f"{prefix}:{folder / f'text.{suffix}'}")


def test_a_file_for_images_of_another_size(folder):
    pytest.importorskip("onnxruntime")
    with pytest.raises(DetectorError, match="cannot take an image of input_size 96 x 96"):
        with_backbone(f"onnx:{folder / 'stages.onnx'}", input_size=96)


# ---- saving ------------------------------------------------------------------------------------


def test_saved_and_loaded_with_its_file_it_predicts_the_same(folder, tmp_path):
    detector = with_backbone(f"torchscript:{folder / 'stages.pt'}", layers=[0, 1], mean=[0, 0, 0])
    detector.fit(drawn(3))
    detector.save(tmp_path / "state.npz")
    loaded = PatchKNN.load(tmp_path / "state.npz", "cpu")
    images = drawn(2, seed=5)
    assert loaded.settings == detector.settings
    assert np.array_equal(loaded.predict(images).maps, detector.predict(images).maps)
    assert np.array_equal(loaded.predict(images).scores, detector.predict(images).scores)


def test_a_state_is_not_read_with_other_weights_than_it_was_fitted_with(folder, tmp_path):
    path = tmp_path / "network.pt"
    path.write_bytes((folder / "stages.pt").read_bytes())
    detector = with_backbone(f"torchscript:{path}")
    detector.fit(drawn(3))
    detector.save(tmp_path / "state.npz")
    path.write_bytes((folder / "tokens.pt").read_bytes())
    with pytest.raises(
        DetectorError, match="was fitted with a backbone whose weights are 'file, s"
    ):
        PatchKNN.load(tmp_path / "state.npz", "cpu")


@pytest.mark.parametrize(
    ("settings", "located"),
    [
        ({"backbone": "onnx:nets/a.onnx", "k": 3}, {"backbone": "onnx:/line/nets/a.onnx", "k": 3}),
        ({"backbone": "onnx:/nets/a.onnx"}, {"backbone": "onnx:/nets/a.onnx"}),
        ({"backbone": "timm:onnx"}, {"backbone": "timm:onnx"}),
        ({}, {}),
    ],
)
def test_relative_files_start_at_the_folder_of_the_yaml(settings, located):
    request = Request("patch_knn", settings=settings, folder=Path("/line"))
    assert with_folder(request) == located


def test_every_kind_has_a_loader_that_names_it():
    for kind in KINDS:
        assert callable(import_object(f"{kind.loader}:load")), kind.name
    assert [kind_of(k.name if not k.of else f"{k.name}:x") for k in KINDS] == [*KINDS]

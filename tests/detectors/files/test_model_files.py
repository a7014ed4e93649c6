from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.detectors.files.inputs import DeclaredInput, InputForm, input_form
from pytest_robustbench.detectors.files.outputs import OutputChoice
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import DetectorError
from tests import model_exports
from tests.detectors.detectors_pictures import drawn
from tests.model_exports import SIZE, Contrast, Several

pytest.importorskip("onnx", reason="onnx is not installed: no ONNX files can be made")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

IMAGES = drawn(3, SIZE)
SCALE = {"scale": "0-1"}
SIZED = {"input_size": list(SIZE)}
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("line")
    model = Contrast()
    model_exports.torchscript(model, folder / "v7.pt")
    model_exports.program(model, folder / "v7.pt2")
    model_exports.onnx(model, folder / "v7.onnx")
    model_exports.onnx(model, folder / "free.onnx", free={0: "n", 2: "h", 3: "w"})
    names = ("score", "double", "map", "features")
    model_exports.onnx(Several(), folder / "several.onnx", outputs=names)
    return folder


def expected(images=IMAGES):
    """The model itself, on the images from 0 to 1."""
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        scores, maps = Contrast().eval()(batch)
    return scores.numpy(), maps.numpy()[:, 0]


def require_same(detector, images=IMAGES):
    prediction = detector.predict(images)
    scores, maps = expected(images)
    assert np.abs(prediction.scores - scores).max() < TOLERANCE
    assert np.abs(np.array(prediction.maps) - maps).max() < TOLERANCE


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("torchscript:v7.pt", SCALE | SIZED),
        ("torchscript:v7.pt2", SCALE | SIZED),
        ("onnx:v7.onnx", SCALE),
        ("onnx:free.onnx", SCALE | {"input_size": "any"}),
        ("onnx:several.onnx", SCALE | {"outputs": {"score": "score", "map": "map"}}),
    ],
)
def test_a_file_gives_the_models_own_numbers(folder, name, kwargs):
    detector = load_detector(name, kwargs=kwargs, folder=folder)
    assert detector.name == name
    require_same(detector)


def test_openvino_too(folder):
    pytest.importorskip("openvino", reason="openvino is not installed")
    model_exports.openvino(folder / "v7.onnx", folder / "v7.xml")
    detector = load_detector("openvino:v7.xml", kwargs=SCALE, folder=folder, device="cpu")
    require_same(detector)
    description = detector.description()
    assert set(description["sha256"]) == {"v7.xml", "v7.bin"}
    assert description["engine"].startswith("openvino ")
    with pytest.raises(
        DetectorError, match=r"device 'gpu.7' is not available to OpenVINO, which h"
    ):
        load_detector("openvino:v7.xml", kwargs=SCALE, folder=folder, device="gpu.7")


def test_opencv_runs_onnx_where_onnxruntime_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    kwargs = SCALE | SIZED | {"layout": "nchw"}
    detector = load_detector("onnx:v7.onnx", kwargs=kwargs, folder=folder)
    assert detector.description()["engine"].startswith("OpenCV ")
    require_same(detector)
    with pytest.raises(DetectorError, match="say layout: nchw or nhwc"):
        load_detector("onnx:v7.onnx", kwargs=SCALE, folder=folder)
    with pytest.raises(DetectorError, match="onnxruntime is not installed and OpenCV runs on the"):
        load_detector("onnx:v7.onnx", kwargs=kwargs, folder=folder, device="cuda")


def test_an_image_of_another_size_is_resized_to_the_models(folder):
    detector = load_detector("onnx:v7.onnx", kwargs=SCALE, folder=folder)
    flat = [np.full((50, 70, 3), 80, np.uint8), np.full((*SIZE, 3), 80, np.uint8)]
    prediction = detector.predict(flat)
    assert np.array_equal(prediction.maps[0], prediction.maps[1])


def test_a_model_of_any_size_gets_images_as_they_are(folder):
    detector = load_detector("onnx:free.onnx", kwargs=SCALE | {"input_size": "any"}, folder=folder)
    maps = detector.predict([*drawn(1, (30, 40)), *drawn(1, (16, 16))]).maps
    assert [each.shape for each in maps] == [(30, 40), (16, 16)]


@pytest.mark.parametrize(
    ("name", "kwargs", "message"),
    [
        ("onnx:v7.onnx", {}, "say scale: 0-1, scale: 0-255, or .* no file tells how its pixels"),
        ("onnx:v7.onnx", {"scale": "1"}, "say scale: .* not '1'"),
        ("onnx:v7.onnx", {"scale": {"mean": [0, 0], "std": [1, 1, 1]}}, "mean must be 3 number"),
        ("onnx:v7.onnx", {"scale": {"mean": [0] * 3, "std": [1, 0, 1]}}, "std must be above 0"),
        ("onnx:v7.onnx", SCALE | {"layout": "nhwc"}, r"contradicts its input of shape \[1, 3, 24"),
        ("onnx:v7.onnx", SCALE | {"layout": "chw"}, "layout must be nchw or nhwc, not 'chw'"),
        ("onnx:v7.onnx", SCALE | {"color": "gray"}, "color: gray contradicts its input of 3 chann"),
        ("onnx:v7.onnx", SCALE | {"color": "rbg"}, "color must be rgb, bgr or gray, not 'rbg'"),
        ("onnx:v7.onnx", SCALE | {"input_size": [9, 9]}, r"input_size: \[9, 9\] contradicts"),
        ("onnx:v7.onnx", SCALE | {"outputs": {"scor": "a"}}, "outputs must be {score: name, map:"),
        ("onnx:v7.onnx", SCALE | {"outputs": {"map": "a"}}, "no output 'a'; its outputs: score, m"),
        ("onnx:v7.onnx", {"colour": "rgb"}, "no setting 'colour'; did you mean 'color'?"),
        ("onnx:free.onnx", SCALE, r"say input_size: .* shape \[any, 3, any, any\] does not tell"),
        ("torchscript:v7.pt", SCALE, "say input_size: .* the file does not declare"),
        ("torchscript:v7.pt", SCALE | {"input_size": 24}, r"input_size must be \[H, W\] in pixels"),
        ("onnx:v8.onnx", SCALE, "no such file: .*v8.onnx"),
        ("onnx:v7.pt", SCALE, "v7.pt cannot be read by onnxruntime: "),
        ("torchscript:v7.onnx", SCALE | SIZED, "v7.onnx cannot be read by torch: "),
        ("openvino:v7.pt", SCALE, "v7.pt cannot be read by OpenVINO: "),
    ],
)
def test_what_cannot_be_known_or_read_is_one_line(folder, name, kwargs, message):
    if name.startswith("openvino"):
        pytest.importorskip("openvino", reason="openvino is not installed")
    with pytest.raises(DetectorError, match=message) as caught:
        load_detector(name, kwargs=kwargs, folder=folder)
    assert str(caught.value).startswith(f"detector {name!r}: ")
    assert "\n" not in str(caught.value)


def test_a_preset_and_a_missing_device_are_refused(folder):
    with pytest.raises(DetectorError, match="a model file has no presets"):
        load_detector("onnx:v7.onnx", preset="industrial-fast", kwargs=SCALE, folder=folder)
    with pytest.raises(DetectorError, match="device 'npu' is not available to onnxruntime"):
        load_detector("onnx:v7.onnx", device="npu", kwargs=SCALE, folder=folder)


def test_a_file_that_is_run_wrongly_says_with_what(folder):
    detector = load_detector(
        "torchscript:v7.pt", kwargs=SCALE | SIZED | {"layout": "nhwc"}, folder=folder
    )
    with pytest.raises(DetectorError, match=r"cannot run on an input of shape \[1, 24, 32, 3\]"):
        detector.predict(IMAGES)


def test_a_batch_that_is_fixed_is_refused(tmp_path):
    with pytest.raises(DetectorError, match="takes batches of 4 only"):
        input_form(DeclaredInput((4, 3, 8, 8)), SCALE)


def test_outputs_that_could_be_meant_both_are_listed(folder):
    detector = load_detector("onnx:several.onnx", kwargs=SCALE, folder=folder)
    expected_list = r"score and double could be the score; its outputs: score \[1\] float32, double"
    with pytest.raises(DetectorError, match=expected_list):
        detector.predict(IMAGES)


def test_one_output_named_alone_is_the_only_one_used(folder):
    only_map = SCALE | {"outputs": {"map": "map"}}
    prediction = load_detector("onnx:several.onnx", kwargs=only_map, folder=folder).predict(IMAGES)
    assert np.array_equal(prediction.scores, [each.max() for each in prediction.maps])
    only_score = SCALE | {"outputs": {"score": "double"}}
    prediction = load_detector("onnx:several.onnx", kwargs=only_score, folder=folder).predict(
        IMAGES
    )
    assert prediction.maps is None
    assert np.allclose(prediction.scores, 2 * expected()[0], atol=TOLERANCE)


@pytest.mark.parametrize(
    ("outputs", "score", "shape"),
    [
        ({"a": np.float32([[0.5]]), "b": np.zeros((1, 1, 4, 5))}, 0.5, (4, 5)),
        ({"a": np.float32(0.5), "b": np.zeros((1, 4, 5))}, 0.5, (4, 5)),
        ({"b": np.full((1, 4, 5), 3.0), "c": np.zeros((1, 7, 4, 5))}, 3, (4, 5)),
        ({"a": np.float32([2]), "mask": np.ones((1, 1, 4, 5), bool)}, 2, None),
    ],
)
def test_scores_and_maps_are_told_by_their_shapes(outputs, score, shape):
    found, plane = OutputChoice().pick(outputs)
    assert found == score
    assert (None if plane is None else plane.shape) == shape


@pytest.mark.parametrize(
    ("choice", "outputs", "message"),
    [
        (
            OutputChoice(),
            {"x": np.zeros((1, 2, 4, 5))},
            r"none of its outputs .*: x \[1, 2, 4, 5\]",
        ),
        (OutputChoice(), {}, "its outputs: none"),
        (OutputChoice(score="x"), {"x": np.zeros((1, 2))}, "'x' is not one score per image"),
        (OutputChoice(map="y"), {"x": np.zeros(1)}, r"no output 'y'; its outputs: x \[1\] float64"),
        (OutputChoice(), {"x": np.zeros((1, 4, 5)), "y": np.zeros((1, 4, 5))}, "x and y could be"),
    ],
)
def test_outputs_that_are_no_score_and_map_are_listed(choice, outputs, message):
    with pytest.raises(DetectorError, match=message):
        choice.pick(outputs)


IMAGE = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3) * 10


@pytest.mark.parametrize(
    ("shape", "kwargs", "wanted"),
    [
        ((1, 3, 2, 4), {"scale": "0-255"}, IMAGE.transpose(2, 0, 1)),
        ((None, 2, 4, 3), {"scale": "0-255"}, IMAGE),
        ((1, 3, 2, 4), {"scale": "0-1"}, IMAGE.transpose(2, 0, 1) / 255),
        ((1, 2, 4, 3), {"scale": "0-255", "color": "bgr"}, IMAGE[..., ::-1]),
        (
            (1, 2, 4, 3),
            {"scale": {"mean": [0.1, 0.2, 0.3], "std": [1, 2, 3]}},
            (IMAGE / 255 - [0.1, 0.2, 0.3]) / [1, 2, 3],
        ),
    ],
)
def test_an_image_becomes_the_tensor_that_was_declared(shape, kwargs, wanted):
    tensor = input_form(DeclaredInput(shape), kwargs).tensor(IMAGE)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert np.allclose(tensor, np.asarray(wanted)[None])


def test_a_layout_that_two_axes_could_have_is_asked_for():
    with pytest.raises(DetectorError, match=r"say layout: .* shape \[1, 3, 8, 3\] does not tell"):
        input_form(DeclaredInput((1, 3, 8, 3)), SCALE)
    assert input_form(DeclaredInput((1, 3, 8, 3)), SCALE | {"layout": "nhwc"}).size == (3, 8)


def test_a_gray_model_gets_one_channel_and_a_uint8_model_its_bytes():
    gray = input_form(DeclaredInput((1, 1, 2, 4)), {"scale": "0-255"})
    assert gray.tensor(np.full((2, 4, 3), 9, np.uint8)).tolist() == [[[[9.0] * 4] * 2]]
    raw = input_form(DeclaredInput((1, 3, 2, 4), "uint8"), {})
    assert raw.tensor(IMAGE).dtype == np.uint8
    assert np.array_equal(raw.tensor(IMAGE)[0], IMAGE.transpose(2, 0, 1))
    with pytest.raises(DetectorError, match="its input is uint8: scale can only be 0-255"):
        input_form(DeclaredInput((1, 3, 2, 4), "uint8"), {"scale": "0-1"})


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    layout=st.sampled_from(["nchw", "nhwc"]),
    color=st.sampled_from(["rgb", "bgr", "gray"]),
)
@settings(deadline=None, max_examples=40)
def test_every_image_has_the_models_shape_and_range(height, width, size, layout, color):
    form = InputForm(size, layout, "0-1", (), (), color)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    tensor = form.tensor(image)
    channels = 1 if color == "gray" else 3
    expected_shape = (1, channels, *size) if layout == "nchw" else (1, *size, channels)
    assert tensor.shape == expected_shape
    assert tensor.min() >= 0
    assert tensor.max() <= 1


def test_a_file_says_that_it_is_fitted(folder):
    detector = load_detector("onnx:v7.onnx", kwargs=SCALE, folder=folder)
    with pytest.raises(
        DetectorError, match=r"'onnx:v7.onnx' cannot be fitted here: declare fitted"
    ):
        detector.fit(IMAGES)


def test_the_description_changes_with_the_file_and_with_nothing_else(tmp_path):
    def described(seed):
        model_exports.onnx(Contrast(seed), tmp_path / "v.onnx")
        detector = load_detector("onnx:v.onnx", kwargs=SCALE, folder=tmp_path)
        return json.loads(json.dumps(detector.description()))

    first, again, other = described(0), described(0), described(1)
    assert first == again
    assert first["sha256"] != other["sha256"]
    assert {**first, "sha256": 0} == {**other, "sha256": 0}
    assert first["inputs"] == ["image [1, 3, 24, 32] tensor(float)"]
    assert first["outputs"] == ["score [1] tensor(float)", "map [1, 1, 24, 32] tensor(float)"]


def test_weights_beside_the_file_belong_to_its_digest(tmp_path):
    import onnx

    path = model_exports.onnx(Contrast(), tmp_path / "v.onnx")
    onnx.save(
        onnx.load(path),
        path,
        save_as_external_data=True,
        location="v.weights",
        size_threshold=0,
    )
    (tmp_path / "unrelated.weights").write_bytes(b"1")
    detector = load_detector("onnx:v.onnx", kwargs=SCALE, folder=tmp_path)
    before = detector.description()["sha256"]
    assert set(before) == {"v.onnx", "v.weights"}
    require_same(detector)

    weights = Path(tmp_path / "v.weights")
    weights.write_bytes(bytes(len(weights.read_bytes())))
    assert detector.description()["sha256"] == before  # what is still in use
    other = load_detector("onnx:v.onnx", kwargs=SCALE, folder=tmp_path)
    assert other.description()["sha256"]["v.weights"] != before["v.weights"]
    assert other.predict(IMAGES).scores.tolist() == [0, 0, 0]


def test_what_runs_a_file_must_be_installed(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DetectorError, match="pip install openvino"):
        load_detector("openvino:v7.xml", kwargs=SCALE, folder=folder)

from __future__ import annotations

import sys
from dataclasses import replace
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest

from pytest_robustbench.detectors import families
from pytest_robustbench.detectors.families import PRESETS, Request, is_import_path, known_names
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.detectors.patches.patchcore import PatchCoreSettings
from pytest_robustbench.errors import DetectorError
from tests.detectors.detectors_pictures import drawn

MODELS = """
    import numpy as np

    class Mean:
        def __init__(self, level=100.0, device="as built", preset="none"):
            self.level, self.device, self.preset = level, device, preset

        def fit(self, images):
            self.level = float(np.mean(images))

        def predict(self, images):
            from pytest_robustbench.detectors.protocol import Prediction
            return Prediction([abs(i.mean() - self.level) for i in images], None)

    ready = Mean(5.0)
    number = 5

    def plain(level):
        return lambda images: [np.full((2, 2), i.mean() - level) for i in images]

    def any_device(**options):
        return Mean(**options)

    def broken(path):
        raise FileNotFoundError(f"no such file: {path}")

    def leaving():
        raise SystemExit(3)

    def needing_torch():
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    def nothing():
        return None

    def lazy():
        from line_weights import LEVEL
        return Mean(LEVEL)

    class Reader:
        def predict(self, paths):
            import cv2
            from pytest_robustbench.detectors.protocol import Prediction
            return Prediction([float(cv2.imread(path)[..., 2].mean()) for path in paths], None)

    def nested():
        from pytest_robustbench.detectors.loading import load_detector
        return load_detector("patchcor")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "line_detectors.py").write_text(dedent(MODELS))
    (tmp_path / "line_weights.py").write_text("LEVEL = 31.0\n")
    (tmp_path / "line_broken.py").write_text("import not_there_at_all\n")
    (tmp_path / "line_syntax.py").write_text("def :\n")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("line_detectors", "line_broken", "line_syntax"):
        sys.modules.pop(name, None)


def test_built_in_with_preset_and_settings():
    detector = load_detector(
        "patchcore", preset="industrial-fast", device="cpu", kwargs={"coreset_size": 50}
    )
    assert detector.settings.coreset_size == 50
    assert detector.settings.input_size == PRESETS["industrial-fast"]["input_size"]
    assert load_detector("patchcore").settings == PatchCoreSettings()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "patchcor"}, "unknown detector 'patchcor'; did you mean 'patchcore'?"),
        ({"name": "zzz"}, "unknown detector 'zzz'; valid: patch_knn, patchcore, pixel_gaussian"),
        ({"name": "patchcore", "preset": "industrial-fats"}, "did you mean 'industrial-fast'"),
        ({"name": "patchcore", "kwargs": {"coreset": 3}}, "no setting 'coreset'; did you mean"),
        ({"name": "patchcore", "device": "tpu9"}, "unknown device 'tpu9'"),
        ({"name": "pixel_gaussian", "preset": "industrial-fast"}, "has no presets"),
        ({"name": "pixel_gaussian", "device": "cuda"}, "runs on the CPU only"),
        ({"name": "pixel_gaussian", "kwargs": {"size": 0}}, "size must be a whole number"),
        ({"name": "pixel_gaussian", "kwargs": {"floor": 0}}, "floor must be a number above 0"),
        ({"name": "pixel_gaussian", "kwargs": {"smoothing": 1e9}}, "at most 1000, not 1000000000"),
        ({"name": "onnx:v7.onnx"}, "detector 'onnx:v7.onnx': no such file: v7.onnx"),
        ({"name": "onnx:"}, "'onnx:' names no model after onnx:"),
        ({"name": "patchcore", "input_mode": "paths"}, "takes images, not files: leave input_mo"),
        ({"name": "onnx:a.onnx", "input_mode": "paths"}, "takes images, not files"),
        ({"name": "line:load", "input_mode": "path"}, "input_mode 'path'; did you mean 'paths'?"),
        ({"name": "line/models.py:load"}, "not of the form package.module:factory"),
        ({"name": "line.models:"}, "not of the form package.module:factory"),
    ],
)
def test_a_name_or_setting_that_does_not_exist(arguments, message):
    with pytest.raises(DetectorError, match=message):
        load_detector(**arguments)


def test_import_paths():
    assert is_import_path("line.models:load")
    assert is_import_path("models:Line.load")
    assert not any(map(is_import_path, ["patchcore", "onnx:x", "a:b:c", ":b", "a:", "", "1a:b"]))
    assert not any(map(is_import_path, known_names()))


def test_a_factory_a_class_and_an_object(folder):
    level = load_detector("line_detectors:plain", kwargs={"level": 90}, folder=folder)
    assert level.name == "line_detectors:plain"
    assert level.predict(drawn(2)).maps[0].shape == (2, 2)
    assert load_detector("line_detectors:Mean", kwargs={"level": 7}, folder=folder).level == 7
    assert load_detector("line_detectors:ready", folder=folder).level == 5
    assert str(folder) not in sys.path


def test_a_factory_may_import_its_neighbours_when_it_is_called(folder):
    assert load_detector("line_detectors:lazy", folder=folder).level == 31
    assert str(folder) not in sys.path


def test_device_and_preset_reach_a_factory_that_takes_them(folder):
    assert load_detector("line_detectors:Mean", folder=folder).device == "as built"
    chosen = load_detector("line_detectors:Mean", device="cpu", preset="mine", folder=folder)
    assert (chosen.device, chosen.preset) == ("cpu", "mine")
    assert load_detector("line_detectors:any_device", device="x", folder=folder).device == "x"
    own = load_detector(
        "line_detectors:Mean", device="cpu", kwargs={"device": "mine"}, folder=folder
    )
    assert own.device == "mine"
    with pytest.raises(DetectorError, match="no parameter 'device' to take 'cpu'"):
        load_detector("line_detectors:plain", device="cpu", kwargs={"level": 1}, folder=folder)


@pytest.mark.parametrize(
    ("name", "kwargs", "message"),
    [
        ("line_nowhere:load", {}, "'line_nowhere:load' cannot be imported: ModuleNotFoundError"),
        ("line_detectors:lod", {}, "AttributeError: .* has no attribute 'lod'"),
        ("line_broken:load", {}, "No module named 'not_there_at_all'"),
        ("line_syntax:load", {}, "SyntaxError: .*line_syntax.py, line 1"),
        ("line_detectors:broken", {"path": "v7"}, "with path='v7', raised FileNotFoundError: no"),
        ("line_detectors:broken", {"path": "v7"}, r"\(at .*line_detectors.py:\d+ in broken\)"),
        ("line_broken:load", {}, r"\(at .*line_broken.py:1 in <module>\)"),
        ("line_detectors:broken", {"pth": "v7"}, "unexpected keyword argument 'pth'"),
        ("line_detectors:leaving", {}, "called with no arguments, raised SystemExit: 3"),
        ("line_detectors:needing_torch", {}, r"pip install \"pytest-robustbench\[torch\]\""),
        ("line_detectors:nothing", {}, "None is an instance of .*NoneType; accepted as a detector"),
        ("line_detectors:number", {}, "neither a factory nor a detector, but 5"),
        ("line_detectors:ready", {"level": 3}, "is an object, not a factory: it takes no kwargs"),
        ("line_detectors:nested", {}, "'line_detectors:nested': unknown detector 'patchcor'"),
    ],
)
def test_one_message_names_the_path_and_what_went_wrong(folder, name, kwargs, message):
    with pytest.raises(DetectorError, match=message) as caught:
        load_detector(name, kwargs=kwargs, folder=folder)
    if "accepted as" not in message:
        assert name in str(caught.value)


def test_the_original_error_is_chained(folder):
    with pytest.raises(DetectorError) as caught:
        load_detector("line_detectors:broken", kwargs={"path": "v7"}, folder=folder)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_detector_of_files_gets_files(folder):
    images = drawn(2)
    images[1][..., 0] = 7
    detector = load_detector("line_detectors:Reader", folder=folder, input_mode="paths")
    red = [image[..., 0].mean() for image in images]
    assert np.allclose(detector.predict(detector.stage_inputs(images)).scores, red)


def test_an_alias_is_the_built_in_detector():
    detector = load_detector("vision_patchcore", device="cpu", kwargs={"coreset_size": 50})
    assert type(detector) is type(load_detector("patchcore", device="cpu"))
    assert detector.settings.coreset_size == 50


@pytest.fixture
def anomalib_loaded_by(monkeypatch):
    """A function that puts another builder in anomalib's row."""

    def put(load):
        stub = ModuleType("line_prefix_loader")
        stub.load = load
        monkeypatch.setitem(sys.modules, stub.__name__, stub)
        rows = [
            replace(row, builder="line_prefix_loader:load", presets=True, module="")
            if row.name == "anomalib"
            else row
            for row in families.FAMILIES
        ]
        monkeypatch.setattr(families, "FAMILIES", tuple(rows))

    return put


def test_a_prefix_is_left_to_its_loader(anomalib_loaded_by, tmp_path):
    asked = []

    def load(request):
        asked.append(request)
        return Stub()

    anomalib_loaded_by(load)
    asked_for = ("anomalib:Some.Model", "industrial-fast", "cpu", {"a": 1}, tmp_path)
    name, preset, device, kwargs, folder = asked_for
    detector = load_detector(name, preset=preset, device=device, kwargs=kwargs, folder=folder)
    assert isinstance(detector, Stub)
    assert asked == [Request(*asked_for)]
    assert asked[0].rest == "Some.Model"


def test_whatever_a_prefix_loader_raises_is_one_line(anomalib_loaded_by):
    def load(_):
        raise OSError("no such\nweights")

    anomalib_loaded_by(load)
    with pytest.raises(DetectorError) as caught:
        load_detector("anomalib:Padim")
    expected = "detector 'anomalib:Padim': cannot be made: OSError: no such weights"
    assert str(caught.value) == expected


class Stub:
    def fit(self, _):
        return None

    def predict(self, _):
        return None


def test_pyimgano_by_import_path():
    pytest.importorskip("pyimgano", reason="pyimgano is not installed")
    detector = load_detector(
        "pyimgano.models:create_model",
        kwargs={"name": "vision_pixel_gaussian_map", "resize_hw": [32, 32]},
    )
    detector.fit(drawn(4))
    assert detector.predict(drawn(2)).maps.shape == (2, 64, 64)

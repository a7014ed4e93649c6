"""What a detector was made of is told by content, and never of another file than was loaded."""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from pytest_robustbench.detectors.adapters import as_detector
from pytest_robustbench.detectors.pixel_gaussian import PixelGaussian
from pytest_robustbench.detectors.sources import changed_files, sources_of
from pytest_robustbench.errors import DetectorError


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def loaded(path: Path, name: str):
    """Load a file under a name, which `sys.modules` never hears of."""
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_name(name: str, folder: Path, **arguments):
    return sources_of(object(), folder, name, arguments)


@pytest.fixture
def line(tmp_path):
    """A package whose model imports in every way."""
    write(tmp_path / "rb_line/__init__.py")
    write(
        tmp_path / "rb_line/models.py",
        "import rb_top\nfrom . import net\nimport numpy\n"
        "def load():\n    from rb_line.sub.late import post\n    from ..outside import x\n",
    )
    write(tmp_path / "rb_line/net.py", "from .deep.er import block as b\n")
    write(tmp_path / "rb_line/deep/er.py", "import rb_line.models\n")
    write(tmp_path / "rb_line/sub/late.py")
    write(tmp_path / "rb_line/unused.py")
    write(tmp_path / "rb_top.py", "this is no Python\n")
    return tmp_path


CODE = ["__init__", "deep/er", "models", "net", "sub/late"]


def test_code_is_the_module_and_all_beside_the_yaml_that_it_imports(line):
    found = of_name("rb_line.models:load", line).code

    assert list(found) == [*(f"rb_line/{name}.py" for name in CODE), "rb_top.py"]
    for name, digest in found.items():
        assert digest == hashlib.sha256((line / name).read_bytes()).hexdigest()


def test_code_that_an_argument_names_is_told_too(line):
    name = "pytest_robustbench.detectors.libraries.estimators:load"

    found = of_name(name, line, estimator="rb_line.net:Estimator", kwargs={"n": 1})

    assert "rb_line/net.py" in found.code


def test_files_are_those_that_name_and_arguments_name(tmp_path):
    for name in ("m.xml", "m.bin", "store/w.pth", "nested.npy", "other.npy"):
        write(tmp_path / name, name)
    arguments = {
        "checkpoint_path": str(tmp_path / "store/w.pth"),
        "more": [{"deep": "nested.npy"}, "\0", "x" * 5000, 3],
    }

    assert list(of_name("openvino:m.xml", tmp_path, **arguments).files) == [
        "m.bin",
        "m.xml",
        "nested.npy",
        "store/w.pth",
    ]
    assert list(of_name("patchcore", tmp_path, backbone="onnx:nested.npy").files) == ["nested.npy"]


def test_a_file_elsewhere_has_its_name_alone_and_never_hides_another(tmp_path):
    files = [write(tmp_path / place / "model.bin", place) for place in "ab"]

    found = of_name("rb:make", tmp_path / "yaml", first=str(files[0]), second=str(files[1])).files

    assert list(found) == ["model.bin", "model.bin (2)"]
    assert len(set(found.values())) == 2


def test_a_detector_of_this_package_is_told_by_its_version(tmp_path):
    assert sources_of(PixelGaussian(), tmp_path).code == {}
    assert of_name("pixel_gaussian", tmp_path).code == {}


MODEL = """\
import rb_post

class Model:
    def predict(self, images): pass

def predict(images, more=0): pass

def nested():
    return lambda images: images
"""


@pytest.mark.parametrize(
    "detector",
    [
        lambda module: module.Model(),
        lambda module: module.Model().predict,
        lambda module: module.predict,
        lambda module: partial(module.predict, more=1),
        lambda module: module.nested(),
        lambda module: as_detector(module.predict),
    ],
)
def test_a_given_detector_is_told_by_its_class_or_function(tmp_path, monkeypatch, detector):
    monkeypatch.setitem(sys.modules, "rb_post", loaded(write(tmp_path / "rb_post.py"), "rb_post"))
    model = write(tmp_path / "rb_model.py", MODEL)

    found = sources_of(detector(loaded(model, "rb_model")), tmp_path)

    assert list(found.code) == ["rb_model.py", "rb_post.py"]


@pytest.mark.parametrize("other", ["rb_model", "rb_post"])
def test_a_given_detector_of_another_file_of_that_name_is_refused(tmp_path, monkeypatch, other):
    """Of its own module, or of one that it holds something of."""
    a, b = tmp_path / "a", tmp_path / "b"
    for folder in (a, b):
        write(folder / "rb_post.py")
        write(folder / "rb_model.py", MODEL)
    places = {name: a if name == other else b for name in ("rb_model", "rb_post")}
    post = loaded(places["rb_post"] / "rb_post.py", "rb_post")
    monkeypatch.setitem(sys.modules, "rb_post", post)

    with pytest.raises(DetectorError) as caught:
        sources_of(loaded(places["rb_model"] / "rb_model.py", "rb_model").Model(), b)

    assert str(a / f"{other}.py") in str(caught.value)
    assert str(b / f"{other}.py") in str(caught.value)


def test_the_conftest_of_another_folder_is_no_namesake(tmp_path):
    write(tmp_path / "conftest.py")
    write(tmp_path / "rb_line.py")
    own = write(tmp_path / "tests/conftest.py", "class Model:\n    def p(self): import rb_line\n")

    found = sources_of(loaded(own, "conftest").Model(), tmp_path)

    assert list(found.code) == ["rb_line.py", "tests/conftest.py"]


def test_code_that_imports_what_is_installed_and_lies_there_too_is_refused(tmp_path):
    write(tmp_path / "rb_model.py", "def load():\n    import pluggy\n")
    mine = write(tmp_path / "pluggy.py")

    with pytest.raises(DetectorError) as caught:
        of_name("rb_model:load", tmp_path)

    assert str(mine) in str(caught.value)
    assert sys.modules["pluggy"].__file__ in str(caught.value)


def test_names_do_not_count_where_the_contents_are_the_same():
    assert changed_files({"a": "1", "b": "2"}, {"b": "1", "c": "2"}) == []
    assert changed_files({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]

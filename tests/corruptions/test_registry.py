from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_robustbench.corruptions.catalogue import BUILT_IN, REGISTERED, known_names
from pytest_robustbench.corruptions.corruption import Corruption
from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.corruptions.registry import corrupt, load_corruption, register_corruption
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import block_mask, picture

MODULE = """
from pytest_robustbench.corruptions.corruption import Corruption

def rain(image, mask, severity, rng):
    return image // 2, mask

def blur(image, mask, severity, rng):
    return image, mask

class Namespace:
    drops = staticmethod(rain)

HAZE = Corruption("haze", rain, version=4)
number = 3
"""


@pytest.fixture(autouse=True)
def _own_registry():
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    name = f"weather_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    yield tmp_path, name
    sys.modules.pop(name, None)


@pytest.fixture
def distribution(folder, monkeypatch):
    path, module = folder
    info = path / "weather-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weather\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[pytest_robustbench.corruptions]\n"
        f"rain = {module}:rain\n"
        f"haze = {module}:HAZE\n"
        f"mist = {module}:HAZE\n"
        "broken = no_such_module_at_all:rain\n"
    )
    monkeypatch.syspath_prepend(str(path))


def inverted(image, mask, severity, rng):
    return 255 - image, mask


def identity(image, mask, severity, rng):
    return image, mask


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_ins_load_by_name(name):
    assert load_corruption(name).name == name
    assert load_corruption(name) is load_corruption(name)


def test_knowing_names_imports_nothing_heavy():
    code = (
        "import sys; from pytest_robustbench.corruptions.catalogue import known_names\n"
        "assert 'geo_jitter' in known_names()\n"
        "print(sorted({'numpy', 'cv2', 'pytest'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    run = [sys.executable, "-c", code]
    assert (
        subprocess.run(run, cwd=root, capture_output=True, text=True, check=True).stdout == "[]\n"
    )


def test_a_registered_function_is_known_and_applied():
    registered = register_corruption("inverted", inverted, version=2, parameters={"by": 255})
    assert load_corruption("inverted") is registered
    assert "inverted" in known_names()
    assert registered.specification(7) == {
        "name": "inverted",
        "version": 2,
        "parameters": {"by": 255},
        "at": "camera",
        "seed": 7,
    }
    result = corrupt(picture(0), None, "inverted", severity=1)
    assert (result.image == 255 - picture(0)).all()


def test_where_a_corruption_of_ones_own_acts_is_kept_unless_said_otherwise(monkeypatch):
    late = Corruption("late", inverted, at="model")
    monkeypatch.setitem(REGISTERED, "late", late)
    assert load_corruption("late").at == "model"
    assert load_corruption({"late": {}, "at": "camera"}).at == "camera"


def test_registering_the_same_twice_is_harmless():
    first = register_corruption("inverted", inverted)
    assert register_corruption("inverted", inverted) is first


def test_a_registered_name_cannot_change_its_meaning():
    register_corruption("inverted", inverted)
    with pytest.raises(
        CorruptionError, match=r"registered already .*:inverted in .*, version 1.*:identity"
    ):
        register_corruption("inverted", identity)
    with pytest.raises(CorruptionError, match="version 2"):
        register_corruption("inverted", inverted, version=2)
    assert load_corruption("inverted").function is inverted


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("blur", "'blur' is a built-in corruption"),
        ("clean", "reserved"),
        ("heavy rain", "lower-case letters, digits and underscores"),
    ],
)
def test_names_that_cannot_be_registered(name, complaint):
    with pytest.raises(CorruptionError, match=complaint):
        register_corruption(name, inverted)
    assert name not in REGISTERED


def test_only_functions_can_be_registered():
    with pytest.raises(CorruptionError, match="'three' is a int, neither"):
        register_corruption("three", 3)


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(CorruptionError, match="unknown corruption 'glair'; did you mean 'glare'"):
        load_corruption("glair")


def test_import_paths_name_functions_and_corruptions(folder):
    path, module = folder
    rain = load_corruption(f"{module}:rain", path)
    assert (rain.name, rain.version, rain.moves_pixels) == ("rain", 1, False)
    assert load_corruption(f"{module}:HAZE", path).version == 4
    assert load_corruption(f"{module}:Namespace.drops", path).name == "drops"
    assert load_corruption(BUILT_IN["glare"]) is load_corruption("glare")


@pytest.mark.parametrize(
    ("attribute", "complaint"),
    [
        ("snow", "cannot be imported: AttributeError: .*'snow'"),
        ("number", "is a int, neither a Corruption nor a function"),
        ("Namespace", "is a type, neither"),
        ("blur", "has the name of a built-in one"),
        ("", "is not of the form"),
    ],
)
def test_import_paths_that_lead_nowhere(folder, attribute, complaint):
    path, module = folder
    with pytest.raises(CorruptionError, match=complaint):
        load_corruption(f"{module}:{attribute}", path)


def test_a_module_that_cannot_be_imported_is_named_with_its_cause(tmp_path):
    (tmp_path / "weather_broken.py").write_text("import no_such_module_at_all")
    with pytest.raises(CorruptionError, match=r"weather_broken:rain.*no_such_module") as caught:
        load_corruption("weather_broken:rain", tmp_path)
    assert isinstance(caught.value.__cause__, ImportError)


def test_what_is_imported_is_called_by_its_path(folder):
    path, module = folder
    drizzle = load_corruption({f"{module}:rain": None, "name": "drizzle"}, path)
    rain = load_corruption(f"{module}:rain", path)
    assert drizzle.name == "drizzle"
    assert drizzle.specification(0) == rain.specification(0)
    with pytest.raises(CorruptionError, match="has the name of a built-in one, 'blur'"):
        load_corruption({f"{module}:rain": None, "name": "blur"}, path)


def test_registered_functions_take_parameters():
    def capped(image, mask, severity, rng, level=255):
        return image.clip(0, level), mask

    register_corruption("capped", capped)
    result = corrupt(picture(0), None, {"capped": {"level": 9}}, severity=1)
    assert result.image.max() == 9
    with pytest.raises(CorruptionError, match="no parameter 'levle'; did you mean 'level'"):
        load_corruption({"capped": {"levle": 9}})


def test_parameters_of_an_unknown_corruption_do_not_hide_that_it_is_unknown():
    with pytest.raises(CorruptionError, match="unknown corruption 'glair'; did you mean 'glare'"):
        load_corruption({"compose": ["blur", {"glair": {"blobs": 3}}]})


def test_entry_points_are_known_and_loaded(distribution):
    assert {"rain", "haze", "broken"} <= set(known_names())
    assert load_corruption("rain").name == "rain"
    assert load_corruption("haze").version == 4


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("broken", "entry point 'no_such_module_at_all:rain'.* cannot be imported"),
        ("mist", "calls itself 'haze'"),
    ],
)
def test_broken_entry_points_are_named(distribution, name, complaint):
    with pytest.raises(CorruptionError, match=complaint):
        load_corruption(name)


def test_corrupt_is_what_the_benchmark_does():
    image, mask = picture(0), block_mask()
    result = corrupt(image, mask, "glare", severity=4, seed=3, sample_id="000")
    expected = load_corruption("glare").apply(image, mask, 4, seed=3, sample_id="000")
    assert picture_digest(result) == picture_digest(expected)


@pytest.mark.parametrize(
    ("image", "mask", "complaint"),
    [
        (picture(0) / 255, None, "uint8 array"),
        (picture(0)[..., 0], None, "\\(H, W, 3\\)"),
        (picture(0)[..., :2], None, "not \\(40, 56, 2\\)"),
        (picture(0)[:0], None, "not \\(0, 56, 3\\)"),
        (picture(0), block_mask().astype(np.uint8), "mask must be a bool array"),
        (picture(0), block_mask()[1:], "mask has shape \\(39, 56\\), its image \\(40, 56\\)"),
    ],
)
def test_corrupt_checks_its_picture(image, mask, complaint):
    with pytest.raises(CorruptionError, match=complaint):
        corrupt(image, mask, "blur", severity=1)


def test_corruptions_are_values():
    assert Corruption("inverted", inverted) == Corruption("inverted", inverted)
    assert len({Corruption("inverted", inverted), Corruption("inverted", inverted)}) == 1


def test_a_corruption_whose_module_was_loaded_twice_is_the_same(tmp_path):
    """One process may run pytest twice, and each time load what a YAML names."""
    file = tmp_path / "rb_twice.py"
    code = "def twice(image, mask, severity, rng):\n    return image{}, mask\n"
    for text in (code.format(""), code.format("")):
        exec(compile(text, file, "exec"), found := {"__name__": "rb_twice"})
        assert register_corruption("twice", found["twice"]).function is found["twice"]

    exec(compile(code.format(" + 0"), file, "exec"), found)
    with pytest.raises(CorruptionError, match="registered already"):
        register_corruption("twice", found["twice"])

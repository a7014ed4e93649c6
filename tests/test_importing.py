"""Imports start at a folder, whatever was imported before, and leave nothing behind outside."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from pytest_robustbench.folder_imports import forget_imports, imports_from
from pytest_robustbench.importing import import_object


@pytest.fixture(autouse=True)
def undisturbed(monkeypatch):
    """Let what a test imports, and where from, end with it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    before = dict(sys.modules)
    yield
    sys.modules.clear()
    sys.modules.update(before)


@pytest.fixture
def two(tmp_path):
    """Two folders with a module of one name."""
    for name in "ab":
        write(tmp_path / name / "rb_models.py", f"where = {name!r}\nclass Detector: pass\n")
    return tmp_path / "a", tmp_path / "b"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def imported_before(folder: Path, name: str):
    """Import as a test module does whose folder pytest has put on the path."""
    sys.path.insert(0, str(folder))
    module = __import__(name)
    sys.path.remove(str(folder))
    return module


def test_the_module_of_the_folder_is_loaded_whatever_has_its_name(two):
    a, b = two
    before = imported_before(a, "rb_models")

    assert import_object("rb_models:where", b) == "b"
    assert sys.modules["rb_models"] is before
    assert import_object("rb_models:where", a) == "a"


def test_a_package_and_its_submodules_are_those_of_the_folder(two):
    a, b = two
    for folder in two:
        write(folder / "rb_line" / "__init__.py")
        write(folder / "rb_line" / "models.py", f"where = {folder.name!r}\n")
    imported_before(a, "rb_line.models")

    assert import_object("rb_line.models:where", b) == "b"
    with imports_from(a):
        from rb_line import models

        assert models.where == "a"


@pytest.mark.parametrize("mirror", ["tests/rb_line/__init__.py", "tests/rb_line/other.py"])
@pytest.mark.parametrize("own", ["rb_line/__init__.py", "rb_line/other.py"])
def test_a_mirror_of_the_package_does_not_stand_for_it(tmp_path, mirror, own):
    for path in (mirror, own):
        write(tmp_path / path)
    write(tmp_path / "rb_line" / "models.py", "where = 'own'\n")
    imported_before(tmp_path / "tests", "rb_line")
    sys.path.insert(0, str(tmp_path / "tests"))

    assert import_object("rb_line.models:where", tmp_path) == "own"


def test_late_imports_and_pickles_find_the_same_modules_each_time(two):
    a, b = two
    imported_before(a, "rb_models")
    first = {folder: import_object("rb_models:Detector", folder) for folder in two}

    for folder in (b, a, b):
        with imports_from(folder):
            import rb_models

            assert rb_models.Detector is first[folder]
            assert type(pickle.loads(pickle.dumps(first[folder]()))) is first[folder]


def test_a_module_of_the_folder_that_is_loaded_already_is_not_loaded_twice(two):
    before = imported_before(two[0], "rb_models")

    assert import_object("rb_models:Detector", two[0]) is before.Detector


def test_a_module_that_took_something_from_elsewhere_is_loaded_anew(two):
    """It stands in the right folder, and what it has imported comes from another."""
    a, b = two
    write(b / "rb_head.py", "from rb_models import where\n")
    imported_before(a, "rb_models")
    assert imported_before(b, "rb_head").where == "a"

    assert import_object("rb_head:where", b) == "b"


def test_outside_nothing_is_found_that_was_not_there_before(two):
    import_object("rb_models:where", two[1])

    assert "rb_models" not in sys.modules
    assert str(two[1]) not in sys.path
    assert imported_before(two[0], "rb_models").where == "a"


def test_what_an_import_outside_would_find_stays(two):
    sys.path.insert(0, str(two[0]))

    found = import_object("rb_models:Detector", two[0])

    assert sys.modules["rb_models"].Detector is found


def test_another_folder_within_has_its_turn(two):
    a, b = two
    with imports_from(a):
        import rb_models

        assert import_object("rb_models:where", b) == "b"
        with imports_from(a):
            assert sys.modules["rb_models"] is rb_models
        assert sys.modules["rb_models"] is rb_models
        assert import_object("rb_models:where") == "a"


def test_forgotten_modules_are_loaded_as_they_are_then(two):
    assert import_object("rb_models:where", two[0]) == "a"
    write(two[0] / "rb_models.py", "where = 'changed since'\n")
    assert import_object("rb_models:where", two[0]) == "a"

    forget_imports()

    assert import_object("rb_models:where", two[0]) == "changed since"


@pytest.mark.parametrize("name", ["statistics", "pluggy"])
def test_no_module_of_python_or_of_an_installed_package_is_replaced(tmp_path, name):
    mine = write(tmp_path / f"{name}.py", "make = None\n")
    installed = __import__(name)

    with imports_from(tmp_path):
        del sys.modules[name]
        assert Path(__import__(name).__file__) == Path(installed.__file__)
    with pytest.raises(ImportError) as caught:
        import_object(f"{name}:make", tmp_path)
    assert str(mine) in str(caught.value)
    assert installed.__file__ in str(caught.value)


def test_a_module_that_lies_elsewhere_alone_is_found_as_ever(two):
    write(two[0] / "rb_alone.py", "where = 'a'\n")
    sys.path.append(str(two[0]))

    assert import_object("rb_alone:where", two[1]) == "a"


def test_a_module_that_replaces_itself_is_refused_with_both_files(two):
    other = write(two[0] / "rb_other.py")
    mine = write(two[1] / "rb_mine.py", "import rb_other, sys\nsys.modules[__name__] = rb_other\n")
    sys.path.append(str(two[0]))

    with pytest.raises(ImportError) as caught:
        import_object("rb_mine:where", two[1])

    assert str(mine) in str(caught.value)
    assert str(other) in str(caught.value)

"""Which distribution brings what is imported, whatever either is called."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_robustbench.importing import bringing, version_of


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def installed(site: Path, name: str, version: str, *files: str) -> None:
    described = site / f"{name}-{version}.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (described / "RECORD").write_text("".join(f"{file},sha256=0,0\n" for file in files))


def test_a_distribution_may_be_called_otherwise(site):
    installed(site, "drawingsX", "2.1.0", "drawings/__init__.py")
    installed(site, "other", "7", "other/drawings/__init__.py")
    assert [one.name for one in bringing("drawings")] == ["drawingsX"]
    assert version_of("drawings") == "2.1.0 of drawingsX"


def test_of_two_the_loaded_one_is_named(site, monkeypatch):
    installed(site, "drawings", "2.0.8", "drawings/__init__.py")
    installed(site, "drawingsX", "2.1.0", "drawings/__init__.py")
    assert version_of("drawings") == "2.0.8 or 2.1.0 of drawings and drawingsX"
    monkeypatch.setitem(sys.modules, "drawings", SimpleNamespace(__version__="2.1.0"))
    assert version_of("drawings") == "2.1.0 of drawingsX"
    monkeypatch.setitem(sys.modules, "drawings", SimpleNamespace(__version__="2.0.8"))
    assert version_of("drawings") == "2.0.8"


def test_a_single_file_is_found_and_what_nobody_brings_has_no_version(site):
    installed(site, "sketch", "1.0", "sketch.py")
    assert version_of("sketch") == "1.0"
    assert version_of("nobody") == "unknown"

"""A format of a report is one module and one row: everything else works from the rows."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from pytest_robustbench.errors import ReportError
from pytest_robustbench.importing import import_object
from pytest_robustbench.reports.file.session import Unreported
from pytest_robustbench.reports.pages import write
from pytest_robustbench.reports.pages.extras import Extra
from pytest_robustbench.reports.pages.formats import FORMATS, HTML, Format
from pytest_robustbench.reports.pages.source import Edition, Source
from tests.reports.page_samples import drawn_plain

DOCS = Path(__file__).parents[3] / "docs" / "report.md"


def names(edition: Edition) -> str:
    """The one module of a format of one's own."""
    return f"{edition.benchmarks}\n"


def old_fashioned(edition: Edition) -> str:
    """One whose library warns of another."""
    warnings.warn("use another name", DeprecationWarning, stacklevel=2)
    return names(edition)


OWN = f"{__name__}:names"


@pytest.fixture(scope="module")
def plain():
    return drawn_plain()


def edition(plain, *benchmarks, unreported=()):
    return Edition([Source({**plain, "name": name}) for name in benchmarks], Path(), unreported)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.file)
def test_every_row_has_its_parts(row):
    assert callable(import_object(row.writer)), row.writer
    assert f"`{row.file}`" in DOCS.read_text("utf-8"), f"{row.file} is not described in {DOCS}"


def test_no_two_rows_are_of_one_file():
    assert len({row.file for row in FORMATS}) == len(FORMATS)


def test_what_a_library_warns_of_takes_no_page_away(plain):
    with pytest.warns(DeprecationWarning, match="another name"):
        text = Format("names.txt", f"{__name__}:old_fashioned").text(edition(plain, "caps"))
    assert text == "['caps']\n"


@pytest.fixture
def with_row(monkeypatch):
    """Add a row, as a new format would."""
    return lambda row: monkeypatch.setattr(write, "FORMATS", (row,))


def test_a_row_alone_is_written_named_appended_and_forgotten(with_row, plain, tmp_path):
    with_row(Format("names.txt", OWN, appended_to="CI_SUMMARY"))
    step = tmp_path / "step"
    found = write.write_pages(
        edition(plain, "caps", unreported=[Unreported("cups", "it crashed")]),
        tmp_path / "out",
        html=False,
        environ={"CI_SUMMARY": str(step)},
    )

    assert found.told("names.txt") == "page: names.txt"
    assert found.paths == (tmp_path / "out" / "names.txt",)
    assert found.paths[0].read_text("utf-8") == "['caps', 'cups']\n"
    assert step.read_text("utf-8") == "['caps', 'cups']\n\n"
    write.forget_pages(tmp_path / "out", ["caps"])
    assert not found.paths[0].exists()


def test_a_row_may_be_of_one_benchmark_each(with_row, plain, tmp_path):
    with_row(Format("{benchmark}.txt", OWN))
    other = tmp_path / "mine.txt"
    other.write_text("stays", "utf-8")
    found = write.write_pages(edition(plain, "caps", "cups"), tmp_path, html=False, environ={})

    texts = {path.name: path.read_text("utf-8") for path in found.paths}
    assert texts == {"caps.txt": "['caps']\n", "cups.txt": "['cups']\n"}
    write.forget_pages(tmp_path, ["caps", "cups"])
    assert list(tmp_path.iterdir()) == [other]


def test_a_row_whose_extra_is_missing_is_a_hint_in_a_run_and_an_error_when_asked_for(
    with_row, plain, tmp_path
):
    row = Format("names.txt", OWN, Extra("ink", ("no_such_package",)))
    with_row(row)
    found = write.write_pages(edition(plain, "caps"), tmp_path, html=False, environ={})

    assert found.paths == ()
    assert found.hints[0].startswith("no names.txt: no_such_package is not installed")
    with pytest.raises(ReportError, match=r'pip install "pytest-robustbench\[ink\]"'):
        row.text(edition(plain, "caps"))


@pytest.mark.parametrize("writer", ["no_such_module:write", f"{__name__}:no_such_function"])
def test_a_row_whose_writer_is_missing_is_an_error_that_names_both(writer, plain):
    with pytest.raises(ImportError, match=rf"names\.txt.*{writer}"):
        Format("names.txt", writer).text(edition(plain, "caps"))


def test_html_is_the_page_that_a_run_names_first():
    assert FORMATS[0] is HTML

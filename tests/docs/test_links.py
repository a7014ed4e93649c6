"""Pages are finished, and what they link to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"\b[A-Z]+_(?:TABLE|TEXT)\b")

EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Return what GitHub makes of the headings."""
    headings = HEADING.findall(CODE.sub("", text_of(page)))
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def test_there_are_pages() -> None:
    assert len(PAGES) > 2
    assert any(LINK.search(text_of(page)) for page in PAGES)


@EVERY_PAGE
def test_no_placeholder_is_left(page: Path) -> None:
    assert PLACEHOLDER.findall(text_of(page)) == []


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(text_of(page)) if not re.match(r"\w+:", t)]
    broken = []
    for target in targets:
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


def test_the_architecture_names_files_that_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", text)
    homes = (ROOT, ROOT / "pytest_robustbench", *(ROOT / "pytest_robustbench").iterdir())
    assert len(named) > 30
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []

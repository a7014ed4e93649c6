"""A preview as a page: the same pictures as on the contact sheet, larger, with text as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.reports.pages.drawing import data_uri, jpeg
from pytest_robustbench.reports.pages.html.templates import rendered
from pytest_robustbench.reports.preview.tiles import drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.reports.preview.tiles import Block, Row, Sheet, Tile

WIDTH = 320
"""Of a picture that does not stand upright, pixels."""

LEAST_WIDTH = 180
"""Of a column, pixels."""

QUALITY = 85


def preview_section(sheet: Sheet) -> dict[str, Any]:
    """Return what the page shows of one benchmark, its pictures as data URIs."""
    return {
        "title": sheet.title,
        "summary": sheet.summary,
        "legend": sheet.legend,
        "blocks": [_block(block) for block in sheet.blocks],
    }


def preview_page(sections: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of several `preview_section`.

    Raises
    ------
    ReportError
        If the packages of the extra ``report`` are not installed.
    """
    return rendered("preview.html", sections=sections)


def _block(block: Block) -> dict[str, Any]:
    rows = [_row(block, row) for row in block.rows]
    return {"title": block.title, "remark": block.remark, "rows": rows}


def _row(block: Block, row: Row) -> dict[str, Any]:
    tiles = [_tile(tile, f"{block.title}, {row.name}, {tile.label}") for tile in row.tiles]
    # Labels need room, whatever the pictures do.
    width = max(LEAST_WIDTH, *(tile["width"] for tile in tiles))
    return {"name": row.name, "remark": row.remark, "tiles": tiles, "width": width}


def _tile(tile: Tile, alt: str) -> dict[str, Any]:
    picture = drawn(tile, WIDTH)
    return {
        "label": tile.label,
        "notes": tile.notes,
        "alt": alt,
        "uri": data_uri(jpeg(picture, QUALITY)),
        "height": picture.shape[0],
        "width": picture.shape[1],
    }

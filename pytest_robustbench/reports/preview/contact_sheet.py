"""A contact sheet: every picture of a preview, labelled, as one image; drawn by OpenCV alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.reports.preview.lettering import (
    BODY,
    HEADING,
    STRONG,
    SUBHEADING,
    TITLE,
    WHITE,
    written,
)
from pytest_robustbench.reports.preview.tiles import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.reports.preview.tiles import Block, Row, Sheet, Tile

WIDTH = 220
"""Of a picture that does not stand upright, pixels."""

LEAST_WIDTH = 640
"""Of a sheet: room for titles where there are few columns, pixels."""

GAP = 10
MARGIN = 24
LINE = 190
"""Gray of lines and frames: on white, a bright picture needs an edge."""

CELL = WIDTH + 2


def contact_sheet(sheet: Sheet) -> Image:
    """Return `sheet` as one image ``(H, W, 3)`` uint8, RGB, on white; its text is ASCII."""
    width = _width(sheet)
    strips = [written(sheet.title, TITLE, width), written(sheet.summary, STRONG, width)]
    strips += [written(line, BODY, width) for line in sheet.legend]
    for block in sheet.blocks:
        strips += _block_strips(block, width)
    return _framed(np.concatenate(strips), MARGIN, WHITE)


def _width(sheet: Sheet) -> int:
    columns = max(len(row.tiles) for block in sheet.blocks for row in block.rows)
    return max(LEAST_WIDTH, columns * (CELL + GAP) - GAP)


def _block_strips(block: Block, width: int) -> list[Image]:
    line = np.full((1, width, 3), LINE, np.uint8)
    strips = [_space(2 * GAP, width), line, _space(GAP, width)]
    strips += [written(block.title, HEADING, width), written(block.remark, BODY, width)]
    return strips + [strip for row in block.rows for strip in _row_strips(row, width)]


def _row_strips(row: Row, width: int) -> list[Image]:
    strips = [_space(2 * GAP, width), written(row.name, SUBHEADING, width)]
    if row.remark:
        strips.append(written(row.remark, BODY, width))
    tiles = _beside([_cell(tile) for tile in row.tiles])
    return [*strips, _space(GAP // 2, width), _filled_up(tiles, tiles.shape[0], width)]


def _cell(tile: Tile) -> Image:
    picture = _framed(drawn(tile, WIDTH), 1, LINE)
    lines = [(tile.label, STRONG), *((note, BODY) for note in tile.notes)]
    labels = [written(text, lettering, CELL) for text, lettering in lines]
    shown = _filled_up(picture, picture.shape[0], CELL)
    return np.concatenate([shown, _space(GAP // 2, CELL), *labels])


def _beside(cells: Sequence[Image]) -> Image:
    """Return `cells` in one line, their upper edges level."""
    height = max(cell.shape[0] for cell in cells)
    columns = [_filled_up(cell, height, CELL + GAP) for cell in cells]
    return np.concatenate(columns, axis=1)[:, :-GAP]


def _space(height: int, width: int) -> Image:
    return np.full((height, width, 3), WHITE, np.uint8)


def _framed(image: Image, thickness: int, gray: int) -> Image:
    around = (thickness, thickness)
    return np.pad(image, (around, around, (0, 0)), constant_values=gray)


def _filled_up(image: Image, height: int, width: int) -> Image:
    """Return `image` with white below and to the right of it, as far as it needs any."""
    missing = ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0))
    return np.pad(image, missing, constant_values=WHITE)

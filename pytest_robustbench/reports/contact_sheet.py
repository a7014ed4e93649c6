"""A contact sheet: every picture of a preview, labelled, as one image; drawn by OpenCV alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_robustbench.reports.lettering import BODY, HEADING, STRONG, TITLE, WHITE, written
from pytest_robustbench.reports.tiles import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_robustbench.arrays import Image
    from pytest_robustbench.reports.tiles import Block, Row, Sheet, Tile

LONGEST = 220
"""Longer side of a picture, pixels."""

NARROWEST = 186
"""Room for the labels of upright pictures, pixels."""

LEAST_WIDTH = 640
"""Room for titles where there are few columns, pixels."""

GAP = 10
MARGIN = 24


def contact_sheet(sheet: Sheet) -> Image:
    """Return `sheet` as one image ``(H, W, 3)`` uint8, RGB, on white; its text is ASCII."""
    width = _width(sheet)
    strips = [written(sheet.title, TITLE, width), written(sheet.summary, STRONG, width)]
    strips += [written(line, BODY, width) for line in sheet.legend]
    for block in sheet.blocks:
        strips += _block_strips(block, width)
    frame = (MARGIN, MARGIN)
    return np.pad(np.concatenate(strips), (frame, frame, (0, 0)), constant_values=WHITE)


def _block_strips(block: Block, width: int) -> list[Image]:
    line = np.full((1, width, 3), 190, np.uint8)
    strips = [_space(2 * GAP, width), line, _space(GAP, width)]
    strips += [written(block.title, HEADING, width), written(block.remark, BODY, width)]
    return strips + [strip for row in block.rows for strip in _row_strips(row, width)]


def _row_strips(row: Row, width: int) -> list[Image]:
    strips = [_space(2 * GAP, width), written(row.name, STRONG, width)]
    if row.remark:
        strips.append(written(row.remark, BODY, width))
    tiles = _beside([_cell(tile) for tile in row.tiles])
    return [*strips, _space(GAP // 2, width), _filled_up(tiles, tiles.shape[0], width)]


def _cell(tile: Tile) -> Image:
    width, picture = _cell_width(tile), drawn(tile, LONGEST)
    lines = [(tile.label, STRONG), *((note, BODY) for note in tile.notes)]
    labels = [written(text, lettering, width) for text, lettering in lines]
    shown = _filled_up(picture, picture.shape[0], width)
    return np.concatenate([shown, _space(GAP // 2, width), *labels])


def _beside(cells: Sequence[Image]) -> Image:
    """Return `cells` in one line, their upper edges level."""
    height = max(cell.shape[0] for cell in cells)
    columns = [_filled_up(cell, height, cell.shape[1] + GAP) for cell in cells]
    return np.concatenate(columns, axis=1)[:, :-GAP]


def _width(sheet: Sheet) -> int:
    rows = [row for block in sheet.blocks for row in block.rows]
    widths = [sum(_cell_width(tile) + GAP for tile in row.tiles) - GAP for row in rows]
    return max(LEAST_WIDTH, *widths)


def _cell_width(tile: Tile) -> int:
    height, width = tile.image.shape[:2]
    return max(NARROWEST, round(LONGEST * min(1, width / height)))


def _space(height: int, width: int) -> Image:
    return np.full((height, width, 3), WHITE, np.uint8)


def _filled_up(image: Image, height: int, width: int) -> Image:
    """Return `image` with white below and to the right of it, as far as it needs any."""
    missing = ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0))
    return np.pad(image, missing, constant_values=WHITE)

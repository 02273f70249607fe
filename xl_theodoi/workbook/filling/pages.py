"""Where pages end: blocks of rows that must not be torn apart begin on a new page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing.xml import tag

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lxml.etree import _Element

_INCH = 72.0
_PAPERS = {"1": (612.0, 792.0), "5": (612.0, 1008.0), "8": (842.0, 1191.0), "9": (595.3, 841.9)}
_A4 = _PAPERS["9"]
_SAFETY = 0.985
"""Printers differ a little in what they take for a page."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that stay together, first and last included, 1-based."""

    first: int
    last: int


def page_height(root: _Element) -> float | None:
    """Return the room for rows on a page in points; None where the sheet is fitted to pages.

    Excel ignores page breaks on sheets that are fitted to a number of pages.
    """
    fit = root.find(f"{tag('sheetPr')}/{tag('pageSetUpPr')}")
    if fit is not None and fit.get("fitToPage") in ("1", "true"):
        return None
    setup = root.find(tag("pageSetup"))
    margins = root.find(tag("pageMargins"))
    width, height = _A4
    scale = 1.0
    if setup is not None:
        width, height = _PAPERS.get(setup.get("paperSize", "9"), _A4)
        if setup.get("orientation") == "landscape":
            width, height = height, width
        scale = float(setup.get("scale", "100")) / 100
    top = bottom = 0.75
    if margins is not None:
        top, bottom = float(margins.get("top", "0.75")), float(margins.get("bottom", "0.75"))
    return (height - (top + bottom) * _INCH) / scale * _SAFETY


def blocks_of(keeps: Sequence[int], neighbours: Mapping[int, str | None]) -> list[Block]:
    """Return the blocks of the rows, from the top; blocks that share a row are one.

    Args:
        keeps: Identity of the block of each row, 0 for none.
        neighbours: For each identity, whether the row above or below belongs to it.
    """
    result: list[Block] = []
    at = 0
    while at < len(keeps):
        identity = keeps[at]
        end = at
        while end + 1 < len(keeps) and keeps[end + 1] == identity:
            end += 1
        if identity:
            first = at - (neighbours.get(identity) == "previous" and at > 0)
            last = end + (neighbours.get(identity) == "next" and end + 1 < len(keeps))
            if result and first + 1 <= result[-1].last:
                result[-1] = Block(result[-1].first, last + 1)
            else:
                result.append(Block(first + 1, last + 1))
        at = end + 1
    return result


def breaks_before(
    heights: Sequence[float],
    room: float,
    blocks: Sequence[Block],
    titles: tuple[int, int] | None,
    manual: Collection[int],
) -> list[int]:
    """Return the rows before which a page must end so that no block is torn apart.

    Args:
        heights: Row heights in points.
        room: Room for rows on a page in points.
        blocks: The blocks, from the top; one that is higher than a page is let go.
        titles: First and last row that are repeated on every page after their own.
        manual: Rows after which the form itself ends a page.
    """
    starts = {block.first: block for block in blocks}
    title = sum(heights[titles[0] - 1 : titles[1]]) if titles else 0.0
    result: list[int] = []
    used = 0.0
    for row, height in enumerate(heights, start=1):
        repeated = title if titles and row > titles[1] else 0.0
        block = starts.get(row)
        wanted = height
        if block is not None:
            whole = sum(heights[block.first - 1 : block.last])
            if whole <= room - repeated:
                wanted = whole
        if row - 1 in manual:
            used = repeated
        elif used + wanted > room and used > repeated:
            if wanted > height:
                result.append(row)
            used = repeated
        used += height
    return result

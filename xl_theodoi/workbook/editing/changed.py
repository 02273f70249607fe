"""Which cells of a sheet changed, for judging what depends on them.

A consolidation changes hundreds of thousands of cells, and a dressed-up master asks for a
hundred thousand formulas whether they depend on one: no question may look at all cells.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from xl_theodoi.workbook.editing.refs import Area


class Changed:
    """The changed cells of a sheet: rows by column, and whole rectangles."""

    def __init__(self) -> None:
        self._rows: dict[int, set[int]] = {}
        self._edges: dict[int, tuple[int, int]] = {}
        self._sorted: dict[int, list[int]] = {}
        self._areas: list[Area] = []

    def __bool__(self) -> bool:
        return bool(self._rows or self._areas)

    def add_area(self, area: Area) -> None:
        """Take in all cells of a rectangle; columns given one after the other become one."""
        last = self._areas[-1] if self._areas else None
        if last is not None and last == area._replace(left=last.left, right=area.left - 1):
            self._areas[-1] = area._replace(left=last.left)
        else:
            self._areas.append(area)

    def add(self, row: int, column: int) -> bool:
        """Take in a cell; return whether it is new."""
        rows = self._rows.setdefault(column, set())
        if row in rows:
            return False
        rows.add(row)
        low, high = self._edges.get(column, (row, row))
        self._edges[column] = (min(low, row), max(high, row))
        return True

    def add_rows(self, column: int, rows: Collection[int]) -> None:
        """Take in cells of one column."""
        if not rows:
            return
        self._rows.setdefault(column, set()).update(rows)
        first, last = min(rows), max(rows)
        low, high = self._edges.get(column, (first, last))
        self._edges[column] = (min(low, first), max(high, last))

    def meets(self, area: Area) -> bool:
        """Whether a changed cell lies in a rectangle."""
        top, left, bottom, right = area
        for other_top, other_left, other_bottom, other_right in self._areas:
            if (
                top <= other_bottom
                and other_top <= bottom
                and left <= other_right
                and other_left <= right
            ):
                return True
        if right - left < len(self._edges):
            return any(self._holds(column, top, bottom) for column in range(left, right + 1))
        return any(
            self._holds(column, top, bottom) for column in self._edges if left <= column <= right
        )

    def rows_among(self, rows: Sequence[int], left: int, right: int) -> set[int]:
        """Return which of some rows, ascending, have a changed cell between two columns."""
        wanted = set(rows)
        found: set[int] = set()
        for column, known in self._rows.items():
            if left <= column <= right:
                found |= wanted & known
        for area in self._areas:
            if area.left <= right and left <= area.right:
                found.update(rows[bisect_left(rows, area.top) : bisect_right(rows, area.bottom)])
        return found

    def _holds(self, column: int, top: int, bottom: int) -> bool:
        """Whether a changed cell of a column lies between two rows."""
        edges = self._edges.get(column)
        if edges is None or edges[0] > bottom or edges[1] < top:
            return False
        if top <= edges[0] or edges[1] <= bottom:
            return True
        rows = self._rows[column]
        if top == bottom:
            return top in rows
        known = self._sorted.get(column)
        if known is None or len(known) != len(rows):
            known = self._sorted[column] = sorted(rows)
        return known[bisect_left(known, top)] <= bottom

"""A table of an open workbook: where it stands, what was read of it, what has become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xl_theodoi.excel.state import native_flag

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xlwings as xw
    from xlwings.main import Table

    from xl_theodoi.domain.cells import Column, SheetTable


@dataclass(slots=True)
class LiveTable:
    """A table in Excel beside what was read of it.

    Attributes:
        table: The table in Excel.
        sheet: Its sheet.
        content: The list that operations see, without blank rows at its end.
        cells: Every row of the table as read, by sheet column; not changed by writing.
        left: Sheet column of the first column.
        width: Number of columns; follows the changes, like the four below.
        rows: Number of rows, headings and totals not counted.
        filled: Number of rows down to the last filled one.
        labels: Sheet column by heading.
        has_totals: Whether a totals row follows.
        formulas: By heading, the formula that every row of a column holds, without its equals
            sign; known once a change has said so.
    """

    table: Table
    sheet: xw.Sheet
    content: SheetTable
    cells: Mapping[int, Column]
    left: int
    width: int
    rows: int
    filled: int
    labels: dict[str, int]
    has_totals: bool
    formulas: dict[str, str] = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        """Whether a filter hides rows; a table's own filter is not always the sheet's."""
        own = getattr(self.table.api, "AutoFilter", None)
        return native_flag(self.sheet.api, "FilterMode", "filter_mode") or native_flag(
            own, "FilterMode", "filter_mode"
        )

    @property
    def top(self) -> int:
        """Sheet row of the first data row."""
        return self.content.header_row + 1

    def range(self, row: int, column: int, height: int, width: int) -> xw.Range:
        """Return a rectangle of the sheet, by its upper left cell and its size."""
        return self.sheet.range((row, column), (row + height - 1, column + width - 1))

    def body(self, offset: int, count: int) -> xw.Range:
        """Return whole rows of the table, by how far the first is from the top."""
        return self.range(self.top + offset, self.left, count, self.width)

"""Rows of a unit workbook that differ only in numbers and values.

A list of 300 tasks has some ten thousand formulas, but only a few dozen different ones: the
others repeat them with another row number. A `RowPattern` holds such a row once, and for each
row of the kind its number, further numbers and the cells' values. `write_rows` says what that
means, cell by cell; `FilledSheet.write_rows` does the same with text that is ready for the
file.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.workbook.building.unit_content import is_formula_like

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = "\x01"
"""Stands in a pattern's formulas for the number of the row itself."""
MARKS: Final = tuple(map(chr, (*range(2, 9), 11, 12, *range(14, 28))))
"""Stand for what is given with each row. No cell and no formula holds such a character
otherwise: XML forbids them, and `clean_text` takes them out. The register has fewer fields
that the list does not carry."""


class CellKind(IntEnum):
    """What a cell of a pattern takes as its value."""

    CONTENT = 0
    """None, a text, a number, a truth value or a date, as the cell's content."""
    FORMULA = 1
    """The stored value of its formula: a number, a truth value or a text."""
    COUNT = 2
    """The stored value of its formula, which is always a number."""
    NUMBER = 3
    """A number, as the cell's content."""
    TEXT = 4
    """A text, as the cell's content; no cell at all where it is empty."""


class RowPattern:
    """Cells of rows, from left to right, with their formulas and formats, and the rows.

    Attributes:
        cells: Column, kind, formula, format and, where text could be taken for a formula, the
            format for such text.
        rows: 0-based number of each row.
    """

    __slots__ = ("_columns", "_marks", "_marks_of_rows", "_values_of_rows", "cells", "rows")

    def __init__(self) -> None:
        self.cells: list[tuple[int, CellKind, str, Any, Any]] = []
        self.rows: list[int] = []
        self._values_of_rows: list[Sequence[Any]] = []
        self._marks_of_rows: list[Sequence[str]] = []
        self._columns: Sequence[Sequence[Any]] = ()
        self._marks: Sequence[Sequence[str]] = ()

    def content(self, column: int, shape: Any, quoted: Any) -> None:
        """Add a cell that holds what it is given."""
        self.cells.append((column, CellKind.CONTENT, "", shape, quoted))

    def formula(self, column: int, formula: str, shape: Any) -> None:
        """Add a formula, without its equals sign, whose stored value is given."""
        self.cells.append((column, CellKind.FORMULA, formula, shape, None))

    def count(self, column: int, formula: str, shape: Any) -> None:
        """Add a formula, without its equals sign, whose stored value is a number."""
        self.cells.append((column, CellKind.COUNT, formula, shape, None))

    def number(self, column: int, shape: Any) -> None:
        """Add a cell that holds a number."""
        self.cells.append((column, CellKind.NUMBER, "", shape, None))

    def text(self, column: int, shape: Any, quoted: Any) -> None:
        """Add a cell that holds a text, and is left out where the text is empty."""
        self.cells.append((column, CellKind.TEXT, "", shape, quoted))

    def add(self, row: int, values: Sequence[Any], marks: Sequence[str] = ()) -> None:
        """Add a row.

        Args:
            row: Its 0-based number.
            values: A value for each cell.
            marks: What to put for each of `MARKS` in the formulas.
        """
        self.rows.append(row)
        self._values_of_rows.append(values)
        self._marks_of_rows.append(marks)

    def add_all(
        self,
        rows: Sequence[int],
        columns: Sequence[Sequence[Any]],
        marks: Sequence[Sequence[str]] = (),
    ) -> None:
        """Add all rows at once, their values and marks by column."""
        self.rows, self._columns, self._marks = list(rows), columns, marks

    @property
    def columns(self) -> Sequence[Sequence[Any]]:
        """The values of each cell."""
        return self._columns or tuple(zip(*self._values_of_rows, strict=True))

    @property
    def marks(self) -> Sequence[Sequence[str]]:
        """What to put for each of `MARKS`."""
        return self._marks or tuple(zip(*self._marks_of_rows, strict=True))


def write_rows(sheet: Any, pattern: RowPattern) -> None:
    """Write the rows of a pattern through XlsxWriter's own methods."""
    if not pattern.rows:
        return
    pairs = tuple(zip(MARKS, pattern.marks, strict=False))
    cells = zip(pattern.cells, pattern.columns, strict=True)
    for (column, kind, formula, shape, quoted), values in cells:
        for nth, (row, value) in enumerate(zip(pattern.rows, values, strict=True)):
            if kind is CellKind.CONTENT:
                _write_content(sheet, row, column, value, shape, quoted)
            elif kind is CellKind.NUMBER:
                sheet.write_number(row, column, value, shape)
            elif kind is CellKind.TEXT:
                if value:
                    used = quoted if is_formula_like(value) else shape
                    sheet.write_string(row, column, value, used)
            else:
                text = formula.replace(HERE, str(row + 1))
                for mark, said in pairs:
                    text = text.replace(mark, said[nth])
                for mark, number in sheet.common.items():
                    text = text.replace(mark, number)
                sheet.write_formula(row, column, f"={text}", shape, value)


def set_heights(sheet: Any, first: int, heights: Sequence[float], *, fitted: bool = False) -> None:
    """Give the rows from one on their heights in points; fitted ones may still change."""
    give = sheet.fit_row if fitted else sheet.set_row
    for row, height in enumerate(heights, start=first):
        give(row, height)


def _write_content(sheet: Any, row: int, column: int, value: Any, shape: Any, quoted: Any) -> None:
    if value is None:
        sheet.write_blank(row, column, None, shape)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, quoted if is_formula_like(value) else shape)
    elif isinstance(value, (date, datetime)):
        sheet.write_datetime(row, column, value, shape)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, shape)
    else:
        sheet.write_number(row, column, value, shape)

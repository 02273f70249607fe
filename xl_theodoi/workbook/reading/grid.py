"""The filled cells of one sheet, held by columns and sparsely."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import PLAIN, Cell, CellKind, CellStyle, Value, column_letter
from xl_theodoi.domain.findings import Location
from xl_theodoi.workbook.reading.lazy_formulas import LazyFormulas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KIND_BITS = 3
"""A cell's code is its style index times eight plus its `CellKind`."""
KIND_MASK = (1 << KIND_BITS) - 1


@dataclass(slots=True)
class SparseColumn:
    """The filled cells of one sheet column, by ascending row.

    Attributes:
        rows: 1-based row numbers.
        values: Raw values, in step with `rows`.
        codes: Style index and kind of each cell, packed as `KIND_BITS` says.
        formulas: Formula text by row, for the cells that have one.
        fonts: Font names of rich-text runs by row.
    """

    rows: array[int] = field(default_factory=lambda: array("I"))
    values: list[Value] = field(default_factory=list)
    codes: array[int] = field(default_factory=lambda: array("I"))
    formulas: LazyFormulas = field(default_factory=LazyFormulas)
    fonts: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def put_in_order(self) -> None:
        """Sort cells that a file gave out of order; of a cell given twice the last wins."""
        rows = self.rows
        if all(map(lt, rows, islice(rows, 1, None))):
            return
        last = {row: position for position, row in enumerate(rows)}
        order = [last[row] for row in sorted(last)]
        self.values = [self.values[position] for position in order]
        self.codes = array("I", [self.codes[position] for position in order])
        self.rows = array("I", sorted(last))

    def position(self, row: int) -> int:
        """Return where a row's cell stands in the lists, or -1 if the cell is blank."""
        position = bisect_left(self.rows, row)
        if position < len(self.rows) and self.rows[position] == row:
            return position
        return -1


@dataclass(slots=True)
class Grid:
    """One sheet as raw cells.

    Blank cells, formatted or not, are not held: their style is not known here.

    Attributes:
        file: File name as shown to people.
        sheet: Sheet name.
        columns: Filled cells by 1-based column number, ascending.
        hidden_rows: Hidden rows up to the last filled one.
        hidden_columns: First and last number of each run of hidden columns.
        merges: Merged ranges as (first row, first column, last row, last column).
        is_protected: Whether the sheet is protected.
        styles: Cell formats of the workbook.
        own_texts: Every text of its cells that is not one of the workbook's shared strings,
            and maybe some that are; `None` where that was not kept.
        formula_forms: Every formula, but for the digits of a row number; `None` as above.
    """

    file: str
    sheet: str
    columns: dict[int, SparseColumn] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    is_protected: bool = False
    styles: Sequence[CellStyle] = (PLAIN,)
    own_texts: frozenset[str] | None = None
    formula_forms: frozenset[str] | None = None

    @property
    def last_row(self) -> int:
        """Row of the lowest filled cell, 0 on an empty sheet."""
        return max((column.rows[-1] for column in self.columns.values() if column.rows), default=0)

    @property
    def last_column(self) -> int:
        """Number of the rightmost column with a filled cell, 0 on an empty sheet."""
        return max((index for index, column in self.columns.items() if column.rows), default=0)

    def is_hidden_column(self, index: int) -> bool:
        """Return whether a column is hidden."""
        return any(first <= index <= last for first, last in self.hidden_columns)

    def value(self, row: int, column: int) -> Value:
        """Return the raw value of one cell."""
        sparse = self.columns.get(column)
        position = -1 if sparse is None else sparse.position(row)
        return None if sparse is None or position < 0 else sparse.values[position]

    def cell(self, row: int, column: int) -> Cell:
        """Return everything known of one cell."""
        location = Location(self.file, self.sheet, f"{column_letter(column)}{row}")
        hidden = row in self.hidden_rows or self.is_hidden_column(column)
        sparse = self.columns.get(column)
        position = -1 if sparse is None else sparse.position(row)
        if sparse is None or position < 0:
            return Cell(None, CellKind.BLANK, location, hidden=hidden)
        code = sparse.codes[position]
        return Cell(
            value=sparse.values[position],
            kind=CellKind(code & KIND_MASK),
            location=location,
            formula=sparse.formulas.get(row),
            style=self.styles[code >> KIND_BITS],
            hidden=hidden,
        )

    def rows(self) -> Iterator[tuple[int, dict[int, Value]]]:
        """Yield the filled rows downwards: row number, and raw values by column number."""
        by_row: dict[int, dict[int, Value]] = {}
        for index, column in self.columns.items():
            for row, value in zip(column.rows, column.values, strict=True):
                by_row.setdefault(row, {})[index] = value
        for row in sorted(by_row):
            yield row, by_row[row]

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Yield the A1 address and text of every formula; of a shared one its first cell only."""
        for index, column in self.columns.items():
            letters = column_letter(index)
            for row, formula in column.formulas.singles():
                yield f"{letters}{row}", formula

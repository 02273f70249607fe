"""Cells and tables as read: raw value, kind, formula, font, hidden flag and address.

A table is held by columns, because validation judges columns: one list of values and one
of kinds per column; formulas, rare in a list, are kept apart by row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from xl_theodoi.domain.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping, Sequence

Value = str | int | float | bool | date | datetime | None
"""A raw cell value: text, number, truth value, date, moment or blank."""


class CellKind(IntEnum):
    """What a cell holds, told by the file and not guessed from the text."""

    BLANK = 0
    TEXT = 1
    NUMBER = 2
    DATE = 3
    BOOLEAN = 4
    ERROR = 5
    """An error value such as `#REF!`; the raw value is its text."""
    NO_VALUE = 6
    """A formula that was saved without a value: not the same as blank."""


@dataclass(frozen=True, slots=True)
class CellStyle:
    """What intake and the editor need of a cell's format.

    Attributes:
        font: Font name; legacy Vietnamese encodings are told by it (`.VnTime`, `VNI-Times`).
        number_format: Format code, for example `dd/mm/yyyy`.
        is_date: Whether numbers in this format are dates.
        locked: Whether sheet protection keeps the cell from being edited.
    """

    font: str = ""
    number_format: str = "General"
    is_date: bool = False
    locked: bool = True


PLAIN = CellStyle()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell with everything that is known of it."""

    value: Value
    kind: CellKind
    location: Location
    formula: str | None = None
    style: CellStyle = PLAIN
    hidden: bool = False


@lru_cache(maxsize=16_384)
def column_letter(index: int) -> str:
    """Return the letters of a 1-based column number.

    Example:
        >>> column_letter(1), column_letter(28), column_letter(16384)
        ('A', 'AB', 'XFD')
    """
    letters = ""
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """Return the 1-based number of a column's letters.

    Example:
        >>> column_index("A"), column_index("AB"), column_index("XFD")
        (1, 28, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


@dataclass(slots=True)
class Column:
    """One column of a table, without its heading cell.

    Attributes:
        label: The heading as it stands in the sheet.
        index: 1-based column number in the sheet.
        values: Raw value per row of the table.
        kinds: `CellKind` per row, as plain integers for speed.
        styles: Index into the table's `styles` per row, or empty where styles are not known.
        formulas: Formula text by row position, for the rows that have one.
        fonts: Font names of rich-text runs by row position, where a run differs from the cell.
        hidden: Whether the column is hidden.
    """

    label: str
    index: int
    values: list[Value]
    kinds: list[int]
    styles: list[int] = field(default_factory=list)
    formulas: MutableMapping[int, str] = field(default_factory=dict)
    fonts: dict[int, tuple[str, ...]] = field(default_factory=dict)
    hidden: bool = False


@dataclass(slots=True)
class SheetTable:
    """A list in a workbook: headings, rows, and the address of every cell.

    Attributes:
        name: Table name (`NhiemVu`), or an empty string for a list without one.
        file: File name as shown to people.
        sheet: Sheet name.
        header_row: 1-based sheet row of the headings.
        columns: By heading; on repeated headings the first wins and `repeated` names them.
        row_numbers: 1-based sheet row of each table row.
        hidden_rows: Sheet rows that are hidden, by filter or by hand.
        styles: Cell formats that columns refer to.
        repeated: Headings that occur more than once.
        last_table_row: Sheet row of the table's last row, or 0 when the file has no table
            there (rows after it lie below the table).
    """

    name: str
    file: str
    sheet: str
    header_row: int
    columns: dict[str, Column]
    row_numbers: list[int]
    hidden_rows: frozenset[int] = frozenset()
    styles: Sequence[CellStyle] = (PLAIN,)
    repeated: tuple[str, ...] = ()
    last_table_row: int = 0

    def __len__(self) -> int:
        return len(self.row_numbers)

    def location(self, position: int, label: str | None = None) -> Location:
        """Return the address of a row's cell in a column, or of its row where none is given."""
        row = self.row_numbers[position]
        column = self.columns.get(label) if label is not None else None
        letters = column_letter(column.index) if column is not None else "A"
        return Location(self.file, self.sheet, f"{letters}{row}")

    def cell(self, position: int, label: str) -> Cell:
        """Return everything known of one cell; a column that is missing reads as blank."""
        column = self.columns.get(label)
        if column is None:
            return Cell(None, CellKind.BLANK, self.location(position))
        style = self.styles[column.styles[position]] if column.styles else PLAIN
        return Cell(
            value=column.values[position],
            kind=CellKind(column.kinds[position]),
            location=self.location(position, label),
            formula=column.formulas.get(position),
            style=style,
            hidden=column.hidden or self.row_numbers[position] in self.hidden_rows,
        )

    def value(self, position: int, label: str) -> Value:
        """Return the raw value of one cell, `None` where the column is missing."""
        column = self.columns.get(label)
        return None if column is None else column.values[position]

    def rows(self) -> Iterator[Mapping[str, Value]]:
        """Yield each row as a mapping from heading to raw value."""
        labels = list(self.columns)
        for values in zip(*(column.values for column in self.columns.values()), strict=True):
            yield dict(zip(labels, values, strict=True))

    def blank_positions(self) -> set[int]:
        """Return the positions of rows in which every cell is blank."""
        blank = set(range(len(self)))
        for column in self.columns.values():
            if not blank:
                break
            blank = {i for i in blank if column.kinds[i] == CellKind.BLANK}
        return blank


def kind_of(value: Value) -> CellKind:
    """Return the kind of a plain Python value, for tables that do not come from a file."""
    if value is None or value == "":
        return CellKind.BLANK
    if isinstance(value, bool):
        return CellKind.BOOLEAN
    if isinstance(value, (int, float)):
        return CellKind.NUMBER
    if isinstance(value, date):
        return CellKind.DATE
    return CellKind.TEXT

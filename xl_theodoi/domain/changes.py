"""What an operation wants changed in a workbook, said without knowing how it is done.

A host applies changes either to a file, through the lossless editor, or to a workbook that
is open in Excel, through xlwings. Rows are given by their position in the table as read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import lt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value


@dataclass(frozen=True, slots=True)
class SetCells:
    """Set cells of a table's existing rows: (row position, column label) to new value."""

    table: str
    cells: Mapping[tuple[int, str], Value]


@dataclass(frozen=True, slots=True)
class SetColumns:
    """Set cells of a table's existing rows, by columns: row positions, and a value for each.

    The same as `SetCells` with a cell for each position; hundreds of thousands of cells are
    made and written faster this way.

    Raises:
        ValueError: For positions that do not ascend, or are not as many as the values.
    """

    table: str
    columns: Mapping[str, tuple[Sequence[int], Sequence[Value]]]

    def __post_init__(self) -> None:
        for positions, values in self.columns.values():
            if len(positions) != len(values):
                raise ValueError(f"{self.table} has not as many values as positions")
            if not all(map(lt, positions, positions[1:])):
                raise ValueError(f"the positions of {self.table} do not ascend")

    def __len__(self) -> int:
        return sum(len(positions) for positions, _ in self.columns.values())

    @property
    def cells(self) -> dict[tuple[int, str], Value]:
        """The cells as `SetCells` would have them."""
        return {
            (position, label): value
            for label, (positions, values) in self.columns.items()
            for position, value in zip(positions, values, strict=True)
        }


@dataclass(frozen=True, slots=True)
class AppendRows:
    """Add rows below a table; labels that are absent from a row stay blank."""

    table: str
    rows: Sequence[Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class AppendColumns:
    """Add rows below a table, given by columns of equal length; other labels stay blank.

    The same as `AppendRows` with a row for each place of the columns; long logs are made and
    written faster this way.

    Raises:
        ValueError: For columns of different lengths.
    """

    table: str
    columns: Mapping[str, Sequence[Value]]

    def __post_init__(self) -> None:
        if len({len(values) for values in self.columns.values()}) > 1:
            raise ValueError(f"the columns of {self.table} are not equally long")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> list[dict[str, Value]]:
        """Return the rows as `AppendRows` would have them."""
        labels = list(self.columns)
        return [
            dict(zip(labels, row, strict=True)) for row in zip(*self.columns.values(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class RemoveRows:
    """Take rows out of a table, by position; the rows below move up."""

    table: str
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class ReplaceRows:
    """Put these rows in place of all rows of a table."""

    table: str
    rows: Sequence[Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class AddColumns:
    """Add columns at the right end of a table, blank in every row (newer layouts)."""

    table: str
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class LiveColumns:
    """Say which columns of a table hold formulas, one and the same in every row.

    A value that another change sets in such a column, or appends to it, is the stored result
    of its cell's formula: the formula stays, or is put there, and a program that calculates
    comes to the same. Stored results are therefore taken to be right, and never taken away
    because a cell changed on which they depend.

    Attributes:
        table: The table.
        formulas: By column label, the formula without its equals sign; a cell of the own row
            stands as `Table[[#This Row],[label]]`.
        mend: By column label, the positions of rows whose cell lacks the formula or holds
            another one; they get it back.
    """

    table: str
    formulas: Mapping[str, str]
    mend: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddSheet:
    """Put a small sheet behind the others, or its cells in place of those of such a sheet.

    Attributes:
        name: Sheet name.
        cells: By A1 address, a formula without its equals sign or `None`, and the value. Of a
            formula the value is the stored result; it is taken to be right.
        hidden: Whether people do not even see it among the hidden sheets.
    """

    name: str
    cells: Mapping[str, tuple[str | None, Value]]
    hidden: bool = True


@dataclass(frozen=True, slots=True)
class SetName:
    """Set the cell that a workbook-level defined name points to."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class MarkCells:
    """Colour cells and put a note on each, in a copy that goes back to a unit."""

    sheet: str
    notes: Mapping[str, str]


Change = (
    SetCells
    | SetColumns
    | AppendRows
    | AppendColumns
    | RemoveRows
    | ReplaceRows
    | AddColumns
    | LiveColumns
    | SetName
    | MarkCells
)

FileChange = Change | AddSheet
"""What can be done to a file; sheets are not added to a workbook while people look at it."""

"""Columns of formulas whose stored results the program computes itself (`LiveColumns`).

A register of 60,000 tasks has half a million such formulas. Their results are written like
plain values, a column at a time, and nobody asks again what each of them depends on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lxml import etree

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.own_row import FormulaJudge, own_labels, relabelled, row_formula
from xl_theodoi.workbook.editing import xml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from xl_theodoi.domain.own_row import RowFormula
    from xl_theodoi.workbook.editing.book import Table
    from xl_theodoi.workbook.editing.sheet import SheetEdit
    from xl_theodoi.workbook.editing.tables import TableEdit

_MANY: Final = 100
"""From this number of cells on, a formula is written once and shared."""


class Elements:
    """The formula elements of a column's cells.

    Args:
        pieces: What stands between the numbers of the row, tags included.
        first: Row that has the formula for all others.
        follower: What the others have; empty if each has the formula itself.

    Attributes:
        follower: As given.
    """

    __slots__ = ("_first", "_pieces", "follower")

    def __init__(self, pieces: Sequence[bytes], first: int = 0, follower: bytes = b"") -> None:
        self._pieces = pieces
        self._first = first
        self.follower = follower

    def __call__(self, row: int) -> bytes:
        """Return the formula element of a sheet row."""
        if self.follower and row != self._first:
            return self.follower
        return (b"%d" % row).join(self._pieces)


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column of formulas.

    Attributes:
        index: 1-based column.
        formula: What stands in each row.
        structured: The same as the table part has it, for rows that people add.
        letters: Column letters of the labels in it.
    """

    index: int
    formula: RowFormula
    structured: str
    letters: Mapping[str, str]

    def elements(self, sheet: SheetEdit, numbers: Sequence[int] = ()) -> Elements:
        """Return what gives the formula element of each sheet row.

        Args:
            sheet: The sheet.
            numbers: Rows that all get the formula now, ascending: many of them share it.
        """
        prefix = sheet.xml.prefix
        first, *rest = map(xml.escape, self.formula.pieces)
        start, follower = b"<%sf>" % prefix, b""
        if len(numbers) >= _MANY:
            shared, letters = sheet.new_shared_number(), column_letter(self.index)
            area = f"{letters}{numbers[0]}:{letters}{numbers[-1]}".encode()
            start = b'<%sf t="shared" ref="%s" si="%d">' % (prefix, area, shared)
            follower = b'<%sf t="shared" si="%d"/>' % (prefix, shared)
        pieces = [start + first, *rest]
        pieces[-1] += b"</%sf>" % prefix
        return Elements(pieces, numbers[0] if follower else 0, follower)


@dataclass(slots=True)
class LiveTable:
    """The columns of formulas of a table.

    Attributes:
        table: The table.
        formulas: Formula by label, as `LiveColumns` has it.
        columns: The columns by number, once they are there.
    """

    table: Table
    formulas: dict[str, str] = field(default_factory=dict)
    columns: dict[int, LiveColumn] = field(default_factory=dict)

    def resolve(self, edit: TableEdit) -> dict[int, LiveColumn]:
        """Return the columns by number.

        Raises:
            TheodoiError: `edit_unknown_column` for a label that the table does not have.
        """
        if not self.columns:
            for label, formula in self.formulas.items():
                found = {name: edit.column(name) for name in own_labels(formula, self.table.name)}
                letters = {name: column_letter(column.index) for name, column in found.items()}
                names = {name: column.label for name, column in found.items()}
                index = edit.column(label).index
                self.columns[index] = LiveColumn(
                    index,
                    row_formula(formula, self.table.name, letters),
                    relabelled(formula, self.table.name, names),
                    letters,
                )
        return self.columns

    @property
    def body(self) -> tuple[int, int]:
        """First and last sheet row of the table."""
        return self.table.first, self.table.last

    def holds(self, row: int, column: int) -> bool:
        """Whether a cell is one of a column of formulas."""
        return column in self.columns and self.table.first <= row <= self.table.last


def set_column_formulas(edit: TableEdit, columns: Mapping[int, LiveColumn]) -> None:
    """Tell the table part the formulas that Excel puts into new rows; LibreOffice drops them."""
    table = edit.table
    missing = []
    for place, column in enumerate(table.columns):
        live = columns.get(column.index)
        if live is None:
            continue
        judge = FormulaJudge(live.formula, table.name, live.letters)
        if column.formula is None or column.array or not judge(column.formula, table.first):
            missing.append((place, column, live))
    if not missing:
        return
    package = edit.session.package
    root = package.xml(table.part)
    nodes = root.findall(f"{xml.tag('tableColumns')}/{xml.tag('tableColumn')}")
    for place, column, live in missing:
        node = nodes[place]
        for old in node.findall(xml.tag("calculatedColumnFormula")):
            node.remove(old)
        element = etree.Element(xml.tag("calculatedColumnFormula"))
        element.text = live.structured
        node.insert(0, element)
        column.formula, column.array = live.structured, False
    package.write(table.part, xml.write_xml(root))


def check_arrays(sheet: SheetEdit, cells: Mapping[int, Collection[int]]) -> None:
    """Refuse to break up an array formula of which some cells stay.

    Args:
        sheet: The sheet.
        cells: Rows by column whose formulas are replaced.

    Raises:
        TheodoiError: `edit_refused` with the first cell of the array.
    """
    for area in sheet.group_formulas():
        inside = [
            row in cells.get(column, ())
            for column in range(area.left, area.right + 1)
            for row in range(area.top, area.bottom + 1)
        ]
        if any(inside) and not all(inside):
            raise sheet.refusal(area.top, area.left, "formula_master")

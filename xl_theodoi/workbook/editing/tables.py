"""Changes to the rows and columns of tables."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.book import fold
from xl_theodoi.workbook.editing.build import ABSENT, Absent, write_new_rows
from xl_theodoi.workbook.editing.formulas import release_masters, shared_text
from xl_theodoi.workbook.editing.live import check_arrays, set_column_formulas
from xl_theodoi.workbook.editing.refs import (
    MAX_ROW,
    Area,
    has_relative_cells,
    shift_formula,
)
from xl_theodoi.workbook.editing.splice import ColumnCells, RowSplicer
from xl_theodoi.workbook.editing.text import cell_text
from xl_theodoi.workbook.editing.values import formula_of, has_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.changes import LiveColumns, ReplaceRows, SetCells
    from xl_theodoi.workbook.editing.book import Table, TableColumn
    from xl_theodoi.workbook.editing.live import Elements, LiveColumn
    from xl_theodoi.workbook.editing.rows import Row
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit

    Given = Value | Absent


class TableEdit:
    """A table under edit: where its columns and rows stand in the sheet.

    Args:
        session: The edit.
        name: Table name.

    Raises:
        TheodoiError: `edit_unknown_table`.
    """

    def __init__(self, session: Session, name: str) -> None:
        self.session = session
        self.table: Table = session.book.table(name)
        self.sheet: SheetEdit = session.sheet(self.table.sheet)
        self._labels = {column.label: column for column in self.table.columns}
        self._folded = {fold(c.label): c for c in reversed(self.table.columns)}
        self._headings_read = False
        self._formulas: dict[int, tuple[str, int | None]] = {}
        self._styles: dict[int, int | None] = {}
        self._first: Row | None = None

    @property
    def live(self) -> Mapping[int, LiveColumn]:
        """The columns of formulas whose results the program computes, by number."""
        table = self.session.live.get(self.table.name.casefold())
        return {} if table is None else table.resolve(self)

    def column(self, label: str) -> TableColumn:
        """Return the column of a label, compared without regard to spaces and composition.

        Raises:
            TheodoiError: `edit_unknown_column`.
        """
        column = self._labels.get(label) or self._folded.get(fold(label))
        if column is None and not self._headings_read:
            # Some programs name the columns in the table part otherwise than the heading cells.
            self._headings_read = True
            row = self.sheet.xml.row(self.table.area.top)
            for known in self.table.columns:
                heading = cell_text(row.cells.get(known.index), self.session.strings)
                self._folded.setdefault(fold(heading), known)
            column = self._folded.get(fold(label))
        if column is None:
            raise TheodoiError(
                "edit_unknown_column",
                file=self.session.package.file,
                table=self.table.name,
                sheet=self.table.sheet.name,
                column=label,
            )
        self._labels[label] = column
        return column

    def number(self, position: int) -> int:
        """Return the sheet row of a row position as read.

        Raises:
            ValueError: For a position outside the table or of a row that was taken out.
        """
        gone = self.table.gone
        at = bisect_left(gone, position)
        if at < len(gone) and gone[at] == position:
            raise ValueError(f"row {position} of {self.table.name} was taken out before")
        number = self.table.first + position - at
        if position < 0 or number > self.table.last:
            raise ValueError(f"{self.table.name} has no row {position}")
        return number

    def numbers(self, positions: Sequence[int]) -> list[int]:
        """Return the sheet rows of row positions, which ascend.

        Raises:
            ValueError: As `number`.
        """
        if self.table.gone or not positions:
            return [self.number(position) for position in positions]
        shift = self.number(positions[0]) - positions[0]
        self.number(positions[-1])
        return [position + shift for position in positions]

    def by_index(self, columns: Mapping[str, Sequence[Given]]) -> dict[int, Sequence[Given]]:
        """Return values by column number; of two labels of one column the later counts."""
        result: dict[int, Sequence[Given]] = {}
        for label, values in columns.items():
            index = self.column(label).index
            if index in result:
                pairs = zip(result[index], values, strict=True)
                result[index] = [old if new is ABSENT else new for old, new in pairs]
            else:
                result[index] = values
        return result

    def is_filled(self, number: int) -> bool:
        """Whether a row holds anything but the formulas that fill a blank row of a table.

        A row of formulas in every column is somebody's own list and counts as filled.
        """
        if not self.sheet.xml.has_row(number):
            return False
        cells = self.sheet.xml.row(number).cells
        formulas = 0
        for column in self.table.columns:
            cell = cells.get(column.index)
            if cell is None or not has_content(cell):
                continue
            if formula_of(cell) is None:
                return True
            formulas += 1
        return formulas == len(self.table.columns)

    def last_filled(self) -> int:
        """Return the last row that holds something, or the heading row."""
        number = self.table.last
        while number >= self.table.first and not self.is_filled(number):
            number -= 1
        return number

    def grow(self, last: int) -> None:
        """Make the table end at a row further down.

        Raises:
            TheodoiError: `edit_refused` when a totals row, a cell, a merge, another table or
                the end of the sheet is in the way.
        """
        table = self.table
        below = Area(table.area.bottom + 1, table.area.left, last, table.area.right)
        if table.totals:
            raise self.sheet.refusal(table.area.bottom, table.area.left, "totals_row")
        if last > MAX_ROW:
            raise self.sheet.refusal(MAX_ROW, table.area.left, "sheet_full")
        for other in self.session.book.tables.values():
            if other is not table and other.sheet == table.sheet and other.area.meets(below):
                raise self.sheet.refusal(other.area.top, other.area.left, "other_table")
        self.sheet.check_free(below)
        table.area = table.area._replace(bottom=last)

    def _plain_formula(self, row: Row, column: TableColumn) -> str | None:
        """Return the text of a cell's own formula; arrays and data tables have none."""
        cell = row.cells.get(column.index)
        formula = formula_of(cell) if cell is not None else None
        if formula is None:
            return None
        kind = formula[0].get(b"t", b"normal")
        if kind == b"shared":
            # Excel shares a formula that was filled down: one cell has the text for all.
            shared = formula[0].get(b"si", b"")
            return formula[1] or shared_text(self.sheet, shared, row.number, column.index)
        return formula[1] if kind == b"normal" else None

    def learn(self, template: Row) -> None:
        """Find out which formats and formulas new rows get, before any row changes.

        The table part names them for calculated columns. LibreOffice loses that on saving, and
        openpyxl seldom writes it: there, the formula of the template row counts, when the
        neighbouring row of the table has the same one.
        """
        step = -1 if template.number > self.table.first else 1
        beside = self.sheet.xml.row(template.number + step)
        alone = template.number + step > self.table.last or not self.is_filled(beside.number)
        for column in self.table.columns:
            self._styles[column.index] = self.sheet.style_at(template, column.index)
            if column.index in self.live:
                continue
            own = self._plain_formula(template, column)
            if column.formula is not None:
                base = template.number if own is not None else self.table.first
                fixed = column.array or not has_relative_cells(column.formula)
                text = column.formula if fixed or own is None else own
                self._formulas[column.index] = (text, None if fixed else base)
            elif own is not None:
                other = self._plain_formula(beside, column)
                if alone or other == shift_formula(own, step):
                    self._formulas[column.index] = (own, template.number)

    def new_style(self, column: TableColumn) -> int | None:
        """Return the format that a new row's cell takes from the template."""
        return self._styles.get(column.index)

    def is_calculated(self, column: TableColumn) -> bool:
        """Whether new rows get a formula in a column."""
        return column.index in self._formulas

    def formula_for(self, column: TableColumn, number: int) -> str | None:
        """Return the formula that a new row gets in a column, `None` where it gets none."""
        if column.index not in self._formulas:
            return None
        text, base = self._formulas[column.index]
        return text if base is None else shift_formula(text, number - base)

    def fill_all(
        self,
        first: int,
        count: int,
        columns: Mapping[int, Sequence[Given]],
        template: Row,
        old_last: int,
    ) -> None:
        """Write whole rows of the table; those below its old last row join it.

        Args:
            first: Sheet row of the first one.
            count: How many there are.
            columns: A value for each row, by column number.
            template: The row whose formats new rows take.
            old_last: Last row of the table before it grew.
        """

        def fill(numbers: range) -> None:
            for number in numbers:
                given = ((index, values[number - first]) for index, values in columns.items())
                row = {index: value for index, value in given if not isinstance(value, Absent)}
                self.fill(number, row, template, joined=number > old_last)

        end = first + count
        start = min(max(old_last + 1, first), end)
        fill(range(first, start))
        for taken in [*self.sheet.xml.rows_between(start, end - 1), end]:
            new = range(start, taken)
            whole = start == first and taken == end
            part = (
                columns
                if whole
                else {
                    index: values[start - first : taken - first]
                    for index, values in columns.items()
                }
            )
            if new and not write_new_rows(self, new, part, template):
                fill(new)
            fill(range(taken, min(taken + 1, end)))
            start = taken + 1

    def fill(
        self, number: int, values: Mapping[int, Value], template: Row, *, joined: bool
    ) -> None:
        """Write a whole row of the table.

        Args:
            number: Sheet row.
            values: Values by column number; absent ones are blank or calculated.
            template: The row whose formats a new row takes.
            joined: Whether the row is new to the table.
        """
        sheet = self.sheet
        row = sheet.xml.row(number)
        if joined:
            sheet.new_row(row, template)
        for column in self.table.columns:
            index = column.index
            style = None if template.number == number else self._styles.get(index)
            if joined:
                sheet.forget(row.cells.pop(index, None))
                if style is not None:
                    row.cells[index] = sheet.blank(number, index, style)
            value = values.get(index)
            live = self.live.get(index)
            if live is not None:
                sheet.set_result(
                    row,
                    index,
                    value,
                    live.elements(sheet),
                    stored=index in values,
                    style=style,
                )
                continue
            if index not in values:
                text = self.formula_for(column, number)
                if text is not None:
                    old = row.cells.get(index)
                    if old is not None and formula_of(old) is not None:
                        sheet.changed.add(number, index)
                        continue
                    sheet.formula(row, index, text, array=column.array, style=style)
                    continue
            sheet.set(row, index, value, style=style)
        self.session.heights(sheet).fit(row, values)
        sheet.xml.put(row)

    def set_in_row(
        self,
        number: int,
        wanted: Sequence[tuple[int, Given]],
        forced: Mapping[int, Elements] | None = None,
    ) -> None:
        """Put values into a row, by column.

        Args:
            number: Sheet row.
            wanted: Columns and values; of a column of formulas the value is a result.
            forced: By column, what gives the formula that takes the place of the one there is.
        """
        forced = forced or {}
        sheet = self.sheet
        row = sheet.xml.row(number)
        for column, value in wanted:
            style = None
            if column not in row.cells and number > self.table.first and value is not None:
                if self._first is None:
                    self._first = sheet.xml.row(self.table.first)
                style = sheet.style_at(self._first, column)
            live = self.live.get(column)
            is_there = not isinstance(value, Absent)
            if live is not None:
                sheet.set_result(
                    row,
                    column,
                    None if isinstance(value, Absent) else value,
                    forced.get(column) or live.elements(sheet),
                    forced=column in forced,
                    stored=is_there,
                    style=style,
                )
            elif not isinstance(value, Absent):
                sheet.set(row, column, value, style=style)
        given = {column: value for column, value in wanted if not isinstance(value, Absent)}
        self.session.heights(sheet).fit(row, given)
        sheet.xml.put(row)

    def clear(self, number: int) -> None:
        """Empty a row's cells in the table's columns; their formats stay."""
        if not self.sheet.xml.has_row(number):
            return
        row = self.sheet.xml.row(number)
        for column in self.table.columns:
            if column.index in row.cells:
                self.sheet.set(row, column.index, None)
        self.sheet.xml.put(row)


def set_cells(session: Session, change: SetCells) -> None:
    """Set cells of existing rows."""
    columns: dict[str, dict[int, Value]] = {}
    for (position, label), value in change.cells.items():
        columns.setdefault(label, {})[position] = value
    ordered = {
        label: (positions, [cells[position] for position in positions])
        for label, cells in columns.items()
        for positions in (sorted(cells),)
    }
    set_columns(session, change.table, ordered)


def set_columns(
    session: Session,
    table: str,
    columns: Mapping[str, tuple[Sequence[int], Sequence[Value]]],
) -> None:
    """Set cells of existing rows, by columns: ascending positions, and a value for each."""
    edit = TableEdit(session, table)
    by_index: dict[int, tuple[Sequence[int], Sequence[Value]]] = {}
    for label, given in columns.items():
        index = edit.column(label).index
        if index in by_index:
            # Of two labels of one column the later counts.
            both = dict(zip(*by_index[index], strict=True)) | dict(zip(*given, strict=True))
            positions = sorted(both)
            by_index[index] = positions, [both[position] for position in positions]
        else:
            by_index[index] = given
    RowSplicer(
        edit,
        [
            ColumnCells(index, edit.numbers(positions), values, edit.live.get(index))
            for index, (positions, values) in by_index.items()
        ],
    ).run()


def mend(session: Session, change: LiveColumns) -> None:
    """Put the formulas of `LiveColumns` where they are missing, without stored results.

    Raises:
        TheodoiError: `edit_unknown_column`, and `edit_refused` where an array formula that
            reaches further is in the way.
        ValueError: For a row position that does not exist, or a label without a formula.
    """
    edit = TableEdit(session, change.table)
    live = edit.live
    set_column_formulas(edit, live)
    rows: dict[int, list[int]] = {}
    for label, positions in change.mend.items():
        index = edit.column(label).index
        if index not in live:
            raise ValueError(f"{change.table} has no formula for {label!r}")
        if positions:
            rows[index] = edit.numbers(sorted(set(positions)))
    if not rows:
        return
    sets = {index: frozenset(numbers) for index, numbers in rows.items()}
    check_arrays(edit.sheet, sets)
    release_masters(edit.sheet, sets)
    cells = [
        ColumnCells(index, numbers, [ABSENT] * len(numbers), live[index], forced=True)
        for index, numbers in rows.items()
    ]
    RowSplicer(edit, cells).run()


def by_columns(rows: Sequence[Mapping[str, Value]]) -> dict[str, Sequence[Given]]:
    """Return rows by columns; what a row does not name is `ABSENT`."""
    labels = dict.fromkeys(label for row in rows for label in row)
    return {label: [row.get(label, ABSENT) for row in rows] for label in labels}


def append(
    session: Session, table: str, count: int, columns: Mapping[str, Sequence[Given]]
) -> None:
    """Write rows below the last filled row; blank rows of the table are used up first."""
    if not count:
        return
    edit = TableEdit(session, table)
    given = edit.by_index(columns)
    filled = edit.last_filled()
    old_last = edit.table.last
    if filled + count > old_last:
        edit.grow(filled + count)
    template = edit.sheet.xml.row(max(filled, edit.table.first))
    edit.learn(template)
    edit.fill_all(filled + 1, count, given, template, old_last)


def replace_rows(session: Session, change: ReplaceRows) -> None:
    """Put rows in place of all rows of a table; one blank row stays when there are none."""
    edit = TableEdit(session, change.table)
    table = edit.table
    given = edit.by_index(by_columns(change.rows))
    template = edit.sheet.xml.row(table.first)
    edit.learn(template)
    old_last = table.last
    last = table.first + max(len(change.rows), 1) - 1
    if last > old_last:
        edit.grow(last)
    for number in range(table.first + len(change.rows), old_last + 1):
        edit.clear(number)
    edit.fill_all(table.first, len(change.rows), given, template, old_last)
    if last < old_last and not table.totals:
        table.area = table.area._replace(bottom=last)
    table.gone.clear()

"""Writing into the tables of a workbook that is open in Excel, with a way back."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import CellKind, column_index, column_letter
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.excel.state import native_flag
from xl_theodoi.excel.values import (
    TEXT_PREFIX,
    Block,
    plan_blocks,
    read_value,
    same_value,
    write_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import xlwings as xw

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.changes import AddSheet
    from xl_theodoi.excel.table import LiveTable

MAX_BLOCKS: Final = 200
"""Most write calls for the changed cells of one table; each takes Excel some milliseconds."""
MAX_RUNS: Final = 50
"""Most write calls for the missing formulas of one column."""
VERY_HIDDEN: Final = 2
"""Excel's xlSheetVeryHidden: not even among the hidden sheets."""
TEXT_FORMAT: Final = "@"
MARK_COLOUR: Final = (255, 199, 206)
"""Excel's own light red for bad cells; the note beside it says the same in words."""

Rows = list[list["Value"]]
"""Values of a rectangle of cells; a text that begins with "=" is still a text."""


class Writer:
    """Writes to Excel and remembers how to take each step back."""

    def __init__(self) -> None:
        self._steps_back: list[Callable[[], object]] = []
        self.is_undone = True
        """Whether every step back that was tried went well."""

    def undo(self) -> None:
        """Take back what was written, the last step first."""
        while self._steps_back:
            try:
                self._steps_back.pop()()
            except Exception:  # noqa: BLE001 - the remaining steps must be tried all the same
                self.is_undone = False

    def set_cells(self, live: LiveTable, cells: Mapping[tuple[int, str], Value]) -> None:
        """Write the cells that really change, neighbours together.

        A cell whose formula Excel calculates keeps it, and gets it where it is missing.
        """
        wanted: dict[tuple[int, int], Value] = {}
        lacking: dict[str, list[int]] = {}
        for (position, label), value in cells.items():
            if label not in live.labels or not 0 <= position < len(live.content):
                raise ValueError(f"no cell {label!r} in row {position} of {live.content.name}")
            if label in live.formulas:
                column = live.content.columns.get(label)
                if column is None or position not in column.formulas:
                    lacking.setdefault(label, []).append(position)
            elif not same_value(live.content.value(position, label), value):
                row = live.content.row_numbers[position]
                wanted[row, live.labels[label]] = value

        def barred(row: int, index: int) -> bool:
            column, offset = live.cells.get(index), row - live.top
            return column is not None and (
                offset in column.formulas or column.kinds[offset] == CellKind.ERROR
            )

        for block in plan_blocks(wanted, limit=MAX_BLOCKS, barred=barred):
            rows: Rows = []
            for row in range(block.row, block.row + block.height):
                line: list[Value] = []
                for index in range(block.column, block.column + block.width):
                    column = live.cells.get(index)
                    now = column.values[row - live.top] if column is not None else None
                    line.append(wanted.get((row, index), now))
                rows.append(line)
            self._put(live, block, rows)
        self.mend(live, lacking)

    def keep_live(
        self, live: LiveTable, formulas: Mapping[str, str], mend: Mapping[str, Sequence[int]]
    ) -> None:
        """Learn which columns Excel calculates, and give cells their formula back.

        Args:
            live: The table.
            formulas: By heading, the formula without its equals sign.
            mend: By heading, the positions of the rows whose cell gets it.
        """
        if unknown := set(formulas) - set(live.labels):
            raise ValueError(f"no columns {sorted(unknown)} in {live.content.name}")
        live.formulas.update(formulas)
        self.mend(live, mend)

    def mend(self, live: LiveTable, positions: Mapping[str, Sequence[int]]) -> None:
        """Put the formulas of live columns into rows, a run of rows in one call."""
        for label, wanted in positions.items():
            numbers = sorted({live.content.row_numbers[position] for position in wanted})
            cells = [(number, live.labels[label]) for number in numbers]
            # Every cell of the column is to hold this formula: a gap may be written over.
            blocks = plan_blocks(cells, limit=MAX_RUNS, barred=lambda _row, _column: False)
            for block in blocks:
                self._put_formula(live, block, live.formulas[label])

    def _put_formula(self, live: LiveTable, block: Block, formula: str) -> None:
        area = live.range(block.row, block.column, block.height, block.width)
        old = _as_read(live, block)
        self._steps_back.append(lambda: _assign(area, old))
        self._let_calculate(area)
        area.formula = f"={formula}"
        if live.is_filtered and block.height > 1:
            for row in range(block.row, block.row + block.height):
                cell = live.range(row, block.column, 1, 1)
                if not str(cell.formula).startswith("="):
                    cell.formula = f"={formula}"

    def _let_calculate(self, area: xw.Range) -> None:
        """Take the text format from cells: in it, a formula that is typed in is but a text."""
        shown = area.number_format
        cells = [area] if shown is not None else list(area)
        for cell in cells:
            if cell.number_format == TEXT_FORMAT:
                self._steps_back.append(partial(setattr, cell, "number_format", TEXT_FORMAT))
                cell.number_format = "General"

    def append(self, live: LiveTable, rows: Sequence[Mapping[str, Value]]) -> None:
        """Add rows below the last filled one; blank rows of the table are used up first."""
        if not rows:
            return
        start = live.filled
        self._grow(live, start + len(rows))
        self._put_rows(live, start, rows)
        live.filled = start + len(rows)

    def replace(self, live: LiveTable, rows: Sequence[Mapping[str, Value]]) -> None:
        """Put rows in place of all rows, in one call; nothing is written if they are the same."""
        if len(rows) == len(live.content) == live.filled and all(
            same_value(live.content.value(position, label), row.get(label))
            for position, row in enumerate(rows)
            for label in live.labels
        ):
            return
        self._grow(live, len(rows))
        if rows:
            self._put_rows(live, 0, rows)
        if live.rows > len(rows):
            self._drop(live, len(rows), live.rows - len(rows))

    def remove(self, live: LiveTable, positions: Sequence[int]) -> None:
        """Take rows out, the lowest first so that the positions above stay true."""
        if any(not 0 <= position < len(live.content) for position in positions):
            raise ValueError(f"no such row in {live.content.name}: {positions}")
        numbers = live.content.row_numbers
        wanted = sorted({numbers[position] - live.top for position in positions})
        while wanted:
            first = last = wanted.pop()
            while wanted and wanted[-1] == first - 1:
                first = wanted.pop()
            self._drop(live, first, last - first + 1)

    def add_columns(self, live: LiveTable, labels: Sequence[str]) -> None:
        """Add columns at the right end, where nothing may stand in the way."""
        new = [label for label in labels if label not in live.labels]
        if not new:
            return
        height, old_width = live.rows + 1 + live.has_totals, live.width
        right = live.left + old_width
        self._ensure_free(live, live.range(live.content.header_row, right, height, len(new)))
        whole = live.range(live.content.header_row, live.left, height, old_width)
        live.table.resize(
            live.range(live.content.header_row, live.left, height, old_width + len(new))
        )
        headings = live.range(live.content.header_row, right, 1, len(new))
        self._steps_back += [headings.clear_contents, lambda: live.table.resize(whole)]
        headings.options(chunksize=None).value = [[write_value(label) for label in new]]
        live.labels.update({label: right + offset for offset, label in enumerate(new)})
        live.width += len(new)

    def set_name(self, cell: xw.Range, value: Value) -> None:
        """Set the cell a name points to."""
        formula = cell.formula
        before = read_value(cell.options(err_to_str=True).value)[0]
        is_formula = isinstance(formula, str) and formula.startswith("=")
        if same_value(before, value) and not is_formula:
            return
        self._steps_back.append(
            lambda: _assign(cell, formula if is_formula else write_value(before))
        )
        cell.value = write_value(value)

    def put_sheet(self, book: xw.Book, change: AddSheet) -> None:
        """Add a small sheet behind the others, or write its cells where it is there already.

        Raises:
            TheodoiError: `structure_protected`.
        """
        known = {sheet.name: sheet for sheet in book.sheets}
        sheet = known.get(change.name)
        if sheet is None:
            if native_flag(book.api, "ProtectStructure", "protect_structure"):
                raise TheodoiError("structure_protected", file=book.name, sheet=change.name)
            sheet = book.sheets.add(change.name, after=book.sheets[-1])
            self._steps_back.append(sheet.delete)
        places = {_place(address): content for address, content in change.cells.items()}
        height = max(row for row, _ in places)
        width = max(column for _, column in places)
        area = sheet.range((1, 1), (height, width))
        old = area.formula
        self._steps_back.append(lambda: _assign(area, old))
        rows: list[list[Any]] = [[None] * width for _ in range(height)]
        for (row, column), (formula, value) in places.items():
            rows[row - 1][column - 1] = f"={formula}" if formula else write_value(value)
        _assign(area, rows)
        if change.hidden:
            with suppress(Exception):
                # Seen or not, it does its work.
                sheet.visible = False
                sheet.api.Visible = VERY_HIDDEN

    def mark(self, sheet: xw.Sheet, notes: Mapping[str, str]) -> None:
        """Colour cells and put a note on each; a note that is there already is replaced."""
        for address, text in notes.items():
            cell = sheet.range(address)
            colour, note = cell.color, cell.note
            self._steps_back.append(partial(setattr, cell, "color", colour))
            cell.color = MARK_COLOUR
            if note is not None:
                self._steps_back.append(partial(setattr, note, "text", note.text))
                note.text = text
            else:
                added = cell.add_note(text)
                self._steps_back.append(added.delete)

    def _grow(self, live: LiveTable, rows: int) -> None:
        """Make the table tall enough, new rows formatted as the last one."""
        if rows <= live.rows:
            return
        if live.has_totals:
            raise TheodoiError(
                "table_has_totals",
                file=live.content.file,
                sheet=live.content.sheet,
                table=live.content.name,
            )
        new = live.body(live.rows, rows - live.rows)
        self._ensure_free(live, new)
        header = live.content.header_row
        before = live.range(header, live.left, live.rows + 1, live.width)
        live.table.resize(live.range(header, live.left, rows + 1, live.width))
        self._steps_back += [lambda: live.table.resize(before), new.clear_contents]
        with suppress(Exception):
            # Excel usually formats new rows of a table itself; where it does not, and where
            # this fails too, they only look different.
            source = live.body(live.rows - 1, 1)
            destination = live.body(live.rows - 1, rows - live.rows + 1)
            source.autofill(destination, "fill_formats")
        live.rows = rows

    def _ensure_free(self, live: LiveTable, area: xw.Range) -> None:
        cells = area.options(ndim=2, err_to_str=True, chunksize=None).value
        for down, row in enumerate(cells):
            for right, value in enumerate(row):
                if value not in (None, ""):
                    raise TheodoiError(
                        "cells_in_the_way",
                        file=live.content.file,
                        sheet=live.content.sheet,
                        table=live.content.name,
                        cell=f"{column_letter(area.column + right)}{area.row + down}",
                    )

    def _put_rows(self, live: LiveTable, start: int, rows: Sequence[Mapping[str, Value]]) -> None:
        """Write whole rows in one call, or around columns that Excel fills by formula."""
        given = {label for row in rows for label in row}
        if unknown := given - set(live.labels):
            raise ValueError(f"no columns {sorted(unknown)} in {live.content.name}")
        kept = {
            index
            for index, column in live.cells.items()
            if column.formulas
            and len(column.values) - 1 in column.formulas
            and column.label not in given
        }
        kept |= {live.labels[label] for label in live.formulas}
        labels = sorted(live.labels, key=lambda label: live.labels[label])
        segment: list[str] = []
        for label in [*labels, None]:
            if label is not None and live.labels[label] not in kept:
                segment.append(label)
            elif segment:
                column = live.labels[segment[0]]
                block = Block(live.top + start, column, len(rows), len(segment))
                self._put(live, block, [[row.get(name) for name in segment] for row in rows])
                segment = []
        for label, formula in live.formulas.items():
            # Excel often fills these columns itself when the table grows, but not always.
            block = Block(live.top + start, live.labels[label], len(rows), 1)
            self._put_formula(live, block, formula)

    def _drop(self, live: LiveTable, first: int, count: int) -> None:
        """Delete rows of the table; Excel keeps at least one, so the last one is emptied."""
        if live.is_filtered:
            # What Excel deletes of a range that is partly hidden is not what was asked for.
            raise TheodoiError(
                "table_filtered",
                file=live.content.file,
                sheet=live.content.sheet,
                table=live.content.name,
            )
        block = Block(live.top + first, live.left, count, live.width)
        old = _as_read(live, block)
        if count == live.rows:
            emptied = live.body(first, 1)
            self._steps_back.append(lambda: _assign(emptied, old[:1]))
            emptied.clear_contents()
            first, count, old = first + 1, count - 1, old[1:]
        if not count:
            return
        gone = live.body(first, count)
        # A range whose cells were deleted is gone in Excel: the way back needs a new one.
        self._steps_back.append(lambda: _insert(live, first, count, old))
        gone.delete(shift="up")
        live.rows -= count
        live.filled = max(first, live.filled - count)

    def _put(self, live: LiveTable, block: Block, rows: Rows) -> None:
        """Write a rectangle in one call."""
        area = live.range(block.row, block.column, block.height, block.width)
        old = _as_read(live, block)
        self._steps_back.append(lambda: _assign(area, old))
        cells = [[write_value(value) for value in row] for row in rows]
        area.options(chunksize=None).value = cells
        if _has_prefix(cells) or live.is_filtered:
            _verify(area, rows)


def _place(address: str) -> tuple[int, int]:
    """Return row and column of an address such as `AB12`."""
    letters = address.rstrip("0123456789")
    return int(address[len(letters) :]), column_index(letters)


def _has_prefix(cells: list[list[Any]]) -> bool:
    return any(
        isinstance(cell, str) and cell.startswith(TEXT_PREFIX) for row in cells for cell in row
    )


def _verify(area: xw.Range, rows: Rows) -> None:
    """Read a rectangle back and write what did not arrive, cell by cell.

    Needed in two cases: cells in text format may keep the apostrophe that marks text, and a
    filter may keep hidden rows from taking part in a write of many cells.
    """
    cells = area.options(ndim=2, err_to_str=True, chunksize=None).value
    for down, (row, found) in enumerate(zip(rows, cells, strict=True)):
        for right, (wanted, raw) in enumerate(zip(row, found, strict=True)):
            if not same_value(_shown(wanted), read_value(raw)[0]):
                cell = area[down, right]
                assigned = write_value(wanted)
                kept = isinstance(assigned, str) and raw == assigned
                cell.value = wanted if kept else assigned


def _shown(value: Value) -> Value:
    """Return a value as reading it back gives it."""
    written = write_value(value)
    if isinstance(written, str):
        written = written.removeprefix(TEXT_PREFIX) if isinstance(value, str) else written
    return read_value(written)[0]


def _as_read(live: LiveTable, block: Block) -> list[list[Any]]:
    """Return what the cells of a rectangle held when they were read, ready to be assigned."""
    rows: list[list[Any]] = []
    for offset in range(block.row - live.top, block.row - live.top + block.height):
        line: list[Any] = []
        for index in range(block.column, block.column + block.width):
            column = live.cells.get(index)
            if column is None or offset >= len(column.values):
                line.append(None)
            elif offset in column.formulas:
                line.append(f"={column.formulas[offset]}")
            elif column.kinds[offset] == CellKind.ERROR:
                # Typed in, an error's own text is that error again.
                line.append(column.values[offset])
            else:
                line.append(write_value(column.values[offset]))
        rows.append(line)
    return rows


def _insert(live: LiveTable, first: int, count: int, old: list[list[Any]]) -> None:
    live.body(first, count).insert(shift="down")
    header = live.content.header_row
    live.rows += count
    live.table.resize(live.range(header, live.left, live.rows + 1 + live.has_totals, live.width))
    _assign(live.body(first, count), old)


def _assign(area: xw.Range, cells: Any) -> None:
    area.options(chunksize=None).value = cells

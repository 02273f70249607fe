"""Lists cut out of a sheet's cells: by the range of a table, or by their headings."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import repeat
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, Column, SheetTable, Value
from xl_theodoi.workbook.reading.grid import KIND_BITS, KIND_MASK, Grid, SparseColumn
from xl_theodoi.workbook.reading.sheet_frame import LAST_ROW, parse_range

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence

    from xl_theodoi.workbook.reading.workbook_xml import TableInfo

_BLANK = int(CellKind.BLANK)

LONGEST_BLANK_RUN = 1000
"""Blank rows in a row that a list may have inside; longer gaps are left out of it."""


def heading(value: Value) -> str:
    """Return a heading cell's text as written; numbers as Excel shows them in a heading."""
    return "" if value is None else str(value)


def table_of(grid: Grid, table: TableInfo, charge: Callable[[int], None]) -> SheetTable | None:
    """Return the rows of an Excel table, without its total rows.

    Programs that insert rows or columns without moving the table leave its range stale. If
    the headings are not all in the range, the row of the sheet that has most of them is
    taken for the headings, with every heading in it.

    Args:
        grid: The sheet.
        table: What the table's own part says.
        charge: As for `cut`.

    Returns:
        The table, or `None` if its range is no range.
    """
    area = parse_range(table.ref)
    if area is None:
        return None
    first_row, first_column, last_row, last_column = area
    last_row -= table.totals_rows
    if not table.header_rows:
        labels = dict(zip(range(first_column, last_column + 1), table.columns, strict=False))
        header_row = first_row - 1
        return cut(grid, labels, header_row, last_row, charge, name=table.name, table_row=last_row)
    labels = _headings(grid, first_row, first_column, last_column)
    wanted = {_loose(name) for name in table.columns}
    if not wanted <= {_loose(label) for label in labels.values()}:
        best = _best_row(grid, wanted, _loose, 1)
        if best is not None and best[1] > len(wanted & {_loose(x) for x in labels.values()}):
            last_row = min(last_row + best[0] - first_row, LAST_ROW)
            first_row = best[0]
            labels = _headings(grid, first_row, first_column, last_column)
        beside = _headings(grid, first_row, 1, max(grid.last_column, 1))
        labels |= {index: label for index, label in beside.items() if index not in labels}
    if not labels:
        labels = dict(zip(range(first_column, last_column + 1), table.columns, strict=False))
    return cut(grid, labels, first_row, last_row, charge, name=table.name, table_row=last_row)


def list_at(
    grid: Grid, labels: Collection[str], fold: Callable[[str], str], minimum: int
) -> tuple[int, int] | None:
    """Return row and number of found labels of the row that looks most like the headings.

    Args:
        grid: The sheet.
        labels: Headings looked for.
        fold: Brings headings into the form in which they are compared.
        minimum: Fewest labels that make a row of headings.
    """
    return _best_row(grid, {fold(label) for label in labels}, fold, minimum)


def cut(
    grid: Grid,
    labels: Mapping[int, str],
    header_row: int,
    last_row: int,
    charge: Callable[[int], None],
    *,
    name: str = "",
    table_row: int = 0,
) -> SheetTable:
    """Return the rows under a row of headings.

    Wholly blank rows at the end are left out, and so are gaps of more than
    `LONGEST_BLANK_RUN` blank rows.

    Args:
        grid: The sheet.
        labels: Heading by column number, ascending.
        header_row: Row of the headings; the body begins below it.
        last_row: Last row that may belong to the body.
        charge: Told how many cells the list will have, blank ones included, before it is
            built; refuses by raising.
        name: Table name, if any.
        table_row: Last row of the table there, 0 for none.
    """
    rows = _body_rows(grid, labels, header_row, last_row)
    charge(len(rows) * len(labels))
    columns: dict[str, Column] = {}
    repeated: list[str] = []
    even: dict[int, list[int]] = {}
    for index, label in labels.items():
        if label in columns:
            repeated.append(label)
            continue
        columns[label] = _dense(grid, index, label, rows, even)
    return SheetTable(
        name=name,
        file=grid.file,
        sheet=grid.sheet,
        header_row=header_row,
        columns=columns,
        row_numbers=rows,
        hidden_rows=grid.hidden_rows,
        styles=grid.styles,
        repeated=tuple(dict.fromkeys(repeated)),
        last_table_row=table_row,
    )


def headings_of(grid: Grid, row: int) -> dict[int, str]:
    """Return every heading of a row by column number, ascending."""
    return _headings(grid, row, 1, max(grid.last_column, 1))


def _headings(grid: Grid, row: int, first: int, last: int) -> dict[int, str]:
    """Return the headings of a row between two columns, by column number."""
    found = {}
    for index, column in grid.columns.items():
        if first <= index <= last:
            position = column.position(row)
            text = heading(column.values[position]) if position >= 0 else ""
            if text:
                found[index] = text
    return found


def _loose(text: str) -> str:
    """Return a heading without regard to blanks, as tables and cells differ in them."""
    return "".join(text.split())


def _best_row(
    grid: Grid, wanted: Collection[str], fold: Callable[[str], str], minimum: int
) -> tuple[int, int] | None:
    """Return row and count of the row with most of the wanted headings; the first of equals."""
    longest = 3 * max(map(len, wanted), default=0) + 20
    known: dict[Value, str] = {}
    found: dict[int, set[str]] = {}
    for column in grid.columns.values():
        texts = {value for value in set(column.values) if isinstance(value, str)}
        for text in texts - known.keys():
            known[text] = fold(text) if len(text) <= longest else ""
        headings = {text for text in texts if known[text] in wanted and len(text) <= longest}
        if headings:
            for row, value in zip(column.rows, column.values, strict=True):
                if value in headings:
                    found.setdefault(row, set()).add(known[value])
    counts = Counter({row: len(labels) for row, labels in found.items()})
    if not counts:
        return None
    row = min(counts, key=lambda row: (-counts[row], row))
    return (row, counts[row]) if counts[row] >= minimum else None


def _body_rows(grid: Grid, labels: Mapping[int, str], header_row: int, last_row: int) -> list[int]:
    """Return the rows of a list's body: filled ones, and blank ones in short gaps."""
    filled: set[int] = set()
    alike: set[bytes] = set()
    for index in labels:
        column = grid.columns.get(index)
        if column is not None:
            start = bisect_right(column.rows, header_row)
            inside = column.rows[start : bisect_right(column.rows, last_row)]
            # Most columns of a long list are filled in the same rows.
            if (key := inside.tobytes()) not in alike:
                alike.add(key)
                filled.update(inside)
    rows: list[int] = []
    before = header_row
    for row in sorted(filled):
        if before + 1 < row <= before + LONGEST_BLANK_RUN + 1:
            rows.extend(range(before + 1, row))
        rows.append(row)
        before = row
    return rows


def _dense(
    grid: Grid, index: int, label: str, rows: list[int], even: dict[int, list[int]]
) -> Column:
    """Return one column of a list with a value for every row, blank where there is none.

    Columns are not changed once they are cut: what is the same in every row of several of
    them is one list, kept in `even` by its number.
    """
    hidden = grid.is_hidden_column(index)
    count = len(rows)
    sparse = grid.columns.get(index) or SparseColumn()
    start = bisect_left(sparse.rows, rows[0]) if rows else 0
    stop = bisect_right(sparse.rows, rows[-1]) if rows else 0
    if start == stop:
        nothing: list[Value] = [None] * count
        zeros = _repeated(even, _BLANK, count)
        return Column(label, index, nothing, zeros, _repeated(even, 0, count), {}, {}, hidden)
    codes: Sequence[int] = sparse.codes[start:stop]
    values = sparse.values[start:stop]
    if stop - start != count:
        # Some cells are blank; every filled row of a list's column is one of its rows.
        inside = sparse.rows[start:stop]
        values = list(map(dict(zip(inside, values, strict=True)).get, rows))
        codes = list(map(dict(zip(inside, codes, strict=True)).get, rows, repeat(_BLANK)))
    different = set(codes)
    if len(different) == 1:
        (code,) = different
        kinds = _repeated(even, code & KIND_MASK, count)
        styles = _repeated(even, code >> KIND_BITS, count)
    else:
        kinds = list(map({code: code & KIND_MASK for code in different}.__getitem__, codes))
        styles = list(map({code: code >> KIND_BITS for code in different}.__getitem__, codes))
    formulas: MutableMapping[int, str] = {}
    fonts: dict[int, tuple[str, ...]] = {}
    if sparse.formulas or sparse.fonts:
        place_of = {row: place for place, row in enumerate(rows)}
        formulas = sparse.formulas.moved(place_of)
        fonts = {place_of[row]: names for row, names in sparse.fonts.items() if row in place_of}
    return Column(label, index, values, kinds, styles, formulas, fonts, hidden)


def _repeated(even: dict[int, list[int]], number: int, count: int) -> list[int]:
    """Return a list of one number, the very list for every column that needs it."""
    if number not in even:
        even[number] = [number] * count
    return even[number]

"""Reads finished reports: tables by their headings, and the figures in sentences."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

_NO_FIGURE = re.compile(
    r"\d{2}/\d{2}/\d{4}"  # days
    r"|tháng \d{1,2} năm \d{4}|năm \d{4}"
    r"|Số: +/\S+|Báo cáo số +/\S+"
    r"|(?:^\s*|; )\d+\. ",  # numbers of a list
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d+(?:,\d+)?%?")


def plain(value: Any) -> Any:
    """A cell's value with days as days."""
    return value.date() if isinstance(value, datetime) else value


def _headings(sheet: Any, row: int) -> tuple[dict[int, str], int]:
    """Headings by column, of one row or of two where groups stand above; and the last row."""
    wide = {}
    tall = set()
    for merged in sheet.merged_cells.ranges:
        if merged.min_row == row and merged.max_row > row:
            tall.add(merged.min_col)
        if merged.min_row == row:
            text = sheet.cell(row, merged.min_col).value
            wide.update(dict.fromkeys(range(merged.min_col, merged.max_col + 1), text))
    result = {}
    for column in range(1, sheet.max_column + 1):
        if sheet.column_dimensions[_letter(sheet, column)].hidden:
            continue
        text, below = sheet.cell(row, column).value, sheet.cell(row + 1, column).value
        if tall and column not in tall and below:
            result[column] = f"{wide[column]} / {below}"
        elif text:
            result[column] = text
    return result, row + 1 if tall else row


def _letter(sheet: Any, column: int) -> str:
    """The letter under which openpyxl keeps a column's format, which may span several."""
    for letter, dimension in sheet.column_dimensions.items():
        if dimension.min and dimension.min <= column <= dimension.max:
            return letter
    return sheet.cell(1, column).column_letter


def read_table(sheet: Any, first: str = "STT") -> tuple[list[dict[str, Any]], set[int]]:
    """The rows of the table whose first heading is given, and the rows it takes.

    A row that is only a title goes to the rows below it, as `section`.
    """
    top = next(
        row for row in range(1, sheet.max_row + 1)
        if str(sheet.cell(row, 1).value or "").casefold() == first.casefold()
    )  # fmt: skip
    headings, last = _headings(sheet, top)
    rows: list[dict[str, Any]] = []
    section = None
    taken = set(range(top, last + 1))
    for row in range(last + 1, sheet.max_row + 1):
        values = {text: plain(sheet.cell(row, col).value) for col, text in headings.items()}
        if all(value is None for value in values.values()):
            break
        taken.add(row)
        start = sheet.cell(row, 1).value
        if isinstance(start, str) and not any(list(values.values())[1:]):
            if any(isinstance(value, int) for value in values.values()):
                rows.append({"section": section, **values})  # a total of zeros
                continue
            section = start
            continue
        rows.append({"section": section, **values})
    return rows, taken


def sections(sheet: Any, first: str = "STT") -> list[str]:
    """Titles of a table's sections, in order, those without rows too."""
    _, taken = read_table(sheet, first)
    return [
        sheet.cell(row, 1).value
        for row in sorted(taken)[1:]
        if isinstance(sheet.cell(row, 1).value, str)
    ]


def figures(sheet: Any, leave: set[int] = frozenset(), *, skip: str = r"^$") -> list[Any]:
    """Every figure outside the table, in order: numbers in cells and in sentences."""
    found: list[Any] = []
    for line in sheet.iter_rows():
        if line[0].row in leave:
            continue
        for cell in line:
            if isinstance(cell.value, (int, float)):
                found.append(cell.value)
            elif isinstance(cell.value, str) and not re.search(skip, cell.value.strip()):
                text = _NO_FIGURE.sub("", cell.value)
                found += [int(part) if part.isdigit() else part for part in _FIGURE.findall(text)]
            elif isinstance(cell.value, date):
                found.append(cell.value)
    return found


def texts(sheet: Any) -> list[str]:
    """Every text of a sheet."""
    return [
        cell.value.strip() for line in sheet.iter_rows() for cell in line
        if isinstance(cell.value, str)
    ]  # fmt: skip


def table_rows(book: Any, name: str) -> list[dict[str, Any]]:
    """The filled rows of a named table."""
    sheet = next(sheet for sheet in book if name in sheet.tables)
    lines = [[plain(cell.value) for cell in line] for line in sheet[sheet.tables[name].ref]]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    return [row for row in rows if any(value is not None for value in row.values())]

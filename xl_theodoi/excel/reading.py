"""The tables of an open workbook: values of each in one call, formulas in few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import CellKind, Column, SheetTable
from xl_theodoi.excel.table import LiveTable
from xl_theodoi.excel.values import read_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import xlwings as xw
    from xlwings.main import Table

LONGEST_BLANK_RUN: Final = 1000
"""As in the reader of files: longer gaps of blank rows are left out of a list."""
MAX_FORMULA_AREAS: Final = 20
"""Beyond this many areas one call for all formulas of the table is the shorter way."""


def read_table(table: Table, sheet: xw.Sheet, file: str) -> LiveTable:
    """Return a table as it is on screen.

    Args:
        table: The table; it must show its headings.
        sheet: Its sheet.
        file: The workbook's name.
    """
    whole = table.range
    cells = whole.options(ndim=2, err_to_str=True, chunksize=None).value
    top, left = whole.row, whole.column
    has_totals = table.show_totals
    header, body = cells[0], cells[1:-1] if has_totals else cells[1:]
    first, count = top + 1, len(body)
    columns: dict[int, Column] = {}
    raws = list(zip(*body, strict=True)) or [()] * len(header)
    for offset, heading in enumerate(header):
        label = "" if heading is None else str(heading)
        values, kinds = read_values(raws[offset])
        columns[left + offset] = Column(label, left + offset, values, kinds)
    if count:
        block = sheet.range((first, left), (top + count, left + len(header) - 1))
        for row, index, formula in _formulas(block):
            columns[index].formulas[row - first] = formula
    labels: dict[str, int] = {}
    repeated: list[str] = []
    for index, column in columns.items():
        if column.label in labels:
            repeated.append(column.label)
        elif column.label:
            labels[column.label] = index
    rows = _listed_rows(columns)
    content = SheetTable(
        name=table.name,
        file=file,
        sheet=sheet.name,
        header_row=top,
        columns={label: _cut(columns[index], rows) for label, index in labels.items()},
        row_numbers=[first + offset for offset in rows],
        repeated=tuple(dict.fromkeys(repeated)),
        last_table_row=top + count,
    )
    return LiveTable(
        table=table,
        sheet=sheet,
        content=content,
        cells=columns,
        left=left,
        width=len(header),
        rows=count,
        filled=_filled_rows(columns, count),
        labels=labels,
        has_totals=has_totals,
    )


def _listed_rows(columns: Mapping[int, Column]) -> list[int]:
    """Return the rows that belong to the list, as the reader of files has them.

    Blank rows at the end do not, nor very long gaps.
    """
    holding: set[int] = set()
    blank = int(CellKind.BLANK)
    whole = next((column for column in columns.values() if blank not in column.kinds), None)
    if whole is not None:
        # The tasks' numbers, usually.
        return list(range(len(whole.kinds)))
    for column in columns.values():
        holding.update(column.formulas)
        holding.update(offset for offset, kind in enumerate(column.kinds) if kind != blank)
    rows: list[int] = []
    before = -1
    for offset in sorted(holding):
        if offset - before <= LONGEST_BLANK_RUN + 1:
            rows.extend(range(before + 1, offset))
        rows.append(offset)
        before = offset
    return rows


def _filled_rows(columns: Mapping[int, Column], count: int) -> int:
    """Return how many rows there are down to the last that people or we filled.

    A row in which Excel alone put something, by the formulas of some columns, is free.
    """
    for offset in range(count - 1, -1, -1):
        formulas = 0
        for column in columns.values():
            if offset in column.formulas:
                formulas += 1
            elif column.kinds[offset] != CellKind.BLANK:
                return offset + 1
        if formulas == len(columns):
            return offset + 1
    return 0


def _cut(column: Column, rows: list[int]) -> Column:
    if len(rows) == len(column.values):
        return column
    return Column(
        label=column.label,
        index=column.index,
        values=[column.values[offset] for offset in rows],
        kinds=[column.kinds[offset] for offset in rows],
        formulas={
            position: column.formulas[offset]
            for position, offset in enumerate(rows)
            if offset in column.formulas
        },
    )


def _formulas(block: xw.Range) -> Iterator[tuple[int, int, str]]:
    try:
        found: Any = block.get_special_cells("formulas")
    except Exception:  # noqa: BLE001
        # Excel refuses to look for formulas on a protected sheet, and xlwings knows "there
        # are none" only in English: then all cells are asked.
        found = None
    areas: list[xw.Range] = [block] if found is None or len(found) > MAX_FORMULA_AREAS else found
    for area in areas:
        texts: Any = area.formula
        top, left = area.row, area.column
        if not isinstance(texts, (list, tuple)):
            texts = ((texts,),)
        elif not isinstance(texts[0], (list, tuple)):
            texts = (texts,) if area.shape[0] == 1 else tuple((text,) for text in texts)
        for down, row in enumerate(texts):
            for right, text in enumerate(row):
                if isinstance(text, str) and text.startswith("="):
                    yield top + down, left + right, text[1:]

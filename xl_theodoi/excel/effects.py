"""Whether changes would change anything of an open workbook.

A snapshot costs Excel two savings of the whole workbook: what changes nothing needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.changes import (
    AddColumns,
    AppendColumns,
    AppendRows,
    LiveColumns,
    RemoveRows,
    ReplaceRows,
    SetCells,
    SetColumns,
)
from xl_theodoi.excel.values import same_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from xl_theodoi.domain.cells import SheetTable, Value
    from xl_theodoi.domain.changes import FileChange


def change_anything(changes: Sequence[FileChange], tables: Mapping[str, SheetTable]) -> bool:
    """Whether any of the changes would change a cell.

    Args:
        changes: What is wanted; a table that is not there counts as a change, to be refused.
        tables: The tables as read.
    """
    live = {change.table: change.formulas for change in changes if isinstance(change, LiveColumns)}
    return any(_changes(change, tables, live) for change in changes)


def _changes(
    change: FileChange, tables: Mapping[str, SheetTable], live: Mapping[str, Collection[str]]
) -> bool:
    if isinstance(change, LiveColumns):
        return any(change.mend.values())
    if isinstance(change, (AppendRows, AppendColumns)):
        return bool(change.rows() if isinstance(change, AppendColumns) else change.rows)
    if isinstance(change, RemoveRows):
        return bool(change.positions)
    table = tables.get(getattr(change, "table", ""))
    if table is None:
        return True
    if isinstance(change, AddColumns):
        return not set(change.labels) <= table.columns.keys()
    if isinstance(change, ReplaceRows):
        return not is_replaced(table, change.rows)
    if isinstance(change, (SetCells, SetColumns)):
        return any(
            is_other(table, position, label, value, live.get(change.table, ()))
            for position, label, value in _cells(change)
        )
    return True


def _cells(change: SetCells | SetColumns) -> Iterator[tuple[int, str, Value]]:
    if isinstance(change, SetCells):
        for (position, label), value in change.cells.items():
            yield position, label, value
        return
    for label, (positions, values) in change.columns.items():
        for position, value in zip(positions, values, strict=True):
            yield position, label, value


def is_other(
    table: SheetTable, position: int, label: str, value: Value, live: Collection[str]
) -> bool:
    """Whether a cell would be written; one that Excel calculates only lacks its formula."""
    column = table.columns.get(label)
    if column is None or not 0 <= position < len(table):
        return True
    if label in live:
        return position not in column.formulas
    return not same_value(column.values[position], value)


def is_replaced(table: SheetTable, rows: Sequence[Mapping[str, Value]]) -> bool:
    """Whether the rows of a table are these already."""
    return len(rows) == len(table) and all(
        same_value(table.value(position, label), row.get(label))
        for position, row in enumerate(rows)
        for label in table.columns
    )

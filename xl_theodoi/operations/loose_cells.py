"""What stands in a master's sheets outside its tables: stamps, and rows typed below a table.

A workbook that is open in Excel gives its tables only; there Excel itself makes a table longer
when somebody types below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.operations.marks import secret_texts
from xl_theodoi.workbook.reading.read import WorkbookContent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from xl_theodoi.domain.cells import SheetTable
    from xl_theodoi.domain.findings import Location
    from xl_theodoi.hosts import HostContent


def stamped_cells(content: HostContent, left_out: Collection[str]) -> Iterator[Location]:
    """Yield every cell of the sheets that is a stamp or holds a marked symbol.

    Words in doubt do not count here: the guide itself speaks of secrets.

    Args:
        content: The workbook.
        left_out: Sheets that hold no texts of people.
    """
    if not isinstance(content, WorkbookContent):
        return
    yield from content.texts_like(secret_texts, left_out)


def rows_below(content: HostContent, table: SheetTable) -> tuple[Location, int] | None:
    """Return the first filled row right below a table and how many follow, None for none.

    Programs other than Excel do not make a table longer when somebody types below it. Rows
    after a blank one are notes and signatures; a row that continues the list has no gap.

    Args:
        content: The workbook.
        table: One of its tables.
    """
    if not isinstance(content, WorkbookContent):
        return None
    info = content.table_info(table.name)
    if info is None or info.totals_rows or not table.last_table_row:
        return None
    grid = content.grid(table.sheet)
    columns = [column.index for column in table.columns.values()]
    first = row = table.last_table_row + 1
    while sum(grid.value(row, column) is not None for column in columns) > 1:
        row += 1
    if row == first:
        return None
    return grid.cell(first, min(columns)).location, row - first

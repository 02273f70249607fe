"""New columns at the right end of a table."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.book import TableColumn, fold
from xl_theodoi.workbook.editing.refs import MAX_COLUMN, Area
from xl_theodoi.workbook.editing.tables import TableEdit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.domain.changes import AddColumns
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit


def add_columns(session: Session, change: AddColumns) -> None:
    """Add blank columns; headings and cells look like those of the last column.

    Raises:
        TheodoiError: `edit_refused` when a label is there already, or cells, a merge, another
            table or the edge of the sheet are in the way.
    """
    if not change.labels:
        return
    edit = TableEdit(session, change.table)
    table, sheet = edit.table, edit.sheet
    old = table.area
    area = Area(old.top, old.right + 1, old.bottom, old.right + len(change.labels))
    if area.right > MAX_COLUMN:
        raise sheet.refusal(old.top, MAX_COLUMN, "sheet_full")
    known = {fold(column.label) for column in table.columns}
    for offset, label in enumerate(change.labels):
        if not label or fold(label) in known:
            raise sheet.refusal(old.top, area.left + offset, "column_exists")
        known.add(fold(label))
    for other in session.book.tables.values():
        if other is not table and other.sheet == table.sheet and other.area.meets(area):
            raise sheet.refusal(other.area.top, other.area.left, "other_table")
    sheet.check_free(area)
    _write_cells(sheet, old, change.labels)
    _write_widths(sheet, old.right, area.right)
    root = session.package.xml(table.part)
    group = root.find(xml.tag("tableColumns"))
    if group is None:
        raise sheet.refusal(old.top, old.left, "no_header_row")
    number = max((int(node.get("id", "0")) for node in group), default=0)
    for label in change.labels:
        number += 1
        name = xml.encode_text(label).replace("\n", "_x000a_")
        etree.SubElement(group, xml.tag("tableColumn"), {"id": str(number), "name": name})
        table.columns.append(TableColumn(label, table.columns[-1].index + 1))
    group.set("count", str(len(group)))
    session.package.write(table.part, xml.write_xml(root))
    table.area = old._replace(right=area.right)
    table.widened = True


def _write_cells(sheet: SheetEdit, old: Area, labels: Sequence[str]) -> None:
    for number in range(old.top, old.bottom + 1):
        row = sheet.xml.row(number)
        if number > old.top and not row.existed:
            continue
        style = sheet.style_at(row, old.right)
        if style is None and number > old.top:
            continue
        for offset, label in enumerate(labels, start=1):
            column = old.right + offset
            row.cells.pop(column, None)
            if style is not None:
                row.cells[column] = sheet.blank(number, column, style)
            if number == old.top:
                sheet.set(row, column, label, style=style)
        sheet.xml.put(row)


def _write_widths(sheet: SheetEdit, last: int, right: int) -> None:
    """Give the new columns the width of the last one, where they have none of their own."""
    group = sheet.skeleton.find(xml.tag("cols"))
    if group is None:
        return
    ranges = [(int(n.get("min", "0")), int(n.get("max", "0")), n) for n in group]
    source = next((node for low, high, node in ranges if low <= last <= high), None)
    if source is None or any(low <= right and high > last for low, high, _ in ranges):
        return
    node = copy.deepcopy(source)
    node.set("min", str(last + 1))
    node.set("max", str(right))
    for name in ("hidden", "collapsed", "outlineLevel"):
        if name in node.attrib:
            del node.attrib[name]
    source.addnext(node)

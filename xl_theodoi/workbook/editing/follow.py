"""What ended at a table's old last row ends at its new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.outside import rewrite_outside, rewrite_tables
from xl_theodoi.workbook.editing.pivots import follow_pivots
from xl_theodoi.workbook.editing.refs import (
    Area,
    Extent,
    area_text,
    follow_area,
    follow_formula,
    follow_sqref,
    parse_area,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.workbook.editing.book import Table
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit

_SQREF = frozenset({"conditionalFormatting", "dataValidation", "ignoredError", "protectedRange"})
_REF = frozenset({"autoFilter", "sortState", "sortCondition"})
_FORMULAS = frozenset({"formula", "formula1", "formula2"})


def follow(session: Session, extents: Sequence[Extent]) -> None:
    """Let tables, sheets, names, charts and pivot sources follow the tables' ends."""
    for table in session.book.tables.values():
        if table.last != table.opened_last or table.widened or _is_begun(session, table):
            write_table(session, table)
    for table in session.book.tables.values():
        if table.widened:
            _widen_dimension(session.sheet(table.sheet))
    if not extents:
        return
    _follow_names(session, extents)
    for sheet in session.book.sheets:
        edit = session.sheet(sheet)
        own = [e for e in extents if e.sheet == sheet.name]
        if own or _may_refer(edit, extents):
            follow_sheet(edit, own, extents)
    rewrite_outside(session, lambda text, sheet: follow_formula(text, extents, sheet))
    rewrite_tables(
        session,
        lambda text, table: follow_formula(
            text, extents, table.sheet.name, only_absolute=table.last != table.opened_last
        ),
    )
    follow_pivots(session, extents)


def _is_begun(session: Session, table: Table) -> bool:
    """Whether something was written into a table that had no rows."""
    body = Area(table.first, table.area.left, table.last, table.area.right)
    return table.insert_row and session.sheet(table.sheet).changed.meets(body)


def write_table(session: Session, table: Table) -> None:
    """Write a table's reference, filter and sort state."""
    root = session.package.xml(table.part)
    if _is_begun(session, table):
        for name in ("insertRow", "insertRowShift"):
            if name in root.attrib:
                del root.attrib[name]
    before = parse_area(root.get("ref", ""))
    root.set("ref", area_text(table.area))
    extent = session_extent(table)
    for node in root.iter(*(xml.tag(name) for name in _REF)):
        area = parse_area(node.get("ref", ""))
        if area is None:
            continue
        if before is not None and node.tag == xml.tag("autoFilter"):
            node.set("ref", area_text(table.area._replace(bottom=table.last)))
        else:
            node.set("ref", area_text(follow_area(area, extent)))
    session.package.write(table.part, xml.write_xml(root))


def session_extent(table: Table) -> Extent:
    """Return how one table's last row moved."""
    return Extent(
        table.sheet.name,
        table.first,
        table.area.left,
        table.area.right,
        table.opened_last,
        table.last,
    )


def _may_refer(edit: SheetEdit, extents: Sequence[Extent]) -> bool:
    """Whether rules or sparklines of a sheet may name another sheet that grew."""
    edges = edit.xml.head() + edit.xml.tail()
    if b"!" not in edges or b":" not in edges:
        return False
    return any(xml.escape(e.sheet.replace("'", "''")) in edges for e in extents) or b"&" in edges


def follow_sheet(edit: SheetEdit, own: Sequence[Extent], extents: Sequence[Extent]) -> None:
    """Let the ranges in a sheet's head and tail follow."""
    root = edit.skeleton
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        namespace, _, name = node.tag[1:].partition("}")
        if name in _SQREF and node.get("sqref"):
            node.set("sqref", follow_sqref(node.get("sqref", ""), own))
        elif name in _REF and node.get("ref") and namespace == xml.MAIN:
            node.set("ref", follow_sqref(node.get("ref", ""), own))
        elif name == "sqref" and namespace == xml.EXCEL_MAIN:
            parent = node.getparent()
            # A sparkline stands in one cell; its range of data is an `xm:f`.
            if parent is not None and not str(parent.tag).endswith("}sparkline"):
                node.text = follow_sqref(node.text or "", own)
        elif (name in _FORMULAS or (name == "f" and namespace == xml.EXCEL_MAIN)) and node.text:
            node.text = follow_formula(node.text, extents, edit.name)
        elif name == "cfvo" and node.get("val"):
            # The ends of a data bar or colour scale may be formulas.
            node.set("val", follow_formula(node.get("val", ""), extents, edit.name))
    if own:
        _widen_dimension(edit)


def _widen_dimension(edit: SheetEdit) -> None:
    node = edit.skeleton.find(xml.tag("dimension"))
    if node is None:
        return
    area = parse_area(node.get("ref", ""))
    rows = edit.xml.touched_edges()
    if area is None or rows is None:
        return
    filled = [(n, row.cells) for n in rows for row in (edit.xml.row(n),)]
    columns = [column for _, cells in filled for column in cells]
    if not columns:
        return
    wide = Area(
        min(area.top, rows[0]),
        min(area.left, *columns),
        max(area.bottom, rows[-1]),
        max(area.right, *columns),
    )
    node.set("ref", area_text(wide))


def _follow_names(session: Session, extents: Sequence[Extent]) -> None:
    for node in session.book.names():
        text = node.text or ""
        changed = follow_formula(text, extents, session.book.scope(node))
        if changed != text:
            node.text = changed
            session.book.changed = True

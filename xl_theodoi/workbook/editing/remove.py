"""Taking rows out of a table: the rows below move up, and what points to them goes along."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing import notes as edit_notes
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.formulas import formula_cells, rewrite_formula, unshare
from xl_theodoi.workbook.editing.outside import rewrite_outside, rewrite_tables
from xl_theodoi.workbook.editing.refs import Area, Removal, address, area_text, map_rows, parse_area
from xl_theodoi.workbook.editing.rows import CellXml, attributes_of, attributes_text
from xl_theodoi.workbook.editing.tables import TableEdit
from xl_theodoi.workbook.editing.values import has_content

if TYPE_CHECKING:
    from xl_theodoi.domain.changes import RemoveRows
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit

_SQREF = frozenset({"conditionalFormatting", "dataValidation", "ignoredError", "protectedRange"})
_FORMULAS = frozenset({"formula", "formula1", "formula2", "f"})


def remove_rows(session: Session, change: RemoveRows) -> None:
    """Take rows out of a table by position; one blank row stays when all are taken."""
    edit = TableEdit(session, change.table)
    rows = tuple(sorted({edit.number(position) for position in change.positions}))
    if not rows:
        return
    table = edit.table
    sheet = edit.sheet
    body = Area(table.first, table.area.left, table.last, table.area.right)
    moving = body._replace(top=rows[0])
    for area in sheet.group_formulas():
        if area.meets(moving):
            raise sheet.refusal(area.top, area.left, "formula_master")
    removal = Removal(sheet.name, body, rows, table.opened_last)
    live, sheet.live = sheet.live, []
    if any(c.shared for c in formula_cells(sheet)):
        unshare(sheet)
    _move_cells(sheet, moving, removal)
    _move_formulas(session, removal)
    sheet.live = live
    for other in session.book.sheets:
        _move_rules(session.sheet(other), removal)
    _move_outside(session, removal)
    edit_notes.move_notes(session, sheet, removal)
    if not table.totals:
        last = max(table.last - len(rows), table.first)
        table.area = table.area._replace(bottom=last)
    for position in sorted(set(change.positions)):
        insort(table.gone, position)


def _alone(sheet: SheetEdit, moving: Area) -> bool:
    """Whether the moving rows hold nothing beside the table, so that heights may go along."""
    return not any(
        has_content(cell)
        for number in range(moving.top, moving.bottom + 1)
        if sheet.xml.has_row(number)
        for column, cell in sheet.xml.row(number).cells.items()
        if not moving.left <= column <= moving.right
    )


def _holds_only(sheet: SheetEdit, moving: Area) -> bool:
    """Whether the moving rows have no cells at all beside the table."""
    return not any(
        not moving.left <= column <= moving.right
        for number in range(moving.top, moving.bottom + 1)
        if sheet.xml.has_row(number)
        for column in sheet.xml.outer_columns(number)
    )


def _move_cells(sheet: SheetEdit, moving: Area, removal: Removal) -> None:
    whole = _holds_only(sheet, moving)
    alone = whole or _alone(sheet, moving)
    columns = range(moving.left, moving.right + 1)
    for number in removal.rows:
        if sheet.xml.has_row(number):
            for column, cell in sheet.xml.row(number).cells.items():
                if column in columns:
                    sheet.forget(cell)
    last = moving.bottom
    sheet.changed.add_area(moving)
    needle = b"<%sf" % sheet.xml.prefix
    for number in range(moving.top, last + 1):
        target = removal.target(number)
        if target is None:
            continue
        sheet.formulas_changed = sheet.formulas_changed or needle in sheet.xml.raw(number)
        raw = sheet.xml.renumbered(number, target) if whole else None
        if raw is not None:
            sheet.xml.put_raw(target, raw)
            continue
        source = sheet.xml.row(number)
        row = sheet.xml.row(target)
        for column in columns:
            row.cells.pop(column, None)
            moved = source.cells.get(column)
            if moved is not None:
                row.cells[column] = _readdressed(moved, target, column)
        if alone and source.existed:
            row.attributes = {**source.attributes, b"r": row.attributes[b"r"]}
        sheet.xml.put(row)
    for number in range(last - len(removal.rows) + 1, last + 1):
        if not sheet.xml.has_row(number):
            continue
        row = sheet.xml.row(number)
        for column in columns:
            gone = row.cells.pop(column, None)
            if gone is not None and gone.style is not None:
                row.cells[column] = sheet.blank(number, column, gone.style)
        if alone:
            row.attributes.pop(b"hidden", None)
        sheet.xml.put(row)


def _readdressed(cell: CellXml, row: int, column: int) -> CellXml:
    attributes = attributes_of(cell.attributes)
    attributes[b"r"] = address(row, column).encode()
    return CellXml(attributes_text(attributes), cell.inner)


def _move_formulas(session: Session, removal: Removal) -> None:
    """Let the formulas of all sheets point to the rows they pointed to."""
    for tab in session.book.sheets:
        sheet = session.sheet(tab)
        here = sheet.name == removal.sheet
        known: dict[tuple[str, bool], str] = {}
        for cell in list(formula_cells(sheet)):
            place = Area(cell.row, cell.column, cell.row, cell.column)
            inside = here and removal.body.meets(place)
            text = known.get((cell.text, inside))
            if text is None:
                text = map_rows(cell.text, sheet.name, removal, inside=inside)
                known[cell.text, inside] = text
            if text != cell.text:
                rewrite_formula(cell, text)


def _move_rules(sheet: SheetEdit, removal: Removal) -> None:
    """Move ranges of formats, validations and links, and the formulas of rules."""
    edges = sheet.xml.head() + sheet.xml.tail()
    here = sheet.name == removal.sheet
    if not here and b"!" not in edges:
        return
    for node in list(sheet.skeleton.iter()):
        if not isinstance(node.tag, str):
            continue
        namespace, _, name = node.tag[1:].partition("}")
        if name in _FORMULAS and node.text:
            node.text = map_rows(node.text, sheet.name, removal)
        elif name == "cfvo" and node.get("val"):
            node.set("val", map_rows(node.get("val", ""), sheet.name, removal))
        if not here:
            continue
        parent = node.getparent()
        if name in _SQREF and node.get("sqref"):
            moved = _moved_ranges(node.get("sqref", ""), removal)
            if moved:
                node.set("sqref", moved)
            elif parent is not None:
                parent.remove(node)
                _recount(parent)
        elif name == "hyperlink" and node.get("ref") and parent is not None:
            moved = _moved_ranges(node.get("ref", ""), removal)
            if moved:
                node.set("ref", moved)
            else:
                parent.remove(node)
                _recount(parent)
        elif name == "sqref" and namespace == xml.EXCEL_MAIN and parent is not None:
            moved = _moved_ranges(node.text or "", removal)
            above = parent.getparent()
            if moved:
                node.text = moved
            elif above is not None:
                above.remove(parent)
                _recount(above)


def _recount(group: xml.Element) -> None:
    """Correct a group's count; a group that became empty goes."""
    if group.get("count") is not None:
        group.set("count", str(len(group)))
    parent = group.getparent()
    if not len(group) and parent is not None:
        parent.remove(group)
        if str(parent.tag).endswith(("}ext", "}extLst", "}sparklineGroups")):
            _recount(parent)


def _moved_ranges(sqref: str, removal: Removal) -> str:
    result: list[str] = []
    for text in sqref.split():
        area = parse_area(text)
        moved = removal.move(area) if area is not None else None
        if area is None:
            result.append(text)
        elif moved is not None:
            result.append(text if moved == area else area_text(moved))
    return " ".join(result)


def _move_outside(session: Session, removal: Removal) -> None:
    """Let names, charts, drawings and controls point to the rows they pointed to."""
    for node in session.book.names():
        text = node.text or ""
        moved = map_rows(text, session.book.scope(node), removal)
        if moved != text:
            node.text = moved
            session.book.changed = True
    rewrite_outside(session, lambda text, sheet: map_rows(text, sheet, removal))
    rewrite_tables(
        session,
        lambda text, table: map_rows(
            text, table.sheet.name, removal, inside=table.sheet.name == removal.sheet
        ),
    )

"""A small sheet put into a workbook: cells with values, formulas and their stored results."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.book import Sheet
from xl_theodoi.workbook.editing.refs import parse_area
from xl_theodoi.workbook.editing.rows import CellXml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.changes import AddSheet
    from xl_theodoi.workbook.editing.session import Session

_CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_PROPERTIES: Final = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
_VARIANTS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"


def add_sheet(session: Session, change: AddSheet) -> None:
    """Put a sheet behind the others, or its cells in place of those of the sheet there is.

    Raises:
        TheodoiError: As `CellWriter.cell`; `edit_unknown_sheet` where the name is that of a
            sheet without cells, `edit_refused` where the sheet has a table, a picture or notes.
        ValueError: For an address that is none.
    """
    book = session.book
    known = {name.casefold() for name in book.tabs}
    if change.name.casefold() in known:
        sheet = book.sheet(change.name)
        kinds = {relation.kind for relation in session.package.relationships(sheet.part)}
        if kinds - {"printerSettings"}:
            raise TheodoiError("edit_refused", sheet=sheet.name, cell="A1", reason="occupied")
    else:
        folder = posixpath.dirname(book.part)
        part = session.package.free_name(posixpath.join(folder, "worksheets", "sheet{}.xml"))
        sheet = Sheet(change.name, part)
        _list_sheet(session, sheet, is_hidden=change.hidden)
    content = _content(session, change.name, change.cells)
    if not session.package.has(sheet.part) or session.package.read(sheet.part) != content:
        session.package.write(sheet.part, content)
    session.given.add(sheet.part)


def _list_sheet(session: Session, sheet: Sheet, *, is_hidden: bool) -> None:
    """Tell the package and the workbook of a new sheet."""
    book, package = session.book, session.package
    package.declare(sheet.part, _CONTENT_TYPE)
    group = book.root.find(xml.tag("sheets"))
    if group is None:  # pragma: no cover - a workbook without sheets has no table to edit
        group = etree.SubElement(book.root, xml.tag("sheets"))
    number = max((int(node.get("sheetId", "0")) for node in group), default=0) + 1
    node = etree.SubElement(group, xml.tag("sheet"), {"name": sheet.name, "sheetId": str(number)})
    if is_hidden:
        node.set("state", "veryHidden")
    node.set(xml.tag("id", xml.REL), package.relate(book.part, "worksheet", sheet.part))
    _list_title(session, sheet.name, is_hidden=is_hidden)
    book.tabs.append(sheet.name)
    book.sheets.append(sheet)
    book.changed = True


def _list_title(session: Session, name: str, *, is_hidden: bool) -> None:
    """Add a sheet to the titles in the document's properties, where these list such sheets.

    Excel lists all sheets there, other programs the visible ones or none.
    """
    package = session.package
    for relation in package.relationships(""):
        if relation.kind != "extended-properties" or not package.has(relation.target):
            continue
        root = package.xml(relation.target)
        pairs = root.find(f"{{{_PROPERTIES}}}HeadingPairs/{{{_VARIANTS}}}vector")
        titles = root.find(f"{{{_PROPERTIES}}}TitlesOfParts/{{{_VARIANTS}}}vector")
        count = None if pairs is None else next(pairs.iter(f"{{{_VARIANTS}}}i4"), None)
        if titles is None or count is None or not (count.text or "").isdigit():
            return
        listed = int(count.text or "0")
        texts = [node.text for node in titles][:listed]
        if texts != session.book.tabs[:listed] or (is_hidden and listed != len(session.book.tabs)):
            return
        title = etree.Element(f"{{{_VARIANTS}}}lpstr")
        title.text = name
        titles.insert(listed, title)
        titles.set("size", str(len(titles)))
        count.text = str(listed + 1)
        package.write(relation.target, xml.write_xml(root))
        return


def _content(session: Session, name: str, cells: Mapping[str, tuple[str | None, Value]]) -> bytes:
    """Return the part of a sheet that has nothing but cells."""
    rows: dict[int, dict[int, bytes]] = {}
    for place, (formula, value) in cells.items():
        area = parse_area(place)
        if area is None or (area.top, area.left) != (area.bottom, area.right):
            raise ValueError(f"{place!r} is no cell")
        cell = _cell(session, name, area.top, area.left, formula, value)
        rows.setdefault(area.top, {})[area.left] = cell
    body = b"".join(
        b'<row r="%d">%s</row>' % (row, b"".join(made[column] for column in sorted(made)))
        for row, made in sorted(rows.items())
    )
    return (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="%s">'
        b"<sheetData>%s</sheetData></worksheet>" % (xml.MAIN.encode(), body)
    )


def _cell(
    session: Session, sheet: str, row: int, column: int, formula: str | None, value: Value
) -> bytes:
    writer = session.writer
    if formula is None:
        made = writer.cell(sheet, row, column, value, style=None, prefix=b"")
    else:
        start, result, _ = writer.result(sheet, row, column, value, style=None, prefix=b"")
        place = writer.cell(sheet, row, column, None, style=None, prefix=b"").attributes
        made = CellXml(place + start, b"<f>" + xml.escape(formula) + b"</f>" + result)
    if made.inner is None:
        return b"<c%s/>" % made.attributes
    return b"<c%s>%s</c>" % (made.attributes, made.inner)

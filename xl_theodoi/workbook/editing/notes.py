"""Coloured cells with a note each, in the old form that every program shows."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.refs import address, parse_area
from xl_theodoi.workbook.editing.rows import CellXml, attributes_of, attributes_text
from xl_theodoi.workbook.editing.threads import Threads

if TYPE_CHECKING:
    from xl_theodoi.domain.changes import MarkCells
    from xl_theodoi.workbook.editing.refs import Removal
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit

MARK_COLOUR = "FFF8CBAD"
"""Light orange: seen at once, and black text on it stays easy to read, also in print."""

_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_VML_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_AFTER_DRAWING = (
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
)
"""What follows `legacyDrawing` in a sheet; Excel repairs any other order."""

_NAMESPACES = (
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_SHAPE_TYPE = (
    f'<v:shapetype {_NAMESPACES} id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
    'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_BOX_WIDTH = 260
_LINE_LETTERS = 40
_LINE_HEIGHT = 16
"""Measures of a note's box in pixels, and the letters of Tahoma 9 that fit a line."""

_DEFAULT_COLUMN = 64
_DEFAULT_ROW = 20


def mark_cells(session: Session, change: MarkCells, author: str) -> None:
    """Colour cells and put a note on each; a note that is there already gets the text added.

    Raises:
        ValueError: For an address that is no single cell.
    """
    if not change.notes:
        return
    sheet = session.sheet(session.book.sheet(change.sheet))
    places: list[tuple[int, int, str]] = []
    for where, text in change.notes.items():
        area = parse_area(where.replace("$", ""))
        if area is None or (area.top, area.left) != (area.bottom, area.right):
            raise ValueError(f"{where} is no cell")
        places.append((area.top, area.left, text))
    places.sort()
    _colour(session, sheet, places)
    new = _write_comments(session, sheet, places, author)
    if new:
        _write_boxes(session, sheet, new)


def _colour(session: Session, sheet: SheetEdit, places: list[tuple[int, int, str]]) -> None:
    styles = session.styles()
    by_row: dict[int, list[int]] = {}
    for number, column, _ in places:
        by_row.setdefault(number, []).append(column)
    for number, columns in by_row.items():
        row = sheet.xml.row(number)
        for column in columns:
            style = styles.with_fill(sheet.style_at(row, column) or 0, MARK_COLOUR)
            cell = row.cells.get(column)
            if cell is None:
                row.cells[column] = sheet.blank(number, column, style)
                continue
            attributes = attributes_of(cell.attributes)
            attributes[b"s"] = b"%d" % style
            row.cells[column] = CellXml(attributes_text(attributes), cell.inner)
        sheet.xml.put(row)


def _related(session: Session, part: str, kind: str) -> str | None:
    for relation in session.package.relationships(part):
        if relation.kind == kind and not relation.external:
            return relation.target
    return None


def _note_drawing(session: Session, sheet: SheetEdit) -> str | None:
    """Return the drawing that holds a sheet's notes.

    The pictures of the page header stand in a drawing of the same kind, so the sheet itself
    says which one it is.
    """
    node = sheet.skeleton.find(xml.tag("legacyDrawing"))
    wanted = node.get(xml.tag("id", xml.REL)) if node is not None else None
    for relation in session.package.relationships(sheet.part):
        if relation.id == wanted and relation.kind == "vmlDrawing" and not relation.external:
            return relation.target
    return None


def _write_comments(
    session: Session, sheet: SheetEdit, places: list[tuple[int, int, str]], author: str
) -> list[tuple[int, int, str]]:
    """Write the notes' texts; return those that need a box of their own."""
    package = session.package
    part = _related(session, sheet.part, "comments")
    if part is None:
        part = package.free_name("xl/comments{}.xml")
        package.declare(part, _COMMENTS_TYPE)
        package.relate(sheet.part, "comments", part)
        root = etree.Element(
            xml.tag("comments"),
            nsmap={None: xml.MAIN},  # type: ignore[dict-item]
        )
    else:
        root = package.xml(part)
    authors = root.find(xml.tag("authors"))
    if authors is None:
        authors = etree.Element(xml.tag("authors"))
        root.insert(0, authors)
    comments = root.find(xml.tag("commentList"))
    if comments is None:
        comments = etree.Element(xml.tag("commentList"))
        authors.addnext(comments)
    names = [node.text or "" for node in authors]
    if author not in names:
        etree.SubElement(authors, xml.tag("author")).text = author
        names.append(author)
    number = str(names.index(author))
    known = {node.get("ref", ""): node for node in comments}
    threads = Threads(session, sheet.part, author)
    new: list[tuple[int, int, str]] = []
    for row, column, text in places:
        where = address(row, column)
        old = known.get(where)
        if old is None:
            old = etree.SubElement(comments, xml.tag("comment"), {"ref": where, "authorId": number})
            body = etree.SubElement(old, xml.tag("text"))
            new.append((row, column, text))
        else:
            threads.reply(where, text)
            found = old.find(xml.tag("text"))
            body = found if found is not None else etree.SubElement(old, xml.tag("text"))
            text = "\n" + text  # noqa: PLW2901 - the note that was there keeps its first line
            plain = body.find(xml.tag("t"))
            if plain is not None:  # runs and plain text cannot stand together
                run = etree.Element(xml.tag("r"))
                body.replace(plain, run)
                run.append(plain)
        _add_run(body, text)
    threads.flush()
    package.write(part, xml.write_xml(root))
    return new


def _add_run(body: xml.Element, text: str) -> None:
    run = etree.Element(xml.tag("r"))
    leaf = etree.SubElement(run, xml.tag("t"))
    leaf.text = xml.encode_text(text)
    leaf.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    runs = body.findall(xml.tag("r"))
    if runs:
        runs[-1].addnext(run)
    else:
        body.insert(0, run)


def _write_boxes(session: Session, sheet: SheetEdit, new: list[tuple[int, int, str]]) -> None:
    """Write the boxes into the sheet's drawing of notes.

    The drawing is edited as bytes: Excel writes unclosed `<br>` into it, which is no XML.
    """
    package = session.package
    part = _note_drawing(session, sheet)
    if part is None:
        part = package.free_name("xl/drawings/vmlDrawing{}.vml")
        package.declare_extension("vml", _VML_TYPE)
        block = _free_block(session)
        data = (
            f'<xml {_NAMESPACES}><o:shapelayout v:ext="edit">'
            f'<o:idmap v:ext="edit" data="{block}"/></o:shapelayout></xml>'
        ).encode()
        _link_drawing(sheet, package.relate(sheet.part, "vmlDrawing", part))
        first = 1024 * block + 1
    else:
        data = package.read(part)
        blocks = re.findall(rb"""idmap[^>]*?\sdata\s*=\s*["']([0-9]+)""", data)
        used = [int(n) for n in re.findall(rb"_x0000_s([0-9]+)", data)]
        first = max([1024 * int(blocks[0]) if blocks else 1024, *used]) + 1
    end = data.rfind(b"</xml")
    if end < 0:
        raise TheodoiError("edit_unreadable_part", part=part, reason="xml")
    shapes = [
        _box(sheet, first + offset, row, column, text)
        for offset, (row, column, text) in enumerate(new)
    ]
    if b'"_x0000_t202"' not in data:
        shapes.insert(0, _SHAPE_TYPE)
    root = data[: data.find(b">", data.find(b"<xml")) + 1]
    declared = all(b"xmlns:%s=" % letter in root for letter in (b"v", b"o", b"x"))
    if declared:  # as Excel itself writes it
        shapes = [shape.replace(f" {_NAMESPACES}", "") for shape in shapes]
    package.write(part, [data[:end], "".join(shapes).encode(), data[end:]])


def _free_block(session: Session) -> int:
    """Return a block of 1024 shape numbers that no drawing of the workbook uses."""
    package = session.package
    used = [0]
    for name in package.names():
        if name.casefold().endswith(".vml"):
            maps = re.findall(rb"""idmap[^>]*?\sdata\s*=\s*["']([0-9, ]+)""", package.read(name))
            used += [int(n) for found in maps for n in re.findall(rb"[0-9]+", found)]
    return max(used) + 1


def _link_drawing(sheet: SheetEdit, relation: str) -> None:
    root = sheet.skeleton
    for lost in root.findall(xml.tag("legacyDrawing")):  # one that leads nowhere
        root.remove(lost)
    node = etree.Element(xml.tag("legacyDrawing"), nsmap={"r": xml.REL})
    node.set(xml.tag("id", xml.REL), relation)
    following = [root.find(xml.tag(name)) for name in _AFTER_DRAWING]
    places = [root.index(f) for f in following if f is not None]
    root.insert(min(places, default=len(root)), node)


def _box(sheet: SheetEdit, number: int, row: int, column: int, text: str) -> str:
    lines = sum(max(1, math.ceil(len(line) / _LINE_LETTERS)) for line in text.split("\n"))
    height = (lines + 1) * _LINE_HEIGHT
    # Columns and rows of an anchor count from 0: the box begins in the next column, one row up.
    left, top = column, max(row - 2, 0)
    right, right_rest = _walk(left, 15 + _BOX_WIDTH, lambda n: _column_width(sheet, n + 1))
    bottom, bottom_rest = _walk(top, 4 + height, lambda n: _row_height(sheet, n + 1))
    anchor = f"{left}, 15, {top}, 4, {right}, {right_rest}, {bottom}, {bottom_rest}"
    return (
        f'<v:shape {_NAMESPACES} id="_x0000_s{number}" type="#_x0000_t202" '
        f'style="position:absolute;margin-left:60pt;margin-top:2pt;'
        f"width:{_BOX_WIDTH * 3 // 4}pt;height:{height * 3 // 4}pt;z-index:{number % 1024};"
        'visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
        '<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
        '<v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        f'<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill>"
        f"<x:Row>{row - 1}</x:Row><x:Column>{column - 1}</x:Column></x:ClientData></v:shape>"
    )


def _walk(start: int, pixels: int, size: xml.Sizes) -> tuple[int, int]:
    """Return the column or row that lies some pixels further, and the rest inside it."""
    at = start
    while pixels > (step := size(at)):
        pixels -= step
        at += 1
    return at, pixels


def _column_width(sheet: SheetEdit, column: int) -> int:
    group = sheet.skeleton.find(xml.tag("cols"))
    for node in group if group is not None else ():
        if int(node.get("min", "0")) <= column <= int(node.get("max", "0")) and node.get("width"):
            hidden = node.get("hidden") in ("1", "true")
            return 0 if hidden else int(float(node.get("width", "9")) * 7 + 5)
    return _DEFAULT_COLUMN


def _row_height(sheet: SheetEdit, number: int) -> int:
    if not sheet.xml.has_row(number):
        return _DEFAULT_ROW
    attributes = sheet.xml.row(number).attributes
    if attributes.get(b"hidden") in (b"1", b"true"):
        return 0
    height = attributes.get(b"ht")
    return int(float(height) * 4 / 3) if height else _DEFAULT_ROW


def move_notes(session: Session, sheet: SheetEdit, removal: Removal) -> None:
    """Let notes and threaded comments go with the rows of a table; those of gone rows go."""
    for kind in ("comments", "threadedComment"):
        part = _related(session, sheet.part, kind)
        if part is None:
            continue
        root = session.package.xml(part)
        changed = False
        for node in list(root.iter("{*}comment", "{*}threadedComment")):
            area = parse_area(node.get("ref", ""))
            parent = node.getparent()
            moved = removal.move_row(area) if area is not None else area
            if moved == area or parent is None:
                continue
            changed = True
            if moved is None:
                parent.remove(node)
            else:
                node.set("ref", address(moved.top, moved.left))
        if changed:
            session.package.write(part, xml.write_xml(root))
    drawing = _note_drawing(session, sheet)
    if drawing is not None:
        _move_boxes(session, drawing, removal)


def _move_boxes(session: Session, part: str, removal: Removal) -> None:
    data = session.package.read(part)

    def move(match: re.Match[bytes]) -> bytes:
        shape = match[0]
        row = re.search(rb"<x:Row>\s*([0-9]+)\s*</x:Row>", shape)
        column = re.search(rb"<x:Column>\s*([0-9]+)\s*</x:Column>", shape)
        if b'"Note"' not in shape or row is None or column is None:
            return shape
        area = parse_area(address(int(row[1]) + 1, int(column[1]) + 1))
        moved = removal.move_row(area) if area is not None else area
        if moved == area:
            return shape
        if moved is None or area is None:
            return b""
        up = area.top - moved.top
        shape = shape.replace(row[0], b"<x:Row>%d</x:Row>" % (moved.top - 1))
        return re.sub(
            rb"(<x:Anchor>)([^<]*)(</x:Anchor>)",
            lambda m: m[1] + _anchor_up(m[2], up) + m[3],
            shape,
        )

    result = re.sub(rb"<v:shape\s.*?</v:shape\s*>", move, data, flags=re.DOTALL)
    if result != data:
        # As two pieces, because a drawing of Excel need not be well-formed.
        session.package.write(part, [result[:1], result[1:]])


def _anchor_up(anchor: bytes, rows: int) -> bytes:
    numbers = [int(n) for n in re.findall(rb"-?[0-9]+", anchor)]
    if len(numbers) != 8:
        return anchor
    for index in (2, 6):
        numbers[index] = max(numbers[index] - rows, 0)
    return b", ".join(b"%d" % n for n in numbers)

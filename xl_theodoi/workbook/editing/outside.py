"""References that stand outside the sheets: in charts, drawings, controls and table parts.

Sheets, names and pivot sources have their own code; here is everything else that names cells
by address and has to go where the cells go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from xl_theodoi.workbook.editing import xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xl_theodoi.workbook.editing.book import Table
    from xl_theodoi.workbook.editing.session import Session

    Rewrite = Callable[[str, str], str]
    """Takes a formula and the sheet its bare references mean, returns the formula as it is now."""

_Home = TypeVar("_Home")

_DRAWING_REFERENCES = ("textlink", "cellRange")
"""Attributes of text boxes that show a cell, and of pictures that show a range."""

_CONTROL_REFERENCES = ("fmlaRange", "fmlaLink", "fmlaGroup", "fmlaTxbx")
_OLD_CONTROL = re.compile(rb"(<x:Fmla(?:Range|Link|Group|Txbx)>)([^<]+)(?=</)")
_TABLE_FORMULAS = ("calculatedColumnFormula", "totalsRowFormula")


def chart_parts(session: Session) -> list[str]:
    """Return the parts of all charts, of the older and the newer kind."""
    package = session.package
    return package.parts_of_type("chart+xml") + package.parts_of_type("chartex+xml")


def chart_references(root: xml.Element) -> Iterator[xml.Element]:
    """Yield the elements of a chart that name cells.

    A series that a chart filter hides, and the full range of one shown in part, stand in
    `c15:sqref`.
    """
    yield from root.iter("{*}f", "{*}sqref")


def parts_of_sheets(session: Session, *kinds: str) -> Iterator[tuple[str, str]]:
    """Yield sheet name and part name of what worksheets are related to."""
    for sheet in session.book.sheets:
        for relation in session.package.relationships(sheet.part):
            known = relation.kind in kinds and not relation.external
            if known and session.package.has(relation.target):
                yield sheet.name, relation.target


def drawing_parts(session: Session) -> Iterator[tuple[str, str]]:
    """Yield sheet name and part name of drawings; those inside charts belong to no sheet."""
    yield from parts_of_sheets(session, "drawing")
    for part in session.package.parts_of_type("chartshapes+xml"):
        yield "", part


def rewrite_outside(session: Session, rewrite: Rewrite) -> None:
    """Rewrite the formulas of charts, drawings and controls; what stays is not written."""
    for part in chart_parts(session):
        root = session.package.xml(part)
        _write(session, part, root, _rewrite_texts(chart_references(root), "", rewrite))
    for sheet, part in parts_of_sheets(session, "drawing"):
        if any(
            b"%s=" % name.encode() in session.package.read(part) for name in _DRAWING_REFERENCES
        ):
            root = session.package.xml(part)
            changed = _rewrite_attributes(root, _DRAWING_REFERENCES, sheet, rewrite)
            _write(session, part, root, changed)
    for sheet, part in parts_of_sheets(session, "ctrlProp"):
        root = session.package.xml(part)
        changed = _rewrite_attributes(root, _CONTROL_REFERENCES, sheet, rewrite)
        _write(session, part, root, changed)
    for sheet, part in parts_of_sheets(session, "vmlDrawing"):
        _rewrite_old_controls(session, sheet, part, rewrite)


def rewrite_tables(session: Session, rewrite: Callable[[str, Table], str]) -> None:
    """Rewrite the formulas that tables keep for their columns and totals.

    Args:
        session: The edit.
        rewrite: Takes a formula and the table it belongs to, returns the formula as it is now.
    """
    for table in session.book.tables.values():
        data = session.package.read(table.part)
        if not any(name.encode() in data for name in _TABLE_FORMULAS):
            continue
        root = session.package.xml(table.part)
        nodes = root.iter(*(xml.tag(name) for name in _TABLE_FORMULAS))
        changed = _rewrite_texts(nodes, table, rewrite)
        _write(session, table.part, root, changed)


def _rewrite_texts(
    nodes: Iterator[xml.Element], home: _Home, rewrite: Callable[[str, _Home], str]
) -> bool:
    changed = False
    for node in nodes:
        text = node.text or ""
        moved = rewrite(text, home)
        if moved != text:
            node.text = moved
            changed = True
    return changed


def _rewrite_attributes(
    root: xml.Element, names: tuple[str, ...], sheet: str, rewrite: Rewrite
) -> bool:
    changed = False
    for node in root.iter():
        for name in names:
            text = node.get(name)
            if text and (moved := rewrite(text, sheet)) != text:
                node.set(name, moved)
                changed = True
    return changed


def _write(session: Session, part: str, root: xml.Element, changed: bool) -> None:
    if changed:
        session.package.write(part, xml.write_xml(root))


def _rewrite_old_controls(session: Session, sheet: str, part: str, rewrite: Rewrite) -> None:
    """Rewrite controls in a drawing of the older kind, as bytes: it need not be XML."""
    data = session.package.read(part)

    def change(match: re.Match[bytes]) -> bytes:
        text = xml.unescape(match[2])
        moved = rewrite(text, sheet)
        return match[0] if moved == text else match[1] + xml.escape(moved)

    result = _OLD_CONTROL.sub(change, data)
    if result != data:
        # As two pieces, because a drawing of Excel need not be well-formed.
        session.package.write(part, [result[:1], result[1:]])

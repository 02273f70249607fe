"""Fills an office's own `.xlsx` form: placeholders in cells, marker rows for loops.

The form stays what the office made of it: pictures, charts, headers and footers, merged
cells, formats, validations, print settings and names are kept and follow the rows. How a
form is written is told in `report_templates/README.md`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location
from xl_theodoi.workbook.editing.refs import Kind, sheet_of, tokens
from xl_theodoi.workbook.editing.xml import REL, tag
from xl_theodoi.workbook.filling.map import move_formula
from xl_theodoi.workbook.filling.package import CellFormats, FormPackage, StringPool
from xl_theodoi.workbook.filling.sheet import FormSheet
from xl_theodoi.workbook.filling.words import Words, has_placeholder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lxml.etree import _Element

    from xl_theodoi.workbook.filling.map import RowMap

_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_HEADER_FIELD = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def fill_template(template: Path | bytes, context: Mapping[str, Any], *, file_name: str) -> bytes:
    """Return a form filled in.

    Args:
        template: The form, as a path or as bytes.
        context: What its placeholders may name.
        file_name: Name of the form, for messages.

    Returns:
        The bytes of an ordinary `.xlsx`; the same form and context give the same bytes.

    Raises:
        TheodoiError: `template_missing`, `template_unreadable`, `template_has_macros`,
            `template_has_table`; with sheet and cell `template_unknown_name`,
            `template_syntax`, `template_block`, `template_not_a_list`,
            `template_not_a_value`, `template_failed`, `template_formula_into_rows`.
    """
    package = FormPackage(template, file_name)
    words = Words(file_name)
    pool = StringPool(package)
    formats = CellFormats(package)
    sheets = [
        FormSheet(package, part, name, file_name=file_name, words=words, formats=formats, pool=pool)
        for name, part in package.sheets()
    ]
    if not sheets:
        raise TheodoiError("template_unreadable", file=file_name)
    for sheet in sheets:
        sheet.fill(context)
    maps = {sheet.name.casefold(): sheet.rows for sheet in sheets}
    workbook = package.tree(package.workbook_part)
    properties = workbook.find(tag("workbookPr"))
    date1904 = properties is not None and properties.get("date1904") in ("1", "true")
    _read_titles(workbook, sheets)
    for sheet in sheets:
        sheet.write(maps, date1904=date1904)
        _fill_headers(sheet, words, context, file_name)
        _drop_notes(package, sheet)
        drawing = package.related(sheet.part, "drawing")
        if drawing is not None:
            _move_drawing(package, drawing, sheet.rows, maps, sheet.name)
    for item in workbook.iterfind(f"{tag('definedNames')}/{tag('definedName')}"):
        if item.text:
            item.text = move_formula(item.text, maps, "", first_copy=True)
    pool.finish()
    _recalculate(package, workbook, needed=any(sheet.has_formulas for sheet in sheets))
    return package.save()


def _read_titles(workbook: _Element, sheets: Sequence[FormSheet]) -> None:
    """Tell every sheet which of its rows are repeated on each page."""
    by_name = {sheet.name.casefold(): sheet for sheet in sheets}
    for item in workbook.iterfind(f"{tag('definedNames')}/{tag('definedName')}"):
        if item.get("name") != "_xlnm.Print_Titles":
            continue
        for token in tokens(item.text or ""):
            sheet = by_name.get(sheet_of(token.prefix).casefold())
            if token.kind is Kind.ROWS and sheet is not None:
                first, _, last = token.text.replace("$", "").partition(":")
                sheet.titles = (int(first), int(last))


def _fill_headers(
    sheet: FormSheet, words: Words, context: Mapping[str, Any], file_name: str
) -> None:
    place = Location(file_name, sheet.name, "")
    for item in sheet.root.iterfind(f"{tag('headerFooter')}/*"):
        text = item.text or ""
        if has_placeholder(text):
            words.check(text, context, place)
            # In headers an ampersand opens a code; one that is meant is doubled.
            item.text = _HEADER_FIELD.sub(
                lambda match: words.text(match[0], context, place).replace("&", "&&"), text
            )


def _drop_notes(package: FormPackage, sheet: FormSheet) -> None:
    """Take the notes out: they are the office's remarks on the form, not of the report."""
    drawing = sheet.root.find(tag("legacyDrawing"))
    if drawing is not None:
        sheet.root.remove(drawing)
        package.unlink(sheet.part, drawing.get(tag("id", REL), ""))
    for identity, (kind, target) in package.relations(sheet.part).items():
        if kind.endswith(("/comments", "/threadedComment", "/vmlDrawing")):
            if kind.endswith("/vmlDrawing") and sheet.root.find(tag("legacyDrawingHF")) is not None:
                continue
            package.unlink(sheet.part, identity)
            package.remove(target)
    if drawing is not None:
        for target in list(package.parts()):
            if target.lower().endswith(".vml") and not _is_used(package, target):
                package.remove(target)


def _is_used(package: FormPackage, part: str) -> bool:
    return any(
        part == target
        for name in list(package.parts())
        if not name.endswith(".rels")
        for _, target in package.relations(name).values()
    )


def _move_drawing(
    package: FormPackage,
    part: str,
    rows: RowMap,
    maps: Mapping[str, RowMap],
    sheet: str,
) -> None:
    if not rows.is_unchanged:
        root = package.tree(part)
        for anchor in root:
            start = anchor.find(f"{tag('from', _DRAWING)}/{tag('row', _DRAWING)}")
            if start is None or anchor.get("editAs") == "absolute":
                continue
            old = int(start.text or "0")
            shift = rows.place_of(old + 1) - 1 - old
            start.text = str(old + shift)
            end = anchor.find(f"{tag('to', _DRAWING)}/{tag('row', _DRAWING)}")
            if end is not None:
                end.text = str(int(end.text or "0") + shift)
    for kind, target in package.relations(part).values():
        if kind.endswith("/chart") and target in package:
            _move_chart(package.tree(target), maps, sheet)


def _move_chart(root: _Element, maps: Mapping[str, RowMap], sheet: str) -> None:
    if all(rows.is_unchanged for rows in maps.values()):
        return
    for item in root.iter(tag("f", _CHART)):
        if item.text:
            item.text = move_formula(item.text, maps, sheet, first_copy=True)


def _recalculate(package: FormPackage, workbook: _Element, *, needed: bool) -> None:
    """Let the program that opens the file compute its formulas: their old values are gone."""
    for identity, (kind, target) in package.relations(package.workbook_part).items():
        if kind.endswith("/calcChain"):
            package.unlink(package.workbook_part, identity)
            package.remove(target)
    settings = workbook.find(tag("calcPr"))
    if needed and settings is not None:
        settings.set("fullCalcOnLoad", "1")

"""The formulas of a sheet: read one by one, or together where many cells have the same text.

A calculated column has one text in every row, so whoever asks about formulas asks once for
each text of a column. Sheets written the usual way are scanned for formulas alone; all others
are read cell by cell, with the same outcome.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.refs import Area, parse_area, shift_formula
from xl_theodoi.workbook.editing.rows import attributes_of, attributes_text
from xl_theodoi.workbook.editing.values import formula_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xl_theodoi.workbook.editing.sheet import SheetEdit

_FORMULA_ELEMENT = re.compile(
    rb"<(?:[\w.-]+:)?f(?=[\s/>])([^>]*?)(?:/>|>.*?</(?:[\w.-]+:)?f\s*>)", re.DOTALL
)
_FAR = 400
"""How far before its formula a cell may begin, in bytes; few have so many attributes."""


@dataclass(slots=True)
class FormulaCell:
    """A formula in a sheet.

    Attributes:
        sheet: The sheet.
        row: Sheet row.
        column: 1-based column.
        text: Text without the equals sign; that of a shared formula as it reads here.
        fills: Rectangle that an array or a data table fills.
        shared: Whether it shares its text with other cells.
        table: Whether it is a data table, which says in attributes what it reads.
    """

    sheet: SheetEdit
    row: int
    column: int
    text: str
    fills: Area | None = None
    shared: bool = False
    table: bool = False


@dataclass(slots=True)
class FormulaGroup:
    """Cells of one column that have the same formula; `first` stands for all of them."""

    first: FormulaCell
    rows: list[int]

    def part(self, rows: list[int]) -> FormulaGroup:
        """Return some of the cells as a group of their own."""
        return FormulaGroup(replace(self.first, row=rows[0]), rows)

    def cells(self) -> Iterator[FormulaCell]:
        """Yield the cells one by one."""
        if len(self.rows) == 1:
            yield self.first
            return
        for row in self.rows:
            yield replace(self.first, row=row)


_Found = tuple[int, int, dict[bytes, bytes], str]
"""Row, column, attributes and text of a formula."""


def formula_cells(sheet: SheetEdit) -> Iterator[FormulaCell]:
    """Yield the formulas of a sheet in row order."""
    needle = b"<%sf" % sheet.xml.prefix

    def found() -> Iterator[_Found]:
        for number in sorted(sheet.xml.rows_with(needle)):
            for column, cell in sheet.xml.cells_with(number, needle):
                formula = formula_of(cell)
                if formula is not None:
                    yield number, column, *formula

    return _resolved(sheet, found())


def _resolved(sheet: SheetEdit, found: Iterable[_Found]) -> Iterator[FormulaCell]:
    """Yield formulas, given in row order, with the texts that they share."""
    masters: dict[bytes, tuple[str, int, int]] = {}
    for number, column, attributes, given in found:
        text, fills = given, None
        kind = attributes.get(b"t")
        if kind == b"shared":
            shared = attributes.get(b"si", b"")
            if text:
                masters[shared] = (text, number, column)
            elif shared in masters:
                master, row, start = masters[shared]
                text = shift_formula(master, number - row, column - start)
        elif kind in (b"array", b"dataTable"):
            fills = parse_area(attributes.get(b"ref", b"").decode())
        yield FormulaCell(
            sheet, number, column, text, fills, kind == b"shared", kind == b"dataTable"
        )


def formula_groups(sheet: SheetEdit) -> list[FormulaGroup]:
    """Return the formulas of a sheet by column and text, in the order of their first rows."""
    scanned = _scan(sheet)
    if scanned is None:
        plain: dict[tuple[int, str], FormulaGroup] = {}
        groups = []
        for cell in formula_cells(sheet):
            alone = cell.shared or cell.fills is not None or cell.table
            known = None if alone else plain.get((cell.column, cell.text))
            if known is not None:
                known.rows.append(cell.row)
                continue
            groups.append(FormulaGroup(cell, [cell.row]))
            if not alone:
                plain[cell.column, cell.text] = groups[-1]
        return groups
    texts, others = scanned
    groups = [FormulaGroup(cell, [cell.row]) for cell in _resolved(sheet, others)]
    for (letters, text), rows in texts.items():
        rows.sort()
        column = column_index(letters.decode())
        groups.append(FormulaGroup(FormulaCell(sheet, rows[0], column, xml.unescape(text)), rows))
    groups.sort(key=lambda group: (group.first.row, group.first.column))
    return groups


def _scan(sheet: SheetEdit) -> tuple[dict[tuple[bytes, bytes], list[int]], list[_Found]] | None:
    """Return plain formulas by letters and text, and the others; `None` of an unusual sheet."""
    prefix = sheet.xml.prefix
    if sheet.xml.masked:
        return None
    pattern = re.compile(rb"<%sf(?: ([^<>]*?))?(?:/>|>([^<]*)</%sf>)" % (prefix, prefix))
    needle, opening = b"<%sf" % prefix, b'<%sc r="' % prefix
    texts: dict[tuple[bytes, bytes], list[int]] = {}
    others: list[_Found] = []
    replaced = sheet.xml.touched_rows()
    touched = frozenset(replaced)
    start, stop = sheet.xml.body
    places = (
        (sheet.xml.data, start, stop, touched),
        (b"".join(map(sheet.xml.raw, replaced)), 0, None, frozenset[int]()),
    )
    for data, low, high, left_out in places:
        high = len(data) if high is None else high  # noqa: PLW2901 - the whole of it
        expected = data.count(needle, low, high)
        if not expected:
            continue
        for match in pattern.finditer(data, low, high):
            expected -= 1
            end = match.start()
            at = data.rfind(opening, max(end - _FAR, low), end) + len(opening)
            quote = data.find(b'"', at, end)
            if at < len(opening) or quote < 0 or data.find(b">", at, end) != end - 1:
                return None
            place = data[at:quote]
            letters = place.rstrip(b"0123456789")
            row = int(place[len(letters) :] or b"0")
            if not row or not letters.isalpha() or not letters.isupper():
                return None
            if row in left_out:
                continue
            attributes, text = match.groups()
            if attributes and b"t=" in attributes:
                found = attributes_of(attributes)
                column = column_index(letters.decode())
                others.append((row, column, found, xml.unescape(text or b"")))
            else:
                texts.setdefault((letters, text or b""), []).append(row)
        if expected:
            return None
    others.sort(key=lambda found: found[:2])
    return texts, others


def shared_text(sheet: SheetEdit, row: int, column: int) -> str | None:
    """Return what a shared formula says in one of its cells."""
    cells = formula_cells(sheet)
    return next((c.text for c in cells if (c.row, c.column) == (row, column)), None)


def rewrite_formula(cell: FormulaCell, text: str) -> None:
    """Put another text into a formula; its cached value and attributes stay.

    A sheet's shared formulas are written out first: the master's text is also its followers'.
    """
    sheet = cell.sheet
    target = sheet.xml.row(cell.row).cells[cell.column]
    formula = formula_of(target)
    if formula is not None and formula[0].get(b"t") == b"shared":
        unshare(sheet)
    _write_formula(sheet, cell.row, cell.column, text)
    cell.text = text


def _write_formula(sheet: SheetEdit, number: int, column: int, text: str) -> None:
    """Put a text into the formula element of a cell; it is no shared formula afterwards."""
    target = sheet.xml.row(number).cells[column]
    match = _FORMULA_ELEMENT.search(target.inner or b"")
    if match is None or target.inner is None:
        return
    prefix = sheet.xml.prefix
    attributes = attributes_of(match[1])
    if attributes.get(b"t") == b"shared":
        attributes = {}
    start = attributes_text(attributes)
    element = b"<%sf%s>%s</%sf>" % (prefix, start, xml.escape(text), prefix)
    target.inner = target.inner[: match.start()] + element + target.inner[match.end() :]
    sheet.xml.replace_cell(number, column, target)


def unshare(sheet: SheetEdit) -> None:
    """Write every shared formula of a sheet out in full."""
    for cell in list(formula_cells(sheet)):
        if cell.shared:
            _write_formula(sheet, cell.row, cell.column, cell.text)

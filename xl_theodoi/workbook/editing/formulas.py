"""The formulas of a sheet: read one by one, or together where many cells have the same text.

A calculated column has one text in every row, so whoever asks about formulas asks once for
each text of a column. Sheets written the usual way are scanned for formulas alone; all others
are read cell by cell, with the same outcome.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index, column_letter
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.refs import (
    MAX_ROW,
    Area,
    area_text,
    own_row_pieces,
    parse_area,
    shift_formula,
)
from xl_theodoi.workbook.editing.rows import attributes_of, attributes_text
from xl_theodoi.workbook.editing.values import formula_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from xl_theodoi.workbook.editing.sheet import SheetEdit

_FORMULA_ELEMENT = re.compile(
    rb"<(?:[\w.-]+:)?f(?=[\s/>])([^>]*?)(?:/>|>.*?</(?:[\w.-]+:)?f\s*>)", re.DOTALL
)
_FAR = 400
"""How far before its formula a cell may begin, in bytes; few have so many attributes."""
_MOST_ALIKE = 16
"""So many kinds of formulas are looked for in a column; another row than its own has no kind."""


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
    """Cells of one column that have the same formula; `first` stands for all of them.

    Attributes:
        first: The first of the cells.
        rows: Sheet rows.
        pieces: What stands between the numbers of the own row, where the cells differ in these;
            see `own_row_pieces`.
    """

    first: FormulaCell
    rows: list[int]
    pieces: tuple[str, ...] = ()

    def part(self, rows: list[int]) -> FormulaGroup:
        """Return some of the cells as a group of their own."""
        return FormulaGroup(self._cell(rows[0]), rows, self.pieces)

    def form(self) -> tuple[str, int]:
        """Return the text for all of the cells, and a row: its relative cells are the own row's.

        The row is 0 where all cells have the same text.
        """
        if not self.pieces:
            return self.first.text, 0
        # No formula names the sheet's last row by chance.
        return str(MAX_ROW).join(self.pieces), MAX_ROW

    def cells(self) -> Iterator[FormulaCell]:
        """Yield the cells one by one."""
        if len(self.rows) == 1:
            yield self.first
            return
        yield from map(self._cell, self.rows)

    def _cell(self, row: int) -> FormulaCell:
        text = str(row).join(self.pieces) if self.pieces else self.first.text
        return replace(self.first, row=row, text=text)


_Found = tuple[int, int, dict[bytes, bytes], str]
"""Row, column, attributes and text of a formula."""


@dataclass(frozen=True, slots=True)
class SharedFormula:
    """A formula that cells share, as it stands in the first of them.

    Attributes:
        text: Text without the equals sign.
        row: Sheet row.
        column: 1-based column.
    """

    text: str
    row: int
    column: int

    def at(self, row: int, column: int) -> str:
        """Return the formula as it reads in another cell."""
        return shift_formula(self.text, row - self.row, column - self.column)

    def pieces(self, column: int) -> tuple[str, ...]:
        """Return the formula of a column as `own_row_pieces`, if it has no other relative row."""
        text = self.at(self.row, column)
        pieces = own_row_pieces(text, self.row) or ()
        return pieces if str(self.row + 1).join(pieces) == shift_formula(text, 1) else ()


def shared_formulas(sheet: SheetEdit) -> dict[bytes, SharedFormula]:
    """Return the formulas that cells of a sheet share, by their number."""
    found: dict[bytes, SharedFormula] = {}
    needle = b"<%sf" % sheet.xml.prefix
    for number in sorted(sheet.xml.rows_with(b"ref")):
        for column, cell in sheet.xml.cells_with(number, needle):
            formula = formula_of(cell)
            if formula is not None and formula[0].get(b"t") == b"shared" and formula[1]:
                found[formula[0].get(b"si", b"")] = SharedFormula(formula[1], number, column)
    return found


def sharing_cells(sheet: SheetEdit, shared: bytes) -> Iterator[tuple[int, int]]:
    """Yield row and column of the cells that share the formula of a number."""
    needle = b"<%sf" % sheet.xml.prefix
    for number in sorted(sheet.xml.rows_with(b"si")):
        for column, cell in sheet.xml.cells_with(number, needle):
            formula = formula_of(cell)
            if (
                formula is not None
                and formula[0].get(b"t") == b"shared"
                and formula[0].get(b"si", b"") == shared
            ):
                yield number, column


def formula_cells(sheet: SheetEdit, *, with_live: bool = False) -> Iterator[FormulaCell]:
    """Yield the formulas of a sheet in row order.

    Args:
        sheet: The sheet.
        with_live: Whether those of `LiveColumns` are among them.
    """
    if not with_live and sheet.live:
        for group in formula_groups(sheet):
            yield from group.cells()
        return
    yield from _all_cells(sheet)


def _all_cells(sheet: SheetEdit) -> Iterator[FormulaCell]:
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
    masters: dict[bytes, SharedFormula] = {}
    for one in found:
        yield _cell(sheet, one, masters)


def _cell(sheet: SheetEdit, found: _Found, masters: dict[bytes, SharedFormula]) -> FormulaCell:
    """Return a formula with its text; one that others share becomes known."""
    number, column, attributes, given = found
    text, fills = given, None
    kind = attributes.get(b"t")
    if kind == b"shared":
        shared = attributes.get(b"si", b"")
        if text:
            masters[shared] = SharedFormula(text, number, column)
        elif shared in masters:
            text = masters[shared].at(number, column)
    elif kind in (b"array", b"dataTable"):
        fills = parse_area(attributes.get(b"ref", b"").decode())
    return FormulaCell(sheet, number, column, text, fills, kind == b"shared", kind == b"dataTable")


def _groups_of_others(
    sheet: SheetEdit, found: Iterable[_Found], known: Mapping[bytes, SharedFormula]
) -> Iterator[FormulaGroup]:
    """Yield formulas with attributes, given in row order; of a shared one a group by column."""
    masters = dict(known)
    alike: dict[tuple[SharedFormula, int], FormulaGroup | None] = {}
    for one in found:
        number, column, attributes, given = one
        if attributes.get(b"t") != b"shared":
            yield FormulaGroup(_cell(sheet, one, masters), [number])
            continue
        shared = attributes.get(b"si", b"")
        if given:
            masters[shared] = SharedFormula(given, number, column)
        formula = masters.get(shared)
        key = (formula or SharedFormula("", number, column), column)
        if key in alike and (group := alike[key]) is not None:
            group.rows.append(number)
            continue
        group = FormulaGroup(_cell(sheet, one, masters), [number])
        if formula is not None and key not in alike:
            group.pieces = formula.pieces(column)
            alike[key] = group if group.pieces else None
        yield group


class _Alike:
    """Gathers formulas of one column each, that differ in the number of their row."""

    def __init__(self, sheet: SheetEdit) -> None:
        self.groups: list[FormulaGroup] = []
        self._sheet = sheet
        self._known: dict[bytes, list[tuple[tuple[bytes, ...], FormulaGroup]]] = {}

    def take(self, letters: bytes, written: bytes, row: int) -> None:
        """Take a formula that stands in one cell, escaped as the file has it."""
        known = self._known.setdefault(letters, [])
        digits = b"%d" % row
        for pieces, group in known:
            if digits.join(pieces) == written:
                group.rows.append(row)
                return
        text = xml.unescape(written)
        cell = FormulaCell(self._sheet, row, column_index(letters.decode()), text)
        self.groups.append(FormulaGroup(cell, [row]))
        own = own_row_pieces(text, row) if len(known) < _MOST_ALIKE else None
        escaped = () if own is None else tuple(map(xml.escape, own))
        # One that is escaped otherwise than usual stands alone.
        if own is not None and len(own) > 1 and digits.join(escaped) == written:
            self.groups[-1].pieces = own
            known.append((escaped, self.groups[-1]))

    def finished(self) -> list[FormulaGroup]:
        """Return the groups, their rows in order."""
        return [group.part(sorted(group.rows)) for group in self.groups]


def formula_groups(sheet: SheetEdit) -> list[FormulaGroup]:
    """Return the formulas of a sheet by column and text, in the order of their first rows.

    Those of `LiveColumns` are left out: nothing is asked about half a million of them.
    """
    scanned = _scan(sheet)
    if scanned is None:
        plain: dict[tuple[int, str], FormulaGroup] = {}
        groups = []
        for cell in _all_cells(sheet):
            if any(table.holds(cell.row, cell.column) for table in sheet.live):
                continue
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
    shared = shared_formulas(sheet) if sheet.live and others else {}
    groups = list(_groups_of_others(sheet, others, shared))
    alike = _Alike(sheet)
    for (letters, text), rows in texts.items():
        if len(rows) == 1:
            alike.take(letters, text, rows[0])
            continue
        rows.sort()
        column = column_index(letters.decode())
        groups.append(FormulaGroup(FormulaCell(sheet, rows[0], column, xml.unescape(text)), rows))
    groups += alike.finished()
    groups.sort(key=lambda group: (group.first.row, group.first.column))
    return groups


def _scan(sheet: SheetEdit) -> tuple[dict[tuple[bytes, bytes], list[int]], list[_Found]] | None:
    """Return plain formulas by letters and text, and the others; `None` of an unusual sheet."""
    prefix = sheet.xml.prefix
    if sheet.xml.masked:
        return None
    element = rb"<%sf(?: ([^<>]*?))?(?:/>|>([^<]*)</%sf>)" % (prefix, prefix)
    needle, opening = b"<%sf" % prefix, b'<%sc r="' % prefix
    texts: dict[tuple[bytes, bytes], list[int]] = {}
    others: list[_Found] = []
    for data, low, high, left_out, letters_left_out in _regions(sheet):
        expected = data.count(needle, low, high)
        pattern = element
        if letters_left_out:
            live = b"|".join(letters_left_out)
            own = re.compile(
                rb'<%sc r="(?:%s)[0-9]+"[^<>]*><%sf(?=[ />])()' % (prefix, live, prefix)
            )
            # The empty group makes a list of one object, instead of a text for each cell.
            expected -= len(own.findall(data, low, high))
            pattern = rb'<%sc r="(?!(?:%s)[0-9])[A-Z]+[0-9]+"[^<>]*>%s' % (prefix, live, element)
        if not expected:
            continue
        for match in re.compile(pattern).finditer(data, low, high):
            expected -= 1
            end = data.find(needle, match.start())
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


def _regions(
    sheet: SheetEdit,
) -> Iterator[tuple[bytes, int, int, frozenset[int], list[bytes]]]:
    """Yield all rows of a sheet: bytes, where they begin and end, rows that do not count.

    At last the letters of the columns whose formulas are left out.
    """
    replaced = sheet.xml.touched_rows()
    touched = frozenset(replaced)
    data = sheet.xml.data
    at, stop = sheet.xml.body
    for table in sorted(sheet.live, key=lambda table: table.body):
        letters = [column_letter(index).encode() for index in table.columns]
        first, last = table.body
        low, high = sheet.xml.span(first, last)
        if low < at:
            # Tables side by side: only one of them can be passed over.
            continue
        yield data, at, low, touched, []
        yield data, low, high, touched, letters
        at = high
        inside = [row for row in replaced if first <= row <= last]
        replaced = [row for row in replaced if not first <= row <= last]
        joined = b"".join(map(sheet.xml.raw, inside))
        yield joined, 0, len(joined), frozenset(), letters
    yield data, at, stop, touched, []
    joined = b"".join(map(sheet.xml.raw, replaced))
    yield joined, 0, len(joined), frozenset(), []


def shared_text(sheet: SheetEdit, shared: bytes, row: int, column: int) -> str | None:
    """Return what the shared formula of a number says in a cell, `None` if there is none."""
    formula = shared_formulas(sheet).get(shared)
    return None if formula is None else formula.at(row, column)


def rewrite_formula(cell: FormulaCell, text: str) -> None:
    """Put another text into a formula; its cached value and attributes stay.

    A shared formula is written out first: the master's text is also its followers'.
    """
    sheet = cell.sheet
    target = sheet.xml.row(cell.row).cells[cell.column]
    formula = formula_of(target)
    if formula is not None and formula[0].get(b"t") == b"shared":
        _unshare(sheet, formula[0].get(b"si", b""))
    _write_formula(sheet, cell.row, cell.column, text)
    cell.text = text


def _write_formula(
    sheet: SheetEdit,
    number: int,
    column: int,
    text: str,
    given: dict[bytes, bytes] | None = None,
) -> None:
    """Put a text into the formula element of a cell.

    It is no shared formula afterwards, unless the attributes given say so.
    """
    target = sheet.xml.row(number).cells[column]
    match = _FORMULA_ELEMENT.search(target.inner or b"")
    if match is None or target.inner is None:
        return
    prefix = sheet.xml.prefix
    attributes = attributes_of(match[1])
    if attributes.get(b"t") == b"shared":
        attributes = {}
    start = attributes_text(attributes if given is None else given)
    element = b"<%sf%s>%s</%sf>" % (prefix, start, xml.escape(text), prefix)
    target.inner = target.inner[: match.start()] + element + target.inner[match.end() :]
    sheet.xml.replace_cell(number, column, target)


def unshare(sheet: SheetEdit) -> None:
    """Write every shared formula of a sheet out in full."""
    for cell in list(formula_cells(sheet, with_live=True)):
        if cell.shared:
            _write_formula(sheet, cell.row, cell.column, cell.text)


def _unshare(sheet: SheetEdit, shared: bytes) -> None:
    """Write the shared formula of a number out in full."""
    formula = shared_formulas(sheet).get(shared)
    if formula is not None:
        for row, column in list(sharing_cells(sheet, shared)):
            _write_formula(sheet, row, column, formula.at(row, column))


def release_masters(sheet: SheetEdit, cells: Mapping[int, Collection[int]]) -> None:
    """Let cells whose formulas are going to be replaced share these with no other cell.

    Args:
        sheet: The sheet.
        cells: Rows by column.
    """
    for shared, formula in shared_formulas(sheet).items():
        if formula.row not in cells.get(formula.column, ()):
            continue
        left = [
            (row, column)
            for row, column in sharing_cells(sheet, shared)
            if row not in cells.get(column, ())
        ]
        if len({column for _, column in left}) == 1:
            _move_master(sheet, shared, formula, left)
        else:
            for row, column in left:
                _write_formula(sheet, row, column, formula.at(row, column))


def _move_master(
    sheet: SheetEdit, shared: bytes, formula: SharedFormula, left: list[tuple[int, int]]
) -> None:
    """Make the first of the cells that are left the one that has the formula for the others."""
    row, column = left[0]
    area = area_text(Area(row, column, left[-1][0], column))
    attributes = {b"t": b"shared", b"ref": area.encode(), b"si": shared}
    _write_formula(sheet, row, column, formula.at(row, column), attributes)

"""What depends on the changes must not show an old figure: formulas, charts, pivots.

The editor computes no formulas. A formula that may depend on a changed cell, directly or
through other formulas and names, loses its cached value, and the workbook asks the opening
program to compute everything (`fullCalcOnLoad`). A reader that does not compute then sees
that there is no value instead of yesterday's. `fullCalcOnLoad` alone is not enough:
LibreOffice 7.4 ignores it and shows the old cached value, whichever program the file names as
its author; without a cached value it computes. Formulas that cannot depend on a changed cell
keep their value, so that untouched rows stay byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.book import fold
from xl_theodoi.workbook.editing.formulas import formula_groups, rewrite_formula
from xl_theodoi.workbook.editing.outside import chart_parts, chart_references, drawing_parts
from xl_theodoi.workbook.editing.pivots import pivot_caches, refresh_on_load
from xl_theodoi.workbook.editing.refs import (
    MAX_COLUMN,
    MAX_ROW,
    Area,
    Kind,
    follow_formula,
    is_own_cell,
    own_row_pieces,
    parse_area,
    sheet_of,
    tokens,
)
from xl_theodoi.workbook.editing.rows import CellXml, attributes_of
from xl_theodoi.workbook.editing.values import is_shared_string, without_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xl_theodoi.workbook.editing.formulas import FormulaGroup
    from xl_theodoi.workbook.editing.refs import Extent, Token
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit

_BRACKETS = re.compile(r"\[((?:'.|[^\[\]'])*)\]")
"""Innermost brackets of a structured reference; `'` escapes in labels."""

_MAX_ROUNDS = 30
_INDIRECT = frozenset({"indirect", "offset", "getpivotdata", "cell", "info"})
"""Functions whose arguments do not tell which cells they read."""

_RESIZING = frozenset({"sumif", "averageif", "lookup"})
"""Functions that read as many cells from one range as another has, however few it names."""

_EXTENSION = ("formulaRef", "fullRef", "levelRef", "ext", "extLst")
_CACHES = ("numCache", "strCache", "multiLvlStrCache", "dlblRangeCache", "lvl")
"""In charts: wrappings of a reference in an extension list, and points kept from last time."""

_THIS_ROW = 0
"""Top of an area that means the row of the formula itself."""


@dataclass(frozen=True, slots=True)
class Use:
    """One thing a formula reads: a rectangle of a sheet; `anything` when it cannot be told."""

    sheet: str
    area: Area
    anything: bool = False


_ANYTHING = Use("", Area(1, 1, MAX_ROW, MAX_COLUMN), anything=True)


def _resized(use: Use, uses: Sequence[Use]) -> Use:
    """Return what a function reads that takes only the corner of a range as given."""
    area = use.area
    if use.anything or area.top == _THIS_ROW:
        return use
    rows = max(u.area.bottom - u.area.top for u in uses)
    columns = max(u.area.right - u.area.left for u in uses)
    bottom = min(max(area.bottom, area.top + rows), MAX_ROW)
    right = min(max(area.right, area.left + columns), MAX_COLUMN)
    return Use(use.sheet, Area(area.top, area.left, bottom, right))


def _spanned(uses: Sequence[Use]) -> list[Use]:
    """Return what may lie between the two ends of a range that functions or names give."""
    if any(use.anything or use.area.top == _THIS_ROW for use in uses):
        return [_ANYTHING]
    result = []
    for sheet in dict.fromkeys(use.sheet for use in uses):
        areas = [use.area for use in uses if use.sheet == sheet]
        span = Area(
            min(a.top for a in areas),
            min(a.left for a in areas),
            max(a.bottom for a in areas),
            max(a.right for a in areas),
        )
        result.append(Use(sheet, span))
    return result


def _is_fixed(token: Token) -> bool:
    """Whether a piece of a name's formula means the same cells wherever the name is used."""
    if token.kind is Kind.CELL:
        return token.text.count("$") == 2 * len(token.text.split(":"))
    if token.kind in (Kind.COLUMNS, Kind.ROWS):
        return token.text.count("$") == 2
    return True


class Dependencies:
    """Tells what formulas read, once for each different text."""

    def __init__(self, session: Session) -> None:
        self._tables = session.book.tables
        self._known: dict[tuple[str, str, int], tuple[Use, ...]] = {}
        self._names: dict[tuple[str, str], str] = {}
        for node in session.book.names():
            key = (session.book.scope(node).casefold(), node.get("name", "").casefold())
            self._names[key] = node.text or ""

    def uses(self, text: str, sheet: str, row: int = 0) -> tuple[Use, ...]:
        """Return what a formula in a sheet reads; top row 0 means the formula's own row.

        Args:
            text: The formula.
            sheet: The sheet it stands in.
            row: Its row, if relative cells of that stand for those of any row.
        """
        key = (sheet, text, row)
        known = self._known.get(key)
        if known is None:
            known = tuple(dict.fromkeys(self._read(text, sheet, frozenset(), row)))
            self._known[key] = known
        return known

    def _read(self, text: str, sheet: str, inside: frozenset[str], row: int = 0) -> list[Use]:
        pieces = list(tokens(text))
        uses = list(self._read_pieces(pieces, sheet, inside, row))
        if any(p.kind is Kind.NAME and p.text.casefold() in _RESIZING for p in pieces):
            uses = [_resized(use, uses) for use in uses]
        if any(p.kind is Kind.OTHER and p.text == ":" for p in pieces):
            uses += _spanned(uses)
        return uses

    def _read_pieces(
        self, pieces: Sequence[Token], sheet: str, inside: frozenset[str], row: int
    ) -> Iterator[Use]:
        for token in pieces:
            where = sheet_of(token.prefix) if token.prefix else sheet
            if token.prefix and ("[" in where or ":" in where):
                if ":" in where:
                    yield _ANYTHING
                continue
            where = where.casefold()
            if token.kind is Kind.CELL:
                area = parse_area(token.text)
                if area is not None and row and is_own_cell(token, row):
                    area = area._replace(top=_THIS_ROW, bottom=0)
                if area is not None:
                    yield Use(where, area)
            elif token.kind is Kind.COLUMNS:
                area = parse_area(re.sub(r"([A-Za-z]+)", r"\g<1>1", token.text))
                if area is not None:
                    yield Use(where, area._replace(bottom=MAX_ROW))
            elif token.kind is Kind.ROWS:
                first, last = (int(n.strip("$")) for n in token.text.split(":"))
                yield Use(where, Area(min(first, last), 1, max(first, last), MAX_COLUMN))
            elif token.kind is Kind.TABLE:
                yield self._table_use(token.text, sheet)
            elif token.kind is Kind.NAME:
                yield from self._name_uses(token.text, where, sheet, inside)

    def _name_uses(
        self, text: str, where: str, sheet: str, inside: frozenset[str]
    ) -> Iterator[Use]:
        name = text.casefold()
        if name in _INDIRECT:
            yield _ANYTHING
            return
        table = self._tables.get(name)
        if table is not None:
            yield Use(table.sheet.name.casefold(), table.area)
        target = self._names.get((where, name), self._names.get(("", name)))
        if target is None or name in inside:
            return
        if all(_is_fixed(token) for token in tokens(target)):
            yield from self._read(target, sheet, inside | {name})
        else:
            # What it means depends on the cell that uses it.
            yield _ANYTHING

    def _table_use(self, text: str, sheet: str) -> Use:
        name, _, rest = text.partition("[")
        table = self._tables.get(name.casefold()) if name else None
        if table is None:
            return _ANYTHING if name else Use(sheet.casefold(), Area(_THIS_ROW, 1, 0, MAX_COLUMN))
        items = [match[1].removeprefix("@") for match in _BRACKETS.finditer(text)]
        labels = [fold(re.sub(r"'(.)", r"\1", i)) for i in items if i and not i.startswith("#")]
        places = {fold(column.label): column.index for column in table.columns}
        area = table.area
        # Anything that is not understood in full means all columns.
        outside = _BRACKETS.sub("", text[len(name) :]).strip("[]@,: ")
        if labels and not outside and all(label in places for label in labels):
            columns = [places[label] for label in labels]
            area = area._replace(left=min(columns), right=max(columns))
        if "#this row" in rest.casefold() or rest.startswith("@"):
            area = area._replace(top=_THIS_ROW, bottom=0)
        return Use(table.sheet.name.casefold(), area)


def _stale_rows(
    group: FormulaGroup, uses: Sequence[Use], sheets: dict[str, SheetEdit]
) -> list[int]:
    """Return the rows of a group whose formula may read what changed."""
    rows: set[int] = set()
    for use in uses:
        sheet = sheets.get(use.sheet)
        if not use.anything and (sheet is None or not sheet.changed):
            continue
        if use.anything or (
            sheet is not None and use.area.top != _THIS_ROW and sheet.changed.meets(use.area)
        ):
            return group.rows
        if sheet is not None and use.area.top == _THIS_ROW:
            rows |= sheet.changed.rows_among(group.rows, use.area.left, use.area.right)
    return [row for row in group.rows if row in rows] if rows else []


def settle(session: Session, extents: Sequence[Extent]) -> None:
    """Make sure that nothing in the workbook shows a figure from before the changes."""
    book = session.book
    sheets = {s.name.casefold(): session.sheet(s) for s in book.sheets}
    if not any(s.changed for s in sheets.values()) and not extents:
        return
    dependencies = Dependencies(session)
    asked = [sheet for sheet in sheets.values() if sheet.part not in session.given]
    waiting = [group for sheet in asked for group in formula_groups(sheet)]
    # Stored results of live columns and given sheets are right: the program computed them.
    has_formulas = bool(waiting or session.given) or any(s.live for s in sheets.values())
    if extents:
        waiting = [part for group in waiting for part in _followed(group, extents)]
    pivots = pivot_caches(session)
    stale: list[FormulaGroup] = []
    for _ in range(_MAX_ROUNDS):
        old = [cache for cache in pivots if cache.is_stale(sheets)]
        for cache in old:
            pivots.remove(cache)
            refresh_on_load(session, cache)
            for name, area in cache.shown:
                sheets[name].changed.add_area(area)
        found = False
        rest = []
        for group in waiting:
            cell = group.first
            uses: Sequence[Use] = (_ANYTHING,)
            if not cell.table:
                text, row = group.form()
                uses = dependencies.uses(text, cell.sheet.name, row)
            rows = _stale_rows(group, uses, sheets)
            if not rows:
                rest.append(group)
                continue
            found = True
            cell.sheet.changed.add_rows(cell.column, rows)
            if cell.fills is not None:
                cell.sheet.changed.add_area(cell.fills)
            stale.append(group.part(rows))
            if len(rows) < len(group.rows):
                gone = set(rows)
                rest.append(group.part([row for row in group.rows if row not in gone]))
        waiting = rest
        if not found and not old:
            break
    else:
        stale += waiting
        for cache in pivots:
            refresh_on_load(session, cache)
    _drop_values(stale)
    if any(s.formulas_changed for s in sheets.values()):
        book.drop_calculation_chain()
    if has_formulas:
        book.recalculate_on_load()
    _settle_charts(session, dependencies, sheets)
    _settle_links(session, dependencies, sheets)


def _followed(group: FormulaGroup, extents: Sequence[Extent]) -> Iterator[FormulaGroup]:
    """Yield formulas whose ranges end where the tables end now."""
    cell = group.first
    sheet = cell.sheet
    if ":" not in cell.text:
        yield group
        return
    bodies = [
        e.body
        for e in extents
        if e.sheet == sheet.name and e.body.left <= cell.column <= e.body.right
    ]
    inside = [r for r in group.rows if any(b.top <= r <= b.bottom for b in bodies)]
    outside = [r for r in group.rows if not any(b.top <= r <= b.bottom for b in bodies)]
    for rows, only_absolute in ((inside, True), (outside, False)):
        if not rows:
            continue
        part = group.part(rows)
        before, own = part.form()
        text = follow_formula(before, extents, sheet.name, only_absolute=only_absolute)
        if text != before:
            pieces = own_row_pieces(text, own) or ()
            for one in list(part.cells()):
                rewrite_formula(one, str(one.row).join(pieces) if own else text)
            part.first.text = str(part.first.row).join(pieces) if own else text
            part.pieces = pieces if own else ()
        yield part


def _drop_values(stale: Sequence[FormulaGroup]) -> None:
    """Take the cached values out of formulas, and out of the cells an array fills."""
    places: dict[tuple[str, int], tuple[SheetEdit, set[int]]] = {}
    filled: set[tuple[str, int]] = set()
    for group in stale:
        cell = group.first
        part = cell.sheet.part
        for row in group.rows:
            places.setdefault((part, row), (cell.sheet, set()))[1].add(cell.column)
        if cell.fills is None:
            continue
        for row in range(cell.fills.top, cell.fills.bottom + 1):
            columns = places.setdefault((part, row), (cell.sheet, set()))[1]
            columns.update(range(cell.fills.left, cell.fills.right + 1))
            filled.add((part, row))
    for key, (sheet, columns) in places.items():
        number = key[1]
        # Cells that an array fills have a value but no formula of their own.
        needle = b"<%s%s" % (sheet.xml.prefix, b"v" if key in filled else b"f")
        for column, old in list(sheet.xml.cells_with(number, needle)):
            if column not in columns or old.inner is None:
                continue
            attributes = attributes_of(old.attributes)
            inner = without_value(old.inner) or None
            if attributes.pop(b"t", None) is None and inner == old.inner:
                continue
            if is_shared_string(old):
                sheet.forget(old)
            text = b"".join(b' %s="%s"' % pair for pair in attributes.items())
            sheet.xml.replace_cell(number, column, CellXml(text, inner))


def _is_stale_text(
    text: str, home: str, dependencies: Dependencies, sheets: dict[str, SheetEdit]
) -> bool:
    """Whether a reference outside the cells may lead to a changed cell."""
    for use in dependencies.uses(text, home):
        sheet = sheets.get(use.sheet)
        if use.anything or (sheet is not None and sheet.changed.meets(use.area)):
            return True
    return False


def _settle_charts(
    session: Session, dependencies: Dependencies, sheets: dict[str, SheetEdit]
) -> None:
    """Drop the cached points of the series that show changed cells."""
    for part in chart_parts(session):
        root = session.package.xml(part)
        changed = False
        for node in chart_references(root):
            if not _is_stale_text(node.text or "", "", dependencies, sheets):
                continue
            holder = node.getparent()
            # A full range stands in the extension list of the reference that has the points.
            while holder is not None and str(holder.tag).rpartition("}")[2] in _EXTENSION:
                holder = holder.getparent()
            for child in list(holder) if holder is not None else ():
                if str(child.tag).rpartition("}")[2] in _CACHES and holder is not None:
                    # Taken out with its points, lxml would look up the namespace of each.
                    child.clear()
                    holder.remove(child)
                    changed = True
        if changed:
            session.package.write(part, xml.write_xml(root))


def _settle_links(
    session: Session, dependencies: Dependencies, sheets: dict[str, SheetEdit]
) -> None:
    """Empty the text boxes that show a changed cell; Excel fills them from the cell."""
    for home, part in drawing_parts(session):
        if b"textlink=" not in session.package.read(part):
            continue
        root = session.package.xml(part)
        changed = False
        for shape in root.iter("{*}sp", "{*}cxnSp"):
            link = shape.get("textlink")
            if not link or not _is_stale_text(link, home, dependencies, sheets):
                continue
            for leaf in shape.iter(xml.tag("t", xml.DRAWING)):
                changed = changed or bool(leaf.text)
                leaf.text = ""
        if changed:
            session.book.recalculate_on_load()
            session.package.write(part, xml.write_xml(root))

"""Ranges and formulas: reading references, shifting them, letting them follow a table's end."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from xl_theodoi.domain.cells import column_index, column_letter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384

_CELL = r"\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}"
_SHEET = r"(?:'(?:[^']|'')*'|(?:\[[^\]]*\])?[\w.]+(?::[\w.]+)?)!"
_TOKEN = re.compile(
    rf"""(?P<string>"(?:[^"]|"")*")
    |(?P<cell>(?:{_SHEET})?{_CELL}(?::{_CELL})?(?![\w(\[!.]))
    |(?P<columns>(?:{_SHEET})?\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}(?![\w(\[!.]))
    |(?P<rows>(?:{_SHEET})?\$?[1-9][0-9]{{0,6}}:\$?[1-9][0-9]{{0,6}}(?![\w(\[!.]))
    |(?P<name>(?:{_SHEET})?[^\W\d][\w.\\?]*)
    |(?P<number>[0-9.]+(?:[eE][+-]?[0-9]+)?)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PLACE = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")


class Kind(Enum):
    """What a piece of a formula is."""

    STRING = "string"
    CELL = "cell"
    COLUMNS = "columns"
    ROWS = "rows"
    NAME = "name"
    NUMBER = "number"
    TABLE = "table"
    OTHER = "other"


class Area(NamedTuple):
    """A rectangle of cells, 1-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int

    def meets(self, other: Area) -> bool:
        """Whether the two rectangles share a cell."""
        return (
            self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )


class Token(NamedTuple):
    """A piece of a formula; references carry their sheet prefix apart from their text."""

    kind: Kind
    text: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """How the last row of a table moved, as its followers need to know it.

    Attributes:
        sheet: Sheet name.
        first: First body row.
        left: First column.
        right: Last column.
        old_last: Last body row before.
        new_last: Last body row now.
    """

    sheet: str
    first: int
    left: int
    right: int
    old_last: int
    new_last: int

    @property
    def body(self) -> Area:
        """Body of the table as it was and as it is, taken together."""
        return Area(self.first, self.left, max(self.old_last, self.new_last), self.right)


def parse_area(text: str) -> Area | None:
    """Return the rectangle of `A1` or `$A$1:B9`, or `None` where the text is none."""
    first, colon, last = text.partition(":")
    start = _PLACE.fullmatch(first)
    end = _PLACE.fullmatch(last) if colon else start
    if start is None or end is None:
        return None
    rows = sorted((int(start[4]), int(end[4])))
    columns = sorted((column_index(start[2].upper()), column_index(end[2].upper())))
    return Area(rows[0], columns[0], rows[1], columns[1])


def area_text(area: Area) -> str:
    """Return the rectangle as `A1:B9`, or `A1` for one cell."""
    start = f"{column_letter(area.left)}{area.top}"
    end = f"{column_letter(area.right)}{area.bottom}"
    return start if start == end else f"{start}:{end}"


def address(row: int, column: int) -> str:
    """Return the A1 address of a cell."""
    return f"{column_letter(column)}{row}"


def _closing_bracket(text: str, start: int) -> int:
    """Return the end of the bracketed expression that opens at `start` (`'` escapes)."""
    depth = 0
    at = start
    while at < len(text):
        letter = text[at]
        if letter == "'":
            at += 1
        elif letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(text)


def tokens(formula: str) -> Iterator[Token]:
    """Yield the pieces of a formula; joined with their prefixes they give it back."""
    at = 0
    while at < len(formula):
        match = _TOKEN.match(formula, at)
        if match is None:  # pragma: no cover - `other` takes any character
            return
        kind = Kind(match.lastgroup)
        text = match.group()
        end = match.end()
        if (kind is Kind.NAME and formula[end : end + 1] == "[") or text == "[":
            close = _closing_bracket(formula, at if text == "[" else end)
            yield Token(Kind.TABLE, formula[at:close])
            at = close
            continue
        prefix = ""
        if kind in (Kind.CELL, Kind.COLUMNS, Kind.ROWS, Kind.NAME):
            cut = text.rfind("!") + 1
            prefix, text = text[:cut], text[cut:]
        yield Token(kind, text, prefix)
        at = end


def sheet_of(prefix: str) -> str:
    """Return the sheet name that a prefix such as `'Nhiệm vụ'!` means."""
    name = prefix.removesuffix("!")
    if name.startswith("'") and name.endswith("'"):
        name = name[1:-1].replace("''", "'")
    return name


def _shift_place(match: re.Match[str], rows: int, columns: int) -> str | None:
    row = int(match[4]) + (0 if match[3] else rows)
    column = column_index(match[2].upper()) + (0 if match[1] else columns)
    if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
        return None
    return f"{match[1]}{column_letter(column)}{match[3]}{row}"


def shift_formula(formula: str, rows: int, columns: int = 0) -> str:
    """Return a formula as it reads when copied `rows` down and `columns` to the right."""
    if not rows and not columns:
        return formula
    parts: list[str] = []
    for token in tokens(formula):
        text = token.text
        if token.kind is Kind.CELL:
            shifted = [
                _shift_place(place, rows, columns)
                for place in map(_PLACE.fullmatch, text.split(":"))
                if place is not None
            ]
            text = "#REF!" if None in shifted else ":".join(part or "" for part in shifted)
        elif token.kind is Kind.COLUMNS and columns:
            text = re.sub(
                r"(\$?)([A-Za-z]+)",
                lambda m: m[0] if m[1] else column_letter(column_index(m[2].upper()) + columns),
                text,
            )
        elif token.kind is Kind.ROWS and rows:
            text = re.sub(r"(\$?)([0-9]+)", lambda m: m[0] if m[1] else str(int(m[2]) + rows), text)
        parts.append(token.prefix + text)
    return "".join(parts)


def own_row_pieces(formula: str, row: int) -> tuple[str, ...] | None:
    """Return what stands between the numbers of a formula's own row, where these are relative.

    `None` for a formula with a range whose ends are given by functions or names: of that the
    addresses alone do not tell what it reads.
    """
    pieces: list[str] = []
    parts: list[str] = []
    for token in tokens(formula):
        if is_own_cell(token, row):
            pieces.append("".join((*parts, token.text.removesuffix(str(row)))))
            parts.clear()
            continue
        if token.kind is Kind.OTHER and token.text == ":":
            return None
        parts.append(token.prefix + token.text)
    pieces.append("".join(parts))
    return tuple(pieces)


def is_own_cell(token: Token, row: int) -> bool:
    """Whether a piece of a formula is one of those cells that `own_row_pieces` cuts at."""
    place = _PLACE.fullmatch(token.text) if token.kind is Kind.CELL and not token.prefix else None
    return place is not None and not place[3] and int(place[4]) == row


def has_relative_cells(formula: str) -> bool:
    """Whether a formula reads differently one row further down."""
    return shift_formula(formula, 1) != formula


def follow_area(area: Area, extent: Extent) -> Area:
    """Return where a range ends now: with the table, where it ended with the table.

    A range also follows when it covered the whole body and a little more, and the table has
    outgrown it. One row alone at the end of a longer table is somebody's single row: it stays.
    """
    if area.right < extent.left or area.left > extent.right or area.top > extent.new_last:
        return area
    if area.bottom == extent.old_last:
        if area.top <= extent.first or area.bottom > area.top:
            return area._replace(bottom=max(extent.new_last, area.top))
    elif area.top <= extent.first and extent.old_last < area.bottom < extent.new_last:
        return area._replace(bottom=extent.new_last)
    return area


def follow_sqref(sqref: str, extents: Iterable[Extent]) -> str:
    """Return a list of ranges of one sheet after its tables' last rows moved."""
    moved = tuple(extents)
    result: list[str] = []
    for text in sqref.split():
        area = parse_area(text)
        if area is None:
            result.append(text)
            continue
        changed = area
        for extent in moved:
            changed = follow_area(changed, extent)
        result.append(text if changed == area else area_text(changed))
    return " ".join(result)


def follow_formula(
    formula: str,
    extents: Iterable[Extent],
    sheet: str,
    *,
    only_absolute: bool = False,
) -> str:
    """Return a formula whose ranges end where the tables end now.

    Single cells never follow, nor does a one-row range whose row is relative: `G2:H2` of a
    table with one row means "this row".

    Args:
        formula: Formula text without the equals sign.
        extents: Tables whose last row moved.
        sheet: The sheet that unqualified references mean.
        only_absolute: Leave ranges with a relative end alone (running totals in a table).
    """
    moved = tuple(extents)
    if not moved or ":" not in formula:
        return formula
    parts: list[str] = []
    for token in tokens(formula):
        text = token.text
        if token.kind is Kind.CELL and ":" in text:
            where = (sheet_of(token.prefix) if token.prefix else sheet).casefold()
            area = parse_area(text)
            places = [_PLACE.fullmatch(part) for part in text.split(":")]
            if area is not None and places[0] and places[1]:
                absolute = bool(places[0][3] and places[1][3])
                changed = area
                if absolute or not (only_absolute or area.top == area.bottom):
                    for extent in moved:
                        if extent.sheet.casefold() == where:
                            changed = follow_area(changed, extent)
                if changed != area:
                    text = _with_last_row(places[0], places[1], changed.bottom)
        parts.append(token.prefix + text)
    return "".join(parts)


def _with_last_row(first: re.Match[str], last: re.Match[str], row: int) -> str:
    lower, upper = (first, last) if int(first[4]) <= int(last[4]) else (last, first)
    return f"{lower[0]}:{upper[1]}{upper[2]}{upper[3]}{row}"


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows of a table that were taken out, as references need to know it.

    Attributes:
        sheet: Sheet name.
        body: Body of the table before.
        rows: Sheet rows taken out, ascending.
        followed: Last row when the workbook was opened; ranges that end there follow the
            table when the edit closes and keep their end until then.
    """

    sheet: str
    body: Area
    rows: tuple[int, ...]
    followed: int

    def target(self, row: int) -> int | None:
        """Return where a row of the body stands now, `None` for one that was taken out."""
        at = bisect_left(self.rows, row)
        gone = at < len(self.rows) and self.rows[at] == row
        return None if gone else row - at

    def move_row(self, area: Area) -> Area | None:
        """Return where a single cell stands now, also one in the last row."""
        if not self.body.meets(area):
            return area
        row = self.target(area.top)
        return None if row is None else area._replace(top=row, bottom=row)

    def move(self, area: Area) -> Area | None:
        """Return where a range of the table stands now, `None` when all its rows are gone."""
        if not self.body.meets(area) or area.right > self.body.right or area.left < self.body.left:
            return area
        if self.body.top < area.top == area.bottom:
            return self.move_row(area)
        top, bottom = area.top, area.bottom
        if top >= self.body.top:
            top -= bisect_left(self.rows, top)
        if bottom <= self.body.bottom and bottom != self.followed:
            bottom -= bisect_right(self.rows, bottom)
        return area._replace(top=top, bottom=bottom) if top <= bottom else None


def map_rows(formula: str, home: str, removal: Removal, *, inside: bool = False) -> str:
    """Return a formula whose references go with the rows they point to.

    Args:
        formula: Formula text without the equals sign.
        home: Sheet that unqualified references mean.
        removal: The rows that were taken out.
        inside: Whether the formula stands in the table itself; a relative end of a range is
            then the formula's own row and no end of the table.
    """
    parts: list[str] = []
    for token in tokens(formula):
        text = token.text
        where = sheet_of(token.prefix) if token.prefix else home
        area = parse_area(text) if token.kind is Kind.CELL else None
        if area is not None and where.casefold() == removal.sheet.casefold():
            places = [m for m in map(_PLACE.fullmatch, text.split(":")) if m is not None]
            own_end = len(places) == 1 or (inside and not places[-1][3])
            moved = (replace(removal, followed=0) if own_end else removal).move(area)
            if moved is None:
                text = "#REF!"
            elif moved != area:
                places.sort(key=lambda m: int(m[4]))
                rows = (moved.top, moved.bottom)
                text = ":".join(
                    f"{m[1]}{m[2]}{m[3]}{row}" for m, row in zip(places, rows, strict=False)
                )
        parts.append(token.prefix + text)
    return "".join(parts)

"""Where the rows of a template went: references, ranges and places follow them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index
from xl_theodoi.workbook.editing.refs import (
    MAX_ROW,
    Area,
    Kind,
    area_text,
    parse_area,
    sheet_of,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.workbook.filling.rows import Path, PrintedRow

_PLACE = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")
_ROW = re.compile(r"(\$?)([1-9][0-9]{0,6})")


class SeveralRowsError(Exception):
    """A single cell of a repeated row is meant from outside the loop: which copy?"""


class RowMap:
    """Old rows to new rows of one sheet.

    Args:
        printed: The rows of the result.
        rows: Number of rows that the template has.
        loops_of: Identities of the loops around each template row that is printed at all.
    """

    def __init__(
        self,
        printed: Sequence[PrintedRow],
        rows: int,
        loops_of: Mapping[int, tuple[int, ...]],
    ) -> None:
        self.printed = printed
        self.rows = rows
        self._loops_of = loops_of
        self._copies: dict[int, list[int]] = {}
        self._inside: dict[tuple[int, Path], list[int]] = {}
        for new, row in enumerate(printed, start=1):
            self._copies.setdefault(row.source, []).append(new)
            for depth in range(1, len(row.path) + 1):
                self._inside.setdefault((row.source, row.path[:depth]), []).append(new)

    @property
    def growth(self) -> int:
        """By how many rows the sheet became longer."""
        return len(self.printed) - self.rows

    @property
    def is_unchanged(self) -> bool:
        """Whether every row stands where it stood."""
        return not self.growth and all(
            new == row.source for new, row in enumerate(self.printed, start=1)
        )

    def copies(self, row: int, path: Path = ()) -> Sequence[int]:
        """Return the new rows of an old row, as seen from a row inside the loops of `path`."""
        if row > self.rows:
            return (min(row + self.growth, MAX_ROW),)
        loops = self._loops_of.get(row, ())
        depth = 0
        while depth < min(len(path), len(loops)) and path[depth][0] == loops[depth]:
            depth += 1
        if depth == 0:
            return self._copies.get(row, ())
        return self._inside.get((row, path[:depth]), ())

    def span(self, top: int, bottom: int, path: Path = ()) -> tuple[int, int] | None:
        """Return the first and last new row of a range of old rows, None where none is left."""
        first = last = None
        for row in range(top, min(bottom, self.rows) + 1):
            new = self.copies(row, path)
            if new:
                first = new[0] if first is None else min(first, new[0])
                last = new[-1] if last is None else max(last, new[-1])
        if bottom > self.rows:
            last = bottom if bottom == MAX_ROW else min(bottom + self.growth, MAX_ROW)
            if first is None:
                first = min(max(top, self.rows + 1) + self.growth, MAX_ROW)
        return None if first is None or last is None else (first, last)

    def groups(self, top: int, bottom: int) -> list[tuple[int, int]]:
        """Return the runs of new rows that are copies of a block of old rows.

        A block inside a loop has one run for each turn; a block around a loop has one.
        """
        if top > self.rows:
            return [(top + self.growth, bottom + self.growth)]
        result: list[tuple[int, int]] = []
        opening: int | None = None
        for new, row in enumerate(self.printed, start=1):
            if not top <= row.source <= bottom:
                continue
            if opening is None or row.source == opening:
                opening = row.source
                result.append((new, new))
            else:
                result[-1] = (result[-1][0], new)
        return result

    def place_of(self, row: int) -> int:
        """Return where something anchored at an old row stands now."""
        span = self.span(row, max(row, self.rows + 1))
        return span[0] if span else max(1, row + self.growth)

    def areas(self, sqref: str) -> str:
        """Return a list of ranges after the move; ranges of rows that are gone are dropped."""
        result: list[str] = []
        for text in sqref.split():
            area = parse_area(text)
            if area is None:
                result.append(text)
                continue
            span = self.span(area.top, area.bottom)
            if span is not None:
                result.append(area_text(Area(span[0], area.left, span[1], area.right)))
        return " ".join(result)


def move_formula(
    formula: str,
    maps: Mapping[str, RowMap],
    sheet: str,
    path: Path = (),
    *,
    first_copy: bool = False,
) -> str:
    """Return a formula whose references follow the rows they mean.

    Inside a loop a reference means the row of the same turn; a range over a repeated row
    covers all its copies. A range of which no row is left becomes 0.

    Args:
        formula: Formula text without the equals sign.
        maps: Row maps by sheet name in lower case.
        sheet: The sheet that unqualified references mean.
        path: Turns of the loops around the formula's own row.
        first_copy: A single cell of a repeated row means its first copy (conditional formats
            and validations, whose formulas are relative to the first cell).

    Raises:
        SeveralRowsError: Where a single cell of a repeated row is meant from outside.
    """
    parts: list[str] = []
    for token in tokens(formula):
        text = token.text
        where = (sheet_of(token.prefix) if token.prefix else sheet).casefold()
        rows = maps.get(where)
        if rows is not None and token.kind in (Kind.CELL, Kind.ROWS):
            inner = path if where == sheet.casefold() else ()
            moved = _moved(text, rows, inner, first_copy=first_copy)
            if moved is None:
                parts.append("0")
                continue
            text = moved
        parts.append(token.prefix + text)
    return "".join(parts)


def _moved(text: str, rows: RowMap, path: Path, *, first_copy: bool) -> str | None:
    pieces = text.split(":")
    pattern = _PLACE if _PLACE.fullmatch(pieces[0]) else _ROW
    matches = [pattern.fullmatch(piece) for piece in pieces]
    if None in matches:
        return text
    numbers = [int(match[match.re.groups]) for match in matches if match]
    heads = [match[0][: -len(match[match.re.groups])] for match in matches if match]
    if len(numbers) == 1:
        copies = rows.copies(numbers[0], path)
        if not copies:
            return None
        if len(copies) > 1 and not first_copy:
            raise SeveralRowsError
        return f"{heads[0]}{copies[0]}"
    span = rows.span(min(numbers), max(numbers), path)
    if span is None:
        return None
    ordered = span if numbers[0] <= numbers[1] else span[::-1]
    return f"{heads[0]}{ordered[0]}:{heads[1]}{ordered[1]}"


def columns_of(area: Area) -> range:
    """Return the column numbers of a range."""
    return range(area.left, area.right + 1)


def split_address(address: str) -> tuple[int, int]:
    """Return row and column of an A1 address.

    Raises:
        ValueError: If it is none.
    """
    match = _PLACE.fullmatch(address)
    if match is None:
        message = f"not an address: {address}"
        raise ValueError(message)
    return int(match[4]), column_index(match[2].upper())

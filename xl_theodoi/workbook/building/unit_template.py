"""Rows of unit workbooks as bytes: what many rows have in common is made once in a sending.

The rows of a `RowPattern` are long formulas with few values between them. A `Template` holds,
for each row, the bytes between its values, row numbers and marks put in already; the next
workbook that has the row only puts its own values in. Nothing of a task is ever kept: what
is kept follows from the pattern, the number of the row and its marks, and is found by all three.
"""

from __future__ import annotations

import re
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from xl_theodoi.workbook.building.unit_rows import HERE, MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUE: Final = "\0"
"""Stands in a template for what a row puts in for a cell."""
_VALUE: Final = VALUE.encode()
_MOST_KEPT: Final = 48 << 20
"""Bytes of rows that a sending keeps at most."""
_ORDER: Final = {mark.encode(): nth for nth, mark in enumerate((HERE, *MARKS))}
_NUMBERS: Final = re.compile(f"[{HERE}{''.join(MARKS)}]".encode())

_Row = tuple[bytes, ...]


def encoded(texts: Sequence[str]) -> list[bytes]:
    """Return texts as bytes; none of them holds a zero character."""
    return "\0".join(texts).encode().split(b"\0") if texts else []


class Template:
    """The cells of a row as bytes between the values.

    Args:
        text: The cells, with `HERE`, `MARKS` and `VALUE` in the places of what rows put in.
    """

    __slots__ = ("_picked", "_pieces", "rows")

    def __init__(self, text: str) -> None:
        data = text.encode()
        constant = _NUMBERS.split(data)
        self._pieces = [b""] * (2 * len(constant) - 1)
        self._pieces[::2] = constant
        places = [_ORDER[place] for place in _NUMBERS.findall(data)]
        # Of a single item the getter would not give a tuple.
        self._picked = itemgetter(*places) if len(places) > 1 else None
        self.rows: dict[object, _Row] = {}

    def row(self, numbers: Sequence[bytes]) -> _Row:
        """Return the bytes of a row, with an empty place wherever a value is put in.

        Args:
            numbers: Number of the row, and what stands for each mark.
        """
        pieces = self._pieces
        if self._picked is not None:
            pieces[1::2] = self._picked(numbers)
        elif len(pieces) > 1:
            pieces[1] = numbers[0]
        parts = b"".join(pieces).split(_VALUE)
        found = [b""] * (2 * len(parts) - 1)
        found[::2] = parts
        return tuple(found)


class Templates:
    """The templates of one sending, found by their text."""

    def __init__(self) -> None:
        self._known: dict[str, Template] = {}
        self._kept = 0

    def filled(
        self,
        text: str,
        rows: Sequence[int],
        marks: Sequence[Sequence[str]],
        put_in: Sequence[Sequence[bytes]],
        *,
        recurs: bool,
    ) -> list[bytes]:
        """Return the cells of rows.

        Args:
            text: See `Template`.
            rows: 0-based number of each row.
            marks: For each mark, what stands for it in each row.
            put_in: For each value, what each row puts in.
            recurs: Whether other workbooks have rows with the same number and marks.
        """
        template = self._known.get(text)
        if template is None:
            template = Template(text)
            if recurs:
                self._known[text] = template
        keys: Sequence[object] = tuple(zip(rows, *marks, strict=True)) if marks else rows
        found = list(map(template.rows.get, keys))
        if None in found:
            self._make(template, found, keys, rows, marks, recurs=recurs)
        made: list[_Row] = found  # type: ignore[assignment]  # all are made by now
        if not put_in:
            return [row[0] for row in made]
        flat = list(chain.from_iterable(made))
        width = 2 * len(put_in) + 1
        for nth, values in enumerate(put_in):
            flat[2 * nth + 1 :: width] = values
        join = b"".join
        return [join(flat[at : at + width]) for at in range(0, len(flat), width)]

    def _make(
        self,
        template: Template,
        found: list[_Row | None],
        keys: Sequence[object],
        rows: Sequence[int],
        marks: Sequence[Sequence[str]],
        *,
        recurs: bool,
    ) -> None:
        """Make the rows that are not there yet, and keep them where they recur."""
        numbers = encoded([str(row + 1) for row in rows])
        columns = list(zip(numbers, *map(encoded, marks), strict=True))
        for nth, row in enumerate(found):
            if row is None:
                made = found[nth] = template.row(columns[nth])
                if recurs:
                    template.rows[keys[nth]] = made
                    self._kept += sum(map(len, made))
        if self._kept > _MOST_KEPT:
            self._known.clear()
            self._kept = 0

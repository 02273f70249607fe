"""Rows of unit workbooks as text, filled column by column.

The rows of a `RowPattern` are long formulas with few values between them. A template is such
a row once, cut at every place where the rows differ; all rows are filled at once, place by
place. Only templates are kept from one workbook to the next, which hold nothing but formulas.

Rows are texts whose letters are the bytes of the file (`packed`): Python joins ten thousand of
them by copying, ten times faster than as many `bytes`, and turns the whole into bytes by
copying once more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from xl_theodoi.workbook.building.unit_content import (
    LAST_LISTED,
    LAST_ROW,
    LAST_SENT,
    LAST_TASK,
)
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VALUE: Final = "\0"
"""Stands in a template for what a row puts in for a cell."""
_MOST_KEPT: Final = 256
"""Templates that a sending keeps at most."""
_PLACES: Final = re.compile(
    f"[{VALUE}{HERE}{LAST_ROW}{LAST_TASK}{LAST_SENT}{LAST_LISTED}{''.join(MARKS)}]"
)


def packed(text: str) -> str:
    """Return a text whose letters are the bytes of another one's UTF-8."""
    return text if text.isascii() else text.encode().decode("latin-1")


def all_packed(texts: Sequence[str]) -> list[str]:
    """Return the same of texts; none of them holds a zero character."""
    return packed("\0".join(texts)).split("\0") if texts else []


class Templates:
    """The templates of one sending."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[str], list[str]]] = {}

    def _pieces(self, text: str) -> tuple[list[str], list[str]]:
        """Return the pieces of a template, every second one a place, and what the places are."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            whole = packed(text)
            constant = _PLACES.split(whole)
            pieces = [""] * (2 * len(constant) - 1)
            pieces[::2] = constant
            found = self._known[text] = (pieces, _PLACES.findall(whole))
        return found

    def filled(
        self,
        text: str,
        rows: Sequence[int],
        marks: Sequence[Sequence[str]],
        put_in: Sequence[Sequence[str]],
        common: Mapping[str, str],
    ) -> list[str]:
        """Return the cells of rows.

        Args:
            text: The cells, with `HERE`, `MARKS` and `VALUE` in the places of what rows put
                in, and `LAST_ROW` and its like in those of what the workbook puts in.
            rows: 0-based number of each row.
            marks: For each mark, what stands for it in each row.
            put_in: For each value, what each row puts in.
            common: What stands for `LAST_ROW` and its like.
        """
        pieces, places = self._pieces(text)
        count, size = len(rows), len(pieces)
        columns: dict[str, Sequence[str]] = {
            mark: [number] * count for mark, number in common.items()
        }
        columns[HERE] = [str(row + 1) for row in rows]
        columns.update(zip(MARKS, map(all_packed, marks), strict=False))
        flat = pieces * count
        values = iter(put_in)
        for at, place in enumerate(places):
            flat[2 * at + 1 :: size] = next(values) if place == VALUE else columns[place]
        join = "".join
        return [join(flat[at : at + size]) for at in range(0, len(flat), size)]

"""A sheet written anew where many of its rows change: one block of bytes instead of thousands.

A register of 90,000 rows is 130 MB of XML. Changed rows kept one by one beside the old bytes,
and joined later, would stand in memory twice over; here the new bytes are written while the
rows change, and the old ones go as soon as the last row is done.
"""

from __future__ import annotations

import io
from array import array
from bisect import bisect_left
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xl_theodoi.workbook.editing.rows import SheetXml

MANY: Final = 500
"""From this number of rows on, a sheet is written anew."""
_BATCH: Final = 2000


class Rewriter:
    """Takes changed rows of a sheet in ascending order and puts them into the sheet at the end.

    Args:
        sheet: The sheet; until `finish` it reads as before.
    """

    def __init__(self, sheet: SheetXml) -> None:
        self._sheet = sheet
        self._view = memoryview(sheet.data)
        self._numbers, self._starts, self._ends = sheet.places()
        self._out = io.BytesIO()
        self._copied = 0
        self._index = 0
        self._shift = 0
        self._new_starts = array("q")
        self._new_ends = array("q")
        self._touched = array("l")

    def put(self, number: int, raw: bytes) -> None:
        """Write a changed row in the place of the one there is."""
        index = bisect_left(self._numbers, number, self._index)
        start, end = self._starts[index], self._ends[index]
        self._pass_over(index)
        if self._copied < start:
            self._out.write(self._view[self._copied : start])
        self._out.write(raw)
        self._copied = end
        self._index = index + 1
        self._new_starts.append(start + self._shift)
        self._shift += len(raw) - (end - start)
        self._new_ends.append(end + self._shift)
        self._touched.append(number)

    def _pass_over(self, index: int) -> None:
        """Take over the places of the rows that stay as they are, up to an index."""
        low, shift = self._index, self._shift
        if low < index:
            self._new_starts.extend([at + shift for at in self._starts[low:index]])
            self._new_ends.extend([at + shift for at in self._ends[low:index]])

    def finish(self) -> None:
        """Put the new bytes into the sheet in the place of the old ones."""
        if not self._touched:
            return
        self._pass_over(len(self._numbers))
        self._out.write(self._view[self._copied :])
        self._view.release()
        touched = self._touched[0], self._touched[-1]
        self._sheet.rebase(
            self._out.getvalue(), self._numbers, self._new_starts, self._new_ends, touched
        )


def insert_rows(sheet: SheetXml, numbers: range, rows: Iterable[bytes]) -> None:
    """Write new rows into a sheet that has none of these numbers in its bytes."""
    known, starts, ends = sheet.places()
    index = bisect_left(known, numbers[0])
    last = ends[-1] if ends else sheet.body[0]
    at = starts[index] if index < len(starts) else last
    view = memoryview(sheet.data)
    out = io.BytesIO()
    out.write(view[:at])
    lengths = array("q")
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        lengths.extend(map(len, batch))
        out.write(b"".join(batch))
    out.write(view[at:])
    edges = list(accumulate(lengths, initial=at))
    growth = edges[-1] - at
    below = [place + growth for place in starts[index:]], [place + growth for place in ends[index:]]
    sheet.rebase(
        out.getvalue(),
        known[:index] + array("l", numbers) + known[index:],
        starts[:index] + array("q", edges[:-1]) + array("q", below[0]),
        ends[:index] + array("q", edges[1:]) + array("q", below[1]),
        (numbers[0], numbers[-1]),
    )

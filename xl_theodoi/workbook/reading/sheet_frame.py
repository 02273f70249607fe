"""A worksheet part without its rows: what stands before and behind them.

The rows are nearly all of a large part. What is around them is small and says what grids
need besides cells; it is parsed, so that it is known to be well-formed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index
from xl_theodoi.workbook.reading.package import MEGABYTE
from xl_theodoi.workbook.reading.plain_xml import NotPlainError, check_around, with_letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384

CELL_TAGS = ("row", "c", "v", "f", "is", "t", "rPh", "rFont")
FRAME_TAGS = ("col", "mergeCell", "sheetProtection")

_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")

_BEGIN = b"<sheetData>"
_END = b"</sheetD"
"""As far as no other tag begins; searching is faster for a rare last letter."""
_TAIL = re.compile(rb"</sheetData>\s*<")
_LONGEST_HEAD = MEGABYTE
_LONGEST_TAIL = 16 * MEGABYTE
_LONGEST_ROW = 16 * MEGABYTE
_LARGEST_KEPT = MEGABYTE // 4


def parse_range(text: str) -> tuple[int, int, int, int] | None:
    """Return an A1 range as (first row, first column, last row, last column).

    A single cell is a range of itself; what is no range or leaves the sheet gives `None`.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first_column, first_row = column_index(match[1]), int(match[2])
    last_column = column_index(match[3]) if match[3] else first_column
    last_row = int(match[4]) if match[4] else first_row
    if not (1 <= first_row <= last_row <= LAST_ROW and first_column <= last_column <= LAST_COLUMN):
        return None
    return first_row, first_column, last_row, last_column


@dataclass(slots=True)
class SheetFrame:
    """What a worksheet part says beside its cells.

    Attributes:
        hidden_columns: First and last number of each run of hidden columns.
        merges: Merged ranges as (first row, first column, last row, last column).
        is_protected: Whether the sheet is protected.
    """

    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    is_protected: bool = False

    def take(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take what an element says, if it is one of `FRAME_TAGS`."""
        if tag == "col":
            if attributes.get("hidden", "0") in ("1", "true"):
                first, last = int(attributes.get("min", "0")), int(attributes.get("max", "0"))
                self.hidden_columns.append((first, last))
        elif tag == "mergeCell":
            merged = parse_range(attributes.get("ref", ""))
            if merged is not None:
                self.merges.append(merged)
        elif tag == "sheetProtection":
            self.is_protected = attributes.get("sheet", "0") in ("1", "true")

    @property
    def longest(self) -> int:
        """Length of the longer list, for the limit of items."""
        return max(len(self.hidden_columns), len(self.merges))


class SheetPieces:
    """A worksheet part as pieces of whole rows, with what is around them set aside.

    Args:
        chunks: The part's bytes.

    Attributes:
        head: Everything up to the rows.
        tail: Everything behind them; known once the pieces are used up.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.head = b""
        self.tail = b""

    def __iter__(self) -> Iterator[bytes]:
        """Yield the rows, never cut in two, letters in them written as themselves.

        Raises:
            NotPlainError: If there is not one stretch of rows of the usual form.
        """
        waiting = b""
        for chunk in self._chunks:
            if self.tail:
                self.tail += chunk
                if len(self.tail) > _LONGEST_TAIL:
                    raise NotPlainError
                continue
            data = waiting + chunk if waiting else chunk
            waiting = b""
            if not self.head:
                cut = data.find(_BEGIN, 0, _LONGEST_HEAD)
                if cut < 0:
                    if len(data) >= _LONGEST_HEAD:
                        raise NotPlainError
                    waiting = data
                    continue
                begin = cut + len(_BEGIN)
                self.head = data[:begin]
            else:
                begin = 0
            # Behind it there is little, and a second one before it would not be taken.
            end = data.rfind(_END, begin)
            if end >= 0:
                self.tail = data[end:]
                yield with_letters(data[begin:end])
                continue
            cut = data.rfind(b"<row ", begin)
            if cut > begin:
                yield with_letters(data[begin:cut])
                begin = cut
            waiting = data[begin:] if begin else data
            if len(waiting) > _LONGEST_ROW:
                raise NotPlainError
        if not self.tail:
            raise NotPlainError

    def frame(self) -> SheetFrame:
        """Return what is around the rows, once they are used up; it is shared, not to change.

        Raises:
            NotPlainError: If it is not well-formed or has cells of its own.
        """
        is_small = len(self.head) + len(self.tail) <= _LARGEST_KEPT
        return _known_frame(self.head, self.tail) if is_small else _read_frame(self.head, self.tail)


def _read_frame(head: bytes, tail: bytes) -> SheetFrame:
    """Parse a part whose rows were taken out."""
    if not _TAIL.match(tail):
        raise NotPlainError
    frame = SheetFrame()
    check_around(head, tail, b"worksheet", CELL_TAGS, frame.take)
    return frame


_known_frame = lru_cache(maxsize=64)(_read_frame)
"""The files of one round were made alike, and most still are around their rows."""

"""Row heights that follow the text written into a list.

Excel fits a row without a height when the workbook opens; LibreOffice does not, and prints
one line of a wrapped text. So a row that gets text gets the height the text needs, and no
mark that the height is anybody's own: Excel may fit it again. A height that a person has set
is never touched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing.rows import attributes_of
from xl_theodoi.workbook.filling.heights import TALLEST, Font, line_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.rows import Row
    from xl_theodoi.workbook.editing.sheet import SheetEdit
    from xl_theodoi.workbook.editing.styles import Styles

_LINE_SPACING = 1.27
_PADDING = 6.0
_USUAL_WIDTH = 8.43
_TRUE = (b"1", b"true")
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
"""All digits have one width, so texts that differ in numbers alone are judged once."""


@lru_cache(maxsize=65536)
def _lines(text: bytes, font: Font, points: float) -> int:
    return line_count(text.decode("utf-8", "surrogatepass"), font, points)


class RowHeights:
    """Knows the column widths of a sheet and the types of its cell formats."""

    def __init__(self, sheet: SheetEdit, styles: Styles) -> None:
        self._widths: list[tuple[int, int, float]] = []
        pattern = rb"<%scol\s([^>]*?)/?>" % sheet.xml.prefix
        for match in re.finditer(pattern, sheet.xml.head()):
            found = attributes_of(match[1])
            low, high = int(found.get(b"min", b"0")), int(found.get(b"max", b"0"))
            width = float(found.get(b"width", b"%g" % _USUAL_WIDTH))
            hidden = found.get(b"hidden") in _TRUE
            self._widths.append((low, high, 0.0 if hidden else width))
        self._styles = styles
        self._fonts: dict[int, Font | None] = {}
        self._points: dict[int, float] = {}

    def _room(self, column: int) -> float:
        """Return a column's room for text in points, 0 where it is hidden."""
        if column not in self._points:
            width = next(
                (width for low, high, width in self._widths if low <= column <= high),
                _USUAL_WIDTH,
            )
            pixels = int(width * 7 + 5) if width else 0
            self._points[column] = max(0.0, pixels * 0.75 - _PADDING)
        return self._points[column]

    def _font(self, style: int) -> Font | None:
        """Return the type of a format that wraps its text, None of one that does not."""
        if style not in self._fonts:
            self._fonts[style] = self._styles.wrapping_font(style)
        return self._fonts[style]

    def needed(self, column: int, style: int, value: Value) -> float:
        """Return the row height that a value asks for in a cell, 0 where one line does."""
        if not isinstance(value, str) or not value:
            return 0.0
        return self.needed_by(column, style, (value,)).get(value, 0.0)

    def needed_by(self, column: int, style: int, texts: Iterable[str]) -> dict[str, float]:
        """Return the row height that each text asks for; nothing where none can wrap."""
        room = self._room(column)
        font = self._font(style) if room else None
        if font is None:
            return {}
        width = max(font.size, room)
        return {
            text: ceil(lines * font.size * _LINE_SPACING + 3) if lines > 1 else 0.0
            for text in texts
            for lines in (
                _lines(text.encode("utf-8", "surrogatepass").translate(_DIGITS), font, width),
            )
        }

    def fit(self, row: Row, values: Mapping[int, Value]) -> None:
        """Make a row high enough for texts that were written into it.

        Args:
            row: The row; its height only grows, unless it has none of its own.
            values: What was written, by column number.
        """
        most = 0.0
        for column, value in values.items():
            cell = row.cells.get(column)
            if cell is not None:
                most = max(most, self.needed(column, cell.style or 0, value))
        grow(row.attributes, most)


def grow(attributes: dict[bytes, bytes], height: float) -> None:
    """Put a height into a row's attributes, if it is more than they say and nobody set that."""
    if attributes.get(b"customHeight") in _TRUE:
        return
    if height > float(attributes.get(b"ht", b"0")):
        attributes[b"ht"] = b"%g" % min(TALLEST, height)

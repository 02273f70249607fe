"""Cells put into rows that are written the usual way, without taking the rows apart.

A consolidation sets a few cells in most rows of a register of fifty columns. Excel and its
like write every cell as `<c r="…"`, one after the other: such a row is cut at these places and
put together again around the new cells. Any other row is left to `SheetXml.row`, which reads
all that the format allows; the outcome is the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import date
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index, column_letter
from xl_theodoi.workbook.editing.heights import grow
from xl_theodoi.workbook.editing.rows import CellXml, Row, attributes_of, attributes_text, widened
from xl_theodoi.workbook.editing.values import has_content, is_shared_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.tables import TableEdit

_BETWEEN = b'><c r="'
_ROW_END = b"></row>"
_CELL_END = b"</c"
_ADDRESS = re.compile(rb'([A-Z]{1,2})[0-9]+"')
"""Columns beyond ZZ are rare: their rows are taken apart."""

_ALIKE = frozenset({str, int, bool, date})
"""Types whose values are written alike where type and value are equal."""

Ending = tuple[bytes, float, bool]
"""A cell from after its address on but for the last `>`, the height it needs, whether it is
a shared string."""


class _Layout:
    """Which columns a row has cells in."""

    def __init__(self, columns: list[int]) -> None:
        self.columns = columns
        self.places = {column: at for at, column in enumerate(columns, start=1)}


class RowSplicer:
    """Sets cells in the rows of one table.

    Args:
        edit: The table.
    """

    def __init__(self, edit: TableEdit) -> None:
        self._edit = edit
        self._sheet = edit.sheet
        self._xml = edit.sheet.xml
        self._fit = edit.session.heights(edit.sheet)
        groups = self._sheet.group_formulas()
        self._usable = (
            not self._xml.prefix
            and not self._xml.masked
            and not any(group.meets(edit.table.area) for group in groups)
        )
        self._layouts: dict[bytes, _Layout | None] = {}
        self._attributes: dict[bytes, dict[bytes, bytes] | None] = {}
        self._starts: dict[tuple[bytes, float, int, int], bytes] = {}
        self._heads: dict[bytes, tuple[int | None, bool]] = {}
        self._letters: dict[int, bytes] = {}
        self._endings: dict[tuple[int, int | None, type, Value | bytes], Ending] = {}
        self._template: Row | None = None
        self._samples: list[bytes] = []
        self._changed: dict[int, list[int]] = {}
        self._added = 0
        self._dropped = 0

    def set(self, number: int, wanted: Sequence[tuple[int, Value]]) -> bool:
        """Put values into a row by column; return whether the row is one that can be cut.

        Nothing has happened where it is not.

        Raises:
            TheodoiError: As `CellWriter.cell`.
            ValueError: As `CellWriter.cell`.
        """
        raw = self._xml.raw(number) if self._usable else b""
        if not raw.endswith(_ROW_END):
            return False
        pieces = raw[: -len(_ROW_END)].split(_BETWEEN)
        last = len(pieces) - 1
        digits = b'%d"' % number
        opening = b'<row r="' + digits
        layout = self._layout(pieces)
        if (
            layout is None
            or raw.count(b"<c") != last
            or raw.count(b"</c" + _BETWEEN) + raw.count(b"/" + _BETWEEN) != last - 1
            or not pieces[0].startswith(opening)
        ):
            return False
        start = pieces[0][len(opening) :]
        attributes = self._attributes_of(start)
        if attributes is None:
            return False
        places, letters, heads, endings = layout.places, self._letters, self._heads, self._endings
        has_formulas = b"<f" in raw
        changed: list[int] = []
        missing: dict[int, bytes] = {}
        most = 0.0
        added = dropped = 0
        for column, value in wanted:
            where = (letters.get(column) or self._letter(column)) + digits
            at = places.get(column)
            is_empty = value is None or value == ""
            style: int | None
            if at is None:
                if column in missing:
                    return False
                style, is_own = self._new_style(number, column, value, attributes)
                if is_empty:
                    if is_own and style is not None:
                        missing[column] = where + b' s="%d"/' % style
                    continue
            else:
                piece = pieces[at]
                if not piece.startswith(where):
                    return False
                close = piece.find(b">")
                if close < 0:
                    plain = piece.endswith(b"/")
                elif has_formulas or at == last:
                    plain = b"<f" not in piece and piece.find(_CELL_END) == len(piece) - 3
                else:
                    plain = piece.endswith(_CELL_END)
                if not plain:
                    return False
                head = piece[len(where) : close]
                style, was_text = heads.get(head) or self._head(head)
                dropped += was_text
                if is_empty:
                    if style is None:
                        return False
                    if close > 0 and has_content(CellXml(b"", piece[close + 1 : -len(_CELL_END)])):
                        changed.append(column)
                    pieces[at] = where + b' s="%d"/' % style
                    continue
            key = (column, style, value.__class__, value)
            ending, height, is_text = endings.get(key) or self._ending(number, column, value, style)
            if at is None:
                missing[column] = where + ending
            else:
                pieces[at] = where + ending
            changed.append(column)
            added += is_text
            if height > most:  # noqa: PLR1730 - a call of `max` for every cell takes longer
                most = height
        columns = layout.columns
        if missing:
            for column in sorted(missing, reverse=True):
                pieces.insert(bisect_left(columns, column) + 1, missing[column])
            columns = sorted((*columns, *missing))
        self._put(number, pieces, (start, most, columns[0], columns[-1]))
        for column in changed:
            self._changed.setdefault(column, []).append(number)
        self._added += added
        self._dropped += dropped
        return True

    def finish(self) -> None:
        """Tell the sheet what changed."""
        cells = b"".join(
            b'<c r="A0"' + ending + b">"
            for ending in {ending for ending, _, _ in self._endings.values()}
        )
        self._xml.take({}, [b"<row>" + cells + b"</row>", *self._samples])
        self._sheet.count_references(self._added, self._dropped)
        for column, rows in self._changed.items():
            self._sheet.changed.add_rows(column, rows)

    def _put(self, number: int, pieces: list[bytes], key: tuple[bytes, float, int, int]) -> None:
        start = self._starts.get(key)
        if start is None:
            old, height, first, last = key
            attributes = attributes_of(old)
            grow(attributes, height)
            spans = attributes.get(b"spans")
            if spans is not None:
                attributes[b"spans"] = widened(spans, first, last)
            start = attributes_text(attributes)
        pieces[0] = b'<row r="%d"' % number + start
        row = _BETWEEN.join(pieces) + _ROW_END
        if key not in self._starts:
            self._starts[key] = start
            self._samples.append(row)
        self._xml.take_row(number, row)

    def _layout(self, pieces: list[bytes]) -> _Layout | None:
        """Return which columns a row has, `None` where they are not as expected.

        Three bytes of an address tell its column, up to ZZ; only the first row of a kind is
        looked at more closely.
        """
        key = b"".join([piece[:3] for piece in pieces])
        try:
            return self._layouts[key]
        except KeyError:
            pass
        columns: list[int] = []
        layout: _Layout | None = None
        for piece in pieces[1:]:
            match = _ADDRESS.match(piece)
            column = column_index(match[1].decode()) if match is not None else 0
            if column <= (columns[-1] if columns else 0):
                break
            columns.append(column)
        else:
            layout = _Layout(columns) if columns else None
        self._layouts[key] = layout
        return layout

    def _attributes_of(self, start: bytes) -> dict[bytes, bytes] | None:
        """Return a row's attributes after its number, `None` where they are written unusually."""
        if start not in self._attributes:
            found = attributes_of(start)
            self._attributes[start] = found if attributes_text(found) == start else None
        return self._attributes[start]

    def _head(self, text: bytes) -> tuple[int | None, bool]:
        """Return a cell's format and whether it refers to a shared string."""
        known = self._heads.get(text)
        if known is None:
            cell = CellXml(text, None)
            known = self._heads[text] = (cell.style, is_shared_string(cell))
        return known

    def _letter(self, column: int) -> bytes:
        letters = self._letters.get(column)
        if letters is None:
            letters = self._letters[column] = column_letter(column).encode()
        return letters

    def _ending(self, number: int, column: int, value: Value, style: int | None) -> Ending:
        key: tuple[int, int | None, type, Value | bytes] = (column, style, value.__class__, value)
        alike = value.__class__ in _ALIKE
        known = self._endings.get(key) if alike else None
        if known is None:
            ending, shown = self._sheet.ending(number, column, value, style)
            height = self._fit.needed(column, shown, value)
            known = (ending[:-1], height, isinstance(value, str))
            self._endings[key if alike else (column, style, bytes, known[0])] = known
        return known

    def _new_style(
        self, number: int, column: int, value: Value, attributes: dict[bytes, bytes]
    ) -> tuple[int | None, bool]:
        """Return the format of a cell that is not there yet, and whether the table gives it.

        The table's first row is the example for the rows below it.
        """
        own: int | None = None
        if number > self._edit.table.first and value is not None:
            if self._template is None:
                self._template = self._xml.row(self._edit.table.first)
            own = self._sheet.style_at(self._template, column)
        if own is not None:
            return own, True
        return self._sheet.style_at(Row(number, attributes, {}), column), False

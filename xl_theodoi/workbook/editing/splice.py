"""Cells put into rows that are written the usual way, without taking the rows apart.

A consolidation sets a few cells in most rows of a register of fifty columns. Excel and its
like write every cell as `<c r="…"`, one after the other: such a row is cut at these places and
put together again around the new cells. Rows that differ in digits alone are written alike, so
only the first of them is looked at closely. Texts are made for a whole column at once. Any
other row is left to `SheetXml.row`, which reads all that the format allows; the outcome is the
same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import date
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index, column_letter
from xl_theodoi.workbook.editing import rewrite
from xl_theodoi.workbook.editing.build import Absent
from xl_theodoi.workbook.editing.heights import grow
from xl_theodoi.workbook.editing.rows import CellXml, Row, attributes_of, attributes_text, widened
from xl_theodoi.workbook.editing.values import has_content, is_shared_string, is_usual_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.live import Elements, LiveColumn
    from xl_theodoi.workbook.editing.tables import TableEdit

_BETWEEN = b'><c r="'
_ROW_END = b"></row>"
_CELL_END = b"</c"
_ADDRESS = re.compile(rb'([A-Z]{1,2})[0-9]+"')
"""Columns beyond ZZ are rare: their rows are taken apart."""
_FORMULA_CELL = re.compile(
    rb'[A-Z]{1,2}[0-9]+"[^<>]*>(?:<f(?: [^<>]*)?/>|<f(?: [^<>]*[^<>/])?>[^<]*</f>)'
    rb"(?:<v>[^<]*</v>|<v ?/>)?</c"
)
_DIGITS = b"0123456789"

_MANY_KINDS = 4000
"""So many ways of writing a row are remembered; rows with texts of their own are all different."""
_MANY_STYLES = 4
"""For so many formats of a column all its texts are made at once."""


class _Layout:
    """How a kind of rows is written.

    Attributes:
        columns: Columns of the cells, ascending.
        places: Place of each cell among the pieces of the row; 0 for one that cannot be cut.
        formulas: The same for cells of formulas, in columns where these are kept.
        plans: Where the cells of a set of columns stand, found before; -1 for a missing one,
            `None` where one of them cannot be cut.
    """

    __slots__ = ("columns", "formulas", "places", "plans")

    def __init__(
        self, columns: list[int], places: dict[int, int], formulas: dict[int, int]
    ) -> None:
        self.columns = columns
        self.places = places
        self.formulas = formulas
        self.plans: dict[int, tuple[int, ...] | None] = {}

    def plan(self, mask: int, columns: Sequence[ColumnCells]) -> tuple[int, ...] | None:
        """Return where the cells of some columns stand."""
        live = {**self.places, **self.formulas}
        found = tuple(
            (self.places if column.live is None else live).get(column.index, -1)
            for column in columns
        )
        plan = self.plans[mask] = None if 0 in found else found
        return plan


class _Made:
    """The cells of one column in one format.

    Attributes:
        style: The format of the cells that are overwritten.
        was_text: Whether these refer to shared strings.
        endings: Cells by value, each from after its address on but for the last `>`.
        needs: Height by value, where a text needs more than one line.
    """

    __slots__ = ("endings", "needs", "style", "was_text")

    def __init__(
        self,
        style: int | None,
        endings: dict[Value, bytes],
        needs: dict[Value, float],
        *,
        was_text: bool,
    ) -> None:
        self.style = style
        self.was_text = was_text
        self.endings = endings
        self.needs = needs


class _MadeResults:
    """The cells of one column of formulas in one format.

    Attributes:
        style: The format of the cells that are overwritten.
        was_text: Whether these refer to shared strings.
        results: By result, what stands after the address, before the formula and behind it.
        needs: As in `_Made`.
    """

    __slots__ = ("needs", "results", "style", "was_text")

    def __init__(self, style: int | None, *, was_text: bool) -> None:
        self.style = style
        self.was_text = was_text
        self.results: dict[Value | Absent, tuple[bytes, bytes]] = {}
        self.needs: dict[Value | Absent, float] = {}


class ColumnCells:
    """The cells that one column gets.

    Args:
        index: 1-based column.
        numbers: Sheet rows, ascending.
        values: A value for each; of a column of formulas the stored result, or `ABSENT`.
        live: The column of formulas, if it is one.
        forced: Whether its formula takes the place of those there are.
    """

    def __init__(
        self,
        index: int,
        numbers: Sequence[int],
        values: Sequence[Value | Absent],
        live: LiveColumn | None = None,
        *,
        forced: bool = False,
    ) -> None:
        self.index = index
        self.letters = column_letter(index).encode()
        self.numbers = numbers
        self.values = values
        self.live = live
        self.forced = forced
        self.elements: Elements | None = None
        self.left: Iterator[Value | Absent] = iter(values)
        types = set(map(type, values))
        numeric = types & {int, bool, float}
        # 1, 1.0 and True are equal, and so are -0.0 and 0: such are made one by one.
        alike = len(numeric) == 1 and float not in numeric
        self.alike: frozenset[type] = frozenset(
            {str, date, type(None), Absent, *numeric} if alike else {str, date, type(None), Absent}
        )
        self.has_blanks = type(None) in types or any(value == "" for value in values)
        self.by_head: dict[bytes, _Made] = {}
        self.by_live_head: dict[bytes, _MadeResults] = {}
        self.by_style: dict[int | None, tuple[dict[Value, bytes], dict[Value, float]]] = {}

    def filled(self) -> Sequence[int]:
        """Return the rows whose cell gets a content."""
        if not self.has_blanks or self.live is not None:
            return self.numbers
        pairs = zip(self.numbers, self.values, strict=True)
        return [number for number, value in pairs if value is not None and value != ""]


class RowSplicer:
    """Sets cells in the rows of one table.

    Args:
        edit: The table.
        columns: What to set.
    """

    def __init__(self, edit: TableEdit, columns: Sequence[ColumnCells]) -> None:
        self._edit = edit
        self._columns = columns
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
        self._template: Row | None = None
        self._samples: list[bytes] = []
        self._endings: set[bytes] = set()
        self._emptied: dict[int, list[int]] = {}
        self._added = 0
        self._dropped = 0
        self._rewriter: rewrite.Rewriter | None = None

    def run(self) -> None:
        """Set all cells, row by row.

        Raises:
            TheodoiError: As `CellWriter.cell`.
            ValueError: As `CellWriter.cell`.
        """
        columns = [column for column in self._columns if column.numbers]
        if not columns:
            return
        first = min(column.numbers[0] for column in columns)
        last = max(column.numbers[-1] for column in columns)
        masks = [0] * (last - first + 1)
        for at, column in enumerate(columns):
            bit = 1 << at
            if column.live is not None:
                rows = column.numbers if column.forced else ()
                column.elements = column.live.elements(self._sheet, rows)
            for number in column.numbers:
                masks[number - first] |= bit
        kinds = {
            mask: [column for at, column in enumerate(columns) if mask >> at & 1]
            for mask in set(masks)
        }
        if self._usable and len(masks) - masks.count(0) >= rewrite.MANY:
            self._rewriter = rewrite.Rewriter(self._xml)
        for number, mask in enumerate(masks, start=first):
            if mask:
                wanted = kinds[mask]
                values = [next(column.left) for column in wanted]
                if not self.set(number, mask, wanted, values):
                    pairs = zip(wanted, values, strict=True)
                    forced = {c.index: c.elements for c in wanted if c.forced and c.elements}
                    self._edit.set_in_row(
                        number, [(column.index, value) for column, value in pairs], forced
                    )
        self._finish()

    def set(
        self,
        number: int,
        mask: int,
        wanted: Sequence[ColumnCells],
        values: Sequence[Value | Absent],
    ) -> bool:
        """Put values into a row; return whether the row is one that can be cut.

        Nothing has happened where it is not.

        Args:
            number: Sheet row.
            mask: Stands for the columns.
            wanted: Columns.
            values: A value for each.

        Raises:
            TheodoiError: As `CellWriter.cell`.
            ValueError: As `CellWriter.cell`.
        """
        raw = self._xml.raw(number) if self._usable else b""
        kind = raw.translate(None, _DIGITS)
        try:
            layout = self._layouts[kind]
        except KeyError:
            layout = self._layout(kind, raw)
        if layout is None:
            return False
        try:
            plan = layout.plans[mask]
        except KeyError:
            plan = layout.plan(mask, wanted)
        pieces = raw[: -len(_ROW_END)].split(_BETWEEN)
        digits = b'%d"' % number
        opening = b'<row r="' + digits
        if plan is None or not pieces[0].startswith(opening):
            return False
        start = pieces[0][len(opening) :]
        missing: dict[int, bytes] = {}
        emptied: list[int] = []
        most = 0.0
        added = dropped = 0
        for column, at, value in zip(wanted, plan, values, strict=True):
            where = column.letters + digits
            if column.elements is not None:
                known = self._live(column, number, where, pieces[at] if at >= 0 else None, start)
                if known is None:
                    return False
                results, formula = known
                before, after = results.results.get(value) or self._result(
                    column, results, number, value
                )
                if at < 0:
                    missing[column.index] = where + before + formula + after
                else:
                    pieces[at] = where + before + formula + after
                    dropped += results.was_text
                if results.needs:
                    most = max(most, results.needs.get(value, 0.0))
                continue
            if isinstance(value, Absent):
                continue
            if at < 0:
                cell = self._missing(column, number, value, start)
                if cell is None:
                    return False
                made, ending = cell
                if made is None:
                    if ending:
                        missing[column.index] = where + ending
                    continue
            else:
                piece = pieces[at]
                if not piece.startswith(where):
                    return False
                close = piece.find(b">")
                head = piece[len(where) : close]
                made = column.by_head.get(head) or self._head(column, head)
                dropped += made.was_text
                if column.has_blanks and (value is None or value == ""):
                    if made.style is None:
                        return False
                    if close > 0 and has_content(CellXml(b"", piece[close + 1 : -len(_CELL_END)])):
                        emptied.append(column.index)
                    pieces[at] = where + b' s="%d"/' % made.style
                    continue
            ending = made.endings.get(value) or self._ending(column, made, number, value)
            if at < 0:
                missing[column.index] = where + ending
            else:
                pieces[at] = where + ending
            added += isinstance(value, str)
            if made.needs:
                height = made.needs.get(value, 0.0)
                if height > most:  # noqa: PLR1730 - a call for every cell takes longer
                    most = height
        columns = layout.columns
        if missing:
            for index in sorted(missing, reverse=True):
                pieces.insert(bisect_left(columns, index) + 1, missing[index])
            columns = sorted((*columns, *missing))
        self._put(number, pieces, (start, most, columns[0], columns[-1]))
        for index in emptied:
            self._emptied.setdefault(index, []).append(number)
        self._added += added
        self._dropped += dropped
        return True

    def _finish(self) -> None:
        """Tell the sheet what changed."""
        if self._rewriter is not None:
            self._rewriter.finish()
        cells = b"".join(b'<c r="A0"' + ending + b">" for ending in self._endings)
        self._xml.take({}, [b"<row>" + cells + b"</row>", *self._samples])
        self._sheet.count_references(self._added, self._dropped)
        for column in self._columns:
            self._sheet.changed.add_rows(column.index, column.filled())
        for index, rows in self._emptied.items():
            self._sheet.changed.add_rows(index, rows)

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
        # The first row is asked for the formats of the others: it has to be seen as it is now.
        is_example = number == self._edit.table.first
        if self._rewriter is None or is_example or self._xml.has_put(number):
            self._xml.take_row(number, row)
        else:
            self._rewriter.put(number, row)

    def _layout(self, kind: bytes, raw: bytes) -> _Layout | None:
        """Return how a row is written, `None` where it is not as expected.

        Args:
            kind: The row without its digits: nothing that is asked here depends on them, but
                for the addresses, which are compared where cells are set.
            raw: The row.
        """
        if len(self._layouts) >= _MANY_KINDS:
            self._layouts.clear()
        layout = self._layouts[kind] = self._look_at(raw)
        return layout

    def _look_at(self, raw: bytes) -> _Layout | None:
        if not raw.endswith(_ROW_END):
            return None
        pieces = raw[: -len(_ROW_END)].split(_BETWEEN)
        last = len(pieces) - 1
        if (
            not last
            or raw.count(b"<c") != last
            or raw.count(b"</c" + _BETWEEN) + raw.count(b"/" + _BETWEEN) != last - 1
            or not pieces[0].startswith(b'<row r="')
            or self._attributes_of(pieces[0][pieces[0].find(b'"', 8) + 1 :]) is None
        ):
            return None
        columns: list[int] = []
        places: dict[int, int] = {}
        formulas: dict[int, int] = {}
        for at, piece in enumerate(pieces[1:], start=1):
            match = _ADDRESS.match(piece)
            column = column_index(match[1].decode()) if match is not None else 0
            if column <= (columns[-1] if columns else 0):
                return None
            columns.append(column)
            close = piece.find(b">")
            if close < 0:
                plain = piece.endswith(b"/")
            else:
                plain = b"<f" not in piece and piece.find(_CELL_END) == len(piece) - 3
            places[column] = at if plain else 0
            if not plain and _FORMULA_CELL.fullmatch(piece):
                formulas[column] = at
        return _Layout(columns, places, formulas)

    def _attributes_of(self, start: bytes) -> dict[bytes, bytes] | None:
        """Return a row's attributes after its number, `None` where they are written unusually."""
        if start not in self._attributes:
            found = attributes_of(start)
            self._attributes[start] = found if attributes_text(found) == start else None
        return self._attributes[start]

    def _live(
        self, column: ColumnCells, number: int, where: bytes, piece: bytes | None, start: bytes
    ) -> tuple[_MadeResults, bytes] | None:
        """Return what is known of a cell of a column of formulas, and its formula.

        `None` where the row cannot be cut.
        """
        close = -1
        if piece is None:
            attributes = self._attributes_of(start)
            if attributes is None:
                return None
            style, _ = self._new_style(number, column.index, "", attributes)
            head = b"" if style is None else b' s="%d"' % style
        elif not piece.startswith(where):
            return None
        else:
            close = piece.find(b">")
            head = piece[len(where) : close]
        made = column.by_live_head.get(head)
        if made is None:
            cell = CellXml(head, None)
            made = _MadeResults(cell.style, was_text=is_shared_string(cell))
            column.by_live_head[head] = made
        at = piece.find(b"<f", close) if piece is not None and close >= 0 else -1
        if piece is None or at < 0 or column.forced:
            self._sheet.formulas_changed = True
            return made, column.elements(number) if column.elements is not None else b""
        end = piece.find(b"<v", at)
        return made, piece[at:end] if end >= 0 else piece[at : -len(_CELL_END)]

    def _result(
        self, column: ColumnCells, made: _MadeResults, number: int, value: Value | Absent
    ) -> tuple[bytes, bytes]:
        """Return what stands before and behind a formula with a result."""
        before, after = b"" if made.style is None else b' s="%d"' % made.style, b""
        if not isinstance(value, Absent):
            before, after = self._sheet.result_ending(number, column.index, value, made.style)
            height = self._fit.needed(column.index, made.style or 0, value)
            if height:
                made.needs[value] = height
        around = before + b">", after + _CELL_END
        if value.__class__ in column.alike:
            made.results[value] = around
        self._endings.add(around[0] + b"<f/>" + around[1])
        return around

    def _head(self, column: ColumnCells, text: bytes) -> _Made:
        """Return what is known of the cells of a column that have these attributes."""
        cell = CellXml(text, None)
        made = self._in_style(column, cell.style, was_text=is_shared_string(cell))
        column.by_head[text] = made
        return made

    def _in_style(self, column: ColumnCells, style: int | None, *, was_text: bool) -> _Made:
        found = column.by_style.get(style)
        if found is None:
            found = column.by_style[style] = {}, {}
            if len(column.by_style) <= _MANY_STYLES:
                texts = [text for text in dict.fromkeys(column.values) if is_usual_text(text)]
                if texts:
                    self._make_texts(column, style, texts, *found)
        return _Made(style, *found, was_text=was_text)

    def _make_texts(
        self,
        column: ColumnCells,
        style: int | None,
        texts: list[str],
        endings: dict[Value, bytes],
        needs: dict[Value, float],
    ) -> None:
        made, shown = self._sheet.text_endings(texts, style)
        endings.update(zip(texts, (ending[:-1] for ending in made), strict=True))
        # All others differ from this one in the digits of their index.
        self._endings.add(made[0][:-1])
        heights = self._fit.needed_by(column.index, shown, texts)
        needs.update((text, height) for text, height in heights.items() if height)

    def _ending(self, column: ColumnCells, made: _Made, number: int, value: Value) -> bytes:
        ending, shown = self._sheet.ending(number, column.index, value, made.style)
        ending = ending[:-1]
        height = self._fit.needed(column.index, shown, value)
        if height:
            made.needs[value] = height
        if value.__class__ in column.alike:
            made.endings[value] = ending
        self._endings.add(ending)
        return ending

    def _missing(
        self, column: ColumnCells, number: int, value: Value, start: bytes
    ) -> tuple[_Made | None, bytes] | None:
        """Return what is known of a cell that is not there yet.

        Nothing but an ending, or not even that, where it stays blank; `None` where the row
        cannot be cut.
        """
        attributes = self._attributes_of(start)
        if attributes is None:
            return None
        style, is_own = self._new_style(number, column.index, value, attributes)
        if value is None or value == "":
            return None, b' s="%d"/' % style if is_own and style is not None else b""
        return self._in_style(column, style, was_text=False), b""

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

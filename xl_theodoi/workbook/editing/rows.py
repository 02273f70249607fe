"""Rows of a sheet as bytes: found by scanning, taken apart only where they are touched."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_index
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.refs import MAX_COLUMN, address
from xl_theodoi.workbook.editing.scan import find_rows

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator, Mapping

    from xl_theodoi.workbook.editing.scan import Rows

_ATTRIBUTE = re.compile(rb"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE = re.compile(rb"""(?<!\S)r\s*=\s*["']([A-Za-z]{1,3})([0-9]+)["']""")
_HIDDEN_MARKUP = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_ROOT = re.compile(rb"<([A-Za-z_][\w.-]*:)?worksheet[\s>]")
_STYLE = re.compile(rb"""(?<!\S)s\s*=\s*["']([0-9]+)["']""")
_CELL_TYPE = re.compile(rb"""(?<!\S)t\s*=\s*["'](\w+)["']""")
_COLUMNS: dict[bytes, int] = {}


def attributes_of(text: bytes) -> dict[bytes, bytes]:
    """Return the attributes of a start tag, in order, with their markup as it is."""
    return {m[1]: m[2] if m[2] is not None else m[3] for m in _ATTRIBUTE.finditer(text)}


def attributes_text(attributes: dict[bytes, bytes]) -> bytes:
    """Return attributes as they stand in a start tag, each after a space."""
    return b"".join(
        b" %s=%s%s%s" % (name, quote, value, quote)
        for name, value in attributes.items()
        for quote in (b"'" if b'"' in value else b'"',)
    )


def _column(letters: bytes) -> int:
    index = _COLUMNS.get(letters)
    if index is None:
        index = _COLUMNS[letters] = column_index(letters.decode().upper())
    return index


@dataclass(slots=True)
class CellXml:
    """One cell of a touched row.

    Attributes:
        attributes: Text of the start tag after the name.
        inner: Content, or `None` for an empty element.
    """

    attributes: bytes
    inner: bytes | None

    @property
    def style(self) -> int | None:
        """Index into the cell formats, `None` where the cell names no format."""
        match = _STYLE.search(self.attributes)
        return int(match[1]) if match is not None else None

    @property
    def type(self) -> bytes | None:
        """Type of the value, such as `s` for a shared string."""
        match = _CELL_TYPE.search(self.attributes)
        return match[1] if match is not None else None


@dataclass(slots=True)
class Row:
    """A row taken apart.

    Attributes:
        number: Sheet row.
        attributes: Attributes of the start tag.
        cells: Cells by column number.
        rest: What follows the last cell (an extension list).
        existed: Whether the sheet has the row element.
    """

    number: int
    attributes: dict[bytes, bytes]
    cells: dict[int, CellXml]
    rest: bytes = b""
    existed: bool = True


class SheetXml:
    """The XML of one worksheet: head, rows, tail.

    Args:
        data: The part's bytes.
        part: Part name, for messages.

    Raises:
        TheodoiError: `edit_unreadable_part` when the rows cannot be told apart safely.
    """

    def __init__(self, data: bytes, part: str) -> None:
        self.part = part
        self.data = data
        start = data[:4096]
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) or (
            re.match(rb"""<\?xml[^>]*encoding\s*=\s*["'](?!utf-8["'])""", start, re.IGNORECASE)
        ):
            raise self._unreadable("encoding")
        if b"<!DOCTYPE" in start:
            raise self._unreadable("DOCTYPE")
        # One letter is found much faster than two, and in most sheets it is not there at all.
        self.masked = (b"!" in data and (b"<!--" in data or b"<![CDATA[" in data)) or (
            data.find(b"?", data.find(b"?>") + 2) >= 0
            and data.find(b"<?", data.find(b"?>") + 1) >= 0
        )
        # Comments and CDATA may hold anything that looks like a row: the scan sees blanks.
        scan = _HIDDEN_MARKUP.sub(lambda m: b" " * len(m[0]), data) if self.masked else data
        root = _ROOT.search(scan)
        if root is None:
            raise self._unreadable("worksheet")
        prefix = root[1] or b""
        self.prefix = prefix
        self._cell = re.compile(
            rb"<%sc(?=[\s/>])([^>]*?)(?:/>|>(.*?)</%sc\s*>)" % (prefix, prefix), re.DOTALL
        )
        self._address = re.compile(rb'(<%sc r="[A-Z]+)[0-9]+"' % prefix)
        opening = re.search(rb"<%ssheetData\s*(/?)>" % prefix, scan)
        if opening is None:
            raise self._unreadable("sheetData")
        self.head_end = opening.start()
        if opening[1]:
            self.body = (opening.end(), opening.end())
            self.tail_start = opening.end()
        else:
            at = scan.rfind(b"</%ssheetData" % prefix)
            close = re.compile(rb"</%ssheetData\s*>" % prefix).match(scan, max(at, 0))
            if close is None or at < opening.end():
                raise self._unreadable("sheetData")
            self.body = (opening.end(), close.start())
            self.tail_start = close.end()
        self._numbers, self._starts, self._ends = find_rows(scan, self.body, prefix, part)
        self._replaced: dict[int, bytes] = {}
        self._known: set[int] = set()
        self._samples: list[bytes] = []
        self._rewritten: tuple[int, ...] = ()

    def _unreadable(self, reason: str) -> TheodoiError:
        return TheodoiError("edit_unreadable_part", part=self.part, reason=reason)

    # Reading

    def numbers(self) -> list[int]:
        """Return the numbers of all rows there are now, ascending."""
        known = set(self._numbers)
        return sorted(known.union(self._replaced))

    def _index(self, number: int) -> int:
        numbers = self._numbers
        # In most sheets no row is left out.
        index = number - numbers[0] if numbers else 0
        if 0 <= index < len(numbers) and numbers[index] == number:
            return index
        index = bisect_left(numbers, number)
        return index if index < len(numbers) and numbers[index] == number else -1

    def places(self) -> Rows:
        """Return where the rows stand in the bytes; rows put one by one stand beside them."""
        return self._numbers, self._starts, self._ends

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return where the bytes of the rows from one to another begin and end."""
        low = bisect_left(self._numbers, first)
        high = bisect_left(self._numbers, last + 1)
        if low == high:
            at = self._starts[low] if low < len(self._starts) else self.body[1]
            return at, at
        return self._starts[low], self._ends[high - 1]

    def has_row(self, number: int) -> bool:
        """Whether there is an element for the row."""
        return number in self._replaced or self._index(number) >= 0

    def rows_between(self, first: int, last: int) -> list[int]:
        """Return the numbers of the rows from one to another that there are, ascending."""
        low, high = bisect_left(self._numbers, first), bisect_left(self._numbers, last + 1)
        known = set(self._numbers[low:high])
        known.update(number for number in self._replaced if first <= number <= last)
        return sorted(known)

    def raw(self, number: int) -> bytes:
        """Return a row's bytes as they are now, empty where there is no element."""
        if number in self._replaced:
            return self._replaced[number]
        index = self._index(number)
        return self.data[self._starts[index] : self._ends[index]] if index >= 0 else b""

    def row(self, number: int) -> Row:
        """Return a row taken apart; change it and hand it to `put`."""
        raw = self.raw(number)
        if not raw:
            return Row(number, {b"r": b"%d" % number}, {}, existed=False)
        if self.masked and number not in self._replaced:
            raw = self._plain(raw)
        end = raw.index(b">")
        empty = raw[end - 1 : end] == b"/"
        name = len(self.prefix) + 4
        attributes = attributes_of(raw[name : end - 1 if empty else end])
        attributes[b"r"] = b"%d" % number
        row = Row(number, attributes, {})
        if empty:
            return row
        content = raw[end + 1 : raw.rindex(b"</")]
        at = column = 0
        for match in self._cell.finditer(content):
            if content[at : match.start()].strip():
                raise self._unreadable(address(number, column + 1))
            named = _REFERENCE.search(match[1])
            column = _column(named[1]) if named else column + 1
            if column in row.cells or column > MAX_COLUMN:
                raise self._unreadable(address(number, column))
            text = (
                match[1]
                if named
                else b' r="%s"%s'
                % (
                    address(number, column).encode(),
                    match[1],
                )
            )
            row.cells[column] = CellXml(text, match[2])
            at = match.end()
        row.rest = content[at:].strip()
        if b"<%sc " % self.prefix in row.rest:
            raise self._unreadable(address(number, column + 1))
        return row

    def _plain(self, raw: bytes) -> bytes:
        """Return a row without comments and CDATA sections, its text escaped as usual."""

        def replace(match: re.Match[bytes]) -> bytes:
            text = match[0]
            if text.startswith(b"<![CDATA["):
                text = text[9:-3].replace(b"&", b"&amp;").replace(b"<", b"&lt;")
                return text.replace(b">", b"&gt;")
            return b""

        return _HIDDEN_MARKUP.sub(replace, raw)

    def cells_with(self, number: int, needle: bytes) -> Iterator[tuple[int, CellXml]]:
        """Yield column and cell of the cells of a row that contain a start of markup.

        Only these cells are taken apart; a row of an unusual make is taken apart as a whole.

        Args:
            number: Sheet row.
            needle: Markup such as `<f`, which cannot stand in text.
        """
        raw = self.raw(number)
        opening = b"<%sc " % self.prefix
        closing = b"</%sc>" % self.prefix
        at = 0
        found: list[tuple[int, CellXml]] = []
        while (at := raw.find(needle, at)) >= 0:
            start = raw.rfind(opening, 0, at)
            end = raw.find(closing, at)
            close = raw.find(b">", start)
            named = _REFERENCE.search(raw, start + len(opening), close) if start >= 0 else None
            strange = raw[close - 1 : close] == b"/" or raw.find(closing, close, at) >= 0
            if named is None or end < 0 or strange or self.masked:
                cells = sorted(self.row(number).cells.items())
                yield from ((c, cell) for c, cell in cells if needle in (cell.inner or b""))
                return
            attributes = raw[start + len(opening) - 1 : close]
            found.append((_column(named[1]), CellXml(attributes, raw[close + 1 : end])))
            at = end
        yield from found

    def outer_columns(self, number: int) -> tuple[int, ...]:
        """Return the first and the last column of a row's cells, or all of them."""
        raw = self.raw(number)
        first = re.search(rb'<%sc r="([A-Z]+)' % self.prefix, raw)
        at = raw.rfind(b"<%sc " % self.prefix)
        last = re.match(rb'<%sc r="([A-Z]+)' % self.prefix, raw[at : at + 40]) if at >= 0 else None
        if first is None or last is None or self.masked:
            return tuple(self.row(number).cells)
        return _column(first[1]), _column(last[1])

    def renumbered(self, number: int, target: int) -> bytes | None:
        """Return a row's bytes as they read at another place of the sheet.

        `None` where the row is of an unusual make and has to be taken apart. Every address in
        the row changes, and nothing else does: formulas keep their text.
        """
        raw = self.raw(number)
        if not raw or self.masked:
            return None
        start = raw.find(b">") + 1
        old = b' r="%d"' % number
        head = raw[:start].replace(old, b' r="%d"' % target)
        opening = b"<%sc" % self.prefix
        body, cells = self._address.subn(rb'\g<1>%d"' % target, raw[start:])
        known = cells == raw.count(opening + b" ") and not raw.count(opening + b">")
        return head + body if raw.count(old, 0, start) == 1 and known else None

    def put_raw(self, number: int, raw: bytes) -> None:
        """Take over a row's bytes as `renumbered` gave them."""
        self._replaced[number] = raw
        self._known.discard(number)

    def take(self, rows: Mapping[int, bytes], samples: Iterable[bytes]) -> None:
        """Take over many rows that were made of a few pieces.

        Args:
            rows: Bytes by number.
            samples: Rows in which every piece stands at least once; only these are parsed to
                see that what is written is well-formed.
        """
        self._replaced.update(rows)
        self._known.update(rows)
        self._samples += samples

    def take_row(self, number: int, raw: bytes) -> None:
        """Take over one row that was made of pieces for which samples are handed to `take`."""
        self.drop(number)
        self._replaced[number] = raw
        self._known.add(number)

    def drop(self, number: int) -> None:
        """Forget what was put for a row, which is written anew from that."""
        raw = self._replaced.pop(number, None)
        if raw is not None and number not in self._known:
            self._samples.append(raw)
        self._known.discard(number)

    def has_put(self, number: int) -> bool:
        """Whether a row stands beside the sheet's bytes."""
        return number in self._replaced

    def rebase(
        self,
        data: bytes,
        numbers: array[int],
        starts: array[int],
        ends: array[int],
        touched: tuple[int, int],
    ) -> None:
        """Take over all bytes of the sheet, written anew between its head and its tail.

        Args:
            data: The sheet's bytes.
            numbers: Its rows, ascending.
            starts: Where each begins.
            ends: Where each ends.
            touched: Numbers of the first and the last row that changed.
        """
        growth = len(data) - len(self.data)
        self.data = data
        self._numbers, self._starts, self._ends = numbers, starts, ends
        self.body = (self.body[0], self.body[1] + growth)
        self.tail_start += growth
        self._rewritten += touched

    def replace_cell(self, number: int, column: int, cell: CellXml) -> None:
        """Put a changed cell in the place of an existing one, as `put` does for a row."""
        raw = self.raw(number)
        opening = b"<%sc " % self.prefix
        closing = b"</%sc>" % self.prefix
        place = raw.find(b' r="%s"' % address(number, column).encode())
        start = raw.rfind(b"<", 0, place) if place >= 0 else -1
        close = raw.find(b">", place)
        end = raw.find(closing, close)
        plain = start >= 0 and raw.startswith(opening, start) and end >= 0 and not self.masked
        if not plain or raw[close - 1 : close] == b"/":
            row = self.row(number)
            row.cells[column] = cell
            self.put(row)
            return
        empty = cell.inner is None
        name = opening.rstrip()
        attributes = cell.attributes.rstrip()
        new = name + attributes + (b"/>" if empty else b">" + (cell.inner or b"") + closing)
        self.put_raw(number, raw[:start] + new + raw[end + len(closing) :])

    def head(self) -> bytes:
        """Return what stands before the sheet data."""
        return self.data[: self.head_end]

    def tail(self) -> bytes:
        """Return what stands after the sheet data."""
        return self.data[self.tail_start :]

    def rows_with(self, needle: bytes) -> Iterator[int]:
        """Yield the numbers of the rows whose bytes contain something, each once."""
        at, stop = self.body
        index = 0
        found: set[int] = {n for n, raw in self._replaced.items() if needle in raw}
        yield from sorted(found)
        while (at := self.data.find(needle, at, stop)) >= 0:
            index = bisect_left(self._ends, at + 1, index)
            if index >= len(self._numbers):
                return
            number = self._numbers[index]
            if number not in self._replaced:
                yield number
            at = self._ends[index]

    # Writing

    def put(self, row: Row) -> None:
        """Take over a changed row; a new row without cells and attributes is left out."""
        if not row.existed and not row.cells and len(row.attributes) == 1:
            return
        prefix = self.prefix
        columns = sorted(row.cells)
        spans = row.attributes.get(b"spans")
        if spans is not None and columns:
            row.attributes[b"spans"] = widened(spans, columns[0], columns[-1])
        start = b"<%srow%s" % (prefix, attributes_text(row.attributes))
        if not columns and not row.rest:
            self.put_raw(row.number, start + b"/>")
            return
        pieces = [start, b">", *(self.element(row.cells[column]) for column in columns)]
        pieces += (row.rest, b"</%srow>" % prefix)
        self.put_raw(row.number, b"".join(pieces))

    def element(self, cell: CellXml) -> bytes:
        """Return the bytes of a cell's element."""
        prefix = self.prefix
        if cell.inner is None:
            return b"<%sc%s/>" % (prefix, cell.attributes.rstrip())
        return b"<%sc%s>%s</%sc>" % (prefix, cell.attributes, cell.inner, prefix)

    @property
    def touched(self) -> bool:
        """Whether a row was put or written anew."""
        return bool(self._rewritten or self._replaced)

    def touched_rows(self) -> list[int]:
        """Return the numbers of the rows that stand beside the sheet's bytes, ascending."""
        return sorted(self._replaced)

    def touched_edges(self) -> tuple[int, int] | None:
        """Return the first and the last row that was put or written anew."""
        rows = (*self._rewritten, *self._replaced)
        return (min(rows), max(rows)) if rows else None

    def pieces(
        self, head: bytes | None = None, tail: bytes | None = None
    ) -> list[bytes | memoryview]:
        """Return the sheet's bytes; runs of untouched rows are views into the old bytes."""
        view = memoryview(self.data)
        prefix = self.prefix
        result: list[bytes | memoryview] = [
            head if head is not None else view[: self.head_end],
            b"<%ssheetData>" % prefix,
        ]
        at = self.body[0]
        index = 0
        for number in self.touched_rows():
            index = bisect_left(self._numbers, number, index)
            if index == len(self._numbers):
                stop = self._ends[-1] if self._numbers else self.body[0]
            else:
                stop = self._starts[index]
            if stop > at:
                result.append(view[at:stop])
                at = stop
            result.append(self._replaced[number])
            if index < len(self._numbers) and self._numbers[index] == number:
                at = self._ends[index]
        result.append(view[at : self.body[1]])
        result.append(b"</%ssheetData>" % prefix)
        result.append(tail if tail is not None else view[self.tail_start :])
        return result

    def check_touched(self, head: bytes | None, tail: bytes | None) -> None:
        """Parse the head, the touched rows and the tail, as one document.

        Of rows that `take` took over, the samples are parsed.

        Raises:
            TheodoiError: `edit_unreadable_part` when they are not well-formed.
        """
        prefix = self.prefix

        def document() -> Iterator[bytes]:
            yield head if head is not None else self.head()
            yield b"<%ssheetData>" % prefix
            yield from self._samples
            for number in sorted(self._replaced.keys() - self._known):
                yield self._replaced[number]
            yield b"</%ssheetData>" % prefix
            yield tail if tail is not None else self.tail()

        xml.check_well_formed(document(), self.part)


def widened(spans: bytes, first: int, last: int) -> bytes:
    """Return a row's spans with room for the columns; several spans become one."""
    try:
        edges = [int(edge) for span in spans.split() for edge in span.split(b":")]
    except ValueError:
        edges = []
    return b"%d:%d" % (min([first, *edges]), max([last, *edges]))

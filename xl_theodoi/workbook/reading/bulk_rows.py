"""The cells of a worksheet part by patterns, whole columns at a time.

One pattern matches a whole row of the usual form; its groups, turned on their side, are the
columns, and these are converted by built-in functions. See `plain_xml` for what happens to
rows of any other form.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import compress, islice
from operator import call, lt
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, Value, column_index
from xl_theodoi.workbook.reading.cell_values import KIND_OF_TYPE, value_of
from xl_theodoi.workbook.reading.grid import KIND_BITS, SparseColumn
from xl_theodoi.workbook.reading.guarded_xml import decode_escapes
from xl_theodoi.workbook.reading.lazy_formulas import LazyFormulas, SharedFormulas
from xl_theodoi.workbook.reading.plain_xml import NotPlainError, plain_attributes, plain_texts
from xl_theodoi.workbook.reading.sheet_frame import LAST_COLUMN, LAST_ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from xl_theodoi.domain.cells import CellStyle
    from xl_theodoi.workbook.reading.package import Limits
    from xl_theodoi.workbook.reading.strings_xml import SharedStrings

_BLANK, _TEXT = int(CellKind.BLANK), int(CellKind.TEXT)
_ERROR, _NO_VALUE = int(CellKind.ERROR), int(CellKind.NO_VALUE)
_NONE = type(None)

_KINDS = frozenset(("s", "n", "b", "e", "str", "d", "inlineStr"))
_MOST_COLUMNS = 400
"""A pattern has up to six groups for each column; wider sheets are left to the parser."""
_MOST_LESSONS = 40
_SAMPLE = 1 << 16
_BATCH = 1 << 18
"""Bytes of rows that are turned into columns at a time; twice as fast as ten times as many."""
_MOST_KEPT = 1 << 12
_LONGEST_KEPT = 1 << 13
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONGEST_NUMBER = 60_000
"""The parser hands over longer texts in pieces, which are no number to it."""

_LETTERS = re.compile(rb'<c r="([A-Z]{1,3})[1-9]')
_RICH = re.compile(rb'<c r="([A-Z]{1,3})[1-9][^>]*(?<!/)>(?!<v>[^<])')
"""The columns of cells that have more than a value, or an element where it could stand."""
_PLAIN_CELL = r"([^>]*)>(?:<v>([^<]+)</v></c>|(?<=/>))"
_RICH_CELL = (
    r"([^>]*)>(?:(?<=/>)|(?<!/>)(?:"
    r'(?:<f(?: aca="false")?>([^<]+)</f>|<f t="shared" si="([0-9]+)"/>|)'
    r"(?:<v>([^<]*)</v>|<v ?/>)"
    r'|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>'
    r"|((?:<f[ />][^<]*(?:</f>|)|)(?:<v[ />][^<]*(?:</v>|)|)|<is><t[ />][^<]*(?:</t>|)</is>)"
    r")</c>)"
)
"""Groups: attributes, formula, number of a shared formula that stands elsewhere, value, inline
string, what stands there instead of these."""
_RICH_GROUPS = 6
_BODY = re.compile(
    rb"(?:(<f>[^<\0]*</f>)|<f((?: [^<>\0]*)?)(?:(/>)|>([^<\0]*)(</f>))|)"
    rb"(?:(<v>[^<\0]*</v>)|(<v ?/>)|)\0"
    rb'|(<is>)<t(?: xml:space="preserve")?(?: ?/>|>([^<\0]*)</t>)</is>\0'
    rb"|((?s:.+))"
)
"""What the last group of `_RICH_CELL` matched, found to be well-formed; a separator behind it.

Groups: a formula without attributes; else attributes of the formula, its empty end or its
text and end; the value, or the tag of an empty one; begin and text of an inline string;
whatever was not matched.
"""


@lru_cache(maxsize=128)
def _row_pattern(columns: tuple[tuple[bytes, bool], ...]) -> re.Pattern[bytes]:
    """Return what matches one row whose cells stand in these columns, each filled or not.

    Groups: row number, attributes of the row, then for each column the attributes and the
    value, or the groups of `_RICH_CELL` where the column is said to have such cells; at the
    end whatever was not matched, so that nothing is ever passed over.

    A cell is never tried in a second way (`(?>`): else a row whose last cell is odd would be
    tried in as many ways as all its cells together have.
    """
    cells = "".join(
        rf'(?><c r="{letters.decode()}\1"'
        rf'(?: s="[0-9]+"/>|{_RICH_CELL if is_rich else _PLAIN_CELL})|)'
        for letters, is_rich in columns
    )
    row = rf'<row r="([1-9][0-9]{{0,6}})"([^>]*)>(?:(?<=/>)|{cells}</row>)|((?s:.+))'
    return re.compile(row.encode())


_known_forms: dict[bytes, str] = {}
"""Formulas, their digits made zeros: the workbooks of a round have the same ones."""


def _form_texts(forms: Collection[bytes]) -> Collection[str]:
    """Return the texts of formulas without numeric references.

    Raises:
        NotPlainError: On anything that a parser would refuse.
    """
    found = {form: _known_forms[form] for form in forms if form in _known_forms}
    if unknown := [form for form in forms if form not in found]:
        made = dict(zip(unknown, plain_texts(unknown), strict=True))
        if len(made) < _MOST_KEPT and max(map(len, unknown)) <= _LONGEST_KEPT:
            if len(_known_forms) + len(made) > _MOST_KEPT:
                _known_forms.clear()
            _known_forms.update(made)
        found |= made
    return found.values()


class _Converted(dict[bytes, Value]):
    """Values by what the file has written; each is converted once."""

    def __init__(self, kind: str, *, is_date: bool, date1904: bool) -> None:
        super().__init__()
        self._kind = kind
        self._is_date = is_date
        self._date1904 = date1904

    def __missing__(self, written: bytes) -> Value:
        if len(written) > _LONGEST_NUMBER and self._kind != "str":
            raise NotPlainError
        text = written.decode() if written.isdigit() else plain_texts((written,))[0]
        value = value_of(self._kind, text, is_date=self._is_date, date1904=self._date1904)
        self[written] = value
        return value


class _Shared(dict[bytes, Value]):
    """Shared strings by their index as the file has written it."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts

    def __missing__(self, written: bytes) -> Value:
        (text,) = shared_texts(self._texts, (written,))
        self[written] = text or None
        return self[written]


def shared_texts(texts: list[str], written: Sequence[bytes]) -> list[str]:
    """Return the shared strings of indexes as the file has written them."""
    if not b"".join(written).isdigit():
        raise NotPlainError
    try:
        return list(map(texts.__getitem__, map(int, written)))
    except (ValueError, IndexError) as error:
        raise NotPlainError from error


@dataclass(frozen=True, slots=True)
class _Format:
    """What the attributes of a cell say.

    Attributes:
        code: Code of the cell's style, the kind still to be added.
        kind: Its `t`.
        convert: Gives the value of what stands in the cell's `v`.
        is_closed: Whether the element ends in its own tag.
    """

    code: int
    kind: str
    convert: Callable[[bytes], Value]
    is_closed: bool


class BulkRows:
    """Takes pieces of rows and keeps their cells by columns.

    Args:
        shared: The workbook's shared strings.
        styles: The workbook's cell formats.
        limits: What a sheet may have; beyond it the parser says so.
        date1904: Whether serial numbers count from 1904.

    Attributes:
        hidden_rows: Hidden rows, ascending.
        texts: Every text that did not come from the shared strings.
        forms: Every formula, in most of them all digits turned into zeros.
    """

    def __init__(
        self,
        shared: SharedStrings,
        styles: Sequence[CellStyle],
        limits: Limits,
        *,
        date1904: bool,
    ) -> None:
        self.hidden_rows = array("I")
        self.texts: set[str] = set()
        self.forms: set[str] = set()
        self._columns: dict[bytes, SparseColumn] = {}
        self._shared = shared
        self._codes = {str(index): index << KIND_BITS for index in range(len(styles))}
        self._dates = {str(index) for index, style in enumerate(styles) if style.is_date}
        self._limits = limits
        self._date1904 = date1904
        self._letters: tuple[tuple[bytes, bool], ...] = ()
        self._lessons = 0
        self._formats: dict[bytes, _Format] = {}
        self._converters: dict[tuple[str, bool], Callable[[bytes], Value]] = {
            ("s", False): _Shared(shared.texts).__getitem__
        }
        self._last_row = 0
        self._sharing = SharedFormulas()

    def columns(self) -> dict[int, SparseColumn]:
        """Return the columns that have filled cells, by ascending number."""
        by_index = {column_index(key.decode()): column for key, column in self._columns.items()}
        return {index: by_index[index] for index in sorted(by_index) if by_index[index].rows}

    def take(self, piece: bytes) -> None:
        """Take the rows of one piece.

        Raises:
            NotPlainError: If the parser must read the part.
        """
        if not self._letters:
            self._learn(piece[:_SAMPLE], is_first=True)
        begin = 0
        while begin < len(piece):
            end = piece.find(b"<row ", begin + _BATCH)
            end = len(piece) if end < 0 else end
            self._take(piece[begin:end])
            begin = end
        sizes = [len(column.rows) for column in self._columns.values()]
        if sum(sizes) > self._limits.cells or max(sizes, default=0) > self._limits.rows:
            raise NotPlainError

    def _take(self, piece: bytes) -> None:
        """Take a few rows, so few that all their cells stay within the processor's cache."""
        while piece:
            letters = self._letters
            rows = _row_pattern(letters).findall(piece)
            rest: bytes = rows[-1][-1]
            if rest:
                rows.pop()
                end = rest.find(b"</row>")
                if end < 0 or not self._learn(rest[: max(end, _SAMPLE)]):
                    raise NotPlainError
            if rows:
                self._store(letters, list(zip(*rows, strict=True)))
            piece = rest

    def _learn(self, rows: bytes, *, is_first: bool = False) -> bool:
        """Add the columns that rows have cells in; return whether anything was new in them.

        At first all cells are taken to have values at most, as most sheets' have.
        """
        known = dict(self._letters)
        rich = set() if is_first else {*_RICH.findall(rows)}
        found = {
            letters: known.get(letters, False) or letters in rich
            for letters in {*known, *rich, *_LETTERS.findall(rows)}
        }
        self._lessons += 1
        if len(found) > _MOST_COLUMNS or self._lessons > _MOST_LESSONS:
            raise NotPlainError
        if any(column_index(letters.decode()) > LAST_COLUMN for letters in found):
            raise NotPlainError
        self._letters = tuple(sorted(found.items(), key=lambda pair: (len(pair[0]), pair[0])))
        return found != known

    def _store(
        self, letters: tuple[tuple[bytes, bool], ...], groups: list[tuple[bytes, ...]]
    ) -> None:
        """Store rows given as the groups of their pattern, each over all rows."""
        rows = list(map(int, groups[0]))
        is_ascending = all(map(lt, rows, islice(rows, 1, None)))
        if not is_ascending or rows[0] <= self._last_row or rows[-1] > LAST_ROW:
            raise NotPlainError
        self._last_row = rows[-1]
        self._take_hidden(rows, groups[1])
        numbers = array("I", rows)
        place = 2
        for column, is_rich in letters:
            attributes = groups[place]
            for written in set(attributes) - self._formats.keys():
                self._formats[written] = self._format(written)
            if is_rich:
                more = groups[place + 1 : place + _RICH_GROUPS]
                self._put_rich(column, numbers, attributes, more)
                place += _RICH_GROUPS
            else:
                if any(groups[place + 1]):
                    self._put(self._sparse(column), numbers, attributes, groups[place + 1])
                place += 2

    def _take_hidden(self, rows: Sequence[int], attributes: Sequence[bytes]) -> None:
        """Keep the rows whose attributes hide them."""
        hidden = set()
        for written in set(attributes):
            found = plain_attributes(written.removesuffix(b"/"))
            if b"r" in found:
                raise NotPlainError
            if found.get(b"hidden") in (b"1", b"true"):
                hidden.add(written)
        if hidden:
            self.hidden_rows.extend(compress(rows, map(hidden.__contains__, attributes)))

    def _sparse(self, letters: bytes) -> SparseColumn:
        """Return the column of these letters."""
        column = self._columns.get(letters)
        if column is None:
            formulas = LazyFormulas(column_index(letters.decode()), self._sharing)
            column = self._columns[letters] = SparseColumn(formulas=formulas)
        return column

    def _format(self, written: bytes) -> _Format:
        """Return what the attributes of a cell say."""
        is_closed = written.endswith(b"/")
        attributes = plain_attributes(written.removesuffix(b"/"))
        style = attributes.get(b"s", b"0").decode()
        kind = attributes.get(b"t", b"n").decode()
        if b"r" in attributes or kind not in _KINDS:
            raise NotPlainError
        is_date = kind == "n" and style in self._dates
        convert = self._converters.get((kind, is_date))
        if convert is None:
            made = _Converted(kind, is_date=is_date, date1904=self._date1904)
            convert = self._converters[kind, is_date] = made.__getitem__
        return _Format(self._codes.get(style, 0), kind, convert, is_closed)

    def _put(
        self,
        column: SparseColumn,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        written: Sequence[bytes],
    ) -> None:
        """Add the cells of a column that have a value of the usual form."""
        if not all(written):
            rows = array("I", compress(rows, written))
            attributes = list(compress(attributes, written))
            written = list(filter(None, written))
        formats = {key: self._formats[key] for key in set(attributes)}
        if any(form.is_closed or form.kind == "inlineStr" for form in formats.values()):
            raise NotPlainError
        kinds = {form.kind for form in formats.values()}
        values: list[Value]
        if kinds == {"s"}:
            values = list(shared_texts(self._shared.texts, written))
            types: set[type] = {str}
            is_there = values if not all(values) else None
        else:
            if len(formats) == 1:
                (form,) = formats.values()
                values = list(map(form.convert, written))
            else:
                convert_of = {key: form.convert for key, form in formats.items()}
                values = list(map(call, map(convert_of.__getitem__, attributes), written))
            types = set(map(type, values))
            is_there = [value is not None for value in values] if _NONE in types else None
        if is_there is not None:
            types.discard(_NONE)
            rows = array("I", compress(rows, is_there))
            attributes = list(compress(attributes, is_there))
            written = list(compress(written, is_there))
            values = list(compress(values, is_there))
        if not values:
            return
        if str in types and kinds != {"s"}:
            self.texts.update(value for value in set(values) if isinstance(value, str))
        if self._shared.fonts and "s" in kinds:
            for row, key, index in zip(rows, attributes, written, strict=True):
                if formats[key].kind == "s" and int(index) in self._shared.fonts:
                    column.fonts[row] = self._shared.fonts[int(index)]
        column.rows.extend(rows)
        column.values.extend(values)
        codes: Iterable[int]
        if len(types) == 1 and "e" not in kinds:
            (only,) = types
            kind = KIND_OF_TYPE[only]
            if len(formats) == 1:
                codes = array("I", (formats[attributes[0]].code + kind,)) * len(values)
            else:
                code_of = {key: form.code + kind for key, form in formats.items()}
                codes = map(code_of.__getitem__, attributes)
        else:
            codes = [
                formats[key].code
                + (_ERROR if formats[key].kind == "e" else KIND_OF_TYPE[type(value)])
                for key, value in zip(attributes, values, strict=True)
            ]
        column.codes.extend(codes)

    def _put_rich(
        self,
        letters: bytes,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        groups: Sequence[tuple[bytes, ...]],
    ) -> None:
        """Add the cells of a column of which some are not just a value.

        Args:
            letters: The column.
            rows: Row numbers.
            attributes: Of the cells.
            groups: Formulas, shared ones, values, inline strings and other bodies, as
                `_RICH_CELL` says.
        """
        formulas, shared, values, inlines, bodies = groups
        if any(bodies):
            # Whatever a body has been tried as before counts for nothing.
            formulas, shared, values, inlines = (
                tuple(b"" if body else text for text, body in zip(texts, bodies, strict=True))
                for texts in (formulas, shared, values, inlines)
            )
        parts = []
        index = column_index(letters.decode())

        def put(add: Callable[..., None], where: Sequence[bytes], *more: Sequence[bytes]) -> None:
            if any(where):
                part = SparseColumn(formulas=LazyFormulas(index, self._sharing))
                given = (rows, attributes, where, *more)
                if not all(where):
                    given = tuple(list(compress(items, where)) for items in given)
                add(part, *given)
                parts.append(part)

        plain: Sequence[bytes] = values
        if any(formulas) or any(shared):
            plain = [
                b"" if formula or number else value
                for formula, number, value in zip(formulas, shared, values, strict=True)
            ]
        put(self._put, plain)
        put(self._put_formulas, formulas, values)
        put(self._put_shared, shared, values)
        put(self._put_inlines, inlines)
        put(partial(self._put_bodies, index), bodies)
        parts = [part for part in parts if part.rows]
        if not parts:
            return
        column = self._sparse(letters)
        merged = parts[0]
        if len(parts) > 1:
            merged = SparseColumn()
            for part in parts:
                merged.rows.extend(part.rows)
                merged.values.extend(part.values)
                merged.codes.extend(part.codes)
            merged.put_in_order()
        column.rows.extend(merged.rows)
        column.values.extend(merged.values)
        column.codes.extend(merged.codes)
        for part in parts:
            column.fonts.update(part.fonts)
            if part.formulas:
                column.formulas.take(part.formulas)

    def _put_formulas(
        self,
        column: SparseColumn,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        formulas: Sequence[bytes],
        stored: Sequence[bytes],
    ) -> None:
        """Add cells of formulas without attributes, with what was saved as their results."""
        self._take_forms(formulas)
        self._put_results(column, rows, attributes, stored)
        column.formulas.add(rows, formulas)

    def _put_shared(
        self,
        column: SparseColumn,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        numbers: Sequence[bytes],
        stored: Sequence[bytes],
    ) -> None:
        """Add cells whose formulas stand in other cells, with what was saved as their results."""
        self._put_results(column, rows, attributes, stored)
        different = dict.fromkeys(numbers)
        for number in different:
            own: Iterable[int] = rows
            if len(different) > 1:
                own = compress(rows, map(number.__eq__, numbers))
            column.formulas.share(number.decode(), own)

    def _put_results(
        self,
        column: SparseColumn,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        stored: Sequence[bytes],
    ) -> None:
        """Add what was saved as the results of formulas."""
        if any(self._formats[key].kind == "inlineStr" for key in set(attributes)):
            raise NotPlainError
        pairs = list(zip(attributes, stored, strict=True))
        values: dict[tuple[bytes, bytes], Value] = {}
        codes: dict[tuple[bytes, bytes], int] = {}
        for pair in set(pairs):
            form = self._formats[pair[0]]
            value, code = self._result(form, pair[1])
            values[pair], codes[pair] = value, form.code + code
            if isinstance(value, str):
                self.texts.add(value)
        column.rows.extend(rows)
        column.values.extend(map(values.__getitem__, pairs))
        column.codes.extend(map(codes.__getitem__, pairs))

    def _take_forms(self, formulas: Sequence[bytes]) -> None:
        """Keep the forms of formulas; those that differ in digits only are looked at once.

        Making digits zeros leaves bytes that are well-formed as they are, and others, too.
        """
        forms = b"\0".join(formulas).translate(_ZEROS).split(b"\0")
        if len(forms) != len(formulas):
            raise NotPlainError
        different = set(forms)
        if any(b"&#" in form for form in different):
            self.forms.update(plain_texts(formulas))
        else:
            self.forms.update(_form_texts(different))

    def _put_inlines(
        self,
        column: SparseColumn,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        written: Sequence[bytes],
    ) -> None:
        """Add cells of inline strings, none of them empty."""
        texts = plain_texts(written)
        known = {text: decode_escapes(text) for text in set(texts)}
        self.texts.update(known.values())
        code_of = {key: self._formats[key].code + _TEXT for key in set(attributes)}
        column.rows.extend(rows)
        column.values.extend(map(known.__getitem__, texts))
        column.codes.extend(map(code_of.__getitem__, attributes))

    def _put_bodies(
        self,
        index: int,
        column: SparseColumn,
        rows: Sequence[int],
        attributes: Sequence[bytes],
        bodies: Sequence[bytes],
    ) -> None:
        """Add cells that are formulas, inline strings, or have an empty value.

        Args:
            index: The column's number.
            column: The column.
            rows: Row numbers.
            attributes: Of the cells.
            bodies: What stands in them.
        """
        add_row, add_value, add_code = column.rows.append, column.values.append, column.codes.append
        for row, written, (formula, given, stored, inline) in zip(
            rows, attributes, self._taken_apart(bodies), strict=True
        ):
            form = self._formats[written]
            if inline is not None:
                value: Value = decode_escapes(inline) or None
                code = _BLANK if value is None else _TEXT
            elif form.kind == "inlineStr":
                raise NotPlainError
            else:
                value, code = self._result(form, stored)
            if formula is None and value is None:
                continue
            if isinstance(value, str):
                self.texts.add(value)
            add_row(row)
            add_value(value)
            add_code(form.code + code)
            if formula is None:
                continue
            number = given.get(b"si", b"").decode() if given.get(b"t") == b"shared" else None
            if number is not None and not formula:
                column.formulas.share(number, (row,))
                continue
            column.formulas[row] = formula
            # The cells of a batch are not taken in the order of the file.
            if number is not None and not self._sharing.define(number, formula, row, index):
                raise NotPlainError

    def _taken_apart(
        self, bodies: Sequence[bytes]
    ) -> Iterator[tuple[str | None, dict[bytes, bytes], bytes | None, str | None]]:
        """Return formula, its attributes, what its `v` holds, and inline text of cells.

        Each is `None`, or empty, if missing.
        """
        found = _BODY.findall(b"".join([body + b"\0" for body in bodies]))
        if len(found) != len(bodies) or found[-1][-1]:
            raise NotPlainError
        known = {given: plain_attributes(given) for given in {groups[1] for groups in found}}
        # A formula stands whole in group 0, or its text in 3 and an end of either kind.
        formulas = plain_texts([groups[0][3:-4] or groups[3] for groups in found])
        inlines = plain_texts([groups[8] for groups in found])
        for groups, formula, inline in zip(found, formulas, inlines, strict=True):
            is_formula = bool(groups[0] or groups[2] or groups[4])
            has_element = bool(groups[5] or groups[6])
            if is_formula:
                self.forms.add(formula)
            yield (
                formula if is_formula else None,
                known[groups[1]],
                groups[5][3:-4] if has_element else None,
                inline if groups[7] else None,
            )

    @staticmethod
    def _result(form: _Format, stored: bytes | None) -> tuple[Value, int]:
        """Return value and kind of a formula's result as it was saved.

        Args:
            form: What the cell's attributes say.
            stored: What stands in its `v`, `None` if it has none.
        """
        if not stored:
            return None, _BLANK if form.kind == "str" and stored is not None else _NO_VALUE
        if form.kind in ("b", "e", "d") and not plain_texts((stored,))[0].strip():
            return None, _NO_VALUE
        value = form.convert(stored)
        if value is None:
            return None, _BLANK if form.kind in ("s", "str") else _NO_VALUE
        return value, _ERROR if form.kind == "e" else KIND_OF_TYPE[type(value)]

"""The cells of one worksheet part, in one pass.

Intake reads millions of cells, so a part is first tried with patterns (`bulk_rows`). What they
do not take is parsed; the handlers below do as little as they can: what a cell is gets decided
only when it turns out to have a value, and the ends of elements are counted by a built-in
method unless a cell is of a kind that needs more.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from operator import lt
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, CellStyle, Value, column_index, column_letter
from xl_theodoi.workbook.reading.bulk_rows import BulkRows
from xl_theodoi.workbook.reading.cell_values import KIND_OF_TYPE, value_of
from xl_theodoi.workbook.reading.feeding import feed
from xl_theodoi.workbook.reading.grid import KIND_BITS, Grid, SparseColumn
from xl_theodoi.workbook.reading.guarded_xml import (
    MalformedXmlError,
    decode_escapes,
    guarded_parser,
    main_prefixes,
)
from xl_theodoi.workbook.reading.lazy_formulas import LazyFormulas, SharedFormulas
from xl_theodoi.workbook.reading.package import MAIN_NAMESPACES
from xl_theodoi.workbook.reading.plain_xml import NotPlainError
from xl_theodoi.workbook.reading.sheet_frame import (
    CELL_TAGS,
    FRAME_TAGS,
    LAST_COLUMN,
    LAST_ROW,
    SheetFrame,
    SheetPieces,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xl_theodoi.workbook.reading.package import Package
    from xl_theodoi.workbook.reading.strings_xml import SharedStrings

    Adders = tuple[Callable[[int], None], Callable[[Value], None], Callable[[int], None]]

_BLANK, _TEXT, _NUMBER = int(CellKind.BLANK), int(CellKind.TEXT), int(CellKind.NUMBER)
_ERROR, _NO_VALUE = int(CellKind.ERROR), int(CellKind.NO_VALUE)

_WORTH_A_PATTERN = 24_000
"""Bytes of a part below which making a pattern takes longer than parsing."""

_LETTERS = re.compile(r"[A-Z]{1,3}")
_ROW_NUMBER = re.compile(rb'<row r="([1-9][0-9]{0,6})"')

# What text at this point of the part belongs to.
_NOTHING, _VALUE, _VALUE_TAKEN, _COLLECT = range(4)


def read_sheet(
    package: Package,
    part: str,
    sheet: str,
    shared: SharedStrings,
    styles: Sequence[CellStyle],
    *,
    date1904: bool,
) -> Grid:
    """Return the filled cells of a worksheet part.

    Args:
        package: The package that has the part.
        part: Name of the worksheet part.
        sheet: Name of the sheet.
        shared: The workbook's shared strings.
        styles: The workbook's cell formats.
        date1904: Whether serial numbers count from 1904.

    Raises:
        TheodoiError: `not_a_workbook` if the part cannot be read, `too_large` if it has more
            filled rows or cells than the package's limits.
    """
    grid = Grid(package.file, sheet, styles=styles)
    with package.reading(part):
        if package.size(part) >= _WORTH_A_PATTERN:
            try:
                match_sheet(package, part, grid, shared, date1904=date1904)
            except NotPlainError:
                grid = Grid(package.file, sheet, styles=styles)
            else:
                return grid
        parse_sheet(package, part, grid, shared, date1904=date1904)
    return grid


def match_sheet(
    package: Package, part: str, grid: Grid, shared: SharedStrings, *, date1904: bool
) -> None:
    """Fill a grid from a worksheet part of the usual form.

    Raises:
        NotPlainError: If the part is of any other form, or has more than the limits allow.
        TheodoiError: If the part cannot be inflated.
    """
    rows = BulkRows(shared, grid.styles, package.limits, date1904=date1904)
    pieces = SheetPieces(package.chunks(part))
    for piece in pieces:
        rows.take(piece)
    frame = pieces.frame()
    if frame.longest > package.limits.items:
        raise NotPlainError
    grid.columns = rows.columns()
    grid.own_texts = frozenset(rows.texts)
    grid.formula_forms = frozenset(rows.forms)
    _finish(grid, frame, rows.hidden_rows)


def parse_top(
    package: Package,
    part: str,
    grid: Grid,
    shared: SharedStrings,
    last_row: int,
    *,
    date1904: bool,
) -> None:
    """Fill a grid from the first few rows of a part that was surveyed.

    Args:
        package: The package that has the part.
        part: Name of a worksheet part that `survey_sheet` found to be of the usual form.
        grid: An empty grid.
        shared: The workbook's shared strings.
        last_row: Last row wanted.
        date1904: Whether serial numbers count from 1904.

    Raises:
        NotPlainError: If a row further down could be one of those wanted.
        TheodoiError: If the part cannot be inflated.
    """
    pieces = SheetPieces(package.chunks(part))
    before = 0
    tops: list[bytes] = []
    for piece in pieces:
        numbers = [before, *map(int, _ROW_NUMBER.findall(piece))]
        is_ascending = all(map(lt, numbers, numbers[1:]))
        if not is_ascending or piece.count(b"<row") != len(numbers) - 1:
            raise NotPlainError
        before = numbers[-1]
        below = bisect_right(numbers, last_row)
        end = piece.find(b'<row r="%d"' % numbers[below]) if below < len(numbers) else None
        tops.append(piece[:end])
    whole = (pieces.head, *tops, pieces.tail)
    parse_sheet(package, part, grid, shared, date1904=date1904, chunks=whole)


def _finish(grid: Grid, frame: SheetFrame, hidden_rows: Iterable[int]) -> None:
    """Add to a grid with all its columns what is not cells."""
    last = grid.last_row
    grid.hidden_rows = frozenset(number for number in hidden_rows if number <= last)
    grid.hidden_columns = list(frame.hidden_columns)
    grid.merges = list(frame.merges)
    grid.is_protected = frame.is_protected


def parse_sheet(  # one closure: attribute access on an object would double the time
    package: Package,
    part: str,
    grid: Grid,
    shared: SharedStrings,
    *,
    date1904: bool,
    chunks: Iterable[bytes] | None = None,
) -> None:
    """Fill a grid from a worksheet part of any form; raises whatever is wrong with it."""
    parser = guarded_parser()
    texts, rich_fonts = shared.texts, shared.fonts
    codes = {str(index): index << KIND_BITS for index in range(len(grid.styles))}
    date_styles = {str(index) for index, style in enumerate(grid.styles) if style.is_date}
    by_letters: dict[str, SparseColumn] = {}
    adders: dict[str, Adders] = {}
    frame = SheetFrame()
    hidden_rows = array("I")
    known: dict[str, str] = {}
    row_tag = cell_tag = value_tag = ""

    row = 0
    row_text = "0"
    row_length = 1
    current: dict[str, str] = {}
    state = _NOTHING
    begun = 0
    ended: list[str] = []
    count_end = ended.append
    # Of cells that need more than their value: formulas, inline and formula text, ISO dates.
    pieces: list[str] = []
    inline: list[str] = []
    fonts: list[str] = []
    formula: str | None = None
    shared_number: str | None = None
    stored: str | None = None
    sharing = SharedFormulas()
    shared_by: dict[str, dict[int, str]] = {}
    is_special = is_inline = is_phonetic = False

    def adders_of(letters: str) -> Adders:
        """Return what adds to the column of letters seen for the first time."""
        if not _LETTERS.fullmatch(letters) or column_index(letters) > LAST_COLUMN:
            raise MalformedXmlError("cell address")
        formulas = LazyFormulas(column_index(letters), sharing)
        column = by_letters[letters] = SparseColumn(formulas=formulas)
        shared_by[letters] = {}
        adders[letters] = (column.rows.append, column.values.append, column.codes.append)
        return adders[letters]

    def address(attributes: dict[str, str]) -> str:
        """Return the address of a cell that has none: the one after the cell before it."""
        before = current.get("r", "") if current else ""
        index = column_index(before[:-row_length]) if before.endswith(row_text) else 0
        attributes["r"] = f"{column_letter(index + 1)}{row_text}"
        return attributes["r"]

    def begin_row(attributes: dict[str, str]) -> None:
        nonlocal row, row_text, row_length, current, state
        number = attributes.get("r")
        row = int(number) if number else row + 1
        if not 1 <= row <= LAST_ROW:
            raise MalformedXmlError("row number")
        row_text = str(row)
        row_length = len(row_text)
        current = {}
        state = _NOTHING
        if attributes.get("hidden", "0") in ("1", "true"):
            hidden_rows.append(row)

    def convert(kind: str, data: str) -> tuple[Value, int]:
        """Return value and kind of what stands in a cell's `v`."""
        is_date = current.get("s", "0") in date_styles
        value = value_of(kind, data, is_date=is_date, date1904=date1904)
        return value, _ERROR if kind == "e" else KIND_OF_TYPE[type(value)]

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal begun, current, state, formula, is_special
        begun += 1
        if state == _COLLECT:
            # Nothing may hide half of a formula behind an element inside it.
            raise MalformedXmlError("element in a text")
        if name == cell_tag:
            if "r" not in attributes:
                address(attributes)
            current = attributes
            state = _NOTHING
        elif name == value_tag:
            if is_special or current.get("t") in ("str", "d"):
                if not is_special:
                    is_special = True
                    parser.EndElementHandler = end_special
                state = _COLLECT
            else:
                state = _VALUE
        elif name == row_tag:
            begin_row(attributes)
        else:
            start_rare(name, attributes)

    def start_rare(name: str, attributes: dict[str, str]) -> None:
        nonlocal state, formula, shared_number, is_special, is_inline, is_phonetic
        if not is_special:
            # Text of a header, footer or formula of a format is no part of the last cell.
            state = _NOTHING
        tag = known.get(name)
        if tag is None:
            return
        if tag == "f" and current:
            formula = ""
            shared_number = attributes.get("si", "") if attributes.get("t") == "shared" else None
            is_special = True
            state = _COLLECT
            parser.EndElementHandler = end_special
        elif tag == "is" and current:
            is_special = is_inline = True
            parser.EndElementHandler = end_special
        elif tag == "t" and is_inline:
            state = _NOTHING if is_phonetic else _COLLECT
        elif tag == "rPh":
            is_phonetic = True
        elif tag == "rFont" and is_inline:
            fonts.append(attributes.get("val", ""))
        elif tag in FRAME_TAGS:
            frame.take(tag, attributes)
            package.check_items(frame.longest, part)
        elif tag in ("row", "c", "v"):
            start({"row": row_tag, "c": cell_tag, "v": value_tag}[tag], attributes)

    def text(data: str) -> None:
        nonlocal state
        if state == _VALUE:
            state = _VALUE_TAKEN
            reference = current["r"]
            if not reference.endswith(row_text):
                raise MalformedXmlError("cell address")
            letters = reference[:-row_length]
            add_row, add_value, add_code = adders.get(letters) or adders_of(letters)
            style = current.get("s", "0")
            kind = current.get("t", "n")
            if kind == "s":
                index = int(data)
                if index < 0:
                    raise MalformedXmlError("string index")
                value: Value = texts[index]
                if not value:
                    return
                code = _TEXT
                if rich_fonts and index in rich_fonts:
                    by_letters[letters].fonts[row] = rich_fonts[index]
            elif kind == "n" and data.isdecimal() and len(data) < 16:
                value, code = int(data), _NUMBER
                if style in date_styles:
                    value, code = convert(kind, data)
            else:
                value, code = convert(kind, data)
                if code == _BLANK:
                    return
            add_row(row)
            add_value(value)
            add_code(codes.get(style, 0) + code)
        elif state == _COLLECT:
            pieces.append(data)
        elif state == _VALUE_TAKEN and data.strip():
            raise MalformedXmlError("value in pieces")

    def end_special(name: str) -> None:
        nonlocal state, formula, stored, is_special, is_inline, is_phonetic
        count_end(name)
        tag = known.get(name)
        if tag == "v":
            stored = "".join(pieces)
        elif tag == "f":
            formula = "".join(pieces)
        elif tag == "t" and state == _COLLECT:
            inline.append("".join(pieces))
        elif tag == "rPh":
            is_phonetic = False
        elif tag == "c":
            keep_special()
            formula = stored = None
            is_special = is_inline = is_phonetic = False
            inline.clear()
            fonts.clear()
            parser.EndElementHandler = count_end
        pieces.clear()
        state = _NOTHING

    def keep_special() -> None:
        """Store the cell that has just ended."""
        reference = current.get("r", "")
        if not reference.endswith(row_text):
            raise MalformedXmlError("cell address")
        letters = reference[:-row_length]
        add_row, add_value, add_code = adders.get(letters) or adders_of(letters)
        kind = current.get("t", "n")
        value: Value = None
        code = _BLANK
        if kind == "inlineStr" or (inline and stored is None):
            value = decode_escapes("".join(inline))
            code = _TEXT
        elif kind == "str" and stored is not None:
            value, code = decode_escapes(stored), _TEXT
        elif stored is not None and stored.strip():
            if kind == "s":
                index = int(stored)
                if index < 0:
                    raise MalformedXmlError("string index")
                value, code = texts[index], _TEXT
            else:
                value, code = convert(kind, stored)
        elif formula is not None:
            code = _NO_VALUE
        if value == "":
            value, code = None, _BLANK
        if code == _BLANK and formula is None:
            return
        add_row(row)
        add_value(value)
        add_code(codes.get(current.get("s", "0"), 0) + code)
        if formula is not None:
            keep_formula(letters, formula)
        if fonts:
            by_letters[letters].fonts[row] = tuple(dict.fromkeys(fonts))

    def keep_formula(letters: str, text: str) -> None:
        """Store the formula of the cell that has just ended."""
        formulas, shared = by_letters[letters].formulas, shared_by[letters]
        # Of a cell given twice the last one counts.
        shared.pop(row, None)
        if shared_number is not None and not text:
            formulas.pop(row, None)
            shared[row] = sharing.key(shared_number)
            return
        formulas[row] = text
        if shared_number is not None:
            sharing.define(shared_number, text, row, column_index(letters))

    def start_root(_name: str, attributes: dict[str, str]) -> None:
        nonlocal begun, row_tag, cell_tag, value_tag
        begun += 1
        prefixes = main_prefixes(attributes, MAIN_NAMESPACES)
        if not prefixes:
            raise MalformedXmlError("namespace")
        for prefix in prefixes:
            known.update({prefix + tag: tag for tag in (*CELL_TAGS, *FRAME_TAGS)})
        row_tag, cell_tag, value_tag = (prefixes[0] + tag for tag in ("row", "c", "v"))
        parser.StartElementHandler = start
        parser.CharacterDataHandler = text

    def progress() -> tuple[int, int]:
        """Return elements begun and ended; looks at the limits while at it."""
        sizes = [len(column.rows) for column in by_letters.values()]
        if sum(sizes) > package.limits.cells:
            raise package.too_large("cells", part)
        if max(sizes, default=0) > package.limits.rows:
            raise package.too_large("rows", part)
        nonlocal begun
        counts, begun = (begun, len(ended)), 0
        ended.clear()
        return counts

    parser.StartElementHandler = start_root
    parser.EndElementHandler = count_end
    feed(parser, package.chunks(part) if chunks is None else chunks, progress)
    progress()
    for letters, cells in shared_by.items():
        for number in sorted(cells):
            by_letters[letters].formulas.share(cells[number], (number,))
    by_index = {column_index(letters): column for letters, column in by_letters.items()}
    for index in sorted(by_index):
        by_index[index].put_in_order()
        if by_index[index].rows:
            grid.columns[index] = by_index[index]
    _finish(grid, frame, hidden_rows)

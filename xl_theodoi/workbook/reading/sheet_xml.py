"""The cells of one worksheet part, in one pass.

Intake reads millions of cells, so the handlers below do as little as they can: what a
cell is gets decided only when it turns out to have a value, and the ends of elements are
counted by a built-in method unless a cell is of a kind that needs more.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, CellStyle, Value, column_index, column_letter
from xl_theodoi.workbook.reading.feeding import feed
from xl_theodoi.workbook.reading.grid import KIND_BITS, Grid, SparseColumn
from xl_theodoi.workbook.reading.guarded_xml import (
    MalformedXmlError,
    decode_escapes,
    guarded_parser,
    main_prefixes,
)
from xl_theodoi.workbook.reading.package import MAIN_NAMESPACES
from xl_theodoi.workbook.reading.serials import date_from, date_from_iso, number_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xl_theodoi.workbook.reading.package import Package
    from xl_theodoi.workbook.reading.strings_xml import SharedStrings

    Adders = tuple[Callable[[int], None], Callable[[Value], None], Callable[[int], None]]

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384

_BLANK, _TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR, _NO_VALUE = (int(kind) for kind in CellKind)

_TAGS = ("row", "c", "v", "f", "is", "t", "rPh", "rFont", "col", "mergeCell", "sheetProtection")
_LETTERS = re.compile(r"[A-Z]{1,3}")
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")

# What text at this point of the part belongs to.
_NOTHING, _VALUE, _VALUE_TAKEN, _COLLECT = range(4)


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
        _parse(package, part, grid, shared, date1904=date1904)
    return grid


def _parse(  # one closure: attribute access on an object would double the time
    package: Package, part: str, grid: Grid, shared: SharedStrings, *, date1904: bool
) -> None:
    parser = guarded_parser()
    texts, rich_fonts = shared.texts, shared.fonts
    codes = {str(index): index << KIND_BITS for index in range(len(grid.styles))}
    date_styles = {str(index) for index, style in enumerate(grid.styles) if style.is_date}
    by_letters: dict[str, SparseColumn] = {}
    adders: dict[str, Adders] = {}
    dates: dict[float, Value] = {}
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
    stored: str | None = None
    is_special = is_inline = is_phonetic = False

    def adders_of(letters: str) -> Adders:
        """Return what adds to the column of letters seen for the first time."""
        if not _LETTERS.fullmatch(letters) or column_index(letters) > LAST_COLUMN:
            raise MalformedXmlError("cell address")
        column = by_letters[letters] = SparseColumn()
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

    def date_or_number(number: float) -> tuple[Value, int]:
        """Return a number in a date format as its day; a number where there is no such day."""
        found = dates.get(number)
        if found is None:
            found = dates[number] = date_from(number, date1904=date1904) or number
        return found, _NUMBER if isinstance(found, (int, float)) else _DATE

    def convert(kind: str, data: str) -> tuple[Value, int]:
        """Return value and kind of what stands in a cell's `v`."""
        if kind == "b":
            return data.strip() in ("1", "true"), _BOOLEAN
        if kind == "e":
            return data.strip(), _ERROR
        if kind == "d":
            day = date_from_iso(data)
            return (data, _TEXT) if day is None else (day, _DATE)
        number = number_from(data)
        if number is None:
            return (data, _TEXT) if data.strip() else (None, _BLANK)
        if current.get("s") in date_styles:
            return date_or_number(number)
        return number, _NUMBER

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal begun, current, state, formula, is_special
        begun += 1
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
        nonlocal state, formula, is_special, is_inline, is_phonetic
        if not is_special:
            # Text of a header, footer or formula of a format is no part of the last cell.
            state = _NOTHING
        tag = known.get(name)
        if tag is None:
            return
        if tag == "f" and current:
            formula = ""
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
        elif tag == "col":
            if attributes.get("hidden", "0") in ("1", "true"):
                first, last = int(attributes.get("min", "0")), int(attributes.get("max", "0"))
                grid.hidden_columns.append((first, last))
                package.check_items(len(grid.hidden_columns), part)
        elif tag == "mergeCell":
            merged = parse_range(attributes.get("ref", ""))
            if merged is not None:
                grid.merges.append(merged)
                package.check_items(len(grid.merges), part)
        elif tag == "sheetProtection":
            grid.is_protected = attributes.get("sheet", "0") in ("1", "true")
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
                    value, code = date_or_number(value)
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
            by_letters[letters].formulas[row] = formula
        if fonts:
            by_letters[letters].fonts[row] = tuple(dict.fromkeys(fonts))

    def start_root(_name: str, attributes: dict[str, str]) -> None:
        nonlocal begun, row_tag, cell_tag, value_tag
        begun += 1
        prefixes = main_prefixes(attributes, MAIN_NAMESPACES)
        if not prefixes:
            raise MalformedXmlError("namespace")
        for prefix in prefixes:
            known.update({prefix + tag: tag for tag in _TAGS})
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
    feed(parser, package.chunks(part), progress)
    progress()
    by_index = {column_index(letters): column for letters, column in by_letters.items()}
    for index in sorted(by_index):
        by_index[index].put_in_order()
        if by_index[index].rows:
            grid.columns[index] = by_index[index]
    last = grid.last_row
    grid.hidden_rows = frozenset(number for number in hidden_rows if number <= last)

"""A sheet of a unit workbook whose cells are written as text at once.

XlsxWriter keeps every cell as an object and turns it into XML when the workbook is closed,
which takes most of the time of a sending of hundreds of workbooks. Here a cell is its XML from
the start, and a row of a `RowPattern` is one text with the values put in. All else of a sheet,
columns, validations, conditional formats, print set-up, is still XlsxWriter's; the XML is
byte for byte what XlsxWriter would have written.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import _datetime_to_excel_datetime, xl_range

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import (
    CELL_LIMIT,
    FORMULA_STARTS,
    clean_text,
)
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS, CellKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.workbook.building.unit_book import Shape
    from xl_theodoi.workbook.building.unit_rows import RowPattern

_ERRORS: Final = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
"""Values of formulas that Excel takes for errors, as XlsxWriter does."""
_USUAL_PIXELS: Final = 20
"""Height of a row of which the file says nothing."""
_VALUE: Final = "\0"
"""Stands in a template for what a cell's value puts in."""
_ORDER: Final = {mark: nth for nth, mark in enumerate((HERE, *MARKS))}
_PLACES: Final = re.compile(f"[{_VALUE}{HERE}{''.join(MARKS)}]")
_ROWS_OF_A_SPAN: Final = 16
_LETTERS: Final = tuple(column_letter(at + 1) for at in range(256))


def escaped(text: str) -> str:
    """Return a text as XML holds it between tags."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text


def _result(value: Any) -> tuple[str, str]:
    """Return the type attribute and the text of a formula's stored value."""
    kinds, texts = _results((value,))
    return kinds[0], texts[0]


def _results(values: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Return the type attributes and the texts of formulas' stored values."""
    kinds, texts = [], []
    for value in values:
        if isinstance(value, str):
            kind = ' t="str"' if value else ""
            if value in _ERRORS:
                kind = ' t="e"'
            kinds.append(kind)
            texts.append(escaped(value))
        elif isinstance(value, bool):
            kinds.append(' t="b"')
            texts.append(str(int(value)))
        else:
            kinds.append("")
            texts.append(str(value))
    return kinds, texts


def _number(value: float) -> str:
    if not isfinite(value):
        message = f"{value} is no number that a cell can hold"
        raise ValueError(message)
    return f"{value:.16G}"


@lru_cache(maxsize=4096)
def _day(value: date) -> str:
    return f"{_datetime_to_excel_datetime(value, False, False):.16G}"


class _Template:
    """A pattern as the pieces of text between what each row puts in.

    Attributes:
        pieces: Constant text, every other place left for what is put in.
        picked: Gives, from a row's number, marks and values, what goes into those places.
    """

    __slots__ = ("picked", "pieces")

    def __init__(self, pattern: RowPattern) -> None:
        text = "".join(_cell_template(*cell) for cell in pattern.cells)
        constant = _PLACES.split(text)
        self.pieces = [""] * (2 * len(constant) - 1)
        self.pieces[::2] = constant
        places, value = [], 1 + len(pattern.marks)
        for place in _PLACES.findall(text):
            if place == _VALUE:
                places.append(value)
                value += 1
            else:
                places.append(_ORDER[place])
        self.picked = itemgetter(*places)


def _cell_template(column: int, kind: CellKind, formula: str, shape: Shape, _: Any) -> str:
    if kind is CellKind.TEXT:
        return _VALUE
    head = f'<c r="{_LETTERS[column]}{HERE}" s="'
    if kind is CellKind.CONTENT:
        return f"{head}{_VALUE}"
    head += f'{shape.xf}"'
    if kind is CellKind.NUMBER:
        return f"{head}><v>{_VALUE}</v></c>"
    typed = _VALUE if kind is CellKind.FORMULA else ""
    return f"{head}{typed}><f>{escaped(formula)}</f><v>{_VALUE}</v></c>"


class FilledSheet(look._sheet_class()):  # type: ignore[misc] # noqa: SLF001
    """A worksheet of a `FilledBook`.

    Attributes:
        strings: The book's table of texts.
        used: Cells of the sheet that hold a text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strings: dict[str, int] = {}
        self.used = 0
        self.heights: dict[int, int] = {}
        self.cells: dict[int, dict[int, str]] = {}
        self.runs: dict[int, list[tuple[int, int, bytes]]] = {}

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        # XlsxWriter searches for functions newer than Excel 2010; none is used here.
        del expand_future_functions
        return formula.removeprefix("=")

    # Single cells

    def _put(self, row: int, column: int, shape: Shape | None, rest: str) -> None:
        style = "" if shape is None else f' s="{shape.xf}"'
        cells = self.cells.get(row)
        if cells is None:
            cells = self.cells[row] = {}
        cells[column] = f'<c r="{_LETTERS[column]}{row + 1}"{style}{rest}'

    def _string(self, text: str) -> int:
        """Return a text's number in the book's table of texts, and count its use."""
        self.used += 1
        found = self.strings.get(text)
        if found is None:
            if len(text) > CELL_LIMIT // 2:
                text = clean_text(text)
            found = self.strings.setdefault(text, len(self.strings))
        return found

    def write_string(self, row: int, column: int, text: str, shape: Shape | None = None) -> None:
        """Write a text."""
        self._put(row, column, shape, f' t="s"><v>{self._string(text)}</v></c>')

    def write_number(self, row: int, column: int, value: float, shape: Shape | None = None) -> None:
        """Write a number."""
        self._put(row, column, shape, f"><v>{_number(value)}</v></c>")

    def write_datetime(self, row: int, column: int, value: date, shape: Shape) -> None:
        """Write a day or a moment."""
        self._put(row, column, shape, f"><v>{_day(value)}</v></c>")

    def write_boolean(self, row: int, column: int, value: bool, shape: Shape) -> None:
        """Write a truth value."""
        self._put(row, column, shape, f' t="b"><v>{int(value)}</v></c>')

    def write_blank(self, row: int, column: int, _: None, shape: Shape | None = None) -> None:
        """Write a format only."""
        if shape is not None:
            self._put(row, column, shape, "/>")

    def write_formula(
        self, row: int, column: int, formula: str, shape: Shape | None = None, value: Any = 0
    ) -> None:
        """Write a formula and its value."""
        kind, held = _result(value)
        text = escaped(formula.removeprefix("="))
        self._put(row, column, shape, f"{kind}><f>{text}</f><v>{held}</v></c>")

    _write_string, _write_number, _write_blank = write_string, write_number, write_blank
    _write_formula, _write_datetime, _write_boolean = write_formula, write_datetime, write_boolean

    def merge_range(
        self, row: int, column: int, last_row: int, last_column: int, text: str, shape: Shape
    ) -> None:
        """Merge cells that hold one text."""
        self.merge.append([row, column, last_row, last_column])
        for here in range(row, last_row + 1):
            for at in range(column, last_column + 1):
                self.write_blank(here, at, None, shape)
        if text:
            self.write_string(row, column, text, shape)

    # Rows

    def write_rows(self, pattern: RowPattern) -> None:
        """Write the rows of a pattern, as the function of that name does.

        Raises:
            ValueError: Where the pattern's cells are not in order.
        """
        if not pattern.rows:
            return
        columns = [column for column, *_ in pattern.cells]
        if columns != sorted(set(columns)):
            message = f"columns of a pattern are not in order: {columns}"
            raise ValueError(message)
        template = _Template(pattern)
        pieces, picked = template.pieces, template.picked
        numbers = [str(row + 1) for row in pattern.rows]
        put_in: list[Sequence[str]] = [numbers]
        put_in += [list(map(escaped, marks)) for marks in pattern.marks]
        columns_of_values = pattern.columns
        for cell, values in zip(pattern.cells, columns_of_values, strict=True):
            put_in += self._column(cell, values, numbers)
        ends = self._ends(pattern, columns_of_values)
        rows = zip(pattern.rows, ends, zip(*put_in, strict=True), strict=True)
        for row, (first, last), parts in rows:
            if first < 0:
                continue
            pieces[1::2] = picked(parts)
            run = (first, last, "".join(pieces).encode())
            if row in self.runs:
                self.runs[row].append(run)
            else:
                self.runs[row] = [run]

    def _column(
        self,
        cell: tuple[int, CellKind, str, Shape, Shape],
        values: Sequence[Any],
        numbers: Sequence[str],
    ) -> Sequence[Sequence[str]]:
        """Return what the rows put in for one cell: a list for each place."""
        column, kind, _, shape, quoted = cell
        if kind is CellKind.COUNT:
            return (list(map(str, values)),)
        if kind is CellKind.FORMULA:
            return _results(values)
        if kind is CellKind.NUMBER:
            return (list(map(_number, values)),)
        if kind is CellKind.CONTENT:
            return (self._contents(values, f'{shape.xf}"', f'{quoted.xf}"'),)
        if not any(values):
            return ([""] * len(values),)
        styles = (f'" s="{shape.xf}" t="s"><v>', f'" s="{quoted.xf}" t="s"><v>')
        head = f'<c r="{_LETTERS[column]}'
        index = self._string
        return (
            [
                f"{head}{number}{styles[text[0] in FORMULA_STARTS]}{index(text)}</v></c>"
                if text
                else ""
                for number, text in zip(numbers, values, strict=True)
            ],
        )

    def _contents(self, values: Sequence[Any], plain: str, like_formula: str) -> list[str]:
        """Return the rest of the cells that hold some values, from their format's number on."""
        blank = f"{plain}/>"
        if values.count(None) == len(values):
            return [blank] * len(values)
        styles = (f'{plain} t="s"><v>', f'{like_formula} t="s"><v>')
        index = self._string
        found: list[str] = []
        add = found.append
        for value in values:
            if value is None:
                add(blank)
            elif isinstance(value, str):
                add(f"{styles[value[0] in FORMULA_STARTS]}{index(value)}</v></c>")
            elif isinstance(value, date):
                add(f"{plain}><v>{_day(value)}</v></c>")
            elif isinstance(value, bool):
                add(f'{plain} t="b"><v>{int(value)}</v></c>')
            else:
                add(f"{plain}><v>{_number(value)}</v></c>")
        return found

    @staticmethod
    def _ends(
        pattern: RowPattern, columns_of_values: Sequence[Sequence[Any]]
    ) -> list[tuple[int, int]]:
        """Return the first and the last column of each row; (-1, -1) for no cell."""
        kinds = [kind for _, kind, *_ in pattern.cells]
        if CellKind.TEXT not in (kinds[0], kinds[-1]):
            return [(pattern.cells[0][0], pattern.cells[-1][0])] * len(pattern.rows)
        ends = []
        columns = [(column, kind is CellKind.TEXT) for column, kind, *_ in pattern.cells]
        for values in zip(*columns_of_values, strict=True):
            held = [
                column
                for (column, may_be_absent), value in zip(columns, values, strict=True)
                if value or not may_be_absent
            ]
            ends.append((held[0], held[-1]) if held else (-1, -1))
        return ends

    def set_row(self, row: int, height: float) -> None:
        """Give a row a height in points."""
        self.heights[row] = int(height * 4.0 / 3.0 + 0.5)

    def row_points(self, row: int) -> float:
        """Return the height of a row in points."""
        return self.heights.get(row, _USUAL_PIXELS) * 0.75

    def add_table(
        self, row: int, column: int, last_row: int, last_column: int, options: Mapping[str, Any]
    ) -> None:
        """Add a table; XlsxWriter would note each of its cells."""
        super().add_table(row, column, row + 1, last_column, options)
        table = self.tables[-1]
        table["range"] = table["a_range"] = xl_range(row, column, last_row, last_column)
        if table.get("autofilter"):
            table["autofilter"] = table["a_range"]

    # The part

    def pieces(self) -> list[bytes]:
        """Return the sheet's part of the package, in pieces; the sheet is spent then.

        Sheets, formats and book refer to each other: what they hold would stay in memory until
        Python looks for such rings.
        """
        self._rows = self._joined()
        self.cells, self.runs = {}, {}
        self.fh = _Collected()
        self._assemble_xml_file()
        self._rows = []
        return self.fh.pieces

    def _joined(self) -> list[tuple[int, int, int, bytes]]:
        """Return number, first and last column and cells of each row, and note the area."""
        for row, singles in self.cells.items():
            self.runs.setdefault(row, []).extend(
                (column, column, text.encode()) for column, text in singles.items()
            )
        rows: list[tuple[int, int, int, bytes]] = []
        for row in sorted({*self.runs, *self.heights}):
            runs = self.runs.get(row)
            if not runs:
                rows.append((row, -1, -1, b""))
            elif len(runs) == 1:
                rows.append((row, *runs[0]))
            else:
                runs.sort()
                if any(a[1] >= b[0] for a, b in pairwise(runs)):
                    message = f"two patterns write the same cells of row {row + 1}"
                    raise ValueError(message)
                cells = b"".join([run[2] for run in runs])
                rows.append((row, runs[0][0], runs[-1][1], cells))
        self._check_dimensions(rows[0][0], min(first for _, first, _, _ in rows if first >= 0))
        self._check_dimensions(rows[-1][0], max(last for _, _, last, _ in rows))
        return rows

    def _write_sheet_data(self) -> None:
        spans: dict[int, tuple[int, int]] = {}
        for row, first, last, _ in self._rows:
            if first >= 0:
                block = row // _ROWS_OF_A_SPAN
                low, high = spans.get(block, (first, last))
                spans[block] = (min(low, first), max(high, last))
        said = {block: f'" spans="{low + 1}:{high + 1}"' for block, (low, high) in spans.items()}
        made = self.fh.pieces
        self.fh.write("<sheetData>")
        for row, _, _, cells in self._rows:
            span = said.get(row // _ROWS_OF_A_SPAN, '"')
            pixels = self.heights.get(row, _USUAL_PIXELS)
            height = ""
            if pixels != _USUAL_PIXELS:
                height = f' ht="{pixels * 0.75:.16g}"'
                if row not in self.fitted:
                    height += ' customHeight="1"'
            if cells:
                made += (f'<row r="{row + 1}{span}{height}>'.encode(), cells, b"</row>")
            else:
                made.append(f'<row r="{row + 1}{span}{height}/>'.encode())
        self.fh.write("</sheetData>")


class _Collected:
    """Takes the pieces of a part, as a file would."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, text: str) -> None:
        """Take a piece."""
        self.pieces.append(text.encode())

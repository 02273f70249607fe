"""A sheet of a unit workbook whose cells are written as text at once.

XlsxWriter keeps every cell as an object and turns it into XML when the workbook is closed,
which takes most of the time of a sending of hundreds of workbooks. Here a cell is its XML from
the start, and a row of a `RowPattern` is one text with the values put in. All else of a sheet,
columns, validations, conditional formats, print set-up, is still XlsxWriter's; the XML is
byte for byte what XlsxWriter would have written.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import xl_range

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import CELL_LIMIT, is_formula_like, serial
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS, CellKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.workbook.building.unit_book import FilledBook, Shape
    from xl_theodoi.workbook.building.unit_rows import RowPattern

_ERRORS: Final = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
"""Values of formulas that Excel takes for errors, as XlsxWriter does."""
_USUAL_PIXELS: Final = 20
"""Height of a row of which the file says nothing."""
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


def _result(value: Any) -> tuple[str, Any]:
    """Return the type attribute and the text of a formula's stored value."""
    if isinstance(value, str):
        if not value:
            return "", ""
        return (' t="e"' if value in _ERRORS else ' t="str"'), escaped(value)
    if isinstance(value, bool):
        return ' t="b"', int(value)
    return "", value


def _number(value: float) -> str:
    if not isfinite(value):
        message = f"{value} is no number that a cell can hold"
        raise ValueError(message)
    return f"{value:.16G}"


@lru_cache(maxsize=4096)
def _day(value: date) -> str:
    return f"{serial(value):.16G}"


class _Made:
    """A pattern as the text that a row's number and values are put into."""

    __slots__ = ("after", "first", "kinds", "last", "marked", "pieces")

    def __init__(self, pattern: RowPattern) -> None:
        columns = [column for column, *_ in pattern.cells]
        self.first = columns[0]
        if columns != sorted(set(columns)):
            message = f"columns of a pattern are not in order: {columns}"
            raise ValueError(message)
        self.kinds = [
            (kind, f'{shape.xf}"', quoted and f'{quoted.xf}"', _LETTERS[column])
            for column, kind, _, shape, quoted in pattern.cells
        ]
        kept = [column for column, kind, *_ in pattern.cells if kind is not CellKind.TEXT]
        # Texts at the end that are left out make a row shorter.
        self.after = [
            (nth, column)
            for nth, (column, kind, *_) in enumerate(pattern.cells)
            if kind is CellKind.TEXT and column > kept[-1]
        ]
        if self.first != kept[0]:
            message = f"a pattern begins with a text that may be left out: {columns}"
            raise ValueError(message)
        self.last = kept[-1]
        text = "".join(_cell_pattern(*cell) for cell in pattern.cells)
        self.marked = [(nth, mark) for nth, mark in enumerate(MARKS) if mark in text]
        self.pieces = text.split(HERE)


def _cell_pattern(column: int, kind: CellKind, formula: str, shape: Shape, _: Any) -> str:
    head = f'<c r="{_LETTERS[column]}{HERE}" s="'
    formula = escaped(formula).replace("%", "%%")
    if kind is CellKind.CONTENT:
        return f"{head}%s"
    if kind is CellKind.TEXT:
        return "%s"
    if kind is CellKind.NUMBER:
        return f'{head}{shape.xf}"><v>%s</v></c>'
    if kind is CellKind.COUNT:
        return f'{head}{shape.xf}"><f>{formula}</f><v>%s</v></c>'
    return f'{head}{shape.xf}"%s><f>{formula}</f><v>%s</v></c>'


class FilledSheet(look._sheet_class()):  # type: ignore[misc] # noqa: SLF001
    """A worksheet of a `FilledBook`."""

    def __init__(self) -> None:
        super().__init__()
        self.strings: dict[str, int] = {}
        self.book: FilledBook | None = None
        self.heights: dict[int, int] = {}
        self.cells: dict[int, dict[int, str]] = {}
        self.runs: dict[int, list[tuple[int, int, str]]] = {}

    def join(self, book: FilledBook) -> None:
        """Take the book's table of texts."""
        self.book, self.strings = book, book.strings

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
        if len(text) > CELL_LIMIT // 2 and len(text.encode("utf-16-le")) // 2 > CELL_LIMIT:
            encoded = text.encode("utf-16-le")[: CELL_LIMIT * 2]
            text = encoded.decode("utf-16-le", "ignore")
        self.book.used += 1  # type: ignore[union-attr]
        return self.strings.setdefault(text, len(self.strings))

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

    def write_pattern(
        self, row: int, pattern: RowPattern, values: Sequence[Any], marks: Sequence[str] = ()
    ) -> None:
        """Write a row of a pattern, as `write_cells` does."""
        made: _Made = pattern.made
        if made is None:
            made = pattern.made = _Made(pattern)
        number = str(row + 1)
        holes: list[Any] = []
        add = holes.append
        for (kind, shape, quoted, letters), value in zip(made.kinds, values, strict=True):
            if kind == CellKind.FORMULA:
                holes += _result(value)
            elif kind == CellKind.CONTENT:
                add(f"{shape}/>" if value is None else self._content(value, shape, quoted))
            elif kind == CellKind.COUNT:
                add(value)
            elif kind == CellKind.NUMBER:
                add(_number(value))
            elif value:
                index = self._string(value)
                add(f'<c r="{letters}{number}" s="{shape} t="s"><v>{index}</v></c>')
            else:
                add("")
        text = number.join(made.pieces) % tuple(holes)
        for nth, mark in made.marked:
            text = text.replace(mark, escaped(marks[nth]))
        last = made.last
        for nth, column in made.after:
            if values[nth]:
                last = column
        run = (made.first, last, text)
        if row in self.runs:
            self.runs[row].append(run)
        else:
            self.runs[row] = [run]

    def _content(self, value: Any, shape: str, quoted: str) -> str:
        if isinstance(value, str):
            used = quoted if is_formula_like(value) else shape
            return f'{used} t="s"><v>{self._string(value)}</v></c>'
        if isinstance(value, (date, datetime)):
            return f"{shape}><v>{_day(value)}</v></c>"
        if isinstance(value, bool):
            return f'{shape} t="b"><v>{int(value)}</v></c>'
        return f"{shape}><v>{_number(value)}</v></c>"

    def write_texts(
        self, row: int, column: int, texts: Sequence[str], shape: Shape, quoted: Shape
    ) -> None:
        """Write texts from a column on, as the function of that name does."""
        made = []
        first = last = -1
        number = row + 1
        for at, text in enumerate(texts, start=column):
            if text:
                style = quoted.xf if is_formula_like(text) else shape.xf
                made.append(
                    f'<c r="{_LETTERS[at]}{number}" s="{style}" t="s">'
                    f"<v>{self._string(text)}</v></c>"
                )
                last = at
                if first < 0:
                    first = at
        if made:
            self.runs.setdefault(row, []).append((first, last, "".join(made)))

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

    def xml(self) -> str:
        """Return the sheet's part of the package."""
        self._rows = self._joined()
        self.fh = _Collected()
        self._assemble_xml_file()
        return "".join(self.fh.pieces)

    def _joined(self) -> list[tuple[int, int, int, str]]:
        """Return number, first and last column and cells of each row, and note the area."""
        rows = []
        for row in sorted({*self.cells, *self.runs, *self.heights}):
            runs = self.runs.get(row, [])
            single = self.cells.get(row)
            if single:
                runs = runs + [(column, column, text) for column, text in single.items()]
            if len(runs) > 1:
                runs = sorted(runs)
                if any(a[1] >= b[0] for a, b in pairwise(runs)):
                    message = f"two patterns write the same cells of row {row + 1}"
                    raise ValueError(message)
            if runs:
                rows.append((row, runs[0][0], runs[-1][1], "".join([run[2] for run in runs])))
            else:
                rows.append((row, -1, -1, ""))
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
        write = self.fh.write
        write("<sheetData>")
        for row, _, _, cells in self._rows:
            span = said.get(row // _ROWS_OF_A_SPAN, '"')
            pixels = self.heights.get(row, _USUAL_PIXELS)
            height = ""
            if pixels != _USUAL_PIXELS:
                height = f' ht="{pixels * 0.75:.16g}"'
                if row not in self.fitted:
                    height += ' customHeight="1"'
            end = f">{cells}</row>" if cells else "/>"
            write(f'<row r="{row + 1}{span}{height}{end}')
        write("</sheetData>")


class _Collected:
    """Takes the pieces of a part, as a file would."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.write = self.pieces.append

    def close(self) -> None:
        """There is nothing to close."""

"""A sheet of a unit workbook whose cells are written as text at once.

XlsxWriter keeps every cell as an object and turns it into XML when the workbook is closed,
which takes most of the time of a sending of hundreds of workbooks. Here a cell is its XML from
the start, and a row of a `RowPattern` is one text with the values put in. All else of a sheet,
columns, validations, conditional formats, print set-up, is still XlsxWriter's; the XML is
byte for byte what XlsxWriter would have written.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import _datetime_to_excel_datetime, xl_range

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import (
    CELL_LIMIT,
    FORMULA_STARTS,
    clean_text,
)
from xl_theodoi.workbook.building.unit_rows import HERE, CellKind
from xl_theodoi.workbook.building.unit_template import VALUE, Templates, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xl_theodoi.workbook.building.unit_book import Shape
    from xl_theodoi.workbook.building.unit_rows import RowPattern

_ERRORS: Final = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
"""Values of formulas that Excel takes for errors, as XlsxWriter does."""
_USUAL_PIXELS: Final = 20
"""Height of a row of which the file says nothing."""
_NOTHING, _TEXTS, _DAYS, _WHOLE = ({kind} for kind in (type(None), str, date, int))
_EXACT: Final = 10**15
"""Whole numbers below it are written with all their digits."""
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
    if isinstance(value, str):
        if value in _ERRORS:
            return ' t="e"', value
        return ' t="str"' if value else "", escaped(value)
    if isinstance(value, bool):
        return ' t="b"', str(int(value))
    return "", str(value)


def _number(value: float) -> str:
    if not isfinite(value):
        message = f"{value} is no number that a cell can hold"
        raise ValueError(message)
    return f"{value:.16G}"


@lru_cache(maxsize=4096)
def _day(value: date) -> str:
    return f"{_datetime_to_excel_datetime(value, False, False):.16G}"


def _results(values: Sequence[Any]) -> tuple[str, Sequence[Sequence[bytes]]]:
    """Return the type attribute of formulas' stored values, and what the rows put in.

    Where not all values have the same type, it is put in too; where all are empty, nothing is.
    """
    kinds = set(map(type, values))
    if kinds == _TEXTS:
        if not any(values):
            return "", ()
        if all(values) and _ERRORS.isdisjoint(values):
            return ' t="str"', (encoded(escaped("\0".join(values)).split("\0")),)
    elif kinds == _WHOLE:
        return "", (encoded(list(map(str, values))),)
    types, texts = zip(*map(_result, values), strict=True)
    return VALUE, (encoded(types), encoded(texts))


def _numbers(values: Sequence[float]) -> list[bytes]:
    if set(map(type, values)) == _WHOLE and max(map(abs, values)) < _EXACT:
        return encoded(list(map(str, values)))
    return encoded(list(map(_number, values)))


def _ends(
    pattern: RowPattern, columns_of_values: Sequence[Sequence[Any]]
) -> Iterable[tuple[int, int]]:
    """Return the first and the last column of each row; (-1, -1) for no cell."""
    count = len(pattern.rows)
    held: list[tuple[int, Sequence[Any] | None]] = []  # values where a cell may be missing
    for (column, kind, *_), values in zip(pattern.cells, columns_of_values, strict=True):
        if kind is not CellKind.TEXT or all(values):
            held.append((column, None))
        elif any(values):
            held.append((column, values))
    firsts, lasts = _outermost(held, count), _outermost(held[::-1], count)
    return zip(firsts, lasts, strict=True)


def _outermost(held: Sequence[tuple[int, Sequence[Any] | None]], count: int) -> Sequence[int]:
    """Return for each row the first of some columns that has a cell; -1 for none."""
    tried: list[tuple[int, Sequence[Any]]] = []
    found = [-1] * count
    for column, values in held:
        if values is None:
            found = [column] * count
            break
        tried.append((column, values))
    for column, values in reversed(tried):
        found = [column if value else inner for value, inner in zip(values, found, strict=True)]
    return found


class Strings(dict[str, int]):
    """The number of every text in a workbook's table of texts; a new text gets the next one."""

    def __missing__(self, text: str) -> int:
        if len(text) > CELL_LIMIT // 2:
            text = clean_text(text)
        return self.setdefault(text, len(self))


class _Days(dict[date, str]):
    """Days as cells hold them."""

    def __missing__(self, day: date) -> str:
        found = self[day] = _day(day)
        return found


class Kept:
    """What is made once for the workbooks of one sending.

    Nothing here tells one unit what stands in the tasks of another: it is found only by all
    that it follows from.

    Attributes:
        templates: Rows without their values.
        days: Days as cells hold them.
    """

    def __init__(self) -> None:
        self.templates = Templates()
        self.days: dict[date, str] = _Days()


class FilledSheet(look._sheet_class()):  # type: ignore[misc] # noqa: SLF001
    """A worksheet of a `FilledBook`.

    Attributes:
        strings: The book's table of texts.
        kept: What the workbooks of one sending have in common.
        common: What stands in formulas for the marks that are the same in all rows.
        used: Cells of the sheet that hold a text.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strings, self.kept = Strings(), Kept()
        self.common: dict[str, str] = {}
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
        return self.strings[text]

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
        texts: list[str] = []
        put_in: list[Sequence[bytes]] = []
        columns_of_values = pattern.columns
        for cell, values in zip(pattern.cells, columns_of_values, strict=True):
            text, held = self._column(cell, values, pattern.rows)
            texts.append(text)
            put_in += held
        marks = [escaped("\0".join(said)).split("\0") for said in pattern.marks]
        finished = self.kept.templates.filled(
            "".join(texts), pattern.rows, marks, put_in, recurs=pattern.recurs
        )
        runs = self.runs
        ends = _ends(pattern, columns_of_values)
        for row, (first, last), cells in zip(pattern.rows, ends, finished, strict=True):
            if first >= 0:
                runs.setdefault(row, []).append((first, last, cells))

    def _column(
        self,
        cell: tuple[int, CellKind, str, Shape, Shape],
        values: Sequence[Any],
        rows: Sequence[int],
    ) -> tuple[str, Sequence[Sequence[bytes]]]:
        """Return the template of a cell and, for each of its places, what the rows put in.

        What is the same in all rows because there is nothing to say stands in the template:
        most columns of a list are blank when it is sent.
        """
        column, kind, formula, shape, quoted = cell
        if kind is CellKind.TEXT:
            return self._texts(column, values, rows, shape, quoted)
        head = f'<c r="{_LETTERS[column]}{HERE}" s="'
        if kind is CellKind.CONTENT:
            text, held = self._contents(values, f'{shape.xf}"', f'{quoted.xf}"')
            return f"{head}{text}", held
        head += f'{shape.xf}"'
        if kind is CellKind.NUMBER:
            return f"{head}><v>{VALUE}</v></c>", (_numbers(values),)
        middle = f"><f>{escaped(formula)}</f><v>"
        if kind is CellKind.COUNT:
            said = list(map(str, values))
            if said.count("0") == len(said):
                return f"{head}{middle}0</v></c>", ()
            return f"{head}{middle}{VALUE}</v></c>", (encoded(said),)
        typed, held = _results(values)
        return f"{head}{typed}{middle}{VALUE if held else ''}</v></c>", held

    def _texts(
        self, column: int, values: Sequence[str], rows: Sequence[int], shape: Shape, quoted: Shape
    ) -> tuple[str, Sequence[Sequence[bytes]]]:
        """Return the same of cells that are left out where they have no text."""
        if not any(values):
            return "", ()
        strings = self.strings
        starts = {text[:1] for text in values}
        if "" not in starts and starts.isdisjoint(FORMULA_STARTS):
            self.used += len(values)
            head = f'<c r="{_LETTERS[column]}{HERE}" s="{shape.xf}" t="s"><v>{VALUE}</v></c>'
            return head, (encoded(list(map(str, map(strings.__getitem__, values)))),)
        self.used += len(values) - values.count("")
        styles = (f'" s="{shape.xf}" t="s"><v>', f'" s="{quoted.xf}" t="s"><v>')
        head = f'<c r="{_LETTERS[column]}'
        said = [
            f"{head}{row + 1}{styles[text[0] in FORMULA_STARTS]}{strings[text]}</v></c>"
            if text
            else ""
            for row, text in zip(rows, values, strict=True)
        ]
        return VALUE, (encoded(said),)

    def _contents(
        self, values: Sequence[Any], plain: str, like_formula: str
    ) -> tuple[str, Sequence[Sequence[bytes]]]:
        """Return the same of cells that hold values, from their format's number on."""
        kinds = set(map(type, values))
        if kinds == _NOTHING:
            return f"{plain}/>", ()
        strings = self.strings
        if kinds == _TEXTS and FORMULA_STARTS.isdisjoint([text[:1] for text in values]):
            self.used += len(values)
            said = list(map(str, map(strings.__getitem__, values)))
            return f'{plain} t="s"><v>{VALUE}</v></c>', (encoded(said),)
        days = self.kept.days
        if kinds == _DAYS:
            said = list(map(days.__getitem__, values))
            return f"{plain}><v>{VALUE}</v></c>", (encoded(said),)
        blank = f"{plain}/>"
        styles = (f'{plain} t="s"><v>', f'{like_formula} t="s"><v>')
        found: list[str] = []
        add = found.append
        for value in values:
            if value is None:
                add(blank)
            elif isinstance(value, str):
                self.used += 1
                add(f"{styles[value[:1] in FORMULA_STARTS]}{strings[value]}</v></c>")
            elif isinstance(value, date):
                add(f"{plain}><v>{_day(value)}</v></c>")
            elif isinstance(value, bool):
                add(f'{plain} t="b"><v>{int(value)}</v></c>')
            else:
                add(f"{plain}><v>{_number(value)}</v></c>")
        return VALUE, (encoded(found),)

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
        made = [b"<sheetData>"]
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
        made.append(b"</sheetData>")
        data = b"".join(made)
        for mark, number in self.common.items():
            data = data.replace(mark.encode(), number.encode())
        self.fh.pieces.append(data)


class _Collected:
    """Takes the pieces of a part, as a file would."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, text: str) -> None:
        """Take a piece."""
        self.pieces.append(text.encode())

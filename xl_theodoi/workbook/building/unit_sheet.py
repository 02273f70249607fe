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
from xl_theodoi.workbook.building.unit_rows import HERE, CellKind
from xl_theodoi.workbook.building.unit_template import VALUE, Templates, all_packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xl_theodoi.workbook.building.unit_book import Shape
    from xl_theodoi.workbook.building.unit_rows import RowPattern

_ERRORS: Final = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
"""Values of formulas that Excel takes for errors, as XlsxWriter does."""
_USUAL_PIXELS: Final = 20
"""Height of a row of which the file says nothing."""
_NOTHING, _TEXTS, _DAYS, _WHOLE = ({kind} for kind in (type(None), str, date, int))
_TEXTS_OR_NOTHING, _DAYS_OR_NOTHING = _TEXTS | _NOTHING, _DAYS | _NOTHING
_EXACT: Final = 10**15
"""Whole numbers below it are written with all their digits."""
_ROWS_OF_A_SPAN: Final = 16
_ROWS_AT_ONCE: Final = 32
"""Rows that are joined and deflated at once: so many that they stay near the processor."""
_NO_SPAN: Final = '"'
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


def _results(values: Sequence[Any]) -> tuple[str, Sequence[Sequence[str]]]:
    """Return the type attribute of formulas' stored values, and what the rows put in.

    Where not all values have the same type, it is put in too; where all are empty, nothing is.
    """
    kinds = set(map(type, values))
    if kinds == _TEXTS:
        if not any(values):
            return "", ()
        if all(values) and _ERRORS.isdisjoint(values):
            return ' t="str"', (all_packed(escaped("\0".join(values)).split("\0")),)
    elif kinds == _WHOLE:
        return "", (list(map(str, values)),)
    types, texts = zip(*map(_result, values), strict=True)
    return VALUE, (all_packed(types), all_packed(texts))


def _numbers(values: Sequence[float]) -> list[str]:
    if set(map(type, values)) == _WHOLE and max(map(abs, values)) < _EXACT:
        return list(map(str, values))
    return list(map(_number, values))


def _ends(
    pattern: RowPattern, columns_of_values: Sequence[Sequence[Any]]
) -> tuple[int, int] | None:
    """Return the first and the last column of all rows; None where the rows differ in them."""
    (first, first_kind, *_), (last, last_kind, *_) = pattern.cells[0], pattern.cells[-1]
    if (first_kind is CellKind.TEXT and not all(columns_of_values[0])) or (
        last_kind is CellKind.TEXT and not all(columns_of_values[-1])
    ):
        return None
    return first, last


def _rows_of_texts(
    pattern: RowPattern, columns_of_values: Sequence[Sequence[Any]], finished: Sequence[str]
) -> Iterator[tuple[int, int, int, str]]:
    """Yield number, first and last column, and cells of rows in which cells may be missing."""
    held: list[tuple[int, Sequence[Any] | None]] = []  # values where a cell may be missing
    for (column, kind, *_), values in zip(pattern.cells, columns_of_values, strict=True):
        if kind is not CellKind.TEXT or all(values):
            held.append((column, None))
        elif any(values):
            held.append((column, values))
    count = len(pattern.rows)
    firsts, lasts = _outermost(held, count), _outermost(held[::-1], count)
    for row in zip(pattern.rows, firsts, lasts, finished, strict=True):
        if row[1] >= 0:
            yield row


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
        self.runs: dict[int, list[tuple[int, int, str]]] = {}
        self.blocks: list[tuple[int, int, Sequence[int], Sequence[str]]] = []
        self.spans: dict[int, tuple[int, int]] = {}
        self._head: list[str] = []

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
        put_in: list[Sequence[str]] = []
        columns_of_values = pattern.columns
        for cell, values in zip(pattern.cells, columns_of_values, strict=True):
            text, held = self._column(cell, values, pattern.rows)
            texts.append(text)
            put_in += held
        marks = [escaped("\0".join(said)).split("\0") for said in pattern.marks]
        finished = self.kept.templates.filled(
            "".join(texts), pattern.rows, marks, put_in, self.common
        )
        ends = _ends(pattern, columns_of_values)
        if ends is not None:
            self.blocks.append((*ends, pattern.rows, finished))
            return
        for row, first, last, held in _rows_of_texts(pattern, columns_of_values, finished):
            self.runs.setdefault(row, []).append((first, last, held))

    def _column(
        self,
        cell: tuple[int, CellKind, str, Shape, Shape],
        values: Sequence[Any],
        rows: Sequence[int],
    ) -> tuple[str, Sequence[Sequence[str]]]:
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
            return f"{head}{middle}{VALUE}</v></c>", (said,)
        typed, held = _results(values)
        return f"{head}{typed}{middle}{VALUE if held else ''}</v></c>", held

    def _texts(
        self, column: int, values: Sequence[str], rows: Sequence[int], shape: Shape, quoted: Shape
    ) -> tuple[str, Sequence[Sequence[str]]]:
        """Return the same of cells that are left out where they have no text."""
        if not any(values):
            return "", ()
        strings = self.strings
        starts = {text[:1] for text in values}
        if "" not in starts and starts.isdisjoint(FORMULA_STARTS):
            self.used += len(values)
            head = f'<c r="{_LETTERS[column]}{HERE}" s="{shape.xf}" t="s"><v>{VALUE}</v></c>'
            return head, (list(map(str, map(strings.__getitem__, values))),)
        self.used += len(values) - values.count("")
        styles = (f'" s="{shape.xf}" t="s"><v>', f'" s="{quoted.xf}" t="s"><v>')
        head = f'<c r="{_LETTERS[column]}'
        said = [
            f"{head}{row + 1}{styles[text[0] in FORMULA_STARTS]}{strings[text]}</v></c>"
            if text
            else ""
            for row, text in zip(rows, values, strict=True)
        ]
        return VALUE, (said,)

    def _contents(
        self, values: Sequence[Any], plain: str, like_formula: str
    ) -> tuple[str, Sequence[Sequence[str]]]:
        """Return the same of cells that hold values, from their format's number on."""
        kinds = set(map(type, values))
        if kinds == _NOTHING:
            return f"{plain}/>", ()
        strings = self.strings
        if kinds == _TEXTS and FORMULA_STARTS.isdisjoint([text[:1] for text in values]):
            self.used += len(values)
            said = list(map(str, map(strings.__getitem__, values)))
            return f'{plain} t="s"><v>{VALUE}</v></c>', (said,)
        days = self.kept.days
        if kinds == _DAYS:
            said = list(map(days.__getitem__, values))
            return f"{plain}><v>{VALUE}</v></c>", (said,)
        blank = f"{plain}/>"
        styles = (f'{plain} t="s"><v>', f'{like_formula} t="s"><v>')
        if kinds == _DAYS_OR_NOTHING:
            return VALUE, (
                [blank if day is None else f"{plain}><v>{days[day]}</v></c>" for day in values],
            )
        if kinds == _TEXTS_OR_NOTHING:
            self.used += len(values) - values.count(None)
            return VALUE, (
                [
                    blank
                    if text is None
                    else f"{styles[text[:1] in FORMULA_STARTS]}{strings[text]}</v></c>"
                    for text in values
                ],
            )
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
        return VALUE, (found,)

    def set_row(self, row: int, height: float) -> None:
        """Give a row a height in points."""
        self.heights[row] = int(height * 4.0 / 3.0 + 0.5)

    def set_heights(self, first: int, heights: Sequence[float], *, fitted: bool = False) -> None:
        """Give the rows from one on their heights in points; fitted ones may still change."""
        pixels = {height: int(height * 4.0 / 3.0 + 0.5) for height in set(heights)}
        rows = range(first, first + len(heights))
        self.heights.update(zip(rows, map(pixels.__getitem__, heights), strict=True))
        if fitted:
            self.fitted.update(rows)

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

    def pieces(self) -> Iterator[bytes]:
        """Yield the sheet's part of the package; the sheet is spent then.

        Sheets, formats and book refer to each other: what they hold would stay in memory until
        Python looks for such rings.
        """
        rows = self._joined()
        self.cells, self.runs, self.blocks = {}, {}, []
        firsts, lasts = zip(*self.spans.values(), strict=True)
        for row in self.heights:
            rows.setdefault(row, ())
        self._check_dimensions(min(rows), min(firsts))
        self._check_dimensions(max(rows), max(lasts))
        self.fh = _Collected()
        self._assemble_xml_file()
        yield "".join(self._head).encode()
        yield from self._row_texts(rows)
        yield "".join(self.fh.texts).encode()

    def _joined(self) -> dict[int, Sequence[str]]:
        """Return the cells of each row, and note the areas that they take."""
        runs = self.runs
        singles = self.cells
        texts = iter(all_packed([text for row in singles.values() for text in row.values()]))
        for row, columns in singles.items():
            found = [(column, column, next(texts)) for column in columns]
            runs[row] = runs[row] + found if row in runs else found
        blocks = sorted(self.blocks, key=itemgetter(0, 1))
        for nth, (_, last, rows, _) in enumerate(blocks):
            for first, _, others, _ in blocks[nth + 1 :]:
                if first <= last and not (taken := set(rows)).isdisjoint(others):
                    raise _written_twice(min(taken.intersection(others)))
        joined: dict[int, Sequence[str]] = {}
        for first, last, rows, cells in blocks:
            self._note_area(rows, first, last)
            if joined.keys().isdisjoint(rows) and runs.keys().isdisjoint(rows):
                joined.update(zip(rows, zip(cells, strict=True), strict=True))
                continue
            for row, held in zip(rows, cells, strict=True):
                if row in runs:
                    runs[row].append((first, last, held))
                else:
                    joined[row] = (*joined.get(row, ()), held)
        for row, found in runs.items():
            if len(found) > 1:
                found.sort()
                if any(a[1] >= b[0] for a, b in pairwise(found)):
                    raise _written_twice(row)
            joined[row] = [run[2] for run in found]
            self._note_area((row,), found[0][0], found[-1][1])
        return joined

    def _note_area(self, rows: Sequence[int], first: int, last: int) -> None:
        """Note the first and the last column of rows, for every sixteen of them together."""
        blocks: Iterable[int]
        if len(rows) > 1 and rows == list(range(rows[0], rows[-1] + 1)):
            blocks = range(rows[0] // _ROWS_OF_A_SPAN, rows[-1] // _ROWS_OF_A_SPAN + 1)
        else:
            blocks = {row // _ROWS_OF_A_SPAN for row in rows}
        for block in blocks:
            low, high = self.spans.get(block, (first, last))
            self.spans[block] = (min(low, first), max(high, last))

    def _write_sheet_data(self) -> None:
        self.fh.write("<sheetData>")
        self._head, self.fh = self.fh.texts, _Collected()
        self.fh.write("</sheetData>")

    def _row_texts(self, rows: Mapping[int, Sequence[str]]) -> Iterator[bytes]:
        """Yield the rows, some at a time."""
        said = {
            block: f'" spans="{low + 1}:{high + 1}"' for block, (low, high) in self.spans.items()
        }
        heights, fitted = self.heights, self.fitted
        made: list[str] = []
        for nth, row in enumerate(sorted(rows), start=1):
            made.append(f'<row r="{row + 1}{said.get(row // _ROWS_OF_A_SPAN, _NO_SPAN)}')
            pixels = heights.get(row, _USUAL_PIXELS)
            if pixels != _USUAL_PIXELS:
                own = "" if row in fitted else ' customHeight="1"'
                made.append(f' ht="{pixels * 0.75:.16g}"{own}')
            cells = rows[row]
            if cells:
                made.append(">")
                made += cells
                made.append("</row>")
            else:
                made.append("/>")
            if nth % _ROWS_AT_ONCE == 0:
                yield "".join(made).encode("latin-1")
                made.clear()
        yield "".join(made).encode("latin-1")


def _written_twice(row: int) -> ValueError:
    return ValueError(f"two patterns write the same cells of row {row + 1}")


class _Collected:
    """Takes the texts of a part, as a file would."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.write = self.texts.append

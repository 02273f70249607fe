"""The body rows of a list, turned into the sheet's XML without an object for every cell.

XlsxWriter keeps each cell, blank ones too, as an object until the file is closed: a register
of 60,000 tasks took 0.9 GB and most of the time of `new`. Here a row is kept as its shape
(which columns hold a text, a number, nothing) and the few values in it; rows of one shape
share one pattern of XML. The XML is the same as XlsxWriter's own.

A column of formulas has its formula in the first row, and every other row refers to it there:
of 60,000 rows with eight formulas the file would else be several times as large.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from xl_theodoi.domain.cells import column_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xl_theodoi.domain.own_row import RowFormula

CELL_LIMIT: Final = 32_767
"""UTF-16 units that a cell can hold."""
ROWS_AT_ONCE: Final = 512
"""Rows of XML that are joined before they are written."""
_ROW: Final = "\0"
"""Where a row's number goes in a pattern."""
_USUAL_PIXELS: Final = 20
"""Height of a row of which the file says nothing."""


_TO_ESCAPE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What a formula's result holds as `_xHHHH_`."""

_Turns = dict[type, "Callable[[Any], Any]"]
"""What turns a value of each kind into what stands in the XML."""


class _Shape:
    """Rows whose columns hold the same kinds of values.

    Attributes:
        filled: Position of every column that holds something, with the function that turns
            its value into what stands in the XML.
        pattern: XML of such a row's cells, made when the formats have their numbers.
    """

    __slots__ = ("filled", "kinds", "pattern")

    def __init__(self, kinds: tuple[type, ...], turns: Sequence[_Turns]) -> None:
        self.kinds = tuple(map(_plain_kind, kinds))
        self.filled = tuple(
            (place, turn[kind])
            for place, (kind, turn) in enumerate(zip(self.kinds, turns, strict=True))
            if kind in turn
        )
        self.pattern = ""


_NOTHING: Final = type(None)
_NUMBERS: Final = (int, float, date, datetime)
_RESULT_TYPES: Final = {_NOTHING: ' t="str"', str: ' t="str"', bool: ' t="b"'}
"""Types of a formula's stored result where it is no number."""
_KINDS: Final = (_NOTHING, str, bool, int, float, datetime, date, tuple)
"""Kinds of values; a kind stands before the one that it is a special case of."""


@cache
def _plain_kind(kind: type) -> type:
    """Return which kind a type of values is."""
    return next(known for known in _KINDS if issubclass(kind, known))


def joined(values: tuple[object, ...]) -> str:
    """Return several texts as one cell holds them."""
    return "; ".join(str(item) for item in values)


class ListRows:
    """The rows of one list, ready to be written when XlsxWriter closes the workbook.

    Args:
        first_row: 0-based row of the first of them.
        formats: Format of each column.
        moment: Format of a cell that holds a moment.
        string_index: Gives a text's number among the workbook's shared texts.
        serial: Gives a day or moment as the number that a cell holds.
        truth: Words for true and for false.
        formulas: Formulas by the place of their column. Values of these columns are the stored
            results; a blank one is an empty text.
    """

    def __init__(
        self,
        first_row: int,
        formats: Sequence[Any],
        *,
        moment: Any,
        string_index: Callable[[str], int],
        serial: Callable[[date], float],
        truth: tuple[str, str],
        formulas: Mapping[int, RowFormula] | None = None,
    ) -> None:
        self.first_row = first_row
        self._formulas = dict(sorted((formulas or {}).items()))
        self._formats = formats
        self._moment = moment
        self._string_index = string_index
        self._letters = [column_letter(place + 1) for place in range(len(formats))]
        self._shapes: dict[tuple[type, ...], _Shape] = {}
        self._rows: list[tuple[_Shape, tuple[Any, ...]]] = []
        self._heights: dict[int, int] = {}
        days: dict[date, str] = {}

        def day(value: date) -> str:
            text = days.get(value)
            if text is None:
                text = days[value] = f"{serial(value):.16G}"
            return text

        plain: _Turns = {
            str: self._text,
            int: _number,
            float: _number,
            date: day,
            datetime: lambda value: f"{serial(value.replace(tzinfo=None)):.16G}",
            bool: lambda value: string_index(truth[0] if value else truth[1]),
        }
        results: _Turns = {**plain, str: cache(result_text), bool: int}
        self._turns = [
            results if place in self._formulas else plain for place in range(len(formats))
        ]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self._formats)

    def add(self, values: Sequence[Any]) -> None:
        """Add a row: a value or None for each column; text is never taken for a number.

        Raises:
            ValueError: For text longer than a cell can hold, or for a number that is none;
                callers report `too_long` before.
        """
        if "" in values:
            values = [None if value == "" else value for value in values]
        kinds = tuple(map(type, values))
        shape = self._shapes.get(kinds)
        if shape is None:
            shape = self._shapes[kinds] = _Shape(kinds, self._turns)
        if tuple in shape.kinds:
            self.add([joined(value) if isinstance(value, tuple) else value for value in values])
            return
        self._rows.append((shape, tuple([turn(values[place]) for place, turn in shape.filled])))

    def fit_last(self, height: float) -> None:
        """Give the row added last a height, in points, that Excel may still change."""
        pixels = int(height * 4.0 / 3.0 + 0.5)
        if pixels != _USUAL_PIXELS:
            self._heights[len(self._rows) - 1] = pixels

    def _text(self, value: str) -> int:
        if len(value) > CELL_LIMIT // 2 and utf16_length(value) > CELL_LIMIT:
            message = f"text of {len(value)} characters does not fit into a cell"
            raise ValueError(message)
        return self._string_index(value)

    def xml(self) -> Iterator[str]:
        """Yield the rows' XML; formats are given their numbers in the order of their use."""
        spans = f'" spans="1:{len(self._formats)}"'
        made: list[str] = []
        for place, (shape, values) in enumerate(self._rows):
            number = str(self.first_row + place + 1)
            pixels = self._heights.get(place)
            height = "" if pixels is None else f' ht="{pixels * 0.75:.16g}"'
            pattern = self._first(shape) if not place else shape.pattern or self._pattern(shape)
            cells = (pattern % values).replace(_ROW, number)
            made.append(f'<row r="{number}{spans}{height}>{cells}</row>')
            if len(made) == ROWS_AT_ONCE:
                yield "".join(made)
                made.clear()
        yield "".join(made)

    def _pattern(self, shape: _Shape) -> str:
        shape.pattern = self._cells(
            shape,
            {place: f'<f t="shared" si="{at}"/>' for at, place in enumerate(self._formulas)},
        )
        return shape.pattern

    def _first(self, shape: _Shape) -> str:
        """Return the pattern of the first row, in which the formulas stand."""
        first, last = self.first_row + 1, self.first_row + len(self._rows)
        elements = {}
        for at, (place, formula) in enumerate(self._formulas.items()):
            letters = self._letters[place]
            text = escape(formula.at(first)).replace("%", "%%")
            area = f"{letters}{first}:{letters}{last}"
            share = f' t="shared" ref="{area}" si="{at}"' if last > first else ""
            elements[place] = f"<f{share}>{text}</f>"
        return self._cells(shape, elements)

    def _cells(self, shape: _Shape, formulas: Mapping[int, str]) -> str:
        """Return the pattern of a row's cells, given the elements of their formulas."""
        cells = []
        for place, (letter, kind, column_format) in enumerate(
            zip(self._letters, shape.kinds, self._formats, strict=True)
        ):
            used = self._moment if kind is datetime else column_format
            head = f'<c r="{letter}{_ROW}" s="{used._get_xf_index()}"'  # noqa: SLF001
            formula = formulas.get(place)
            if formula is not None:
                kept = _RESULT_TYPES.get(kind, "")
                value = "" if kind is _NOTHING else "%s"
                cells.append(f"{head}{kept}>{formula}<v>{value}</v></c>")
            elif kind is _NOTHING:
                cells.append(f"{head}/>")
            elif kind in _NUMBERS:
                cells.append(f"{head}><v>%s</v></c>")
            else:
                cells.append(f'{head} t="s"><v>%s</v></c>')
        return "".join(cells)


def result_text(value: str) -> str:
    """Return a text as the XML of a formula's stored result has it.

    Raises:
        ValueError: For text longer than a cell can hold.
    """
    if utf16_length(value) > CELL_LIMIT:
        message = f"text of {len(value)} characters does not fit into a cell"
        raise ValueError(message)
    return escape(_TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", value))


def _number(value: float) -> str:
    if not isfinite(value):
        message = f"{value} is no number that a cell can hold"
        raise ValueError(message)
    return f"{value:.16G}"


def utf16_length(text: str) -> int:
    """Return a text's length as Excel counts it; most emojis count twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

"""Cell values on their way to and from a running Excel, and the fewest ranges to write.

Excel reads a value that is assigned to a cell as if somebody had typed it: text that looks
like a formula, a number or a date stops being text. What is written here stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import CellKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xl_theodoi.domain.cells import Value

_ERROR_TEXTS: Final = frozenset(
    {
        "#BLOCKED!",
        "#BUSY!",
        "#CALC!",
        "#CONNECT!",
        "#DIV/0!",
        "#FIELD!",
        "#GETTING_DATA",
        "#N/A",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#REF!",
        "#SPILL!",
        "#UNKNOWN!",
        "#VALUE!",
    }
)
_ERROR_NUMBERS: Final = range(-2146826288, -2146826237)
"""How Windows hands over an error value: &H800A0000 plus 2000 to 2050. xlwings names the
seven oldest; the rest reach us as these integers, which no number of a cell is (a float)."""
_UNNAMED_ERROR: Final = "#ERROR!"

_WHOLE: Final = 1 << 53
_LONG: Final = 1 << 31
"""COM has no cell value for integers beyond 32 bits; as a float they are the same number."""

_READ_AS_OTHER: Final = (
    *("true", "false"),
    *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    *("thg", "tháng", "thang", "usd", "vnd", "eur"),
)
"""Beginnings of words that Excel may take for a truth value, a date or money."""

TEXT_PREFIX: Final = "'"


def read_value(raw: Any) -> tuple[Value, CellKind]:
    """Return a cell's value and kind from what xlwings read of it.

    Whole days become `date`, whole numbers `int`, as when a file is read.
    """
    if raw is None or raw == "":
        return None, CellKind.BLANK
    if isinstance(raw, str):
        return raw, CellKind.ERROR if raw in _ERROR_TEXTS else CellKind.TEXT
    if isinstance(raw, bool):
        return raw, CellKind.BOOLEAN
    if isinstance(raw, datetime):
        return _day_or_moment(raw), CellKind.DATE
    if isinstance(raw, date):
        return raw, CellKind.DATE
    if isinstance(raw, int):
        if raw in _ERROR_NUMBERS:
            return _UNNAMED_ERROR, CellKind.ERROR
        return raw, CellKind.NUMBER
    if isinstance(raw, (float, Decimal)):
        # Excel hands cells in a currency format over as decimals.
        number = float(raw)
        if number.is_integer() and abs(number) < _WHOLE:
            return int(number), CellKind.NUMBER
        return number, CellKind.NUMBER
    return str(raw), CellKind.TEXT


def read_values(raws: Sequence[Any]) -> tuple[list[Value], list[int]]:
    """Return what `read_value` returns of every cell of a column.

    Most columns hold blanks and cells of one type, and few different ones: those are read once.
    """
    types = {*map(type, raws)} - {type(None)}
    if not types:
        return [None] * len(raws), [int(CellKind.BLANK)] * len(raws)
    if types == {str} and _ERROR_TEXTS.isdisjoint(raws) and "" not in raws:
        text, blank = int(CellKind.TEXT), int(CellKind.BLANK)
        return list(raws), [blank if raw is None else text for raw in raws]
    if len(types) == 1:
        # Among cells of one type, equal ones are the same; 1 and true are not.
        known = {raw: read_value(raw) for raw in {*raws}}
        read = [known[raw] for raw in raws]
    else:
        read = [read_value(raw) for raw in raws]
    return [value for value, _ in read], [int(kind) for _, kind in read]


def _day_or_moment(moment: datetime) -> date | datetime:
    if moment.microsecond:
        # Excel shows milliseconds; a day computed as 45000.9999999999 is the next one.
        milliseconds = round(moment.microsecond / 1000)
        moment = moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)
    if moment.hour or moment.minute or moment.second or moment.microsecond:
        return moment.replace(tzinfo=None)
    return moment.date()


def write_value(value: Value) -> Any:
    """Return what to assign to a cell so that it holds `value`.

    Example:
        >>> write_value("=1+1"), write_value("Đã họp"), write_value(date(2026, 11, 20))
        ("'=1+1", 'Đã họp', datetime.datetime(2026, 11, 20, 0, 0))
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")
        return TEXT_PREFIX + text if needs_prefix(text) else text
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, time.min)
    if isinstance(value, int) and (abs(value) >= _LONG or value in _ERROR_NUMBERS):
        return float(value)
    return value


def needs_prefix(text: str) -> bool:
    """Whether Excel might take this text for a formula, a number, a date or an error.

    Text that begins with a letter is safe but for a few words; anything else gets the
    apostrophe, because what a machine's language settings read as a date is not knowable.
    """
    if not text:
        return False
    return not text[0].isalpha() or text.lower().startswith(_READ_AS_OTHER)


def same_value(left: Value, right: Value) -> bool:
    """Whether two values are the same in a cell: blank and empty text are, 1 and true are not."""
    left = None if left == "" else left
    right = None if right == "" else right
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, datetime) or isinstance(right, datetime):
        return _moment(left) == _moment(right)
    return left == right


def _moment(value: Value) -> Value:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time.min)
    return value


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of cells that one call writes; rows and columns are 1-based."""

    row: int
    column: int
    height: int
    width: int


def plan_blocks(
    cells: Iterable[tuple[int, int]], *, limit: int, barred: Callable[[int, int], bool]
) -> list[Block]:
    """Return rectangles that cover all `cells`, given as (row, column).

    Exactly these cells are covered while that takes at most `limit` rectangles. Beyond that
    the narrowest gaps within a column are bridged, so that some unchanged cells are written
    again with their own value; never a cell that is `barred`, such as one with a formula.
    """
    runs = _runs_by_column(cells)
    blocks = _rectangles(runs)
    if len(blocks) <= limit:
        return blocks
    gaps = sorted(
        (run[0] - before[1] - 1, column, before[1])
        for column, column_runs in runs.items()
        for before, run in pairwise(column_runs)
    )
    surplus = sum(map(len, runs.values())) - limit
    bridged: set[tuple[int, int]] = set()
    for size, column, last in gaps:
        if surplus <= 0:
            break
        if not any(barred(row, column) for row in range(last + 1, last + size + 1)):
            bridged.add((column, last))
            surplus -= 1
    return _rectangles(_bridge(runs, bridged))


def _runs_by_column(cells: Iterable[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
    rows: dict[int, list[int]] = {}
    for row, column in cells:
        rows.setdefault(column, []).append(row)
    runs: dict[int, list[tuple[int, int]]] = {}
    for column in sorted(rows):
        found: list[tuple[int, int]] = []
        for row in sorted(rows[column]):
            if found and found[-1][1] == row - 1:
                found[-1] = (found[-1][0], row)
            else:
                found.append((row, row))
        runs[column] = found
    return runs


def _bridge(
    runs: Mapping[int, list[tuple[int, int]]], bridged: set[tuple[int, int]]
) -> dict[int, list[tuple[int, int]]]:
    joined: dict[int, list[tuple[int, int]]] = {}
    for column, column_runs in runs.items():
        found: list[tuple[int, int]] = []
        for first, last in column_runs:
            if found and (column, found[-1][1]) in bridged:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        joined[column] = found
    return joined


def _rectangles(runs: Mapping[int, list[tuple[int, int]]]) -> list[Block]:
    columns: dict[tuple[int, int], list[int]] = {}
    for column, column_runs in runs.items():
        for run in column_runs:
            columns.setdefault(run, []).append(column)
    blocks: list[Block] = []
    for (first, last), found in columns.items():
        start = previous = found[0]
        for column in [*found[1:], 0]:
            if column != previous + 1:
                height, width = last - first + 1, previous - start + 1
                blocks.append(Block(first, start, height, width))
                start = column
            previous = column
    return sorted(blocks, key=lambda block: (block.row, block.column))

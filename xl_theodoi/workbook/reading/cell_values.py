"""What a cell's stored text means, by the cell's type and format."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from xl_theodoi.domain.cells import CellKind, Value
from xl_theodoi.workbook.reading.guarded_xml import decode_escapes
from xl_theodoi.workbook.reading.serials import date_from, date_from_iso, number_from

KIND_OF_TYPE: dict[type, int] = {
    type(None): int(CellKind.BLANK),
    str: int(CellKind.TEXT),
    int: int(CellKind.NUMBER),
    float: int(CellKind.NUMBER),
    date: int(CellKind.DATE),
    datetime: int(CellKind.DATE),
    bool: int(CellKind.BOOLEAN),
}
"""Kind of a value of every type that `value_of` returns, but for errors, which are texts."""

day_of = lru_cache(maxsize=1 << 16)(date_from)
"""`date_from` with its answers kept: columns of thousands of rows have few different days."""


def value_of(kind: str, text: str, *, is_date: bool, date1904: bool) -> Value:
    """Return the value of what stands in a cell's `v`, `None` where that is as good as nothing.

    Args:
        kind: The cell's `t`, but not `s`: indexes of shared strings are no values.
        text: The text, references resolved.
        is_date: Whether the cell's format shows numbers as dates.
        date1904: Whether serial numbers count from 1904.
    """
    if kind == "str":
        return decode_escapes(text) or None
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return text.strip()
    if kind == "d":
        day = date_from_iso(text)
        return text if day is None else day
    number = number_from(text)
    if number is None:
        return text if text.strip() else None
    if is_date:
        return day_of(number, date1904=date1904) or number
    return number

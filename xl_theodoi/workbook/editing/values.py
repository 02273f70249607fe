"""From a plain value to the XML of a cell: type, content and format."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeGuard

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.refs import address
from xl_theodoi.workbook.editing.rows import CellXml, attributes_of
from xl_theodoi.workbook.editing.styles import DATE_FORMAT, MOMENT_FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.strings import SharedStrings
    from xl_theodoi.workbook.editing.styles import Styles

_FORMULA_START = ("=", "+", "-", "@")
"""Text that starts so would become a formula if a person edited and confirmed the cell."""

_EPOCH_1900 = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)
_LEAP_BUG = date(1900, 3, 1)
_FORMULA = re.compile(
    rb"<(?:[\w.-]+:)?f(?=[\s/>])([^>]*?)(?:/>|>(.*?)</(?:[\w.-]+:)?f\s*>)", re.DOTALL
)
_VALUE = re.compile(rb"<(?:[\w.-]+:)?v(?:\s[^>]*)?>([^<]*)</(?:[\w.-]+:)?v\s*>")
_TEXT = re.compile(rb"<(?:[\w.-]+:)?t(?:\s[^>]*)?>([^<]*)</(?:[\w.-]+:)?t\s*>")


def serial(day: date | datetime, *, date_1904: bool) -> float | int:
    """Return the serial number of a day or moment.

    Raises:
        ValueError: If the day lies before the first day of the workbook's calendar.
    """
    moment = day if isinstance(day, datetime) else None
    whole = day.date() if isinstance(day, datetime) else day
    number = (whole - (_EPOCH_1904 if date_1904 else _EPOCH_1900)).days
    if not date_1904 and whole < _LEAP_BUG:
        number -= 1  # Excel counts a 29/02/1900 that never was.
    if number < (0 if date_1904 else 1):
        raise ValueError(f"{whole} lies before the calendar of the workbook")
    if moment is None:
        return number
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    part = (seconds + moment.microsecond / 1_000_000) / 86_400
    return number + part if part else number


def formula_of(cell: CellXml) -> tuple[dict[bytes, bytes], str] | None:
    """Return the attributes and text of a cell's formula, `None` where there is none."""
    if cell.inner is None or b"f" not in cell.inner:
        return None
    match = _FORMULA.search(cell.inner)
    if match is None:
        return None
    return attributes_of(match[1]), xml.unescape(match[2] or b"")


def is_usual_text(value: object) -> TypeGuard[str]:
    """Whether a value is a text that is not empty, not too long and needs no apostrophe."""
    return (
        type(value) is str
        and 0 < len(value) <= xml.MAX_TEXT // 2
        and not value.startswith(_FORMULA_START)
    )


def has_content(cell: CellXml | None) -> bool:
    """Whether a cell shows something: a value, a text, or a formula."""
    if cell is None or not cell.inner:
        return False
    if _FORMULA.search(cell.inner):
        return True
    match = _VALUE.search(cell.inner)
    if match is not None:
        return bool(match[1])
    return any(_TEXT.findall(cell.inner))


def is_shared_string(cell: CellXml) -> bool:
    """Whether a cell refers to the shared strings."""
    return cell.type == b"s"


def without_value(inner: bytes) -> bytes:
    """Return a formula cell's content without its cached value."""
    return _VALUE.sub(b"", re.sub(rb"<(?:[\w.-]+:)?v\s*/>", b"", inner))


class CellWriter:
    """Makes cells for one workbook.

    Args:
        strings: Shared strings of the workbook.
        styles: Function that returns the styles, which are read only where a value needs them.
        date_1904: Whether serial numbers count from 1904.
    """

    def __init__(
        self, strings: SharedStrings, styles: Callable[[], Styles], *, date_1904: bool
    ) -> None:
        self._strings = strings
        self._styles = styles
        self._date_1904 = date_1904
        self._dates: dict[tuple[int, str], int] = {}

    def cell(
        self,
        sheet: str,
        row: int,
        column: int,
        value: Value,
        *,
        style: int | None,
        prefix: bytes,
    ) -> CellXml:
        """Return a cell that holds a value and keeps a format as far as the value allows.

        Raises:
            TheodoiError: `edit_refused` for a text that is too long or a day before 1900.
            ValueError: For a number that is not finite.
        """
        kind = b""
        inner: bytes | None = None
        if isinstance(value, str):
            if value:
                if len(value) > xml.MAX_TEXT // 2 and xml.text_length(value) > xml.MAX_TEXT:
                    raise TheodoiError(
                        "edit_refused", sheet=sheet, cell=address(row, column), reason="too_long"
                    )
                kind = b"s"
                inner = b"<%sv>%d</%sv>" % (prefix, self._strings.index(value), prefix)
                style = self._quoted(style, on=value.startswith(_FORMULA_START))
        elif isinstance(value, bool):
            kind = b"b"
            inner = b"<%sv>%d</%sv>" % (prefix, value, prefix)
        elif isinstance(value, (int, float)):
            if not math.isfinite(value):
                raise ValueError(f"{value} cannot stand in a cell")
            inner = b"<%sv>%s</%sv>" % (prefix, repr(value).encode(), prefix)
            style = self._quoted(style, on=False)
        elif isinstance(value, date):
            try:
                number = serial(value, date_1904=self._date_1904)
            except ValueError as error:
                raise TheodoiError(
                    "edit_refused", sheet=sheet, cell=address(row, column), reason="early_date"
                ) from error
            inner = b"<%sv>%s</%sv>" % (prefix, repr(number).encode(), prefix)
            style = self._dated(style or 0, isinstance(number, float))
        elif value is not None:
            raise ValueError(f"{type(value).__name__} cannot stand in a cell")
        text = b' r="%s"' % address(row, column).encode()
        if style is not None:
            text += b' s="%d"' % style
        if kind:
            text += b' t="%s"' % kind
        return CellXml(text, inner)

    def result(
        self,
        sheet: str,
        row: int,
        column: int,
        value: Value,
        *,
        style: int | None,
        prefix: bytes,
    ) -> tuple[bytes, bytes, int | None]:
        """Return what a formula's cell has for a stored result: a blank one is an empty text.

        Returns:
            The attributes after the address, the element of the value, and the format.

        Raises:
            TheodoiError: As `cell`.
            ValueError: As `cell`.
        """
        if value is None or isinstance(value, str):
            text = value or ""
            if len(text) > xml.MAX_TEXT // 2 and xml.text_length(text) > xml.MAX_TEXT:
                raise TheodoiError(
                    "edit_refused", sheet=sheet, cell=address(row, column), reason="too_long"
                )
            kind = b' t="str"'
            inner = b"<%sv>%s</%sv>" % (prefix, xml.escape(xml.encode_text(text)), prefix)
            style = self._quoted(style, on=False)
        else:
            cell = self.cell(sheet, row, column, value, style=style, prefix=prefix)
            kind = b' t="b"' if isinstance(value, bool) else b""
            inner, style = cell.inner or b"", cell.style
        return (b"" if style is None else b' s="%d"' % style) + kind, inner, style

    def text_frame(self, style: int | None, prefix: bytes) -> tuple[bytes, bytes, int]:
        """Return what stands around the index of a usual text in its cell, and the format.

        The cell begins after its address; see `is_usual_text`.
        """
        style = self._quoted(style, on=False)
        text = b"" if style is None else b' s="%d"' % style
        return text + b' t="s"><%sv>' % prefix, b"</%sv></%sc>" % (prefix, prefix), style or 0

    def _quoted(self, style: int | None, *, on: bool) -> int | None:
        # Text in a cell that was typed with an apostrophe may keep the mark; a number may not.
        if on:
            styles = self._styles()
            return style if styles.quotes(style or 0) else styles.with_quote(style or 0, on=True)
        if not style:
            return style
        styles = self._styles()
        return styles.with_quote(style, on=False) if styles.quotes(style) else style

    def _dated(self, style: int, moment: bool) -> int:
        code = MOMENT_FORMAT if moment else DATE_FORMAT
        known = self._dates.get((style, code))
        if known is None:
            styles = self._styles()
            known = styles.with_quote(style, on=False) if styles.quotes(style) else style
            if not styles.is_date(known):
                known = styles.with_date(known, code)
            self._dates[style, code] = known
        return known

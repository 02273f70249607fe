"""Dates as people write them in cells: read where there is one meaning, refused elsewhere.

Day and month are never swapped to make a date possible: `05/13/2026` is a wrong date, and
`05/09/2026` is 5 September. Whether a column was swapped by a foreign locale cannot be told
from one cell; `DateReading.swappable` lets whoever sees the whole column judge.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from xl_theodoi.domain.cells import CellKind, Value

VIET_NAM = timezone(timedelta(hours=7))
"""The one time zone of the country, without summer time."""

BAD_DATE = "bad_date"
"""Problem code: the cell holds something that is no date."""

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years in which an office's dates can lie; anything else is a slip of the hand."""

_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202c\u202d\u202e"), None
)
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"), "-")
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), 0xFF0F, 0xFF0E)}
_SLASHES = {0x2044: "/", 0x2215: "/"}
_CLEANING = {**_INVISIBLE, **_HYPHENS, **_FULL_WIDTH, **_SLASHES}


@dataclass(frozen=True, slots=True)
class DateReading:
    """What a cell says as a date.

    Attributes:
        value: The day, or `None` for a blank cell and for one that holds no date.
        problem: Code of the finding, or `None` where the cell is blank or right.
        swappable: Whether it was written as text with day and month both possible either way
            and different, so that a swap by a foreign locale would go unnoticed.
    """

    value: date | None = None
    problem: str | None = None
    swappable: bool = False


@dataclass(frozen=True, slots=True)
class DateWords:
    """The words of a date that is written out, in the order day, month, year."""

    day: str
    month: str
    year: str


VIETNAMESE = DateWords("ngày", "tháng", "năm")
"""The words are part of the written form of a date, as the slash is."""

_BLANK = DateReading()
_BAD = DateReading(problem=BAD_DATE)

_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}}) ?([/.-]) ?(\d{{1,2}}) ?\2 ?(\d{{4}}|\d{{2}})(?: {_TIME})?\.?"
)
_YEAR_FIRST = re.compile(
    rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:[T ]{_TIME}(?:Z|[+-]\d{{2}}:?\d{{2}})?)?"
)
_SWAPPING = frozenset("/-")


def clean_text(text: str) -> str:
    """Return text with one kind of space, hyphen, digit and composition (NFC).

    Soft hyphens stay: in the old TCVN3 fonts they are a letter.
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_CLEANING).split())


def full_year(digits: str) -> int:
    """Return the year that two or four digits mean; two digits are of this century."""
    return 2000 + int(digits) if len(digits) == 2 else int(digits)


def make_date(year: int, month: int, day: int) -> date | None:
    """Return the day, or `None` where the calendar has no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def from_serial(number: float, *, date1904: bool = False) -> date | None:
    """Return the day of a spreadsheet's serial number, its time cut off.

    The 1900 system counts a 29 February 1900 that never was, so numbers below 61 are not
    read; no office has deadlines there.

    Args:
        number: Days, with the time as a fraction.
        date1904: Whether the workbook counts from 1904 (old Macintosh files).

    Returns:
        The day, or `None` for a number that is no date.

    Example:
        >>> from_serial(46347)
        datetime.date(2026, 11, 21)
    """
    if not (61 <= number < 2_958_466):
        # Not a number (NaN) fails both comparisons and ends here too.
        return None
    origin = date(1904, 1, 1) if date1904 else date(1899, 12, 30)
    try:
        return origin + timedelta(days=int(number))
    except OverflowError:
        return None


def read_date(value: Value, kind: CellKind, words: DateWords = VIETNAMESE) -> DateReading:
    """Return what a cell says as a date.

    Read are real dates and moments (the time is cut off), serial numbers of the years 2000
    to 2100, and text: `30/6/2026`, `30/6/26`, `30-6-2026`, `30.6.2026`, `2026-06-30`, each
    with or without a time, and the written-out form. Spaces, hyphens and digits of any kind
    are taken as their plain form.

    Args:
        value: The raw value.
        kind: What the cell holds, as the file tells it.
        words: The words of the written-out form.

    Returns:
        The day; or the code of a problem, never a guess.
    """
    if value is None or kind is CellKind.BLANK:
        return _BLANK
    if isinstance(value, datetime):
        return _in_range(value.date())
    if isinstance(value, date):
        return _in_range(value)
    if isinstance(value, str):
        if kind in (CellKind.ERROR, CellKind.NO_VALUE, CellKind.BOOLEAN):
            return _BAD
        return _read_text(value, words)
    if kind is CellKind.BOOLEAN or isinstance(value, bool):
        return _BAD
    return _in_range(from_serial(value))


def _in_range(day: date | None, *, swappable: bool = False) -> DateReading:
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        return _BAD
    return DateReading(day, swappable=swappable)


@lru_cache(maxsize=4)
def _written_out(words: DateWords) -> re.Pattern[str]:
    day, month, year = (re.escape(unicodedata.normalize("NFC", w)) for w in _each(words))
    return re.compile(
        rf"(?:{day} )?(\d{{1,2}}),? {month} (\d{{1,2}}),? {year} (\d{{4}})", re.IGNORECASE
    )


def _each(words: DateWords) -> tuple[str, str, str]:
    return words.day, words.month, words.year


def _without_word(text: str, word: str) -> str:
    """Return text without a word at its beginning, as in "on 5/9/2026"."""
    word = unicodedata.normalize("NFC", word)
    return text[len(word) :].lstrip() if text.lower().startswith(word.lower()) else text


@lru_cache(maxsize=65536)
def _read_text(text: str, words: DateWords) -> DateReading:
    """Return the date of a text cell; columns repeat their dates, so readings are kept."""
    text = clean_text(text)
    if not text:
        return _BLANK
    if match := _DAY_FIRST.fullmatch(_without_word(text, words.day)):
        day, separator, month, year = match.groups()
        either_way = int(day) <= 12 and int(month) <= 12 and int(day) != int(month)
        return _in_range(
            make_date(full_year(year), int(month), int(day)),
            swappable=either_way and separator in _SWAPPING,
        )
    if match := _YEAR_FIRST.fullmatch(text):
        year, _, month, day = match.groups()
        return _in_range(make_date(int(year), int(month), int(day)))
    if match := _written_out(words).fullmatch(text):
        day, month, year = match.groups()
        return _in_range(make_date(int(year), int(month), int(day)))
    return _BAD

"""Numbers and dates as cells store them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - cells know no time zone
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001
_EARLY_1900 = datetime(1899, 12, 31)  # noqa: DTZ001 - before the 29/02/1900 that Excel made up
_MADE_UP_DAY = 60
_LAST_SERIAL = {False: 2_958_465, True: 2_957_003}
"""31/12/9999 in the two systems, keyed by whether days count from 1904."""
_EXACT = 1 << 53


def number_from(text: str) -> int | float | None:
    """Return the number in a cell's text, an integer where it is whole, `None` if it is none."""
    text = text.strip()
    if "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    if number.is_integer() and abs(number) < _EXACT:
        return int(number)
    return number


def date_from(serial: float, *, date1904: bool) -> date | datetime | None:
    """Return the day or moment of a serial number, `None` where the calendar has none.

    A whole serial is a `date`, one with a time of day a `datetime` without zone, rounded to
    the millisecond as Excel shows it. Serial 60 of the 1900 system is 29/02/1900, a day that
    never was; serials under 1 there are times of day without a date.

    Example:
        >>> date_from(59, date1904=False), date_from(61, date1904=False)
        (datetime.date(1900, 2, 28), datetime.date(1900, 3, 1))
    """
    day = math.floor(serial)
    if not (0 if date1904 else 1) <= day <= _LAST_SERIAL[date1904]:
        return None
    if not date1904 and day == _MADE_UP_DAY:
        return None
    epoch = _EPOCH_1904 if date1904 else _EPOCH_1900 if day > _MADE_UP_DAY else _EARLY_1900
    milliseconds = round((serial - day) * 86_400_000)
    try:
        moment = epoch + timedelta(days=day, milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment if moment.time() != datetime.min.time() else moment.date()


def date_from_iso(text: str) -> date | datetime | None:
    """Return the day or moment of an ISO text as `t="d"` cells hold it, `None` if it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=None)
    return moment if moment.time() != datetime.min.time() else moment.date()


def moment_from_w3c(text: str) -> datetime | None:
    """Return the aware moment of a package property; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

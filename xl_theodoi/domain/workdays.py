"""The office's working calendar: days off, make-up days and working-day arithmetic.

A working day is Monday to Friday, less the days off, plus the make-up Saturdays or Sundays
that pay for a swapped day off (QĐ 188/1999/QĐ-TTg; Labour Code 2019, art. 112). The first
day of a term is never counted (Civil Code 2015, art. 147).

The calendar is a `workalendar` calendar, so that library's reports and exports work with it;
counting itself goes through a cumulative table, because a walk day by day takes minutes for a
register and an assumption of "no holidays" gives wrong deadlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from workalendar.core import SAT, SUN, Calendar

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]
    """Calendar days, `datetime64[D]`."""
    Counts = NDArray[np.int64]

_EPOCH = date(1970, 1, 1).toordinal()
"""Day 0 of numpy's `datetime64[D]`, as Python counts days."""

_WEEKEND = (SAT, SUN)


class DayKind(StrEnum):
    """What the calendar says of a day that is not as its weekday would have it."""

    OFF = "off"
    MAKEUP_WORK = "makeup_work"


class Confidence(StrEnum):
    """How well a row of the calendar is attested; anything but `high` is shown for checking."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class DayEntry:
    """One row of the calendar.

    Attributes:
        date: The day.
        kind: Day off, or make-up working day.
        name: Name of the day as people see it.
        basis: Legal basis: article of law, or number of the notice of a swap.
        confidence: How well the row is attested.
    """

    date: date
    kind: DayKind
    name: str
    basis: str = ""
    confidence: Confidence = Confidence.HIGH


class CalendarMissingError(TheodoiError):
    """A count needs a year whose days off nobody has entered.

    Args:
        year: The first such year that the count meets.
    """

    def __init__(self, year: int) -> None:
        super().__init__("calendar_missing", year=year)
        self.year = year


def _plain(day: date) -> date:
    """Return the calendar day of a date or moment."""
    if not isinstance(day, date):
        message = f"not a date: {day!r}"
        raise TypeError(message)
    return day.date() if isinstance(day, datetime) else day


class _Table:
    """Working days by position, for the span from the first covered year to the last.

    Positions are days since `first`. Days of a year that is missing inside the span are no
    working days here and are counted in `missing`, so that a result beyond them is refused.
    """

    def __init__(self, entries: dict[date, DayEntry], years: frozenset[int]) -> None:
        self.first = date(min(years), 1, 1).toordinal() - _EPOCH
        self.length = date(max(years), 12, 31).toordinal() - _EPOCH - self.first + 1
        position = np.arange(self.length)
        # 1970-01-01 was a Thursday; Monday is 0.
        working = (position + self.first + 3) % 7 < 5
        covered = np.zeros(self.length, dtype=bool)
        for year in years:
            start = date(year, 1, 1).toordinal() - _EPOCH - self.first
            covered[start : start + (366 if _is_leap(year) else 365)] = True
        for day, entry in entries.items():
            at = day.toordinal() - _EPOCH - self.first
            if 0 <= at < self.length:
                working[at] = entry.kind is DayKind.MAKEUP_WORK
        self.working = working & covered
        self.positions = np.flatnonzero(self.working).astype(np.int64)
        # One leading zero: `before[i]` counts what lies before position i.
        self.before = np.concatenate(([0], np.cumsum(self.working))).astype(np.int64)
        self.missing = np.concatenate(([0], np.cumsum(~covered))).astype(np.int64)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class WorkCalendar(Calendar):  # type: ignore[misc]  # workalendar has no type information
    """The working calendar of one office.

    Only years whose 1 January stands in the table as a day off are covered; counting through
    any other year is refused, never answered as if that year had no holidays.

    Args:
        entries: Rows in order of authority: of several rows for one day the last one wins,
            so the office's own table goes after the shipped one.

    Example:
        >>> calendar = WorkCalendar(
        ...     [
        ...         DayEntry(date(2024, 1, 1), DayKind.OFF, "New Year"),
        ...         DayEntry(date(2024, 4, 29), DayKind.OFF, "Swapped"),
        ...         DayEntry(date(2024, 4, 30), DayKind.OFF, "Victory Day"),
        ...         DayEntry(date(2024, 5, 1), DayKind.OFF, "Labour Day"),
        ...         DayEntry(date(2024, 5, 4), DayKind.MAKEUP_WORK, "For 29 April"),
        ...     ]
        ... )
        >>> calendar.add_working_days(date(2024, 4, 26), 3)
        datetime.date(2024, 5, 4)
    """

    WEEKEND_DAYS = _WEEKEND
    include_new_years_day = False

    def __init__(self, entries: Iterable[DayEntry]) -> None:
        super().__init__()
        self._entries = {entry.date: entry for entry in entries}
        self._years = frozenset(
            day.year
            for day, entry in self._entries.items()
            if (day.month, day.day) == (1, 1) and entry.kind is DayKind.OFF
        )
        self._table = _Table(self._entries, self._years) if self._years else None

    # --- what is known ---------------------------------------------------------------

    @property
    def entries(self) -> tuple[DayEntry, ...]:
        """Every row in force, by date."""
        return tuple(self._entries[day] for day in sorted(self._entries))

    @property
    def years(self) -> frozenset[int]:
        """The years covered."""
        return self._years

    def covers(self, year: int) -> bool:
        """Return whether the days off of a year are known."""
        return year in self._years

    def day_of(self, day: date) -> DayEntry | None:
        """Return the calendar's row for a day, or `None` for a day without one."""
        return self._entries.get(_plain(day))

    def doubtful_days(self, a: date, b: date) -> tuple[DayEntry, ...]:
        """Return the rows of medium or low confidence after `a` up to and including `b`.

        A row for a Saturday or Sunday that only names a holiday changes no count and is left
        out.
        """
        return tuple(
            entry
            for entry in self.entries
            if a < entry.date <= b
            and entry.confidence is not Confidence.HIGH
            and (entry.kind is DayKind.MAKEUP_WORK or entry.date.weekday() not in _WEEKEND)
        )

    # --- what workalendar asks for ---------------------------------------------------

    def get_calendar_holidays(self, year: int) -> list[tuple[date, str]]:
        """Return a year's days off with their names, as `holidays(year)` shows them."""
        return [
            (entry.date, entry.name)
            for entry in self.entries
            if entry.date.year == year and entry.kind is DayKind.OFF
        ]

    def is_working_day(
        self,
        day: date,
        extra_working_days: Sequence[date] | None = None,
        extra_holidays: Sequence[date] | None = None,
    ) -> bool:
        """Return whether people work on a day.

        Args:
            day: The day; the time of a moment is cut off.
            extra_working_days: Days taken as working days for this question only.
            extra_holidays: Days taken as days off for this question only.

        Raises:
            CalendarMissingError: If the year of `day` is not covered.
        """
        day = _plain(day)
        if extra_working_days and day in map(_plain, extra_working_days):
            return True
        if extra_holidays and day in map(_plain, extra_holidays):
            return False
        if day.year not in self._years:
            raise CalendarMissingError(day.year)
        entry = self._entries.get(day)
        if entry is not None:
            return entry.kind is DayKind.MAKEUP_WORK
        return day.weekday() not in _WEEKEND

    def add_working_days(
        self,
        day: date,
        delta: int,
        extra_working_days: Sequence[date] | None = None,
        extra_holidays: Sequence[date] | None = None,
        keep_datetime: bool = False,  # workalendar's signature
    ) -> Any:
        """Return the day that is `delta` working days after `day`, or before it if negative.

        `day` itself is never counted: a document issued on Monday with a term of one working
        day falls due on Tuesday.

        Args:
            day: The day the term runs from, usually the issue date.
            delta: Number of working days, not 0.
            extra_working_days: Further working days, for this count only.
            extra_holidays: Further days off, for this count only.
            keep_datetime: Whether a moment keeps its time of day.

        Returns:
            A working day.

        Raises:
            ValueError: If `delta` is 0.
            CalendarMissingError: If the count runs into a year that is not covered.
        """
        if delta == 0:
            message = "a term has at least one working day"
            raise ValueError(message)
        if extra_working_days or extra_holidays or keep_datetime:
            return super().add_working_days(
                day, delta, extra_working_days, extra_holidays, keep_datetime=keep_datetime
            )
        ordinal = _plain(day).toordinal() - _EPOCH
        table = self._table
        if table is not None:
            first_counted = ordinal + (1 if delta > 0 else -1) - table.first
            if 0 <= first_counted < table.length:
                start = first_counted if delta > 0 else first_counted + 1
                index = int(table.before[start]) + (delta - 1 if delta > 0 else delta)
                if 0 <= index < len(table.positions):
                    found = int(table.positions[index])
                    low, high = sorted((first_counted, found))
                    if table.missing[high + 1] == table.missing[low]:
                        return date.fromordinal(found + table.first + _EPOCH)
        raise CalendarMissingError(self._first_missing(_plain(day), delta))

    def _first_missing(self, start: date, delta: int) -> int:
        """Return the first year without a calendar that a walk from `start` meets."""
        step = 1 if delta > 0 else -1
        year = (start + timedelta(days=step)).year
        while year in self._years:
            year += step
        return year

    # --- working days ----------------------------------------------------------------

    def next_working_day(self, day: date) -> date:
        """Return the day itself if people work on it, else the next day on which they do.

        Raises:
            CalendarMissingError: If the search meets a year that is not covered.
        """
        day = _plain(day)
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    def previous_working_day(self, day: date) -> date:
        """Return the day itself if people work on it, else the last day on which they did.

        Raises:
            CalendarMissingError: If the search meets a year that is not covered.
        """
        day = _plain(day)
        while not self.is_working_day(day):
            day -= timedelta(days=1)
        return day

    def working_days_between(self, a: date, b: date) -> int:
        """Return how many working days lie after `a` up to and including `b`.

        Negative when `b` lies before `a`: then the days after `b` up to `a` are counted.

        Raises:
            CalendarMissingError: If one of the days counted is in a year not covered.
        """
        a, b = _plain(a), _plain(b)
        if a == b:
            return 0
        low, high = (a, b) if a < b else (b, a)
        for year in range((low + timedelta(days=1)).year, high.year + 1):
            if year not in self._years:
                raise CalendarMissingError(year)
        table = self._need_table(low.year)
        first = low.toordinal() + 1 - _EPOCH - table.first
        last = high.toordinal() - _EPOCH - table.first
        count = int(table.before[last + 1] - table.before[first])
        return count if a < b else -count

    # --- whole columns ---------------------------------------------------------------

    def add_many(self, starts: Days, counts: Counts) -> Days:
        """Return `add_working_days` for whole columns.

        Args:
            starts: Days, `datetime64[D]`, without `NaT`.
            counts: Numbers of working days, none of them 0; one number serves all rows.

        Returns:
            Working days, `datetime64[D]`.

        Raises:
            ValueError: If a start is `NaT` or a count is 0.
            CalendarMissingError: If any count runs into a year that is not covered.
        """
        days = _day_numbers(starts)
        numbers = np.asarray(counts, dtype=np.int64)
        if np.any(numbers == 0):
            message = "a term has at least one working day"
            raise ValueError(message)
        days, numbers = np.broadcast_arrays(days, numbers)
        if days.size == 0:
            return np.zeros(days.shape, dtype="datetime64[D]")
        table = self._need_table(date.fromordinal(int(days.flat[0]) + _EPOCH).year)
        forward = numbers > 0
        first_counted = days + np.where(forward, 1, -1) - table.first
        bad = (first_counted < 0) | (first_counted >= table.length)
        start = np.clip(np.where(forward, first_counted, first_counted + 1), 0, table.length)
        index = table.before[start] + np.where(forward, numbers - 1, numbers)
        bad |= (index < 0) | (index >= len(table.positions))
        found = table.positions[np.clip(index, 0, len(table.positions) - 1)]
        inside = np.clip(first_counted, 0, table.length - 1)
        low, high = np.minimum(inside, found), np.maximum(inside, found)
        bad |= table.missing[high + 1] != table.missing[low]
        if bad.any():
            at = int(np.flatnonzero(bad.ravel())[0])
            start_day = date.fromordinal(int(days.flat[at]) + _EPOCH)
            raise CalendarMissingError(self._first_missing(start_day, int(numbers.flat[at])))
        result: Days = (found + table.first).astype("datetime64[D]")
        return result

    def days_between_many(self, a: Days, b: Days) -> Counts:
        """Return `working_days_between` for whole columns.

        Args:
            a: Days that are not counted, `datetime64[D]`, without `NaT`.
            b: Days that are counted, likewise.

        Raises:
            ValueError: If a day is `NaT`.
            CalendarMissingError: If any day to be counted is in a year not covered.
        """
        first, last = np.broadcast_arrays(_day_numbers(a), _day_numbers(b))
        if first.size == 0:
            return first.astype(np.int64)
        low, high = np.minimum(first, last), np.maximum(first, last)
        differs = low != high
        if not differs.any():
            return np.zeros(first.shape, dtype=np.int64)
        table = self._need_table(date.fromordinal(int(low.flat[0]) + _EPOCH).year)
        low, high = low + 1 - table.first, high - table.first
        bad = differs & ((low < 0) | (high >= table.length))
        low_in, high_in = np.clip(low, 0, table.length), np.clip(high + 1, 0, table.length)
        bad |= differs & (table.missing[high_in] != table.missing[low_in])
        if bad.any():
            at = int(np.flatnonzero(bad.ravel())[0])
            start_day = date.fromordinal(int(low.flat[at]) - 1 + table.first + _EPOCH)
            raise CalendarMissingError(self._first_missing(start_day, 1))
        counts = np.where(differs, table.before[high_in] - table.before[low_in], 0)
        result: Counts = np.where(first <= last, counts, -counts)
        return result

    def _need_table(self, year: int) -> _Table:
        if self._table is None:
            raise CalendarMissingError(year)
        return self._table


def _day_numbers(days: Days) -> NDArray[np.int64]:
    """Return days since 1970-01-01 of an array of calendar days."""
    plain = np.asarray(days, dtype="datetime64[D]")
    if np.isnat(plain).any():
        message = "days must be known; leave NaT out before counting"
        raise ValueError(message)
    return plain.astype(np.int64)

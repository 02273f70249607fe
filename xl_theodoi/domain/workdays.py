"""The office's working calendar: days off, make-up days and working-day arithmetic.

A working day is Monday to Friday, less the days off, plus the make-up Saturdays or Sundays
that pay for a swapped day off (QĐ 188/1999/QĐ-TTg; Labour Code 2019, art. 112). The first
day of a term is never counted (Civil Code 2015, art. 147).

Counting goes through a cumulative table: a walk day by day takes minutes for a register, and
an assumption of "no holidays" gives wrong deadlines. `domain.library_calendar` gives
the same calendar to the library `workalendar`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SATURDAY = 5


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

    Attributes:
        first: The first day, as Python counts days.
        length: Number of days.
        days: Every working day, in order, as Python counts days.
        before: How many working days lie before each position, and before the end.
        missing: The same for days of missing years.
    """

    __slots__ = ("before", "days", "first", "length", "missing")

    def __init__(self, entries: dict[date, DayEntry], years: frozenset[int]) -> None:
        self.first = date(min(years), 1, 1).toordinal()
        self.length = date(max(years), 12, 31).toordinal() - self.first + 1
        # 1 January of the year 1 was a Monday, and day 1.
        working = [(day - 1) % 7 < _SATURDAY for day in range(self.first, self.first + self.length)]
        for day, entry in entries.items():
            at = day.toordinal() - self.first
            if 0 <= at < self.length:
                working[at] = entry.kind is DayKind.MAKEUP_WORK
        missing = [False] * self.length
        for year in range(min(years), max(years)):
            if year not in years:
                start = date(year, 1, 1).toordinal() - self.first
                end = date(year + 1, 1, 1).toordinal() - self.first
                working[start:end] = [False] * (end - start)
                missing[start:end] = [True] * (end - start)
        self.days = [self.first + at for at, works in enumerate(working) if works]
        self.before = list(accumulate(working, initial=0))
        self.missing = list(accumulate(missing, initial=0))


class WorkCalendar:
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

    def __init__(self, entries: Iterable[DayEntry]) -> None:
        self._entries = {entry.date: entry for entry in entries}
        self._in_order = tuple(self._entries[day] for day in sorted(self._entries))
        self._doubtful = tuple(
            entry
            for entry in self._in_order
            if entry.confidence is not Confidence.HIGH
            and (entry.kind is DayKind.MAKEUP_WORK or entry.date.weekday() < _SATURDAY)
        )
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
        return self._in_order

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
        return tuple(entry for entry in self._doubtful if a < entry.date <= b)

    def is_working_day(self, day: date) -> bool:
        """Return whether people work on a day; the time of a moment is cut off.

        Raises:
            CalendarMissingError: If the year of `day` is not covered.
        """
        day = _plain(day)
        if day.year not in self._years:
            raise CalendarMissingError(day.year)
        entry = self._entries.get(day)
        if entry is not None:
            return entry.kind is DayKind.MAKEUP_WORK
        return day.weekday() < _SATURDAY

    # --- working days ----------------------------------------------------------------

    def add_working_days(self, day: date, delta: int) -> date:
        """Return the day that is `delta` working days after `day`, or before it if negative.

        `day` itself is never counted: a document issued on Monday with a term of one working
        day falls due on Tuesday.

        Args:
            day: The day the term runs from, usually the issue date.
            delta: Number of working days, not 0.

        Returns:
            A working day.

        Raises:
            ValueError: If `delta` is 0.
            CalendarMissingError: If the count runs into a year that is not covered.
        """
        if delta == 0:
            message = "a term has at least one working day"
            raise ValueError(message)
        table = self._table
        if table is not None:
            first_counted = _plain(day).toordinal() + (1 if delta > 0 else -1) - table.first
            if 0 <= first_counted < table.length:
                start = first_counted if delta > 0 else first_counted + 1
                index = table.before[start] + (delta - 1 if delta > 0 else delta)
                if 0 <= index < len(table.days):
                    found = table.days[index]
                    low, high = sorted((first_counted, found - table.first))
                    if table.missing[high + 1] == table.missing[low]:
                        return date.fromordinal(found)
        raise CalendarMissingError(self._first_missing(_plain(day), delta))

    def _first_missing(self, start: date, delta: int) -> int:
        """Return the first year without a calendar that a walk from `start` meets."""
        step = 1 if delta > 0 else -1
        year = (start + timedelta(days=step)).year
        while year in self._years:
            year += step
        return year

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
        table = self._table
        if table is None:
            raise CalendarMissingError(low.year)
        first = low.toordinal() + 1 - table.first
        last = high.toordinal() - table.first
        count = table.before[last + 1] - table.before[first]
        return count if a < b else -count

"""Deadlines that come back: every week, month, quarter, half year or year."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from enum import StrEnum

from xl_theodoi.domain.periods import Period, PeriodKind, period_of

FRIDAY = 4
"""Weekday of the last regular working day, Monday being 0."""


class RecurrenceUnit(StrEnum):
    """How often a deadline comes back."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"

    @property
    def period_kind(self) -> PeriodKind:
        """The kind of period for which one item is due."""
        return PeriodKind(self.value)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One due date per period.

    Attributes:
        unit: How often.
        weekday: Day of the week for weekly deadlines, Monday 0; `None` means Friday.
        day: Day of the month; `None` means the last. A month that is too short takes its last.
        first_day: First day of the window in which the thing is done (`20 - 24`), or `None`.
        month: Which month of the period, from 1; `None` means the last, or the first where the
            due date lies in the following period.
        strict: Whether the day itself is already too late.
        following: Whether the due date lies in the period after the one it is for (the report
            for September that is due on 5 October).
        cut_off: Time of day, or `None` for the end of the day.
        since: Day from which periods are wanted, or `None` for the issue date.
        until: Last day for which periods are wanted, or `None`.
    """

    unit: RecurrenceUnit
    weekday: int | None = None
    day: int | None = None
    first_day: int | None = None
    month: int | None = None
    strict: bool = False
    following: bool = False
    cut_off: time | None = None
    since: date | None = None
    until: date | None = None

    def due_in(self, period: Period) -> date:
        """Return the due date for one period of the recurrence's own unit."""
        place = period.following() if self.following else period
        if self.unit is RecurrenceUnit.WEEK:
            weekday = FRIDAY if self.weekday is None else self.weekday
            day = place.start + timedelta(days=weekday)
        else:
            day = self._in_month(place)
        return day - timedelta(days=1) if self.strict else day

    def _in_month(self, place: Period) -> date:
        months = place.end.month - place.start.month + 1
        number = self.month or (1 if self.following else months)
        month = place.start.month + min(number, months) - 1
        length = monthrange(place.start.year, month)[1]
        return date(place.start.year, month, min(self.day or length, length))

    def inclusive(self) -> Recurrence:
        """Return the same recurrence with the day itself still in time."""
        return replace(self, strict=False)

    def occurrences(self, first_after: date, until: Period | date) -> list[tuple[Period, date]]:
        """Return the periods for which something is due, with their due dates.

        The first is the period that holds `first_after`, left out if its due date is earlier
        than that day; the last is the one that holds `until`.

        Args:
            first_after: Usually the issue date of the document.
            until: A day, or a period whose last day counts.
        """
        if self.since is not None:
            first_after = max(first_after, self.since)
        end = until.end if isinstance(until, Period) else until
        if self.until is not None:
            end = min(end, self.until)
        found: list[tuple[Period, date]] = []
        period = period_of(first_after, self.unit.period_kind)
        while period.start <= end:
            due = self.due_in(period)
            if due >= first_after:
                found.append((period, due))
            period = period.following()
        return found

    def first_due(self, first_after: date) -> tuple[Period, date] | None:
        """Return the first period with its due date, or `None` if `until` leaves none."""
        if self.since is not None:
            first_after = max(first_after, self.since)
        period = period_of(first_after, self.unit.period_kind)
        found: list[tuple[Period, date]] = []
        # Two periods on at the latest: a strict day 1 lies in the month before its own.
        for _ in range(3):
            found = self.occurrences(first_after, period)
            if found:
                return found[0]
            period = period.following()
        return None


def occurrences(
    recurrence: Recurrence, first_after: date, until: Period | date
) -> list[tuple[Period, date]]:
    """Return the periods for which something is due; see `Recurrence.occurrences`."""
    return recurrence.occurrences(first_after, until)

"""The office's calendar as a `workalendar` calendar, for that library's reports and exports.

A module of its own, because no command needs it and the library is not installed with the
program: it comes with the extra `calendar`, since it brings a package under the GPL, which
would bind every office that passes a bundle on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workalendar.core import SAT, SUN, Calendar, cleaned_date

from xl_theodoi.domain.workdays import DayKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from xl_theodoi.domain.workdays import WorkCalendar


class OfficeCalendar(Calendar):  # type: ignore[misc]  # workalendar has no type information
    """A `workalendar` calendar with the days off and make-up days of one office.

    Args:
        calendar: The office's calendar; years that it does not cover are refused here too.
    """

    WEEKEND_DAYS = (SAT, SUN)
    include_new_years_day = False

    def __init__(self, calendar: WorkCalendar) -> None:
        super().__init__()
        self._calendar = calendar

    def get_calendar_holidays(self, year: int) -> list[tuple[date, str]]:
        """Return a year's days off with their names, as `holidays(year)` shows them."""
        return [
            (entry.date, entry.name)
            for entry in self._calendar.entries
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
        day = cleaned_date(day)
        if extra_working_days and day in map(cleaned_date, extra_working_days):
            return True
        if extra_holidays and day in map(cleaned_date, extra_holidays):
            return False
        return self._calendar.is_working_day(day)

    def add_working_days(
        self,
        day: date,
        delta: int,
        extra_working_days: Sequence[date] | None = None,
        extra_holidays: Sequence[date] | None = None,
        keep_datetime: bool = False,  # workalendar's signature
    ) -> Any:
        """Return the day that is `delta` working days after `day`, or before it if negative.

        Args:
            day: The day the term runs from; never counted itself.
            delta: Number of working days, not 0.
            extra_working_days: Further working days, for this count only.
            extra_holidays: Further days off, for this count only.
            keep_datetime: Whether a moment keeps its time of day.

        Raises:
            ValueError: If `delta` is 0.
            CalendarMissingError: If the count runs into a year that is not covered.
        """
        if extra_working_days or extra_holidays or keep_datetime:
            return super().add_working_days(
                day, delta, extra_working_days, extra_holidays, keep_datetime=keep_datetime
            )
        return self._calendar.add_working_days(day, delta)

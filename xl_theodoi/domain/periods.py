"""Reporting periods: their codes, their calendar bounds, and the window of their figures.

Codes are those of the command line: `2026-11`, `2026-Q4`, `2026-H1`, `2026-9M`, `2026`,
`2026-W47` (ISO week) and `2026-10-05..2026-10-20`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import total_ordering

from xl_theodoi.domain.dates import FIRST_YEAR, LAST_YEAR
from xl_theodoi.domain.errors import TheodoiError


class PeriodKind(StrEnum):
    """Kinds of reporting period, from the shortest to the longest; ad hoc last."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    NINE_MONTHS = "nine_months"
    YEAR = "year"
    ADHOC = "adhoc"


class Cutoff(StrEnum):
    """How the days are chosen whose events a report covers."""

    ND09 = "nd09"
    """The data windows of NĐ 09/2019/NĐ-CP, art. 12: from the 15th to the 14th."""
    CALENDAR = "calendar"
    """The period itself."""
    AS_OF = "as_of"
    """From the period's first day to the as-of date."""


_LENGTH = {kind: rank for rank, kind in enumerate(PeriodKind)}


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """One period; periods are ordered by their last day, then the shorter one first.

    Attributes:
        kind: Kind of period.
        code: Its code on the command line.
        start: First day.
        end: Last day, included.
    """

    kind: PeriodKind
    code: str
    start: date
    end: date

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Period):
            return NotImplemented
        return self._order < other._order

    @property
    def _order(self) -> tuple[date, int, date, str]:
        return self.end, _LENGTH[self.kind], self.start, self.code

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    @property
    def year(self) -> int:
        """The year the period is named after; for an ISO week the year that owns the week."""
        return self.end.isocalendar().year if self.kind is PeriodKind.WEEK else self.end.year

    @property
    def number(self) -> int:
        """Which week, month, quarter or half of its year it is; 1 for the other kinds."""
        if self.kind is PeriodKind.WEEK:
            return self.end.isocalendar().week
        if self.kind in _MONTHS:
            return (self.end.month - 1) // _MONTHS[self.kind] + 1
        return 1

    def window(self, cutoff: Cutoff, as_of: date | None = None) -> tuple[date, date]:
        """Return the first and last day whose events the period's report covers.

        The windows of NĐ 09/2019/NĐ-CP: a month runs from the 15th of the month before to the
        14th; a quarter likewise up to the 14th of its last month; first half 15/12 to 14/6,
        second half 15/6 to 14/12, nine months 15/12 to 14/9, year 15/12 to 14/12. The decree
        has no window for weeks and ad hoc periods; they are taken as they are.

        Args:
            cutoff: Which rule.
            as_of: The as-of date, needed for `Cutoff.AS_OF` only.

        Raises:
            ValueError: If `as_of` is missing where it is needed.
        """
        if cutoff is Cutoff.AS_OF:
            if as_of is None:
                message = "the as-of window needs an as-of date"
                raise ValueError(message)
            return self.start, as_of
        if cutoff is Cutoff.CALENDAR or self.kind in (PeriodKind.WEEK, PeriodKind.ADHOC):
            return self.start, self.end
        return (self.start - timedelta(days=1)).replace(day=15), self.end.replace(day=14)

    def following(self) -> Period:
        """Return the next period of the same kind.

        An ad hoc period is followed by one of as many days; nine months by those of next year.
        """
        if self.kind is PeriodKind.NINE_MONTHS:
            return nine_months(self.year + 1)
        if self.kind is PeriodKind.ADHOC:
            return adhoc(self.end + timedelta(days=1), self.end + (self.end - self.start) + _ONE)
        return period_of(self.end + _ONE, self.kind)

    def previous(self) -> Period:
        """Return the period of the same kind before this one, likewise."""
        if self.kind is PeriodKind.NINE_MONTHS:
            return nine_months(self.year - 1)
        if self.kind is PeriodKind.ADHOC:
            return adhoc(self.start - (self.end - self.start) - _ONE, self.start - _ONE)
        return period_of(self.start - _ONE, self.kind)

    def name_values(self) -> dict[str, object]:
        """Return what the period's name quotes, for the template of its kind."""
        return {
            "number": self.number,
            "month": self.number,
            "year": self.year,
            "roman": _ROMAN[self.number - 1] if self.kind is PeriodKind.QUARTER else "",
            "start": self.start,
            "end": self.end,
        }

    @property
    def name_key(self) -> str:
        """Key of the template of the period's name, under `[periods]`."""
        return f"half_{self.number}" if self.kind is PeriodKind.HALF else self.kind.value


_ONE = timedelta(days=1)
_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.HALF: 6}
_ROMAN = ("I", "II", "III", "IV")
_CODE = re.compile(
    r"(?P<year>\d{4})(?:-(?:(?P<month>\d{2})|Q(?P<quarter>[1-4])|H(?P<half>[12])|(?P<nine>9M)"
    r"|W(?P<week>\d{2})))?",
    re.ASCII,
)
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)


def _months(kind: PeriodKind, code: str, year: int, first: int, last: int) -> Period:
    return Period(kind, code, date(year, first, 1), date(year, last, monthrange(year, last)[1]))


def month(year: int, number: int) -> Period:
    """Return a month."""
    return _months(PeriodKind.MONTH, f"{year}-{number:02}", year, number, number)


def quarter(year: int, number: int) -> Period:
    """Return a quarter, 1 to 4."""
    return _months(PeriodKind.QUARTER, f"{year}-Q{number}", year, 3 * number - 2, 3 * number)


def half(year: int, number: int) -> Period:
    """Return the first or second half of a year."""
    return _months(PeriodKind.HALF, f"{year}-H{number}", year, 6 * number - 5, 6 * number)


def nine_months(year: int) -> Period:
    """Return the first nine months of a year."""
    return _months(PeriodKind.NINE_MONTHS, f"{year}-9M", year, 1, 9)


def whole_year(year: int) -> Period:
    """Return a year."""
    return _months(PeriodKind.YEAR, str(year), year, 1, 12)


def week(year: int, number: int) -> Period:
    """Return an ISO week, Monday to Sunday.

    Raises:
        ValueError: If the year has no such week.
    """
    start = date.fromisocalendar(year, number, 1)
    return Period(PeriodKind.WEEK, f"{year}-W{number:02}", start, start + timedelta(days=6))


def adhoc(start: date, end: date) -> Period:
    """Return the period between two days, both included.

    Raises:
        ValueError: If it ends before it starts.
    """
    if end < start:
        message = f"a period cannot end on {end} before it starts on {start}"
        raise ValueError(message)
    return Period(PeriodKind.ADHOC, f"{start}..{end}", start, end)


def parse_period(text: str) -> Period:
    """Return the period of a code.

    Raises:
        TheodoiError: `bad_period`, if it is no code of a period that exists.

    Example:
        >>> parse_period("2026-Q4").end
        datetime.date(2026, 12, 31)
    """
    code = text.strip().upper()
    try:
        if days := _DAYS.fullmatch(code):
            start, end = map(date.fromisoformat, days.groups())
            if start.year < FIRST_YEAR or end.year > LAST_YEAR:
                raise TheodoiError("bad_period", value=text)
            return adhoc(start, end)
        if match := _CODE.fullmatch(code):
            return _coded({key: value for key, value in match.groupdict().items() if value}, text)
    except ValueError:
        pass
    raise TheodoiError("bad_period", value=text)


def _coded(parts: dict[str, str], text: str) -> Period:
    year = int(parts["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise TheodoiError("bad_period", value=text)
    if "month" in parts:
        return month(year, int(parts["month"]))
    if "quarter" in parts:
        return quarter(year, int(parts["quarter"]))
    if "half" in parts:
        return half(year, int(parts["half"]))
    if "week" in parts:
        return week(year, int(parts["week"]))
    return nine_months(year) if "nine" in parts else whole_year(year)


def period_of(day: date, kind: PeriodKind) -> Period:
    """Return the period of a kind that holds a day.

    The last three months of a year lie in no nine-month period; theirs is that of the year.

    Raises:
        ValueError: For ad hoc periods, which a day alone does not determine.
    """
    if kind is PeriodKind.WEEK:
        iso = day.isocalendar()
        return week(iso.year, iso.week)
    if kind is PeriodKind.MONTH:
        return month(day.year, day.month)
    if kind is PeriodKind.QUARTER:
        return quarter(day.year, (day.month + 2) // 3)
    if kind is PeriodKind.HALF:
        return half(day.year, 1 if day.month <= 6 else 2)
    if kind is PeriodKind.NINE_MONTHS:
        return nine_months(day.year)
    if kind is PeriodKind.YEAR:
        return whole_year(day.year)
    message = "an ad hoc period is given by its two days"
    raise ValueError(message)

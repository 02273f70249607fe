"""Deadline phrases: from a recognised piece to the days it names.

Where a year is missing the issue date's year is meant, or the next one if that has passed.
What the parts of a month or year mean is settled by the Civil Code 2015, art. 146.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from xl_theodoi.domain.dates import FIRST_YEAR, LAST_YEAR, full_year, make_date
from xl_theodoi.domain.deadline_text import Kind, Piece
from xl_theodoi.domain.periods import PeriodKind, half, month, period_of, quarter, week, whole_year

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xl_theodoi.domain.periods import Period


class Unit(StrEnum):
    """How long a target is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"


class Trouble(Enum):
    """Why a piece names no days."""

    IMPOSSIBLE = "no such day, month, week or quarter"
    ODD_YEAR = "a year that no office plans for"
    NEEDS_ISSUE_DATE = "the issue date is needed and unknown"
    UNCLEAR = "it can be read in more than one way"


@dataclass(frozen=True, slots=True)
class Target:
    """The days a piece names.

    Attributes:
        start: First day.
        end: Last day.
        unit: How long it is.
        moved: Whether a missing year was taken as the year after the issue date's.
        doubtful: Whether this is only the likelier of two readings.
    """

    start: date
    end: date
    unit: Unit
    moved: bool = False
    doubtful: bool = False


class Edge(StrEnum):
    """Which part of a month, quarter or year is meant; named as in the data."""

    HEAD = "head"
    MIDDLE = "middle"
    TAIL = "tail"
    FIRST_HALF = "first_half"
    SECOND_HALF = "second_half"
    FIRST_TEN = "first_ten"
    MIDDLE_TEN = "middle_ten"
    LAST_TEN = "last_ten"
    FIRST_DAYS = "first_days"
    LAST_DAYS = "last_days"
    FIRST_WORKDAY = "first_workday"
    LAST_WORKDAY = "last_workday"


def edge_of(piece: Piece) -> Edge | None:
    """Return the part that a piece of kind `edge` or `edge_unit` names."""
    return next((edge for edge in Edge if piece.has(edge.value)), None)


CALENDAR_KINDS = frozenset(
    {
        Kind.DATE, Kind.DOTTED, Kind.PAIR, Kind.DATE_RANGE, Kind.DAY_OF_RELATIVE_MONTH,
        Kind.DAY_OF_QUARTER_MONTH, Kind.DAY_ONLY, Kind.TODAY, Kind.TOMORROW, Kind.MONTH,
        Kind.QUARTER, Kind.MONTHS_OF_YEAR, Kind.MONTHS_WITHOUT_EDGE, Kind.YEAR,
        Kind.BARE_YEAR, Kind.YEARS, Kind.WEEK, Kind.WEEK_OF_MONTH, Kind.RELATIVE, Kind.EDGE_UNIT,
    }
)  # fmt: skip
"""Pieces that name days."""

DAY_KINDS = frozenset(
    {
        Kind.DATE, Kind.DOTTED, Kind.PAIR, Kind.DATE_RANGE, Kind.DAY_OF_RELATIVE_MONTH,
        Kind.DAY_OF_QUARTER_MONTH, Kind.DAY_ONLY, Kind.TODAY, Kind.TOMORROW,
    }
)  # fmt: skip
"""Pieces that name a single day."""

_ONE = timedelta(days=1)
_NINE = 9


def target_of(
    piece: Piece,
    issue: date | None,
    numerals: Mapping[str, int],
    context: Target | None = None,
) -> Target | Trouble:
    """Return the days a piece names.

    Args:
        piece: One of `CALENDAR_KINDS`.
        issue: Issue date of the document, where known.
        numerals: Values of roman numerals.
        context: A month named elsewhere in the phrase, for a day without a month.
    """
    return _Resolver(piece, issue, numerals, context).target()


@dataclass(frozen=True, slots=True)
class _Resolver:
    piece: Piece
    issue: date | None
    numerals: Mapping[str, int]
    context: Target | None

    def target(self) -> Target | Trouble:
        piece = self.piece
        match piece.kind:
            case Kind.DATE | Kind.DOTTED | Kind.DATE_RANGE | Kind.PAIR:
                return self._written_day()
            case Kind.DAY_ONLY:
                return self._day_alone()
            case Kind.MONTH:
                number = piece.number("m", "m0") or 0
                return self._numbered(number, 12, Unit.MONTH, month)
            case Kind.QUARTER:
                return self._numbered(self._quarter("q", "q0"), 4, Unit.QUARTER, quarter)
            case Kind.WEEK:
                return self._week()
            case Kind.YEAR:
                return self._in_year(lambda year: _of(whole_year(year), Unit.YEAR))
            case Kind.BARE_YEAR:
                found = self._in_year(lambda year: _of(whole_year(year), Unit.YEAR))
                return replace(found, doubtful=True) if isinstance(found, Target) else found
            case Kind.YEARS:
                return self._years()
            case Kind.MONTHS_OF_YEAR | Kind.MONTHS_WITHOUT_EDGE:
                return self._months_of_year()
        if self.issue is None and not (piece.has("m0") or piece.has("q")):
            return Trouble.NEEDS_ISSUE_DATE
        match piece.kind:
            case Kind.WEEK_OF_MONTH:
                return self._week_of_month()
            case Kind.DAY_OF_QUARTER_MONTH:
                return self._day_of_quarter_month()
        issue = self.issue or date.min
        match piece.kind:
            case Kind.TODAY:
                return Target(issue, issue, Unit.DAY)
            case Kind.TOMORROW:
                return Target(issue + _ONE, issue + _ONE, Unit.DAY)
            case Kind.DAY_OF_RELATIVE_MONTH:
                return self._in_month(self._relative(period_of(issue, PeriodKind.MONTH)))
            case Kind.RELATIVE | Kind.EDGE_UNIT:
                unit = next(u for u in _PLAIN_UNITS if piece.has(u.value))
                return _of(self._relative(period_of(issue, PeriodKind(unit.value))), unit)
        message = f"not a piece that names days: {piece.kind}"
        raise ValueError(message)

    # --- years -----------------------------------------------------------------------

    def _in_year(self, make: Callable[[int], Target | Trouble]) -> Target | Trouble:
        """Return the target in the year that is written, or in the one that is meant."""
        piece = self.piece
        for name in ("y", "y1", "y2", "y3"):
            if name in piece.parts:
                digits = piece.parts[name]
                if len(digits) not in (2, 4):
                    return Trouble.ODD_YEAR
                year = full_year(digits)
                return make(year) if FIRST_YEAR <= year <= LAST_YEAR else Trouble.ODD_YEAR
        if self.issue is None:
            return Trouble.NEEDS_ISSUE_DATE
        if piece.has("year_next"):
            return make(self.issue.year + 1)
        found = make(self.issue.year)
        if piece.has("year_this") or not isinstance(found, Target) or found.end >= self.issue:
            return found
        later = make(self.issue.year + 1)
        return replace(later, moved=True) if isinstance(later, Target) else later

    def _years(self) -> Target | Trouble:
        first, last = self.piece.number("y1") or 0, self.piece.number("y2") or 0
        if not FIRST_YEAR <= last <= LAST_YEAR:
            return Trouble.ODD_YEAR
        if last < first:
            return Trouble.UNCLEAR
        return Target(date(max(first, 1), 1, 1), date(last, 12, 31), Unit.YEAR, doubtful=True)

    # --- days ------------------------------------------------------------------------

    def _written_day(self) -> Target | Trouble:
        piece = self.piece
        pair = piece.kind is Kind.PAIR
        day, number = (
            piece.number("a" if pair else "d") or 0,
            piece.number("b" if pair else "m") or 0,
        )
        # 2028 is a leap year, so that a wrong day is told from a wrong year.
        if make_date(2028, number, day) is None:
            return Trouble.UNCLEAR if pair else Trouble.IMPOSSIBLE
        first = piece.number("a") if piece.kind is Kind.DATE_RANGE else None
        if first is not None and not 0 < first <= day:
            return Trouble.UNCLEAR

        def make(year: int) -> Target | Trouble:
            found = make_date(year, number, day)
            if found is None:
                return Trouble.IMPOSSIBLE
            return Target(found, found, Unit.DAY)

        found = self._in_year(make)
        # "5-9" may be 5 September or the days from the 5th to the 9th.
        if pair and isinstance(found, Target) and day < number:
            return replace(found, doubtful=True)
        return found

    def _day_alone(self) -> Target | Trouble:
        """Return a day without a month: in the month named nearby, or a doubtful guess."""
        day = self.piece.number("d") or 0
        if not 1 <= day <= 31:
            return Trouble.IMPOSSIBLE
        if self.context is not None:
            found = make_date(self.context.end.year, self.context.end.month, day)
            if found is None:
                return Trouble.IMPOSSIBLE
            return Target(found, found, Unit.DAY, moved=self.context.moved)
        if self.issue is None:
            return Trouble.NEEDS_ISSUE_DATE
        place = period_of(self.issue, PeriodKind.MONTH)
        for _ in range(3):
            found = make_date(place.start.year, place.start.month, day)
            if found is not None and found >= self.issue:
                return Target(found, found, Unit.DAY, doubtful=True)
            place = place.following()
        return Trouble.UNCLEAR

    def _in_month(self, place: Period) -> Target | Trouble:
        found = make_date(place.start.year, place.start.month, self.piece.number("d") or 0)
        return Trouble.IMPOSSIBLE if found is None else Target(found, found, Unit.DAY)

    def _day_of_quarter_month(self) -> Target | Trouble:
        def make(year: int) -> Target | Trouble:
            return self._in_quarter_month(quarter(year, self._quarter("q")))

        if self.piece.has("q"):
            return self._in_year(make)
        issue = self.issue or date.min
        return self._in_quarter_month(self._relative(period_of(issue, PeriodKind.QUARTER)))

    def _in_quarter_month(self, place: Period) -> Target | Trouble:
        return self._in_month(
            period_of(place.start if self.piece.has("first") else place.end, PeriodKind.MONTH)
        )

    # --- longer targets --------------------------------------------------------------

    def _relative(self, period: Period) -> Period:
        return period.following() if self.piece.has("next") else period

    def _quarter(self, *names: str) -> int:
        text = next((self.piece.parts[name] for name in names if name in self.piece.parts), "")
        return self.numerals.get(text) or (int(text) if text.isdigit() else 0)

    def _numbered(
        self, number: int, most: int, unit: Unit, make: Callable[[int, int], Period]
    ) -> Target | Trouble:
        if not 1 <= number <= most:
            return Trouble.IMPOSSIBLE
        return self._in_year(lambda year: _of(make(year, number), unit))

    def _week(self) -> Target | Trouble:
        number = self.piece.number("n") or 0

        def make(year: int) -> Target | Trouble:
            try:
                return _of(week(year, number), Unit.WEEK)
            except ValueError:
                return Trouble.IMPOSSIBLE

        return self._in_year(make)

    def _week_of_month(self) -> Target | Trouble:
        """Return a week of a month, counted in blocks of seven days; always doubtful.

        Whether people count such blocks or calendar weeks is not settled anywhere.
        """
        piece = self.piece
        if piece.has("m0"):
            found = self._numbered(piece.number("m0") or 0, 12, Unit.MONTH, month)
            if isinstance(found, Trouble):
                return found
        else:
            issue = self.issue or date.min
            found = _of(self._relative(period_of(issue, PeriodKind.MONTH)), Unit.MONTH)
        number = 1 if piece.has("first") else piece.number("n") or 0
        if piece.has("last"):
            start, end = found.end - timedelta(days=6), found.end
        else:
            start = found.start + timedelta(days=7 * (number - 1))
            end = min(start + timedelta(days=6), found.end)
        if not piece.has("last") and not (1 <= number <= 5 and start <= found.end):
            return Trouble.IMPOSSIBLE
        return Target(start, end, Unit.WEEK, moved=found.moved, doubtful=True)

    def _months_of_year(self) -> Target | Trouble:
        piece = self.piece
        if piece.has("half_first", "half_last"):
            number = 1 if piece.has("half_first") else 2
            return self._in_year(lambda year: _of(half(year, number), Unit.HALF))
        count = piece.number("n") or 0
        if not 1 <= count <= 12:
            return Trouble.IMPOSSIBLE
        loose = piece.kind is Kind.MONTHS_WITHOUT_EDGE

        def make(year: int) -> Target:
            if piece.has("last"):
                return Target(date(year, 13 - count, 1), date(year, 12, 31), Unit.HALF)
            end = date(year, count, monthrange(year, count)[1])
            # "6 months of 2026" may be either half; nine months are the first nine.
            return Target(date(year, 1, 1), end, Unit.HALF, doubtful=loose and count != _NINE)

        return self._in_year(make)


_PLAIN_UNITS = (Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.YEAR)


def _of(period: Period, unit: Unit) -> Target:
    return Target(period.start, period.end, unit)


def part_of(target: Target, edge: Edge, days: int | None) -> Target | None:
    """Return the part of a target that an edge names, or `None` where nothing settles it.

    Civil Code 2015, art. 146: the middle of a month is the 15th, its end the last day; the
    middle of a year is the last day of June; half a month is 15 days. The beginning of a
    month is its first day by law and its first ten days in practice, so it stays doubtful.

    Args:
        target: A month, quarter, year or week.
        edge: Which part; the working-day parts are left to the caller, who has the calendar.
        days: How many days, for "the first ten days of".
    """
    start, end, unit = target.start, target.end, target.unit
    if edge in (Edge.TAIL, Edge.SECOND_HALF, Edge.LAST_TEN, Edge.LAST_DAYS):
        return target
    if unit is Unit.MONTH:
        last = {
            Edge.MIDDLE: 15,
            Edge.FIRST_HALF: 15,
            Edge.FIRST_TEN: 10,
            Edge.MIDDLE_TEN: 20,
            Edge.HEAD: 10,
            Edge.FIRST_DAYS: days or 0,
        }[edge]
        if not 1 <= last <= end.day:
            return None
        return replace(target, end=start.replace(day=last), doubtful=edge is Edge.HEAD)
    if edge is Edge.FIRST_DAYS and days and start + timedelta(days=days - 1) <= end:
        return replace(target, end=start + timedelta(days=days - 1))
    if unit is Unit.YEAR and edge in (Edge.MIDDLE, Edge.FIRST_HALF):
        return replace(target, end=date(start.year, 6, 30))
    if unit is Unit.QUARTER and edge in (Edge.MIDDLE, Edge.FIRST_HALF):
        return replace(target, end=date(start.year, start.month + 1, 15), doubtful=True)
    if unit is Unit.WEEK and edge in (Edge.HEAD, Edge.MIDDLE):
        day = start + timedelta(days=0 if edge is Edge.HEAD else 2)
        return Target(start, day, Unit.DAY, moved=target.moved, doubtful=True)
    return None

"""Deadline phrases, third step: the due date that each day, period or term means.

Terms follow the Civil Code 2015: the first day is not counted (art. 147), a term in months
ends on the same day of the last month or on its last day (148.3), and a term that ends on a
day off ends on the next working day (148.5). Days that are written out are not moved.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

from xl_theodoi.domain.dates import LAST_YEAR, make_date
from xl_theodoi.domain.deadline_days import Edge, Target, Trouble, Unit, part_of, target_of
from xl_theodoi.domain.deadline_parse import Start, StartKind
from xl_theodoi.domain.deadline_text import Kind, Lexicon, Piece

if TYPE_CHECKING:
    from xl_theodoi.domain.deadline_parse import Mention, Parsed
    from xl_theodoi.domain.workdays import WorkCalendar

Notes = dict[str, dict[str, object]]
"""Warnings by code, with what they quote."""

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Context:
    """What a phrase is read against.

    Attributes:
        issue: Issue date, where known.
        received: Day of receipt, where known.
        calendar: The office's calendar.
        lexicon: The compiled words.
        before_is_strict: Whether "before the 20th" ends with the 19th.
    """

    issue: date | None
    received: date | None
    calendar: WorkCalendar
    lexicon: Lexicon
    before_is_strict: bool


@dataclass(slots=True)
class Option:
    """What one mention means.

    Attributes:
        due: The due date, or `None` where it means none that can be known.
        mention: The mention.
        alternative: The other reading, where there is a natural one.
        day: Whether one day is named, as against a period.
        term: Whether it is counted from somewhere.
        doubt: Code of what makes it doubtful, or `None`.
        trouble: Why it names no day at all.
        cut_off: Time of day.
        notes: Warnings that hold if this option is taken.
    """

    due: date | None
    mention: Mention
    alternative: date | None = None
    day: bool = False
    term: bool = False
    doubt: str | None = None
    trouble: Trouble | None = None
    cut_off: time | None = None
    notes: Notes = field(default_factory=dict)


def date_option(mention: Mention, context: Context, month: Target | None) -> Option:
    """Return what a day or period means as a deadline.

    Args:
        mention: A mention that is not a term.
        context: What the phrase is read against.
        month: A month named elsewhere in the phrase, for a day without one.

    Raises:
        CalendarMissingError: If a week or working day is asked for in a year not covered.
    """
    found = target_of(mention.piece, context.issue, context.lexicon.numerals, month)
    if isinstance(found, Trouble):
        return Option(None, mention, trouble=found)
    option = Option(None, mention, day=found.unit is Unit.DAY, cut_off=mention.cut_off)
    if found.moved:
        option.notes["due_year_assumed"] = {"year": found.end.year}
    if found.doubtful:
        option.doubt = _doubt_of(mention.piece)
    if mention.piece.kind is Kind.DOTTED and not (mention.cued or mention.piece.has("word")):
        option.doubt = "due_unclear"
    if mention.follows_report and not option.day and mention.edge is None:
        # "Report for quarter III" names what is reported, not necessarily when.
        option.doubt = "due_report_period"
    if mention.follows_words and found.unit is Unit.YEAR and mention.edge is None:
        # "The plan of 2026" names a plan.
        option.doubt = option.doubt or "due_unclear"
    target = _at_weekday(found, mention, option)
    if mention.edge is not None:
        part = _edge(target, mention, context.calendar, option)
        option.doubt = option.doubt or _edge_doubt(mention, part)
        if part is None:
            return option
        _settle_part(option, part, context)
    elif target.unit is Unit.DAY:
        _settle_day(option, target.end, context)
    elif mention.strict:
        option.due = target.start - _ONE
    elif target.unit is Unit.WEEK:
        _settle_week(option, target, context.calendar)
    else:
        option.due = target.end
    _check_range(option, found, context)
    return option


def _doubt_of(piece: Piece) -> str:
    if piece.kind is Kind.YEARS:
        return "due_several_years"
    if piece.kind is Kind.DAY_ONLY:
        return "due_month_missing"
    if piece.kind is Kind.WEEK_OF_MONTH:
        return "due_week_of_month"
    return "due_unclear"


def _edge_doubt(mention: Mention, part: Target | None) -> str | None:
    if mention.edge is Edge.HEAD:
        return "due_beginning"
    if part is None or part.doubtful or (mention.strict and mention.edge is Edge.TAIL):
        return "due_unclear"
    return None


def _edge(
    target: Target, mention: Mention, calendar: WorkCalendar, option: Option
) -> Target | None:
    if mention.edge is Edge.FIRST_WORKDAY:
        day = calendar.next_working_day(target.start)
        name_doubtful(option.notes, target.start - _ONE, day, calendar)
        return Target(day, day, Unit.DAY)
    if mention.edge is Edge.LAST_WORKDAY:
        day = calendar.previous_working_day(target.end)
        name_doubtful(option.notes, day - _ONE, target.end, calendar)
        return Target(day, day, Unit.DAY)
    if mention.edge is None or target.unit is Unit.DAY:
        return target
    return part_of(target, mention.edge, mention.edge_days)


def _settle_part(option: Option, part: Target, context: Context) -> None:
    """Set the due date of a part of a period."""
    if part.unit is Unit.WEEK and not option.mention.strict:
        _settle_week(option, part, context.calendar)
    else:
        _settle_day(option, part.end, context)


def _settle_day(option: Option, day: date, context: Context) -> None:
    """Set the due date of one day, with "before" and the time of day in their place."""
    mention = option.mention
    if mention.timed:
        # With an hour given, "before" governs the hour and the day itself is the last one.
        option.due = day
        if mention.cut_off == time(0):
            option.due, option.alternative, option.cut_off = day - _ONE, day, None
    elif mention.strict:
        before = day - _ONE
        strict = context.before_is_strict
        option.due, option.alternative = (before, day) if strict else (day, before)
    else:
        option.due = day


def _settle_week(option: Option, week: Target, calendar: WorkCalendar) -> None:
    """Set the last working day of a week; a week without one ends on its Sunday."""
    day = calendar.previous_working_day(week.end)
    if day < week.start:
        option.due = week.end
    else:
        option.due = day
        option.alternative = week.end if day != week.end else None
        name_doubtful(option.notes, day - _ONE, week.end, calendar)


def _at_weekday(target: Target, mention: Mention, option: Option) -> Target:
    """Return the weekday of a week; beside a written date a weekday is only checked."""
    if mention.weekday is None:
        return target
    if target.unit is Unit.WEEK:
        day = target.start + timedelta(days=mention.weekday)
        option.day = True
        return Target(day, day, Unit.DAY, moved=target.moved, doubtful=target.doubtful)
    if target.unit is not Unit.DAY:
        option.doubt = "due_unclear"
    elif target.end.weekday() != mention.weekday:
        option.doubt = "due_weekday_differs"
        option.notes["due_weekday_differs"] = {"date": target.end}
    return target


def _check_range(option: Option, target: Target, context: Context) -> None:
    """Doubt a range that ends before it starts."""
    start = option.mention.range_start
    if start is None or start.kind in (Kind.DAY_ONLY, Kind.TERM):
        return
    opening = target_of(start, context.issue, context.lexicon.numerals)
    if opening is Trouble.IMPOSSIBLE:
        option.trouble = opening
    elif isinstance(opening, Target) and start.has("y", "y1", "y3") and opening.start > target.end:
        option.doubt = "due_unclear"


# --- terms --------------------------------------------------------------------------------


def term_option(mention: Mention, start: Start | None, parsed: Parsed, context: Context) -> Option:
    """Return what a term means as a deadline.

    Args:
        mention: A mention that is a term.
        start: What it runs from, if the phrase says so.
        parsed: The whole phrase.
        context: What the phrase is read against.

    Raises:
        CalendarMissingError: If the term runs or rolls into a year not covered.
    """
    piece = mention.piece
    option = Option(None, mention, term=True, cut_off=mention.cut_off)
    begin = _begin(mention, start, option, context)
    if begin is None:
        return option
    count = piece.number("n")
    second = piece.number("n2")
    if count == 0:
        option.doubt = "due_unclear"
        return option
    if second is not None and second != count:
        option.doubt = "due_numbers_differ"
        option.notes["due_numbers_differ"] = {"first": count, "second": second}
    elif piece.has("low") or mention.strict or mention.edge or mention.weekday is not None:
        option.doubt = "due_unclear"
    elif piece.has("days") and context.lexicon.not_plain_days.search(parsed.scan.free_text):
        # "10 days, days off not counted": neither plain days nor surely working days.
        option.doubt = "due_unclear"
    elif start is None and not mention.cued:
        option.doubt = _uncued_doubt(piece, parsed, context)
    _count(option, begin, count or 0, context)
    return option


def _uncued_doubt(piece: Piece, parsed: Parsed, context: Context) -> str | None:
    """Doubt a bare length: "6 months" may be a half year, "the 100 days plan" a name."""
    if piece.has("months") and piece.number("n") in (6, 9):
        return "due_unclear"
    if not context.lexicon.around_term.fullmatch(parsed.scan.free_text):
        return "due_unclear"
    return None


def _begin(mention: Mention, start: Start | None, option: Option, context: Context) -> date | None:
    """Return the day a term runs from; where it is not known, say why in the option."""
    issue = context.issue
    if start is not None and start.kind is StartKind.EVENT:
        option.doubt = "due_event"
        return None
    if start is not None and start.kind is StartKind.DAY and start.piece is not None:
        return _start_day(start.piece, option, context)
    if start is not None and start.kind is StartKind.RECEIPT and context.received is not None:
        return context.received
    if issue is None:
        option.trouble = Trouble.NEEDS_ISSUE_DATE
        return None
    if start is not None and start.kind is StartKind.RECEIPT:
        option.notes["due_receipt_assumed"] = {"date": issue}
    elif start is None and not mention.piece.has("ahead"):
        option.notes["due_start_assumed"] = {"date": issue}
    return issue


def _start_day(piece: Piece, option: Option, context: Context) -> date | None:
    if piece.kind is Kind.DOCUMENT_REFERENCE:
        year = piece.number("y", "y4") or 0
        found = make_date(year, piece.number("m", "m2") or 0, piece.number("d", "d2") or 0)
        if found is None:
            option.trouble = Trouble.IMPOSSIBLE
        return found
    target = target_of(piece, context.issue, context.lexicon.numerals)
    if isinstance(target, Trouble):
        option.trouble = target
        return None
    if target.doubtful:
        option.doubt = "due_unclear"
        return None
    return target.end


def _count(option: Option, begin: date, count: int, context: Context) -> None:
    """Set the due date of a term, with the calendar's doubtful days named."""
    piece, calendar = option.mention.piece, context.calendar
    if piece.has("hours"):
        # The hour at which the term starts is not recorded; only whole days can be told.
        option.due = begin + timedelta(days=-(-count // 24) if count >= 24 else 0)
        option.notes["due_hours"] = {"hours": count}
        return
    if piece.has("workdays"):
        option.due = calendar.add_working_days(begin, count)
        name_doubtful(option.notes, begin, option.due, calendar)
        return
    end = _term_end(piece, begin, count)
    if end is None:
        option.trouble = Trouble.ODD_YEAR
        return
    option.due = calendar.next_working_day(end)
    if option.due != end:
        option.alternative = end
    name_doubtful(option.notes, end - _ONE, option.due, calendar)


def _term_end(piece: Piece, begin: date, count: int) -> date | None:
    """Return the last day of a term in days, weeks, months, quarters or years."""
    months = 0
    days = 0
    if piece.has("days"):
        days = count
    elif piece.has("weeks"):
        days = 7 * count
    elif piece.has("months"):
        months, days = count, 15 if piece.has("half", "half_of") else 0
    elif piece.has("quarters"):
        months = 3 * count
    else:
        months = 12 * count + (6 if piece.has("half", "half_of") else 0)
    if piece.has("more_months"):
        months += piece.number("more") or 0
    elif piece.has("more_days"):
        days += piece.number("more2") or 0
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    if year > LAST_YEAR:
        return None
    day = min(begin.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day) + timedelta(days=days)


def name_doubtful(notes: Notes, after: date, to: date, calendar: WorkCalendar) -> None:
    """Note the unconfirmed days of the calendar that a computed date depends on."""
    days = calendar.doubtful_days(after, to)
    if days:
        notes["due_calendar_doubtful"] = {"days": tuple(entry.date for entry in days)}

"""Deadlines as documents word them: the due date a phrase means, where it means one.

The phrase itself stays in the register word for word; this module returns data only. What can
be read in more than one way, or names no day, is never guessed: it comes back as `ambiguous`
with the natural reading beside it for a person to confirm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from xl_theodoi.domain.deadline_days import DAY_KINDS, Target, Trouble, target_of
from xl_theodoi.domain.deadline_options import (
    Context,
    Notes,
    Option,
    date_option,
    name_doubtful,
    term_option,
)
from xl_theodoi.domain.deadline_parse import Parsed, StartKind, parse
from xl_theodoi.domain.deadline_recurring import is_daily, is_recurring, recurrence_of
from xl_theodoi.domain.deadline_text import Kind, lexicon_of
from xl_theodoi.domain.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xl_theodoi.domain.deadline_parse import Mention
    from xl_theodoi.domain.recurrence import Recurrence
    from xl_theodoi.domain.workdays import WorkCalendar


class DeadlineKind(StrEnum):
    """What sort of deadline a phrase is."""

    FIXED = "fixed"
    """A day, or the last day of a period."""
    TERM = "term"
    """A length of time counted from a day."""
    RECURRING = "recurring"
    NONE = "none"
    """No deadline."""
    AMBIGUOUS = "ambiguous"
    """A person has to say which day is meant."""
    INVALID = "invalid"
    """A day that does not exist."""


Roll = Literal["none", "next", "prev"]


@dataclass(frozen=True, slots=True)
class DeadlineRules:
    """The office's choices where regulations leave one.

    Attributes:
        before_is_strict: Whether "before the 20th" ends with the 19th.
        roll_explicit_dates: What becomes of a written date that is a day off: left as it is,
            or moved to the next or previous working day. Terms always roll forward.
    """

    before_is_strict: bool = True
    roll_explicit_dates: Roll = "none"


DEFAULT_RULES = DeadlineRules()


@dataclass(frozen=True, slots=True)
class Deadline:
    """What a phrase means.

    Attributes:
        kind: What sort of deadline.
        due_date: The last day in time; for a recurring deadline the first of them.
        alternative: The other reading, for a person to choose.
        warnings: What a person should look at; they carry no address.
        recurrence: For recurring deadlines, how they come back.
        cut_off: Time of day, where one is given.
        urgent: Whether the phrase asks for haste.
    """

    kind: DeadlineKind
    due_date: date | None = None
    alternative: date | None = None
    warnings: tuple[Finding, ...] = ()
    recurrence: Recurrence | None = None
    cut_off: time | None = None
    urgent: bool = False


_FAR = 10
"""Years after which a deadline is taken for a slip of the hand and asked about."""

_TROUBLES = {
    Trouble.IMPOSSIBLE: "due_impossible",
    Trouble.ODD_YEAR: "due_year_doubtful",
    Trouble.NEEDS_ISSUE_DATE: "due_issue_needed",
    Trouble.UNCLEAR: "due_unclear",
}


def read_deadline(
    phrase: str | None,
    issue_date: date | None,
    received_on: date | None,
    calendar: WorkCalendar,
    words: Mapping[str, Any],
    rules: DeadlineRules = DEFAULT_RULES,
) -> Deadline:
    """Return what a deadline phrase means.

    Args:
        phrase: The words of the document.
        issue_date: Its issue date, which supplies missing years and starts most terms.
        received_on: Day of receipt, for terms that run from it; the issue date stands in.
        calendar: The office's calendar.
        words: The parsed `deadline_words_vi.toml`.
        rules: The office's choices.

    Raises:
        CalendarMissingError: If working days of a year not covered are needed.
    """
    context = Context(issue_date, received_on, calendar, lexicon_of(words), rules.before_is_strict)
    return _Reader(phrase or "", context, rules).read()


@dataclass(slots=True)
class _Reader:
    phrase: str
    context: Context
    rules: DeadlineRules
    notes: Notes = field(default_factory=dict)
    urgent: bool = False

    # --- answers ---------------------------------------------------------------------

    def answer(
        self,
        kind: DeadlineKind,
        due: date | None = None,
        alternative: date | None = None,
        recurrence: Recurrence | None = None,
        cut_off: time | None = None,
    ) -> Deadline:
        issue = self.context.issue
        if due is not None and issue is not None:
            if due < issue:
                self.notes["due_before_issue"] = {"date": due, "issue_date": issue}
            elif due.year > issue.year + _FAR:
                self.notes["due_far"] = {"date": due}
        text = " ".join(self.phrase.split())
        return Deadline(
            kind=kind,
            due_date=due,
            alternative=alternative if alternative != due else None,
            warnings=tuple(
                Finding(code, Severity.WARNING, field="due_text", values={"value": text, **values})
                for code, values in self.notes.items()
            ),
            recurrence=recurrence,
            cut_off=cut_off,
            urgent=self.urgent,
        )

    def ambiguous(self, code: str, alternative: date | None = None, **values: object) -> Deadline:
        self.notes.setdefault(code, values)
        return self.answer(DeadlineKind.AMBIGUOUS, None, alternative)

    # --- reading ---------------------------------------------------------------------

    def read(self) -> Deadline:
        scan = self.context.lexicon.scan(self.phrase)
        if scan.blank:
            self.notes["due_blank"] = {}
            return self.answer(DeadlineKind.NONE)
        if scan.unaccented:
            self.notes["due_unaccented"] = {}
        parsed = parse(scan, self.context.lexicon)
        self.urgent = Kind.URGENT in parsed.flags or any(
            mention.piece.has("urgent", "now") for mention in parsed.mentions
        )
        if Kind.LUNAR in parsed.flags:
            # No day of the lunar calendar is ever read as one of the solar calendar.
            return self.ambiguous("due_lunar")
        if is_daily(parsed, self.context):
            parsed.flags.add(Kind.NONE)
        elif is_recurring(parsed):
            return self.recurring(parsed)
        self.lift_starts(parsed)
        options = self.options(parsed)
        for option in options:
            if option.trouble is Trouble.IMPOSSIBLE:
                self.notes["due_impossible"] = {"text": option.mention.piece.text}
                return self.answer(DeadlineKind.INVALID)
        if not options:
            return self.without_date(parsed)
        return self.choose(options, parsed)

    def lift_starts(self, parsed: Parsed) -> None:
        """Take "from 5/10" without a term for the lower bound it is."""
        if any(mention.is_term for mention in parsed.mentions):
            return
        if any(start.kind is StartKind.EVENT for start in parsed.starts):
            parsed.flags.add(Kind.EVENT)
        if any(start.kind is StartKind.DAY for start in parsed.starts) and not parsed.mentions:
            parsed.flags.add(Kind.AFTER)

    def options(self, parsed: Parsed) -> list[Option]:
        """Return what each day, period and term means; lower bounds are left out."""
        mentions = [mention for mention in parsed.mentions if not mention.after]
        if len(mentions) < len(parsed.mentions) and not mentions:
            parsed.flags.add(Kind.AFTER)
        if len(mentions) > 1:
            mentions = [
                m
                for m, before in zip(mentions, [None, *mentions], strict=False)
                if m.piece.kind is not Kind.BARE_YEAR or self.lists_years(before, m)
            ]
        months = [
            m for m in mentions if m.piece.has("month", "m0") and m.edge is None and not m.is_day
        ]
        month = None
        listed = any(m.piece.has("several") for m in months)
        if len(months) == 1 and not listed and any(m.piece.kind is Kind.DAY_ONLY for m in mentions):
            # "In October 2026, before the 20th": the month says which 20th.
            found = target_of(months[0].piece, self.context.issue, self.context.lexicon.numerals)
            if isinstance(found, Target) and not months[0].is_term:
                month = found
                mentions.remove(months[0])
        terms = [m for m in mentions if m.is_term]
        options = [date_option(m, self.context, month) for m in mentions if not m.is_term]
        return options + [self.term(m, index, parsed) for index, m in enumerate(terms)]

    def lists_years(self, before: Mention | None, mention: Mention) -> bool:
        """Return whether a bare year goes on from a year: "2026, 2027"."""
        return (
            before is not None
            and before.piece.kind in (Kind.YEAR, Kind.BARE_YEAR)
            and self.context.lexicon.around_term.fullmatch(mention.piece.gap) is not None
        )

    def term(self, mention: Mention, index: int, parsed: Parsed) -> Option:
        """Return what a term means; with one start for several terms all run from it."""
        starts = parsed.starts
        start = starts[min(index, len(starts) - 1)] if starts else None
        option = term_option(mention, start, parsed, self.context)
        if Kind.EVENT in parsed.flags and (start is None or start.kind is not StartKind.DAY):
            # "15 days before the session" runs from a day nobody knows yet.
            return Option(None, mention, term=True, doubt="due_event")
        return option

    # --- choosing --------------------------------------------------------------------

    def choose(self, options: list[Option], parsed: Parsed) -> Deadline:
        days = [option for option in options if option.day]
        periods = [option for option in options if not option.day and not option.term]
        terms = [option for option in options if option.term]
        rank = days or periods or terms
        chosen = self.one_of(rank)
        if chosen is None:
            return self.ambiguous("due_several_dates", _latest(rank))
        others = [o for o in options if o not in rank and o.due != chosen.due]
        other_terms = [
            o
            for o in others
            if o.term and (o.mention.cued or parsed.starts or not o.mention.piece.gap)
        ]
        if chosen.trouble is not None:
            return self.ambiguous(_TROUBLES[chosen.trouble], text=chosen.mention.piece.text)
        self.notes.update(chosen.notes)
        if chosen.doubt is not None:
            if Kind.EVENT in parsed.flags:
                # "The 10th of the first lunar month": the day beside the event is none of ours.
                return self.ambiguous("due_event")
            return self.ambiguous(chosen.doubt, chosen.due)
        if parsed.misleading:
            return self.ambiguous("due_unread_words")
        loose = parsed.dangling or parsed.unreadable_term or parsed.weekday is not None
        if loose or Kind.OR in parsed.flags:
            return self.ambiguous("due_unread_words", chosen.due)
        if other_terms:
            return self.ambiguous("due_several_dates", chosen.due)
        several = chosen.mention.piece.has("several")
        if several or others or len({option.due for option in rank}) > 1:
            self.notes["due_two_dates"] = {"date": chosen.due}
        if Kind.EVENT in parsed.flags:
            self.notes["due_event_ignored"] = {"date": chosen.due}
        if chosen.due is None:
            return self.ambiguous("due_unclear")
        if Kind.NONE in parsed.flags:
            self.notes["due_none_and_date"] = {"date": chosen.due}
        if Kind.RECURRING_LOOSE in parsed.flags:
            # "Regularly, by 15 December" without a year may well mean every year.
            if not chosen.mention.piece.has("y", "y1", "y3"):
                return self.ambiguous("due_recurrence_unclear", chosen.due)
            self.notes["due_recurrence_unclear"] = {}
        chosen.cut_off = chosen.cut_off or parsed.time_alone
        if chosen.term:
            return self.answer(
                DeadlineKind.TERM, chosen.due, chosen.alternative, cut_off=chosen.cut_off
            )
        return self.fixed(chosen, chosen.due)

    def one_of(self, options: list[Option]) -> Option | None:
        """Return the option that counts: the only date, or the only one for the report."""
        if len({(option.due, option.trouble) for option in options}) == 1:
            return next((option for option in options if option.doubt is None), options[0])
        reports = [option for option in options if option.mention.report]
        if len({option.due for option in reports}) == 1 and options[0].day:
            return reports[0]
        return None

    def fixed(self, chosen: Option, due: date) -> Deadline:
        """Return a written date, rolled only if the office wants it, with a word on days off."""
        calendar, alternative = self.context.calendar, chosen.alternative
        roll = self.rules.roll_explicit_dates
        if roll != "none":
            rolled = (
                calendar.next_working_day(due)
                if roll == "next"
                else calendar.previous_working_day(due)
            )
            if rolled != due:
                self.notes["due_rolled"] = {"from": due, "to": rolled}
                first, last = min(due, rolled), max(due, rolled)
                name_doubtful(self.notes, first - timedelta(days=1), last, calendar)
                due, alternative = rolled, due
        elif not calendar.covers(due.year):
            self.notes["due_calendar_unknown"] = {"date": due, "year": due.year}
        elif not calendar.is_working_day(due):
            entry = calendar.day_of(due)
            code = "due_on_weekend" if entry is None else "due_on_holiday"
            self.notes[code] = {
                "date": due,
                "name": entry.name if entry is not None else "",
                "working_day": self.working_day_before(due),
            }
        return self.answer(DeadlineKind.FIXED, due, alternative, cut_off=chosen.cut_off)

    def working_day_before(self, due: date) -> date | None:
        """Return the working day before a day off, if the calendar reaches back to it."""
        calendar = self.context.calendar
        for days in range(1, 15):
            day = due - timedelta(days=days)
            if not calendar.covers(day.year):
                return None
            if calendar.is_working_day(day):
                return day
        return None

    # --- the other kinds -------------------------------------------------------------

    def recurring(self, parsed: Parsed) -> Deadline:
        for mention in parsed.mentions:
            piece = mention.piece
            if piece.kind in DAY_KINDS and piece.has("y", "sep"):
                found = target_of(piece, self.context.issue, self.context.lexicon.numerals)
                if found is Trouble.IMPOSSIBLE:
                    self.notes["due_impossible"] = {"text": piece.text}
                    return self.answer(DeadlineKind.INVALID)
        recurrence = recurrence_of(parsed, self.context, self.notes)
        unclear = parsed.dangling or parsed.misleading or Kind.OR in parsed.flags
        if recurrence is None or unclear:
            return self.ambiguous("due_recurrence_unclear")
        issue = self.context.issue
        if Kind.EVENT in parsed.flags:
            return self.ambiguous("due_event")
        if issue is None:
            self.notes["due_issue_needed"] = {"text": ""}
            return self.answer(
                DeadlineKind.RECURRING, recurrence=recurrence, cut_off=recurrence.cut_off
            )
        first = recurrence.first_due(issue)
        if first is None:
            self.notes["due_recurrence_over"] = {"date": recurrence.until}
            return self.answer(DeadlineKind.RECURRING, recurrence=recurrence)
        period, due = first
        alternative = recurrence.inclusive().due_in(period) if recurrence.strict else None
        return self.answer(DeadlineKind.RECURRING, due, alternative, recurrence, recurrence.cut_off)

    def without_date(self, parsed: Parsed) -> Deadline:
        """Return what a phrase without any day, period or term means."""
        flags, issue = parsed.flags, self.context.issue
        if parsed.unreadable_term:
            return self.ambiguous("due_unclear")
        if Kind.AFTER in flags:
            return self.ambiguous("due_only_start")
        if parsed.dangling:
            return self.ambiguous("due_event" if Kind.EVENT in flags else "due_unread_words")
        if parsed.weekday is not None:
            following = None
            if issue is not None:
                following = issue + timedelta(days=(parsed.weekday - issue.weekday()) % 7)
            return self.ambiguous("due_unclear", following)
        if parsed.time_alone is not None:
            return self.ambiguous("due_unclear", issue)
        if Kind.EVENT in flags:
            return self.ambiguous("due_event")
        if Kind.VAGUE in flags:
            return self.ambiguous("due_vague")
        if Kind.NONE in flags:
            return self.answer(DeadlineKind.NONE)
        if Kind.URGENT in flags:
            self.notes["due_urgent"] = {}
            return self.answer(DeadlineKind.NONE, None, issue)
        if Kind.RECURRING_LOOSE in flags:
            return self.ambiguous("due_recurrence_unclear")
        return self.ambiguous("due_unreadable")


def _latest(options: list[Option]) -> date | None:
    return max((option.due for option in options if option.due is not None), default=None)

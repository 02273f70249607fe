"""Deadline phrases that come back: how often, and on which day of each period."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from xl_theodoi.domain.deadline_days import Edge, Target, Unit, target_of
from xl_theodoi.domain.deadline_text import Kind, strip_accents
from xl_theodoi.domain.recurrence import Recurrence, RecurrenceUnit

if TYPE_CHECKING:
    from xl_theodoi.domain.deadline_options import Context, Notes
    from xl_theodoi.domain.deadline_parse import Mention, Parsed
    from xl_theodoi.domain.deadline_text import Piece

_ORDER = tuple(RecurrenceUnit)
_MONTHS = {
    1: RecurrenceUnit.MONTH,
    3: RecurrenceUnit.QUARTER,
    6: RecurrenceUnit.HALF,
    12: RecurrenceUnit.YEAR,
}
_LENGTH = {unit: months for months, unit in _MONTHS.items()}
_CLASS_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def is_daily(parsed: Parsed, context: Context) -> bool:
    """Return whether the phrase only says "every day", which is no deadline."""
    return bool(parsed.recurring) and all(
        _units_of(piece, context) == ["day"] for piece in parsed.recurring
    )


def recurrence_of(parsed: Parsed, context: Context, notes: Notes) -> Recurrence | None:
    """Return the recurrence that a phrase means, or `None` where it cannot be told.

    Args:
        parsed: The phrase; `is_recurring` holds for it.
        context: What it is read against.
        notes: Takes the warnings.
    """
    units = _recurrence_units(parsed, context)
    if units is None:
        return None
    if len(units) > 1:
        notes["due_recurrence_several"] = {"count": len(units)}
    unit = min(units, key=_ORDER.index)
    return _Builder(parsed, context, notes, unit).build()


def is_recurring(parsed: Parsed) -> bool:
    """Return whether a phrase says that something comes back."""
    return bool(parsed.recurring) or any(map(_every_quarter, parsed.mentions))


def _every_quarter(mention: Mention) -> bool:
    """Return whether it is "the 15th of the quarter's last month", of every quarter."""
    piece = mention.piece
    return piece.kind is Kind.DAY_OF_QUARTER_MONTH and not piece.has("q", "this", "next")


def _recurrence_units(parsed: Parsed, context: Context) -> list[RecurrenceUnit] | None:
    found: list[RecurrenceUnit] = []
    for piece in parsed.recurring:
        for name in _units_of(piece, context):
            if name == "day":
                continue
            try:
                unit = RecurrenceUnit(name)
            except ValueError:
                return None
            if unit not in found:
                found.append(unit)
    if any(map(_every_quarter, parsed.mentions)) and RecurrenceUnit.QUARTER not in found:
        found.append(RecurrenceUnit.QUARTER)
    return found or None


def _units_of(piece: Piece, context: Context) -> list[str]:
    """Return the names of a piece's units, `?` for one that is not supported."""
    classes = context.lexicon.words["classes"]
    names: list[str] = []
    times = piece.number("times") or 1
    text = strip_accents(piece.parts["units"])
    words = {
        strip_accents(word): name
        for name in ("week", "month", "quarter", "year", "day")
        for word in classes[name]
    }
    alternatives = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    for match in re.finditer(rf"(?:(\d+) )?({alternatives})(?!\w)", text):
        count, name = int(match[1] or 1), words[match[2]]
        if name in _CLASS_MONTHS:
            months, rest = divmod(_CLASS_MONTHS[name] * count, times)
            known = _MONTHS.get(months) if rest == 0 else None
            # Nine months come once a year and are no rhythm of their own.
            if known is None and months == 9:
                continue
            names.append(known.value if known else "?")
        else:
            names.append(name if count == times == 1 else "?")
    return names or ["?"]


class _Builder:
    def __init__(
        self, parsed: Parsed, context: Context, notes: Notes, unit: RecurrenceUnit
    ) -> None:
        self.parsed, self.context, self.notes, self.unit = parsed, context, notes, unit
        self.day: int | None = None
        self.first_day: int | None = None
        self.month: int | None = None
        self.following = False
        self.source: Mention | None = None
        self.since: date | None = None
        self.until: date | None = None

    def build(self) -> Recurrence | None:
        prefix = self.parsed.recurring_prefix[0] if self.parsed.recurring_prefix else None
        days = [mention for mention in self.parsed.mentions if self.is_day(mention)]
        for mention in self.parsed.mentions:
            if mention not in days and not self.take_bound(mention):
                return None
        named = self.month
        if not self.take_days(days):
            return None
        if days and named is not None and named != self.month:
            # "15 June and December every year": a month without a day of its own is not lost.
            return None
        if prefix is not None and not self.take_edge(prefix):
            return None
        source = self.source or prefix
        weekdays = {self.parsed.weekday, prefix.weekday if prefix is not None else None} - {None}
        if weekdays and (self.unit is not RecurrenceUnit.WEEK or len(weekdays) > 1):
            # "The last Friday of every month", "Mondays and Thursdays".
            return None
        weekday = next(iter(weekdays), None)
        timed = (source is not None and source.timed) or (prefix is not None and prefix.timed)
        strict = (source is not None and source.strict) and not timed
        if strict and self.day is None and weekday is None:
            # "Before every month" says nothing that can be counted.
            return None
        cut_off = next((m.cut_off for m in (source, prefix) if m and m.cut_off), None)
        return Recurrence(
            unit=self.unit,
            weekday=weekday,
            day=self.day,
            first_day=self.first_day,
            month=self.month,
            strict=strict and self.context.before_is_strict,
            following=self.following,
            cut_off=cut_off,
            since=self.since,
            until=self.until,
        )

    def is_day(self, mention: Mention) -> bool:
        """Return whether a mention says on which day of each period something is due."""
        piece = mention.piece
        if piece.kind in (
            Kind.DAY_ONLY, Kind.PAIR, Kind.DAY_OF_RELATIVE_MONTH, Kind.DAY_OF_QUARTER_MONTH,
        ):  # fmt: skip
            return True
        return piece.kind is Kind.DATE and not piece.has("y", "year_this", "year_next")

    def take_bound(self, mention: Mention) -> bool:
        """Take a period or date that only limits how long the recurrence goes on."""
        if mention.is_term:
            return False
        found = target_of(mention.piece, self.context.issue, self.context.lexicon.numerals)
        if not isinstance(found, Target):
            return False
        if mention.piece.kind is Kind.EDGE_UNIT and mention.edge is not None:
            return self.take_edge(mention)
        if mention.edge not in (None, Edge.TAIL):
            return False
        if self.is_yearly_place(mention):
            self.month = found.end.month
            return not mention.strict
        opening = found
        if mention.range_start is not None:
            start = target_of(
                mention.range_start, self.context.issue, self.context.lexicon.numerals
            )
            if not isinstance(start, Target):
                return False
            opening = start
        if mention.after or mention.range_start or not (mention.upper or mention.is_day):
            self.since = opening.start
        if not mention.after:
            self.until = found.start - timedelta(days=1) if mention.strict else found.end
        if found.unit is not Unit.YEAR:
            self.note_bounds()
        return True

    def note_bounds(self) -> None:
        """Say from when to when the recurrence goes on."""
        if self.since is not None:
            self.notes["due_recurrence_since"] = {"date": self.since}
        if self.until is not None:
            self.notes["due_recurrence_until"] = {"date": self.until}

    def is_yearly_place(self, mention: Mention) -> bool:
        """Return whether it is "in September" or "in quarter IV" of every year."""
        piece = mention.piece
        return (
            self.unit is RecurrenceUnit.YEAR
            and not mention.after
            and piece.kind in (Kind.MONTH, Kind.QUARTER)
            and not piece.has("y1", "y2", "y3", "year_this", "year_next")
        )

    def take_edge(self, mention: Mention) -> bool:
        if mention.edge in (None, Edge.TAIL):
            return True
        if mention.edge is Edge.MIDDLE and self.unit is RecurrenceUnit.MONTH:
            self.day = 15
            return True
        return False

    def take_days(self, days: list[Mention]) -> bool:
        if not days:
            return True
        if self.halves(days):
            return True
        fitting = [mention for mention in days if self.fits(mention)]
        if not fitting:
            return False
        chosen = fitting[0]
        if len({self.place(mention) for mention in fitting}) > 1:
            return False
        if len(days) > len(fitting):
            self.notes.setdefault("due_recurrence_several", {"count": len(days)})
        self.source = chosen
        piece = chosen.piece
        day = piece.number("b") if piece.kind is Kind.PAIR else piece.number("d")
        if day is None or not 1 <= day <= 31:
            return False
        self.day = day
        if piece.kind is Kind.PAIR:
            self.first_day = piece.number("a")
        elif chosen.range_start is not None:
            self.first_day = chosen.range_start.number("d")
        if self.first_day is not None and self.first_day > day:
            return False
        return self.take_month(piece)

    def fits(self, mention: Mention) -> bool:
        """Return whether a day can belong to the chosen unit."""
        kind = mention.piece.kind
        if self.unit is RecurrenceUnit.WEEK:
            return False
        if self.unit is RecurrenceUnit.MONTH:
            return kind in (Kind.DAY_ONLY, Kind.PAIR, Kind.DAY_OF_RELATIVE_MONTH)
        if kind is Kind.DAY_OF_QUARTER_MONTH:
            return self.unit is RecurrenceUnit.QUARTER
        return True

    def place(self, mention: Mention) -> tuple[object, ...]:
        """Return where in its period a day lies; two days of one place are one rhythm."""
        piece = mention.piece
        if piece.kind is Kind.DATE:
            number = piece.number("m") or 0
            return piece.number("d"), (number - 1) % _LENGTH[self.unit]
        return piece.kind, piece.text

    def take_month(self, piece: Piece) -> bool:
        """Find in which month of the period the day lies."""
        if piece.kind is Kind.DATE:
            number = piece.number("m") or 0
            if not 1 <= number <= 12:
                return False
            self.month = (number - 1) % _LENGTH[self.unit] + 1
        elif piece.kind is Kind.DAY_OF_QUARTER_MONTH:
            self.month = 1 if piece.has("first") else 3
            self.following = piece.has("next")
        elif piece.kind is Kind.DAY_OF_RELATIVE_MONTH:
            self.following = piece.has("next")
        elif self.unit is not RecurrenceUnit.MONTH:
            self.notes["due_recurrence_month_assumed"] = {"day": self.day}
        return True

    def halves(self, days: list[Mention]) -> bool:
        """Read "15/6 and 15/12 every year" as twice a year."""
        if self.unit is not RecurrenceUnit.YEAR or len(days) != 2:
            return False
        first, second = (mention.piece for mention in days)
        if not (first.kind is second.kind is Kind.DATE and first.number("d") == second.number("d")):
            return False
        months = first.number("m") or 0, second.number("m") or 0
        if months[1] - months[0] != 6:
            return False
        self.unit, self.source = RecurrenceUnit.HALF, days[0]
        self.day, self.month = first.number("d"), months[0]
        return True

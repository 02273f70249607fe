"""Deadline phrases, second step: which pieces belong together.

A qualifier belongs to the day, period or term right after it; between them only filler words
may stand. A qualifier that changes the meaning and finds nothing to qualify makes the whole
phrase doubtful instead of being dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import time
from enum import Enum

from xl_theodoi.domain.deadline_days import CALENDAR_KINDS, DAY_KINDS, Edge, edge_of
from xl_theodoi.domain.deadline_text import Kind, Lexicon, Piece, Scan


class StartKind(Enum):
    """What a term runs from."""

    ISSUE = "issue or signing of the document"
    RECEIPT = "receipt of the document or task"
    DAY = "a day that is written"
    EVENT = "something whose date is not known"


@dataclass(slots=True)
class Start:
    """What a term runs from."""

    kind: StartKind
    piece: Piece | None = None


@dataclass(slots=True)
class Mention:
    """One day, period or term of a phrase with all that qualifies it.

    Attributes:
        piece: What names the days or the length.
        strict: "Before" stands in front.
        after: It is a lower bound ("after", or "from" without an end).
        cued: Some qualifier or "in" stands in front.
        upper: "By" or "to" stands in front.
        edge: Which part of the period.
        edge_days: Number of days of that part.
        cut_off: Time of day.
        timed: Whether a time or part of the day is given, so that "before" governs it.
        weekday: Weekday named beside it, Monday 0.
        report: Whether it is the date of the report.
        range_start: The piece that opens a range which this one ends.
        follows_report: Whether it stands right after the word for report.
        follows_words: Whether it stands right after words that were not recognised.
    """

    piece: Piece
    strict: bool = False
    after: bool = False
    cued: bool = False
    upper: bool = False
    edge: Edge | None = None
    edge_days: int | None = None
    cut_off: time | None = None
    timed: bool = False
    weekday: int | None = None
    report: bool = False
    range_start: Piece | None = None
    follows_report: bool = False
    follows_words: bool = False

    @property
    def is_term(self) -> bool:
        """Whether it is a length of time and not a place in the calendar."""
        return self.piece.kind is Kind.TERM

    @property
    def is_day(self) -> bool:
        """Whether it names one day."""
        return self.piece.kind in DAY_KINDS


@dataclass(slots=True)
class Parsed:
    """A phrase understood as far as words go; no date has been worked out yet.

    Attributes:
        scan: The phrase taken apart.
        mentions: Days, periods and terms, in order.
        starts: What terms run from.
        recurring: Pieces that say how often.
        recurring_prefix: What stood right before each of them (edge, time, weekday).
        flags: Kinds of wordless meaning present: none, urgent, vague, event, or.
        dangling: Whether a qualifier found nothing to qualify.
        misleading: Whether the day or term read is certainly not the deadline: part of a
            length was not understood, or it is counted back ("5 days before").
        weekday: A weekday that stands alone.
        time_alone: A time that stands alone.
        unreadable_term: Whether there is a length that is no whole number.
    """

    scan: Scan
    mentions: list[Mention] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    recurring: list[Piece] = field(default_factory=list)
    recurring_prefix: list[Mention] = field(default_factory=list)
    flags: set[Kind] = field(default_factory=set)
    dangling: bool = False
    misleading: bool = False
    weekday: int | None = None
    time_alone: time | None = None
    unreadable_term: bool = False


@dataclass(slots=True)
class _Pending:
    """Qualifiers waiting for what they qualify."""

    before: bool = False
    upper: bool = False
    inside: bool = False
    after: bool = False
    since: bool = False
    to: bool = False
    edge: Edge | None = None
    edge_days: int | None = None
    cut_off: time | None = None
    timed: bool = False
    weekday: int | None = None


_NUMBER = re.compile(r"[\s,;&/-]*(?:\w{1,3} )?\d{1,2}(?![\d%])")
_ENDS_WITH_NUMBER = re.compile(r"(?<![\w/.,-])\d{1,2}$")
_CUT_OFF = re.compile(r"/ ?\w")
_BARE_NUMBER = re.compile(r"[\s,;:.()-]*\d{1,2}[\s,;:.()-]*")
_DATE_LIKE = re.compile(r"(?<![\w/])\d{1,2} ?[/.-] ?(?:\d{1,2} ?[/.-] ?)?20\d\d(?!\w)")
_WORDS = re.compile(r"\w[^,;.:()]*$")
_CLAUSE = re.compile(r"[,;.:()]")
_FLAGS = frozenset(
    {
        Kind.NONE, Kind.URGENT, Kind.VAGUE, Kind.EVENT, Kind.LUNAR, Kind.OR, Kind.RECURRING_LOOSE,
    }
)  # fmt: skip
_SELF_CONTAINED_RANGES = frozenset({Kind.DATE_RANGE, Kind.PAIR, Kind.YEARS})


def parse(scan: Scan, lexicon: Lexicon) -> Parsed:
    """Return what belongs together in a phrase."""
    return _Parser(scan, lexicon).run()


class _Parser:
    def __init__(self, scan: Scan, lexicon: Lexicon) -> None:
        self.pieces = scan.pieces
        self.lexicon = lexicon
        self.result = Parsed(scan)
        self.pending = _Pending()
        self.report = False
        self.report_just_now = False
        self.in_event = False
        self.in_reference = False
        self.either: set[Kind] = set()
        self.index = 0

    def run(self) -> Parsed:
        """Go through the pieces."""
        before: Piece | None = None
        while self.index < len(self.pieces):
            piece = self.pieces[self.index]
            self.lost_number(before, piece.gap)
            if before is not None and before.kind is Kind.TERM and piece.kind is Kind.BEFORE:
                self.result.misleading |= not piece.gap
            if piece.kind in CALENDAR_KINDS:
                self.result.dangling |= self.lexicon.mistyped_before(piece.gap)
            before = piece
            self.index += 1
            if not self.lexicon.fillers.fullmatch(piece.gap):
                if (self.pending.edge or self.pending.since) and piece.kind in CALENDAR_KINDS:
                    self.result.dangling |= self.lexicon.mistyped_inside(piece.gap)
                self.flush()
                self.report_just_now = False
            if _CLAUSE.search(piece.gap):
                self.in_reference = self.report_just_now = False
                # "Before the session (expected on 8 December)" still speaks of the session.
                self.in_event = self.in_event and _CLAUSE.findall(piece.gap) == ["("]
            self.take(piece)
        self.lost_number(before, self.result.scan.tail)
        self.flush()
        if self.result.recurring:
            # "Every month or when asked" is every month; "the 15th or when asked" is not.
            return self.result
        self.result.flags |= self.either
        return self.result

    def lost_number(self, before: Piece | None, gap: str) -> None:
        """Notice numbers, dates and lengths of time that no pattern took."""
        if before is not None and before.kind in (*CALENDAR_KINDS, Kind.TERM):
            term = before.kind is Kind.TERM
            self.result.dangling |= _CUT_OFF.match(gap) is not None
            self.result.dangling |= self.lexicon.mistyped_after(gap, term=term)
        if before is not None:
            self.result.dangling |= _BARE_NUMBER.fullmatch(gap) is not None
        self.result.dangling |= _DATE_LIKE.search(gap) is not None
        after_day = before is not None and before.kind in DAY_KINDS
        self.result.dangling |= after_day and _NUMBER.match(gap) is not None
        self.result.misleading |= self.lexicon.holds_quantity(
            gap, unaccented=self.result.scan.unaccented
        )

    def take(self, piece: Piece) -> None:
        """Take one piece."""
        kind, pending = piece.kind, self.pending
        if kind in CALENDAR_KINDS or kind is Kind.TERM:
            self.mention(piece)
        elif kind is Kind.BEFORE:
            pending.before = True
        elif kind is Kind.BY:
            pending.upper = True
        elif kind is Kind.IN:
            pending.inside = True
        elif kind is Kind.AFTER:
            pending.after = True
        elif kind is Kind.FROM:
            pending.since = True
        elif kind is Kind.TO:
            pending.to = True
        elif kind is Kind.EDGE:
            pending.edge, pending.edge_days = edge_of(piece), piece.number("n")
        elif kind is Kind.TIME:
            pending.timed = True
            pending.cut_off = _time(piece) or pending.cut_off
            # An hour or minute that no clock shows.
            hour, minute = piece.number("h", "h2") or 0, piece.number("min", "min2") or 0
            self.result.dangling |= hour > 24 or minute > 59
        elif kind is Kind.WEEKDAY:
            # Two weekdays are two deadlines.
            self.result.dangling |= pending.weekday is not None
            pending.weekday = 6 if piece.has("sunday") else (piece.number("w", "w2") or 2) - 2
        elif kind is Kind.RECURRING:
            # "20 hàng tháng": a day without its word may not be lost.
            self.result.dangling |= _ENDS_WITH_NUMBER.search(piece.gap) is not None
            self.result.recurring.append(piece)
            self.result.recurring_prefix.append(self.qualified(piece))
            self.pending = _Pending()
        elif kind is Kind.START:
            self.start()
        elif kind is Kind.TERM_DECIMAL:
            self.result.unreadable_term = True
            self.pending = _Pending()
        elif kind is Kind.REPORT:
            self.flush()
            self.report = self.report_just_now = True
        elif kind is Kind.EVENT:
            # "Before the session": the event itself is what "before" governs.
            self.pending = _Pending()
            self.result.flags.add(kind)
            self.in_event = True
        elif kind in _FLAGS:
            self.flush()
            self.result.flags.add(kind)
        elif kind is Kind.IGNORED and piece.has("or", "or2"):
            self.flush()
            self.either.add(Kind.OR)
        elif kind is Kind.DOCUMENT_REFERENCE:
            self.flush()
            self.in_reference = True
        elif kind is not Kind.NOW:
            # Signing or receipt without a term, "ad hoc".
            self.flush()

    def qualified(self, piece: Piece) -> Mention:
        """Return a mention of a piece with the qualifiers that wait for it."""
        pending = self.pending
        edge = pending.edge
        if piece.kind is Kind.EDGE_UNIT:
            edge = edge_of(piece)
        return Mention(
            piece,
            strict=pending.before,
            after=pending.after or (pending.since and piece.kind not in _SELF_CONTAINED_RANGES),
            cued=any((pending.before, pending.upper, pending.inside, pending.after, pending.to))
            or piece.kind is Kind.EDGE_UNIT
            or piece.has("cue", "ahead"),
            upper=pending.upper or pending.to,
            edge=edge,
            edge_days=pending.edge_days,
            cut_off=pending.cut_off,
            timed=pending.timed,
            weekday=pending.weekday,
        )

    def mention(self, piece: Piece) -> None:
        found = self.qualified(piece)
        pending, mentions = self.pending, self.result.mentions
        self.pending = _Pending()
        if found.is_term and found.after:
            found.after, found.cued = False, True
        if self.in_event and not (pending.before or pending.upper):
            # "The session at the end of 2026": the period describes the event.
            return
        if piece.kind is Kind.DATE and not found.cued and self.dates_a_document(piece):
            return
        self.in_event = self.in_reference = False
        last = mentions[-1] if mentions else None
        joined = pending.to or piece.gap.strip() == "-"
        if last is not None and not found.is_term and not last.is_term:
            ends_range = last.after and (joined or pending.upper or pending.before)
            # "By June 50 %, by December 100 %" are two ends and no range.
            if ends_range or (joined and not (last.strict or last.edge or last.upper)):
                found.range_start = last.piece
                mentions.pop()
                self.report = self.report or last.report
        found.report = self.report
        found.follows_report = self.report_just_now and not found.cued
        found.follows_words = not found.cued and bool(_WORDS.search(piece.gap))
        self.report = self.report_just_now = False
        mentions.append(found)

    def dates_a_document(self, piece: Piece) -> bool:
        """Return whether a date only says of when a document is that the phrase refers to."""
        return self.in_reference or self.lexicon.names_document(piece.gap)

    def flush(self) -> None:
        """Deal with qualifiers after which something else came."""
        pending, mentions = self.pending, self.result.mentions
        self.pending = _Pending()
        last = mentions[-1] if mentions else None
        if pending.timed:
            if last is not None and last.is_day and not last.timed:
                last.timed, last.cut_off = True, pending.cut_off
                pending.before = False
            elif self.result.recurring:
                prefix = self.result.recurring_prefix[-1]
                prefix.timed, prefix.cut_off = True, pending.cut_off
                pending.before = False
            else:
                self.result.time_alone = pending.cut_off
                pending.before = False
        if pending.weekday is not None:
            if last is not None and last.is_day and last.weekday is None:
                last.weekday = pending.weekday
            elif self.result.recurring:
                prefix = self.result.recurring_prefix[-1]
                self.result.dangling |= prefix.weekday is not None
                prefix.weekday = pending.weekday
                prefix.strict = prefix.strict or pending.before
            else:
                self.result.weekday = pending.weekday
            pending.before = False
        if pending.edge is not None and self.result.recurring:
            self.result.recurring_prefix[-1].edge = pending.edge
        self.result.dangling |= pending.before or pending.after

    def start(self) -> None:
        """Find what a term runs from; what is not known by name is an event."""
        self.pending = _Pending()
        following = self.pieces[self.index] if self.index < len(self.pieces) else None
        starts, near = self.result.starts, self.lexicon.around_start
        if following is None or not near.fullmatch(following.gap):
            starts.append(Start(StartKind.EVENT))
            self.in_event = True
            return
        if following.kind in (Kind.ISSUED, Kind.RECEIVED):
            self.index += 1
            kind = StartKind.ISSUE if following.kind is Kind.ISSUED else StartKind.RECEIPT
            starts.append(Start(kind, self.dated_reference()))
            if starts[-1].piece is not None and kind is StartKind.ISSUE:
                starts[-1].kind = StartKind.DAY
        elif following.kind in (Kind.NOW, Kind.TODAY):
            self.index += 1
            starts.append(Start(StartKind.ISSUE))
        elif following.kind in DAY_KINDS and self.lexicon.fillers.fullmatch(following.gap):
            self.index += 1
            starts.append(Start(StartKind.DAY, following))
        else:
            starts.append(Start(StartKind.EVENT))
            self.in_event = True

    def dated_reference(self) -> Piece | None:
        """Take a document's number after "signing"; return it if it carries its date."""
        if self.index >= len(self.pieces):
            return None
        piece = self.pieces[self.index]
        if piece.kind is not Kind.DOCUMENT_REFERENCE or not self.lexicon.around_start.fullmatch(
            piece.gap
        ):
            return None
        self.index += 1
        return piece if piece.has("d", "d2") else None


def _time(piece: Piece) -> time | None:
    """Return a time of day; midnight is no time, and "5 in the afternoon" is 17:00."""
    hour = piece.number("h", "h2")
    if hour is None:
        return None
    minute = piece.number("min", "min2") or 0
    if piece.has("pm") and hour < 12:
        hour += 12
    if hour > 23 or minute > 59:
        return None
    return time(hour, minute)

"""What the register's own formulas need to tell a status without the program.

In a workbook that stays alive the computed columns are formulas over the register's columns.
The columns show only the latest decision of each kind; of some tasks the table SuKien knows
more: a report that was refused, a second extension, a task that was closed. Of those, and of
tasks whose cells Excel reads otherwise than people do (a date typed as text), the program
writes what happened into a hidden column, for the day of the figures and for each later day on
which that changes. The formulas take it in place of the columns, until somebody changes one
of these columns: then the columns count, as they stand.

`workbook.building.live` writes the formulas; this module is the other half of their meaning.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.events import EventKind, implied_events
from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.domain.status import Facts, replay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.events import Event
    from xl_theodoi.domain.model import Status

HISTORY: Final = "status_history"
"""Field of the hidden column that the program writes: a text, blank for most tasks."""
PAST: Final = "status_past"
"""What of it holds at the day in NgayTinh; blank where the columns count."""
FINISHED: Final = "status_finished"
"""Day of completion that counts, as Excel counts days; 0 while unfinished."""
CODE: Final = "status_code"
"""Progress and timeliness as one number, see `status_code`; 0 for a blank row."""

FORMULA_FIELDS: Final = (
    PAST, FINISHED, CODE,
    "progress", "timeliness", "status_label", "effective_due_date", "days_left",
)  # fmt: skip
"""Columns of the register that hold formulas."""

WEIGHTS: Final[Mapping[str, int]] = {
    "completed_on": 3,
    "approved_on": 7,
    "extension_approved_on": 13,
    "extended_due_date": 29,
    "returned_on": 53,
    "cancelled_on": 97,
    "due_date": 193,
    "first_progress_on": 389,
    "progress_date": 769,
}
"""The columns a status follows from. The sum of their days, weighted, is the stamp by which a
formula knows that nobody has changed them since the history was written."""

STAMP_LENGTH: Final = 12
MARK_LENGTH: Final = 5
"""Digits of a day as Excel counts it."""
PAST_LENGTH: Final = 6 * MARK_LENGTH + 1
SEGMENT_LENGTH: Final = MARK_LENGTH + PAST_LENGTH
SEGMENTS: Final = 10
"""Days on which what happened may change, the day of the figures included."""
UNSTAMPED: Final = "*" * STAMP_LENGTH
"""In place of the stamp: the history counts whatever the columns say."""
NEVER: Final = "9" * MARK_LENGTH

REPORTED, RETURNED, CANCELLED = 1, 2, 4
"""What the last digit of a past adds up."""
RETURNED_CODE, CANCELLED_CODE = 16, 32
"""What a code adds up beyond `CODES`."""

_OPEN = (Timeliness.IN_TIME, Timeliness.DUE_SOON, Timeliness.OVERDUE, Timeliness.NO_DEADLINE)
_DONE = (Timeliness.ON_TIME, Timeliness.LATE, Timeliness.NO_DEADLINE)
SITUATIONS: Final[tuple[tuple[Progress, Timeliness, bool], ...]] = (
    *((Progress.NOT_STARTED, timeliness, False) for timeliness in _OPEN),
    *((Progress.IN_PROGRESS, timeliness, False) for timeliness in _OPEN),
    *((Progress.DONE, timeliness, False) for timeliness in _DONE),
    *((Progress.DONE, timeliness, True) for timeliness in _DONE),
)
"""Progress, timeliness and approval by code; code 1 is the first."""
CODES: Final = {situation: code for code, situation in enumerate(SITUATIONS, start=1)}

_EPOCH = date(1899, 12, 30).toordinal()


def serial(day: date | None) -> int:
    """Return a day as Excel counts it, 0 for none.

    Example:
        >>> serial(date(2026, 11, 22)), serial(None)
        (46348, 0)
    """
    return 0 if day is None else day.toordinal() - _EPOCH


def status_code(status: Status) -> int:
    """Return a status as the number its formula gives."""
    approved = status.approved and status.progress is Progress.DONE
    code = CODES[status.progress, status.timeliness, approved]
    if status.is_cancelled:
        return code + CANCELLED_CODE
    return code + RETURNED_CODE if status.is_returned else code


def history_text(
    values: Mapping[str, Any],
    events: Sequence[Event],
    as_of: date,
    *,
    is_recurring_parent: bool = False,
    numbers: Mapping[str, float | None] | None = None,
) -> str | None:
    """Return what a task's formulas must be told beside its columns, None for nothing.

    Args:
        values: The register's typed values.
        events: The task's history in order, as `current_events` returns it.
        as_of: First day for which the formulas must be right.
        is_recurring_parent: Whether child tasks stand for it; then it has no deadline.
        numbers: What Excel takes the cells of the columns of `WEIGHTS` for, where that is not
            the typed value in each: 0 for a text, None for an error. Without it they agree.

    Returns:
        A stamp, then what happened from each of `SEGMENTS` days on, once where closing a task
        finishes it (A12) and once where it does not. Later days than these are for a later
        run to tell.
    """
    implied = implied_events(values)
    said = {(event.kind, event.date, event.new_due_date) for event in implied}
    told = {(event.kind, event.date, event.new_due_date) for event in events}
    if numbers is None and said == told and not is_recurring_parent:
        return None
    seen = (
        {name: float(serial(values.get(name))) for name in WEIGHTS} if numbers is None else numbers
    )
    first = serial(as_of)
    later = {serial(event.date) for event in events}
    later.update(int(number) for number in seen.values() if number)
    days = [first, *sorted(day for day in later if first < day < int(NEVER))]
    pasts = {
        closing: [
            _past(values, events, day, closing=closing, parent=is_recurring_parent) for day in days
        ]
        for closing in (True, False)
    }
    if None not in seen.values():
        shown = [_past_of_columns(seen, day) for day in days]
        if pasts[True] == shown and pasts[False] == shown:
            return None
    closed = any(event.kind is EventKind.CLOSED for event in events)
    parts = [UNSTAMPED if closed else _stamp(seen)]
    for line in pasts.values():
        steps = [
            (day, past) for nth, (day, past) in enumerate(zip(days, line, strict=True))
            if not nth or past != line[nth - 1]
        ][:SEGMENTS]  # fmt: skip
        marks = ["0" * MARK_LENGTH, *(f"{day:05d}" for day, _ in steps[1:])]
        segments = [mark + past for mark, (_, past) in zip(marks, steps, strict=True)]
        segments += [NEVER + "0" * PAST_LENGTH] * (SEGMENTS - len(segments))
        parts += segments
    return "".join(parts)


def past_at(history: str | None, day: date, *, closing_finishes: bool) -> str | None:
    """Return what of a history holds at a day, as the column of pasts shows it."""
    if history is None:
        return None
    start = STAMP_LENGTH + (0 if closing_finishes else SEGMENTS * SEGMENT_LENGTH)
    found = None
    for nth in range(SEGMENTS):
        at = start + nth * SEGMENT_LENGTH
        if int(history[at : at + MARK_LENGTH]) <= serial(day):
            found = history[at + MARK_LENGTH : at + SEGMENT_LENGTH]
    return found


def _stamp(seen: Mapping[str, float | None]) -> str:
    total = 0
    for name, weight in WEIGHTS.items():
        number = seen.get(name, 0.0)
        if number is None:
            return UNSTAMPED
        total += weight * int(number // 1)
    return f"{total:0{STAMP_LENGTH}d}" if 0 <= total < 10**STAMP_LENGTH else UNSTAMPED


def _past(
    values: Mapping[str, Any], events: Sequence[Event], day: int, *, closing: bool, parent: bool
) -> str:
    facts = replay(
        values.get("due_date"),
        events,
        date.fromordinal(day + _EPOCH),
        closing_finishes=closing,
    )
    if parent:
        facts = facts._replace(original=None, due=None)
    return _text(facts, values.get("first_progress_on") or values.get("progress_date"))


def _text(facts: Facts, started: date | None) -> str:
    is_done = facts.completed is not None
    numbers = (
        serial(facts.completed),
        serial(facts.first_report) if is_done else 0,
        serial(facts.due),
        serial(facts.decided) if is_done else 0,
        serial(facts.original),
        0 if is_done else serial(started),
    )
    flags = (
        REPORTED * (facts.has_reported and not is_done)
        + RETURNED * facts.is_returned
        + CANCELLED * facts.is_cancelled
    )
    return "".join(f"{number:05d}" for number in numbers) + str(flags)


def _past_of_columns(seen: Mapping[str, float | None], day: int) -> str:
    """Return what a task's formulas make of its columns at a day."""

    def number(name: str) -> int:
        found = seen.get(name) or 0.0
        return int(found // 1) if found > 0 else 0

    def by_then(name: str) -> int:
        return found if (found := number(name)) <= day else 0

    completed = by_then("completed_on")
    due = original = number("due_date")
    if by_then("extension_approved_on") and number("extended_due_date"):
        due = number("extended_due_date")
    numbers = (
        completed,
        completed,
        due,
        by_then("approved_on") if completed else 0,
        original or due,
        0 if completed else number("first_progress_on") or number("progress_date"),
    )
    flags = RETURNED * bool(by_then("returned_on")) + CANCELLED * bool(by_then("cancelled_on"))
    return "".join(f"{number:05d}" for number in numbers) + str(flags)

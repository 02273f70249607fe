"""Decisions about tasks: the table SuKien and the register's columns as one history.

The register's columns show the latest decision of each kind, the table keeps all of them.
Both are filled by people, so either may know what the other does not. `current_events` is
their common history; `missing_events` and `obsolete_events` are what the table must gain and
lose, `column_changes` what the columns must show.

An event that a column implied is marked `from_register` and follows its column: corrected or
cleared there, it goes, unless a later decision has made it history. What people or decisions
entered in the table is never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.text import fold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

Words = Mapping[str, Mapping[str, str]]
"""The profile's words for codes: `event_kind` and `event_source` are used here."""

Locate = Callable[[str], Location]
"""Gives the address of a field's cell in the row at hand."""


class EventKind(StrEnum):
    """What was decided or reported."""

    SUBMITTED = "submitted"
    EXTENDED = "extended"
    APPROVED = "approved"
    REFUSED = "refused"
    CLOSED = "closed"
    RETURNED = "returned"
    REROUTED = "rerouted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the table SuKien, or one that the register's columns imply.

    Attributes:
        task_id: The task concerned.
        kind: What happened.
        date: The day from which it counts; for `submitted` the completion date reported.
        new_due_date: The deadline given, for `extended`.
        document: Number and date of the document.
        reason: Reason given.
        from_register: Whether a column of the register implied it.
        order: Position in the table; events of one day count in this order.
    """

    task_id: str
    kind: EventKind
    date: dt.date
    new_due_date: dt.date | None = None
    document: str = ""
    reason: str = ""
    from_register: bool = False
    order: int = 0


AFTER_TABLE = 1 << 30
"""Order of events that the table lacks: they will be appended to it."""

_PRESUPPOSED = {EventKind.REFUSED: EventKind.SUBMITTED, EventKind.REROUTED: EventKind.RETURNED}
"""A refusal answers a report and a reroute a return: on one day the answered comes first."""

_VOIDED_BY = {EventKind.SUBMITTED: EventKind.REFUSED, EventKind.APPROVED: EventKind.REFUSED,
              EventKind.RETURNED: EventKind.REROUTED}  # fmt: skip
"""The decision that ends what an event said."""

_DATE_COLUMN = {
    EventKind.SUBMITTED: "completed_on",
    EventKind.EXTENDED: "extension_approved_on",
    EventKind.APPROVED: "approved_on",
    EventKind.RETURNED: "returned_on",
    EventKind.CANCELLED: "cancelled_on",
}
"""The register's column that holds an event's date."""

HISTORY_FIELDS = (*_DATE_COLUMN.values(), "extended_due_date")
"""The register's columns that imply which events there were, and when."""

_DOCUMENT_COLUMN = {
    EventKind.SUBMITTED: "result_document",
    EventKind.EXTENDED: "extension_document",
}
_REASON_COLUMN = {EventKind.RETURNED: "return_reason"}


EVENT_FIELDS = (
    "task_id", *HISTORY_FIELDS, *_DOCUMENT_COLUMN.values(), *_REASON_COLUMN.values(),
)  # fmt: skip
"""The register's columns that `implied_events` uses."""


def implied_events(values: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return what the register's columns of one task say happened.

    An extension counts only with its approval date; a new deadline without one is a request.
    """
    implied: list[Event] = []
    for kind, column in _DATE_COLUMN.items():
        day = values.get(column)
        new_due = values.get("extended_due_date") if kind is EventKind.EXTENDED else None
        if day is None or (kind is EventKind.EXTENDED and new_due is None):
            continue
        implied.append(
            Event(
                task_id=values.get("task_id") or "",
                kind=kind,
                date=day,
                new_due_date=new_due,
                document=values.get(_DOCUMENT_COLUMN.get(kind, "")) or "",
                reason=values.get(_REASON_COLUMN.get(kind, "")) or "",
                from_register=True,
                order=AFTER_TABLE + len(implied),
            )
        )
    return tuple(implied)


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return events by date, those of one day by their order in the table.

    One exception: a refusal with nothing to refuse, or a reroute with nothing returned, that
    stands before the report or return of the same day comes after it. The table may have
    learned of the report later, from its column.
    """
    waiting = sorted(events, key=lambda event: (event.date, event.order))
    if all(event.kind not in _PRESUPPOSED for event in waiting):
        return tuple(waiting)
    ordered: list[Event] = []
    answerable: set[EventKind] = set()
    while waiting:
        event = waiting.pop(0)
        answered = _PRESUPPOSED.get(event.kind)
        if answered is None:
            answerable.add(event.kind)
        elif answered in answerable:
            answerable.discard(answered)
        else:
            same_day = (other for other in waiting if other.date == event.date)
            found = next((other for other in same_day if other.kind is answered), None)
            if found is not None:
                waiting.remove(found)
                ordered.append(found)
        ordered.append(event)
    return tuple(ordered)


def current_events(values: Mapping[str, Any], events: Sequence[Event]) -> tuple[Event, ...]:
    """Return one task's history, from its columns and its rows of the table, in order.

    Reconciling the result again, with the columns it implies, changes nothing.
    """
    implied = implied_events(values)
    if not events:
        return in_order(implied) if implied else ()
    kept, added = _reconciled(implied, events)
    return in_order((*kept, *added))


def missing_events(values: Mapping[str, Any], events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the events that the table lacks, to be appended in this order."""
    if not events:
        return implied_events(values)
    return tuple(_reconciled(implied_events(values), events)[1])


def obsolete_events(values: Mapping[str, Any], events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the events that the table must lose; `order` is their position in it."""
    kept = {id(event) for event in _reconciled(implied_events(values), events)[0]}
    return tuple(event for event in events if id(event) not in kept)


@dataclass(frozen=True, slots=True)
class History:
    """What one task's columns and its rows of the table say together.

    Attributes:
        current: As `current_events` returns it.
        missing: As `missing_events` returns it.
        obsolete: As `obsolete_events` returns it.
    """

    current: tuple[Event, ...] = ()
    missing: tuple[Event, ...] = ()
    obsolete: tuple[Event, ...] = ()


NO_HISTORY = History()


def history_of(values: Mapping[str, Any], events: Sequence[Event]) -> History:
    """Return current, missing and obsolete events of one task, worked out at once."""
    implied = implied_events(values)
    if not events:
        return History(in_order(implied), implied) if implied else NO_HISTORY
    kept, added = _reconciled(implied, events)
    staying = {id(event) for event in kept}
    obsolete = tuple(event for event in events if id(event) not in staying)
    return History(in_order((*kept, *added)), tuple(added), obsolete)


def _reconciled(
    implied: Sequence[Event], events: Sequence[Event]
) -> tuple[list[Event], list[Event]]:
    """Return the table's events that stay and the implied ones that it lacks."""
    said = {event.kind: event for event in implied}
    added = [event for event in implied if not any(_same(event, other) for other in events)]
    staying: list[Event] = []
    # From the latest back: an event is history only where something later really stays.
    for event in reversed(in_order((*events, *added))):
        column = said.get(event.kind)
        if (
            not event.from_register
            or (column is not None and _same(event, column) and not _is_copy(event, staying))
            or _is_history(event, staying)
        ):
            staying.append(event)
    kept = {id(event) for event in staying}
    return [event for event in events if id(event) in kept], added


def _same(one: Event, other: Event) -> bool:
    return (one.kind, one.date, one.new_due_date) == (other.kind, other.date, other.new_due_date)


def _is_copy(event: Event, later: Sequence[Event]) -> bool:
    """Whether the table says the same once more, with nothing in between that ended it."""
    for other in reversed(later):
        if other.kind is _VOIDED_BY.get(event.kind):
            return False
        if _same(event, other):
            return True
    return False


def _is_history(event: Event, later: Sequence[Event]) -> bool:
    """Whether a later decision keeps an event that its column no longer shows.

    That is a decision that ended it, a newer one of the same kind in the table, or a further
    extension to another day: the columns show only the latest.
    """
    for other in later:
        if other.kind is _VOIDED_BY.get(event.kind):
            return True
        if other.kind is event.kind and not _same(event, other):
            # A column corrected to a later day is no new decision, except for extensions.
            further = other.date > event.date and other.new_due_date != event.new_due_date
            if not other.from_register or (event.kind is EventKind.EXTENDED and further):
                return True
    return False


def latest_columns(events: Sequence[Event]) -> dict[str, Any]:
    """Return what the register's columns should show after these events.

    Args:
        events: One task's history in order, as `current_events` returns it.

    Returns:
        Values by field, only for kinds of which there are events; None where a decision has
        ended what the column said: a refused report, an approval after which the result was
        refused, a return that has been rerouted.
    """
    latest: dict[EventKind, Event | None] = {}
    for event in events:
        if event.kind in _DATE_COLUMN:
            latest[event.kind] = event
        for voided, by in _VOIDED_BY.items():
            if event.kind is by and voided in latest:
                latest[voided] = None
    columns: dict[str, Any] = {}
    for kind, last in latest.items():
        columns[_DATE_COLUMN[kind]] = None if last is None else last.date
        if kind is EventKind.EXTENDED and last is not None:
            columns["extended_due_date"] = last.new_due_date
            columns["extension_document"] = last.document or None
        if kind is EventKind.RETURNED:
            columns["return_reason"] = None if last is None else last.reason or None
        if kind is EventKind.SUBMITTED and last is not None and last.document:
            columns["result_document"] = last.document
    return columns


_TEXTS_OF = {
    "completed_on": ("result_document",),
    "extension_approved_on": ("extension_document",),
    "returned_on": ("return_reason",),
}


def column_changes(values: Mapping[str, Any], events: Sequence[Event]) -> dict[str, Any]:
    """Return the register's columns of one task that must change, with their new values.

    Dates follow the history. Texts beside them (document, reason) change with their date;
    where the date stays, they are only filled in where they are blank and people entered the
    event, so that wording corrected in the register is kept. A new deadline that still waits
    for its approval is left alone.

    Args:
        values: The register's values of the task.
        events: Its history in order, as `current_events` returns it.
    """
    wanted = latest_columns(events)
    if values.get("extended_due_date") is not None and values.get("extension_approved_on") is None:
        for field in ("extended_due_date", "extension_approved_on", "extension_document"):
            wanted.pop(field, None)
    texts = {text: day for day, names in _TEXTS_OF.items() for text in names}
    typed = {event.kind for event in events if not event.from_register}
    kinds = {column: kind for kind, column in _DATE_COLUMN.items()}
    changes: dict[str, Any] = {}
    for field, value in wanted.items():
        if (values.get(field) or None) == value:
            continue
        day = texts.get(field)
        blank_filled = value is not None and not values.get(field)
        if (
            day is None
            or _date_changes(day, values, wanted)
            or (blank_filled and kinds[day] in typed)
        ):
            changes[field] = value
    return changes


def _date_changes(day: str, values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    fields = (day, "extended_due_date") if day == "extension_approved_on" else (day,)
    return any(values.get(field) != wanted.get(field) for field in fields)


def last_refusal(events: Sequence[Event]) -> dt.date | None:
    """Return the day of the latest refusal; a report of completion by that day is void."""
    return max((event.date for event in events if event.kind is EventKind.REFUSED), default=None)


def extension_findings(values: Mapping[str, Any], locate: Locate) -> list[Finding]:
    """Return what is incomplete in the register's columns of an extension.

    Args:
        values: The register's values of one task.
        locate: Address of a field's cell in its row.
    """
    new_due = values.get("extended_due_date")
    approved = values.get("extension_approved_on")
    task_id = values.get("task_id")
    if new_due is not None and approved is None:
        return [
            warning(
                "extension_not_approved",
                locate("extension_approved_on"),
                task_id=task_id,
                field="extension_approved_on",
                new_due_date=new_due,
            )
        ]
    if new_due is None and approved is not None:
        return [
            warning(
                "extension_without_date",
                locate("extended_due_date"),
                task_id=task_id,
                field="extended_due_date",
                approved_on=approved,
            )
        ]
    return []


def read_event(
    row: Mapping[str, Any], order: int, words: Words, locate: Locate
) -> tuple[Event | None, list[Finding]]:
    """Return one row of the table SuKien as an event, and what is wrong with it.

    Args:
        row: Typed values by the table's field names: texts, dates, or None.
        order: Position of the row in the table.
        words: The profile's words, which the column of kinds holds.
        locate: Address of a field's cell in the row.

    Returns:
        The event, or None for a blank row and for one that cannot count: without task, kind
        or date (`event_incomplete`), or an extension without a new deadline
        (`event_without_new_date`).
    """
    if not any(row.get(field) for field in ("task_id", "kind", "date", "new_due_date")):
        return None, []
    task_id = row.get("task_id") or ""
    kinds = {fold(label): EventKind(code) for code, label in words["event_kind"].items()}
    kind = kinds.get(fold(row.get("kind") or ""))
    day = row.get("date")
    if not task_id or kind is None or day is None:
        field = "task_id" if not task_id else "kind" if kind is None else "date"
        finding = error("event_incomplete", locate(field), task_id=task_id or None, field=field)
        return None, [finding]
    new_due = row.get("new_due_date")
    if kind is EventKind.EXTENDED and new_due is None:
        finding = error(
            "event_without_new_date", locate("new_due_date"), task_id=task_id, field="new_due_date"
        )
        return None, [finding]
    source = fold(row.get("source") or "")
    event = Event(
        task_id=task_id,
        kind=kind,
        date=day,
        new_due_date=new_due if kind is EventKind.EXTENDED else None,
        document=row.get("document") or "",
        reason=row.get("reason") or "",
        from_register=source == fold(words["event_source"]["register"]),
        order=order,
    )
    return event, []


def event_row(event: Event, words: Words, source: str = "") -> dict[str, Any]:
    """Return an event as values of the table SuKien by field name.

    Args:
        event: The event.
        words: The profile's words for kinds and sources.
        source: Where it comes from, for events that no column implied.
    """
    return {
        "task_id": event.task_id,
        "kind": words["event_kind"][event.kind.value],
        "date": event.date,
        "new_due_date": event.new_due_date,
        "document": event.document or None,
        "reason": event.reason or None,
        "source": words["event_source"]["register"] if event.from_register else source or None,
    }

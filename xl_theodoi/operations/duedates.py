"""Due dates from the words of the document, and the child tasks of recurring ones."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from xl_theodoi.domain.deadlines import Deadline, DeadlineRules, read_deadline
from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.periods import period_of
from xl_theodoi.domain.text import task_key
from xl_theodoi.domain.workdays import CalendarMissingError
from xl_theodoi.messages import text
from xl_theodoi.resources_time import deadline_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from xl_theodoi.domain.deadlines import Roll
    from xl_theodoi.operations.master import Master


def rules_of(master: Master) -> DeadlineRules:
    """Return how this office reads deadline phrases (settings A1 and A4)."""
    return DeadlineRules(
        before_is_strict=master.settings.flag("before_is_strict"),
        roll_explicit_dates=cast("Roll", master.settings.choice("roll_explicit_dates")),
    )


def deadline_of(row: Mapping[str, Any], master: Master) -> Deadline:
    """Return what a task's deadline phrase means.

    Raises:
        CalendarMissingError: Where working days of a year without a calendar are needed.
    """
    cache: dict[tuple[Any, ...], Deadline] = master.__dict__.setdefault("_deadlines", {})
    key = (row.get("due_text"), row.get("issue_date"), row.get("received_on"))
    if key not in cache:
        cache[key] = read_deadline(
            row.get("due_text") or "",
            row.get("issue_date"),
            row.get("received_on"),
            master.calendar,
            deadline_words(),
            rules_of(master),
        )
    return cache[key]


def is_recurring_parent(row: Mapping[str, Any], master: Master) -> bool:
    """Whether child tasks stand for a task: its phrase recurs and nobody gave it a date."""
    if not row.get("due_text") or row.get("due_date") or row.get("parent_task_id"):
        return False
    try:
        return deadline_of(row, master).kind == "recurring"
    except CalendarMissingError:
        return False


def due_date_findings(
    row: Mapping[str, Any], locate: Callable[[str], Location], master: Master
) -> tuple[date | None, list[Finding]]:
    """Return the date that a task's blank due date takes, and what is doubtful about it.

    A date that stands in the register is never overwritten: where the words mean another
    one, that is the warning `due_date_differs`.
    """
    if not row.get("due_text"):
        return None, []
    task_id = row.get("task_id")
    where = locate("due_text")
    try:
        deadline = deadline_of(row, master)
    except CalendarMissingError as problem:
        if row.get("due_date"):
            return None, []
        return None, [
            error("calendar_missing", where, task_id=task_id, field="due_text", **problem.values)
        ]
    if row.get("due_date"):
        if (
            deadline.due_date
            and deadline.kind != "recurring"
            and (deadline.due_date != row["due_date"])
        ):
            return None, [
                warning(
                    "due_date_differs",
                    locate("due_date"),
                    task_id=task_id,
                    field="due_date",
                    value=row["due_date"],
                    meant=deadline.due_date,
                    phrase=row["due_text"],
                )
            ]
        return None, []
    findings = [
        replace(found, location=where, task_id=task_id, field="due_text")
        for found in deadline.warnings
    ]
    if row.get("parent_task_id"):
        return None, [] if deadline.kind == "recurring" else findings
    if deadline.kind == "recurring":
        if deadline.recurrence is not None and recurrence_start(row) is None:
            findings = [found for found in findings if found.code != "due_issue_needed"]
            findings.append(
                warning(
                    "recurring_without_start",
                    locate("issue_date"),
                    task_id=task_id,
                    field="issue_date",
                    value=master.as_of,
                )
            )
        return None, findings
    return deadline.due_date, findings


COPIED_TO_CHILD = (
    "document_id",
    "secrecy",
    "document_type",
    "document_number",
    "document_subject",
    "issue_date",
    "signer",
    "drafting_unit",
    "issuer_level",
    "urgency",
    "lead_unit",
    "coordinating_units",
    "office_room",
    "officer",
    "entered_by",
    "content",
    "due_kind",
    "reporting_unit",
)


def recurrence_start(row: Mapping[str, Any]) -> date | None:
    """Return the day from which a recurring task's periods count, None where none is known."""
    for name in ("issue_date", "received_on", "sent_on", "entered_on"):
        if row.get(name):
            return row[name]  # type: ignore[no-any-return]
    return None


def missing_children(rows: Iterable[Mapping[str, Any]], master: Master) -> Iterator[dict[str, Any]]:
    """Yield the child tasks that recurring tasks lack, up to the as-of date's period.

    Args:
        rows: Values of the tasks to look at.
        master: The register they stand in, or will.
    """
    for row in rows:
        if not row.get("task_id") or not is_recurring_parent(row, master):
            continue
        deadline = deadline_of(row, master)
        if deadline.recurrence is None:
            continue
        start = recurrence_start(row) or master.as_of
        ended = [row[name] for name in ("cancelled_on", "completed_on") if row.get(name)]
        last_day = min((master.as_of, *ended))
        until = period_of(last_day, deadline.recurrence.unit.period_kind)
        for period, due in deadline.recurrence.occurrences(start, until):
            child_id = f"{row['task_id']}.{period.code}"
            if task_key(child_id) in master.position_of:
                continue
            child = {name: row[name] for name in COPIED_TO_CHILD if name in row}
            child.update(
                task_id=child_id,
                parent_task_id=row["task_id"],
                due_date=due,
                entered_on=master.as_of,
                note=text("texts", "child_note", period=period_name(period)),
            )
            yield child


@lru_cache(maxsize=1024)
def period_name(period: Any) -> str:
    """Return a period's Vietnamese name."""
    return text("periods", period.name_key, **period.name_values())

"""`deadline`, `calendar`, `workdays`: questions about time, with or without a master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.deadlines import DeadlineRules, read_deadline
from xl_theodoi.domain.workdays import CalendarMissingError, WorkCalendar
from xl_theodoi.hosts import FileHost
from xl_theodoi.messages import finding_sentences
from xl_theodoi.operations.duedates import deadline_of, rules_of
from xl_theodoi.operations.master import Master
from xl_theodoi.resources_time import deadline_words, shipped_days

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


def deadline(
    phrase: str, issued: date, received: date | None, master_path: Path | None
) -> dict[str, Any]:
    """Return what a deadline phrase means.

    Args:
        phrase: The words, as the document has them.
        issued: Date of the document.
        received: Day on which the unit received it, where known.
        master_path: A master whose calendar and settings count, instead of the shipped ones.
    """
    calendar, rules = WorkCalendar(shipped_days()), DeadlineRules()
    if master_path is not None:
        master = Master(FileHost(master_path), issued)
        calendar, rules = master.calendar, rules_of(master)
    found = read_deadline(phrase, issued, received, calendar, deadline_words(), rules)
    warnings = [" ".join(finding_sentences(warning)).strip() for warning in found.warnings]
    return {
        "kind": found.kind.value,
        "due_date": found.due_date,
        "alternative": found.alternative,
        "warnings": warnings,
    }


def workdays(start: date, count: int, master_path: Path | None) -> dict[str, Any]:
    """Return the day that is so many working days after another, which is not counted."""
    calendar = WorkCalendar(shipped_days())
    if master_path is not None:
        calendar = Master(FileHost(master_path), start).calendar
    return {"date": calendar.add_working_days(start, count)}


def calendar(
    year: int, master_path: Path | None, as_of: date
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Return a year's days off and make-up days, and the open tasks that they move.

    A task is moved where its deadline phrase gives another date by this calendar than the
    one that stands in the register.

    Raises:
        CalendarMissingError: Where nothing is known of the year.
    """
    from xl_theodoi import resources  # noqa: PLC0415

    days = WorkCalendar(shipped_days())
    moved: list[dict[str, Any]] = []
    if master_path is not None:
        master = Master(FileHost(master_path), as_of)
        days = master.calendar
        moved = _moved(master)
    if not days.covers(year):
        raise CalendarMissingError(year)
    words = resources.table_catalogue()["words"]
    listed = [
        {
            "date": day.date,
            "kind": day.kind.value,
            "name": day.name,
            "basis": day.basis,
            "confidence": day.confidence.value,
        }
        for day in days.entries
        if day.date.year == year
    ]
    return {"year": year, "days": listed, "moved": moved}, words


def _moved(master: Master) -> list[dict[str, Any]]:
    """Return the open tasks whose register date the office's calendar no longer gives."""
    shipped = WorkCalendar(shipped_days())
    moved = []
    for view in master.tasks:
        row, status = view.values, view.status
        if status is None or status.is_done or not status.counted:
            continue
        if not row.get("due_text") or not row.get("due_date"):
            continue
        try:
            new = deadline_of(row, master).due_date
            before = read_deadline(
                row["due_text"], row.get("issue_date"), row.get("received_on"), shipped,
                deadline_words(), rules_of(master),
            ).due_date  # fmt: skip
        except CalendarMissingError:
            continue
        if new is None or new == row["due_date"]:
            continue
        if before == row["due_date"] or before != new:
            moved.append({"task_id": view.task_id, "from": row["due_date"], "to": new})
    return moved

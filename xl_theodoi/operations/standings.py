"""What a unit's workbook must know of its tasks so that their status stays true there.

The status of most tasks follows from the cells of the unit's list and the day. Of some the
register knows more: days until the deadline counted as working days, an approval, a deadline
that an extension has left behind, a decision that a later day brings. `Standings` says of
which tasks and what; `workbook.building.unit_live` makes formulas of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from xl_theodoi.domain.status import replay
from xl_theodoi.domain.text import task_key
from xl_theodoi.domain.workdays import CalendarMissingError
from xl_theodoi.workbook.building.unit_status import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.domain.events import Event
    from xl_theodoi.domain.model import Status, TaskView
    from xl_theodoi.operations.master import Master

_DECISIONS = ("approved_on", "extension_approved_on", "returned_on", "cancelled_on")
_DAYS = ("first_progress_on", "progress_date", "completed_on")


class Standings:
    """What the status of one register's tasks follows from beside the unit's list."""

    def __init__(self, master: Master) -> None:
        settings = master.settings
        self._master, self._as_of = master, master.as_of
        self._days = timedelta(days=settings.number("due_soon_days"))
        self._counts_working_days = settings.choice("due_soon_unit") == "working"
        self._by_original = settings.choice("late_vs") == "original"
        self._by_first_report = settings.choice("completion_basis") == "first"
        self._closing_finishes = settings.flag("closed_counts_as_done")
        self._due_soon_from = lru_cache(maxsize=4096)(self._first_day_due_soon)

    def of(self, view: TaskView) -> tuple[Standing, ...] | None:
        """Return a task's standings on the day of sending and later; None where none is needed.

        Args:
            view: The task, judged on the day of sending.
        """
        row, status = view.values, view.status
        assert status is not None  # noqa: S101 - tasks of a master are always judged
        has_history = (
            any(row.get(name) for name in _DECISIONS)
            or any((day := row.get(name)) and day > self._as_of for name in _DAYS)
            or task_key(view.task_id) in self._master.events
        )
        if not has_history and not self._counts_working_days:
            return None
        events = self._master.task_events(row)
        found = [self._standing(view, events, self._as_of, status)]
        for day in self._later_days(view, events):
            later = self._master.view(view.position, day, row, events).status
            assert later is not None  # noqa: S101 - tasks of a master are always judged
            standing = self._standing(view, events, day, later)
            if standing != replace(found[-1], since=None):
                found.append(replace(standing, since=day))
        if len(found) == 1 and self._says_nothing(found[0]):
            return None
        return tuple(found)

    def _later_days(self, view: TaskView, events: Sequence[Event]) -> list[date]:
        """Return the days after the sending on which something is known to happen."""
        days = {event.date for event in events}
        days.update(day for name in _DAYS if (day := view.values.get(name)))
        return sorted(day for day in days if day > self._as_of)

    def _standing(
        self, view: TaskView, events: Sequence[Event], day: date, status: Status
    ) -> Standing:
        facts = replay(
            view.values.get("due_date"), events, day, closing_finishes=self._closing_finishes
        )
        due = status.effective_due_date
        label = None
        if not status.counted:
            label = status.label
        working = self._counts_working_days and due is not None
        return Standing(
            progress=status.progress,
            completed_on=status.completed_on,
            due=due,
            due_soon_from=self._due_soon_from(due) if working else None,
            measured_by=facts.original if self._by_original else due,
            approved_on=facts.decided,
            reported_on=facts.first_report
            if self._by_first_report and facts.has_reported
            else None,
            label=label,
        )

    def _says_nothing(self, standing: Standing) -> bool:
        """Whether the formulas of any row come to the same as those of a standing."""
        soon, due = standing.due_soon_from, standing.due
        return (
            (soon is None or due is None or soon == due - self._days)
            and standing.measured_by == due
            and standing.approved_on is None
            and standing.reported_on is None
        )

    def _first_day_due_soon(self, due: date) -> date | None:
        """Return the first day on which a task counts as due soon.

        None where no calendar says which days are worked: then calendar days count, as for
        the task's status (`Master.view`).
        """
        days = self._master.settings.number("due_soon_days")
        between = self._master.calendar.working_days_between
        day = due
        try:
            while between(day - timedelta(days=1), due) <= days:
                day -= timedelta(days=1)
        except CalendarMissingError:
            return None
        return day

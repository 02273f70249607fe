"""The master as it will be: what was read of it, with what this run has decided so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from xl_theodoi.domain.merge import (
    REQUESTS,
    SITUATION,
    Situation,
    same_value,
    situation_changes,
)
from xl_theodoi.domain.model import Progress
from xl_theodoi.operations.change_log import ChangeLog
from xl_theodoi.operations.requests import RequestBook
from xl_theodoi.operations.statuses import Statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from xl_theodoi.domain.model import Status, Unit
    from xl_theodoi.operations.master import Master


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Which file of which unit values come from; one for all rows of a file.

    Attributes:
        unit: The unit that submitted them.
        at: When it did.
        sha256: Hash of its file.
        file: Name of its file.
        period: Period that the file was made for.
        action: What is done, by code: `consolidate` or `choice`.
    """

    unit: Unit
    at: datetime
    sha256: str
    file: str | None
    period: str | None
    action: str = "consolidate"


class Source(NamedTuple):
    """Where a value comes from, for the change log.

    Attributes:
        origin: Its file.
        cell: Gives the address of a field, with the sheet's name.
    """

    origin: Origin
    cell: Callable[[str], str | None]


class Draft:
    """Register, requests and change log as this run will leave them.

    Attributes:
        master: The master as read.
        changed: New register values by row position and field.
        log: New lines of NhatKy.
        requests: Rows of DeNghi, as they will be.
    """

    def __init__(self, master: Master) -> None:
        self.master = master
        self.changed: dict[int, dict[str, Any]] = {}
        self.log = ChangeLog(master)
        self.requests = RequestBook(master)
        self._rows: dict[int, dict[str, Any]] = {}
        self._statuses = Statuses(master)
        self._now: dict[int, Status] = {}

    def row(self, position: int) -> dict[str, Any]:
        """Return a register row's values as they are now; not to be changed by callers."""
        row = self._rows.get(position)
        if row is None:
            row = self._rows[position] = self.master.register.row(position)
            row.update(self.changed.get(position, ()))
        return row

    def value(self, position: int, name: str) -> Any:
        """Return one value of a register row as it is now."""
        changed = self.changed.get(position)
        if changed is not None and name in changed:
            return changed[name]
        return self.master.register.value(position, name)

    def status(self, position: int) -> Status:
        """Return a task's status in the master as read."""
        return self._statuses.of(position)

    def status_now(self, position: int) -> Status:
        """Return a task's status with what this run has decided."""
        changed = self.changed.get(position)
        if changed is None:
            return self._statuses.of(position)
        status = self._now.get(position)
        if status is None:
            status = self._now[position] = self._statuses.of(position, changed)
        return status

    def situation(self, position: int) -> Situation:
        """Return how far a task has come."""
        status = self.status(position)
        changed = self.changed.get(position)
        if changed is None or changed.keys().isdisjoint(_SITUATION_FIELDS):
            progress_date = self.master.register.value(position, "progress_date")
            return Situation(status.progress, status.completed_on, progress_date)
        row = self.row(position)
        progress_date = row.get("progress_date")
        completed = row.get("completed_on") if "completed_on" in changed else status.completed_on
        if completed is not None:
            return Situation(Progress.DONE, completed, progress_date)
        started = row.get("first_progress_on") or progress_date
        if started is None and (
            "first_progress_on" in changed or status.progress is Progress.NOT_STARTED
        ):
            return Situation(Progress.NOT_STARTED, None, None)
        return Situation(Progress.IN_PROGRESS, None, progress_date)

    def values(self, position: int) -> dict[str, Any]:
        """Return a task's values as a unit workbook would show them now."""
        situation = self.situation(position)
        row = self.row(position)
        return {
            **row,
            "effective_due_date": self.status(position).effective_due_date,
            "reported_state": situation.state.value,
            "completed_on": situation.completed_on,
            "progress_date": situation.progress_date,
            "return_reason": None,
        }

    def take(self, position: int, name: str, value: Any, source: Source) -> bool:
        """Put a submitted value into the master and leave a line for every field it changes.

        Args:
            position: The task's row in the register.
            name: Field as submitted; `reported_state` for a `Situation`, `extension` or
                `return` for a `Request`.
            value: New value.
            source: Where it comes from.

        Returns:
            Whether anything differs from before.
        """
        if name in REQUESTS:
            row = self.row(position)
            changes = self.requests.put(row.get("task_id") or "", name, value, source)
            specs = self.master.profile.unit_list
            for part, old, new in changes:
                label = specs[part].label
                self.log.add_labelled(row.get("task_id"), label, part, old, new, source)
            return bool(changes)
        return self.set_fields(position, self._register_fields(position, name, value), source)

    def _register_fields(self, position: int, name: str, value: Any) -> Mapping[str, Any]:
        if name != SITUATION:
            return {name: value}
        changes = situation_changes(value, self.row(position))
        if value.completed_on == self.situation(position).completed_on:
            # A completion that was refused may still stand in its column; refresh clears it.
            changes.pop("completed_on", None)
        return changes

    def set_fields(self, position: int, values: Mapping[str, Any], source: Source) -> bool:
        """Set register fields, with a line of the change log for each that changes."""
        is_changed = False
        for name, new in values.items():
            old = self.value(position, name)
            if not same_value(old, new):
                is_changed = True
                self.put(position, name, old, new, source)
        return is_changed

    def put(self, position: int, name: str, old: Any, new: Any, source: Source) -> None:
        """Set a register field that has another value, with a line of the change log."""
        self.changed.setdefault(position, {})[name] = new
        if self._now:
            self._now.pop(position, None)
        row = self._rows.get(position)
        if row is not None:
            row[name] = new
        task_id = self.master.register.value(position, "task_id")
        self.log.add(task_id, name, old, new, source)


_SITUATION_FIELDS = frozenset(("completed_on", "progress_date", "first_progress_on"))

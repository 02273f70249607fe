"""The master as it will be: what was read of it, with what this run has decided so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change
from xl_theodoi.domain.merge import (
    REQUESTS,
    SITUATION,
    Situation,
    same_value,
    situation_changes,
)
from xl_theodoi.domain.model import Progress
from xl_theodoi.messages import printed
from xl_theodoi.operations.ledger import LONG_AGO, moment_text
from xl_theodoi.operations.refresh import now_text
from xl_theodoi.operations.requests import RequestBook
from xl_theodoi.operations.rows import labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from xl_theodoi.domain.model import Status, Unit
    from xl_theodoi.operations.master import Master


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from, for the change log.

    Attributes:
        unit: The unit that submitted it.
        at: When it did.
        sha256: Hash of its file.
        file: Name of its file.
        period: Period that the file was made for.
        cell: Gives the address of a field, with the sheet's name.
        action: What is done, by code: `consolidate` or `choice`.
    """

    unit: Unit
    at: datetime
    sha256: str
    file: str | None
    period: str | None
    cell: Callable[[str], str | None]
    action: str = "consolidate"


class Draft:
    """Register, requests and change log as this run will leave them.

    Attributes:
        master: The master as read.
        changed: New register values by row position and field.
        log: New rows of NhatKy.
        requests: Rows of DeNghi, as they will be.
    """

    def __init__(self, master: Master) -> None:
        self.master = master
        self.changed: dict[int, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.requests = RequestBook(master)
        self._now = now_text()
        self._rows: dict[int, dict[str, Any]] = {}
        self._statuses: dict[int, Status] = {}

    def row(self, position: int) -> dict[str, Any]:
        """Return a register row's values as they are now; not to be changed by callers."""
        row = self._rows.get(position)
        if row is None:
            row = self._rows[position] = self.master.register.row(position)
        return row

    def status(self, position: int) -> Status:
        """Return a task's status in the master as read."""
        status = self._statuses.get(position)
        if status is None:
            status = self.master.view(
                position, self.master.as_of, self.master.register.row(position)
            ).status
            assert status is not None  # noqa: S101 - tasks of a master are always judged
            self._statuses[position] = status
        return status

    def status_now(self, position: int) -> Status:
        """Return a task's status with what this run has decided."""
        if position not in self.changed:
            return self.status(position)
        status = self.master.view(position, self.master.as_of, self.row(position)).status
        assert status is not None  # noqa: S101 - tasks of a master are always judged
        return status

    def situation(self, position: int) -> Situation:
        """Return how far a task has come."""
        row, status = self.row(position), self.status(position)
        changed = self.changed.get(position, {})
        progress_date = row.get("progress_date")
        if not changed.keys() & {"completed_on", "progress_date", "first_progress_on"}:
            return Situation(status.progress, status.completed_on, progress_date)
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
            labels = {n: spec.label for n, spec in self.master.profile.unit_list.items()}
            for field_name, old, new in changes:
                self._note(position, labels[field_name], field_name, old, new, source)
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
        row = self.row(position)
        is_changed = False
        for name, new in values.items():
            old = row.get(name)
            if same_value(old, new):
                continue
            is_changed = True
            self.changed.setdefault(position, {})[name] = new
            label = (
                self.master.register.labels.get(name) or self.master.profile.register[name].label
            )
            self._note(position, label, name, old, new, source)
        row.update(self.changed.get(position, {}))
        return is_changed

    def _note(
        self, position: int, label: str, name: str, old: Any, new: Any, source: Source
    ) -> None:
        # The day of first progress has no cell of its own in a unit's workbook.
        cell = source.cell("progress_date" if name == "first_progress_on" else name)
        self.log.append(
            {
                "at": self._now,
                "action": self.master.profile.words["log_action"][source.action],
                "file": source.file,
                "sha256": source.sha256,
                "cell": cell,
                "task_id": self.row(position).get("task_id"),
                "field_label": label,
                "old": printed(old) or None,
                "new": printed(new) or None,
                "unit": source.unit.short_name,
                "submitted_at": None if source.at == LONG_AGO else moment_text(source.at),
            }
        )

    def log_changes(self) -> list[Change]:
        """Return the lines that NhatKy must get."""
        if not self.log:
            return []
        return [AppendRows("NhatKy", [labelled(self.master, "NhatKy", row) for row in self.log])]

"""Statuses of the register's rows at the as-of date; rows that are alike are judged once.

Without a decision on record a status follows from a few dates of the row, and many rows
share them. What has rows of its own in SuKien, what may be a recurring task, and what holds
a cell that formulas read otherwise than people, is judged by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.events import HISTORY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xl_theodoi.domain.model import Status
    from xl_theodoi.operations.master import Master

STATUS_FIELDS = ("due_date", "first_progress_on", "progress_date", *HISTORY_FIELDS)
"""All that a status follows from where nothing but the register knows of the task."""

_FIELDS = frozenset(STATUS_FIELDS)


class Statuses:
    """The statuses of one register at its as-of date."""

    def __init__(self, master: Master) -> None:
        register = master.register
        blank = [None] * len(register)
        self._master = master
        self._rows = list(
            zip(*(register.columns.get(name, blank) for name in STATUS_FIELDS), strict=True)
        )
        phrases = register.columns.get("due_text", blank)
        alone = {place for place, row in enumerate(self._rows) if row[0] is None and phrases[place]}
        if master.events:
            alone.update(place for place, key in enumerate(master.keys) if key in master.events)
        self._alone = frozenset(alone | master.seen_cells.rows)
        self._known: dict[tuple[Any, ...], Status] = {}
        self._as_read: dict[int, Status] = {}

    def of(self, position: int, changed: Mapping[str, Any] | None = None) -> Status:
        """Return a row's status, with other values in its changed fields."""
        if position in self._alone:
            return self._of_one(position, changed)
        row = self._rows[position]
        if changed and not _FIELDS.isdisjoint(changed):
            row = tuple(map(changed.get, STATUS_FIELDS, row))
        status = self._known.get(row)
        if status is None:
            status = self._known[row] = self._judged(position, changed)
        return status

    def _of_one(self, position: int, changed: Mapping[str, Any] | None) -> Status:
        """Return the status of a row that is judged by itself."""
        if changed:
            return self._judged(position, changed)
        status = self._as_read.get(position)
        if status is None:
            status = self._as_read[position] = self._judged(position, None)
        return status

    def _judged(self, position: int, changed: Mapping[str, Any] | None) -> Status:
        master = self._master
        values = {**master.register.row(position), **(changed or {})}
        status = master.view(position, master.as_of, values).status
        assert status is not None  # noqa: S101 - tasks of a master are always judged
        return status

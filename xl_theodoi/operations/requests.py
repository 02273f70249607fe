"""What units ask of the Office: the rows of DeNghi, as a consolidation will leave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change, RemoveRows, SetCells
from xl_theodoi.domain.merge import REQUESTS, Request, same_value
from xl_theodoi.domain.text import task_key
from xl_theodoi.operations.rows import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.model import Unit
    from xl_theodoi.operations.draft import Source
    from xl_theodoi.operations.master import Master

TABLE = "DeNghi"

_PARTS = {
    "extension": (("extension_requested_to", "requested_to"), ("extension_reason", "reason")),
    "return": (("return_reason", "reason"),),
}
"""Field of the unit's list and attribute of `Request`, by kind of request."""


@dataclass(slots=True)
class _Row:
    """A request: its row of the table, or None for one that this run adds."""

    position: int | None
    unit: Unit | None
    request: Request
    values: dict[str, Any] = field(default_factory=dict)
    is_changed: bool = False


class RequestBook:
    """Requests by task and kind: those that wait, and those that were decided."""

    def __init__(self, master: Master) -> None:
        self._master = master
        self._open: dict[tuple[str, str], list[_Row]] = {}
        self._decided: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._removed: list[int] = []
        if not master.has(TABLE):
            return
        reading = master.reading(TABLE)
        for position in range(len(reading)):
            values = reading.row(position)
            if not values.get("task_id") or values.get("kind") not in REQUESTS:
                continue
            key = (task_key(values["task_id"]), values["kind"])
            unread = (finding.field for finding in reading.problems.get(position, ()))
            if values.get("decision") or "decision" in unread:
                self._decided.setdefault(key, []).append(values)
            else:
                request = Request(values.get("requested_to"), values.get("reason"))
                row = _Row(position, master.unit_of(values.get("unit")), request, values)
                self._open.setdefault(key, []).append(row)

    def _find(self, key: str, kind: str, unit: Unit) -> _Row | None:
        rows = self._open.get((key, kind), ())
        return next((row for row in reversed(rows) if row.unit in (None, unit)), None)

    def now(self, key: str, kind: str, unit: Unit) -> Request:
        """Return what a unit asks for a task and waits for; a blank request for nothing."""
        row = self._find(key, kind, unit)
        return Request() if row is None else row.request

    def was_decided(self, key: str, kind: str, unit: Unit, request: Request, sent: date) -> bool:
        """Whether the very same request was decided after its workbook had been sent.

        Asked again in a workbook that was sent after the decision it is a new request.
        """
        return any(
            same_value(row.get("requested_to"), request.requested_to)
            and same_value(row.get("reason"), request.reason)
            and self._master.unit_of(row.get("unit")) in (None, unit)
            and (row.get("decided_on") is None or row["decided_on"] >= sent)
            for row in self._decided.get((key, kind), ())
        )

    def put(
        self, task_id: str, kind: str, request: Request, source: Source
    ) -> Sequence[tuple[str, Any, Any]]:
        """Enter a request, change the one that waits, or withdraw it where it is blank.

        Returns:
            Field of the unit's list, old and new value, for each part that changes.
        """
        key = task_key(task_id)
        row = self._find(key, kind, source.origin.unit)
        old = Request() if row is None else row.request
        parts = [(name, getattr(old, part), getattr(request, part)) for name, part in _PARTS[kind]]
        changes = [part for part in parts if not same_value(part[1], part[2])]
        if not changes:
            return []
        rows = self._open.setdefault((key, kind), [])
        if row is not None and not request:
            rows.remove(row)
            if row.position is not None:
                self._removed.append(row.position)
            return changes
        values = {
            "requested_to": request.requested_to,
            "reason": request.reason,
            "submitted_on": self._master.as_of,
            "file": source.origin.file,
        }
        if row is None:
            row = _Row(None, source.origin.unit, request)
            rows.append(row)
            row.values = {
                "task_id": task_id,
                "unit": source.origin.unit.short_name,
                "kind": self._master.profile.words["request_kind"][kind],
                "period": source.origin.period,
            }
        row.request, row.is_changed = request, True
        row.values = {**row.values, **values}
        return changes

    def changes(self) -> list[Change]:
        """Return what must change in the table."""
        cells: dict[tuple[int, str], Value] = {}
        added: list[dict[str, Any]] = []
        labels = self._master.reading(TABLE).labels if self._master.has(TABLE) else {}
        for row in (row for rows in self._open.values() for row in rows if row.is_changed):
            if row.position is None:
                added.append(row.values)
                continue
            for name in ("requested_to", "reason", "submitted_on", "file"):
                if name in labels:
                    cells[row.position, labels[name]] = row.values[name]
        changes: list[Change] = []
        if cells:
            changes.append(SetCells(TABLE, cells))
        if self._removed:
            changes.append(RemoveRows(TABLE, sorted(self._removed)))
        if added:
            rows = [labelled(self._master, TABLE, values) for values in added]
            changes.append(AppendRows(TABLE, rows))
        return changes

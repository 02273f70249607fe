"""The lines that a run adds to NhatKy, by columns: there is one for every field it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendColumns, Change
from xl_theodoi.messages import printed
from xl_theodoi.operations.ledger import LONG_AGO, moment_text
from xl_theodoi.operations.refresh import now_text
from xl_theodoi.operations.rows import labelled_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from xl_theodoi.operations.draft import Source
    from xl_theodoi.operations.master import Master

TABLE = "NhatKy"

FIELDS = ("at", "action", "file", "sha256", "cell", "task_id", "field_label", "old", "new",
          "unit", "submitted_at")  # fmt: skip
"""Columns of the log that a consolidation fills."""


class ChangeLog:
    """New lines of the change log."""

    def __init__(self, master: Master) -> None:
        self._master = master
        self._now = now_text()
        self._columns: dict[str, list[Any]] = {name: [] for name in FIELDS}
        self._appends: list[Callable[[Any], None]] = [
            column.append for column in self._columns.values()
        ]
        self._labels: dict[str, str] = {}
        self._moments: dict[datetime, str | None] = {LONG_AGO: None}

    def __len__(self) -> int:
        return len(self._columns["at"])

    def add(self, task_id: str | None, name: str, old: Any, new: Any, source: Source) -> None:
        """Add a line about a field of the register."""
        label = self._labels.get(name)
        if label is None:
            register = self._master.register.labels
            label = register.get(name) or self._master.profile.register[name].label
            self._labels[name] = label
        self.add_labelled(task_id, label, name, old, new, source)

    def add_labelled(
        self, task_id: str | None, label: str, name: str, old: Any, new: Any, source: Source
    ) -> None:
        """Add a line about a field under another heading than the register's."""
        moment = self._moments.get(source.at, "")
        if moment == "":
            moment = self._moments[source.at] = moment_text(source.at)
        # The day of first progress has no cell of its own in a unit's workbook.
        cell = source.cell("progress_date" if name == "first_progress_on" else name)
        line = (
            self._now,
            self._master.profile.words["log_action"][source.action],
            source.file,
            source.sha256,
            cell,
            task_id,
            label,
            printed(old) or None,
            printed(new) or None,
            source.unit.short_name,
            moment,
        )
        for append, value in zip(self._appends, line, strict=True):
            append(value)

    def changes(self) -> list[Change]:
        """Return the lines as a change of the workbook."""
        if not len(self):
            return []
        return [AppendColumns(TABLE, labelled_columns(self._master, TABLE, self._columns))]

"""The lines that a run adds to NhatKy, by columns: there is one for every field it changes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendColumns, Change
from xl_theodoi.messages import printed
from xl_theodoi.operations.ledger import LONG_AGO, moment_text
from xl_theodoi.operations.refresh import now_text
from xl_theodoi.operations.rows import labelled_columns

if TYPE_CHECKING:
    from xl_theodoi.operations.draft import Source
    from xl_theodoi.operations.master import Master

TABLE = "NhatKy"


class ChangeLog:
    """New lines of the change log."""

    def __init__(self, master: Master) -> None:
        self._master = master
        self._now = now_text()
        self._lines: list[tuple[Any, ...]] = []
        self._labels: dict[str, str] = {}
        self._days: dict[date, str] = {}

    def __len__(self) -> int:
        return len(self._lines)

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
        # The day of first progress has no cell of its own in a unit's workbook.
        cell = source.cell("progress_date" if name == "first_progress_on" else name)
        line = (task_id, label, cell, self._shown(old), self._shown(new), source.origin)
        self._lines.append(line)

    def _shown(self, value: Any) -> str | None:
        """Return a value as people read it; thousands of lines share their days."""
        if type(value) is not date:
            return printed(value) or None
        shown = self._days.get(value)
        if shown is None:
            shown = self._days[value] = printed(value)
        return shown

    def changes(self) -> list[Change]:
        """Return the lines as a change of the workbook."""
        if not self._lines:
            return []
        tasks, labels, cells, old, new, origins = zip(*self._lines, strict=True)
        words = self._master.profile.words["log_action"]
        of_file = {
            origin: (
                self._now,
                words[origin.action],
                origin.file,
                origin.sha256,
                origin.unit.short_name,
                None if origin.at == LONG_AGO else moment_text(origin.at),
            )
            for origin in set(origins)
        }
        at, action, file, sha256, unit, submitted_at = zip(
            *map(of_file.__getitem__, origins), strict=True
        )
        columns = {
            "at": at,
            "action": action,
            "file": file,
            "sha256": sha256,
            "cell": cells,
            "task_id": tasks,
            "field_label": labels,
            "old": old,
            "new": new,
            "unit": unit,
            "submitted_at": submitted_at,
        }
        return [AppendColumns(TABLE, labelled_columns(self._master, TABLE, columns))]

"""The table XungDot: conflicts that wait, choices that are applied, and rows that are added."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change, RemoveRows, SetCells
from xl_theodoi.domain.merge import REQUESTS, SITUATION, Request, Situation, same_value
from xl_theodoi.messages import printed
from xl_theodoi.operations.draft import Origin, Source
from xl_theodoi.operations.ledger import moment_text
from xl_theodoi.operations.memos import PARTS, encode
from xl_theodoi.operations.results import Conflict
from xl_theodoi.operations.rows import labelled
from xl_theodoi.operations.submissions import CONFLICT, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.pending import PendingConflict
    from xl_theodoi.operations.submissions import Submission

TABLE = "XungDot"


class ConflictBook:
    """Conflicts by unit, task and field: those of earlier runs, and those of this one.

    Attributes:
        waiting: Conflicts that wait for a person.
        applied: Number of choices applied.
    """

    def __init__(
        self, draft: Draft, known: Sequence[PendingConflict], labels: Mapping[str, str]
    ) -> None:
        self._draft = draft
        self._master = draft.master
        self._labels = labels
        self._known: dict[tuple[str, str, str], list[PendingConflict]] = {}
        for conflict in known:
            group = (conflict.unit, conflict.key, conflict.field)
            self._known.setdefault(group, []).append(conflict)
        self.waiting: list[Conflict] = []
        self.applied = 0
        self._rows: list[dict[str, Any]] = []
        self._cells: dict[tuple[int, str], Value] = {}
        self._removed: set[int] = set()
        self._listed: set[int] = set()

    def of(self, group: tuple[str, str, str]) -> Sequence[PendingConflict]:
        """Return what XungDot has of a unit's field of a task."""
        return self._known.get(group, ())

    # Choices made in XungDot

    def apply_choices(self) -> None:
        """Apply the choices that people made since the last run, oldest submission first."""
        chosen = [
            conflict
            for group in self._known.values()
            for conflict in group
            if conflict.choice is not None and not conflict.is_applied
        ]
        for conflict in sorted(chosen, key=lambda conflict: conflict.at):
            position = self._master.position_of.get(conflict.key)
            unit = self._master.units.by_code.get(conflict.unit)
            if position is None or unit is None:
                continue
            if conflict.choice == "take_unit":
                origin = Origin(
                    unit, conflict.at, conflict.sha256, conflict.file, conflict.period, "choice"
                )
                source = Source(origin, conflict.cells.get)
                self._draft.take(position, conflict.field, conflict.theirs, source)
            label = self._master.reading(TABLE).labels["applied_on"]
            self._cells[conflict.position, label] = self._master.as_of
            self.applied += 1

    # Conflicts

    def drop_older(self, group: tuple[str, str, str], at: datetime) -> None:
        """Take older submissions of a field off the list: what they say no longer counts."""
        for conflict in self._known.get(group, ()):
            if conflict.choice is None and conflict.at < at:
                self._removed.add(conflict.position)

    def ask(self, submission: Submission, ours: Any) -> bool:
        """List a field that both sides changed; the master keeps its value.

        Returns:
            Whether the table tells of the submission; False where a person has chosen between
            the same values before and is not asked again.
        """
        for known in self._known.get(submission.group, ()):
            is_same = known.at == submission.at and same_value(known.theirs, submission.theirs)
            if known.choice is None:
                if is_same:
                    submission.mark(CONFLICT)
                    self._listed.add(known.position)
                    self._report(known.field, known.theirs, ours, submission.base, submission)
                    return True
                continue
            # A person has chosen: the same values do not ask again.
            kept = same_value(known.ours, ours) and same_value(known.theirs, submission.theirs)
            if is_same or kept:
                submission.mark(UNCHANGED)
                return is_same
        submission.mark(CONFLICT)
        self._report(submission.name, submission.theirs, ours, submission.base, submission)
        self.add_row(submission, submission.theirs, ours, submission.judged.source, report=False)
        return True

    def _report(self, name: str, theirs: Any, ours: Any, base: Any, submission: Submission) -> None:
        name, shown = shown_values(name, ours, theirs, base)
        task_id = self._draft.row(submission.position).get("task_id") or ""
        self.waiting.append(Conflict(task_id, name, *shown, submission.judged.returned.path.name))

    def add_row(
        self, submission: Submission, theirs: Any, ours: Any, source: Source, *, report: bool = True
    ) -> None:
        """Add a row to XungDot."""
        name, shown = shown_values(submission.name, ours, theirs, submission.base)
        task_id = self._draft.row(submission.position).get("task_id") or ""
        if report:
            self.waiting.append(Conflict(task_id, name, *shown, source.origin.file or ""))
        words = self._master.profile.words["reported_state"]
        texts = [
            (words.get(value, value) if name == SITUATION else printed(value)) or None
            for value in shown
        ]
        data = {
            "field": submission.name,
            "unit": source.origin.unit.code,
            "theirs": encode(theirs),
            "ours": encode(ours),
            "base": encode(submission.base),
            "at": moment_text(source.origin.at),
            "sha256": source.origin.sha256,
            "cells": {
                part: cell
                for part in (*PARTS.get(submission.name, ()), submission.name)
                if (cell := source.cell(part)) is not None
            },
        }
        self._rows.append(
            {
                "task_id": task_id,
                "field_label": self._labels.get(name, name),
                "master_value": texts[0],
                "unit_value": texts[1],
                "base_value": texts[2],
                "unit": source.origin.unit.short_name,
                "period": source.origin.period,
                "file": source.origin.file,
                "cell": source.cell(name),
                "found_on": self._master.as_of,
                "data": json.dumps(data, ensure_ascii=False),
            }
        )

    def list_older(self) -> None:
        """Report the conflicts of earlier runs that still wait for a person."""
        for (unit_code, key, name), conflicts in self._known.items():
            position = self._master.position_of.get(key)
            unit = self._master.units.by_code.get(unit_code)
            if position is None or unit is None:
                continue
            for conflict in conflicts:
                if (
                    conflict.choice is not None
                    or conflict.is_applied
                    or conflict.position in self._removed | self._listed
                ):
                    continue
                if name == SITUATION:
                    ours: Any = self._draft.situation(position)
                elif name in REQUESTS:
                    ours = self._draft.requests.now(key, name, unit)
                else:
                    ours = self._draft.row(position).get(name)
                if same_value(ours, conflict.theirs):
                    continue
                field, shown = shown_values(name, ours, conflict.theirs, conflict.base)
                task_id = self._draft.row(position).get("task_id") or ""
                self.waiting.append(Conflict(task_id, field, *shown, conflict.file or ""))

    def changes(self) -> list[Change]:
        """Return what must change in XungDot."""
        changes: list[Change] = []
        if self._cells:
            changes.append(SetCells(TABLE, self._cells))
        if self._removed:
            changes.append(RemoveRows(TABLE, sorted(self._removed)))
        if self._rows:
            rows = [labelled(self._master, TABLE, row) for row in self._rows]
            changes.append(AppendRows(TABLE, rows))
        return changes


def shown_values(name: str, ours: Any, theirs: Any, base: Any) -> tuple[str, tuple[Any, Any, Any]]:
    """Return the field that people see in a conflict, and its three values."""
    if isinstance(theirs, Situation):
        part = theirs.differing_field(ours)
        return part, (ours.part(part), theirs.part(part), base.part(part))
    if isinstance(theirs, Request):
        if name == "return":
            return "return_reason", (ours.reason, theirs.reason, base.reason)
        if ours.requested_to == theirs.requested_to:
            return "extension_reason", (ours.reason, theirs.reason, base.reason)
        days = (ours.requested_to, theirs.requested_to, base.requested_to)
        return "extension_requested_to", days
    return name, (ours, theirs, base)

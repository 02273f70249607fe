"""Submissions about which there is nothing to decide: the master still holds what was sent.

That is nearly all of them. The unit has submitted nothing newer or at the same moment, no
conflict is listed, and the master's value is the one that was sent: by rule 1 of the contract
(§5) what came back is taken. Whatever is not as plain is left to `Decisions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.merge import SITUATION, TEXT_FIELDS, situation_changes
from xl_theodoi.domain.model import Progress
from xl_theodoi.operations.submissions import CHANGED

if TYPE_CHECKING:
    from xl_theodoi.operations.conflicts import ConflictBook
    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.ledger import Ledger
    from xl_theodoi.operations.submissions import JudgedRow, Submitting

_TEXTS = frozenset(TEXT_FIELDS)
_DAYS = ("completed_on", "progress_date", "first_progress_on")


class PlainDecisions:
    """Takes submissions of units of which only one file is at hand."""

    def __init__(self, draft: Draft, ledger: Ledger, conflicts: ConflictBook) -> None:
        self._draft = draft
        self._ledger = ledger
        self._conflicts = conflicts

    def take(self, row: JudgedRow, field: Submitting) -> bool:
        """Take what a row submits in a field, if there is nothing to decide about it.

        Returns:
            Whether it was taken; False leaves everything as it was.
        """
        unit = row.returned.unit.code
        if self._conflicts.of((unit, row.key, field.name)):
            return False
        if field.name == SITUATION:
            is_taken = not self._ledger.knows(unit, row.key) and self._take_situation(row, field)
        else:
            is_taken = field.name in _TEXTS and self._take_text(unit, row, field)
        if is_taken:
            row.mark(CHANGED)
        return is_taken

    def _take_text(self, unit: str, row: JudgedRow, field: Submitting) -> bool:
        entries = self._ledger.entries(unit, row.key, field.name)
        if entries and entries[-1].at >= row.returned.submitted_at:
            return False
        ours = self._draft.value(row.position, field.name)
        if ours != field.base:
            return False
        self._draft.put(row.position, field.name, ours, field.theirs, row.source)
        return True

    def _take_situation(self, row: JudgedRow, field: Submitting) -> bool:
        """Take a first report of progress or completion.

        The day of first progress comes with it; there is no earlier report to look up.
        """
        draft, position, new = self._draft, row.position, field.theirs
        changed = draft.changed.get(position)
        if new.state is Progress.NOT_STARTED or (changed and not changed.keys().isdisjoint(_DAYS)):
            return False
        status, base = draft.status(position), field.base
        values = {name: draft.value(position, name) for name in _DAYS}
        if (
            status.progress is not base.state
            or status.completed_on != base.completed_on
            or values["progress_date"] != base.progress_date
        ):
            return False
        changes = situation_changes(new, values)
        if new.completed_on == base.completed_on:
            # A completion that was refused may still stand in its column; refresh clears it.
            changes.pop("completed_on", None)
        for name, day in changes.items():
            draft.put(position, name, values[name], day, row.source)
        return bool(changes)

"""Submissions about which there is nothing to decide: nobody but the unit has changed the value.

That is nearly all of them. The unit has submitted nothing newer or at the same moment, no
conflict is listed, and the master's value is the one that was sent or that the unit itself
submitted last: by rule 1 of the contract (§5) what came back is taken. In a later round of a
month most of what comes back is what the master holds since an earlier one. Whatever is not as
plain is left to `Decisions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.merge import SITUATION, TEXT_FIELDS, Situation, same_value, situation_changes
from xl_theodoi.domain.model import Progress
from xl_theodoi.messages import printed
from xl_theodoi.operations.ledger import LONG_AGO
from xl_theodoi.operations.memos import PARTS
from xl_theodoi.operations.submissions import CHANGED, UNCHANGED

if TYPE_CHECKING:
    from datetime import date

    from xl_theodoi.operations.conflicts import ConflictBook
    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.ledger import Ledger
    from xl_theodoi.operations.submissions import JudgedRow, Submitting

_TEXTS = frozenset(TEXT_FIELDS)
_DAYS = ("completed_on", "progress_date", "first_progress_on")


class PlainDecisions:
    """Decides submissions of units of which only one file is at hand."""

    def __init__(self, draft: Draft, ledger: Ledger, conflicts: ConflictBook) -> None:
        self._draft = draft
        self._ledger = ledger
        self._conflicts = conflicts

    def decide(self, row: JudgedRow, field: Submitting) -> str | None:
        """Decide what a row submits in a field, if there is nothing to decide about it.

        Returns:
            `CHANGED` where it was taken, `UNCHANGED` where the master holds it already; None
            leaves everything as it was.
        """
        unit = row.returned.unit.code
        if self._conflicts.of((unit, row.key, field.name)):
            return None
        if field.name == SITUATION:
            state = self._situation(unit, row, field)
        elif field.name in _TEXTS:
            state = self._text(unit, row, field)
        else:
            return None
        if state is not None:
            row.mark(state)
        return state

    def _text(self, unit: str, row: JudgedRow, field: Submitting) -> str | None:
        entries = self._ledger.entries(unit, row.key, field.name)
        if entries and entries[-1].at >= row.returned.submitted_at:
            return None
        ours = self._draft.value(row.position, field.name)
        if ours != field.base:
            if same_value(field.theirs, field.base):
                return None
            if same_value(ours, field.theirs):
                return UNCHANGED
            if not self._ledger.is_own(unit, row.key, field.name, ours):
                return None
        self._draft.put(row.position, field.name, ours, field.theirs, row.source)
        return CHANGED

    def _situation(self, unit: str, row: JudgedRow, field: Submitting) -> str | None:
        """Decide about a report of progress or completion that the unit's earlier ones precede.

        With the first one comes the day of first progress; there is no earlier to look up.
        """
        draft, position, new, base = self._draft, row.position, field.theirs, field.base
        changed = draft.changed.get(position)
        if new.state is Progress.NOT_STARTED or (changed and not changed.keys().isdisjoint(_DAYS)):
            return None
        if field.is_default and new.progress_date != draft.master.as_of:
            # The day of first progress is then another than the day of progress.
            return None
        status = draft.status(position)
        values = {name: draft.value(position, name) for name in _DAYS}
        is_as_sent = (
            status.progress is base.state
            and status.completed_on == base.completed_on
            and values["progress_date"] == base.progress_date
        )
        ours = Situation(status.progress, status.completed_on, values["progress_date"])
        if self._has_reported(unit, row.key):
            first_day = values["first_progress_on"]
            if new == base or not self._keeps_first_day(unit, row, new, first_day):
                return None
            if new == ours:
                if first_day is None and new.progress_date is not None:
                    return None
                return UNCHANGED
            if not is_as_sent and not self._is_own(unit, row.key, ours, base):
                return None
        elif not is_as_sent:
            return None
        changes = situation_changes(new, values)
        if new.completed_on == ours.completed_on:
            # A completion that was refused may still stand in its column; refresh clears it.
            changes.pop("completed_on", None)
        for name, day in changes.items():
            draft.put(position, name, values[name], day, row.source)
        return CHANGED if changes else None

    def _has_reported(self, unit: str, key: str) -> bool:
        return self._ledger.knows(unit, key) and any(
            self._ledger.entries(unit, key, name) for name in _DAYS
        )

    def _keeps_first_day(
        self, unit: str, row: JudgedRow, new: Situation, first_day: date | None
    ) -> bool:
        """Whether a unit's reports precede this one and change no day of first progress.

        They do not where none has a day, where the day is not from the unit, or where it is
        the day of the earliest. A day that is not there yet comes with this report.
        """
        ledger, key, at = self._ledger, row.key, row.returned.submitted_at
        reports = ledger.entries(unit, key, "progress_date")
        completions = ledger.entries(unit, key, "completed_on")
        if any(entries and entries[-1].at >= at for entries in (reports, completions)):
            return False
        first_days = [entry.value for entry in ledger.entries(unit, key, "first_progress_on")]
        if not all(first_days):
            return False
        days = [entry for entry in reports if entry.value and entry.at > LONG_AGO]
        if first_day is None:
            return not days
        shown = printed(first_day)
        if shown not in first_days or not (days or new.progress_date):
            return True
        # The log and a receipt may both tell of one report.
        return {entry.value for entry in days if entry.at == days[0].at} == {shown}

    def _is_own(self, unit: str, key: str, ours: Situation, base: Situation) -> bool:
        """Whether every day that differs from what was sent is what the unit submitted last."""
        return all(
            ours.part(part) == base.part(part)
            or self._ledger.is_own(unit, key, part, ours.part(part))
            for part in PARTS[SITUATION]
        )

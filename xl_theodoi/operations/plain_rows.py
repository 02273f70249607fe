"""Rows of returned workbooks that are in no doubt, judged without an object for each.

A row that could be read, whose task is this unit's and which differs from what was sent only
in texts and in its state submits just that. What a state means follows from six values; rows
that share them are judged once, by `read_return`. Wherever that finds anything to say, the
row is left to `RowJudge`, which finds it again with its address.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Location
from xl_theodoi.domain.merge import (
    SITUATION,
    STATE_FIELDS,
    TEXT_FIELDS,
    Situation,
    read_return,
    same_value,
    situation_of,
)
from xl_theodoi.operations.returns import is_doubtful
from xl_theodoi.operations.submissions import Submitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.returned_rows import ReturnedRows

_PLAIN = frozenset((*TEXT_FIELDS, *STATE_FIELDS))
_NOWHERE = Location()


class PlainRows:
    """Judges rows of which nothing is doubtful, and says of which something is."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._as_of = draft.master.as_of
        register = draft.master.register
        blank = [None] * len(register)
        self._issued = register.columns.get("issue_date", blank)
        self._progress = register.columns.get("progress_date", blank)
        self._known: dict[tuple[Any, ...], tuple[Submitting | None, bool]] = {}

    def judge(
        self, rows: ReturnedRows, number: int, position: int, names: Sequence[str]
    ) -> list[Submitting] | None:
        """Return what a row submits, None where it must be judged by itself.

        Args:
            rows: The rows of its file.
            number: Its position in the list.
            position: Of its task, in the register.
            names: Fields in which it differs from what was sent.
        """
        if not _PLAIN.issuperset(names):
            return None
        submitted = []
        has_new_text = False
        for name in TEXT_FIELDS:
            if name not in names:
                continue
            theirs, base = rows.value(number, name), rows.sent_value(number, name)
            if same_value(theirs, base):
                continue
            if is_doubtful(theirs):
                return None
            submitted.append(Submitting(name, theirs, base))
            has_new_text = has_new_text or name == "progress_text"
        if has_new_text or not _STATE.isdisjoint(names):
            situation, is_clear = self._situation(rows, number, position, has_new_text=has_new_text)
            if not is_clear:
                return None
            if situation is not None:
                submitted.append(situation)
        return submitted

    def _situation(
        self, rows: ReturnedRows, number: int, position: int, *, has_new_text: bool
    ) -> tuple[Submitting | None, bool]:
        """Return the situation that a row submits, and whether nothing about it is doubtful."""
        theirs, sent = rows.states[number]
        completed, issued = theirs[1], self._issued[position]
        key = (
            theirs,
            sent,
            has_new_text,
            has_new_text and bool(rows.value(number, "progress_text")),
            completed is not None and issued is not None and completed < issued,
            sent[1] is not None and self._draft.status(position).approved,
        )
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._judged(*key)
        situation = known[0]
        if (
            situation is not None
            and situation.is_default
            and (self._progress[position] is not None or position in self._draft.changed)
        ):
            # Which day a report without one takes is then a matter of the task's history.
            return None, False
        return known

    def _judged(
        self,
        theirs: tuple[Any, ...],
        sent: tuple[Any, ...],
        has_new_text: bool,
        has_text: bool,
        is_early: bool,
        is_approved: bool,
    ) -> tuple[Submitting | None, bool]:
        new = dict(zip(STATE_FIELDS, theirs, strict=True))
        old = dict(zip(STATE_FIELDS, sent, strict=True))
        if has_new_text:
            new["progress_text"], old["progress_text"] = ("1", "0") if has_text else (None, "0")
        read = read_return(
            new,
            old,
            as_of=self._as_of,
            progress_default=self._as_of,
            issue_date=theirs[1] + timedelta(days=1) if is_early else None,
            approved=is_approved,
            where=_nowhere,
            task_id="",
        )
        if read.findings:
            return None, False
        situation: Situation | None = read.submitted.get(SITUATION)
        if situation is None:
            return None, True
        return Submitting(SITUATION, situation, situation_of(old), read.is_default), True


_STATE = frozenset(STATE_FIELDS)


def _nowhere(_name: str) -> Location:
    return _NOWHERE

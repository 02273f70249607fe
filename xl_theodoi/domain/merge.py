"""What a returned row means, and the three-way merge of its fields (contract §5).

Work is done in two steps, so that the result does not depend on the order of files:
`read_return` judges one returned row against what was sent and lists what the unit
submits, field by field; `merge_value` then decides one submission against the master.
The state, its completion date and its progress date are one value, the `Situation`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import error, warning
from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.text import text_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from xl_theodoi.domain.findings import Finding, Location

SITUATION = "reported_state"
"""Name under which the three fields of a `Situation` are submitted together."""

STATE_FIELDS = ("reported_state", "completed_on", "progress_date")
"""The three fields of a `Situation`."""

TEXT_FIELDS = ("progress_text", "result_document", "evidence", "late_reason", "proposal", "note")
"""Fields that merge singly into the register's column of the same name."""

EXTENSION_FIELDS = ("extension_requested_to", "extension_reason")
RETURN_FIELDS = ("return_reason",)
REQUESTS = {"extension": EXTENSION_FIELDS, "return": RETURN_FIELDS}
"""Requests to the Office: they become rows of DeNghi and change no deadline."""


@dataclass(frozen=True, slots=True)
class Situation:
    """How far a task has come, as the unit reports it: one value for the merge."""

    state: Progress
    completed_on: date | None = None
    progress_date: date | None = None

    def differing_field(self, other: Situation) -> str:
        """Return the first of the three fields in which two situations differ."""
        if self.state is not other.state:
            return "reported_state"
        if self.completed_on != other.completed_on:
            return "completed_on"
        return "progress_date"

    def part(self, name: str) -> Any:
        """Return one of the three fields."""
        return {
            "reported_state": self.state.value,
            "completed_on": self.completed_on,
            "progress_date": self.progress_date,
        }[name]


@dataclass(frozen=True, slots=True)
class Request:
    """What a unit asks of the Office for a task; blank throughout means nothing is asked."""

    requested_to: date | None = None
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.requested_to is not None or bool(self.reason)


@dataclass(slots=True)
class ReturnedRow:
    """One judged row of a returned workbook.

    Attributes:
        submitted: What the unit submits: new value by field (`reported_state` holds a
            `Situation`, `extension` and `return` a `Request`); fields left as they were
            sent are absent.
        findings: Errors keep the whole row out; warnings do not.
        is_default: Whether the day of progress submitted is the one given to a report
            without it.
    """

    submitted: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    is_default: bool = False


def same_value(one: Any, other: Any) -> bool:
    """Whether two values are the same but for what nobody sees (see `text_key`)."""
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str):
        return text_key(one) == text_key(other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return [text_key(item) for item in one] == [text_key(item) for item in other]
    return (one is None or one in ("", ())) and (other is None or other in ("", ()))


def situation_of(values: Mapping[str, Any]) -> Situation:
    """Return the situation that the three fields of a list describe."""
    state = values.get("reported_state")
    return Situation(
        Progress(state) if state else Progress.NOT_STARTED,
        values.get("completed_on"),
        values.get("progress_date"),
    )


def read_return(
    theirs: Mapping[str, Any],
    base: Mapping[str, Any],
    *,
    as_of: date,
    progress_default: date,
    issue_date: date | None,
    approved: bool,
    where: Callable[[str], Location],
    task_id: str,
) -> ReturnedRow:
    """Judge one returned row against what was sent.

    Args:
        theirs: Typed values of the row; `reported_state` is a `Progress` value or absent.
        base: The values that were sent.
        as_of: Day of receipt; nothing may be dated after it.
        progress_default: Day of progress of a report that gives none.
        issue_date: Date of the assigning document, where known.
        approved: Whether the completion is approved and so cannot be withdrawn.
        where: Gives the address of a field's cell.
        task_id: For the findings.

    Returns:
        What the unit submits and what is wrong with it. A row in which nothing differs from
        what was sent is not validated.
    """
    row = ReturnedRow()
    changed_text = False
    for name in TEXT_FIELDS:
        if not same_value(theirs.get(name), base.get(name)):
            row.submitted[name] = theirs.get(name)
            changed_text = changed_text or name == "progress_text"
    for kind, names in REQUESTS.items():
        if not all(same_value(theirs.get(name), base.get(name)) for name in names):
            if kind == "extension":
                request = Request(theirs.get(names[0]), theirs.get(names[1]))
                if request.requested_to is None and base.get(names[0]) is not None:
                    # The day is the request; its reason alone asks for nothing.
                    request = Request()
                if request and request.requested_to is None:
                    row.findings.append(
                        warning(
                            "request_without_date",
                            where(names[0]),
                            task_id=task_id,
                            field=names[0],
                        )
                    )
            else:
                request = Request(None, theirs.get(names[0]))
            row.submitted[kind] = request
    _read_situation(
        row, theirs, base, changed_text,
        as_of=as_of, progress_default=progress_default, issue_date=issue_date,
        approved=approved, where=where, task_id=task_id,
    )  # fmt: skip
    return row


def _read_situation(
    row: ReturnedRow,
    theirs: Mapping[str, Any],
    base: Mapping[str, Any],
    changed_text: bool,
    *,
    as_of: date,
    progress_default: date,
    issue_date: date | None,
    approved: bool,
    where: Callable[[str], Location],
    task_id: str,
) -> None:
    def report(code: str, name: str, **values: object) -> None:
        row.findings.append(error(code, where(name), task_id=task_id, field=name, **values))

    sent = situation_of(base)
    state_text = theirs.get("reported_state")
    completed, progress = theirs.get("completed_on"), theirs.get("progress_date")
    touched = (
        state_text != base.get("reported_state")
        or completed != sent.completed_on
        or progress != sent.progress_date
    )
    if not touched and not changed_text:
        return
    if not state_text:
        if base.get("reported_state") or completed or progress:
            report("missing_required", "reported_state")
        return
    state = Progress(state_text)
    if touched:
        if completed is not None and completed != sent.completed_on and completed > as_of:
            report("future_date", "completed_on", value=completed, as_of=as_of)
        if progress is not None and progress != sent.progress_date and progress > as_of:
            report("future_date", "progress_date", value=progress, as_of=as_of)
        if (
            completed is not None
            and completed != sent.completed_on
            and issue_date is not None
            and completed < issue_date
        ):
            report("completed_before_issue", "completed_on", value=completed, issued=issue_date)
        _check_consistency(report, state, sent, completed, progress, approved)
    if state is Progress.IN_PROGRESS and progress is None and sent.progress_date is None:
        progress = progress_default
        touched = row.is_default = True
    if state is Progress.NOT_STARTED and changed_text and theirs.get("progress_text"):
        row.findings.append(
            warning(
                "progress_without_date",
                where("progress_date"),
                task_id=task_id,
                field="progress_date",
            )
        )
    new = Situation(state, completed, progress)
    if touched and new != sent:
        row.submitted[SITUATION] = new


def _check_consistency(
    report: Any,
    state: Progress,
    sent: Situation,
    completed: date | None,
    progress: date | None,
    approved: bool,
) -> None:
    moved = state is not sent.state
    withdrawn = sent.state is Progress.DONE and moved
    if state is Progress.DONE:
        if completed is None:
            report("missing_required", "completed_on")
        if progress is None and sent.progress_date is not None:
            report("missing_required", "progress_date")
        return
    if completed is not None:
        if moved or completed != sent.completed_on:
            report("inconsistent_state", "completed_on", value=completed, state=state.value)
    elif sent.completed_on is not None and (not withdrawn or approved):
        report("missing_required", "completed_on")
    if state is Progress.IN_PROGRESS:
        if progress is None and sent.progress_date is not None:
            report("missing_required", "progress_date")
        return
    if progress is not None:
        if moved or progress != sent.progress_date:
            report("inconsistent_state", "progress_date", value=progress, state=state.value)
    elif sent.progress_date is not None and not moved:
        report("missing_required", "progress_date")


class Merge(StrEnum):
    """What becomes of one submitted value."""

    KEEP = "keep"
    TAKE = "take"
    CONFLICT = "conflict"


def merge_value(base: Any, theirs: Any, ours: Any, *, ours_is_units_own: bool) -> Merge:
    """Decide one field three-way.

    Args:
        base: The value that was sent.
        theirs: The value that came back.
        ours: The value in the master now.
        ours_is_units_own: Whether the master's value is what this unit itself last
            submitted: a correction is not a conflict.

    Example:
        >>> merge_value("a", "b", "a", ours_is_units_own=False)
        <Merge.TAKE: 'take'>
        >>> merge_value("a", "b", "c", ours_is_units_own=False)
        <Merge.CONFLICT: 'conflict'>
    """
    if same_value(theirs, base) or same_value(ours, theirs):
        return Merge.KEEP
    if same_value(ours, base) or ours_is_units_own:
        return Merge.TAKE
    return Merge.CONFLICT


def situation_changes(new: Situation, register: Mapping[str, Any]) -> dict[str, Any]:
    """Return the register's fields that a situation changes, with their new values.

    The day of the first progress is set once; it goes only when progress itself is
    withdrawn.
    """
    target: dict[str, Any] = {
        "completed_on": new.completed_on,
        "progress_date": new.progress_date,
    }
    if new.progress_date is not None and register.get("first_progress_on") is None:
        target["first_progress_on"] = new.progress_date
    if new.state is Progress.NOT_STARTED:
        target["first_progress_on"] = None
    return {name: value for name, value in target.items() if register.get(name) != value}

"""Contradictions within one row of the register (requirements §3, "Validation")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.findings import Location
    from xl_theodoi.domain.model import Status
    from xl_theodoi.domain.profile import Profile

PAST_DATES = (
    "issue_date", "entered_on", "sent_on", "received_on", "first_progress_on", "progress_date",
    "completed_on", "extension_approved_on", "approved_on", "returned_on", "cancelled_on",
)  # fmt: skip
"""Dates of things that have happened; one after the as-of date is doubtful."""

MANDATORY = ("content", "lead_unit")
"""What every task must have, whatever the regulation."""


def doubtful_rows(
    columns: Mapping[str, Sequence[Any]], length: int, profile: Profile, as_of: date
) -> set[int]:
    """Return the positions of a list's rows that `missing_values` or `future_dates` may fault.

    Looks at columns as a whole, so that the rows of a long list need not be looked at singly:
    a row that is not among them has no such finding.

    Args:
        columns: Typed values by field, one per row; a field without a column is missing.
        length: Number of rows.
        profile: May make further fields mandatory.
        as_of: Day after which dates are doubtful.
    """
    doubtful: set[int] = set()
    for name in (*MANDATORY, *profile.register_columns.mandatory):
        column = columns.get(name)
        if column is None:
            return set(range(length))
        if not all(column):
            doubtful.update(position for position, value in enumerate(column) if not value)
    for name in PAST_DATES:
        days = set(columns.get(name, ()))
        days.discard(None)
        if days and max(days) > as_of:
            doubtful.update(
                position for position, day in enumerate(columns[name]) if day and day > as_of
            )
    return doubtful


def missing_values(
    row: Mapping[str, Any],
    locate: Callable[[str], Location],
    profile: Profile,
    unreadable: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Return the mandatory values that a row lacks.

    Args:
        row: Typed values by field.
        locate: Address of a field's cell.
        profile: May make further fields mandatory.
        unreadable: Fields whose cell holds something that could not be taken.
    """
    names = dict.fromkeys((*MANDATORY, *profile.register_columns.mandatory))
    return [
        error("missing_required", locate(name), task_id=row.get("task_id"), field=name)
        for name in names
        if not row.get(name) and name not in unreadable
    ]


def future_dates(
    row: Mapping[str, Any], locate: Callable[[str], Location], as_of: date
) -> list[Finding]:
    """Return a warning for every past event that is dated after the as-of date."""
    return [
        warning(
            "future_date",
            locate(name),
            task_id=row.get("task_id"),
            field=name,
            value=row[name],
            as_of=as_of,
        )
        for name in PAST_DATES
        if row.get(name) and row[name] > as_of
    ]


def contradictions(
    row: Mapping[str, Any],
    status: Status,
    locate: Callable[[str], Location],
    profile: Profile,
) -> list[Finding]:
    """Return what cannot be true together, or is doubtful, in one task."""
    task_id = row.get("task_id")
    findings: list[Finding] = []
    issued, done = row.get("issue_date"), row.get("completed_on")
    due, approved = row.get("due_date"), row.get("approved_on")

    def report(make: Callable[..., Finding], code: str, name: str, **values: object) -> None:
        findings.append(make(code, locate(name), task_id=task_id, field=name, **values))

    if done and issued and done < issued:
        report(error, "completed_before_issue", "completed_on", value=done, issued=issued)
    if approved and not done and status.completed_on is None:
        report(error, "approved_without_done", "approved_on", value=approved)
    if approved and done and approved < done:
        report(warning, "approved_before_done", "approved_on", value=approved, done=done)
    if due and issued and due < issued:
        report(warning, "due_before_issue", "due_date", date=due, issue_date=issued)
    if profile.features.evidence and approved and not row.get("evidence"):
        report(error, "missing_evidence", "evidence")
    if row.get("progress_text") and not row.get("progress_date") and not done:
        report(warning, "progress_without_date", "progress_date")
    if status.counted and status.is_late and not row.get("late_reason"):
        report(warning, "late_without_reason", "late_reason", days=-(status.days_left or 0))
    for name in profile.register_columns.required:
        if not row.get(name) and name not in MANDATORY:
            report(warning, "missing_required", name)
    return findings

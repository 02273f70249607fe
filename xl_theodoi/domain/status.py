"""What is true of a task at an as-of date: progress, timeliness and the regulation's label.

Only what is dated by the as-of date is seen, so a report of an earlier day comes out the same
whenever it is made. The deadline's day itself is in time until its end (Civil Code 2015,
art. 148.6). Open questions of the regulations are settings; their items (A6, A7, A9 to A12)
are named where they are applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from xl_theodoi.domain.events import EventKind
from xl_theodoi.domain.model import Progress, Status, Timeliness
from xl_theodoi.domain.profile import SITUATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.events import Event
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings

_SUBMITTED = EventKind.SUBMITTED
_EXTENDED = EventKind.EXTENDED
_APPROVED = EventKind.APPROVED
_REFUSED = EventKind.REFUSED
_CLOSED = EventKind.CLOSED
_RETURNED = EventKind.RETURNED
_REROUTED = EventKind.REROUTED
_CANCELLED = EventKind.CANCELLED

RETURNED_TONE = "waiting"
"""Colour family of a returned task: the Office must act."""

CANCELLED_TONE = "open"
"""Colour family of a cancelled task: nobody needs to act."""


class WorkingDays(Protocol):
    """What a calendar must know here."""

    def working_days_between(self, a: date, b: date) -> int:
        """Return how many working days lie after `a` up to and including `b`."""


class Facts(NamedTuple):
    """What a task's history says had happened by the end of a day.

    Attributes:
        original: The first deadline.
        due: The deadline in force, extensions included.
        first_report: Day of the first report of completion.
        completed: Day of the report that stands, None where none does.
        decided: Day of the approval or closing that stands.
        extensions: Number of extensions in force.
        has_reported: Whether a report was refused.
        is_returned: Whether the task has been returned and not given out again.
        is_cancelled: Whether it has been cancelled.
    """

    original: date | None
    due: date | None
    first_report: date | None
    completed: date | None
    decided: date | None
    extensions: int
    has_reported: bool
    is_returned: bool
    is_cancelled: bool


def replay(
    due_date: date | None, events: Sequence[Event], as_of: date, *, closing_finishes: bool
) -> Facts:
    """Return what had happened to a task by the end of a day.

    Args:
        due_date: The deadline first given.
        events: The task's history in order, as `current_events` returns it.
        as_of: The day; what is dated later is invisible.
        closing_finishes: Whether closing a task finishes it (A12).
    """
    original = due = due_date
    first_report = completed = decided = None
    extensions = 0
    has_reported = is_returned = is_cancelled = False
    for event in events:
        if event.date > as_of:
            break
        kind = event.kind
        if kind is _SUBMITTED:
            # After an approval a further report changes nothing.
            if completed is None or decided is None:
                completed = event.date
                first_report = first_report or completed
        elif kind is _EXTENDED:
            due = event.new_due_date
            # A task without deadline is later given one: its first deadline.
            original = original or due
            extensions += 1
        elif kind is _APPROVED:
            decided = event.date
        elif kind is _REFUSED:
            has_reported = has_reported or completed is not None
            completed = decided = None
        elif kind is _CLOSED:
            # A12: closing ends the work; without a report its day stands for one.
            if closing_finishes:
                decided = event.date
                if completed is None:
                    completed = first_report = decided
        elif kind is _RETURNED:
            is_returned = True
        elif kind is _REROUTED:
            is_returned = False
        elif kind is _CANCELLED:
            is_cancelled = True
    return Facts(
        original, due, first_report, completed, decided,
        extensions, has_reported, is_returned, is_cancelled,
    )  # fmt: skip


class StatusJudge:
    """Judges tasks by one profile and one office's settings, prepared once for many tasks.

    Args:
        profile: Gives the labels.
        settings: Gives the readings of what the regulation leaves open.
        calendar: Needed where days until the deadline are counted as working days.
    """

    def __init__(self, profile: Profile, settings: Settings, calendar: WorkingDays) -> None:
        self._calendar = calendar
        self._due_soon_days = settings.number("due_soon_days")
        self._due_soon_working = settings.choice("due_soon_unit") == "working"
        self._late_by_approval = settings.choice("late_basis") == "approved"
        self._first_report_counts = settings.choice("completion_basis") == "first"
        self._late_by_original = settings.choice("late_vs") == "original"
        self._closing_finishes = settings.flag("closed_counts_as_done")
        self._returned_label = profile.returned_label
        self._cancelled_label = profile.cancelled_label
        self._labels = _labels(profile, settings)
        self._working_days: dict[tuple[date, date], int] = {}

    def judge(
        self,
        values: Mapping[str, Any],
        events: Sequence[Event],
        as_of: date,
        *,
        is_recurring_parent: bool = False,
    ) -> Status:
        """Return a task's status at the end of a day.

        Args:
            values: The register's typed values; `due_date`, `first_progress_on` and
                `progress_date` are used.
            events: The task's history in order, as `current_events` returns it.
            as_of: The day; what is dated later is invisible.
            is_recurring_parent: Whether child tasks stand for it; then it has no deadline
                of its own and is not counted.
        """
        (
            original, due, first_report, completed, decided,
            extensions, has_reported, is_returned, is_cancelled,
        ) = replay(
            values.get("due_date"), events, as_of, closing_finishes=self._closing_finishes
        )  # fmt: skip
        if is_recurring_parent:
            original = due = None

        is_approved = completed is not None and decided is not None
        if completed is not None:
            progress = Progress.DONE
            if self._first_report_counts:  # A10
                completed = first_report or completed
            finished = completed
            if self._late_by_approval:  # A9
                finished = as_of if decided is None else decided
            measured_by = original if self._late_by_original else due  # A11
            if measured_by is None:
                timeliness = Timeliness.NO_DEADLINE
            elif finished > measured_by:
                timeliness = Timeliness.LATE
            else:
                timeliness = Timeliness.ON_TIME
        else:
            started = values.get("first_progress_on") or values.get("progress_date")
            if has_reported or (started is not None and started <= as_of):
                progress = Progress.IN_PROGRESS
            else:
                progress = Progress.NOT_STARTED
            if due is None:
                timeliness = Timeliness.NO_DEADLINE
            elif as_of > due:
                timeliness = Timeliness.OVERDUE
            elif self._is_due_soon(as_of, due):
                timeliness = Timeliness.DUE_SOON
            else:
                timeliness = Timeliness.IN_TIME

        if is_cancelled:
            label, tone = self._cancelled_label, CANCELLED_TONE
        elif is_returned:
            label, tone = self._returned_label, RETURNED_TONE
        else:
            label, tone = self._labels[progress, timeliness, is_approved]
        return Status(
            progress=progress,
            timeliness=timeliness,
            label=label,
            tone=tone,
            effective_due_date=due,
            days_left=None if due is None else (due - (completed or as_of)).days,
            completed_on=completed,
            approved=is_approved,
            counted=not (is_cancelled or is_returned or is_recurring_parent),
            extensions=extensions,
            is_returned=is_returned,
            is_cancelled=is_cancelled,
        )

    def _is_due_soon(self, as_of: date, due: date) -> bool:
        """Whether a deadline that has not passed lies within the warning window (A6)."""
        days = (due - as_of).days
        if not self._due_soon_working or days <= self._due_soon_days:
            return days <= self._due_soon_days
        # No run of days off is so long; the calendar need not know the years far ahead.
        if days > 2 * self._due_soon_days + 30:
            return False
        span = (as_of, due)
        working_days = self._working_days.get(span)
        if working_days is None:
            working_days = self._calendar.working_days_between(as_of, due)
            self._working_days[span] = working_days
        return working_days <= self._due_soon_days


def status_at(
    values: Mapping[str, Any],
    events: Sequence[Event],
    as_of: date,
    *,
    settings: Settings,
    profile: Profile,
    calendar: WorkingDays,
    is_recurring_parent: bool = False,
) -> Status:
    """Return one task's status at the end of a day; for many tasks prepare a `StatusJudge`."""
    judge = StatusJudge(profile, settings, calendar)
    return judge.judge(values, events, as_of, is_recurring_parent=is_recurring_parent)


def _labels(
    profile: Profile, settings: Settings
) -> dict[tuple[Progress, Timeliness, bool], tuple[str, str]]:
    """Return label and tone for every situation that a task can be in."""
    enabled = settings.enabled()
    labels: dict[tuple[Progress, Timeliness, bool], tuple[str, str]] = {}
    for progress, timeliness, approved in SITUATIONS:
        rule = profile.rule_for(progress, timeliness, approved=approved, enabled=enabled)
        if rule is None:
            message = f"profile {profile.id}: no status rule for {progress}, {timeliness}"
            raise ValueError(message)
        labels[Progress(progress), Timeliness(timeliness), approved] = rule.label, rule.tone
    return labels

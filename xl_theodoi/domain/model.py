"""What the rules pass around: units, tasks as read, tasks as judged at an as-of date."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


class Progress(StrEnum):
    """How far the lead unit has come."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    DONE = "done"


class Timeliness(StrEnum):
    """Where a task stands against its deadline; values exclude one another."""

    IN_TIME = "in_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    NO_DEADLINE = "no_deadline"
    ON_TIME = "on_time"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Unit:
    """A department or commune that is given tasks.

    Attributes:
        code: Stable code; used in JSON and file names.
        name: Full name.
        short_name: Name printed in cells.
        aliases: Other ways of writing it.
        valid_from: First day on which it exists, None where not known.
        valid_to: Last day on which it exists.
        successor: Code of the unit that took over its open tasks.
    """

    code: str
    name: str
    short_name: str
    aliases: tuple[str, ...] = ()
    kind: str = ""
    email: str = ""
    phone: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What is true of a task at an as-of date.

    Attributes:
        progress: How far the work has come.
        timeliness: Against the effective deadline.
        label: The regulation's exact label.
        tone: Colour family of the label.
        effective_due_date: Deadline in force on the as-of date, extensions included.
        days_left: Calendar days to that deadline from the as-of date, or from the completion
            date once done; negative when past, None without a deadline.
        completed_on: Completion date that counts, None while unfinished.
        approved: Whether the result is approved (or the task closed) by then.
        counted: Whether reports count the task; returned, cancelled and recurring parents
            are not.
        extensions: Number of extensions in force by then.
        is_returned: Whether the task has been returned and not given out again.
        is_cancelled: Whether it has been cancelled.
        history: What its formulas must be told beside the register's columns, as
            `domain.live` writes it; None for most tasks.
    """

    progress: Progress
    timeliness: Timeliness
    label: str
    tone: str
    effective_due_date: date | None
    days_left: int | None
    completed_on: date | None
    approved: bool
    counted: bool
    extensions: int = 0
    is_returned: bool = False
    is_cancelled: bool = False
    history: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the lead unit has finished."""
        return self.progress is Progress.DONE

    @property
    def is_late(self) -> bool:
        """Whether the task is overdue or was finished late."""
        return self.timeliness in (Timeliness.OVERDUE, Timeliness.LATE)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task of the register at an as-of date.

    Attributes:
        position: Row position in the register's table.
        task_id: Task key.
        unit_code: Code of the lead unit, blank where the register's text names no known unit.
        values: Typed register values by field name: text, date, tuple of texts, or None.
        status: What is true at the as-of date.
        is_recurring_parent: Whether child tasks stand for it.
    """

    position: int
    task_id: str
    unit_code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: Status | None = None
    is_recurring_parent: bool = False

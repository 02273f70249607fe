"""Which tasks a report speaks of (item A25 of the regulations' ambiguities).

The regulations say "up to date …" and not since when. By default a report holds the tasks
issued from 15/12 of the year before (the first day of the reporting year by NĐ 09/2019/NĐ-CP,
art. 12) up to the as-of date, and the older ones that were not finished on that 15/12.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xl_theodoi.domain.model import Status, TaskView


class Scope(StrEnum):
    """Values of the setting `scope`."""

    YEAR_PLUS_OPEN = "year_plus_open"
    ALL = "all"
    PERIOD = "period"


def scope_start(as_of: date) -> date:
    """Return 15/12 of the year before the as-of date's year.

    Example:
        >>> scope_start(date(2026, 11, 30))
        datetime.date(2025, 12, 15)
    """
    return date(as_of.year - 1, 12, 15)


def select_tasks(
    tasks: Iterable[TaskView],
    *,
    scope: Scope,
    as_of: date,
    window: tuple[date, date] | None = None,
    status_at: Callable[[TaskView, date], Status] | None = None,
) -> tuple[TaskView, ...]:
    """Return the tasks in scope, in their order.

    Tasks issued after the as-of date are in no scope. A task whose issue date is blank is in
    every scope: leaving it out would hide it. An older task that is unfinished now is in
    scope however it stood at the start, for a refused result reopens a task.

    Args:
        tasks: The register's tasks with their status at the as-of date.
        scope: The setting.
        as_of: The as-of date.
        window: First and last day of the period's figures, needed for `Scope.PERIOD` only.
        status_at: Status of a task at another date; without it a task was unfinished at the
            start unless the completion date that counts now lies before or on it.

    Raises:
        ValueError: If the window is missing where it is needed.
    """
    if scope is Scope.PERIOD and window is None:
        message = "the scope of a period needs the period's window"
        raise ValueError(message)
    start = scope_start(as_of)

    def unfinished_at_start(task: TaskView) -> bool:
        status = task.status
        if status is not None and status.counted and not status.is_done:
            return True
        if status_at is not None:
            then = status_at(task, start)
            return then.counted and not then.is_done
        cancelled = task.values.get("cancelled_on")
        if status is not None and not status.counted and cancelled is not None:
            return bool(cancelled > start)
        return status is None or status.completed_on is None or status.completed_on > start

    def is_in_scope(task: TaskView) -> bool:
        issued = task.values.get("issue_date")
        if issued is None:
            return True
        if issued > as_of:
            return False
        if scope is Scope.PERIOD and window is not None:
            return bool(window[0] <= issued <= window[1])
        return scope is Scope.ALL or issued >= start or unfinished_at_start(task)

    return tuple(task for task in tasks if is_in_scope(task))

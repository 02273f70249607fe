"""Status of a task as the unit's form sees it, for its formulas and their stored values.

The form follows what the unit types: the state it chose decides the progress, the day in
`NgayTinh` only whether the deadline is past. A code joins progress and timeliness:
1-4 not started and 5-8 in progress (in time, due soon, overdue, no deadline), 9-11 done
(on time, late, no deadline), 12-14 the same and approved; 0 for a task whose row is gone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.workbook.building.unit_content import ListPlan, UnitContent, serial

if TYPE_CHECKING:
    from xl_theodoi.domain.profile import StatusRule

PROGRESS: Final = (Progress.NOT_STARTED, Progress.IN_PROGRESS, Progress.DONE)
OPEN_TIMES: Final = (
    Timeliness.IN_TIME,
    Timeliness.DUE_SOON,
    Timeliness.OVERDUE,
    Timeliness.NO_DEADLINE,
)
DONE_TIMES: Final = (Timeliness.ON_TIME, Timeliness.LATE, Timeliness.NO_DEADLINE)
COMBINATIONS: Final = (
    *((Progress.NOT_STARTED, time, False) for time in OPEN_TIMES),
    *((Progress.IN_PROGRESS, time, False) for time in OPEN_TIMES),
    *((Progress.DONE, time, False) for time in DONE_TIMES),
    *((Progress.DONE, time, True) for time in DONE_TIMES),
)
"""What each code means; code 1 is the first."""


def codes_where(
    progress: Progress | None = None, times: tuple[Timeliness, ...] = ()
) -> tuple[int, ...]:
    """Return the codes of a progress, of timeliness values, or of both."""
    return tuple(
        at
        for at, (is_progress, is_time, _) in enumerate(COMBINATIONS, start=1)
        if (progress is None or progress is is_progress) and (not times or is_time in times)
    )


OVERDUE_CODES: Final = codes_where(times=(Timeliness.OVERDUE,))
LATE_CODES: Final = codes_where(times=(Timeliness.LATE,))


class StatusLabels:
    """The regulation's labels by code.

    Attributes:
        labels: Labels in the order of the regulation's summary.
        index: For each code, the 1-based position of its label.
    """

    def __init__(self, content: UnitContent) -> None:
        profile = content.profile
        rules = [
            rule
            for rule in profile.statuses
            if rule.setting is None or content.setting(rule.setting) is True
        ]
        fallback = profile.words["progress"]
        found = [
            next((rule.label for rule in rules if _matches(rule, *combination)), None)
            or fallback[combination[0]]
            for combination in COMBINATIONS
        ]
        labels = [label for label in profile.count_labels if label in found]
        labels += [label for label in dict.fromkeys(found) if label not in labels]
        labels += [label for label in profile.count_labels if label not in labels]
        order = {label: at for at, label in enumerate(profile.count_labels)}
        self.labels = tuple(sorted(labels, key=lambda label: order.get(label, len(order))))
        self.index = tuple(self.labels.index(label) + 1 for label in found)

    def progress_of(self, label: str) -> set[Progress]:
        """Return the kinds of progress for which a label is used."""
        at = self.labels.index(label) + 1
        return {
            combination[0]
            for combination, index in zip(COMBINATIONS, self.index, strict=True)
            if index == at
        }


def _matches(rule: StatusRule, progress: Progress, time: Timeliness, approved: bool) -> bool:
    return (
        rule.progress == progress
        and (not rule.timeliness or time in rule.timeliness)
        and (rule.approved is None or rule.approved is approved)
    )


class TaskFigure(NamedTuple):
    """One task as the form counts it.

    Attributes:
        code: Status code, see the module.
        label: 1-based position of the status label.
        due: Deadline, None for none.
        due_soon_from: First day on which the task is due soon.
        approved_on: Day of approval, None for none.
    """

    code: int
    label: int
    due: date | None
    due_soon_from: date | None
    approved_on: date | None

    @property
    def progress(self) -> Progress:
        """How far the unit says it has come."""
        return COMBINATIONS[self.code - 1][0]

    @property
    def is_late(self) -> bool:
        """Whether the task is overdue or was finished late."""
        return self.code in OVERDUE_CODES or self.code in LATE_CODES


def task_figures(content: UnitContent, plan: ListPlan, labels: StatusLabels) -> list[TaskFigure]:
    """Return how the form counts each task as it was sent."""
    words = content.profile.words["reported_state"]
    half, done = words["in_progress"].casefold(), words["done"].casefold()
    days = timedelta(days=int(content.setting("due_soon_days")))
    as_of = content.as_of
    today = serial(as_of)
    found = []
    columns = zip(
        plan.texts("reported_state"),
        *(
            map(_day, plan.cells(name))
            for name in ("effective_due_date", "due_soon_from", "approved_on")
        ),
        plan.cells("completed_on"),
        strict=True,
    )
    for text, due, given, approved_on, completed in columns:
        soon = due - days if due is not None and given is None else given
        state = text.strip().casefold()
        if state == done:
            number = _number(completed) or today
            step = 2 if due is None else int(int(number) > serial(due))
            approved = approved_on is not None and approved_on <= as_of
            code = 9 + step + (3 if approved else 0)
        else:
            if due is None or soon is None:
                step = 3
            elif as_of > due:
                step = 2
            else:
                step = 1 if as_of >= soon else 0
            code = (5 if state == half else 1) + step
        found.append(TaskFigure(code, labels.index[code - 1], due, soon, approved_on))
    return found


def _number(value: object) -> float:
    if isinstance(value, date):
        return serial(value)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _day(held: object) -> date | None:
    if isinstance(held, datetime):
        return held.date()
    return held if isinstance(held, date) else None

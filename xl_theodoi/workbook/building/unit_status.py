"""Status of a task as a unit's workbook tells it, for its formulas and their stored values.

One formula in each row of the list gives a code that joins progress and timeliness; label,
timeliness and days left follow from it there, and the form and the self-check read it too.
1-4 stand for not started and 5-8 for in progress (in time, due soon, overdue, no deadline),
9-11 for done (on time, late, no deadline), 12-14 for the same and approved; the form has 0 for
a task whose row is gone.

The code follows what the unit types: the state it chose decides the progress, the day in
`NgayTinh` whether the deadline is near or past. What the register knows beside that is a
`Standing` and becomes part of the row's own formulas, so that rows can be sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
DUE_SOON_CODES: Final = codes_where(times=(Timeliness.DUE_SOON,))
FIRST_DONE: Final = 9
"""The smallest code of a task that is done."""
APPROVED: Final = 3
"""By how much an approved task's code is larger."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the register says of a task from a day on, beside what the list's cells hold.

    Attributes:
        since: First day for which it holds; None for the first standing of a task.
        progress: How far the register says the task has come.
        completed_on: Completion date that counts, None while unfinished.
        due: Deadline in force.
        due_soon_from: First day on which the task is due soon; None where that follows from
            the setting in calendar days (A6).
        measured_by: Deadline by which its completion is on time or late (A11).
        approved_on: Day of the approval or closing that stands, None for none.
        reported_on: Day of the first report that counts whatever is reported later (A10),
            None where the one that the list shows counts.
        label: Label that takes the place of the status (returned, cancelled).
    """

    since: date | None = None
    progress: Progress = Progress.NOT_STARTED
    completed_on: date | None = None
    due: date | None = None
    due_soon_from: date | None = None
    measured_by: date | None = None
    approved_on: date | None = None
    reported_on: date | None = None
    label: str | None = None


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

    @property
    def by_code(self) -> list[str]:
        """The label of each code."""
        return [self.labels[at - 1] for at in self.index]

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
    """One task as the workbook counts it.

    Attributes:
        code: Status code, see the module.
        label: 1-based position of the status label.
        days_left: Days to the deadline, an empty text without one.
    """

    code: int
    label: int
    days_left: float | str

    @property
    def progress(self) -> Progress:
        """How far the unit says it has come."""
        return COMBINATIONS[self.code - 1][0]

    @property
    def timeliness(self) -> Timeliness:
        """How it stands against its deadline."""
        return COMBINATIONS[self.code - 1][1]

    @property
    def is_late(self) -> bool:
        """Whether the task is overdue or was finished late."""
        return self.code in OVERDUE_CODES or self.code in LATE_CODES


def task_figures(content: UnitContent, plan: ListPlan, labels: StatusLabels) -> list[TaskFigure]:
    """Return the status of each task as it was sent."""
    words = content.profile.words["reported_state"]
    half, done = words["in_progress"].casefold(), words["done"].casefold()
    days = int(content.setting("due_soon_days"))
    by_approval = content.setting("late_basis") == "approved"
    today = int(serial(content.as_of))
    found: list[TaskFigure] = []
    known: dict[Any, TaskFigure] = {}
    columns = zip(
        plan.texts("reported_state"),
        plan.cells("effective_due_date"),
        plan.cells("completed_on"),
        plan.standings,
        strict=True,
    )
    for text, held, completed, standings in columns:
        key = (text, held, completed, standings)
        figure = known.get(key)
        if figure is None:
            state = text.strip(" ").casefold()
            due = _deadline(held)
            own = None if standings is None else standings[0]
            finished = _finished(own, completed, today)
            measured = due if own is None else _serial(own.measured_by)
            if state == done:
                day = _judged(own, finished, today, by_approval=by_approval)
                step = 2 if measured is None else int(day > measured)
                code = FIRST_DONE + step
                if own is not None and own.approved_on is not None:
                    code += APPROVED if serial(own.approved_on) <= today else 0
            else:
                finished = today
                if due is None:
                    step = 3
                elif today > due:
                    step = 2
                else:
                    soon = None if own is None else _serial(own.due_soon_from)
                    step = int(today >= (due - days if soon is None else soon))
                code = (5 if state == half else 1) + step
            left = "" if due is None else _whole(due - finished)
            figure = known[key] = TaskFigure(code, labels.index[code - 1], left)
        found.append(figure)
    return found


def _deadline(held: object) -> float | None:
    """Return what Excel takes a deadline's cell for, None where it is no number."""
    if isinstance(held, date):
        return serial(held)
    if isinstance(held, (int, float)) and not isinstance(held, bool):
        return float(held)
    return None


def _serial(day: date | None) -> float | None:
    return None if day is None else serial(day)


def _whole(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _finished(own: Standing | None, completed: object, today: int) -> int:
    """Return the day on which a task that is done was finished."""
    if own is not None and own.reported_on is not None:
        return int(serial(own.reported_on))
    number = 0.0
    if isinstance(completed, date):
        number = serial(completed)
    elif isinstance(completed, (int, float)):
        number = float(completed)
    return int(number) if number > 0 else today


def _judged(own: Standing | None, finished: int, today: int, *, by_approval: bool) -> int:
    """Return the day by which a finished task is on time or late (A9)."""
    if not by_approval:
        return finished
    decided = None if own is None else _serial(own.approved_on)
    return today if decided is None or decided > today else int(decided)

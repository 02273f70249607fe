"""Status of a task as the unit's form sees it, for its formulas and their stored values.

The form follows what the unit types: the state it chose decides the progress, the day in
`NgayTinh` only whether the deadline is past. A code joins progress and timeliness:
1-4 not started and 5-8 in progress (in time, due soon, overdue, no deadline), 9-11 done
(on time, late, no deadline), 12-14 the same and approved; 0 for a task whose row is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.workbook.building.unit_content import UnitContent, serial

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True, slots=True)
class TaskFigure:
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


def task_figure(
    cells: Mapping[str, str | float | date], content: UnitContent, labels: StatusLabels
) -> TaskFigure:
    """Return how the form counts a task as it was sent.

    Args:
        cells: What its cells hold, by field.
        content: What the workbook holds.
        labels: Status labels.
    """
    due = _day(cells.get("effective_due_date"))
    soon = _day(cells.get("due_soon_from"))
    if due is not None and soon is None:
        soon = due - timedelta(days=int(content.setting("due_soon_days")))
    approved_on = _day(cells.get("approved_on"))
    states = content.profile.words["reported_state"]
    state = str(cells.get("reported_state", "")).strip().casefold()
    as_of = content.as_of
    if state == states["done"].casefold():
        number = _number(cells.get("completed_on")) or serial(as_of)
        late = due is not None and int(number) > serial(due)
        step = 2 if due is None else int(late)
        approved = approved_on is not None and approved_on <= as_of
        code = 9 + step + (3 if approved else 0)
    else:
        base = 5 if state == states["in_progress"].casefold() else 1
        if due is None or soon is None:
            step = 3
        elif as_of > due:
            step = 2
        else:
            step = 1 if as_of >= soon else 0
        code = base + step
    return TaskFigure(code, labels.index[code - 1], due, soon, approved_on)


def _number(value: object) -> float:
    if isinstance(value, date):
        return serial(value)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _day(held: object) -> date | None:
    if isinstance(held, datetime):
        return held.date()
    return held if isinstance(held, date) else None

"""The formulas of a list's row that keep its status alive: code, label, timeliness, days left.

Most rows have the same formulas, which need nothing but the row's own cells (`plain`). Where
the register knows more of a task (`Standing`: an approval, days counted as working days, a
decision of a later day), the row's formulas say so with numbers of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.names import AS_OF_CELL
from xl_theodoi.workbook.building.unit_content import clean_text, literal, serial
from xl_theodoi.workbook.building.unit_status import APPROVED, FIRST_DONE, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from xl_theodoi.workbook.building.unit_content import ListPlan, UnitContent

MOST_STANDINGS: Final = 6
"""Standings of a task that its formulas tell apart; a formula has at most 8,192 letters."""


class LiveRow(NamedTuple):
    """Formulas of a row, without the equals sign."""

    days_left: str
    timeliness: str
    status_label: str
    code: str


class LiveFormulas:
    """Writes the formulas of rows."""

    def __init__(self, content: UnitContent, plan: ListPlan) -> None:
        self._plan = plan
        words = content.profile.words["reported_state"]
        self._half, self._done = literal(words["in_progress"]), literal(words["done"])
        self._days = int(content.setting("due_soon_days"))
        self._by_approval = content.setting("late_basis") == "approved"

    def plain(self, row: str) -> LiveRow:
        """Return the formulas of a row of which the register knows nothing more."""
        cell = self._plan.cell
        due, state = cell("effective_due_date", row), f"TRIM({cell('reported_state', row)})"
        completed, code = cell("completed_on", row), self._plan.code_cell(row)
        finished = AS_OF_CELL if self._by_approval else self._typed_day(completed)
        done = f"IF(ISNUMBER({due}),IF({finished}>{due},1,0),2)"
        still = f"IF(ISNUMBER({due}),{self._step(due, f'{due}-{self._days}')},3)"
        return LiveRow(
            f"IF(ISNUMBER({due}),{due}-IF(AND({code}>={FIRST_DONE},N({completed})>0),"
            f'INT({completed}),{AS_OF_CELL}),"")',
            self._word(0, row),
            self._word(1, row),
            f"IF({state}={self._done},{FIRST_DONE}+{done},{still}+IF({state}={self._half},5,1))",
        )

    def own(self, at: int, standings: Sequence[Standing]) -> LiveRow:
        """Return the formulas of a task with standings of its own.

        Args:
            at: Position of the task, from 0.
            standings: What holds from the day of sending on, and from later days on.
        """
        row = str(self._plan.first + at)
        lines = [self._of_standing(at, row, standing) for standing in standings[:MOST_STANDINGS]]
        days, times, labels, codes = zip(*lines, strict=True)
        starts = [standing.since for standing in standings[1:MOST_STANDINGS]]
        return LiveRow(*(_by_day(list(f), starts) for f in (days, times, labels, codes)))

    def _of_standing(self, at: int, row: str, own: Standing) -> LiveRow:
        """Return the formulas of a row while one standing holds."""
        cell = self._plan.cell
        state = f"TRIM({cell('reported_state', row)})"
        completed, code = cell("completed_on", row), self._plan.code_cell(row)
        due, measured = _number(own.due), _number(own.measured_by)
        reported = _number(own.reported_on)
        typed_day = reported or self._typed_day(completed)

        def done(finished: str) -> str:
            if self._by_approval:
                finished = AS_OF_CELL
                if own.approved_on is not None:
                    decided = _number(own.approved_on)
                    finished = f"IF({AS_OF_CELL}<{decided},{AS_OF_CELL},{decided})"
            found = f"IF({finished}>{measured},1,0)" if measured else "2"
            if own.approved_on is not None:
                found += f"+IF({AS_OF_CELL}<{_number(own.approved_on)},0,{APPROVED})"
            return f"{FIRST_DONE}+{found}"

        still = "3"
        if due:
            soon = _number(own.due_soon_from) or f"{due}-{self._days}"
            still = self._step(due, soon)
        left = '""'
        if due:
            left = f"{due}-IF({code}>={FIRST_DONE},{typed_day},{AS_OF_CELL})"
        found = f"IF({state}={self._done},{done(typed_day)},{still}+IF({state}={self._half},5,1))"
        if own.since is not None:
            # What the register says of that day counts as long as the unit says nothing else.
            untouched = self._untouched(at, row)
            finished = _number(own.completed_on)
            is_done = own.progress is Progress.DONE
            base = 5 if own.progress is Progress.IN_PROGRESS else 1
            said = done(finished or AS_OF_CELL) if is_done else f"{still}+{base}"
            found = f"IF({untouched},{said},{found})"
            if due and is_done:
                left = f"IF({untouched},{due}-{finished},{left})"
        label = self._word(1, row) if own.label is None else literal(clean_text(own.label))
        return LiveRow(left, self._word(0, row), label, found)

    def _word(self, nth: int, row: str) -> str:
        return f"INDEX({self._plan.words_span(nth)},{self._plan.code_cell(row)})"

    @staticmethod
    def _typed_day(completed: str) -> str:
        return f"IF(N({completed})>0,INT({completed}),{AS_OF_CELL})"

    @staticmethod
    def _step(due: str, soon: str) -> str:
        return f"IF({AS_OF_CELL}>{due},2,IF({AS_OF_CELL}<{soon},0,1))"

    def _untouched(self, at: int, row: str) -> str:
        """Return whether a row's state and completion are as they were sent."""
        plan = self._plan
        same = []
        for name in ("reported_state", "completed_on"):
            held: Any = plan.cells(name)[at]
            if held is None:
                value = '""'
            elif isinstance(held, str):
                value = literal(held)
            else:
                value = repr(held if isinstance(held, (int, float)) else serial(held))
            same.append(f"{plan.cell(name, row)}={value}")
        return f"AND({','.join(same)})"


def _number(day: date | None) -> str:
    """Return a day as formulas hold it, an empty text for none."""
    return "" if day is None else str(serial(day))


def _by_day(formulas: list[str], starts: Sequence[date | None]) -> str:
    """Return one formula that takes the last of several that has begun by the day."""
    found = formulas[-1]
    for formula, start in zip(reversed(formulas[:-1]), reversed(starts), strict=True):
        if formula != found:
            found = f"IF({AS_OF_CELL}<{_number(start)},{formula},{found})"
    return found

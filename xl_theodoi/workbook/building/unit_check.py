"""The self-check of a unit workbook: the faults for which a return would be rejected.

Left of each row of the list one formula adds up a power of two for every fault of the row
(`Check.bit`), so a single cell per row feeds the mark beside the row, the counts and the
wording on the check sheet. Powers up to 2^5 are warnings, from 2^6 on errors; the mark's
number format turns the sum into a word.

Faults that the row already had when it was sent do not count as long as the row is left
as it was (contract §5, "Untouched rows are not otherwise validated").
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.names import AS_OF_CELL
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.workbook.building.unit_content import (
    LAST_SENT,
    SENT_COLUMN,
    ListPlan,
    UnitContent,
    literal,
    serial,
    unit_texts,
)
from xl_theodoi.workbook.building.unit_rows import HERE
from xl_theodoi.workbook.building.unit_status import LATE_CODES, OVERDUE_CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xl_theodoi.workbook.building.unit_content import Held
    from xl_theodoi.workbook.building.unit_status import TaskFigure

FIRST_ERROR: Final = 64
"""Smallest power of an error; what is below is a warning."""
FIRST_DAY: Final = 36_526
"""01/01/2000 as Excel counts days; 31/12/2099 is the last day a cell may hold."""
LAST_DAY: Final = 73_050
TODAY_CELL: Final = "$F$1"
VERDICT_CELL: Final = "$A$4"
FIRST_WRONG_CELL: Final = "$F$2"
"""Address of the first wrong cell of the list, an empty text where none is wrong."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of fault.

    Attributes:
        name: Key of its wording.
        bit: Its power of two.
        target: Field of the cell to look at.
        formula: 0 or 1 for a row; `{field}` stands for the row's cell, `{code}` for its status
            code.
        holds: The same judgement of the sent values.
    """

    name: str
    bit: int
    target: str
    formula: str
    holds: Callable[[_Row], bool]

    @property
    def is_error(self) -> bool:
        """Whether a return would be rejected for it."""
        return self.bit >= FIRST_ERROR


class _Row:
    """The sent values of one task, read as the formulas read them."""

    def __init__(self, values: Mapping[str, Any], state: str, *, late: bool) -> None:
        self.values = values
        self.state = state
        self.late = late

    def blank(self, name: str) -> bool:
        return self.values.get(name) in (None, "")

    def empty(self, name: str) -> bool:
        value = self.values.get(name)
        return value is None or (isinstance(value, str) and not value.strip(" "))

    def number(self, name: str) -> float:
        value = self.values.get(name)
        if isinstance(value, (int, float)):
            return float(value)
        return 0.0 if value is None or isinstance(value, str) else serial(value)

    def length(self, name: str) -> int:
        value = self.values.get(name)
        return len(value) if isinstance(value, str) else 0

    def bad_date(self, name: str) -> bool:
        return not self.blank(name) and not FIRST_DAY <= self.number(name) < LAST_DAY + 1


class SelfCheck:
    """The checks of one workbook and what they say of the values as sent.

    Attributes:
        checks: Errors first, in the order in which they are shown.
        masks: Sum of the powers of each task as sent.
        counts: How many tasks have each fault as sent, in the order of the checks.
        warnings: How many warnings there are in all.
    """

    def __init__(
        self,
        content: UnitContent,
        plan: ListPlan,
        figures: Sequence[TaskFigure],
        form_limit: int,
    ) -> None:
        self.content, self.plan = content, plan
        sheet = unit_texts()["sheets"]["check"]
        self.today = f"'{sheet}'!{TODAY_CELL}"
        self._limits = {
            name: spec.max_length
            for name, spec in plan.fields.items()
            if name in EDITABLE_FIELDS and spec.max_length is not None
        }
        self.checks = self._checks(form_limit)
        self._total = self.formula(HERE)
        self.masks: list[int] = []
        self._raw_masks: list[int] = []
        states = {
            word.casefold(): name for name, word in content.profile.words["reported_state"].items()
        }
        keys = [text.casefold() for text in plan.texts("task_id")]
        seen = Counter(keys)
        shortest = min(form_limit, *self._limits.values())
        judged: dict[tuple[Any, ...], int] = {}
        situations = zip(
            [states.get(text.strip(" ").casefold(), "") for text in plan.texts("reported_state")],
            [figure.is_late for figure in figures],
            *_judged(plan, shortest, serial(content.as_of)),
            strict=True,
        )
        for key, situation in zip(keys, situations, strict=True):
            mask = judged.get(situation)
            if mask is None:
                state, late, *values = situation
                row = _Row(dict(zip(_JUDGED, values, strict=True)), state, late=late)
                mask = sum(check.bit for check in self.checks if check.holds(row))
                judged[situation] = mask
            if seen[key] > 1:
                mask |= FIRST_ERROR
            self._raw_masks.append(mask)
            self.masks.append(mask % FIRST_ERROR)
        found = Counter(self.masks)
        self.counts = [
            sum(count for mask, count in found.items() if mask & check.bit) for check in self.checks
        ]
        self.warnings = sum(
            count
            for count, check in zip(self.counts, self.checks, strict=True)
            if not check.is_error
        )

    def formula(self, row: str) -> str:
        """Return the formula, without the equals sign, of the mark beside a row of the list.

        It is one of a pattern: it may hold `LAST_ROW` and its like.
        """
        cells = {name: self.plan.cell(name, row) for name in self.plan.fields}
        state, code = f"TRIM({cells['reported_state']})", self.plan.code_cell(row)
        parts = [
            f"{check.bit}*{check.formula.format(state=state, code=code, **cells)}"
            for check in self.checks
        ]
        error = self.checks_by_name["cell_error"].bit
        return f"IFERROR({'+'.join(parts)},{error})"

    def was_wrong(self, at: int) -> bool:
        """Whether a task had errors when it was sent; they do not count while it is untouched."""
        return self._raw_masks[at] >= FIRST_ERROR

    def formula_of_wrong(self, at: int) -> str:
        """Return the formula of the mark beside a task that had errors when it was sent."""
        row = str(self.plan.first + at)
        total = self._total.replace(HERE, row)
        for mark, number in self.plan.ends.items():
            total = total.replace(mark, number)
        return f"=IF({self._untouched(at, row)},MOD({total},{FIRST_ERROR}),{total})"

    @property
    def checks_by_name(self) -> dict[str, Check]:
        """The checks by the key of their wording."""
        return {check.name: check for check in self.checks}

    def _untouched(self, at: int, row: str) -> str:
        plan, parts = self.plan, []
        for name in ("task_id", "reported_state", "progress_date", "completed_on",
                     "extension_requested_to"):  # fmt: skip
            held = plan.cells(name)[at]
            cell = plan.cell(name, row)
            if held is None:
                same = '""'
            elif isinstance(held, str):
                same = literal(held)
            else:
                same = repr(held if isinstance(held, (int, float)) else serial(held))
            parts.append(f"{cell}={same}")
        lengths = [
            f"LEN({plan.cell(name, row)})={len(plan.texts(name)[at])}"
            for name, spec in plan.fields.items()
            if name in EDITABLE_FIELDS and spec.max_length is not None
        ]
        return f"IFERROR(AND({','.join((*parts, *lengths))}),FALSE)"

    def _checks(self, form_limit: int) -> tuple[Check, ...]:
        content, plan = self.content, self.plan
        words = content.profile.words["reported_state"]
        open_, half, done = (literal(words[n]) for n in ("not_started", "in_progress", "done"))
        today, as_of = self.today, AS_OF_CELL
        day, as_day = serial(content.as_of), serial(content.as_of)
        limits = self._limits
        sent = unit_texts()["sheets"]["hidden"]
        names = plan.sent_names
        first_sent = SENT_COLUMN + 1
        id_column = column_letter(first_sent + names.index("task_id"))
        date_column = column_letter(first_sent + names.index("progress_date"))
        was_sent = (
            f"COUNTIFS('{sent}'!${id_column}$2:${id_column}${LAST_SENT},{{task_id}},"
            f"'{sent}'!${date_column}$2:${date_column}${LAST_SENT},\"?*\")"
        )
        any_date = any(plan.texts("progress_date"))

        def bad_day(name: str) -> str:
            return (
                f'({{{name}}}<>"")*(((N({{{name}}})<{FIRST_DAY})'
                f"+(N({{{name}}})>={LAST_DAY + 1}))>0)"
            )

        errors: list[tuple[str, str, str, Callable[[_Row], bool]]] = [
            (
                "key", "task_id",
                f'(((TRIM({{task_id}})="")+(COUNTIF({plan.any_span("task_id")},{{task_id}})>1))>0)',
                lambda row: row.empty("task_id"),
            ),
            (
                "bad_choice", "reported_state",
                f"(1-OR({{state}}={open_},{{state}}={half},{{state}}={done}))",
                lambda row: row.state == "",
            ),
            (
                "done_without_date", "completed_on",
                f'({{state}}={done})*({{completed_on}}="")',
                lambda row: row.state == "done" and row.blank("completed_on"),
            ),
            (
                "bad_completed_on", "completed_on", bad_day("completed_on"),
                lambda row: row.bad_date("completed_on"),
            ),
            (
                "bad_progress_date", "progress_date", bad_day("progress_date"),
                lambda row: row.bad_date("progress_date"),
            ),
            (
                "bad_extension", "extension_requested_to", bad_day("extension_requested_to"),
                lambda row: row.bad_date("extension_requested_to"),
            ),
            (
                "completed_in_future", "completed_on",
                f"(N({{completed_on}})>={today}+1)",
                lambda row: row.number("completed_on") >= day + 1,
            ),
            (
                "progress_in_future", "progress_date",
                f"(N({{progress_date}})>={today}+1)",
                lambda row: row.number("progress_date") >= day + 1,
            ),
            (
                "completed_before_issue", "completed_on",
                "(N({completed_on})>0)*(INT(N({completed_on}))<INT(N({issue_date})))",
                lambda row: 0 < row.number("completed_on") < int(row.number("issue_date")),
            ),
            (
                "progress_with_completion", "completed_on",
                f'({{state}}={half})*({{completed_on}}<>"")',
                lambda row: row.state == "in_progress" and not row.blank("completed_on"),
            ),
            (
                "not_started_with_date", "reported_state",
                f'({{state}}={open_})*((({{completed_on}}<>"")+({{progress_date}}<>""))>0)',
                lambda row: row.state == "not_started"
                and not (row.blank("completed_on") and row.blank("progress_date")),
            ),
            (
                "too_long", "progress_text",
                "((" + "+".join(f"(LEN({{{n}}})>{most})" for n, most in limits.items()) + ")>0)",
                lambda row: any(row.length(name) > most for name, most in limits.items()),
            ),
        ]  # fmt: skip
        if any_date:
            errors.append(
                (
                    "progress_date_cleared", "progress_date",
                    f'({{state}}<>{open_})*({{progress_date}}="")*({was_sent}>0)',
                    lambda _row: False,
                )
            )  # fmt: skip
        errors.append(("cell_error", "reported_state", "0", lambda _row: False))
        overdue, finished_late = (
            f"({'+'.join(f'({{code}}={code})' for code in codes)})"
            for codes in (OVERDUE_CODES, LATE_CODES)
        )
        late = f"({overdue}+{finished_late}*(N({{completed_on}})>0))"
        warnings: list[tuple[str, str, str, Callable[[_Row], bool]]] = [
            (
                "late_without_reason", "late_reason", f'(TRIM({{late_reason}})="")*{late}',
                lambda row: row.late
                and row.empty("late_reason")
                and (row.state != "done" or row.number("completed_on") > 0),
            ),
            (
                "extension_without_reason", "extension_reason",
                '({extension_requested_to}<>"")*(TRIM({extension_reason})="")',
                lambda row: not row.blank("extension_requested_to")
                and row.empty("extension_reason"),
            ),
            (
                "after_form_date", "progress_date",
                f"(((INT(N({{completed_on}}))>{as_of})+(INT(N({{progress_date}}))>{as_of}))>0)",
                lambda row: int(row.number("completed_on")) > as_day
                or int(row.number("progress_date")) > as_day,
            ),
            (
                "progress_without_date", "progress_date",
                f'({{state}}={half})*({{progress_date}}="")'
                + (f"*({was_sent}=0)" if any_date else ""),
                lambda row: row.state == "in_progress" and row.blank("progress_date"),
            ),
        ]  # fmt: skip
        if content.profile.features.evidence:
            warnings.append(
                (
                    "done_without_evidence", "evidence",
                    f'({{state}}={done})*(TRIM({{evidence}})="")',
                    lambda row: row.state == "done" and row.empty("evidence"),
                )
            )  # fmt: skip
        warnings.append(
            (
                "too_long_for_form", "progress_text", f"(LEN({{progress_text}})>{form_limit})",
                lambda row: row.length("progress_text") > form_limit,
            )
        )  # fmt: skip
        return tuple(
            Check(name, bit, target, formula, holds)
            for start, group in ((FIRST_ERROR, errors), (1, warnings))
            for bit, (name, target, formula, holds) in zip(
                (start << at for at in range(len(group))), group, strict=True
            )
        )


_JUDGED: Final = (
    "issue_date", "task_id", *(name for name in EDITABLE_FIELDS if name != "reported_state"),
)  # fmt: skip
"""Fields that the checks look at, beside the state."""


def _judged(plan: ListPlan, shortest: int, day: float) -> list[Sequence[Any]]:
    """Return what the checks see of each task: equal for tasks of which they say the same.

    They tell texts only by being blank or longer than a limit. Days that can be and have come
    are alike, and of the day of issue they only ask whether it follows the completion.

    Args:
        plan: What the cells hold.
        shortest: The lowest of the limits.
        day: Day of the sent values, as Excel counts it.

    Returns:
        For each field of `_JUDGED`, what is seen of it in each task.
    """

    def seen(value: Held) -> Held:
        if isinstance(value, str):
            if len(value) > shortest:
                return value
            return "x" if value.strip(" ") else " "
        if isinstance(value, date) and FIRST_DAY <= serial(value) < day + 1:
            return day
        return value

    found: list[Sequence[Any]] = []
    for name in _JUDGED:
        values = plan.cells(name)
        if values.count(None) < len(values):
            values = [None if value is None else seen(value) for value in values]
        found.append(values)
    completed = plan.cells("completed_on")
    if completed.count(None) == len(completed):
        found[0] = completed
        return found
    at = _JUDGED.index("completed_on")
    issued, done = list(plan.cells("issue_date")), list(found[at])
    for nth, (first, last) in enumerate(zip(issued, completed, strict=True)):
        follows = (
            isinstance(first, date)
            and isinstance(last, date)
            and serial(last) >= int(serial(first))
        )
        if last is None or follows:
            issued[nth] = None
        else:
            done[nth] = last
    found[0], found[at] = issued, done
    return found


def verdict_text(warnings: int) -> str:
    """Return the verdict over the values as sent, which have no errors."""
    texts = unit_texts()["check"]
    if not warnings:
        return str(texts["passed"])
    return f"{texts['passed']}.{texts['warnings_before']}{warnings}{texts['warnings_after']}"

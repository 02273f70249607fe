"""The rows of a returned list: which they are, and where they differ from what was sent.

The list is compared with what was sent column by column. A row whose cells could all be read
and which has a task of its own needs no object: its number tells everything. `Row` is made
for those that need a look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.cells import CellKind, column_letter
from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.merge import STATE_FIELDS, same_value
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.domain.text import clean, fold, task_keys
from xl_theodoi.messages import printed

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from xl_theodoi.domain.intake import Reading
    from xl_theodoi.operations.sent_values import SentValues


@dataclass(slots=True)
class Row:
    """One row of a returned list.

    Attributes:
        number: Its position in the list.
        key: Task key, blank where the row has none.
        values: Typed values by field; `reported_state` as a `Progress` value.
        findings: What its cells hold that could not be taken.
    """

    number: int
    key: str
    values: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


class Places:
    """Addresses in a returned list; they outlive its values."""

    __slots__ = ("_file", "_letters", "_lines", "sheet")

    def __init__(self, reading: Reading) -> None:
        table = reading.table
        self._file, self.sheet = table.file, table.sheet
        self._lines = table.row_numbers
        self._letters = {
            name: column_letter(table.columns[label].index)
            for name, label in reading.labels.items()
        }

    def location(self, number: int, name: str) -> Location:
        """Return the address of a row's field; of the row where the column is missing."""
        cell = f"{self._letters.get(name, 'A')}{self._lines[number]}"
        return Location(self._file, self.sheet, cell)

    def address(self, number: int, name: str) -> str | None:
        """Return a field's cell with its sheet, for the change log; None without a column."""
        letters = self._letters.get(name)
        return None if letters is None else f"{self.sheet}!{letters}{self._lines[number]}"


class ReturnedRows:
    """The rows of a returned list, against what was sent.

    Args:
        reading: The list.
        sent: What was sent.
        tasks: Keys of the register's tasks.

    Attributes:
        reading: The list.
        sent: What was sent.
        places: Addresses of its cells.
        keys: Task key of every line of the list.
        numbers: Lines that are rows, in list order: not notes or signatures below the list.
        differing: Fields in which a row differs from what was sent, by number; only for rows
            that are in no doubt.
        doubtful: Rows that need a look, by number: with findings, or not known to be sent.
        findings: Warnings about the list as a whole.
    """

    def __init__(self, reading: Reading, sent: SentValues, tasks: Container[str]) -> None:
        self.reading = reading
        self.sent = sent
        self.places = Places(reading)
        self.keys = task_keys(reading.columns["task_id"])
        self.numbers: list[int] = []
        self.differing: dict[int, list[str]] = {}
        self.doubtful: dict[int, Row] = {}
        self.findings: list[Finding] = []
        self._tasks = tasks
        self._sent_columns = sent.aligned(self.keys)
        self._absent = [name for name in EDITABLE_FIELDS if name not in reading.labels]
        self._report_absent()
        self._sort()
        self._compare()
        self._judge_date_columns()

    # Rows

    def row(self, number: int) -> Row:
        """Return a row with all its values."""
        found = self.doubtful.get(number)
        if found is None:
            values = self.reading.row(number)
            self._fill_absent(number, values)
            found = Row(number, self.keys[number], values)
        return found

    def value(self, number: int, name: str) -> Any:
        """Return a field of a row that is in no doubt; as sent where its column is missing."""
        column = self.reading.columns.get(name)
        return self.sent_value(number, name) if column is None else column[number]

    def sent_value(self, number: int, name: str) -> Any:
        """Return what was sent in a field of a row."""
        column = self._sent_columns.get(name)
        return None if column is None else column[number]

    @cached_property
    def states(self) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """The fields of the situation, as returned and as sent; not for doubtful rows."""
        blank = [None] * len(self.keys)
        sent = [self._sent_columns.get(name, blank) for name in STATE_FIELDS]
        columns = self.reading.columns
        theirs = [
            columns.get(name, column) for name, column in zip(STATE_FIELDS, sent, strict=True)
        ]
        pairs = (zip(*side, strict=True) for side in (theirs, sent))
        return list(zip(*pairs, strict=True))

    def is_untouched(self, number: int) -> bool:
        """Whether a unit has left every cell of a row that it may write as it was sent."""
        row = self.doubtful.get(number)
        if row is None:
            return all(
                name not in _EDITABLE
                or same_value(self.value(number, name), self.sent_value(number, name))
                for name in self.differing.get(number, ())
            )
        return (
            row.key in self.sent
            and not any(finding.field in _EDITABLE for finding in row.findings)
            and all(
                same_value(row.values.get(name), self.sent_value(number, name))
                for name in EDITABLE_FIELDS
            )
        )

    def are_as_sent(self) -> bool:
        """Whether the list holds what was sent and nothing else."""
        return all(map(self.is_untouched, self.numbers))

    # Which lines are rows

    def _report_absent(self) -> None:
        for name in self._absent:
            if any(value not in (None, "", ()) for value in self.sent.columns.get(name, ())):
                table = self.reading.table
                where = Location(table.file, table.sheet)
                self.findings.append(warning("unit_column_missing", where, field=name))

    def _sort(self) -> None:
        """Tell rows of tasks from notes and signatures below them, which are none."""
        reading, table = self.reading, self.reading.table
        lines = table.row_numbers
        unsent = [number for number, key in enumerate(self.keys) if key not in self.sent]
        if not unsent and not reading.problems:
            self.numbers = list(range(len(self.keys)))
            return
        last_known = 0
        if unsent:
            known = (line for key, line in zip(self.keys, lines, strict=True) if self._knows(key))
            last_known = max(known, default=table.header_row)
        last_row = max(last_known, table.last_table_row)
        waiting = set(unsent)
        for number, key in enumerate(self.keys):
            problems = reading.problems.get(number)
            if number in waiting:
                row = Row(number, key, reading.row(number), list(problems or ()))
                if not self._is_row(row, lines[number] > last_row):
                    continue
                self.doubtful[number] = row
            elif problems:
                values = reading.row(number)
                real = self._real_problems(number, values, problems)
                self._fill_absent(number, values)
                self.doubtful[number] = Row(number, key, values, real)
            self.numbers.append(number)

    def _knows(self, key: str) -> bool:
        return key in self.sent or key in self._tasks

    def _is_row(self, row: Row, is_beyond: bool) -> bool:
        """Whether a line that was not sent counts as a row."""
        if not row.values and not row.findings:
            return False
        if row.key in self._tasks:
            return True
        if _is_heading(self.reading, row.number):
            return False
        # Beyond the tasks a line is a note or signature, unless it was meant as a task.
        return not is_beyond or _is_task_row(row)

    def _real_problems(
        self, number: int, values: dict[str, Any], problems: list[Finding]
    ) -> list[Finding]:
        """Return the problems of cells that the unit has touched.

        What the register itself held is not the unit's fault; such a cell counts as untouched.
        """
        real = []
        for finding in problems:
            name = finding.field or ""
            raw = self.reading.table.value(number, self.reading.labels[name])
            sent = self.sent_value(number, name)
            if isinstance(raw, str) and sent is not None and same_value(clean(raw), printed(sent)):
                values[name] = sent
            else:
                real.append(finding)
        return real

    def _fill_absent(self, number: int, values: dict[str, Any]) -> None:
        """Let the fields whose columns are missing stand as they were sent."""
        if self.keys[number] in self.sent:
            for name in self._absent:
                sent = self.sent_value(number, name)
                if sent is not None:
                    values[name] = sent

    # Against what was sent

    def _compare(self) -> None:
        count = len(self.keys)
        blank = [None] * count
        for name, column in self.reading.columns.items():
            sent = self._sent_columns.get(name, blank)
            if name == "task_id" or column == sent:
                continue
            for number in compress(range(count), map(ne, column, sent)):
                if number not in self.doubtful:
                    self.differing.setdefault(number, []).append(name)

    def _judge_date_columns(self) -> None:
        """Refuse dates that read both ways round, where text and real dates stand mixed.

        Only cells that the unit filled in count; what was sent says nothing of its computer.
        """
        reading = self.reading
        for name in EDITABLE_FIELDS:
            swappable = reading.swappable.get(name)
            if not swappable:
                continue
            kinds = reading.table.columns[reading.labels[name]].kinds
            filled = [number for number in self.numbers if self._has_new_date(number, name)]
            if not any(kinds[number] == CellKind.DATE for number in filled):
                continue
            for number in filled:
                if kinds[number] == CellKind.TEXT and number in swappable:
                    self._refuse_ambiguous(number, name)

    def _has_new_date(self, number: int, name: str) -> bool:
        row = self.doubtful.get(number)
        value = self.value(number, name) if row is None else row.values.get(name)
        return isinstance(value, date) and not same_value(value, self.sent_value(number, name))

    def _refuse_ambiguous(self, number: int, name: str) -> None:
        row = self.doubtful[number] = self.row(number)
        self.differing.pop(number, None)
        row.findings.append(
            error(
                "ambiguous_date",
                self.places.location(number, name),
                task_id=row.values.get("task_id"),
                field=name,
                value=self.reading.table.value(number, self.reading.labels[name]),
            )
        )


_EDITABLE = frozenset(EDITABLE_FIELDS)


def _is_heading(reading: Reading, number: int) -> bool:
    """Whether a row repeats the headings, as a list does that was printed page by page."""
    cells = [
        (fold(label), fold(str(value)))
        for label, column in reading.table.columns.items()
        if (value := column.values[number]) is not None
    ]
    return len(cells) > 1 and all(label == value for label, value in cells)


_KEY_LIKE = re.compile(r"[^\W_]*-?\d[\w./-]*|[^\W\d_]+[-./]?\d[\w./-]*")


def _is_task_row(row: Row) -> bool:
    """Whether an unknown row below the list was meant as a task.

    It reports a state, or looks like a row: a key like ours with anything beside it, or
    several columns filled.
    """
    values: Mapping[str, Any] = row.values
    if values.get("reported_state"):
        return True
    filled = {*values, *(finding.field for finding in row.findings)}
    if row.key and " " not in str(values.get("task_id", "")) and _KEY_LIKE.fullmatch(row.key):
        return len(filled) >= 2
    return len(filled) >= 3 and (bool(row.key) or "content" in filled)

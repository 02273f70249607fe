"""Typed values to the cells of a table: units, lists and enumerations as people read them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.live import (
    CODE,
    FINISHED,
    HISTORY,
    PAST,
    past_at,
    serial,
    status_code,
)
from xl_theodoi.domain.merge import same_value
from xl_theodoi.domain.profile import COMPUTED_FIELDS, FORMULA_HELPERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.model import Status, TaskView
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.operations.master import Master


def cell_value(value: Any) -> Value:
    """Return a typed value as a cell holds it; several values stand with semicolons."""
    if isinstance(value, tuple):
        return "; ".join(str(item) for item in value) or None
    return None if value == "" else value


def computed_values(
    status: Status, profile: Profile, as_of: date, *, closing_finishes: bool
) -> dict[str, Value]:
    """Return the computed columns of a task as the register prints them.

    Most hold formulas: these are the results that the formulas give at the as-of date.

    Args:
        status: The task's status.
        profile: Gives the words.
        as_of: The day of the status.
        closing_finishes: Whether closing a task finishes it (A12).
    """
    return {
        HISTORY: status.history,
        PAST: past_at(status.history, as_of, closing_finishes=closing_finishes),
        FINISHED: serial(status.completed_on),
        CODE: status_code(status),
        "progress": profile.words["progress"][status.progress.value],
        "timeliness": profile.words["timeliness"][status.timeliness.value],
        "status_label": status.label,
        "effective_due_date": status.effective_due_date,
        "days_left": status.days_left,
    }


def register_fields(view: TaskView, master: Master) -> dict[str, Any]:
    """Return a task's fields, the computed ones included, for a new row of the register."""
    labels = master.register.labels
    computed = computed_of(view, master)
    return {**view.values, **{name: computed[name] for name in computed if name in labels}}


def computed_of(view: TaskView, master: Master) -> dict[str, Value]:
    """Return the computed columns of a task at the master's as-of date."""
    assert view.status is not None  # noqa: S101 - tasks of a master are always judged
    return _computed(view.status, master)


def _computed(status: Status, master: Master) -> dict[str, Value]:
    closing = master.settings.flag("closed_counts_as_done")
    return computed_values(status, master.profile, master.as_of, closing_finishes=closing)


def labelled(master: Master, table: str, row: Mapping[str, Any]) -> dict[str, Value]:
    """Return a row by the headings that the table has in this workbook.

    Raises:
        TheodoiError: `column_missing` where a value has no column to go to.
    """
    labels = master.reading(table).labels
    cells: dict[str, Value] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name not in labels:
            raise TheodoiError(
                "column_missing", table=table, column=master.specs(table)[name].label,
                path=master.file_name,
            )  # fmt: skip
        cells[labels[name]] = cell_value(value)
    return cells


def labelled_columns(
    master: Master, table: str, columns: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Value]]:
    """Return columns by the headings that the table has in this workbook.

    Columns without a value are left out; texts and dates stay the very objects.

    Raises:
        TheodoiError: `column_missing` as `labelled` would for the first row with a value that
            has no column to go to.
    """
    labels = master.reading(table).labels
    cells: dict[str, Sequence[Value]] = {}
    missing: list[tuple[int, str]] = []
    for name, column in columns.items():
        first = next((row for row, value in enumerate(column) if value is not None), None)
        if first is None:
            continue
        if name not in labels:
            missing.append((first, name))
        elif any(value == "" or isinstance(value, tuple) for value in set(column)):
            cells[labels[name]] = [cell_value(value) for value in column]
        else:
            cells[labels[name]] = column
    if missing:
        _, name = min(missing, key=lambda place: place[0])
        raise TheodoiError(
            "column_missing", table=table, column=master.specs(table)[name].label,
            path=master.file_name,
        )  # fmt: skip
    return cells


def changed_cells(
    master: Master, position: int, new: Mapping[str, Any]
) -> dict[tuple[int, str], Value]:
    """Return the cells of a register row whose value is not yet the new one.

    Raises:
        TheodoiError: `column_missing` where a value has no column to go to.
    """
    cells = ChangedCells(master)
    cells.add(position, new)
    return cells.cells()


def changed_computed(master: Master, view: TaskView) -> dict[tuple[int, str], Value]:
    """Return the computed cells of a register row that show something else than is true."""
    assert view.status is not None  # noqa: S101 - tasks of a master are always judged
    return changed_status(master, view.position, view.status)


def changed_status(master: Master, position: int, status: Status) -> dict[tuple[int, str], Value]:
    """Return the computed cells of a register row that show another status than this one."""
    cells = ChangedCells(master)
    cells.add_status(position, status)
    return cells.cells()


class _Field:
    """One column of the register: what it holds, and what is to be put into it."""

    __slots__ = ("known", "positions", "raw", "values")

    def __init__(self, raw: Sequence[Value], known: Sequence[Any]) -> None:
        self.raw = raw
        self.known = known
        self.positions: list[int] = []
        self.values: list[Value] = []


class ChangedCells:
    """Cells of the register that do not show yet what they should, collected by columns.

    Args:
        master: The master; rows are given by ascending position.
    """

    def __init__(self, master: Master) -> None:
        self._master = master
        self._fields: dict[str, _Field] = {}
        self._computed: list[tuple[str, _Field]] | None = None
        self._shown: dict[int, tuple[Status, list[Value]]] = {}

    def expect(self, names: Iterable[str]) -> None:
        """Make sure that there is a column for each of some fields.

        Raises:
            TheodoiError: `column_missing` for the first without one.
        """
        for name in names:
            if name not in self._fields:
                self._field(name)

    def _field(self, name: str) -> _Field:
        register = self._master.register
        label = register.labels.get(name)
        if label is None:
            raise TheodoiError(
                "column_missing", table=register.table.name,
                column=self._master.profile.register[name].label, path=self._master.file_name,
            )  # fmt: skip
        raw = register.table.columns[label].values
        field = self._fields[name] = _Field(raw, register.columns.get(name, ()))
        return field

    def add(self, position: int, new: Mapping[str, Any]) -> None:
        """Add the cells of a row whose value is not yet the new one.

        Raises:
            TheodoiError: `column_missing` where a value has no column to go to.
        """
        fields = self._fields
        for name, value in new.items():
            field = fields.get(name) or self._field(name)
            wanted = cell_value(value)
            raw = field.raw[position]
            if raw is None:
                is_same = wanted is None
            else:
                is_same = (type(raw) is type(wanted) and raw == wanted) or (
                    same_value(field.known[position], value) and not _needs_type(raw, wanted)
                )
            if is_same:
                continue
            field.positions.append(position)
            field.values.append(wanted)

    def add_status(self, position: int, status: Status) -> None:
        """Add the computed cells of a row that show another status than this one."""
        computed = self._computed
        if computed is None:
            labels = self._master.register.labels
            names = [name for name in (*COMPUTED_FIELDS, *FORMULA_HELPERS) if name in labels]
            self.expect(names)
            computed = self._computed = [(name, self._fields[name]) for name in names]
        shown = self._shown.get(id(status))
        if shown is None:
            values = _computed(status, self._master)
            # The status is kept so that no other object gets its number.
            shown = status, [values[name] for name, _ in computed]
            self._shown[id(status)] = shown
        for (_, field), value in zip(computed, shown[1], strict=True):
            if field.raw[position] != value and not _same_number(field.raw[position], value):
                if field.positions and field.positions[-1] == position:
                    field.values[-1] = value
                else:
                    field.positions.append(position)
                    field.values.append(value)

    def columns(self) -> dict[str, tuple[list[int], list[Value]]]:
        """Return positions and values by the headings that the register has."""
        labels = self._master.register.labels
        return {
            labels[name]: (field.positions, field.values)
            for name, field in self._fields.items()
            if field.positions
        }

    def cells(self) -> dict[tuple[int, str], Value]:
        """Return the values by position and heading."""
        return {
            (position, label): value
            for label, (positions, values) in self.columns().items()
            for position, value in zip(positions, values, strict=True)
        }


def _same_number(raw: Value, wanted: Value) -> bool:
    """Whether a formula's result is the wanted one, in a cell of another number format.

    The office may have moved the column: then a day reads as a number, or the other way round.
    """
    if raw is None or wanted is None or isinstance(raw, str) or isinstance(wanted, str):
        return False
    return _as_number(raw) == _as_number(wanted)


def _as_number(value: float | date) -> float:
    if not isinstance(value, date):
        return value
    # Excel knows a 29 February 1900; days before it count one less.
    return serial(value) - (value.toordinal() < _MARCH_1900)


_MARCH_1900 = date(1900, 3, 1).toordinal()


def _needs_type(raw: Value, wanted: Value) -> bool:
    return isinstance(raw, str) != isinstance(wanted, str)

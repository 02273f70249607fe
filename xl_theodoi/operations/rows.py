"""Typed values to the cells of a table: units, lists and enumerations as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.merge import same_value
from xl_theodoi.domain.profile import COMPUTED_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.model import Status, TaskView
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.operations.master import Master


def cell_value(value: Any) -> Value:
    """Return a typed value as a cell holds it; several values stand with semicolons."""
    if isinstance(value, tuple):
        return "; ".join(str(item) for item in value) or None
    return None if value == "" else value


def computed_values(status: Status, profile: Profile) -> dict[str, Value]:
    """Return the computed fields of a task as the register prints them.

    The one place where computed cells come from: values now, formulas when workbooks live.
    """
    return {
        "progress": profile.words["progress"][status.progress.value],
        "timeliness": profile.words["timeliness"][status.timeliness.value],
        "status_label": status.label,
        "effective_due_date": status.effective_due_date,
        "days_left": status.days_left,
    }


def register_fields(view: TaskView, profile: Profile) -> dict[str, Any]:
    """Return a task's fields, the computed ones included."""
    assert view.status is not None  # noqa: S101 - tasks of a master are always judged
    return {**view.values, **computed_values(view.status, profile)}


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
    register = master.register
    table = register.table
    cells: dict[tuple[int, str], Value] = {}
    for name, value in new.items():
        label = register.labels.get(name)
        if label is None:
            raise TheodoiError(
                "column_missing", table=table.name,
                column=master.profile.register[name].label, path=master.file_name,
            )  # fmt: skip
        wanted = cell_value(value)
        raw = table.columns[label].values[position]
        if raw is None and wanted is not None:
            cells[position, label] = wanted
            continue
        if raw == wanted and type(raw) is type(wanted):
            continue
        known = register.columns[name][position]
        if same_value(known, value) and not _needs_type(raw, wanted):
            continue
        cells[position, label] = wanted
    return cells


def _needs_type(raw: Value, wanted: Value) -> bool:
    return isinstance(raw, str) != isinstance(wanted, str)


def changed_computed(master: Master, view: TaskView) -> dict[tuple[int, str], Value]:
    """Return the computed cells of a register row that show something else than is true."""
    assert view.status is not None  # noqa: S101 - tasks of a master are always judged
    return changed_status(master, view.position, view.status)


def changed_status(master: Master, position: int, status: Status) -> dict[tuple[int, str], Value]:
    """Return the computed cells of a register row that show another status than this one."""
    cells: dict[tuple[int, str], Value] = {}
    ComputedCells(master).add_changed(cells, position, status)
    return cells


class ComputedCells:
    """The computed columns of a register, looked up once for many rows."""

    def __init__(self, master: Master) -> None:
        register = master.register
        self._profile = master.profile
        self._columns = [
            (name, label, register.table.columns[label].values)
            for name in COMPUTED_FIELDS
            if (label := register.labels.get(name)) is not None
        ]
        self._shown: dict[int, tuple[Status, list[Value]]] = {}

    def add_changed(
        self, cells: dict[tuple[int, str], Value], position: int, status: Status
    ) -> None:
        """Add the cells of a row that show another status than this one."""
        known = self._shown.get(id(status))
        if known is None:
            values = computed_values(status, self._profile)
            known = status, [values[name] for name, *_ in self._columns]
            self._shown[id(status)] = known
        for (_, label, column), value in zip(self._columns, known[1], strict=True):
            if column[position] != value:
                cells[position, label] = value

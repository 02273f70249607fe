"""The register's formulas: which there must be in a master, and which are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, column_letter
from xl_theodoi.domain.changes import AddSheet, LiveColumns, SetColumns
from xl_theodoi.domain.live import FORMULA_FIELDS, HISTORY, WEIGHTS, serial
from xl_theodoi.domain.names import CALCULATION_SHEET, REGISTER
from xl_theodoi.domain.own_row import positions_without

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import SheetTable, Value
    from xl_theodoi.domain.changes import Change
    from xl_theodoi.domain.intake import Reading
    from xl_theodoi.operations.master import Master

NEEDED = frozenset(
    {*WEIGHTS, *FORMULA_FIELDS, HISTORY, "task_id", "content", "lead_unit"}
    - {"progress", "timeliness", "status_label", "days_left"}
)
"""Columns without which the formulas of the others cannot be; the rest nobody refers to."""


_COMPUTED = (HISTORY, *FORMULA_FIELDS)


def register_formulas(master: Master) -> dict[str, str]:
    """Return the formulas of a master's register by column label.

    Returns:
        Nothing for a register of an older layout, or one that lacks a column they refer to:
        its computed columns hold plain values then.
    """
    return _formulas(master.register.labels)


def _formulas(labels: Mapping[str, str]) -> dict[str, str]:
    from xl_theodoi.workbook.building.live import structured_formulas  # noqa: PLC0415

    if not labels.keys() >= NEEDED:
        return {}
    return structured_formulas(labels)


def completed_formulas(master: Master, added: Mapping[str, str]) -> list[Change]:
    """Return the formulas of a register that gains columns, and their results.

    Where a formula is or names one of the new columns, they are put into every row.

    Args:
        master: The master.
        added: Labels of the columns that it gains, by field.
    """
    from xl_theodoi.operations.rows import computed_of  # noqa: PLC0415

    labels = {**master.register.labels, **added}
    formulas = _formulas(labels)
    if not formulas:
        return []
    if added.keys().isdisjoint(NEEDED | {*FORMULA_FIELDS}):
        return [LiveColumns(REGISTER, formulas)]
    rows = range(len(master.register))
    positions = [view.position for view in master.tasks]
    results = [computed_of(view, master) for view in master.tasks]
    columns = {labels[name]: (positions, [row[name] for row in results]) for name in _COMPUTED}
    return [
        LiveColumns(REGISTER, formulas, dict.fromkeys(formulas, rows)),
        SetColumns(REGISTER, columns),
    ]


def calculation_sheet(master: Master) -> AddSheet:
    """Return the sheet on which a register's formulas calculate."""
    from xl_theodoi.workbook.building.live import Calculation  # noqa: PLC0415

    words = master.profile.words["day_kind"]
    rows: list[dict[str, Value]] = [
        {"date": entry.date, "kind": words[entry.kind.value]} for entry in master.office_days
    ]
    cells = Calculation(master.profile, master.settings, rows, master.as_of).cells()
    return AddSheet(
        CALCULATION_SHEET,
        {
            f"{column_letter(column + 1)}{row + 1}": (formula or None, value)
            for row, column, formula, value in cells
        },
    )


def with_formulas(
    master: Master, changes: Sequence[Change], *, mends: bool = False
) -> list[Change]:
    """Return changes to a master, those of its register told of its formulas.

    Args:
        master: The master.
        changes: What is to change.
        mends: Whether cells that lack their formula are to get it back.
    """
    touches = any(getattr(change, "table", None) == REGISTER for change in changes)
    if not (touches or mends):
        return list(changes)
    formulas = register_formulas(master)
    missing: dict[str, list[int]] = {}
    if mends and formulas:
        table = master.register.table
        found = {label: positions_without(table, label, text) for label, text in formulas.items()}
        missing = {label: positions for label, positions in found.items() if positions}
    if not formulas or not (touches or missing):
        return list(changes)
    return [LiveColumns(REGISTER, formulas, missing), *changes]


class SeenCells:
    """What Excel takes the cells for from which a status follows, where people mean another.

    A date typed as text is a date to the reader of the register and nothing to a formula.

    Args:
        register: The register as read.
    """

    def __init__(self, register: Reading) -> None:
        self._register = register
        self.rows: frozenset[int] = frozenset().union(
            *(_odd_rows(register, name) for name in WEIGHTS if name in register.columns)
        )

    def numbers(self, position: int, values: Mapping[str, object]) -> dict[str, float | None]:
        """Return a row's cells as numbers, None for an error.

        Args:
            position: The row, one of `rows`.
            values: Its typed values; a cell whose value differs from the register's own is
                about to be written, as a date.
        """
        register = self._register
        numbers: dict[str, float | None] = {}
        for name in WEIGHTS:
            typed = values.get(name)
            if name not in register.columns or typed != register.columns[name][position]:
                numbers[name] = float(serial(typed))  # type: ignore[arg-type]
            else:
                numbers[name] = _number(register.table, position, register.labels[name])
        return numbers


def _odd_rows(register: Reading, name: str) -> set[int]:
    column = register.table.columns[register.labels[name]]
    typed = register.columns[name]
    usual = (int(CellKind.BLANK), int(CellKind.DATE))
    if set(column.kinds) <= set(usual) and typed.count(None) == column.kinds.count(usual[0]):
        return set()
    return {
        row
        for row, (kind, value) in enumerate(zip(column.kinds, typed, strict=True))
        if kind not in usual or (kind == usual[1] and value is None)
    }


def _number(table: SheetTable, position: int, label: str) -> float | None:
    column = table.columns[label]
    kind, raw = column.kinds[position], column.values[position]
    if kind in (CellKind.ERROR, CellKind.NO_VALUE):
        return None
    return _as_number(raw)


def _as_number(raw: Value) -> float:
    if isinstance(raw, (bool, int, float)):
        return float(raw)
    if raw is None or isinstance(raw, str):
        return 0.0
    return float(serial(raw))

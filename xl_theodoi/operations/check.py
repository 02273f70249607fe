"""`check`: every contradiction of a register, with the address of its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.events import extension_findings
from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.domain.text import fold_name, task_key
from xl_theodoi.domain.validate import (
    contradictions,
    doubtful_rows,
    future_dates,
    missing_values,
)
from xl_theodoi.domain.workdays import DayKind
from xl_theodoi.operations.duedates import due_date_findings
from xl_theodoi.operations.entries import PlainUnits, lead_unit_rows
from xl_theodoi.operations.loose_cells import rows_below
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.results import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from xl_theodoi.domain.intake import Reading
    from xl_theodoi.hosts import Host


def check(host: Host, as_of: date) -> CheckResult:
    """Return everything that is wrong or doubtful in a master; nothing is written.

    Args:
        host: The master.
        as_of: Day at which statuses are judged and after which dates are doubtful.
    """
    master = Master(host, as_of)
    findings = [
        *master.setting_findings,
        *_columns(master),
        *_units(master),
        *_days_off(master),
        *_register(master),
        *_events(master),
        *_requests(master),
        *_other_lists(master),
        *master.secrecy_findings,
    ]
    return CheckResult(findings, master.labels())


def _columns(master: Master) -> Iterator[Finding]:
    for name in (REGISTER, *master.profile.tables):
        specs = master.specs(name)
        if not master.has(name):
            yield error("missing_table", Location(master.file_name), table=name)
            continue
        reading = master.reading(name)
        where = Location(master.file_name, reading.table.sheet, f"A{reading.table.header_row}")
        for field, spec in specs.items():
            if field not in reading.labels:
                yield error("missing_column", where, field=field, label=spec.label, table=name)
        below = rows_below(master.content, reading.table)
        if below is not None:
            yield warning("rows_below_table", below[0], table=name, count=below[1])
        for label in reading.table.repeated:
            yield warning("repeated_column", where, label=label)


def _missing(reading: Reading, position: int, name: str) -> Finding:
    """Return that a cell of a list is blank which must not be."""
    return error(
        "missing_required",
        reading.location(position, name),
        task_id=reading.value(position, "task_id"),
        field=name,
        column=reading.labels.get(name, name),
    )


def _units(master: Master) -> Iterator[Finding]:
    reading = master.reading("DonVi")
    yield from reading.findings()
    codes: set[str] = set()
    for position in range(len(reading)):
        row = reading.row(position)
        if not row:
            continue
        for name in ("code", "name"):
            if not row.get(name):
                yield _missing(reading, position, name)
        code = fold_name(row.get("code", ""))
        if code and code in codes:
            where = reading.location(position, "code")
            yield error("duplicate_unit", where, field="code", value=row["code"])
        codes.add(code)


def _days_off(master: Master) -> Iterator[Finding]:
    if not master.has("NgayNghi"):
        return
    reading = master.reading("NgayNghi")
    yield from reading.findings()
    kinds: dict[date, str] = {}
    for position in range(len(reading)):
        row = reading.row(position)
        if not row or position in reading.problems:
            continue
        for name in ("date", "kind"):
            if not row.get(name):
                yield _missing(reading, position, name)
        day, kind = row.get("date"), row.get("kind")
        if day is None or kind is None:
            continue
        where = reading.location(position, "date")
        if kinds.get(day, kind) != kind:
            yield error("day_off_twice", where, field="date", value=day)
        kinds[day] = kind
        if kind == DayKind.MAKEUP_WORK.value and day.weekday() < 5:
            yield warning("makeup_on_weekday", where, field="date", value=day)


def _other_lists(master: Master) -> Iterator[Finding]:
    """Yield what is wrong in the lists that need no rule of their own."""
    for name in ("VanBan", "DauMoi", "ChuyenVien", "DeAn", "XungDot", "DonDoc"):
        if not master.has(name):
            continue
        reading = master.reading(name)
        yield from reading.findings()
        if name == "XungDot":
            continue
        for field, spec in master.specs(name).items():
            if spec.kind != "unit":
                continue
            for position, text in enumerate(reading.columns.get(field, ())):
                if text and master.unit_of(text) is None:
                    yield warning(
                        "unknown_unit",
                        reading.location(position, field),
                        field=field,
                        column=reading.labels[field],
                        value=text,
                        suggestion=master.units.suggest(text) or "—",
                    )


def _register(master: Master) -> Iterator[Finding]:
    register = master.register
    seen: set[str] = set()
    yield from _mixed_dates(master)
    doubtful = doubtful_rows(register.columns, len(register), master.profile, master.as_of)
    plain_units = PlainUnits(master.units)
    for view in master.tasks:
        position, row = view.position, view.values

        def locate(name: str, position: int = position) -> Location:
            return register.location(position, name)

        problems = register.problems.get(position, ())
        yield from problems
        task_id = row.get("task_id")
        if not task_id:
            yield error("missing_required", locate("task_id"), field="task_id")
        elif (key := task_key(task_id)) in seen:
            yield error(
                "duplicate_row",
                locate("task_id"),
                task_id=task_id,
                field="task_id",
                value=task_id,
            )
        else:
            seen.add(key)
        if position in doubtful:
            unreadable = frozenset(found.field or "" for found in problems)
            yield from missing_values(row, locate, master.profile, unreadable)
        if plain_units.of(row) is None:
            yield from lead_unit_rows(register, position, row, master.units)[1]
        if position in doubtful:
            yield from future_dates(row, locate, master.as_of)
        if position in master.uncounted:
            yield error(
                "calendar_missing",
                locate("due_date"),
                task_id=task_id,
                field="due_date",
                **master.uncounted[position].values,
            )
        _, found = due_date_findings(row, locate, master)
        yield from found
        yield from extension_findings(row, locate)
        assert view.status is not None  # noqa: S101 - tasks of a master are always judged
        yield from contradictions(row, view.status, locate, master.profile)
        parent = row.get("parent_task_id")
        if parent and task_key(parent) not in master.position_of:
            yield warning(
                "unknown_parent",
                locate("parent_task_id"),
                task_id=task_id,
                field="parent_task_id",
                value=parent,
            )


def _mixed_dates(master: Master) -> Iterator[Finding]:
    """Yield text dates that read both ways round in a column that also holds real dates."""
    register = master.register
    for name, positions in register.swappable.items():
        kinds = register.table.columns[register.labels[name]].kinds
        if not any(kind == CellKind.DATE for kind in kinds):
            continue
        for position in sorted(positions):
            yield warning(
                "ambiguous_date",
                register.location(position, name),
                task_id=register.value(position, "task_id"),
                field=name,
                value=register.table.value(position, register.labels[name]),
            )


def _events(master: Master) -> Iterator[Finding]:
    if not master.has("SuKien"):
        return
    reading = master.reading("SuKien")
    yield from reading.findings()
    yield from master.event_findings
    for event in master.recorded_events:
        where = reading.location(event.order, "task_id")
        if task_key(event.task_id) not in master.position_of:
            yield warning("event_unknown_task", where, field="task_id", value=event.task_id)
        if event.date > master.as_of:
            yield warning(
                "future_date",
                reading.location(event.order, "date"),
                task_id=event.task_id,
                field="date",
                column=reading.labels["date"],
                value=event.date,
                as_of=master.as_of,
            )


def _requests(master: Master) -> Iterator[Finding]:
    if not master.has("DeNghi"):
        return
    reading = master.reading("DeNghi")
    yield from reading.findings()
    for position in range(len(reading)):
        row = reading.row(position)
        task_id = row.get("task_id")
        if task_id and task_key(task_id) not in master.position_of:
            where = reading.location(position, "task_id")
            yield warning("request_unknown_task", where, field="task_id", value=task_id)
        if row.get("decision") != "agreed":
            continue
        needed = ["task_id", "kind", "decided_on"]
        if row.get("kind") == "extension" and not row.get("requested_to"):
            needed.append("new_due_date")
        wrong = {found.field for found in reading.problems.get(position, ())}
        for name in needed:
            if not row.get(name) and name not in wrong:
                yield _missing(reading, position, name)

"""`send`: one workbook for each unit, and the record of what was sent."""

from __future__ import annotations

import contextlib
import gc
import uuid
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change, SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, error
from xl_theodoi.domain.model import Unit
from xl_theodoi.domain.names import REGISTER, SENDINGS
from xl_theodoi.domain.profile import EDITABLE_FIELDS, LIVE_FIELDS
from xl_theodoi.domain.reportdue import report_due_on
from xl_theodoi.domain.scope import Scope, select_tasks
from xl_theodoi.domain.text import task_key
from xl_theodoi.operations.companion import sha256_of
from xl_theodoi.operations.duedates import period_name
from xl_theodoi.operations.live import with_formulas
from xl_theodoi.operations.master import LAYOUT_VERSION, Master
from xl_theodoi.operations.outputs import Outputs
from xl_theodoi.operations.progress import silent, told
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.operations.rows import cell_value, labelled
from xl_theodoi.operations.standings import Standings
from xl_theodoi.operations.writing import commit, writes
from xl_theodoi.workbook.building.unit import UnitContent, UnitWorkbooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from xl_theodoi.domain.model import TaskView
    from xl_theodoi.domain.periods import Period
    from xl_theodoi.hosts import Host
    from xl_theodoi.operations.progress import Progress

FORM_FIELDS = ("received_on", "approved_on")
"""Register fields that the unit's form prints beside those of its list."""


@writes("send")
def send(
    host: Host,
    period: Period,
    out: Path,
    as_of: date,
    *,
    only_new: bool = False,
    send_id: str | None = None,
    progress: Progress = silent,
) -> WriteResult:
    """Make the unit workbooks of a period.

    Args:
        host: The master.
        period: Reporting period.
        out: Folder for the workbooks; an existing file is never overwritten.
        as_of: Day at which the sent values are true.
        only_new: Send only tasks that were never transferred.
        send_id: Identity of this sending; a new one by default.
        progress: Is told of every unit.

    Returns:
        The workbooks written; tasks whose unit is unknown are findings.

    Raises:
        TheodoiError: `would_overwrite`, or where the master cannot be written; no file is
            left behind then.
    """
    with _few_collections() as let_be:
        master = Master(host, as_of)
        findings, by_unit = _tasks_by_unit(master, only_new=only_new)
        let_be()
        return _sent(
            master, period, out, by_unit, findings, send_id or uuid.uuid4().hex[:12], progress
        )


def _sent(
    master: Master,
    period: Period,
    out: Path,
    by_unit: Mapping[str, Sequence[TaskView]],
    findings: list[Finding],
    send_id: str,
    progress: Progress,
) -> WriteResult:
    """Make the workbooks and write them, their record and the master."""
    host = master.host
    result = WriteResult(
        counts={"files": len(by_unit), "tasks": sum(map(len, by_unit.values()))},
        findings=findings,
        labels=master.labels(),
    )
    if not by_unit:
        return result
    targets = {code: out / f"{code}_{period.code}.xlsx" for code in by_unit}
    for path in targets.values():
        if path.exists():
            raise TheodoiError("would_overwrite", path=str(path))
    host.ensure_writable()
    hashes = []
    workbooks, common = UnitWorkbooks(), _content(master, period, send_id)
    sent_values, standings = SentRows(master), Standings(master)
    with Outputs() as made:
        names = {code: master.units.by_code[code].short_name or code for code in by_unit}
        for code, views in told(list(by_unit.items()), progress, lambda item: names[item[0]]):
            rows = [sent_values.of(view) for view in views]
            content = replace(
                common,
                unit=master.units.by_code[code],
                identity={**common.identity, "unit": code},
                rows=rows,
                standings=[standings.of(view) for view in views],
            )
            data = workbooks.build(content)
            made.add(targets[code], data)
            hashes.append(sha256_of(data))
            record = _record(period, send_id, code, master.as_of, rows)
            made.add(*master.companion.sent_record(send_id, code, record))
        made.add(*master.companion.hashes_record(send_id, hashes))
        changes = with_formulas(master, _master_changes(master, period, send_id, by_unit))
        commit(master, "send", changes, made)
    result.written = [*targets.values(), host.path]
    result.parts_changed = host.parts_changed
    return result


@contextlib.contextmanager
def _few_collections() -> Iterator[Callable[[], None]]:
    """Let Python look for rings of garbage only where there may be any.

    Nothing of the register is garbage before the sending ends; its hundreds of thousands of
    objects would be looked through again and again while the workbooks are made, each of
    which leaves a ring.

    Yields:
        To be called when the register is read: what is there by then is let be.
    """
    collects = gc.isenabled()
    gc.disable()

    def let_be() -> None:
        gc.freeze()
        if collects:
            gc.enable()

    try:
        yield let_be
    finally:
        gc.unfreeze()
        if collects:
            gc.enable()


def _tasks_by_unit(
    master: Master, *, only_new: bool
) -> tuple[list[Finding], dict[str, list[TaskView]]]:
    """Return the tasks to send, by unit code in the order of the units table."""
    findings: list[Finding] = []
    last_return = _last_accepted_returns(master)
    in_scope = {
        view.position
        for view in select_tasks(master.tasks, scope=Scope.YEAR_PLUS_OPEN, as_of=master.as_of)
    }
    found: dict[str, list[TaskView]] = {}
    for view in master.tasks:
        status = view.status
        if status is None or not status.counted:
            continue
        if only_new and view.values.get("sent_on"):
            continue
        if status.completed_on is not None:
            since = last_return.get(view.unit_code)
            if status.completed_on <= since if since else view.position not in in_scope:
                continue
        key = task_key(view.task_id)
        if not key or master.position_of[key] != view.position:
            # Nobody could tell what comes back for it.
            findings.append(
                error(
                    "duplicate_row" if key else "missing_required",
                    master.register.location(view.position, "task_id"),
                    task_id=view.task_id or None,
                    field="task_id",
                    value=view.task_id,
                )
            )
            continue
        if not view.unit_code:
            findings.append(
                error(
                    "unknown_unit",
                    master.register.location(view.position, "lead_unit"),
                    task_id=view.task_id,
                    field="lead_unit",
                    value=view.values.get("lead_unit") or "",
                    suggestion=master.units.suggest(view.values.get("lead_unit") or "") or "—",
                )
            )
            continue
        found.setdefault(view.unit_code, []).append(view)
    ordered = {unit.code: found[unit.code] for unit in master.units.units if unit.code in found}
    return findings, ordered


def _last_accepted_returns(master: Master) -> dict[str, date]:
    """Return the day of receipt of every unit's last accepted return."""
    last: dict[str, date] = {}
    if master.has("TepNhan"):
        reading = master.reading("TepNhan")
        for position in range(len(reading)):
            row = reading.row(position)
            day, unit = row.get("received_on"), master.unit_of(row.get("unit"))
            if row.get("outcome") in ("accepted", "partial") and day and unit:
                last[unit.code] = max(day, last.get(unit.code, day))
    return last


class SentRows:
    """Values of tasks as unit workbooks show them."""

    def __init__(self, master: Master) -> None:
        self._master = master
        names = dict.fromkeys((*master.profile.unit_list, *FORM_FIELDS))
        self._names = tuple(name for name in names if name not in LIVE_FIELDS)
        self._states = master.profile.words["reported_state"]

    def of(self, view: TaskView) -> dict[str, Any]:
        """Return the values of a task, by field; blank ones are left out."""
        status = view.status
        assert status is not None  # noqa: S101 - tasks of a master are always judged
        row = view.values
        values: dict[str, Any] = {
            name: cell_value(row[name]) for name in self._names if name in row
        }
        values["effective_due_date"] = status.effective_due_date
        values["reported_state"] = self._states[status.progress.value]
        values["completed_on"] = status.completed_on
        values["return_reason"] = None
        for kind, request in open_requests(self._master, view.task_id).items():
            if kind == "extension":
                values["extension_requested_to"] = request.get("requested_to")
                values["extension_reason"] = request.get("reason")
            else:
                values["return_reason"] = request.get("reason")
        return {name: value for name, value in values.items() if value is not None}


def open_requests(master: Master, task_id: str) -> dict[str, dict[str, Any]]:
    """Return a task's requests that wait for a decision, by kind."""
    index: dict[str, dict[str, dict[str, Any]]] | None = master.__dict__.get("_open_requests")
    if index is None:
        index = {}
        if master.has("DeNghi"):
            reading = master.reading("DeNghi")
            for position in range(len(reading)):
                row = reading.row(position)
                if row.get("task_id") and row.get("kind") and not row.get("decision"):
                    key = task_key(row["task_id"])
                    index.setdefault(key, {})[row["kind"]] = {**row, "position": position}
        master.__dict__["_open_requests"] = index
    return index.get(task_key(task_id), {})


def _content(master: Master, period: Period, send_id: str) -> UnitContent:
    """Return what all workbooks of the sending hold; unit and rows are still to come."""
    settings = master.settings
    return UnitContent(
        profile=master.profile,
        words={
            name: settings.text(name)
            for name in settings.values
            if name.startswith("letterhead.") or name == "reply_to"
        },
        unit=Unit("", "", ""),
        period_code=period.code,
        period_name=period_name(period),
        as_of=master.as_of,
        reply_by=report_due_on(master.profile, settings, "unit", period),
        identity={
            "master_id": master.meta["master_id"],
            "send_id": send_id,
            "unit": "",
            "period": period.code,
            "layout_version": str(LAYOUT_VERSION),
            "profile": master.profile.id,
            "sent_on": master.as_of.isoformat(),
        },
        rows=(),
        settings=dict(settings.values),
    )


def _record(
    period: Period, send_id: str, unit: str, as_of: date, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "send_id": send_id,
        "unit": unit,
        "period": period.code,
        "sent_on": as_of.isoformat(),
        "tasks": {
            row["task_id"]: {
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in row.items()
            }
            for row in rows
        },
        "editable": list(EDITABLE_FIELDS),
    }


def _master_changes(
    master: Master, period: Period, send_id: str, by_unit: Mapping[str, Sequence[TaskView]]
) -> list[Change]:
    label = master.register.labels.get("sent_on")
    changes: list[Change] = []
    if label is None:
        raise TheodoiError(
            "column_missing", table=REGISTER, path=master.file_name,
            column=master.profile.register["sent_on"].label,
        )  # fmt: skip
    blank = {
        (view.position, label): master.as_of
        for views in by_unit.values()
        for view in views
        if not view.values.get("sent_on")
    }
    if blank:
        changes.append(SetCells(REGISTER, blank))
    if master.has(SENDINGS):
        rows = [
            labelled(
                master,
                SENDINGS,
                {
                    "period": period.code,
                    "unit": code,
                    "send_id": send_id,
                    "sent_on": master.as_of,
                    "tasks": len(views),
                },
            )
            for code, views in by_unit.items()
        ]
        changes.append(AppendRows(SENDINGS, rows))
    return changes

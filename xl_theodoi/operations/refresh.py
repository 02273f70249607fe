"""`refresh`: everything the program computes in a master, brought up to the as-of date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change, RemoveRows, SetCells
from xl_theodoi.domain.events import (
    AFTER_TABLE,
    NO_HISTORY,
    column_changes,
    current_events,
    event_row,
    extension_findings,
    history_of,
)
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.domain.profile import FORMULA_HELPERS
from xl_theodoi.domain.text import task_key
from xl_theodoi.messages import printed
from xl_theodoi.operations.duedates import due_date_findings, missing_children
from xl_theodoi.operations.live import with_formulas
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.overview import overview_changes
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.operations.rows import (
    changed_cells,
    changed_computed,
    labelled,
    register_fields,
)
from xl_theodoi.operations.writing import commit, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.events import Event, History
    from xl_theodoi.domain.findings import Finding, Location
    from xl_theodoi.domain.model import TaskView
    from xl_theodoi.hosts import Host


_NO_EVENTS = frozenset({"due_date", "first_progress_on"})
"""What `refresh` fills in of itself; no event follows from it."""


@writes("refresh")
def refresh(host: Host, as_of: date) -> WriteResult:
    """Recompute what the program computes; never overwrite what people typed.

    Fills blank due dates from their words, the day of first progress, the events that the
    register implies and the columns that decisions imply, child tasks of recurring ones,
    the computed columns and the overview.

    Args:
        host: The master.
        as_of: Day at which statuses are true.
    """
    host.ensure_writable()
    master = Master(host, as_of)
    changes, counts, findings = refresh_changes(master)
    changes = with_formulas(master, changes, mends=True)
    result = WriteResult(counts=counts, findings=findings, labels=master.labels())
    if commit(master, "refresh", changes):
        result.written = [host.path]
        result.parts_changed = host.parts_changed
    return result


def refresh_changes(master: Master) -> tuple[list[Change], dict[str, int], list[Finding]]:
    """Return what `refresh` would change, counted, and what is doubtful."""
    findings: list[Finding] = []
    cells: dict[tuple[int, str], Value] = {}
    log: list[dict[str, Any]] = []
    events: list[Event] = []
    obsolete: list[Event] = []
    views: list[TaskView] = []
    for position in range(len(master.register)):
        if position in master.blank_rows:
            continue
        row = master.register.row(position)
        filled = _filled(master, position, row, findings)
        past: History | None = None
        if row.get("task_id"):
            known = master.events.get(task_key(row["task_id"]), ())
            past = history_of(row, known)
            if past is not NO_HISTORY:
                events += [*_decided(known), *past.missing]
                obsolete += past.obsolete
                filled.update(column_changes(row, past.current))
        if filled:
            changed = changed_cells(master, position, filled)
            cells.update(changed)
            log += _log_rows(master, row, filled, changed)
            row.update(filled)
        told = None
        if past is not None:
            # What is filled in but these two may be part of the history itself, and what was
            # missing from the table may no longer stand in a column.
            is_told = filled.keys() <= _NO_EVENTS
            told = past.current if is_told else current_events(row, past.current)
        view = master.view(position, master.as_of, row, told)
        views.append(view)
        cells.update(changed_computed(master, view))
    parents = (view.values for view in views if view.is_recurring_parent)
    children = list(missing_children(parents, master))
    child_views = [_child_view(master, child) for child in children]
    changes: list[Change] = []
    if cells:
        changes.append(SetCells(REGISTER, cells))
    if children:
        rows = [register_row(master, view) for view in child_views]
        changes.append(AppendRows(REGISTER, rows))
    changes += event_changes(master, events, obsolete)
    changes += overview_changes(master, [*views, *child_views])
    if log:
        changes.append(AppendRows("NhatKy", [labelled(master, "NhatKy", entry) for entry in log]))
    labels = master.register.labels
    helpers = {labels[name] for name in FORMULA_HELPERS if name in labels}
    counts = {
        "tasks": len(views),
        "cells": sum(label not in helpers for _, label in cells),
        "children": len(children),
        "events": len(events),
    }
    return changes, counts, findings


def history_changes(
    row: Mapping[str, Any], known: Sequence[Event]
) -> tuple[list[Event], list[Event]]:
    """Return the events of one task that SuKien lacks and those that it must lose.

    Args:
        row: The register's values of the task.
        known: Its rows of SuKien, and decisions of DeNghi that are not there yet.
    """
    past = history_of(row, known)
    return [*_decided(known), *past.missing], list(past.obsolete)


def _decided(known: Sequence[Event]) -> list[Event]:
    """Return the decisions of DeNghi among events."""
    return [event for event in known if event.order >= AFTER_TABLE]


def _filled(
    master: Master, position: int, row: Mapping[str, Any], findings: list[Finding]
) -> dict[str, Any]:
    def locate(name: str) -> Location:
        return master.register.location(position, name)

    filled: dict[str, Any] = {}
    due, found = due_date_findings(row, locate, master)
    findings += found
    if due is not None:
        filled["due_date"] = due
    if row.get("progress_date") and not row.get("first_progress_on"):
        filled["first_progress_on"] = row["progress_date"]
    findings += extension_findings(row, locate)
    return filled


def _log_rows(
    master: Master,
    row: Mapping[str, Any],
    filled: Mapping[str, Any],
    changed: Mapping[tuple[int, str], Value],
) -> list[dict[str, Any]]:
    labels = {label for _, label in changed}
    return [
        {
            "at": now_text(),
            "action": master.profile.words["log_action"]["refresh"],
            "task_id": row.get("task_id"),
            "field_label": master.register.labels[name],
            "old": printed(row.get(name)),
            "new": printed(value),
        }
        for name, value in filled.items()
        if master.register.labels[name] in labels
    ]


def now_text() -> str:
    """Return the moment of writing, for the change log; no figure depends on it."""
    return datetime.now(UTC).astimezone().strftime("%d/%m/%Y %H:%M:%S")


def _child_view(master: Master, child: Mapping[str, Any]) -> TaskView:
    return master.view(-1, master.as_of, child)


def register_row(master: Master, view: TaskView) -> dict[str, Value]:
    """Return a new register row by heading, computed columns included."""
    return labelled(master, REGISTER, register_fields(view, master))


def event_rows(master: Master, events: Iterable[Event]) -> list[dict[str, Value]]:
    """Return rows of SuKien for events."""
    words = master.profile.words
    return [labelled(master, "SuKien", event_row(event, words)) for event in events]


def event_changes(master: Master, new: Sequence[Event], obsolete: Sequence[Event]) -> list[Change]:
    """Return the changes that bring SuKien up to date."""
    changes: list[Change] = []
    if obsolete:
        changes.append(RemoveRows("SuKien", sorted({event.order for event in obsolete})))
    if new:
        changes.append(AppendRows("SuKien", event_rows(master, new)))
    return changes

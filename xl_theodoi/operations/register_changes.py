"""What a consolidation writes into the register and SuKien, from what the draft has changed."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendColumns, Change, RemoveRows, SetColumns
from xl_theodoi.domain.events import EVENT_FIELDS, HISTORY_FIELDS, event_row, implied_events
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.operations.refresh import history_changes
from xl_theodoi.operations.rows import ChangedCells, labelled_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.events import Event
    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.master import Master


def register_changes(draft: Draft) -> list[Change]:
    """Return the changed cells of the register and the events that follow from them."""
    master = draft.master
    register, events = master.register, master.events
    names = [name for name in EVENT_FIELDS if name in register.columns]
    columns = [register.columns[name] for name in names]
    told = [register.columns[name] for name in HISTORY_FIELDS if name in register.columns]
    history = {position for column in told for position, value in enumerate(column) if value}
    new_events: list[Event] = []
    old_events: list[Event] = []
    for position, changed in draft.changed.items():
        known = events.get(master.keys[position] or "", ()) if events else ()
        if known:
            new, old = history_changes(draft.row(position), known)
            new_events += new
            old_events += old
        elif position in history or not changed.keys().isdisjoint(HISTORY_FIELDS):
            values: dict[str, Any] = {
                name: column[position] for name, column in zip(names, columns, strict=True)
            }
            values.update(changed)
            new_events += implied_events(values)
    cells = _cells(draft)
    changes: list[Change] = [SetColumns(REGISTER, cells)] if cells else []
    if old_events:
        changes.append(RemoveRows("SuKien", sorted({event.order for event in old_events})))
    if new_events:
        changes.append(AppendColumns("SuKien", _event_columns(master, new_events)))
    return changes


def _cells(draft: Draft) -> Mapping[str, tuple[Sequence[int], Sequence[Value]]]:
    """Return the cells of the register that change, computed ones included."""
    cells = ChangedCells(draft.master)
    # The first row, as rows were decided, names the column that is missing.
    cells.expect(chain.from_iterable(draft.changed.values()))
    for position in sorted(draft.changed):
        cells.add(position, draft.changed[position])
        cells.add_status(position, draft.status_now(position))
    return cells.columns()


def _event_columns(master: Master, events: Sequence[Event]) -> dict[str, Sequence[Value]]:
    rows = [event_row(event, master.profile.words) for event in events]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return labelled_columns(master, "SuKien", columns)

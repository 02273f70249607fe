"""The overview sheet: figures of all tasks at the as-of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi import resources
from xl_theodoi.domain.changes import Change, ReplaceRows, SetName
from xl_theodoi.domain.names import FIGURES_CELL
from xl_theodoi.domain.summary import overview_tables, summarize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.model import TaskView, Unit
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings
    from xl_theodoi.operations.master import Master


def overview(
    views: Sequence[TaskView], units: Sequence[Unit], profile: Profile, settings: Settings
) -> Mapping[str, Sequence[Mapping[str, Value]]]:
    """Return the rows of the overview's tables, by printed heading; every unit has a line."""
    report = summarize(views, units, profile, settings, all_units=True)
    return overview_tables(report, resources.report_texts()["overview"])


def overview_changes(master: Master, views: Sequence[TaskView]) -> list[Change]:
    """Return the changes that bring the overview up to date; none where it is right."""
    changes: list[Change] = []
    wanted = overview(views, master.units.units, master.profile, master.settings)
    for name, rows in wanted.items():
        if not master.has(name):
            continue
        table = master.table(name)
        current = [_filled(row) for row in table.rows()]
        known = [
            _filled({label: value for label, value in row.items() if label in table.columns})
            for row in rows
        ]
        if [row for row in current if row] != known:
            changes.append(ReplaceRows(name, known))
    shown = master.content.name_cell(FIGURES_CELL)
    if shown is not None and shown.value != master.as_of:
        changes.append(SetName(FIGURES_CELL, master.as_of))
    return changes


def _filled(row: Mapping[str, Value]) -> dict[str, Value]:
    return {label: value for label, value in row.items() if value is not None}

"""`show` and `fields`: what stands in a register, and how its fields are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi import resources
from xl_theodoi.domain.profile import (
    COMPUTED_FIELDS,
    EDITABLE_FIELDS,
    FORMULA_HELPERS,
    REGISTER_FIELDS,
)
from xl_theodoi.operations.master import Master

if TYPE_CHECKING:
    from datetime import date

    from xl_theodoi.hosts import Host

LISTS = ("coordinating_units", "evidence")
"""Fields that hold several values."""


def show(host: Host, as_of: date) -> dict[str, Any]:
    """Return the register with its computed fields, judged at a day.

    Units stand by code; dates are dates; blanks are None; lists are lists.
    """
    master = Master(host, as_of)
    tasks = []
    for view in master.tasks:
        status = view.status
        assert status is not None  # noqa: S101 - tasks of a master are always judged
        task: dict[str, Any] = {name: view.values.get(name) for name in REGISTER_FIELDS}
        for name in LISTS:
            task[name] = list(task[name] or ())
        task["coordinating_units"] = [
            unit.code if (unit := master.unit_of(name)) else name
            for name in task["coordinating_units"]
        ]
        task["lead_unit"] = view.unit_code or task["lead_unit"]
        if task["completed_on"] is None and status.is_done:
            # The column has gone with a later refusal; at this day the report still stood.
            task["completed_on"] = status.completed_on
        computed = (
            status.progress.value,
            status.timeliness.value,
            status.label,
            status.effective_due_date,
            status.days_left,
        )
        task.update(zip(COMPUTED_FIELDS, computed, strict=True))
        tasks.append(task)
    return {"profile": master.profile.id, "as_of": as_of, "tasks": tasks}


def fields(profile_name: str) -> dict[str, Any]:
    """Return the labels of a profile's register and unit workbook, in print order."""
    profile = resources.load_profile(profile_name)
    return {
        "profile": profile.id,
        "master": [
            {"field": name, "label": spec.label, "computed": name in COMPUTED_FIELDS}
            for name, spec in profile.register.items()
            if name not in FORMULA_HELPERS
        ],
        "unit": [
            {"field": name, "label": spec.label, "editable": name in EDITABLE_FIELDS}
            for name, spec in profile.unit_list.items()
        ],
    }

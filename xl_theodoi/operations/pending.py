"""Conflicts that wait in XungDot, and the choices that people made there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, error
from xl_theodoi.domain.text import task_key
from xl_theodoi.operations.ledger import moment_of
from xl_theodoi.operations.memos import decode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from xl_theodoi.operations.master import Master


@dataclass(frozen=True, slots=True)
class PendingConflict:
    """A row of XungDot.

    Attributes:
        position: In the table.
        key: Task key.
        field: Field as submitted (`reported_state` for a situation).
        unit: Code of the unit.
        theirs: What the unit submitted.
        ours: What the master held.
        base: What was sent.
        at: When the unit submitted it.
        sha256: Hash of the file.
        file: Name of the file.
        cells: Address by field, with the sheet's name.
        period: Period that the file was made for.
        choice: `keep_master`, `take_unit` or None.
        is_applied: Whether the choice has been applied.
    """

    position: int
    key: str
    field: str
    unit: str
    theirs: Any
    ours: Any
    base: Any
    at: datetime
    sha256: str
    file: str | None
    cells: Mapping[str, str]
    period: str | None
    choice: str | None
    is_applied: bool


def read_conflicts(master: Master) -> tuple[list[PendingConflict], list[Finding]]:
    """Return the rows of XungDot, and what keeps a choice made there from being applied."""
    found: list[PendingConflict] = []
    findings: list[Finding] = []
    if not master.has("XungDot"):
        return found, findings
    reading = master.reading("XungDot")
    for position in range(len(reading)):
        row = reading.row(position)
        findings += [f for f in reading.problems.get(position, ()) if f.field == "choice"]
        if not row.get("task_id"):
            continue
        try:
            data: Mapping[str, Any] = json.loads(row.get("data") or "")
            found.append(
                PendingConflict(
                    position=position,
                    key=task_key(row["task_id"]),
                    field=data["field"],
                    unit=data["unit"],
                    theirs=decode(data["theirs"]),
                    ours=decode(data["ours"]),
                    base=decode(data["base"]),
                    at=moment_of(data["at"]),
                    sha256=data["sha256"],
                    file=row.get("file"),
                    cells=dict(data["cells"]),
                    period=row.get("period"),
                    choice=row.get("choice"),
                    is_applied=row.get("applied_on") is not None,
                )
            )
        except (KeyError, ValueError, TypeError):
            if row.get("applied_on") is None:
                where = reading.location(position, "task_id")
                findings.append(
                    error("conflict_unreadable", where, task_id=row["task_id"], field="task_id")
                )
    return found, findings

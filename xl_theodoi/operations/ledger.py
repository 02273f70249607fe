"""What units have submitted so far, read back from the change log and the conflicts.

The change log is in the workbook, so the merge gives the same result with or without the
companion folder. A line of it says which unit set which field to what, and when the unit
submitted that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.merge import Request, Situation, same_value
from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.text import fold, task_key
from xl_theodoi.messages import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xl_theodoi.operations.master import Master

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def moment_text(moment: datetime) -> str:
    """Return a moment as the workbook keeps it: UTC, sortable, to the microsecond."""
    return moment.astimezone(UTC).isoformat()


def moment_of(text: str | None) -> datetime:
    """Return the moment that a cell keeps, long ago where it keeps none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return LONG_AGO
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The latest value of a field that a unit submitted and the master took."""

    at: datetime
    value: str
    sha256: str


class Ledger:
    """Looks up what each unit last submitted for a task's field."""

    def __init__(self, master: Master) -> None:
        self._last: dict[tuple[str, str, str], Submitted] = {}
        if not master.has("NhatKy"):
            return
        reading = master.reading("NhatKy")
        if len(reading) == 0 or "unit" not in reading.columns:
            return
        fields = {fold(spec.label): name for name, spec in master.profile.register.items()}
        fields.update(
            {fold(spec.label): name for name, spec in master.profile.unit_list.items()
             if name not in master.profile.register}
        )  # fmt: skip
        columns = reading.columns
        units = columns["unit"]
        for position, unit_text in enumerate(units):
            if not unit_text:
                continue
            unit = master.unit_of(unit_text)
            name = fields.get(fold(columns["field_label"][position] or ""))
            key = task_key(columns["task_id"][position] or "")
            if unit is None or name is None or not key:
                continue
            at = moment_of(columns["submitted_at"][position])
            known = self._last.get((unit.code, key, name))
            if known is None or at >= known.at:
                self._last[unit.code, key, name] = Submitted(
                    at, columns["new"][position] or "", columns["sha256"][position] or ""
                )

    def last(self, unit: str, key: str, name: str) -> Submitted | None:
        """Return what a unit last submitted for a field, None where it never did."""
        return self._last.get((unit, key, name))

    def is_own(self, unit: str, key: str, name: str, value: Any) -> bool:
        """Whether a value is what the unit itself last submitted for the field."""
        last = self.last(unit, key, name)
        return last is not None and same_value(last.value or None, printed(value) or None)


def encode(value: Any) -> Any:
    """Return a submitted value in JSON's types."""
    if isinstance(value, Situation):
        return {
            "situation": [
                value.state.value,
                value.completed_on.isoformat() if value.completed_on else None,
                value.progress_date.isoformat() if value.progress_date else None,
            ]
        }
    if isinstance(value, Request):
        return {
            "request": [
                value.requested_to.isoformat() if value.requested_to else None,
                value.reason,
            ]
        }
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, tuple):
        return {"list": list(value)}
    return value


def decode(value: Any) -> Any:
    """Return the submitted value that `encode` wrote."""
    if not isinstance(value, dict):
        return value
    if "situation" in value:
        state, completed, progress = value["situation"]
        return Situation(Progress(state), _day(completed), _day(progress))
    if "request" in value:
        requested_to, reason = value["request"]
        return Request(_day(requested_to), reason)
    if "date" in value:
        return _day(value["date"])
    return tuple(value["list"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


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
        at: When the unit submitted it.
        sha256: Hash of the file.
        choice: `keep_master`, `take_unit` or None.
        is_applied: Whether the choice has been applied.
    """

    position: int
    key: str
    field: str
    unit: str
    theirs: Any
    ours: Any
    at: datetime
    sha256: str
    choice: str | None
    is_applied: bool


def read_conflicts(master: Master) -> list[PendingConflict]:
    """Return the rows of XungDot that the program wrote."""
    if not master.has("XungDot"):
        return []
    reading = master.reading("XungDot")
    found = []
    for position in range(len(reading)):
        row = reading.row(position)
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
                    at=moment_of(data["at"]),
                    sha256=data["sha256"],
                    choice=row.get("choice"),
                    is_applied=row.get("applied_on") is not None,
                )
            )
        except (KeyError, ValueError, TypeError):
            continue
    return found

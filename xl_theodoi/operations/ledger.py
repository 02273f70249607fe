"""What units have submitted so far, read back from the change log and the conflicts.

The change log is in the workbook, so the merge gives the same result with or without the
companion folder. A line of it says which unit set which field to what, and when the unit
submitted that.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.dates import VIET_NAM
from xl_theodoi.domain.findings import Finding, error
from xl_theodoi.domain.merge import SITUATION, Request, Situation, same_value
from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.text import fold, task_key
from xl_theodoi.messages import printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.operations.master import Master

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def moment_text(moment: datetime) -> str:
    """Return a moment as the workbook keeps it: UTC, sortable, to the microsecond."""
    return moment.astimezone(UTC).isoformat()


def local_time(moment: datetime) -> str:
    """Return a moment as people in Viet Nam read it, to the minute."""
    return moment.astimezone(VIET_NAM).strftime("%d/%m/%Y %H:%M")


def moment_of(text: str | None) -> datetime:
    """Return the moment that a cell keeps, long ago where it keeps none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return LONG_AGO
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A value of a field that a unit submitted.

    Attributes:
        at: When.
        value: The value, as people read it; None, while reading, for the one before it.
        sha256: Hash of the file.
        is_taken: Whether the master took it or had it already; otherwise a newer one stood
            there by then.
        old: What the master held before, where the change log says it.
        file: Name of the file.
        cell: Its cell, with the sheet's name.
    """

    at: datetime
    value: str | None
    sha256: str
    is_taken: bool = True
    old: str = ""
    file: str | None = None
    cell: str | None = None


class Ledger:
    """Looks up what each unit submitted for a task's field, and when.

    The change log has what the master took. What it had already, and what came after
    something newer, changed nothing and has no line there; the receipts keep it.
    """

    def __init__(self, master: Master) -> None:
        self._known: dict[tuple[str, str, str], list[Submitted]] = {}
        self._defaults: set[tuple[str, str, str]] = set()
        self._written: dict[tuple[str, str, str], str] = {}
        self._read_log(master)
        self._read_receipts(master)
        for entries in self._known.values():
            entries.sort(key=lambda entry: entry.at)
            value = ""
            for place, entry in enumerate(entries):
                if entry.value is None:
                    entries[place] = replace(entry, value=value)
                elif entry.is_taken:
                    value = entry.value

    def _read_log(self, master: Master) -> None:
        if not master.has("NhatKy"):
            return
        columns = master.reading("NhatKy").columns
        if not {"unit", "task_id", "field_label", "submitted_at"} <= columns.keys():
            return
        fields = {fold(spec.label): name for name, spec in master.profile.unit_list.items()}
        fields.update({fold(spec.label): name for name, spec in master.profile.register.items()})
        blank = [None] * len(columns["unit"])
        texts = (
            columns.get(name, blank)
            for name in ("unit", "task_id", "field_label", "submitted_at", "new", "sha256",
                         "old", "file", "cell")
        )  # fmt: skip
        for unit_text, task, label, at, new, sha256, old, file, cell in zip(*texts, strict=True):
            unit = master.unit_of(unit_text)
            name = fields.get(fold(label or ""))
            if unit is None or name is None or not task:
                continue
            self._written[unit.code, task_key(task), name] = new or ""
            self._known.setdefault((unit.code, task_key(task), name), []).append(
                Submitted(
                    moment_of(at),
                    new or "",
                    sha256 or "",
                    old=old or "",
                    file=file,
                    cell=cell,
                )
            )

    def _read_receipts(self, master: Master) -> None:
        if not master.has("TepNhan"):
            return
        columns = master.reading("TepNhan").columns
        if "data" not in columns:
            return
        for position, text in enumerate(columns["data"]):
            unit = master.unit_of(columns["unit"][position]) if text else None
            if unit is None:
                continue
            at = moment_of(columns["submitted_at"][position])
            sha256 = columns["sha256"][position] or ""
            file = columns["file"][position] if "file" in columns else None
            for memo in unpack(text):
                for name, value in parts_of(memo.name, memo.value):
                    shown = None if value is SAME else printed(value)
                    self._known.setdefault((unit.code, memo.key, name), []).append(
                        Submitted(at, shown, sha256, memo.is_taken, file=file)
                    )
                if memo.is_default and memo.value is not SAME:
                    day = memo.value.progress_date
                    self._defaults.add((unit.code, memo.key, printed(day)))

    def entries(self, unit: str, key: str, name: str) -> Sequence[Submitted]:
        """Return what a unit submitted for a field, oldest first."""
        return self._known.get((unit, key, name), ())

    def last(self, unit: str, key: str, name: str) -> Submitted | None:
        """Return the unit's latest value that the master took or had."""
        return next((e for e in reversed(self.entries(unit, key, name)) if e.is_taken), None)

    def is_own(self, unit: str, key: str, name: str, value: Any) -> bool:
        """Whether a value is what the unit itself last submitted for the field."""
        last = self.last(unit, key, name)
        known = [self._written.get((unit, key, name)), last.value if last else None]
        text = printed(value)
        return any(own is not None and same_value(own or None, text or None) for own in known)

    def was_default(self, unit: str, key: str, day: date | None) -> bool:
        """Whether a day of progress was given by us to a report without one."""
        return (unit, key, printed(day)) in self._defaults


class _Same:
    """Type of `SAME`."""


SAME = _Same()
"""In a memo: the value that the unit had submitted before and the master held."""


@dataclass(frozen=True, slots=True)
class Memo:
    """A submission that a receipt keeps because the change log has no line for it.

    Attributes:
        key: Task key.
        name: Field as submitted.
        value: What the unit submitted; `SAME` for what it had submitted before.
        is_taken: Whether the master had or took it.
        is_default: Whether its day of progress was given by us.
    """

    key: str
    name: str
    value: Any
    is_taken: bool = True
    is_default: bool = False


_CELL_ROOM = 30_000
"""Characters of a receipt's data; a cell holds 32,767."""


def pack(memos: Sequence[Memo]) -> str | None:
    """Return memos as a cell keeps them.

    Where room is short those go that matter least: what came after something newer, then
    the last of the others.
    """
    if not memos:
        return None
    rows = [
        [memo.key, memo.name, encode(memo.value), int(memo.is_taken), int(memo.is_default)]
        for memo in memos
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= _CELL_ROOM:
        return text
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    if len(packed) <= _CELL_ROOM:
        return packed
    taken = [memo for memo in memos if memo.is_taken]
    return pack(taken if len(taken) < len(memos) else taken[: len(taken) // 2])


def unpack(text: str) -> list[Memo]:
    """Return what `pack` wrote; nothing where somebody has changed the cell."""
    try:
        if not text.startswith("["):
            text = zlib.decompress(base64.b64decode(text)).decode()
        return [
            Memo(str(key), str(name), decode(value), bool(taken), bool(default))
            for key, name, value, taken, default in json.loads(text)
        ]
    except (ValueError, TypeError, KeyError, zlib.error):
        return []


def parts_of(name: str, value: Any) -> tuple[tuple[str, Any], ...]:
    """Return a submitted value by the fields under which the change log has it."""
    if value is SAME:
        return tuple((part, SAME) for part in PARTS.get(name, (name,)))
    if isinstance(value, Situation):
        return ("completed_on", value.completed_on), ("progress_date", value.progress_date)
    if isinstance(value, Request):
        if name == "extension":
            return (
                ("extension_requested_to", value.requested_to),
                ("extension_reason", value.reason),
            )
        return (("return_reason", value.reason),)
    return ((name, value),)


PARTS = {
    SITUATION: ("completed_on", "progress_date"),
    "extension": ("extension_requested_to", "extension_reason"),
    "return": ("return_reason",),
}
"""Fields of the change log by field as submitted, where they differ."""


def encode(value: Any) -> Any:
    """Return a submitted value in JSON's types."""
    if value is SAME:
        return {"same": True}
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
    if "same" in value:
        return SAME
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

"""What units have submitted so far, read back from the change log and the receipts.

The change log is in the workbook, so the merge gives the same result with or without the
companion folder. A line of it says which unit set which field to what, and when the unit
submitted that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.dates import VIET_NAM
from xl_theodoi.domain.merge import same_value
from xl_theodoi.domain.text import fold, task_keys
from xl_theodoi.messages import printed
from xl_theodoi.operations.memos import SAME, parts_of, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from xl_theodoi.operations.master import Master

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def moment_text(moment: datetime) -> str:
    """Return a moment as the workbook keeps it: UTC, sortable, to the microsecond."""
    return moment.astimezone(UTC).isoformat()


def local_time(moment: datetime) -> str:
    """Return a moment as people in Viet Nam read it, to the minute."""
    return moment.astimezone(VIET_NAM).strftime("%d/%m/%Y %H:%M")


@lru_cache(maxsize=4096)
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

    The log grows for years, and a run asks about few of its lines: they are sorted by unit and
    task, and read when somebody asks for the task.
    """

    def __init__(self, master: Master) -> None:
        self._lines: dict[tuple[str, str], list[int]] = {}
        self._memos: dict[tuple[str, str], list[tuple[str, Submitted]]] = {}
        self._read: dict[tuple[str, str], dict[str, list[Submitted]]] = {}
        self._defaults: set[tuple[str, str, str]] = set()
        self._written: dict[tuple[str, str, str], str] = {}
        self._log: dict[str, Sequence[Any]] = {}
        self._fields: list[str | None] = []
        self._sort_log(master)
        self._read_receipts(master)

    def _sort_log(self, master: Master) -> None:
        if not master.has("NhatKy"):
            return
        columns = master.reading("NhatKy").columns
        if not {"unit", "task_id", "field_label", "submitted_at"} <= columns.keys():
            return
        known = {fold(spec.label): name for name, spec in master.profile.unit_list.items()}
        known.update({fold(spec.label): name for name, spec in master.profile.register.items()})
        labels, units = columns["field_label"], columns["unit"]
        fields = {label: known.get(fold(label or "")) for label in set(labels)}
        found = {text: master.unit_of(text) for text in set(units)}
        codes = {text: unit.code if unit is not None else None for text, unit in found.items()}
        self._fields = list(map(fields.__getitem__, labels))
        blank = [None] * len(units)
        self._log = {
            name: columns.get(name, blank)
            for name in ("submitted_at", "new", "sha256", "old", "file", "cell")
        }
        keys = task_keys(columns["task_id"])
        lines = zip(map(codes.__getitem__, units), keys, self._fields, strict=True)
        for number, (code, key, name) in enumerate(lines):
            if code is not None and name is not None and key:
                group = code, key
                if group in self._lines:
                    self._lines[group].append(number)
                else:
                    self._lines[group] = [number]

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
                    self._memos.setdefault((unit.code, memo.key), []).append(
                        (name, Submitted(at, shown, sha256, memo.is_taken, file=file))
                    )
                if memo.is_default and memo.value is not SAME:
                    day = memo.value.progress_date
                    self._defaults.add((unit.code, memo.key, printed(day)))

    def _task(self, unit: str, key: str) -> dict[str, list[Submitted]]:
        """Return what a unit submitted for a task, by field, oldest first."""
        task = self._read.get((unit, key))
        if task is not None:
            return task
        task = self._read[unit, key] = {}
        log = self._log
        for line in self._lines.get((unit, key), ()):
            name = self._fields[line] or ""
            new = log["new"][line] or ""
            self._written[unit, key, name] = new
            task.setdefault(name, []).append(
                Submitted(
                    moment_of(log["submitted_at"][line]),
                    new,
                    log["sha256"][line] or "",
                    old=log["old"][line] or "",
                    file=log["file"][line],
                    cell=log["cell"][line],
                )
            )
        for name, entry in self._memos.get((unit, key), ()):
            task.setdefault(name, []).append(entry)
        for entries in task.values():
            entries.sort(key=lambda entry: entry.at)
            value = ""
            for place, entry in enumerate(entries):
                if entry.value is None:
                    entries[place] = replace(entry, value=value)
                elif entry.is_taken:
                    value = entry.value
        return task

    def knows(self, unit: str, key: str) -> bool:
        """Whether a unit has submitted anything for a task so far."""
        return (unit, key) in self._lines or (unit, key) in self._memos

    def entries(self, unit: str, key: str, name: str) -> Sequence[Submitted]:
        """Return what a unit submitted for a field, oldest first."""
        return self._task(unit, key).get(name, ()) if self.knows(unit, key) else ()

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

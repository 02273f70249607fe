"""New rows of the register: judged, given their keys, ready to be written."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, error, warning
from xl_theodoi.domain.text import fold, task_key, text_key
from xl_theodoi.domain.validate import future_dates, missing_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from xl_theodoi.domain.findings import Location
    from xl_theodoi.domain.intake import Reading
    from xl_theodoi.domain.model import Unit
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.units import UnitDirectory

_NUMBERED = re.compile(r"^NV-(\d{4})-(\d{5,})$")
_DOCUMENT = re.compile(r"^\s*0*(\d+)\s*/\s*(.*)$")


class TaskKeys:
    """Gives out task keys of the form NV-<year>-<5 digits>, never one that is taken."""

    def __init__(self, taken: Iterable[str], year: int) -> None:
        self._taken = {task_key(key) for key in taken if key}
        self._year = year
        numbers = [
            int(match[2])
            for key in self._taken
            if (match := _NUMBERED.match(key)) and int(match[1]) == year
        ]
        self._next = max(numbers, default=0) + 1

    def is_taken(self, key: str) -> bool:
        """Whether a key stands in the register or was given out."""
        return task_key(key) in self._taken

    def take(self, key: str) -> None:
        """Mark a key as used."""
        self._taken.add(task_key(key))

    def new(self) -> str:
        """Return a key that nobody has."""
        while True:
            key = f"NV-{self._year}-{self._next:05d}"
            self._next += 1
            if key not in self._taken:
                self._taken.add(key)
                return key


def document_key(number: str | None, issued: date | None) -> tuple[str, int | None] | None:
    """Return what makes two tasks' documents the same: number, symbol and year of issue.

    Leading zeros do not count; numbering starts anew every year.
    """
    if not number:
        return None
    match = _DOCUMENT.match(text_key(number))
    name = f"{int(match[1])}/{fold(match[2]).replace(' ', '')}" if match else fold(number)
    return name, issued.year if issued else None


class DocumentKeys:
    """Finds the document of a task, or gives a new one its key VB-<year>-<5 digits>."""

    def __init__(self, documents: Iterable[Mapping[str, Any]], year: int) -> None:
        self._year = year
        self._by_key: dict[tuple[str, int | None], str] = {}
        self.by_id: dict[str, Mapping[str, Any]] = {}
        self._next = 1
        for document in documents:
            name = document.get("document_id")
            if not name:
                continue
            self.by_id[task_key(name)] = document
            key = document_key(document.get("document_number"), document.get("issue_date"))
            if key is not None:
                self._by_key.setdefault(key, name)
            match = re.match(r"^VB-(\d{4})-(\d{5,})$", task_key(name))
            if match and int(match[1]) == year:
                self._next = max(self._next, int(match[2]) + 1)

    def find(self, row: Mapping[str, Any]) -> str | None:
        """Return the key of the document that a row's number, symbol and year name."""
        key = document_key(row.get("document_number"), row.get("issue_date"))
        return None if key is None else self._by_key.get(key)

    def new(self, row: Mapping[str, Any]) -> str | None:
        """Return a key for a document that is not known yet, None where it has no number."""
        key = document_key(row.get("document_number"), row.get("issue_date"))
        if key is None:
            return None
        while task_key(f"VB-{self._year}-{self._next:05d}") in self.by_id:
            self._next += 1
        name = f"VB-{self._year}-{self._next:05d}"
        self._next += 1
        self.add(name, row)
        return name

    def add(self, name: str, row: Mapping[str, Any]) -> None:
        """Take a document into account for the rows that follow."""
        self.by_id[task_key(name)] = row
        key = document_key(row.get("document_number"), row.get("issue_date"))
        if key is not None:
            self._by_key.setdefault(key, name)


def judge_new_rows(
    reading: Reading,
    secret: set[int],
    profile: Profile,
    units: UnitDirectory,
    keys: TaskKeys,
    as_of: date,
    *,
    split: bool = False,
) -> tuple[list[tuple[int, dict[str, Any]]], list[Finding]]:
    """Return the rows that can be taken, by position, and what is wrong with the others.

    Args:
        reading: The input list.
        secret: Positions of rows marked as state secrets; they are refused.
        profile: The regulation.
        units: The units that tasks can be given to.
        keys: Task keys in use; rows without one are given theirs.
        as_of: Dates after this day are the warning `future_date`.
        split: Whether a row with several lead units becomes one row for each.
    """
    taken: list[tuple[int, dict[str, Any]]] = []
    findings: list[Finding] = []
    own = Counter(
        task_key(value)
        for position, value in enumerate(reading.columns.get("task_id", ()))
        if value and position not in secret
    )
    for position in range(len(reading)):
        if position in secret or reading.is_blank(position):
            continue
        row = reading.row(position)
        problems = list(reading.problems.get(position, ()))
        task_id = row.get("task_id")

        def locate(name: str, position: int = position) -> Location:
            return reading.location(position, name)

        unreadable = frozenset(found.field or "" for found in problems)
        problems += missing_values(row, locate, profile, unreadable)
        problems += future_dates(row, locate, as_of)
        if task_id and (keys.is_taken(task_id) or own[task_key(task_id)] > 1):
            problems.append(
                error(
                    "duplicate_row",
                    reading.location(position, "task_id"),
                    task_id=task_id,
                    field="task_id",
                    value=task_id,
                )
            )
        rows, unit_problems = lead_unit_rows(reading, position, row, units, split=split)
        problems += unit_problems
        findings += problems
        if any(problem.is_error for problem in problems):
            continue
        for number, unit_row in enumerate(rows):
            name = unit_row.get("task_id")
            if name and number:
                name = f"{name}.{number + 1}"
            if not name or keys.is_taken(name):
                name = keys.new()
                while task_key(name) in own:
                    name = keys.new()
            keys.take(name)
            taken.append((position, {**unit_row, "task_id": name}))
    return taken, findings


def _once_each(
    found: Iterable[tuple[str, Unit | None]],
) -> list[tuple[str, Unit | None]]:
    """Return names with their units, a unit that is named twice only once."""
    kept: dict[object, tuple[str, Unit | None]] = {}
    for name, unit in found:
        kept.setdefault(unit.code if unit else (name,), (name, unit))
    return list(kept.values())


def lead_unit_rows(
    reading: Reading,
    position: int,
    row: Mapping[str, Any],
    units: UnitDirectory,
    *,
    split: bool = False,
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return a row with its units by short name, or one row per lead unit where asked."""
    findings: list[Finding] = []
    task_id = row.get("task_id")
    where = reading.location(position, "lead_unit")
    names = units.split(row["lead_unit"]) if row.get("lead_unit") else []
    found = _once_each((name, units.find(name)) for name in names)
    for name, unit in found:
        if unit is None:
            findings.append(
                error(
                    "unknown_unit",
                    where,
                    task_id=task_id,
                    field="lead_unit",
                    value=name,
                    suggestion=units.suggest(name) or "—",
                )
            )
    if len(found) > 1 and not split:
        findings.append(
            error(
                "several_lead_units",
                where,
                task_id=task_id,
                field="lead_unit",
                value=row["lead_unit"],
                count=len(found),
                proposal="; ".join(unit.short_name if unit else name for name, unit in found),
            )
        )
    coordinating = []
    listed = row.get("coordinating_units") or ()
    for name in (name for item in listed for name in units.split(item)):
        unit = units.find(name)
        if unit is None:
            findings.append(
                warning(
                    "unknown_unit",
                    reading.location(position, "coordinating_units"),
                    task_id=task_id,
                    field="coordinating_units",
                    value=name,
                    suggestion=units.suggest(name) or "—",
                )
            )
        coordinating.append(unit.short_name if unit else name)
    base = dict(row)
    if coordinating:
        base["coordinating_units"] = tuple(coordinating)
    rows = [{**base, "lead_unit": unit.short_name} for _, unit in found if unit is not None]
    return rows, findings

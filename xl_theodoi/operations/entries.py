"""New rows of the register: judged, given their keys, ready to be written."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, error, warning
from xl_theodoi.domain.text import fold, task_key, text_key
from xl_theodoi.domain.validate import doubtful_rows, future_dates, missing_values

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
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

    def take(self, key: str) -> bool:
        """Mark a key as used; return whether nobody had it."""
        plain = task_key(key)
        if plain in self._taken:
            return False
        self._taken.add(plain)
        return True

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
    return _document_name(number), issued.year if issued else None


@lru_cache(maxsize=65_536)
def _document_name(number: str) -> str:
    match = _DOCUMENT.match(text_key(number))
    return f"{int(match[1])}/{fold(match[2]).replace(' ', '')}" if match else fold(number)


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
    repeated = {key for key, count in own.items() if count > 1}
    doubtful = doubtful_rows(reading.columns, len(reading), profile, as_of) | set(reading.problems)
    plain_units = PlainUnits(units)
    for position in range(len(reading)):
        if position in secret:
            continue
        row = reading.row(position)
        if not row and position not in reading.problems:
            continue
        name = row.get("task_id")
        if (
            position not in doubtful
            and plain_units.name_in(row)
            and (not repeated or not name or task_key(name) not in repeated)
            and (not name or keys.take(name))
        ):
            row["task_id"] = name or _new_key(keys, own)
            taken.append((position, row))
            continue
        problems = list(reading.problems.get(position, ()))

        def locate(field: str, position: int = position) -> Location:
            return reading.location(position, field)

        unreadable = frozenset(found.field or "" for found in problems)
        problems += missing_values(row, locate, profile, unreadable)
        problems += future_dates(row, locate, as_of)
        if name and (keys.is_taken(name) or task_key(name) in repeated):
            problems.append(
                error("duplicate_row", locate("task_id"), task_id=name, field="task_id", value=name)
            )
        rows, unit_problems = lead_unit_rows(reading, position, row, units, split=split)
        problems += unit_problems
        findings += problems
        if any(problem.is_error for problem in problems):
            continue
        for number, unit_row in enumerate(rows):
            key = f"{name}.{number + 1}" if name and number else name
            if not key or not keys.take(key):
                key = _new_key(keys, own)
            taken.append((position, {**unit_row, "task_id": key}))
    return taken, findings


def _new_key(keys: TaskKeys, own: Container[str]) -> str:
    """Return a key that neither the register has nor the list itself gives a row."""
    while True:
        key = keys.new()
        if key not in own:
            return key


class PlainUnits:
    """Names the units of rows whose cells each name known units and, for the lead, one.

    Such a row has no finding of `lead_unit_rows`; texts are looked up once, however many rows
    hold them.
    """

    def __init__(self, units: UnitDirectory) -> None:
        self._units = units
        self._leads: dict[str, str | None] = {}
        self._lists: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def name_in(self, row: dict[str, Any]) -> bool:
        """Give a row its units by short name; return False, and change nothing, where doubtful."""
        named = self.of(row)
        if named is None:
            return False
        row["lead_unit"], names = named
        if names:
            row["coordinating_units"] = names
        return True

    def of(self, row: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        """Return a row's lead and co-operating units by short name, None where doubtful."""
        lead = row.get("lead_unit")
        if not lead:
            return None
        if lead not in self._leads:
            self._leads[lead] = self._lead(lead)
        name = self._leads[lead]
        if name is None:
            return None
        listed = row.get("coordinating_units")
        if not listed:
            return name, ()
        if listed not in self._lists:
            self._lists[listed] = self._names(listed)
        names = self._lists[listed]
        return None if names is None else (name, names)

    def _lead(self, text: str) -> str | None:
        found = [self._units.find(name) for name in self._units.split(text)]
        known = {unit.code: unit.short_name for unit in found if unit is not None}
        return next(iter(known.values())) if len(known) == 1 and None not in found else None

    def _names(self, listed: tuple[str, ...]) -> tuple[str, ...] | None:
        found = [self._units.find(name) for item in listed for name in self._units.split(item)]
        names = tuple(unit.short_name for unit in found if unit is not None)
        return names if len(names) == len(found) else None


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

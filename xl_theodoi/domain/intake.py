"""A list as read, turned into typed values by field, with a finding for every doubtful cell.

Columns are found by heading, in any order. Work goes column by column: a column of real
dates or of plain texts costs one pass, and only doubtful cells are looked at singly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.dates import FIRST_YEAR, LAST_YEAR, read_date
from xl_theodoi.domain.findings import Finding, Severity
from xl_theodoi.domain.text import clean, fold, is_legacy_font, looks_legacy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Column, SheetTable
    from xl_theodoi.domain.findings import Location
    from xl_theodoi.domain.profile import FieldSpec

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")

MAX_CELL_TEXT = 32_767
"""Longest text of an Excel cell, in characters."""


@dataclass(slots=True)
class Reading:
    """A list turned into typed values.

    Attributes:
        table: The list as it stands in its sheet.
        labels: Column label by field, for the fields whose column is there.
        columns: Typed values by field, one per row: text, date, tuple of texts, number, None.
        problems: Findings by row position, for cells that could not be taken as they are.
        swappable: Row positions of dates written as text that read both ways round, by
            field; for the check of mixed columns.
        text_dates: Row positions of all dates written as text, by field.
    """

    table: SheetTable
    labels: dict[str, str]
    columns: dict[str, list[Any]]
    problems: dict[int, list[Finding]] = field(default_factory=dict)
    swappable: dict[str, set[int]] = field(default_factory=dict)
    text_dates: dict[str, set[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def value(self, position: int, name: str) -> Any:
        """Return one typed value; a missing column reads as blank."""
        column = self.columns.get(name)
        return None if column is None else column[position]

    def row(self, position: int) -> dict[str, Any]:
        """Return the typed values of one row that are not blank."""
        return {
            name: column[position]
            for name, column in self.columns.items()
            if column[position] is not None
        }

    def is_blank(self, position: int) -> bool:
        """Whether no known column of a row holds anything."""
        return position not in self.problems and all(
            column[position] is None for column in self.columns.values()
        )

    def findings(self) -> list[Finding]:
        """Return all findings, by row."""
        return [
            finding for position in sorted(self.problems) for finding in self.problems[position]
        ]

    def location(self, position: int, name: str | None = None) -> Location:
        """Return the address of a field's cell, or of its row."""
        return self.table.location(position, self.labels.get(name) if name else None)


def heading_index(specs: Mapping[str, FieldSpec], *, aliases: bool = True) -> dict[str, str]:
    """Return field by folded heading: label, field name and, where asked, aliases.

    A label wins over another field's alias.
    """
    index: dict[str, str] = {}
    if aliases:
        for name, spec in specs.items():
            for alias in spec.aliases:
                index.setdefault(fold(alias), name)
    for name in specs:
        index[fold(name)] = name
    for name, spec in specs.items():
        index[fold(spec.label)] = name
    return index


def match_headings(
    table: SheetTable, specs: Mapping[str, FieldSpec], *, aliases: bool = True
) -> dict[str, str]:
    """Return the column label of every field whose heading the table has."""
    index = heading_index(specs, aliases=aliases)
    exact = {fold(spec.label): name for name, spec in specs.items()}
    labels: dict[str, str] = {}
    for names in (exact, index):
        for label in table.columns:
            name = names.get(fold(label))
            if name is not None and name not in labels and label not in labels.values():
                labels[name] = label
    return labels


def read_list(
    table: SheetTable,
    specs: Mapping[str, FieldSpec],
    *,
    aliases: bool = True,
    choices: Mapping[str, Mapping[str, str]] | None = None,
) -> Reading:
    """Return a list's typed values and the findings of cells that could not be taken.

    Args:
        table: The list as read.
        specs: Fields and how they are judged.
        aliases: Whether other headings than the labels count.
        choices: For fields with a fixed vocabulary: canonical value by folded text.
    """
    labels = match_headings(table, specs, aliases=aliases)
    reading = Reading(table, labels, {})
    for name, label in labels.items():
        spec = specs[name]
        vocabulary = (choices or {}).get(name)
        if vocabulary is None and spec.choices:
            vocabulary = {fold(choice): choice for choice in spec.choices}
        reading.columns[name] = _read_column(reading, name, spec, table.columns[label], vocabulary)
    for position, found in reading.problems.items():
        task_id = reading.value(position, "task_id")
        if task_id:
            reading.problems[position] = [replace(item, task_id=task_id) for item in found]
    return reading


def _read_column(
    reading: Reading,
    name: str,
    spec: FieldSpec,
    column: Column,
    vocabulary: Mapping[str, str] | None,
) -> list[Any]:
    if spec.kind == "date":
        return _read_dates(reading, name, column)
    kinds = column.kinds
    values: list[Any] = [None] * len(kinds)
    seen: dict[str, Any] = {}
    check_fonts = bool(column.styles)
    legacy_styles = {
        index for index, style in enumerate(reading.table.styles) if is_legacy_font(style.font)
    }
    for position, value in enumerate(column.values):
        kind = kinds[position]
        if kind == CellKind.BLANK:
            continue
        if kind == CellKind.TEXT:
            text = str(value)
            if text not in seen:
                seen[text] = clean(text)
            cleaned = seen[text]
            if not text.isascii() and (
                (check_fonts and column.styles[position] in legacy_styles)
                or any(is_legacy_font(font) for font in column.fonts.get(position, ()))
                or looks_legacy(text)
            ):
                _report(reading, "legacy_encoding", position, name)
                continue
            if not cleaned:
                continue
        elif kind in (CellKind.ERROR, CellKind.NO_VALUE):
            code = "cell_error" if kind == CellKind.ERROR else "formula_without_value"
            _report(reading, code, position, name, value=value)
            continue
        elif spec.kind == "number" and kind == CellKind.NUMBER:
            values[position] = value
            continue
        else:
            cleaned = plain_text(value)
        if len(cleaned) > (spec.max_length or MAX_CELL_TEXT):
            _report(
                reading, "too_long", position, name,
                length=len(cleaned), limit=spec.max_length or MAX_CELL_TEXT,
            )  # fmt: skip
            continue
        if vocabulary is not None:
            canonical = vocabulary.get(fold(cleaned))
            if canonical is None:
                choices = "; ".join(spec.choices or dict.fromkeys(vocabulary.values()))
                _report(reading, "bad_choice", position, name, value=cleaned, choices=choices)
                continue
            values[position] = canonical
        elif spec.kind in ("units", "list"):
            values[position] = split_list(cleaned)
        elif spec.kind == "number":
            values[position] = _number(reading, name, position, cleaned)
        else:
            values[position] = cleaned
    return values


def _read_dates(reading: Reading, name: str, column: Column) -> list[Any]:
    values: list[Any] = [None] * len(column.kinds)
    for position, (value, kind) in enumerate(zip(column.values, column.kinds, strict=True)):
        if kind == CellKind.BLANK:
            continue
        if kind == CellKind.DATE:
            day = value.date() if isinstance(value, datetime) else value
            if isinstance(day, date) and FIRST_YEAR <= day.year <= LAST_YEAR:
                values[position] = day
            else:
                _report(reading, "bad_date", position, name, value=day)
            continue
        if kind in (CellKind.ERROR, CellKind.NO_VALUE):
            code = "cell_error" if kind == CellKind.ERROR else "formula_without_value"
            _report(reading, code, position, name, value=value)
            continue
        if kind == CellKind.TEXT and not clean(str(value)):
            continue
        outcome = read_date(value, CellKind(kind))
        if outcome.value is None:
            _report(reading, outcome.problem or "bad_date", position, name, value=value)
            continue
        values[position] = outcome.value
        if kind == CellKind.TEXT:
            reading.text_dates.setdefault(name, set()).add(position)
            if outcome.swappable:
                reading.swappable.setdefault(name, set()).add(position)
    return values


def _number(reading: Reading, name: str, position: int, text: str) -> float | None:
    plain = text.replace(" ", "").replace(",", ".")
    if _NUMBER.fullmatch(plain):
        return float(plain)
    _report(reading, "bad_number", position, name, value=text)
    return None


def _report(reading: Reading, code: str, position: int, name: str, **values: object) -> None:
    place = reading.location(position, name)
    # Tables share field names; the heading that stands above the cell is never wrong.
    values = {"column": reading.labels[name], **values}
    finding = Finding(code, Severity.ERROR, place, field=name, values=values)
    reading.problems.setdefault(position, []).append(finding)


def plain_text(value: object) -> str:
    """Return a number, date or truth value as the text that a text column keeps."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return (
            value.strftime("%d/%m/%Y")
            if value.time().isoformat() == "00:00:00"
            else (value.strftime("%d/%m/%Y %H:%M"))
        )
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value)


def split_list(text: str) -> tuple[str, ...] | None:
    """Return the parts of a cell that holds several values; `;` and line breaks separate."""
    parts = tuple(part.strip() for part in text.replace("\n", ";").split(";") if part.strip())
    return parts or None


def choice_index(words: Mapping[str, str]) -> dict[str, str]:
    """Return enumeration member by folded printed word, for `read_list`'s `choices`."""
    return {fold(word): member for member, word in words.items()} | {
        fold(member): member for member in words
    }


def unknown_headings(table: SheetTable, labels: Mapping[str, str]) -> Sequence[str]:
    """Return the headings that name no field; an office's own columns."""
    known = set(labels.values())
    return [label for label in table.columns if label not in known]

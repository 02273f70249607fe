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
from xl_theodoi.domain.text import are_ordinary, clean, fold, is_legacy_font, looks_legacy

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from xl_theodoi.domain.cells import Column, SheetTable
    from xl_theodoi.domain.findings import Location
    from xl_theodoi.domain.profile import FieldSpec

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")

MAX_CELL_TEXT = 32_767
"""Longest text of an Excel cell, in units of UTF-16: signs beyond its plane count twice."""

_SHORT = MAX_CELL_TEXT // 2
"""Characters that fit into a cell whatever they are."""


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
        legacy_styles: The table's cell formats whose font holds TCVN3 or VNI codes.
    """

    table: SheetTable
    labels: dict[str, str]
    columns: dict[str, list[Any]]
    problems: dict[int, list[Finding]] = field(default_factory=dict)
    swappable: dict[str, set[int]] = field(default_factory=dict)
    text_dates: dict[str, set[int]] = field(default_factory=dict)
    legacy_styles: frozenset[int] = frozenset()

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
    ignored: Collection[str] = (),
) -> Reading:
    """Return a list's typed values and the findings of cells that could not be taken.

    Args:
        table: The list as read.
        specs: Fields and how they are judged.
        aliases: Whether other headings than the labels count.
        choices: For fields with a fixed vocabulary: canonical value by folded text.
        ignored: Fields whose columns say nothing; no other field takes their headings.
    """
    labels = match_headings(table, specs, aliases=aliases)
    for name in ignored:
        labels.pop(name, None)
    legacy = (index for index, style in enumerate(table.styles) if is_legacy_font(style.font))
    reading = Reading(table, labels, {}, legacy_styles=frozenset(legacy))
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
    """Return a column's typed values.

    A text that stands in many cells is read once, and a column of nothing but texts is then
    a matter of looking each of them up. Only what cannot be taken is looked at singly.
    """
    if spec.kind == "date":
        return _read_dates(reading, name, column)
    reader = _Reader(reading, name, spec, vocabulary)
    kinds = column.kinds
    legacy_styles = reading.legacy_styles if column.styles else frozenset()
    texts: set[Any] = set(column.values)
    texts.discard(None)
    is_even = (
        not legacy_styles
        and not column.fonts
        and max(kinds, default=0) <= CellKind.TEXT
        and column.values.count(None) == kinds.count(CellKind.BLANK)
        and all(type(text) is str for text in texts)
    )
    if is_even and reader.takes_as_they_are(texts):
        # The very list: neither a table nor a reading is changed once it is made.
        return column.values
    known: dict[Any, Any] = {text: reader.read_text(text) for text in texts if type(text) is str}
    values = list(map(known.get, column.values))
    if (
        is_even
        and values.count(None) == kinds.count(CellKind.BLANK)
        and _DOUBTFUL not in known.values()
    ):
        return values
    for position, kind in enumerate(kinds):
        if kind == CellKind.BLANK:
            values[position] = None
            continue
        value = column.values[position]
        if (
            kind == CellKind.TEXT
            and not str(value).isascii()
            and (
                (legacy_styles and column.styles[position] in legacy_styles)
                or any(is_legacy_font(font) for font in column.fonts.get(position, ()))
            )
        ):
            _report(reading, "legacy_encoding", position, name)
            values[position] = None
        elif kind != CellKind.TEXT or values[position] in (None, _DOUBTFUL):
            values[position] = reader.read_cell(position, value, kind)
    return values


_PARSED = frozenset(("units", "list", "number"))
"""Kinds of columns whose texts mean something else than they are."""

_DOUBTFUL = object()
"""Stands for a text that cannot be taken; each cell that holds it needs a finding."""


class _Reader:
    """Reads the cells of a column that holds no dates."""

    def __init__(
        self, reading: Reading, name: str, spec: FieldSpec, vocabulary: Mapping[str, str] | None
    ) -> None:
        self._reading = reading
        self._name = name
        self._spec = spec
        self._vocabulary = vocabulary
        self._limit = spec.max_length or MAX_CELL_TEXT

    def takes_as_they_are(self, texts: Collection[str]) -> bool:
        """Whether every one of many texts can be taken as it is."""
        return (
            self._vocabulary is None
            and self._spec.kind not in _PARSED
            and max(map(len, texts), default=0) <= min(self._limit, _SHORT)
            and (not texts or are_ordinary(texts))
        )

    def read_text(self, text: str) -> Any:
        """Return what a text says, None where it is blank, `_DOUBTFUL` where it needs a look."""
        if not text.isascii() and looks_legacy(text):
            return _DOUBTFUL
        cleaned = clean(text)
        return self._typed(cleaned) if cleaned else None

    def read_cell(self, position: int, value: Any, kind: int) -> Any:
        """Return what a single cell says, and report it where it cannot be taken."""
        reading, name = self._reading, self._name
        if kind == CellKind.TEXT:
            text = str(value)
            if not text.isascii() and looks_legacy(text):
                _report(reading, "legacy_encoding", position, name)
                return None
            cleaned = clean(text)
            if not cleaned:
                return None
        elif kind in (CellKind.ERROR, CellKind.NO_VALUE):
            code = "cell_error" if kind == CellKind.ERROR else "formula_without_value"
            _report(reading, code, position, name, value=value)
            return None
        elif self._spec.kind == "number" and kind == CellKind.NUMBER:
            return value
        else:
            cleaned = plain_text(value)
        typed = self._typed(cleaned)
        if typed is not _DOUBTFUL:
            return typed
        length = self._length(cleaned)
        if length > self._limit:
            _report(reading, "too_long", position, name, length=length, limit=self._limit)
        elif self._vocabulary is not None:
            choices = "; ".join(self._spec.choices or dict.fromkeys(self._vocabulary.values()))
            _report(reading, "bad_choice", position, name, value=cleaned, choices=choices)
        else:
            _report(reading, "bad_number", position, name, value=cleaned)
        return None

    def _length(self, text: str) -> int:
        """Return a text's length as its limit counts."""
        if self._limit == MAX_CELL_TEXT and len(text) > _SHORT:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text)

    def _typed(self, cleaned: str) -> Any:
        if self._length(cleaned) > self._limit:
            return _DOUBTFUL
        if self._vocabulary is not None:
            return self._vocabulary.get(fold(cleaned), _DOUBTFUL)
        if self._spec.kind in ("units", "list"):
            return split_list(cleaned)
        if self._spec.kind == "number":
            plain = cleaned.replace(" ", "").replace(",", ".")
            return float(plain) if _NUMBER.fullmatch(plain) else _DOUBTFUL
        return cleaned


def _read_dates(reading: Reading, name: str, column: Column) -> list[Any]:
    """Return a column's days; a column of real dates is read as fast as it is copied."""
    kinds = column.kinds
    known: dict[Any, Any] = {}
    for value in set(column.values):
        if isinstance(value, date):
            day = value.date() if isinstance(value, datetime) else value
            known[value] = day if FIRST_YEAR <= day.year <= LAST_YEAR else None
    values = list(map(known.get, column.values))
    if values.count(None) == kinds.count(CellKind.BLANK) and not set(kinds) - _BLANK_OR_DATE:
        return values
    for position, (value, kind) in enumerate(zip(column.values, kinds, strict=True)):
        if kind == CellKind.BLANK:
            values[position] = None
        elif kind == CellKind.DATE:
            if values[position] is None:
                shown = value.date() if isinstance(value, datetime) else value
                _report(reading, "bad_date", position, name, value=shown)
        else:
            values[position] = _read_day(reading, name, position, value, kind)
    return values


_BLANK_OR_DATE = frozenset((CellKind.BLANK, CellKind.DATE))


def _read_day(reading: Reading, name: str, position: int, value: Any, kind: int) -> date | None:
    """Return the day of a cell that is no real date, and report it where it cannot be taken."""
    if kind in (CellKind.ERROR, CellKind.NO_VALUE):
        code = "cell_error" if kind == CellKind.ERROR else "formula_without_value"
        _report(reading, code, position, name, value=value)
        return None
    if kind == CellKind.TEXT and not clean(str(value)):
        return None
    outcome = read_date(value, CellKind(kind))
    if outcome.value is None:
        _report(reading, outcome.problem or "bad_date", position, name, value=value)
        return None
    if kind == CellKind.TEXT:
        reading.text_dates.setdefault(name, set()).add(position)
        if outcome.swappable:
            reading.swappable.setdefault(name, set()).add(position)
    return outcome.value


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

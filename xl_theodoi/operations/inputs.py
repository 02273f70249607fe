"""Lists that `new` and `add` take in: CSV or XLSX, headings by field name or label."""

from __future__ import annotations

import csv
import io
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, Column, SheetTable, column_letter
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.intake import (
    Reading,
    heading_index,
    match_headings,
    read_list,
    unknown_headings,
)
from xl_theodoi.domain.secrecy import Mark, marked_cells
from xl_theodoi.domain.text import fold, task_key
from xl_theodoi.operations.entries import document_key
from xl_theodoi.operations.marks import secrecy_words
from xl_theodoi.resources import input_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from xl_theodoi.domain.profile import FieldSpec

_TEXT, _BLANK = int(CellKind.TEXT), int(CellKind.BLANK)
_OLE = b"\xd0\xcf\x11\xe0"

_LONGEST_CELL = 1 << 24
"""Longest cell of a CSV that is read at all; `too_long` judges what it may hold."""

_HEADER_ROWS = 40
"""Rows in which a CSV's headings are looked for; titles may stand above them."""


def read_input(
    path: Path,
    specs: Mapping[str, FieldSpec],
    needed: Sequence[str],
    *,
    computed: Collection[str] = (),
) -> tuple[Reading, set[int], list[Finding]]:
    """Read a list of units, tasks or documents.

    Args:
        path: CSV (UTF-8, comma or semicolon) or XLSX (the first sheet with the headings).
        specs: The fields that the list may have.
        needed: Fields without whose column the list makes no sense.
        computed: Fields that the program computes; their columns are known and not read.

    Returns:
        The typed list; the positions of rows marked as state secrets, which must not be
        taken; and the findings about marks and about columns that name no field. The text
        of a marked row is in no finding.

    Raises:
        TheodoiError: `input_missing`, `input_unreadable`, `input_without_headers`, or what
            the reader says of a damaged or encrypted workbook.
    """
    if not path.is_file():
        raise TheodoiError("input_missing", path=str(path))
    try:
        head = path.read_bytes()[:8]
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise TheodoiError("input_unreadable", path=str(path), reason=reason) from problem
    if not head:
        raise TheodoiError("input_empty", path=str(path))
    if head.startswith((b"PK", _OLE)) or path.suffix.lower() in (".xlsx", ".xlsm", ".xls"):
        table = _from_workbook(path, specs, needed)
    else:
        table = _from_csv(path, specs, needed)
    findings = _unused_columns(table, specs)
    for name, label in match_headings(table, specs).items():
        if name in computed:
            del table.columns[label]
    reading = read_list(table, specs)
    secret, found = _secret_rows(reading)
    for position in secret:
        reading.problems.pop(position, None)
    return reading, secret, [*findings, *found]


def _unused_columns(table: SheetTable, specs: Mapping[str, FieldSpec]) -> list[Finding]:
    """Return a warning for every column whose values go nowhere."""
    ordinals = {fold(word) for word in input_words()["ordinal_headings"]}
    findings = []
    for label in unknown_headings(table, match_headings(table, specs)):
        column = table.columns[label]
        if fold(label) in ordinals or all(kind == CellKind.BLANK for kind in column.kinds):
            continue
        cell = f"{column_letter(column.index)}{table.header_row}"
        where = Location(table.file, table.sheet, cell)
        findings.append(warning("unknown_column", where, label=label))
    top = Location(table.file, table.sheet, f"A{table.header_row}")
    findings += [warning("repeated_column", top, label=label) for label in table.repeated]
    return findings


def _secret_rows(reading: Reading) -> tuple[set[int], list[Finding]]:
    """Return the rows that are marked, or whose document is marked in another row."""
    fields = {label: name for name, label in reading.labels.items()}
    secret: set[int] = set()
    findings: list[Finding] = []
    for location, position, mark in marked_cells(reading.table, secrecy_words(), fields):
        if mark is Mark.SECRET:
            secret.add(position)
            findings.append(error("secret_marking", location))
        else:
            findings.append(warning("secret_marking", location))
    marked = {key for position in secret for key in _document_names(reading, position)}
    if marked:
        for position in range(len(reading)):
            shared = marked & _document_names(reading, position).keys()
            if position not in secret and shared:
                name = _document_names(reading, position)[min(shared, key=str)]
                secret.add(position)
                findings.append(error("secret_marking", reading.location(position, name)))
    return secret, findings


def _document_names(reading: Reading, position: int) -> dict[object, str]:
    """Return what tells a row's document, with the field that says it."""
    names: dict[object, str] = {}
    number = reading.value(position, "document_number")
    key = document_key(number, reading.value(position, "issue_date"))
    if key is not None:
        names[key] = "document_number"
    document_id = reading.value(position, "document_id")
    if document_id:
        names[task_key(document_id)] = "document_id"
    return names


def _from_workbook(path: Path, specs: Mapping[str, FieldSpec], needed: Sequence[str]) -> SheetTable:
    from xl_theodoi.workbook.reading.read import MASTER_LIMITS, read_workbook  # noqa: PLC0415

    content = read_workbook(path, file_name=path.name, limits=MASTER_LIMITS)
    index = heading_index(specs)
    found = content.find_list(
        list(index), fold=fold, minimum=min(len(needed), 2), preferred_table=None
    )
    for table in found:
        names = {index.get(fold(label)) for label in table.columns}
        if all(name in names for name in needed):
            return table
    raise TheodoiError(
        "input_without_headers", path=path.name,
        needed="; ".join(specs[name].label for name in needed),
    )  # fmt: skip


def _from_csv(path: Path, specs: Mapping[str, FieldSpec], needed: Sequence[str]) -> SheetTable:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise TheodoiError("input_not_utf8", path=path.name) from problem
    if "\0" in text:
        # UTF-16 without its mark, or no text at all.
        raise TheodoiError("input_not_utf8", path=path.name)
    csv.field_size_limit(_LONGEST_CELL)
    delimiter, rows, header = _body_of(text, heading_index(specs), specs, needed, path.name)
    _check_quotes(text, delimiter, path.name)
    headings, body = rows[header], rows[header + 1 :]
    columns: dict[str, Column] = {}
    repeated: list[str] = []
    values_of = list(zip_longest(headings, *body, fillvalue=""))
    for place, (heading, *values) in enumerate(values_of):
        if not heading.strip():
            # Values under no heading must not vanish unsaid.
            heading = _unnamed(place)  # noqa: PLW2901
        if heading in columns:
            repeated.append(heading)
            continue
        columns[heading] = Column(
            label=heading,
            index=place + 1,
            values=[value or None for value in values],
            kinds=[_TEXT if value else _BLANK for value in values],
        )
    return SheetTable(
        name="",
        file=path.name,
        sheet="",
        header_row=header + 1,
        columns=columns,
        row_numbers=[header + 2 + number for number in range(len(body))],
        repeated=tuple(repeated),
    )


def _body_of(
    text: str,
    index: Mapping[str, str],
    specs: Mapping[str, FieldSpec],
    needed: Sequence[str],
    name: str,
) -> tuple[str, list[list[str]], int]:
    """Return the delimiter of a CSV, its rows, and the row that holds the most headings.

    Raises:
        TheodoiError: `input_without_headers` where no row has the needed ones.
    """
    found: list[tuple[int, str, int]] = []
    for delimiter in (",", ";", "\t"):
        for number, row in enumerate(_csv_rows(text, delimiter, most=_HEADER_ROWS)):
            names = {index.get(fold(heading)) for heading in row}
            if all(field in names for field in needed):
                found.append((len(names - {None}), delimiter, number))
    # Of equal rows the first counts; `sort` keeps their order.
    found.sort(key=lambda candidate: -candidate[0])
    for _, delimiter, number in found:
        rows = _csv_rows(text, delimiter)
        if rows:
            return delimiter, rows, number
    raise TheodoiError(
        "input_without_headers", path=name,
        needed="; ".join(specs[field].label for field in needed),
    )  # fmt: skip


def _unnamed(place: int) -> str:
    """Return a heading for a column that has none."""
    return f"({column_letter(place + 1)})"


def _csv_rows(text: str, delimiter: str, *, most: int | None = None) -> list[list[str]]:
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return list(islice(lines, most))
    except csv.Error:
        # A cell beyond every limit: with this delimiter it is no list.
        return []


def _check_quotes(text: str, delimiter: str, name: str) -> None:
    """Refuse a list in which a quotation mark is never closed: it swallows all that follows."""
    if '"' not in text:
        return
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error as problem:
        if "unexpected end" in str(problem):
            raise TheodoiError("input_open_quote", path=name) from problem

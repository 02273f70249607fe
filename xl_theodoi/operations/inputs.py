"""Lists that `new` and `add` take in: CSV or XLSX, headings by field name or label."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import CellKind, Column, SheetTable, kind_of
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, error, warning
from xl_theodoi.domain.intake import Reading, heading_index, read_list
from xl_theodoi.domain.secrecy import Mark, SecrecyWords, marked_cells
from xl_theodoi.domain.text import fold
from xl_theodoi.resources import secrecy_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.profile import FieldSpec

_OLE = b"\xd0\xcf\x11\xe0"


def read_input(
    path: Path, specs: Mapping[str, FieldSpec], needed: Sequence[str]
) -> tuple[Reading, set[int], list[Finding]]:
    """Read a list of units, tasks or documents.

    Args:
        path: CSV (UTF-8, comma or semicolon) or XLSX (the first sheet with the headings).
        specs: The fields that the list may have.
        needed: Fields without whose column the list makes no sense.

    Returns:
        The typed list; the positions of rows marked as state secrets, which must not be
        taken; and the findings about marks. The text of a marked row is in no finding.

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
    secret, findings = _secret_rows(table, specs)
    reading = read_list(table, specs)
    for position in secret:
        reading.problems.pop(position, None)
    return reading, secret, findings


def _secret_rows(
    table: SheetTable, specs: Mapping[str, FieldSpec]
) -> tuple[set[int], list[Finding]]:
    index = heading_index(specs)
    fields = {label: index.get(fold(label), "") for label in table.columns}
    secret: set[int] = set()
    findings: list[Finding] = []
    for location, position, mark in marked_cells(table, SecrecyWords(secrecy_words()), fields):
        if mark is Mark.SECRET:
            secret.add(position)
            findings.append(error("secret_marking", location))
        else:
            findings.append(warning("secret_marking", location))
    return secret, findings


def _from_workbook(
    path: Path, specs: Mapping[str, FieldSpec], needed: Sequence[str]
) -> SheetTable:
    from xl_theodoi.workbook.read import MASTER_LIMITS, read_workbook  # noqa: PLC0415

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
    index = heading_index(specs)
    best: tuple[int, list[list[str]], int] | None = None
    for delimiter in (",", ";", "\t"):
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        except csv.Error as problem:
            raise TheodoiError("input_unreadable", path=path.name, reason=str(problem)) from problem
        for number, row in enumerate(rows[:20]):
            names = {index.get(fold(heading)) for heading in row}
            score = len(names - {None})
            if all(name in names for name in needed) and (best is None or score > best[0]):
                best = (score, rows, number)
    if best is None:
        raise TheodoiError(
            "input_without_headers", path=path.name,
            needed="; ".join(specs[name].label for name in needed),
        )  # fmt: skip
    _, rows, header = best
    body = rows[header + 1 :]
    columns: dict[str, Column] = {}
    for place, heading in enumerate(rows[header]):
        if not heading.strip() or heading in columns:
            continue
        values = [row[place] if place < len(row) else "" for row in body]
        columns[heading] = Column(
            label=heading,
            index=place + 1,
            values=[value or None for value in values],
            kinds=[int(kind_of(value)) if value else int(CellKind.BLANK) for value in values],
        )
    return SheetTable(
        name="",
        file=path.name,
        sheet="",
        header_row=header + 1,
        columns=columns,
        row_numbers=[header + 2 + number for number in range(len(body))],
    )

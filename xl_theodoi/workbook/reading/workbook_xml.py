"""What the workbook part and the table parts say: sheets, names, tables, time of saving."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from xl_theodoi.workbook.reading.guarded_xml import decode_escapes, parse_small
from xl_theodoi.workbook.reading.package import check_count
from xl_theodoi.workbook.reading.serials import moment_from_w3c

if TYPE_CHECKING:
    from datetime import datetime

    from xl_theodoi.workbook.reading.package import Package

_ONE_CELL = re.compile(r"(?:'((?:[^']|'')+)'|([^'!\[\]]+))!\$?([A-Z]{1,3})\$?(\d{1,7})")


class SheetState(StrEnum):
    """Whether and how a sheet is hidden; the values are the file's own words."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    VERY_HIDDEN = "veryHidden"


_STATES = frozenset(SheetState)


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """A sheet as the workbook lists it.

    Attributes:
        name: Sheet name.
        state: Visible, hidden, or hidden from the user's list of hidden sheets.
        part: Name of its part; blank if the package has none for it.
        is_worksheet: Whether it has cells; chart and dialog sheets have none.
    """

    name: str
    state: SheetState
    part: str
    is_worksheet: bool = True


@dataclass(frozen=True, slots=True)
class TableInfo:
    """An Excel table as its own part describes it, which may be stale.

    Attributes:
        name: Display name, as formulas use it.
        id_name: Its other name, nearly always the same.
        part: Name of the table part.
        sheet: Name of the sheet.
        ref: Range in A1 style, headings and totals included.
        columns: Headings, line breaks included.
        header_rows: 1, or 0 for a table without headings.
        totals_rows: Number of total rows at the bottom.
    """

    name: str
    id_name: str
    part: str
    sheet: str
    ref: str
    columns: tuple[str, ...]
    header_rows: int = 1
    totals_rows: int = 0


@dataclass(frozen=True, slots=True)
class WorkbookInfo:
    """The workbook part.

    Attributes:
        sheets: In the order of the tabs.
        date1904: Whether serial numbers count from 1904.
        names: Sheet and A1 address by defined name, for names of the whole workbook that
            point to one cell, and for names of a sheet where no other has the name.
        formulas: Every defined name and what it refers to, as written.
    """

    sheets: tuple[SheetInfo, ...]
    date1904: bool
    names: dict[str, tuple[str, str]]
    formulas: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _WorkbookPart:
    """The workbook part by itself: name, state and relationship of every sheet, and names.

    Attributes:
        sheets: Name as written, state, and relationship of every sheet.
        formulas: Every defined name and what it refers to.
        is_local: For every defined name whether it is one of a sheet only.
        date1904: Whether serial numbers count from 1904.
    """

    sheets: tuple[tuple[str, str, str], ...]
    formulas: tuple[tuple[str, str], ...]
    is_local: tuple[bool, ...]
    date1904: bool


def _parse_workbook(data: bytes, most: int) -> _WorkbookPart:
    sheets: list[tuple[str, str, str]] = []
    formulas: list[tuple[str, str]] = []
    local: list[bool] = []
    date1904 = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal date1904
        if name == "workbookPr":
            date1904 = attributes.get("date1904", "0") in ("1", "true")
        elif name == "sheet":
            state = attributes.get("state", "visible")
            sheets.append((attributes.get("name", ""), state, attributes.get("id", "")))
            check_count(len(sheets), most)
        elif name == "definedName":
            formulas.append((attributes.get("name", ""), ""))
            local.append("localSheetId" in attributes)
            check_count(len(formulas), most)

    def end(name: str, text: str) -> None:
        if name == "definedName" and formulas:
            formulas[-1] = (formulas[-1][0], text)

    parse_small(data, start, end)
    return _WorkbookPart(tuple(sheets), tuple(formulas), tuple(local), date1904)


def read_workbook_part(package: Package) -> WorkbookInfo:
    """Return what the workbook part says."""
    part = package.workbook_part
    targets = {relationship.id: relationship for relationship in package.relationships(part)}
    found = package.parsed(part, _parse_workbook)
    sheets: list[SheetInfo] = []
    taken: set[str] = set()
    for name, state, identifier in found.sheets:
        target = targets.get(identifier)
        sheet_part = ""
        if target is not None and not target.external and package.has(target.target):
            # A part is one sheet's; a thousand sheets in one part are an attack.
            sheet_part = "" if target.target.lower() in taken else target.target
            taken.add(target.target.lower())
        sheets.append(
            SheetInfo(
                name=decode_escapes(name),
                state=SheetState(state) if state in _STATES else SheetState.HIDDEN,
                part=sheet_part,
                is_worksheet=target is not None and target.kind == "worksheet",
            )
        )
    pairs = zip(found.formulas, found.is_local, strict=True)
    names: dict[str, tuple[str, str]] = {}
    by_fold = {sheet.name.casefold(): sheet.name for sheet in sheets}
    for (name, text), is_local in sorted(pairs, key=lambda pair: pair[1]):
        match = _ONE_CELL.fullmatch(text.strip())
        if match is None or (is_local and name in names):
            continue
        sheet_name = match[1].replace("''", "'") if match[1] else match[2]
        if sheet_name.casefold() in by_fold:
            names[name] = (by_fold[sheet_name.casefold()], f"{match[3]}{int(match[4])}")
    return WorkbookInfo(tuple(sheets), found.date1904, names, found.formulas)


def read_tables(package: Package, sheet: SheetInfo, seen: set[str]) -> list[TableInfo]:
    """Return the tables of a sheet.

    Args:
        package: The package.
        sheet: The sheet whose relationships are followed.
        seen: Table parts read so far; a part counts for the first sheet that has it.
    """
    found = []
    for relationship in package.relationships(sheet.part) if sheet.part else []:
        part = relationship.target
        is_new = part.lower() not in seen
        if relationship.kind == "table" and not relationship.external and is_new:
            seen.add(part.lower())
            table = _read_table(package, part, sheet.name)
            if table is not None:
                found.append(table)
    return found


def _read_table(package: Package, part: str, sheet: str) -> TableInfo | None:
    """Return one table, `None` if its part is missing or does not hold a table."""
    if not package.has(part):
        return None
    table = package.parsed(part, _parse_table)
    return None if table is None else replace(table, part=part, sheet=sheet)


def _parse_table(data: bytes, most: int) -> TableInfo | None:
    """Return what a table part says, not knowing its own name and sheet."""
    columns: list[str] = []
    roots: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "table":
            roots.append(attributes)
        elif name == "tableColumn":
            columns.append(decode_escapes(attributes.get("name", "")))
            check_count(len(columns), most)

    parse_small(data, start)
    if not roots:
        return None
    root = roots[0]
    display = root.get("displayName") or root.get("name", "")
    return TableInfo(
        name=display,
        id_name=root.get("name") or display,
        part="",
        sheet="",
        ref=root.get("ref", ""),
        columns=tuple(columns),
        header_rows=min(int(root.get("headerRowCount", "1")), 1),
        totals_rows=int(root.get("totalsRowCount", "0")),
    )


def read_modified(package: Package) -> datetime | None:
    """Return when the workbook says it was last saved, with its zone; `None` if it does not."""
    for relationship in package.relationships():
        if relationship.kind != "core-properties" or not package.has(relationship.target):
            continue
        texts: list[str] = []

        def end(name: str, text: str, texts: list[str] = texts) -> None:
            if name == "modified":
                texts.append(text)

        with package.reading(relationship.target):
            parse_small(package.structure(relationship.target), end=end)
        if texts:
            return moment_from_w3c(texts[0])
    return None

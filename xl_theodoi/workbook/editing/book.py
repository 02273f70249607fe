"""The parts that say what a workbook holds: sheets, tables, defined names, settings."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.refs import Area, Kind, address, parse_area, sheet_of, tokens

if TYPE_CHECKING:
    from lxml.etree import _Element

    from xl_theodoi.workbook.editing.package import Package

_AFTER_CALCULATION = (
    "oleSize",
    "customWorkbookViews",
    "pivotCaches",
    "smartTagPr",
    "smartTagTypes",
    "webPublishing",
    "fileRecoveryPr",
    "webPublishObjects",
    "extLst",
)
"""What follows `calcPr` in the workbook part; Excel repairs any other order."""


def fold(label: str) -> str:
    """Return a heading without differences of composition, spaces and letter case."""
    return " ".join(unicodedata.normalize("NFC", label).split()).casefold()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet: its name as shown and its part."""

    name: str
    part: str


@dataclass(slots=True)
class TableColumn:
    """One column of a table; `formula` is its calculated-column formula, if it has one."""

    label: str
    index: int
    formula: str | None = None
    array: bool = False


@dataclass(slots=True)
class Table:
    """One table as its part says.

    Attributes:
        name: Name used in formulas.
        part: Part name.
        sheet: The sheet it stands in.
        area: Reference, with heading and totals row.
        totals: Number of totals rows, 0 or 1.
        header: Number of heading rows, 0 or 1.
        columns: Columns from left to right.
        opened_last: Last body row when the workbook was opened.
        gone: Positions, as read, of the rows that were taken out.
        widened: Whether columns were added.
        insert_row: Whether the one body row only invites to type: Excel says so of a table
            whose rows were all deleted.
    """

    name: str
    part: str
    sheet: Sheet
    area: Area
    totals: int
    header: int
    columns: list[TableColumn]
    opened_last: int = 0
    gone: list[int] = field(default_factory=list)
    widened: bool = False
    insert_row: bool = False

    @property
    def first(self) -> int:
        """First body row."""
        return self.area.top + self.header

    @property
    def last(self) -> int:
        """Last body row."""
        return self.area.bottom - self.totals


class Book:
    """What a package says about its workbook; refuses what cannot be edited safely.

    Raises:
        TheodoiError: `edit_strict`, `edit_signed`, `edit_not_a_package`,
            `edit_unreadable_part`.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        main = [r for r in package.relationships("") if r.kind == "officeDocument"]
        if not main or not package.has(main[0].target):
            raise TheodoiError("edit_not_a_package", file=package.file, reason="workbook")
        self.part = main[0].target
        if any(name.casefold().startswith("_xmlsignatures/") for name in package.names()):
            raise TheodoiError("edit_signed", file=package.file)
        self.root = package.xml(self.part)
        if xml.STRICT in main[0].type or self.root.tag != xml.tag("workbook"):
            strict = xml.STRICT in main[0].type or xml.STRICT in str(self.root.tag)
            code = "edit_strict" if strict else "edit_not_a_package"
            raise TheodoiError(code, file=package.file, reason="workbook")
        properties = self.root.find(xml.tag("workbookPr"))
        flag = properties.get("date1904", "0") if properties is not None else "0"
        self.date_1904 = flag in ("1", "true")
        self.changed = False
        targets = {r.id: r for r in package.relationships(self.part)}
        self.sheets: list[Sheet] = []
        self.tabs: list[str] = []
        for node in self.root.iterfind(f"{xml.tag('sheets')}/{xml.tag('sheet')}"):
            name = node.get("name", "")
            self.tabs.append(name)
            target = targets.get(node.get(xml.tag("id", xml.REL), ""))
            if target is not None and target.kind == "worksheet":
                self.sheets.append(Sheet(name, target.target))
        self.tables = self._read_tables()

    def _read_tables(self) -> dict[str, Table]:
        tables: dict[str, Table] = {}
        for sheet in self.sheets:
            for relation in self.package.relationships(sheet.part):
                if relation.kind != "table" or relation.external:
                    continue
                root = self.package.xml(relation.target)
                area = parse_area(root.get("ref", ""))
                if root.tag != xml.tag("table") or area is None:
                    raise TheodoiError(
                        "edit_unreadable_part", part=relation.target, reason=root.get("ref", "")
                    )
                name = root.get("displayName") or root.get("name") or ""
                columns: list[TableColumn] = []
                nodes = root.iterfind(f"{xml.tag('tableColumns')}/{xml.tag('tableColumn')}")
                for offset, node in enumerate(nodes):
                    formula = node.find(xml.tag("calculatedColumnFormula"))
                    columns.append(
                        TableColumn(
                            xml.decode_text(node.get("name", "")),
                            area.left + offset,
                            None if formula is None else formula.text or None,
                            formula is not None and formula.get("array") in ("1", "true"),
                        )
                    )
                table = Table(
                    name,
                    relation.target,
                    sheet,
                    area,
                    int(root.get("totalsRowCount", "0")),
                    int(root.get("headerRowCount", "1")),
                    columns,
                )
                table.opened_last = table.last
                table.insert_row = root.get("insertRow") in ("1", "true")
                tables[name.casefold()] = table
        return tables

    def table(self, name: str) -> Table:
        """Return the table of a name.

        Raises:
            TheodoiError: `edit_unknown_table`, or `edit_refused` for one without headings.
        """
        table = self.tables.get(name.casefold())
        if table is None:
            raise TheodoiError("edit_unknown_table", file=self.package.file, table=name)
        if table.header != 1:
            cell = parse_cell_text(table.area)
            raise TheodoiError(
                "edit_refused", sheet=table.sheet.name, cell=cell, reason="no_header_row"
            )
        return table

    def sheet(self, name: str) -> Sheet:
        """Return the worksheet of a name.

        Raises:
            TheodoiError: `edit_unknown_sheet`.
        """
        for sheet in self.sheets:
            if sheet.name.casefold() == name.casefold():
                return sheet
        raise TheodoiError("edit_unknown_sheet", file=self.package.file, sheet=name)

    def names(self) -> list[_Element]:
        """Return the elements of the defined names."""
        return self.root.findall(f"{xml.tag('definedNames')}/{xml.tag('definedName')}")

    def scope(self, name: _Element) -> str:
        """Return the sheet that a defined name belongs to, empty for the whole workbook."""
        local = name.get("localSheetId")
        if local is None or not local.isdigit() or int(local) >= len(self.tabs):
            return ""
        return self.tabs[int(local)]

    def named_cell(self, name: str) -> tuple[Sheet, Area]:
        """Return the cell that a workbook-level name points to.

        Raises:
            TheodoiError: `edit_unknown_name` when there is none or it is no single cell.
        """
        for node in self.names():
            if node.get("name", "").casefold() != name.casefold() or self.scope(node):
                continue
            pieces = list(tokens((node.text or "").strip().removeprefix("=")))
            if len(pieces) == 1 and pieces[0].kind is Kind.CELL and pieces[0].prefix:
                area = parse_area(pieces[0].text)
                if area is not None and (area.top, area.left) == (area.bottom, area.right):
                    return self.sheet(sheet_of(pieces[0].prefix)), area
        raise TheodoiError("edit_unknown_name", file=self.package.file, name=name)

    def recalculate_on_load(self) -> None:
        """Ask the program that opens the workbook to compute every formula."""
        node = self.root.find(xml.tag("calcPr"))
        if node is None:
            node = etree.Element(xml.tag("calcPr"))
            following = [self.root.find(xml.tag(name)) for name in _AFTER_CALCULATION]
            places = [self.root.index(f) for f in following if f is not None]
            self.root.insert(min(places, default=len(self.root)), node)
        if node.get("fullCalcOnLoad") not in ("1", "true"):
            node.set("fullCalcOnLoad", "1")
            self.changed = True

    def drop_calculation_chain(self) -> None:
        """Take out the calculation chain, which the opening program builds anew."""
        for relation in self.package.relationships(self.part):
            if relation.kind == "calcChain" and not relation.external:
                self.package.unrelate(self.part, relation.target)
                self.package.remove(relation.target)

    def flush(self) -> None:
        """Write the workbook part when it was changed."""
        if self.changed:
            self.package.write(self.part, xml.write_xml(self.root))
            self.changed = False


def parse_cell_text(area: Area) -> str:
    """Return the address of a rectangle's first cell."""
    return address(area.top, area.left)

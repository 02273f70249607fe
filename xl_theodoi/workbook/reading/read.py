"""Reading a workbook: the office's own master, and what units send back.

The only reader of the program. It keeps what intake must know and other readers drop:
whether a value was text, number or date, a formula saved without a value, the cell's font,
hidden rows and columns, and the address of everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xl_theodoi.workbook.reading.grid import Grid
from xl_theodoi.workbook.reading.lists import cut, headings_of, list_at, table_of
from xl_theodoi.workbook.reading.package import (
    MASTER_LIMITS,
    RETURN_LIMITS,
    Limits,
    Package,
    open_package,
)
from xl_theodoi.workbook.reading.plain_xml import NotPlainError
from xl_theodoi.workbook.reading.sheet_frame import parse_range
from xl_theodoi.workbook.reading.sheet_xml import parse_top, read_sheet
from xl_theodoi.workbook.reading.strings_xml import SharedStrings, read_strings
from xl_theodoi.workbook.reading.styles_xml import read_styles
from xl_theodoi.workbook.reading.survey import SheetSurvey, survey_sheet
from xl_theodoi.workbook.reading.workbook_xml import (
    SheetInfo,
    SheetState,
    TableInfo,
    WorkbookInfo,
    read_modified,
    read_tables,
    read_workbook_part,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from xl_theodoi.domain.cells import Cell, CellStyle, SheetTable
    from xl_theodoi.domain.findings import Location

__all__ = [
    "MASTER_LIMITS",
    "RETURN_LIMITS",
    "SheetInfo",
    "SheetState",
    "TableInfo",
    "WorkbookContent",
    "read_workbook",
]

_FEW_ROWS = 100
"""As many are parsed in a fraction of the time that a long sheet takes."""

_SPARE_AREA = 2
"""A list may have this many times the filled cells allowed, blank cells included."""


@dataclass(slots=True)
class _Allowance:
    """How many cells lists may still have; a file may have thousands over one sheet."""

    package: Package
    spent: int = 0

    def charge(self, cells: int) -> None:
        """Count the cells of a list, and refuse what would fill the memory."""
        self.spent += cells
        if self.spent > _SPARE_AREA * self.package.limits.cells:
            raise self.package.too_large("cells", self.package.workbook_part)


@dataclass(slots=True)
class WorkbookContent:
    """A workbook as read. Sheets that nobody asked for are parsed when they are.

    Attributes:
        package: The package it was read from.
        info: Sheets, names and date system.
        table_infos: The tables as their parts describe them.
        modified: When the workbook says it was last saved, with zone; `None` if unknown.
        tables: The Excel tables of the sheets that were asked for, by display name and by
            name. Rows below the range of a table are not part of it: see `find_list`.
    """

    package: Package
    info: WorkbookInfo
    table_infos: tuple[TableInfo, ...]
    modified: datetime | None
    tables: dict[str, SheetTable] = field(default_factory=dict)
    _shared: SharedStrings | None = None
    _styles: tuple[CellStyle, ...] | None = None
    _grids: dict[str, Grid] = field(default_factory=dict)
    _surveys: dict[str, SheetSurvey | None] = field(default_factory=dict)
    _table_allowance: _Allowance | None = None
    _lists: Collection[str] | None = None

    @property
    def file(self) -> str:
        """File name as shown to people."""
        return self.package.file

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes, hexadecimal."""
        return self.package.sha256

    @property
    def date1904(self) -> bool:
        """Whether serial numbers count from 1904."""
        return self.info.date1904

    @property
    def sheets(self) -> tuple[SheetInfo, ...]:
        """The sheets in the order of their tabs."""
        return self.info.sheets

    @property
    def names(self) -> dict[str, tuple[str, str]]:
        """Sheet and A1 address by defined name, for names that point to one cell."""
        return self.info.names

    @property
    def styles(self) -> tuple[CellStyle, ...]:
        """The cell formats that cells refer to."""
        if self._styles is None:
            self._styles = read_styles(self.package, self._part("styles"))
        return self._styles

    def sheet(self, name: str) -> SheetInfo | None:
        """Return a sheet by its name, without regard to case as in Excel."""
        folded = name.casefold()
        return next((sheet for sheet in self.sheets if sheet.name.casefold() == folded), None)

    def grid(self, sheet_name: str) -> Grid:
        """Return the raw cells of a sheet; an empty grid if there is no such worksheet.

        Raises:
            TheodoiError: `not_a_workbook` or `too_large`, see `read_sheet`.
        """
        sheet = self.sheet(sheet_name)
        if sheet is None or not self.has_cells(sheet):
            return Grid(self.file, sheet_name)
        key = sheet.part.lower()
        if key not in self._grids:
            self._grids[key] = read_sheet(
                self.package,
                sheet.part,
                sheet.name,
                self._strings(),
                self.styles,
                date1904=self.date1904,
            )
        return self._grids[key]

    def table(self, name: str) -> SheetTable | None:
        """Return an Excel table by display name or name, `None` if there is none."""
        if name not in self.tables:
            table = self.table_info(name)
            if table is not None:
                self._cut_tables([table])
        return self.tables.get(name)

    def table_info(self, name: str) -> TableInfo | None:
        """Return what a table's own part says of it, `None` if there is no such table."""
        for table in self.table_infos:
            if table.name == name:
                return table
        return next((table for table in self.table_infos if table.id_name == name), None)

    def name_cell(self, name: str) -> Cell | None:
        """Return the cell that a defined name points to, `None` if there is no such name."""
        place = self.names.get(name)
        area = parse_range(place[1]) if place is not None else None
        if place is None or area is None:
            return None
        return self.grid(place[0]).cell(area[0], area[1])

    def find_list(
        self,
        labels: Collection[str],
        fold: Callable[[str], str],
        minimum: int,
        preferred_table: str | None = None,
    ) -> list[SheetTable]:
        """Return the lists that have these headings, one at most for each sheet.

        The body of a list is everything below its headings, so that rows which a unit
        added below the table are found too; `last_table_row` tells them apart.

        Args:
            labels: Headings looked for.
            fold: Brings headings into the form in which they are compared; the lists keep
                them as written.
            minimum: Fewest labels that make a row of headings.
            preferred_table: Table whose headings are tried first; if they still stand where
                the table is, it is the only list returned.

        Returns:
            The lists in the order of the tabs, those on hidden sheets last.

        Raises:
            TheodoiError: `not_a_workbook` or `too_large`, see `read_sheet`.
        """
        charge = _Allowance(self.package).charge
        wanted = {fold(label) for label in labels}
        table = self.table_info(preferred_table) if preferred_table is not None else None
        if table is not None and table.header_rows:
            grid = self.grid(table.sheet)
            area = parse_range(table.ref)
            if area is not None:
                headings = headings_of(grid, area[0])
                inside = {i: label for i, label in headings.items() if area[1] <= i <= area[3]}
                if len({fold(label) for label in inside.values()} & wanted) >= minimum:
                    return [_list_below(grid, area[0], (table,), charge)]
        found = []
        for sheet in sorted(self.sheets, key=lambda sheet: sheet.state is not SheetState.VISIBLE):
            grid = self.grid(sheet.name)
            best = list_at(grid, labels, fold, minimum)
            if best is not None:
                found.append(_list_below(grid, best[0], self.table_infos, charge))
        return found

    def first_text(self, judge: Callable[[Collection[str]], Collection[str]]) -> Location | None:
        """Return the address of the first cell whose text satisfies a judge, `None` for none.

        As `texts_like`, of which it is the first.
        """
        return next(self.texts_like(judge), None)

    def texts_like(
        self, judge: Callable[[Collection[str]], Collection[str]], left_out: Collection[str] = ()
    ) -> Iterator[Location]:
        """Yield the address of every cell whose text satisfies a judge.

        Sheets come in the order of their tabs, cells by columns and then by rows. Texts are
        shared and inline texts, results of formulas that are texts, and error values; on a
        sheet that is only surveyed, what stands for a number and is none, without a letter
        in it, is passed over.

        Args:
            judge: Returns those of many texts that satisfy it. It may also be asked about
                texts that no cell has, and more than once about one.
            left_out: Names of the sheets that are not looked at.

        Raises:
            TheodoiError: `not_a_workbook` or `too_large`, see `read_sheet`.
        """
        is_shared = bool(judge(self._strings().texts))
        for sheet in self.sheets:
            if sheet.name in left_out or not self.has_cells(sheet):
                continue
            survey = self.survey(sheet.name)
            own = survey.texts if survey is not None else self.grid(sheet.name).own_texts
            if own is not None and not is_shared and not judge(own):
                continue
            grid = self.grid(sheet.name)
            for index, column in grid.columns.items():
                found = judge({value for value in set(column.values) if isinstance(value, str)})
                if not found:
                    continue
                for row, value in zip(column.rows, column.values, strict=True):
                    if isinstance(value, str) and value in found:
                        yield grid.cell(row, index).location

    def survey(self, sheet_name: str) -> SheetSurvey | None:
        """Return what a sheet's cells hold without making cells of them.

        `None` where its grid must be looked at instead: it is there already, it will be wanted
        for a list, or the part is of an unusual form.

        Raises:
            TheodoiError: `not_a_workbook` or `too_large` if the part cannot be inflated.
        """
        sheet = self.sheet(sheet_name)
        if sheet is None or not self.has_cells(sheet):
            return None
        key = sheet.part.lower()
        if key in self._grids or any(
            table.sheet == sheet.name and self._is_list(table) for table in self.table_infos
        ):
            return None
        if key not in self._surveys:
            with self.package.reading(sheet.part):
                try:
                    self._surveys[key] = survey_sheet(self.package, sheet.part)
                except NotPlainError:
                    self._surveys[key] = None
        return self._surveys[key]

    @staticmethod
    def has_cells(sheet: SheetInfo) -> bool:
        """Whether a sheet is a worksheet that the package has a part for."""
        return bool(sheet.part) and sheet.is_worksheet

    def _strings(self) -> SharedStrings:
        """Return the shared strings, read when first needed."""
        if self._shared is None:
            self._shared = read_strings(self.package, self._part("sharedStrings"))
        return self._shared

    def _is_list(self, table: TableInfo) -> bool:
        """Whether the whole sheet of a table will be wanted."""
        return self._lists is None or bool({table.name, table.id_name} & {*self._lists})

    def _top_of(self, table: TableInfo) -> Grid | None:
        """Return the rows of a sheet down to the end of a table that is in its place.

        `None` where the whole grid must be looked at: it is there already, the sheet was not
        surveyed, so that nothing is known of what stands below, or the table is elsewhere or
        long.
        """
        sheet, area = self.sheet(table.sheet), parse_range(table.ref)
        if sheet is None or area is None or area[2] > _FEW_ROWS or not table.header_rows:
            return None
        key = sheet.part.lower()
        if key in self._grids or self._surveys.get(key) is None:
            return None
        grid = Grid(self.file, sheet.name, styles=self.styles)
        with self.package.reading(sheet.part):
            try:
                parse_top(
                    self.package, sheet.part, grid, self._strings(), area[2],
                    date1904=self.date1904,
                )  # fmt: skip
            except NotPlainError:
                return None
        headings = headings_of(grid, area[0])
        inside = {label for i, label in headings.items() if area[1] <= i <= area[3]}
        return grid if inside.issuperset(table.columns) else None

    def _cut_tables(self, tables: Collection[TableInfo]) -> None:
        """Cut tables out of their sheets and keep them by both names."""
        if self._table_allowance is None:
            self._table_allowance = _Allowance(self.package)
        for info in tables:
            grid = self._top_of(info) or self.grid(info.sheet)
            table = table_of(grid, info, self._table_allowance.charge)
            if table is not None:
                self.tables.setdefault(info.name, table)
                self.tables.setdefault(info.id_name, table)

    def _part(self, kind: str) -> str | None:
        """Return the workbook's part of a kind, `None` if it has none."""
        for relationship in self.package.relationships(self.package.workbook_part):
            if relationship.kind == kind and not relationship.external:
                return relationship.target
        return None


def read_workbook(
    source: Path | str | bytes,
    *,
    file_name: str = "",
    limits: Limits = MASTER_LIMITS,
    tables: Collection[str] | None = None,
    sheets: Collection[str] | None = None,
    lists: Collection[str] | None = None,
) -> WorkbookContent:
    """Return the content of a workbook.

    Args:
        source: Path of the file, or its bytes.
        file_name: Name for messages; the path's last part if not given.
        limits: `MASTER_LIMITS` for the office's own workbook, `RETURN_LIMITS` for others.
        tables: Names of the tables to read now; others are read when asked for.
        sheets: Names of the sheets to read now, with their tables. If neither is given, all
            sheets and tables are read.
        lists: Names of the tables whose sheets will be wanted as a whole; of other sheets with
            tables only these may be read. All tables if not given.

    Raises:
        TheodoiError: As `open_package`; also `not_a_workbook` and `too_large` found later.
    """
    package = open_package(source, limits, file_name=file_name)
    with package.reading(package.workbook_part):
        info = read_workbook_part(package)
        seen: set[str] = set()
        infos = tuple(table for sheet in info.sheets for table in read_tables(package, sheet, seen))
        content = WorkbookContent(package, info, infos, read_modified(package), _lists=lists)
        everything = tables is None and sheets is None
        wanted_sheets = {name.casefold() for name in sheets or ()}
        wanted_tables = set(tables or ())
        for sheet in info.sheets:
            if everything or sheet.name.casefold() in wanted_sheets:
                content.grid(sheet.name)
        content._cut_tables(  # noqa: SLF001
            [
                table
                for table in infos
                if everything
                or table.sheet.casefold() in wanted_sheets
                or table.name in wanted_tables
                or table.id_name in wanted_tables
            ]
        )
    return content


def _list_below(
    grid: Grid, row: int, tables: Collection[TableInfo], charge: Callable[[int], None]
) -> SheetTable:
    """Return everything under a row of headings, named for the table that covers the row.

    Of equal headings the one inside the table counts, else the first.
    """
    headings = headings_of(grid, row)
    name = ""
    last_table_row = 0
    for table in tables:
        area = parse_range(table.ref)
        if table.sheet == grid.sheet and area is not None and area[0] <= row <= area[2]:
            name, last_table_row = table.name, area[2] - table.totals_rows
            inside = {i: label for i, label in headings.items() if area[1] <= i <= area[3]}
            headings = inside | {i: text for i, text in headings.items() if i not in inside}
            break
    return cut(grid, headings, row, grid.last_row, charge, name=name, table_row=last_table_row)

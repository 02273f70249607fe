"""One edit of one package: the parts opened so far, and the order in which they close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing import calc as edit_calc
from xl_theodoi.workbook.editing import follow as edit_follow
from xl_theodoi.workbook.editing.book import Book
from xl_theodoi.workbook.editing.heights import RowHeights
from xl_theodoi.workbook.editing.live import LiveTable
from xl_theodoi.workbook.editing.package import Package
from xl_theodoi.workbook.editing.sheet import SheetEdit
from xl_theodoi.workbook.editing.strings import SharedStrings
from xl_theodoi.workbook.editing.styles import Styles
from xl_theodoi.workbook.editing.values import CellWriter

if TYPE_CHECKING:
    from xl_theodoi.domain.changes import LiveColumns
    from xl_theodoi.workbook.editing.book import Sheet
    from xl_theodoi.workbook.editing.refs import Extent


class Session:
    """Everything an edit needs, opened when it is first asked for.

    Args:
        data: The file's bytes.
        file: File name as shown to people.

    Attributes:
        live: Columns of formulas by the table's name in small letters.
        given: Parts of sheets whose stored results were given with their formulas.

    Raises:
        TheodoiError: When the package cannot be edited safely; see `Package` and `Book`.
    """

    def __init__(self, data: bytes, file: str) -> None:
        self.package = Package(data, file)
        self.book = Book(self.package)
        self.strings = SharedStrings(
            self.package, self.book.part, self._related(self.book.part, "sharedStrings")
        )
        self._styles: Styles | None = None
        self.writer = CellWriter(self.strings, self.styles, date_1904=self.book.date_1904)
        self._sheets: dict[str, SheetEdit] = {}
        self._heights: dict[str, RowHeights] = {}
        self.live: dict[str, LiveTable] = {}
        self.given: set[str] = set()

    def _related(self, part: str, kind: str) -> str | None:
        for relation in self.package.relationships(part):
            if relation.kind == kind and not relation.external:
                return relation.target
        return None

    def styles(self) -> Styles:
        """Return the styles of the workbook."""
        if self._styles is None:
            self._styles = Styles(self.package, self._related(self.book.part, "styles"))
        return self._styles

    def sheet(self, sheet: Sheet) -> SheetEdit:
        """Return a worksheet under edit."""
        if sheet.part not in self._sheets:
            self._sheets[sheet.part] = SheetEdit(
                self.package, sheet.name, sheet.part, self.strings, self.writer
            )
        return self._sheets[sheet.part]

    def heights(self, sheet: SheetEdit) -> RowHeights:
        """Return what fits the rows of a worksheet to their text."""
        if sheet.part not in self._heights:
            self._heights[sheet.part] = RowHeights(sheet, self.styles())
        return self._heights[sheet.part]

    def expect_live(self, change: LiveColumns) -> None:
        """Learn which columns of a table hold formulas, before any change is made.

        Raises:
            TheodoiError: `edit_unknown_table`.
        """
        table = self.book.table(change.table)
        known = self.live.get(table.name.casefold())
        if known is None:
            known = self.live[table.name.casefold()] = LiveTable(table)
            self.sheet(table.sheet).live.append(known)
        known.formulas.update(change.formulas)

    def open_sheets(self) -> list[SheetEdit]:
        """Return the worksheets that were opened so far."""
        return list(self._sheets.values())

    def extents(self) -> list[Extent]:
        """Return how the tables' last rows moved."""
        return [
            edit_follow.session_extent(table)
            for table in self.book.tables.values()
            if table.last != table.opened_last
        ]

    def finish(self) -> None:
        """Let everything follow that hangs on the changes, and write the parts."""
        extents = self.extents()
        edit_follow.follow(self, extents)
        edit_calc.settle(self, extents)
        for sheet in self.open_sheets():
            pieces = sheet.result()
            if pieces is not None:
                self.package.write(sheet.part, pieces)
        self.strings.flush()
        if self._styles is not None:
            self._styles.flush()
        self.book.flush()

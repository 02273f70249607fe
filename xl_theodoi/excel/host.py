"""A master workbook that is open in Excel, seen as a `Host`.

Every table is read in one call and written in as few as its changes allow. What Excel holds
on screen counts, saved or not; the workbook is not saved here, the user does that.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.cells import Cell, SheetTable, column_letter
from xl_theodoi.domain.changes import (
    AddColumns,
    AddSheet,
    AppendColumns,
    AppendRows,
    LiveColumns,
    MarkCells,
    RemoveRows,
    ReplaceRows,
    SetCells,
    SetColumns,
    SetName,
)
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, warning
from xl_theodoi.domain.names import FINDINGS
from xl_theodoi.excel.books import is_open_elsewhere
from xl_theodoi.excel.effects import change_anything
from xl_theodoi.excel.reading import read_table
from xl_theodoi.excel.replacing import is_same_in_excel, replace_open_book
from xl_theodoi.excel.state import ensure_ready, native_flag, undisturbed
from xl_theodoi.excel.values import read_value
from xl_theodoi.excel.writer import Writer
from xl_theodoi.hosts import LiveEdit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import xlwings as xw

    from xl_theodoi.domain.changes import FileChange
    from xl_theodoi.domain.findings import Finding
    from xl_theodoi.excel.table import LiveTable
    from xl_theodoi.hosts import Edit


@dataclass(frozen=True, slots=True)
class ExcelContent:
    """What was read of an open workbook.

    Attributes:
        tables: Every Excel Table by its name.
        book: The workbook, for what is asked for later.
    """

    tables: Mapping[str, SheetTable]
    book: xw.Book

    def name_cell(self, name: str) -> Cell | None:
        """Return the cell that a defined name points to, `None` if there is no such name."""
        if name not in self.book.names:
            return None
        try:
            area = self.book.names[name].refers_to_range
        except Exception:  # noqa: BLE001
            # The name of a constant or a formula; each engine fails in its own way.
            return None
        cell = area[0, 0] if len(area) > 1 else area
        value, kind = read_value(cell.options(err_to_str=True).value)
        formula = cell.formula
        place = Location(self.book.name, cell.sheet.name, f"{column_letter(cell.column)}{cell.row}")
        if not isinstance(formula, str) or not formula.startswith("="):
            return Cell(value, kind, place)
        return Cell(value, kind, place, formula=formula[1:])


class ExcelHost:
    """A master workbook open in Excel.

    Args:
        book: The workbook, usually `xlwings.Book.caller()`.

    Attributes:
        findings: What the user should know of how the work was done, such as a snapshot
            that could only be taken of the saved file.
    """

    def __init__(self, book: xw.Book) -> None:
        self.book = book
        self.parts_changed: tuple[str, ...] = ()
        self.findings: list[Finding] = []
        self._live: dict[str, LiveTable] | None = None

    @property
    def path(self) -> Path:
        """Where the workbook is saved.

        Raises:
            TheodoiError: `not_saved` before the first save, `cloud_path` where the workbook
                was opened from the internet and has no folder on this computer.
        """
        try:
            name = self.book.fullname
        except Exception as problem:
            # xlwings turns the address of a synchronised folder into a local path and fails
            # in a dozen ways where it cannot.
            raise TheodoiError("cloud_path", file=self.book.name) from problem
        if "://" in name:
            raise TheodoiError("cloud_path", file=self.book.name)
        path = Path(name)
        if not path.is_absolute():
            raise TheodoiError("not_saved", file=self.book.name)
        return path

    def read(self) -> ExcelContent:
        """Return every table as it is now, each read in one call.

        Raises:
            TheodoiError: `excel_busy`.
        """
        ensure_ready(self.book)
        live: dict[str, LiveTable] = {}
        for sheet in self.book.sheets:
            for table in sheet.tables:
                if table.name != FINDINGS and table.show_headers:
                    found = read_table(table, sheet, self.book.name)
                    live[found.content.name] = found
        self._live = live
        contents = {name: found.content for name, found in live.items()}
        return ExcelContent(contents, self.book)

    def ensure_writable(self) -> None:
        """Refuse a workbook that is read-only, shared, or has no place of its own on disk.

        Raises:
            TheodoiError: `workbook_read_only`, `second_excel` where another Excel on this
                computer has it open, `workbook_shared`, `autosave_on`, `not_saved` or
                `cloud_path`.
        """
        path = self.path
        api = self.book.api
        if native_flag(api, "ReadOnly", "read_only"):
            elsewhere = is_open_elsewhere(self.book, path)
            code = "second_excel" if elsewhere else "workbook_read_only"
            raise TheodoiError(code, file=self.book.name)
        if native_flag(api, "MultiUserEditing", "multi_user_editing"):
            raise TheodoiError("workbook_shared", file=self.book.name)
        if native_flag(api, "AutoSaveOn", "autosave_on"):
            # Excel would save half of the work, and mix it with what others write meanwhile.
            raise TheodoiError("autosave_on", file=self.book.name)

    def snapshot(self) -> bytes:
        """Return the workbook as it is on screen, unsaved changes included.

        Where Excel cannot save a copy (on a Mac it has no such command), the file on disk is
        taken instead, and `snapshot_from_disk` in `findings` says so if it is older.
        """
        path = self.path
        save_copy = getattr(self.book.api, "SaveCopyAs", None)
        if callable(save_copy):
            # Excel or a virus scanner may hold the copy a moment longer than we need it.
            with (
                suppress(Exception),
                TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            ):
                copy = Path(folder) / f"copy{path.suffix}"
                save_copy(str(copy))
                return copy.read_bytes()
        if not native_flag(self.book.api, "Saved", "saved"):
            found = warning("snapshot_from_disk", Location(path.name))
            if found not in self.findings:
                self.findings.append(found)
        try:
            return path.read_bytes()
        except OSError as problem:
            raise TheodoiError("snapshot_failed", file=path.name) from problem

    def states(self) -> Iterator[bytes]:
        """Yield the workbook on screen, and its file where the screen shows nothing else."""
        screen = self.snapshot()
        yield screen
        try:
            saved = self.path.read_bytes()
        except OSError:
            # A file that Excel does not share tells nothing.
            return
        if native_flag(self.book.api, "Saved", "saved") or is_same_in_excel(
            self.book, saved, screen
        ):
            yield saved

    def restore(self, data: bytes) -> None:
        """Close the workbook, put these bytes in its file's place and open it again."""
        self.ensure_writable()
        self.book = replace_open_book(self.book, self.path, data, self.snapshot())
        self._live = None

    def prepare(self, changes: Sequence[FileChange]) -> Edit | None:
        """Take a snapshot where anything would change; Excel makes changes only at once."""
        contents = {name: live.content for name, live in self._tables().items()}
        if not change_anything(changes, contents):
            return None
        return LiveEdit(self, changes)

    def apply(self, changes: Sequence[FileChange]) -> None:
        """Make all changes, or none: what was written is taken back when a later one fails.

        Row positions are those of the last `read`.

        Raises:
            TheodoiError: `sheet_protected`, `table_has_totals`, `cells_in_the_way`,
                `excel_unknown_table`, `excel_unknown_name`, `excel_unknown_sheet`,
                `workbook_read_only` or `excel_busy` with nothing written;
                `excel_write_failed` with everything taken back; `excel_write_incomplete`
                where Excel did not allow that either.
        """
        if not changes:
            return
        self.ensure_writable()
        self._tables()
        # Columns first, because later changes may name them; rows leave last, because
        # positions are those of the table as read.
        ordered = sorted(changes, key=lambda change: _ORDER[type(change)])
        sheets = self._sheets_of(ordered)
        for sheet in sheets:
            if native_flag(sheet.api, "ProtectContents", "protect_contents"):
                raise TheodoiError("sheet_protected", file=self.book.name, sheet=sheet.name)
        writer = Writer()
        try:
            with undisturbed(self.book):
                for change in ordered:
                    self._apply_one(change, writer)
            self._calculate(ordered)
        except Exception as problem:
            undone = self._take_back(writer)
            if isinstance(problem, (TheodoiError, ValueError)) and undone:
                raise
            code = "excel_write_failed" if undone else "excel_write_incomplete"
            raise TheodoiError(code, file=self.book.name) from problem
        finally:
            # Positions were those of the last reading; whatever comes next reads again.
            self._live = None
        self.parts_changed = tuple(
            dict.fromkeys((*self.parts_changed, *(sheet.name for sheet in sheets)))
        )

    def _calculate(self, changes: Sequence[FileChange]) -> None:
        """Let Excel calculate the statuses where the user has it wait to be told to.

        Who asks for the statuses asks for that.
        """
        if any(isinstance(change, LiveColumns) for change in changes):
            with suppress(Exception):
                # What was written is right even where Excel does not want to calculate now.
                if self.book.app.calculation == "manual":
                    self.book.app.calculate()

    def _take_back(self, writer: Writer) -> bool:
        try:
            with undisturbed(self.book):
                writer.undo()
        except Exception:  # noqa: BLE001
            # Excel does not let itself be kept quiet any more: take back what is left anyhow.
            writer.undo()
        return writer.is_undone

    def _tables(self) -> dict[str, LiveTable]:
        """Return the tables as last read."""
        if self._live is None:
            self.read()
        return self._live or {}

    def _table(self, name: str) -> LiveTable:
        found = (self._live or {}).get(name)
        if found is None:
            raise TheodoiError("excel_unknown_table", file=self.book.name, table=name)
        return found

    def _cell_of(self, name: str) -> xw.Range:
        if name not in self.book.names:
            raise TheodoiError("excel_unknown_name", file=self.book.name, name=name)
        return self.book.names[name].refers_to_range

    def _sheet(self, name: str) -> xw.Sheet:
        for sheet in self.book.sheets:
            if sheet.name == name:
                return sheet
        raise TheodoiError("excel_unknown_sheet", file=self.book.name, sheet=name)

    def _sheets_of(self, changes: Sequence[FileChange]) -> list[xw.Sheet]:
        sheets: dict[str, xw.Sheet] = {}
        for change in changes:
            if isinstance(change, LiveColumns) and not any(change.mend.values()):
                continue
            if isinstance(change, AddSheet):
                sheets.update((s.name, s) for s in self.book.sheets if s.name == change.name)
                continue
            if isinstance(change, SetName):
                sheet = self._cell_of(change.name).sheet
            elif isinstance(change, MarkCells):
                sheet = self._sheet(change.sheet)
            else:
                sheet = self._table(change.table).sheet
            sheets[sheet.name] = sheet
        return list(sheets.values())

    def _apply_one(self, change: FileChange, writer: Writer) -> None:
        if isinstance(change, SetName):
            writer.set_name(self._cell_of(change.name), change.value)
        elif isinstance(change, MarkCells):
            writer.mark(self._sheet(change.sheet), change.notes)
        elif isinstance(change, AddColumns):
            writer.add_columns(self._table(change.table), change.labels)
        elif isinstance(change, AddSheet):
            writer.put_sheet(self.book, change)
        elif isinstance(change, LiveColumns):
            writer.keep_live(self._table(change.table), change.formulas, change.mend)
        elif isinstance(change, (SetCells, SetColumns)):
            writer.set_cells(self._table(change.table), change.cells)
        elif isinstance(change, AppendRows):
            writer.append(self._table(change.table), change.rows)
        elif isinstance(change, AppendColumns):
            writer.append(self._table(change.table), change.rows())
        elif isinstance(change, RemoveRows):
            writer.remove(self._table(change.table), change.positions)
        else:
            writer.replace(self._table(change.table), change.rows)


_ORDER: Final[dict[type, int]] = {
    AddSheet: 0,
    AddColumns: 0,
    LiveColumns: 1,
    SetName: 1,
    SetCells: 2,
    SetColumns: 2,
    AppendRows: 3,
    AppendColumns: 3,
    RemoveRows: 4,
    ReplaceRows: 5,
    MarkCells: 6,
}

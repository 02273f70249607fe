"""Where a master workbook lives: a file on disk, or a workbook open in Excel.

Operations see only this interface, so every action works on both. A host reads all tables
at once and applies all changes of one action at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xl_theodoi.domain.cells import Cell, SheetTable
    from xl_theodoi.domain.changes import Change


class HostContent(Protocol):
    """What was read of a workbook."""

    @property
    def tables(self) -> Mapping[str, SheetTable]:
        """Every Excel Table by its name."""

    def name_cell(self, name: str) -> Cell | None:
        """Return the cell that a defined name points to, None if there is no such name."""


class Host(Protocol):
    """A master workbook that can be read and changed."""

    @property
    def path(self) -> Path:
        """Where the workbook is saved; the companion folder stands beside it."""

    @property
    def parts_changed(self) -> tuple[str, ...]:
        """Package parts that `apply` has changed, for a file; cells' sheets, for Excel."""

    def read(self) -> HostContent:
        """Return the workbook's tables as they are now, unsaved changes included."""

    def ensure_writable(self) -> None:
        """Raise `TheodoiError` where a change could not be written (open elsewhere, locked)."""

    def snapshot(self) -> bytes:
        """Return the bytes that a snapshot keeps: the workbook as it is now."""

    def apply(self, changes: Sequence[Change]) -> None:
        """Make all changes, or none."""


class FileHost:
    """A master workbook on disk; changes go through the lossless editor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts_changed: tuple[str, ...] = ()
        self._sha256: str | None = None
        self._tables: Mapping[str, SheetTable] = {}

    def read(self) -> HostContent:
        """Read every table of the file.

        Raises:
            TheodoiError: `master_missing`, or what the reader says of a file that is no
                workbook, encrypted or too large.
        """
        from xl_theodoi.domain.errors import TheodoiError  # noqa: PLC0415
        from xl_theodoi.workbook.reading.read import MASTER_LIMITS, read_workbook  # noqa: PLC0415

        if not self.path.is_file():
            raise TheodoiError("master_missing", path=str(self.path))
        content = read_workbook(self.path, file_name=self.path.name, limits=MASTER_LIMITS)
        self._sha256 = content.sha256
        self._tables = content.tables
        return content

    def ensure_writable(self) -> None:
        """Refuse a workbook that Excel or LibreOffice has open, by their lock files."""
        from xl_theodoi.workbook.editing.save import check_unlocked  # noqa: PLC0415

        check_unlocked(self.path)

    def snapshot(self) -> bytes:
        """Return the file's bytes."""
        return self.path.read_bytes()

    def apply(self, changes: Sequence[Change]) -> None:
        """Edit the file losslessly; it must not have changed since it was read."""
        from xl_theodoi.workbook.editing.edit import apply_changes  # noqa: PLC0415

        if not changes:
            return
        self._refuse_gaps(changes)
        applied = apply_changes(self.path, changes, expected_sha256=self._sha256)
        self.parts_changed = tuple(dict.fromkeys((*self.parts_changed, *applied.parts_changed)))
        self._sha256 = applied.sha256

    def _refuse_gaps(self, changes: Sequence[Change]) -> None:
        """Refuse a table with a gap so long that the reader left its rows out.

        Positions would not lead to the right rows below the gap.
        """
        from xl_theodoi.domain.errors import TheodoiError  # noqa: PLC0415

        for name in {change.table for change in changes if hasattr(change, "table")}:
            table = self._tables.get(name)
            if table is None or not table.row_numbers:
                continue
            if table.row_numbers[-1] != table.header_row + len(table):
                raise TheodoiError("rows_far_apart", table=name, path=self.path.name)


class MemoryHost:
    """A master workbook that is not on disk yet: `new` works on it before writing once.

    Args:
        path: Where the workbook will be saved.
        data: Its bytes so far.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.parts_changed: tuple[str, ...] = ()

    def read(self) -> HostContent:
        """Read every table of the bytes."""
        from xl_theodoi.workbook.reading.read import MASTER_LIMITS, read_workbook  # noqa: PLC0415

        return read_workbook(self.data, file_name=self.path.name, limits=MASTER_LIMITS)

    def ensure_writable(self) -> None:
        """Nothing stands in the way of bytes in memory."""

    def snapshot(self) -> bytes:
        """Return the bytes so far."""
        return self.data

    def apply(self, changes: Sequence[Change]) -> None:
        """Edit the bytes."""
        from xl_theodoi.workbook.editing.edit import edit_bytes  # noqa: PLC0415

        self.data, parts = edit_bytes(self.data, changes, file=self.path.name)
        self.parts_changed = tuple(dict.fromkeys((*self.parts_changed, *parts)))

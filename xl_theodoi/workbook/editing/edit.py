"""The lossless editor: changes to a workbook that people own, everything else byte for byte.

The package is edited directly. Parts that no change concerns are copied as compressed bytes;
in a sheet that changes, rows that no change concerns keep their bytes. Whatever cannot be
done safely is refused before anything is written, with the place named.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

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
from xl_theodoi.workbook.editing import columns as edit_columns
from xl_theodoi.workbook.editing import new_sheet as edit_new_sheet
from xl_theodoi.workbook.editing import notes as edit_notes
from xl_theodoi.workbook.editing import remove as edit_remove
from xl_theodoi.workbook.editing import save as edit_save
from xl_theodoi.workbook.editing import tables as edit_tables
from xl_theodoi.workbook.editing import verify as edit_verify
from xl_theodoi.workbook.editing.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.changes import FileChange


@dataclass(frozen=True, slots=True)
class AppliedChanges:
    """What an edit did.

    Attributes:
        parts_changed: Names of the parts that were written, added or taken out.
        sha256: Hexadecimal digest of the file as it is now.
    """

    parts_changed: tuple[str, ...]
    sha256: str


def edit_bytes(
    data: bytes, changes: Sequence[FileChange], *, file: str = "", note_author: str = ""
) -> tuple[bytes, tuple[str, ...]]:
    """Return a workbook's bytes after changes, and the names of the parts that changed.

    Row positions count as the table was read: rows that an earlier change took out do not
    move the positions of later changes; after `ReplaceRows` they count the new rows.
    `LiveColumns` holds for all changes of its table, wherever it stands among them.

    Args:
        data: Bytes of an `.xlsx` or `.xlsm` file.
        changes: What to change, in order.
        file: File name for messages.
        note_author: Whom the notes of `MarkCells` name as their author.

    Raises:
        TheodoiError: When something cannot be done safely; codes begin with `edit_`.
        ValueError: For a row position that does not exist, or a value no cell can hold.
    """
    if not changes:
        return data, ()
    session = Session(data, file)
    for change in changes:
        session.strings.expect(_values(change))
        if isinstance(change, LiveColumns):
            session.expect_live(change)
    for change in sorted(changes, key=lambda change: _turn(session, change)):
        _apply(session, change, note_author)
    session.finish()
    result = session.package.build()
    parts = session.package.changed()
    edit_verify.verify(session.package, result)
    return result, parts


def _turn(session: Session, change: FileChange) -> int:
    """Return when a change has its turn: formulas are in their cells before their results."""
    if isinstance(change, LiveColumns):
        return 1
    if isinstance(change, AddSheet):
        return 0
    is_for_live = isinstance(change, AddColumns) and change.table.casefold() in session.live
    return 0 if is_for_live else 2


def _values(change: FileChange) -> Iterable[Value]:
    """Return the values that a change writes into cells; equal ones of a column once."""
    if isinstance(change, SetCells):
        return change.cells.values()
    if isinstance(change, SetColumns):
        return chain.from_iterable(values for _, values in change.columns.values())
    if isinstance(change, (AppendRows, ReplaceRows)):
        return chain.from_iterable(row.values() for row in change.rows)
    if isinstance(change, AppendColumns):
        return chain.from_iterable(map(dict.fromkeys, change.columns.values()))
    if isinstance(change, SetName):
        return (change.value,)
    if isinstance(change, AddColumns):
        return change.labels
    if isinstance(change, AddSheet):
        return (value for formula, value in change.cells.values() if formula is None)
    return ()


def _apply(session: Session, change: FileChange, author: str) -> None:
    if isinstance(change, SetCells):
        edit_tables.set_cells(session, change)
    elif isinstance(change, SetColumns):
        edit_tables.set_columns(session, change.table, change.columns)
    elif isinstance(change, AppendRows):
        columns = edit_tables.by_columns(change.rows)
        edit_tables.append(session, change.table, len(change.rows), columns)
    elif isinstance(change, AppendColumns):
        edit_tables.append(session, change.table, len(change), change.columns)
    elif isinstance(change, ReplaceRows):
        edit_tables.replace_rows(session, change)
    elif isinstance(change, RemoveRows):
        edit_remove.remove_rows(session, change)
    elif isinstance(change, AddColumns):
        edit_columns.add_columns(session, change)
    elif isinstance(change, LiveColumns):
        edit_tables.mend(session, change)
    elif isinstance(change, AddSheet):
        edit_new_sheet.add_sheet(session, change)
    elif isinstance(change, MarkCells):
        edit_notes.mark_cells(session, change, author)
    elif isinstance(change, SetName):
        _set_name(session, change)
    else:
        raise TypeError(f"{type(change).__name__} is no change of this editor")


def _set_name(session: Session, change: SetName) -> None:
    """Set the cell that a defined name points to."""
    sheet, area = session.book.named_cell(change.name)
    edit = session.sheet(sheet)
    row = edit.xml.row(area.top)
    edit.set(row, area.left, change.value)
    edit.xml.put(row)


def apply_changes(
    path: Path,
    changes: Sequence[FileChange],
    *,
    expected_sha256: str | None = None,
    target: Path | None = None,
    note_author: str = "",
) -> AppliedChanges:
    """Change a workbook file; at any moment the file is the old one or the new one.

    Args:
        path: The workbook.
        changes: What to change, in order.
        expected_sha256: Digest of the file as it was read; another one refuses the work.
        target: Where to write; the workbook itself when absent.
        note_author: Whom the notes of `MarkCells` name as their author.

    Raises:
        TheodoiError: `master_locked` when Excel or LibreOffice has the file open,
            `changed_since_read`, `cannot_read`, `cannot_write`, and those of `edit_bytes`.
    """
    target = target or path
    edit_save.check_unlocked(path)
    edit_save.check_unlocked(target)
    data = edit_save.read(path)
    edit_save.check_digest(path, data, expected_sha256)
    result, parts = edit_bytes(data, changes, file=path.name, note_author=note_author)
    if parts or target != path:
        edit_save.write(path, target, result, data)
    return AppliedChanges(parts, edit_save.digest(result))

"""Where a master workbook lives: a file on disk, or a workbook open in Excel.

Operations see only this interface, so every action works on both. A host reads all tables
at once and applies all changes of one action at once.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from xl_theodoi.domain.cells import Cell, SheetTable
    from xl_theodoi.domain.changes import FileChange
    from xl_theodoi.domain.findings import Finding
    from xl_theodoi.workbook.editing.save import Replacement


class HostContent(Protocol):
    """What was read of a workbook."""

    @property
    def tables(self) -> Mapping[str, SheetTable]:
        """Every Excel Table by its name."""

    def name_cell(self, name: str) -> Cell | None:
        """Return the cell that a defined name points to, None if there is no such name."""


class Edit(Protocol):
    """Changes of one action, made ready but not visible to anybody yet."""

    @property
    def before(self) -> bytes:
        """The workbook as it is without the changes."""

    @property
    def before_sha256(self) -> str:
        """Hash of `before`, hexadecimal."""

    @property
    def after_sha256(self) -> str | None:
        """Hash of the workbook with the changes, None where only `put` can tell."""

    @property
    def temporary(self) -> Path | None:
        """The hidden file that `put` moves to the workbook's place, None where there is none."""

    @property
    def is_put(self) -> bool:
        """Whether the changes have been made."""

    @property
    def saved_sha256(self) -> str:
        """Hash of the file on disk before the changes; `before` may hold more than was saved."""

    @property
    def after(self) -> bytes | None:
        """The workbook with the changes once made, where a later saving will change its bytes."""

    def put(self) -> str:
        """Make the changes, all or none, and return the hash of the workbook with them."""

    def discard(self) -> None:
        """Forget the changes; nothing happens where they were made."""


class Host(Protocol):
    """A master workbook that can be read and changed.

    Attributes:
        findings: What the user should know of how the work was done.
    """

    findings: list[Finding]

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

    def prepare(self, changes: Sequence[FileChange]) -> Edit | None:
        """Make changes ready, refusing what cannot be made; None where nothing would change."""

    def states(self) -> Iterator[bytes]:
        """Yield the workbook as it is now; more than once where it has several forms.

        A workbook in Excel is what Excel would save, and the file as well if it is the same.
        """

    def restore(self, data: bytes) -> None:
        """Put the very bytes of an earlier state in the workbook's place."""


class FileHost:
    """A master workbook on disk; changes go through the lossless editor.

    The file is read once: the bytes that were read are those that are edited, kept as the
    snapshot and compared with the file before it is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts_changed: tuple[str, ...] = ()
        self.findings: list[Finding] = []
        self._data = b""
        self._sha256 = ""
        self._gapped: frozenset[str] = frozenset()

    def read(self) -> HostContent:
        """Read every table of the file.

        Raises:
            TheodoiError: `master_missing`, or what the reader says of a file that is no
                workbook, encrypted or too large.
        """
        from xl_theodoi.domain.errors import TheodoiError  # noqa: PLC0415
        from xl_theodoi.files import read_file  # noqa: PLC0415
        from xl_theodoi.workbook.reading.read import MASTER_LIMITS, read_workbook  # noqa: PLC0415

        if not self.path.is_file():
            raise TheodoiError("master_missing", path=str(self.path))
        if self.path.stat().st_size > MASTER_LIMITS.file_bytes:
            raise TheodoiError("too_large", file=self.path.name, limit="file_bytes", part="")
        self._data = read_file(self.path)
        content = read_workbook(self._data, file_name=self.path.name, limits=MASTER_LIMITS)
        self._sha256 = content.sha256
        # Only the names: who reads the tables lets go of them before they are edited.
        self._gapped = frozenset(name for name, table in content.tables.items() if _has_gap(table))
        return content

    def ensure_writable(self) -> None:
        """Refuse a workbook that Excel or LibreOffice has open, by their lock files."""
        from xl_theodoi.workbook.editing.save import check_unlocked  # noqa: PLC0415

        check_unlocked(self.path)

    def prepare(self, changes: Sequence[FileChange]) -> FileEdit | None:
        """Edit the bytes that were read, and write the result beside the file."""
        from xl_theodoi.workbook.editing.edit import edit_bytes  # noqa: PLC0415
        from xl_theodoi.workbook.editing.save import Replacement  # noqa: PLC0415

        self._refuse_gaps(changes)
        result, parts = edit_bytes(self._data, changes, file=self.path.name)
        if not parts:
            return None
        replacement = Replacement(self.path, self.path, result, self._data)
        return FileEdit(self, replacement, result, parts)

    def states(self) -> Iterator[bytes]:
        """Yield the file's bytes."""
        from xl_theodoi.files import read_file  # noqa: PLC0415

        self._data = read_file(self.path)
        yield self._data

    def restore(self, data: bytes) -> None:
        """Replace the file, which must be as `states` has found it."""
        from xl_theodoi.workbook.editing.save import write  # noqa: PLC0415

        write(self.path, self.path, data, self._data)

    def _put(self, data: bytes, sha256: str, parts: Sequence[str]) -> None:
        """Take over what an edit has made of the file."""
        self._data, self._sha256 = data, sha256
        self.parts_changed = tuple(dict.fromkeys((*self.parts_changed, *parts)))

    def _refuse_gaps(self, changes: Sequence[FileChange]) -> None:
        """Refuse a table with a gap so long that the reader left its rows out.

        Positions would not lead to the right rows below the gap.
        """
        from xl_theodoi.domain.errors import TheodoiError  # noqa: PLC0415

        for name in {change.table for change in changes if hasattr(change, "table")}:
            if name in self._gapped:
                raise TheodoiError("rows_far_apart", table=name, path=self.path.name)


def _has_gap(table: SheetTable) -> bool:
    """Whether blank rows were left out inside a table, see `_refuse_gaps`."""
    return bool(table.row_numbers) and table.row_numbers[-1] != table.header_row + len(table)


class FileEdit:
    """New bytes of a master on disk, waiting beside it.

    Args:
        host: The master.
        replacement: The bytes, written and flushed.
        data: The same bytes.
        parts: Package parts that differ.
    """

    def __init__(
        self, host: FileHost, replacement: Replacement, data: bytes, parts: Sequence[str]
    ) -> None:
        self.before = host._data  # noqa: SLF001 - two halves of one thing
        self.before_sha256 = self.saved_sha256 = host._sha256  # noqa: SLF001
        self.after = None
        self.after_sha256 = hashlib.sha256(data).hexdigest()
        self.temporary = replacement.staged.path
        self._host = host
        self._replacement = replacement
        self._data = data
        self._parts = parts

    @property
    def is_put(self) -> bool:
        """Whether the new bytes have taken the file's place."""
        return self._replacement.staged.is_placed

    def put(self) -> str:
        """Replace the file; it must not have changed since it was read."""
        self._replacement.put()
        self._host._put(self._data, self.after_sha256, self._parts)  # noqa: SLF001
        return self.after_sha256

    def discard(self) -> None:
        """Take the hidden file away."""
        self._replacement.discard()


class LiveHost(Protocol):
    """A master that changes at once, such as one open in Excel."""

    @property
    def path(self) -> Path:
        """Where the workbook is saved."""

    def snapshot(self) -> bytes:
        """Return the workbook as it is now."""

    def apply(self, changes: Sequence[FileChange]) -> None:
        """Make all changes, or none."""


class LiveEdit:
    """Changes of a master that changes at once.

    Args:
        host: The master.
        changes: What to change.
    """

    def __init__(self, host: LiveHost, changes: Sequence[FileChange]) -> None:
        self.before = host.snapshot()
        self.before_sha256 = hashlib.sha256(self.before).hexdigest()
        self.saved_sha256 = _sha256_of_file(host.path)
        self.after: bytes | None = None
        self.after_sha256 = None
        self.temporary = None
        self.is_put = False
        self._host = host
        self._changes = changes

    def put(self) -> str:
        """Make the changes."""
        self._host.apply(self._changes)
        self.is_put = True
        self.after = self._host.snapshot()
        return hashlib.sha256(self.after).hexdigest()

    def discard(self) -> None:
        """Nothing was written anywhere."""


def _sha256_of_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        # Not readable while Excel has it open: then nobody can tell whether it was saved since.
        return ""


class MemoryHost:
    """A master workbook that is not on disk yet: `new` reads it before writing once.

    Args:
        path: Where the workbook will be saved.
        data: Its bytes so far.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.parts_changed: tuple[str, ...] = ()
        self.findings: list[Finding] = []

    def read(self) -> HostContent:
        """Read every table of the bytes."""
        from xl_theodoi.workbook.reading.read import MASTER_LIMITS, read_workbook  # noqa: PLC0415

        return read_workbook(self.data, file_name=self.path.name, limits=MASTER_LIMITS)

    def ensure_writable(self) -> None:
        """Nothing stands in the way of bytes in memory."""

    def states(self) -> Iterator[bytes]:
        """Yield the bytes."""
        yield self.data

    def restore(self, data: bytes) -> None:
        """Take other bytes."""
        self.data = data

    def prepare(self, changes: Sequence[FileChange]) -> Edit | None:
        """Refuse: what is not on disk yet is made anew, not changed."""
        message = f"{len(changes)} changes of a workbook that is not on disk"
        raise ValueError(message)

"""Files that a command makes beside its change of the master: all of them, or none.

They are written as hidden files where they belong, flushed together, and take their places
just before the master does. Whatever stops the command before that takes them away again:
the command itself, or the next run, which finds them in the journal.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Self

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import Staged, flush_folder, missing_folders, refusals, remove_abandoned
from xl_theodoi.interrupts import uninterrupted
from xl_theodoi.operations.locking import held_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType


class Outputs:
    """The files of one command; a context that leaves none behind unless they are kept."""

    def __init__(self) -> None:
        self._staged: list[tuple[Staged, str]] = []
        self._placed: list[Path] = []
        self._made: list[Path] = []
        self._folders: dict[Path, None] = {}
        self._is_kept = False

    def __len__(self) -> int:
        return len(self._staged)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_kept:
            self.take_back()

    def add(self, path: Path, data: bytes) -> None:
        """Write a file beside its place.

        Args:
            path: Its place, which must be free.
            data: Its bytes.

        Raises:
            TheodoiError: `would_overwrite`, `cannot_write`.
        """
        if path.exists():
            raise TheodoiError("would_overwrite", path=str(path))
        with refusals(path):
            self._open_folder(path.parent)
            self._staged.append((Staged(path, data), hashlib.sha256(data).hexdigest()))

    def take_over(self, other: Outputs) -> None:
        """Take the files over that others have written beside their places so far."""
        self._staged += other._staged
        self._made += other._made
        self._folders |= other._folders
        other._forget()

    def _open_folder(self, folder: Path) -> None:
        if folder in self._folders:
            return
        missing = missing_folders(folder)
        remove_abandoned(folder)
        lock = held_lock()
        if lock is not None:
            lock.will_write_in(folder, missing)
        for path in missing:
            path.mkdir(exist_ok=True)
            self._made.append(path)
        self._folders[folder] = None

    @property
    def files(self) -> Sequence[tuple[Path, str]]:
        """Path and hash of every file."""
        return [(staged.target, sha256) for staged, sha256 in self._staged]

    def flush(self) -> None:
        """Bring all files to the disk, still under their hidden names."""
        for staged, _ in self._staged:
            with refusals(staged.target):
                staged.flush()

    def place(self) -> None:
        """Give all files their names.

        Raises:
            TheodoiError: `would_overwrite`, `cannot_write`.
        """
        for staged, _ in self._staged:
            with refusals(staged.target):
                try:
                    self._placed.append(staged.target)
                    staged.create()
                except FileExistsError as problem:
                    self._placed.pop()
                    raise TheodoiError("would_overwrite", path=str(staged.target)) from problem
        for folder in self._folders:
            flush_folder(folder)

    def put(self) -> None:
        """Flush and place all files of a command that changes no master, and let them stay."""
        self.flush()
        with uninterrupted():
            self.place()
            self.keep()

    def keep(self) -> None:
        """Let the files stay: the command has taken place."""
        self._is_kept = True

    def take_back(self) -> None:
        """Take away every file, and the folders that were made for them."""
        placed = set(self._placed)
        for staged, sha256 in self._staged:
            if staged.target in placed:
                remove_own(staged.target, sha256)
            staged.discard()
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._forget()

    def _forget(self) -> None:
        self._staged, self._placed, self._made, self._folders = [], [], [], {}


def remove_own(path: Path, sha256: str) -> bool:
    """Take a file away if it holds the very bytes that this program has put there.

    Returns:
        Whether there is no such file any more.
    """
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            path.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True

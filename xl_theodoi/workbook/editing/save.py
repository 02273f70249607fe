"""A workbook's file: whether somebody has it open, and new bytes in its place in one step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import Staged, flush_folder, read_file, refusals

if TYPE_CHECKING:
    from pathlib import Path


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def check_unlocked(path: Path) -> None:
    """Refuse a workbook that somebody has open.

    Raises:
        TheodoiError: `master_locked`, with the lock file's name.
    """
    for lock in (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")):
        if lock.exists():
            raise TheodoiError("master_locked", path=str(path), lock=lock.name)


def read(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        TheodoiError: `cannot_read`.
    """
    return read_file(path)


def check_digest(path: Path, data: bytes, expected: str | None) -> None:
    """Refuse bytes that are not those that were read before.

    Raises:
        TheodoiError: `changed_since_read`.
    """
    if expected is not None and digest(data) != expected.casefold():
        raise TheodoiError("changed_since_read", path=str(path))


class Replacement:
    """New bytes of a workbook, on the disk beside it and ready to take its place.

    Args:
        path: The file that was read.
        target: The file to write; what a link leads to, so that the link stays one.
        data: New bytes.
        source: Bytes that were read from `path`.

    Attributes:
        staged: The hidden file.

    Raises:
        TheodoiError: `cannot_write`, `edit_verification_failed` where the disk does not give
            back what was written.
    """

    def __init__(self, path: Path, target: Path, data: bytes, source: bytes) -> None:
        self._path = path
        self._target = target.resolve()
        self._source = source
        with refusals(target):
            # Nobody else may read a register on its way.
            self.staged = Staged(self._target, data, mode=0o600, flush=True)
        try:
            with refusals(target):
                written = self.staged.path.read_bytes()
                _copy_rights(self._target if self._target.exists() else path, self.staged.path)
            _check_written(written, data, target)
        except BaseException:
            self.staged.discard()
            raise

    def put(self) -> None:
        """Take the workbook's place, unless somebody has opened or saved it meanwhile.

        Between the comparison and the renaming lies a moment that no system closes: a program
        that saves within it is overwritten. What it saved over is in the snapshot.

        Raises:
            TheodoiError: `master_locked`, `changed_since_read`, `cannot_write`.
        """
        check_unlocked(self._path)
        check_unlocked(self._target)
        if read(self._path) != self._source:
            raise TheodoiError("changed_since_read", path=str(self._path))
        with refusals(self._target):
            self.staged.replace()
        flush_folder(self._target.parent)

    def discard(self) -> None:
        """Leave the workbook as it is."""
        self.staged.discard()


def write(path: Path, target: Path, data: bytes, source: bytes) -> None:
    """Put bytes in a file's place in one step: at any moment it is the old or the new one.

    Args:
        path: The file that was read; it must still be as it was.
        target: The file to write.
        data: New bytes.
        source: Bytes that were read from `path`.

    Raises:
        TheodoiError: `cannot_write`, `changed_since_read`, `master_locked`.
    """
    replacement = Replacement(path, target, data, source)
    try:
        replacement.put()
    finally:
        replacement.discard()


def _check_written(written: bytes, data: bytes, target: Path) -> None:
    if written != data:
        raise TheodoiError("edit_verification_failed", file=target.name, part="zip")


def _copy_rights(model: Path, path: Path) -> None:
    """Give a file the rights of another: mode, and owner and access lists where that is allowed."""
    status = model.stat()
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.chown(path, status.st_uid, status.st_gid)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for name in os.listxattr(model):
                os.setxattr(path, name, os.getxattr(model, name))
    path.chmod(status.st_mode & 0o7777)

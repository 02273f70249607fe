"""Files: locks, digests, and writing that leaves the old file or the new one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    try:
        return path.read_bytes()
    except OSError as error:
        raise TheodoiError("cannot_read", path=str(path), reason=_reason(error)) from error


def check_digest(path: Path, data: bytes, expected: str | None) -> None:
    """Refuse bytes that are not those that were read before.

    Raises:
        TheodoiError: `changed_since_read`.
    """
    if expected is not None and digest(data) != expected.casefold():
        raise TheodoiError("changed_since_read", path=str(path))


def write(path: Path, target: Path, data: bytes, source: bytes) -> None:
    """Put bytes in a file's place in one step.

    The bytes go to a temporary file beside the target, are flushed to the disk and read back;
    then the target is replaced and the folder flushed. The temporary file never stays.

    Args:
        path: The file that was read; it must still be as it was.
        target: The file to write.
        data: New bytes.
        source: Bytes that were read from `path`.

    Raises:
        TheodoiError: `cannot_write`, `changed_since_read`, `master_locked`.
    """
    # A link stays a link: what it leads to is replaced.
    target = target.resolve()
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        with _stream(handle) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if temporary.read_bytes() != data:
            raise TheodoiError("edit_verification_failed", file=target.name, part="zip")
        mode_of = target if target.exists() else path
        temporary.chmod(mode_of.stat().st_mode & 0o7777)
        # Somebody may have opened or saved the workbook while the new bytes were being made.
        check_unlocked(path)
        check_unlocked(target)
        check_digest(path, path.read_bytes(), digest(source))
        os.replace(temporary, target)  # noqa: PTH105 - the step that tests stop at
        temporary = None
        _flush_folder(target.parent)
    except OSError as error:
        raise TheodoiError("cannot_write", path=str(target), reason=_reason(error)) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _stream(handle: int) -> BinaryIO:
    """Return a stream over a handle, which is closed if there is none to be had."""
    try:
        return os.fdopen(handle, "wb")
    except BaseException:
        os.close(handle)
        raise


def _flush_folder(folder: Path) -> None:
    """Flush a folder's directory to the disk, where the system can.

    Network shares often cannot. The file is replaced by then: to report a failure would say
    that the old one is still there.
    """
    with contextlib.suppress(OSError), _opened_folder(folder) as handle:
        if handle is not None:
            os.fsync(handle)


@contextlib.contextmanager
def _opened_folder(folder: Path) -> Iterator[int | None]:
    flag = getattr(os, "O_DIRECTORY", None)
    if flag is None:  # Windows writes the directory with the rename.
        yield None
        return
    handle = os.open(folder, os.O_RDONLY | flag)
    try:
        yield handle
    finally:
        os.close(handle)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__

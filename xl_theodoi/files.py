"""Writing files: whole or not at all, and never over what somebody else has put there.

Everything the program writes goes to a hidden file beside its place first, is flushed to the
disk there, and takes its place in one step. The hidden file's name says which process made
it, so that a later run can tell what a killed one has left.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from itertools import count
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.processes import Process, is_dead, is_here, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()
"""Seconds to wait before trying again. On Windows a scanner or indexer holds a new file for a
moment, which refuses its renaming; elsewhere a refusal means what it says."""

DAY: Final = 86_400
"""Seconds after which a hidden file of another computer is nobody's: no run takes so long."""

LONGEST_NAME: Final = 120
"""Bytes of the file's own name in that of its hidden twin; systems allow 255 in all."""

_TEMPORARY = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-(\d+)-\d+\.tmp", re.DOTALL)

_NO_LINKS = {
    getattr(errno, name, None)
    for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV", "EINVAL")
}
"""What file systems without hard links answer."""

_serial = count()
_in_use: set[str] = set()
"""Names of this process' own hidden files; no two have the same."""


@contextlib.contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write into the program's.

    Raises:
        TheodoiError: `cannot_write`, with the system's reason.
    """
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise TheodoiError("cannot_write", path=str(path), reason=reason) from problem


def read_file(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        TheodoiError: `cannot_read`.
    """
    try:
        return path.read_bytes()
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise TheodoiError("cannot_read", path=str(path), reason=reason) from problem


class Staged:
    """Bytes in a hidden file beside their place, which they have not taken yet.

    Args:
        target: The place; its folder must exist.
        data: The bytes.
        mode: Rights of the file, before the process' mask.
        flush: Whether the bytes go to the disk at once; else `flush` does it. Many files are
            flushed quicker together, after the last is written.

    Raises:
        OSError: What the system answers; nothing is left behind then.
    """

    def __init__(
        self, target: Path, data: bytes, *, mode: int = 0o666, flush: bool = False
    ) -> None:
        self.target = target
        self.path = _temporary(target)
        self._is_discarded = False
        _in_use.add(self.path.name)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            handle = os.open(self.path, flags, mode)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(handle, rest) :]
                if flush:
                    os.fsync(handle)
            finally:
                os.close(handle)
        except BaseException:
            self.discard()
            raise

    @property
    def is_placed(self) -> bool:
        """Whether the bytes have taken their place: the hidden file is gone then."""
        return not self._is_discarded and not os.path.lexists(self.path)

    def flush(self) -> None:
        """Bring the bytes to the disk."""
        handle = os.open(self.path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def replace(self) -> None:
        """Take the place of whatever is there, in one step."""
        _patiently(lambda: self.path.replace(self.target))
        _in_use.discard(self.path.name)

    def create(self) -> None:
        """Take the place, which must be free.

        Raises:
            FileExistsError: Where something has come there.
        """
        if os.name == "nt":
            # Windows' own renaming refuses a name that is taken.
            _patiently(lambda: self.path.rename(self.target))
        else:
            try:
                self.target.hardlink_to(self.path)
            except OSError as problem:
                if problem.errno not in _NO_LINKS:
                    raise
                if os.path.lexists(self.target):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from problem
                self.path.rename(self.target)
            else:
                # Should this fail, the file has a second name that a later run takes away.
                with contextlib.suppress(OSError):
                    self.path.unlink()
        _in_use.discard(self.path.name)

    def discard(self) -> None:
        """Take the hidden file away, if it is still there and the system lets us."""
        self._is_discarded = not self.is_placed
        with contextlib.suppress(OSError):
            _patiently(lambda: self.path.unlink(missing_ok=True))
        _in_use.discard(self.path.name)


def replace_file(path: Path, data: bytes, *, is_last: bool = True) -> None:
    """Write a file in the place of whatever is there, making its folder where it is missing.

    At any moment the file is the old one or the new one.

    Args:
        path: The file.
        data: Its new bytes.
        is_last: Whether the folder is flushed too; not needed where the caller does it, or
            where the old file would serve as well after a power cut.

    Raises:
        TheodoiError: `cannot_write`.
    """
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = Staged(path, data, flush=True)
        try:
            staged.replace()
        except BaseException:
            staged.discard()
            raise
    if is_last:
        flush_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a file where there is none.

    Raises:
        TheodoiError: `would_overwrite` where there is one, `cannot_write`.
    """
    if path.exists():
        raise TheodoiError("would_overwrite", path=str(path))
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = Staged(path, data, flush=True)
        try:
            staged.create()
        except FileExistsError as problem:
            staged.discard()
            raise TheodoiError("would_overwrite", path=str(path)) from problem
        except BaseException:
            staged.discard()
            raise
    flush_folder(path.parent)


def missing_folders(folder: Path) -> list[Path]:
    """Return a folder and those above it that do not exist, the topmost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    return missing[::-1]


def flush_folder(folder: Path) -> None:
    """Flush a folder's directory to the disk, where the system can.

    Network shares often cannot, and Windows writes the directory with the renaming. The file
    is in its place by then: to report a failure would say that it is not.
    """
    flag = getattr(os, "O_DIRECTORY", None)
    if flag is None:
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | flag)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_abandoned(folder: Path) -> list[Path]:
    """Take away the hidden files that runs which have ended left in a folder.

    Only files whose name says that this program made them go, and only where the process is
    dead for certain; files of another computer once they are a day old.

    Returns:
        What was taken away.
    """
    removed = []
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".tmp"]
    except OSError:
        return []
    for path in found:
        if _is_abandoned(path):
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path)
    return removed


def _is_abandoned(path: Path) -> bool:
    found = _TEMPORARY.fullmatch(path.name)
    if found is None:
        return False
    process = Process(found[1], int(found[2]), int(found[3]))
    if process == this_process():
        return path.name not in _in_use
    if is_here(process):
        return is_dead(process)
    try:
        return time.time() - path.lstat().st_mtime > DAY
    except OSError:
        return False


def _temporary(target: Path) -> Path:
    process = this_process()
    name = target.name.encode("utf-8", "surrogateescape")[:LONGEST_NAME].decode("utf-8", "ignore")
    mark = f"{process.host}-{process.pid}-{process.start}-{next(_serial)}"
    return target.with_name(f".{name}.{mark}.tmp")


def _patiently(step: Callable[[], object]) -> None:
    """Take a step, again and again for a short while where Windows says that a file is held."""
    for pause in PAUSES:
        try:
            step()
        except PermissionError:
            time.sleep(pause)
        else:
            return
    step()

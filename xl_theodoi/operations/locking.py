"""One run at a time writes a master: a lock beside it, which also says who holds it.

The lock is the operating system's, on a small file beside the master; it goes with its
process, however that ends. The file goes too when a run ends in order. Where it is found
without its lock, the run that wrote it was killed, and what it says tells the next run what
to look for. File systems without locks are served by the file's existence alone, with the
process named in it.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import os
import sys
import time
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import refusals
from xl_theodoi.processes import Process, host_name, is_dead, is_here, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOCK_SUFFIX = ".theodoi-lock"

FRESH: Final = 600
"""Seconds for which the mark of another computer counts. Some network shares keep their locks
to one computer: there only the file tells of a run elsewhere. Runs take seconds."""

_ATTEMPTS: Final = 20
"""How often the file is opened anew where a run that ended has just taken it away."""

_NO_LOCKS = {
    getattr(errno, name, None) for name in ("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL")
}
"""What file systems without locks answer."""

_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""What systems answer where another process holds the lock."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its lock file tells of it.

    Attributes:
        process: Who ran.
        host: The computer's name.
        user: Who was logged in there.
        command: What was run.
        at: When it began, ISO with offset.
        last: Number of the newest snapshot at that time.
        folders: Folders in which it made files.
        made: Folders that it made for them, the topmost first.
    """

    process: Process
    host: str = ""
    user: str = ""
    command: str = ""
    at: str = ""
    last: int = 0
    folders: Sequence[Path] = ()
    made: Sequence[Path] = ()


@dataclass(slots=True)
class RunLock:
    """The right to write a master, held by one run.

    Attributes:
        master: The master's path as given.
        command: Name of the command.
    """

    master: Path
    command: str
    _handle: int | None = field(default=None, init=False)
    _has_mark: bool = field(default=False, init=False)
    _folders: set[Path] = field(default_factory=set, init=False)

    @property
    def path(self) -> Path:
        """The lock file: beside the file itself, wherever a link to it may stand."""
        target = self.master.resolve()
        return target.with_name(f".{target.name}{LOCK_SUFFIX}")

    def acquire(self) -> RunRecord | None:
        """Take the lock.

        Returns:
            The run that held it and was killed, None where the last one ended in order.

        Raises:
            TheodoiError: `run_in_progress` where another run holds it, `cannot_write` where
                the master's folder takes no file.
        """
        for _ in range(_ATTEMPTS):
            if self._try():
                break
        else:
            raise self._refusal(self._record())
        left = self._record()
        if left is not None and not is_here(left.process) and _is_fresh(self.path):
            self._close()
            raise self._refusal(left)
        return left

    def _try(self) -> bool:
        """Open and lock the file; False where it was taken away in between."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with refusals(self.master):
            self._handle = os.open(self.path, flags, 0o666)
        try:
            is_locked = _lock(self._handle)
        except OSError as problem:
            self._close()
            if problem.errno not in _HELD:
                with refusals(self.master):
                    raise
            raise self._refusal(self._record()) from problem
        if not is_locked:
            try:
                with refusals(self.master):
                    self._lock_by_existence()
            except BaseException:
                self._close()
                raise
        try:
            found = self.path.stat()
        except OSError:
            self._close()
            return False
        own = os.fstat(self._handle)
        if (own.st_ino, own.st_dev) != (found.st_ino, found.st_dev):
            self._close()
            return False
        return True

    @property
    def _mark(self) -> Path:
        """The file that stands for the lock where the system has none."""
        return self.path.with_name(f"{self.path.name}.held")

    def _lock_by_existence(self) -> None:
        """Where the system locks nothing, who can make a second file has the lock.

        Its maker's name stands in it, so that what a killed run left is no obstacle.
        """
        own = {**asdict(this_process()), "token": os.urandom(8).hex()}
        mark, text = self._mark, json.dumps(own).encode()
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileExistsError):
                handle = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
                try:
                    os.write(handle, text)
                finally:
                    os.close(handle)
            try:
                written = mark.read_bytes()
                if written == text:
                    self._has_mark = True
                    return
                found = json.loads(written)
                process = Process(found["host"], found["pid"], found["start"])
                is_over = is_dead(process) if is_here(process) else not _is_fresh(mark)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, KeyError):
                is_over = not _is_fresh(mark)
            if not is_over:
                break
            with contextlib.suppress(OSError):
                mark.unlink()
        raise self._refusal(self._record())

    def begin(self, last: int) -> None:
        """Say in the file who runs; what an earlier run said there is gone then.

        Args:
            last: Number of the newest snapshot.
        """
        assert self._handle is not None  # noqa: S101 - acquired before
        record = {
            **asdict(this_process()),
            "name": host_name(),
            "user": _user(),
            "command": self.command,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "last": last,
        }
        with refusals(self.master):
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
            self._write(record)

    def will_write_in(self, folder: Path, missing: Sequence[Path]) -> None:
        """Say in the file, and on the disk, that this run is about to make files in a folder.

        Args:
            folder: The folder.
            missing: Folders that must be made for it, the topmost first.
        """
        folder = folder.absolute()
        if folder in self._folders:
            return
        assert self._handle is not None  # noqa: S101 - acquired before
        with refusals(self.master):
            self._write({"folder": str(folder), "made": [str(path.absolute()) for path in missing]})
            os.fsync(self._handle)
        self._folders.add(folder)

    def _write(self, record: dict[str, Any]) -> None:
        assert self._handle is not None  # noqa: S101
        rest = memoryview((json.dumps(record) + "\n").encode())
        while rest:
            rest = rest[os.write(self._handle, rest) :]

    def release(self) -> None:
        """End the run in order: the file goes, then the lock."""
        if self._handle is None:
            return
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                # A blank file says nothing, should it not go.
                os.ftruncate(self._handle, 0)
            with contextlib.suppress(OSError):
                self.path.unlink()
            self._close()
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
        self._close()
        with contextlib.suppress(OSError):
            # Refused where the next run has it open, and then it is that run's.
            self.path.unlink()

    def leave(self) -> None:
        """Give the lock away and leave the file: what it tells of is not settled."""
        self._close()

    def _close(self) -> None:
        if self._handle is None:
            return
        if self._has_mark:
            with contextlib.suppress(OSError):
                self._mark.unlink()
            self._has_mark = False
        with contextlib.suppress(OSError):
            os.close(self._handle)
        self._handle = None

    def _record(self) -> RunRecord | None:
        return read_record(self.path)

    def _refusal(self, record: RunRecord | None) -> TheodoiError:
        return TheodoiError(
            "run_in_progress",
            path=self.master.name,
            command=record.command if record else "…",
            host=record.host if record else "…",
            user=record.user if record else "…",
            at=moment_text(record.at) if record else "…",
            lock=self.path.name,
        )


def read_record(path: Path) -> RunRecord | None:
    """Return what a lock file says, None where there is none or it says nothing."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return None
    records = []
    for line in lines:
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    try:
        first, *more = records
        return RunRecord(
            Process(str(first["host"]), int(first["pid"]), int(first["start"])),
            str(first["name"]), str(first["user"]), str(first["command"]), str(first["at"]),
            int(first["last"]),
            [Path(item["folder"]) for item in more],
            [Path(made) for item in more for made in item["made"]],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None


def killed_run(master: Path) -> RunRecord | None:
    """Return the run that was killed while it wrote a master; for readers, who take no lock."""
    lock = RunLock(master, "")
    record = read_record(lock.path)
    if record is None:
        return None
    if is_here(record.process):
        return record if is_dead(record.process) else None
    return None if _is_fresh(lock.path) else record


def lock_exists(master: Path) -> bool:
    """Whether a lock file stands beside a master."""
    return os.path.lexists(RunLock(master, "").path)


def _is_fresh(path: Path) -> bool:
    """Whether a file was written so lately that a run elsewhere may still go on."""
    try:
        return time.time() - path.stat().st_mtime < FRESH
    except OSError:
        return False


def moment_text(at: str) -> str:
    """Return a recorded moment as people read it, in the computer's time zone."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%d/%m/%Y %H:%M")
    except ValueError:
        return "…"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


if sys.platform == "win32":
    import msvcrt

    _FAR = 0x7FFF_0000
    """A byte far behind the text: Windows lets nobody read what is locked."""

    def _lock(handle: int) -> bool:
        """Lock a file; False where the file system has no locks.

        Raises:
            OSError: Where another process holds the lock.
        """
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_END)
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        """Lock a file; False where the file system has no locks.

        Raises:
            OSError: Where another process holds the lock.
        """
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno in _NO_LOCKS:
                return False
            raise
        return True


_held: ContextVar[RunLock | None] = ContextVar("held", default=None)


def held_lock() -> RunLock | None:
    """Return the lock that the running command holds."""
    return _held.get()


@contextlib.contextmanager
def holding(lock: RunLock) -> Iterator[None]:
    """Make a lock the running command's for a while."""
    token = _held.set(lock)
    try:
        yield
    finally:
        _held.reset(token)

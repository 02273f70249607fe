"""Which process left something behind, and whether it still runs.

Files that a killed run leaves may only be taken away when nobody can be using them. A number
of a process is not enough for that, because systems give it out again; together with the
moment at which the process began it is.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one computer.

    Attributes:
        host: The computer, as eight hexadecimal digits of its name's hash.
        pid: The process' number.
        start: When it began, in a unit of the system's own; 0 where the system does not say.
    """

    host: str
    pid: int
    start: int


def host_name() -> str:
    """Return the computer's name as its users know it."""
    return os.environ.get("COMPUTERNAME", "") if sys.platform == "win32" else os.uname().nodename


def this_process() -> Process:
    """Return the process that asks."""
    pid = os.getpid()
    return Process(_host(), pid, _start_of(pid) or 0)


def is_here(process: Process) -> bool:
    """Whether a process belongs to this computer, so that it can be asked about."""
    return process.host == _host()


def is_dead(process: Process) -> bool:
    """Whether a process has certainly ended; of other computers nothing is certain."""
    if not is_here(process):
        return False
    start = _start_of(process.pid)
    if start is None:
        return True
    return bool(start and process.start and start != process.start)


def _host() -> str:
    return hashlib.sha256(host_name().encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _start_of(pid: int) -> int | None:
    """Return when a process began, 0 where the system does not say, None where there is none."""
    if sys.platform == "win32":
        return _windows_start(pid)
    if sys.platform == "linux":
        try:
            status = Path(f"/proc/{pid}/stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError:
            return 0
        # The name in parentheses may hold anything; the state is the first field after it.
        fields = status[status.rindex(b")") + 2 :].split()
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return 0
    return 0


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _QUERY = 0x1000
    _NO_SUCH_PROCESS = 87

    def _windows_start(pid: int) -> int | None:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return None if ctypes.get_last_error() == _NO_SUCH_PROCESS else 0
        try:
            code = wintypes.DWORD()
            still_active = 259
            if kernel.GetExitCodeProcess(handle, ctypes.byref(code)) and code.value != still_active:
                return None
            times = [wintypes.FILETIME() for _ in range(4)]
            if not kernel.GetProcessTimes(handle, *map(ctypes.byref, times)):
                return 0
            return (times[0].dwHighDateTime << 32) | times[0].dwLowDateTime
        finally:
            kernel.CloseHandle(handle)

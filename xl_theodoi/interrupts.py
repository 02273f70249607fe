"""Ctrl+C: it stops a command anywhere but while something takes its place for good."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Pass over Ctrl+C within the block, which takes moments: what it begins it ends.

    A command that was told to stop after this says that it is done, because it is.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread is interrupted, and only it may say what that does.
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

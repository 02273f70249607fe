"""The log of what went wrong behind a button: the only place where a traceback stands."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import xlwings as xw

LOG_NAME: Final = "log.txt"
LOG_LIMIT: Final = 1 << 20
"""Bytes after which the log starts anew."""


def write_log(book: xw.Book | None, problem: BaseException) -> Path | None:
    """Append a traceback to the log in the companion folder; the dialog never shows one.

    Returns:
        The log, None where it could not be written.
    """
    path = log_path(book)
    lines = "".join(traceback.format_exception(problem))
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_long = path.is_file() and path.stat().st_size > LOG_LIMIT
        with path.open("w" if is_long else "a", encoding="utf-8") as stream:
            stream.write(f"{moment}\n{lines}\n")
    except OSError:
        return None
    return path


def log_path(book: xw.Book | None) -> Path:
    """Return where the log of a workbook stands; without one, in the temporary folder."""
    from xl_theodoi.operations.companion import SUFFIX  # noqa: PLC0415

    if book is not None:
        with suppress(Exception):
            master = Path(book.fullname)
            if master.is_absolute():
                return master.with_name(master.name + SUFFIX) / LOG_NAME
    return Path(gettempdir()) / f"theodoi-{LOG_NAME}"


def show_file(path: Path) -> None:
    """Open a file in the program that the system has for it."""
    with suppress(Exception):
        # Whether it opens or not: its name has been told.
        if sys.platform == "win32":
            os.startfile(path)  # noqa: S606 - a file of our own
        else:
            import webbrowser  # noqa: PLC0415

            webbrowser.open(path.as_uri())

"""The file of a workbook that is open in Excel, replaced under it: closed, replaced, opened."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.excel.state import restore_view, view_of
from xl_theodoi.files import write_new
from xl_theodoi.messages import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xlwings as xw

    from xl_theodoi.workbook.editing.save import Replacement

PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between attempts: Excel, OneDrive and virus scanners hold a file that was closed a
moment longer."""


def is_same_in_excel(book: xw.Book, saved: bytes, screen: bytes) -> bool:
    """Whether the screen shows nothing but what its file holds.

    Excel counts a workbook as changed as soon as `TODAY()` is recalculated, and writes any file
    anew in its own way. So it is asked to open a copy of the file and to save that in turn.

    Args:
        book: The workbook on screen.
        saved: Its file.
        screen: What Excel would save of it.
    """
    # Imported here: most undo steps are decided before.
    from xl_theodoi.workbook.reading.fingerprint import fingerprint  # noqa: PLC0415

    with suppress(Exception), TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # Two workbooks of one name cannot be open together.
        first = Path(folder) / f"a-{time.monotonic_ns()}{Path(book.name).suffix}"
        second = first.with_name(f"b-{first.name}")
        first.write_bytes(saved)
        with _quiet(book.app):
            copy = book.app.books.open(str(first), update_links=False, read_only=True)
            try:
                copy.api.SaveCopyAs(str(second))
            finally:
                copy.close()
                book.activate()
        return fingerprint(second.read_bytes()) == fingerprint(screen)
    return False


def replace_open_book(book: xw.Book, path: Path, data: bytes, screen: bytes) -> xw.Book:
    """Put bytes in the place of a workbook's file and show them.

    Args:
        book: The workbook; it is closed without saving.
        path: Its file.
        data: The file's new bytes.
        screen: What Excel would save now: kept beside the file where the work fails after
            closing, so that nothing on the screen is lost.

    Returns:
        The workbook, opened again.

    Raises:
        TheodoiError: `cannot_write` with nothing done, `undo_not_placed` where the file could
            not be replaced once the workbook was closed; it is open again then.
    """
    # Imported here: only this step pays for it.
    from xl_theodoi.files import read_file  # noqa: PLC0415
    from xl_theodoi.workbook.editing.save import Replacement  # noqa: PLC0415

    app = book.app
    view = view_of(book)
    replacement = Replacement(path, path, data, read_file(path))
    try:
        with _quiet(app):
            book.close()
            try:
                _put_patiently(replacement)
            except TheodoiError as problem:
                kept = _keep(path, screen)
                app.books.open(str(path))
                raise TheodoiError(
                    "undo_not_placed", file=path.name, kept=str(kept or "")
                ) from problem
            opened = app.books.open(str(path))
        restore_view(opened, view)
        return opened
    finally:
        replacement.discard()


def _put_patiently(replacement: Replacement) -> None:
    for pause in PAUSES:
        try:
            replacement.put()
        except TheodoiError as problem:
            if problem.code not in {"master_locked", "cannot_write", "cannot_read"}:
                raise
            time.sleep(pause)
        else:
            return
    replacement.put()


def _keep(path: Path, screen: bytes) -> Path | None:
    """Write what was on the screen beside the file, under a name that is free."""
    for number in range(1, 100):
        name = text("addin", "kept_copy", stem=path.stem, number=number)
        kept = path.with_name(f"{name}{path.suffix}")
        try:
            write_new(kept, screen)
        except TheodoiError as problem:
            if problem.code != "would_overwrite":
                return None
        else:
            return kept
    return None


@contextmanager
def _quiet(app: xw.App) -> Iterator[None]:
    """Let no question, event or macro of a workbook come in between."""
    before = app.display_alerts, app.enable_events, app.screen_updating
    try:
        app.display_alerts = app.enable_events = app.screen_updating = False
        yield
    finally:
        for name, value in zip(
            ("display_alerts", "enable_events", "screen_updating"), before, strict=True
        ):
            with suppress(Exception):
                setattr(app, name, value)

"""How every button runs: its work, its progress, how it ends; no exception reaches Excel."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.buttons.dialogs import Dialogs, StoppedError
from xl_theodoi.buttons.log import show_file, write_log
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import count_by_severity
from xl_theodoi.messages import error_sentences, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import xlwings as xw

    from xl_theodoi.domain.findings import Finding
    from xl_theodoi.excel.host import ExcelHost

STATUS_LIMIT: Final = 250
"""Characters of Excel's status bar."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a button's work came to.

    Attributes:
        summary: One line for the status bar.
        result: What the operation returned, None where nothing can be found wrong.
    """

    summary: str
    result: Any = None


class Task:
    """What a button's work may use.

    Args:
        action: Name of the button's action.
        as_of: The day it is.
        dialogs: The user.
        app: The Excel, None where none runs.
        host: The workbook on screen, None for buttons that need none.
    """

    def __init__(
        self,
        action: str,
        as_of: date,
        dialogs: Dialogs,
        app: xw.App | None,
        host: ExcelHost | None = None,
    ) -> None:
        self.action = action
        self.as_of = as_of
        self.dialogs = dialogs
        self.app = app
        self._host = host
        self._is_stopped: Callable[[], bool] | None = None

    @property
    def host(self) -> ExcelHost:
        """The workbook on screen."""
        if self._host is None:
            message = f"{self.action} has no workbook"
            raise ValueError(message)
        return self._host

    @property
    def folder(self) -> Path | None:
        """The folder in which the user keeps the workbook on screen, where there is one."""
        with suppress(Exception):
            book = self.app.books.active if self.app is not None else None
            path = Path(book.fullname) if book is not None else Path()
            return path.parent if path.is_absolute() else None
        return None

    def progress(self, done: int, total: int, name: str) -> None:
        """Say in the status bar how far the work has come; Esc stops it here.

        Raises:
            TheodoiError: `cancelled`.
        """
        if self._is_stopped is None:
            # Imported here, and asked for the first time: what was pressed before is forgotten.
            from xl_theodoi.excel.escape import escape_pressed  # noqa: PLC0415

            self._is_stopped = escape_pressed(self.app)
        if self._is_stopped():
            raise TheodoiError("cancelled")
        work = text("addin_progress", self.action)
        number = min(done + 1, total)
        key = "progress" if name else "progress_end"
        say(self.app, text("addin", key, work=work, number=number, total=total, name=name))

    def counted(self, result: Any, **values: object) -> Outcome:
        """Return the outcome with the numbers of errors and warnings in its line."""
        counts = count_by_severity(_findings(result, self.host))
        line = text("addin_summary", self.action, as_of=self.as_of, **counts, **values)
        return Outcome(line, result)

    def open(self, path: Path) -> None:
        """Open a workbook in Excel and take it for the one on screen."""
        # Imported here because Excel's types come with it.
        from xl_theodoi.excel.host import ExcelHost  # noqa: PLC0415

        if self.app is not None:
            self._host = ExcelHost(self.app.books.open(str(path)))

    def show_page(self, name: str, page: str) -> Path:
        """Write a page into the user's own folder and show it in the browser."""
        base = os.environ.get("LOCALAPPDATA") or gettempdir()
        path = Path(base) / "TheoDoi" / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            raise TheodoiError("cannot_write", path=str(path), reason=reason) from problem
        show_file(path)
        return path


def run_on_book(
    action: str,
    work: Callable[[Task], Outcome],
    as_of: date,
    *,
    shows_findings: bool = False,
    keeps_older: bool = False,
) -> str:
    """Run a button's work on the workbook on screen and say how it ended.

    Args:
        action: Name of the work in the messages.
        work: What to do.
        as_of: The day it is.
        shows_findings: Whether the sheet of findings comes to the front.
        keeps_older: Whether the findings of the last run stay where there are no new ones.
    """
    seen: list[xw.Book] = []

    def run() -> str:
        # Imported here because Excel's types come with it.
        from xl_theodoi.excel.books import calling_book  # noqa: PLC0415
        from xl_theodoi.excel.findings import write_findings  # noqa: PLC0415
        from xl_theodoi.excel.host import ExcelHost  # noqa: PLC0415

        book = calling_book()
        seen.append(book)
        say(book.app, text("addin_progress", action))
        host = ExcelHost(book)
        outcome = work(Task(action, as_of, Dialogs(book.app), book.app, host))
        book = seen[0] = host.book
        found = _findings(outcome.result, host)
        sheet = None
        if found or not keeps_older:
            labels = outcome.result.labels
            sheet = write_findings(book, found, labels=labels, summary=outcome.summary)
        if shows_findings and sheet is not None:
            with suppress(Exception):
                sheet.activate()
        return outcome.summary

    return _to_its_end(run, seen, lambda: seen[0].app if seen else None)


def run_without_book(action: str, work: Callable[[Task], Outcome], as_of: date) -> str:
    """Run a button's work that needs no workbook, and say how it ended.

    Args:
        action: Name of the work in the messages.
        work: What to do.
        as_of: The day it is.
    """
    apps: list[xw.App] = []

    def run() -> str:
        with suppress(TheodoiError):
            # Such a button also works where there is no Excel, or none that answers.
            from xl_theodoi.excel.books import calling_app  # noqa: PLC0415

            apps.append(calling_app())
        app = apps[0] if apps else None
        say(app, text("addin_progress", action))
        outcome = work(Task(action, as_of, Dialogs(app), app))
        return outcome.summary

    return _to_its_end(run, [], lambda: apps[0] if apps else None)


def _to_its_end(
    run: Callable[[], str], books: list[xw.Book], app_of: Callable[[], xw.App | None]
) -> str:
    """Run to the end, whatever it is; return the line or the message that the user sees."""
    log: Path | None = None
    try:
        summary = run()
    except StoppedError:
        summary = text("addin", "stopped")
    except TheodoiError as problem:
        if problem.code != "cancelled":
            if problem.__cause__ is not None:
                log = write_log(books[0] if books else None, problem)
            return _tell(app_of(), problem, log)
        summary = text("addin", "stopped")
    except Exception as problem:  # noqa: BLE001 - the last edge before Excel
        log = write_log(books[0] if books else None, problem)
        return _tell(app_of(), TheodoiError("addin_unexpected", log=str(log or "")), log)
    say(app_of(), summary)
    return summary


def say(app: xw.App | None, line: str) -> None:
    """Put a line into the status bar."""
    with suppress(Exception):
        # A status bar that Excel does not give away must not stop the work.
        if app is not None:
            app.status_bar = line[:STATUS_LIMIT]


def _findings(result: Any, host: ExcelHost) -> list[Finding]:
    found = [*host.findings, *(result.findings if result is not None else ())]
    for verdict in getattr(result, "files", ()):
        found.extend(verdict.findings)
    return found


def _tell(app: xw.App | None, problem: TheodoiError, log: Path | None) -> str:
    """Show one dialog and return what it says; where there is a log, offer to open it."""
    what, fix = error_sentences(problem)
    message = text("addin", "error_box", what=what, fix=fix, code=problem.code)
    with suppress(Exception):
        if app is not None:
            app.status_bar = False
    dialogs = Dialogs(app)
    if log is None:
        dialogs.tell(message)
        return message
    message = text("addin", "error_box_log", message=message, log=str(log))
    if dialogs.confirm(message):
        show_file(log)
    return message

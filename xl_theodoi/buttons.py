"""What the buttons in Excel call: read the workbook on screen, run one operation, say how.

The macros in `macros/` only forward to the functions here. Each ends with one line in the
status bar, the findings on a sheet of the workbook, or one dialog that says what went wrong.
This module and the command line are the only places that read the clock.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.dates import VIET_NAM
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import count_by_severity
from xl_theodoi.messages import error_sentences, text

if TYPE_CHECKING:
    import xlwings as xw

    from xl_theodoi.domain.findings import Finding
    from xl_theodoi.excel.host import ExcelHost


OPERATIONS: Final[dict[str, str]] = {
    "check": "xl_theodoi.operations.check:check",
    "refresh": "xl_theodoi.operations.refresh:refresh",
    "consolidate": "xl_theodoi.operations.consolidate:consolidate",
    "report": "xl_theodoi.operations.report:report",
}
"""Where each button's operation lives; imported when its button is pressed, because every
click pays for what is imported."""

LOG_NAME: Final = "log.txt"
LOG_LIMIT: Final = 1 << 20
"""Bytes after which the log starts anew."""
STATUS_LIMIT: Final = 250
"""Characters of Excel's status bar."""

Work = Callable[["ExcelHost", date], tuple[str, Any]]
"""Runs an operation on a workbook at a date; returns the summary and the result."""


class _StoppedError(Exception):
    """The user pressed Cancel in a question."""


def check_book() -> str:
    """Check the register and show what is wrong (button “Kiểm tra”)."""

    def work(host: ExcelHost, as_of: date) -> tuple[str, Any]:
        result = _operation("check")(host, as_of)
        return _counted("check", result, host, as_of=as_of), result

    return _run("check", work, shows_findings=True)


def refresh_book() -> str:
    """Recompute statuses and what follows from them (button “Tính trạng thái”)."""

    def work(host: ExcelHost, as_of: date) -> tuple[str, Any]:
        result = _operation("refresh")(host, as_of)
        return _counted("refresh", result, host, as_of=as_of), result

    return _run("refresh", work)


def consolidate_book(folder: str = "") -> str:
    """Merge what the units returned (button “Tổng hợp”).

    Args:
        folder: Folder of the returned workbooks as the macro passes it, see `read_path`;
            without one only the choices made in the list of conflicts are applied.
    """

    def work(host: ExcelHost, as_of: date) -> tuple[str, Any]:
        paths = [read_path(folder)] if folder else []
        result = _operation("consolidate")(host, paths, as_of)
        totals = result.totals
        summary = text(
            "addin_summary",
            "consolidate",
            files=len(result.files),
            changed=totals.changed,
            unchanged=totals.unchanged,
            rejected=totals.rejected,
            conflict=totals.conflict,
        )
        return summary, result

    return _run("consolidate", work)


def report_book(folder: str = "", period: str = "") -> str:
    """Fill the report templates of a period (button “Báo cáo”).

    Args:
        folder: Where the reports go, as the macro passes it, see `read_path`; without one a
            folder beside the master.
        period: Period of the report; without one the user is asked, the month of today
            being proposed.
    """

    def work(host: ExcelHost, as_of: date) -> tuple[str, Any]:
        # Imported here like every operation: only this button pays for it.
        from xl_theodoi.domain.periods import parse_period  # noqa: PLC0415

        wanted = parse_period(period or _ask_period(host.book, as_of))
        out = read_path(folder) if folder else _report_folder(host.path, wanted.code)
        result = _operation("report")(host, (), wanted, out, as_of)
        summary = text(
            "addin_summary",
            "report",
            written=len(result.written),
            period=wanted.code,
            folder=out,
        )
        return summary, result

    # A report checks nothing: that it found nothing does not make older findings void.
    return _run("report", work, keeps_older=True)


def today() -> date:
    """Return the day it is in Vietnam, wherever the computer's clock stands."""
    return datetime.now(VIET_NAM).date()


def read_path(coded: str) -> Path:
    """Return the path that a macro passed: UTF-16 code units, four hexadecimal digits each.

    A path may hold Vietnamese letters, quotes and signs that mean something to Windows'
    command line, which the call goes through; digits pass it unharmed.

    Raises:
        TheodoiError: `bad_folder` where the text is not such a path.

    Example:
        >>> read_path("005300201ed5").name
        'S ổ'
    """
    try:
        name = bytes.fromhex(coded).decode("utf-16-be")
    except ValueError as problem:
        raise TheodoiError("bad_folder", path=coded[:60]) from problem
    return Path(name)


def _operation(name: str) -> Callable[..., Any]:
    module, _, function = OPERATIONS[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def _run(
    action: str, work: Work, *, shows_findings: bool = False, keeps_older: bool = False
) -> str:
    """Run a button's work and say how it ended; never lets an exception reach Excel.

    Args:
        action: Name of the work in the messages.
        work: What to do with the workbook.
        shows_findings: Whether the sheet of findings comes to the front.
        keeps_older: Whether the findings of the last run stay where there are no new ones.
    """
    book: xw.Book | None = None
    try:
        book = _calling_book()
        _say(book, text("addin_progress", action))
        # Imported here because Excel's types come with it.
        from xl_theodoi.excel.findings import write_findings  # noqa: PLC0415
        from xl_theodoi.excel.host import ExcelHost  # noqa: PLC0415

        host = ExcelHost(book)
        summary, result = work(host, today())
        found = _findings(result, host)
        sheet = None
        if found or not keeps_older:
            sheet = write_findings(book, found, labels=result.labels, summary=summary)
        if shows_findings and sheet is not None:
            with suppress(Exception):
                sheet.activate()
    except _StoppedError:
        summary = text("addin", "stopped")
    except TheodoiError as problem:
        if problem.__cause__ is not None:
            _write_log(book, problem)
        return _tell(book, problem)
    except Exception as problem:  # noqa: BLE001 - the last edge before Excel
        log = _write_log(book, problem)
        return _tell(book, TheodoiError("addin_unexpected", log=str(log or "")))
    _say(book, summary)
    return summary


def _calling_book() -> xw.Book:
    """Return the workbook whose button was pressed.

    Raises:
        TheodoiError: `xlwings_missing`, or `caller_missing` where xlwings does not find the
            workbook (its name cannot hold "=" or ";" on xlwings' command line).
    """
    try:
        import xlwings  # noqa: PLC0415 - 0.4 s that other commands need not pay
    except ImportError as problem:
        raise TheodoiError("xlwings_missing") from problem
    try:
        return xlwings.Book.caller()
    except Exception as problem:
        raise TheodoiError("caller_missing") from problem


def _findings(result: Any, host: ExcelHost) -> list[Finding]:
    found = [*host.findings, *result.findings]
    for verdict in getattr(result, "files", ()):
        found.extend(verdict.findings)
    return found


def _counted(action: str, result: Any, host: ExcelHost, **values: object) -> str:
    counts = count_by_severity(_findings(result, host))
    return text("addin_summary", action, **counts, **values)


def _ask_period(book: xw.Book, as_of: date) -> str:
    """Return the period the user types; Excel on a Mac has no such question, today's counts."""
    from xl_theodoi.domain.periods import PeriodKind, period_of  # noqa: PLC0415

    proposed = period_of(as_of, PeriodKind.MONTH).code
    ask = getattr(book.app.api, "InputBox", None)
    if not callable(ask):
        return proposed
    answer = ask(text("addin", "input_period"), text("addin", "title"), proposed)
    if not isinstance(answer, str):
        raise _StoppedError
    return answer.strip()


def _report_folder(master: Path, period: str) -> Path:
    return master.parent / text("addin", "report_folder", period=period)


def _say(book: xw.Book | None, line: str) -> None:
    with suppress(Exception):
        # A status bar that Excel does not give away must not stop the work.
        if book is not None:
            book.app.status_bar = line[:STATUS_LIMIT]


def _tell(book: xw.Book | None, problem: TheodoiError) -> str:
    """Show one dialog and return what it says."""
    what, fix = error_sentences(problem)
    message = text("addin", "error_box", what=what, fix=fix, code=problem.code)
    if book is None:
        _box_without_excel(message)
        return message
    with suppress(Exception):
        book.app.status_bar = False
    with suppress(Exception):
        book.app.alert(message, text("addin", "title"), mode="critical")
    return message


def _box_without_excel(message: str) -> None:
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415

        warning_sign = 0x30
        ctypes.windll.user32.MessageBoxW(0, message, text("addin", "title"), warning_sign)
    else:
        sys.stderr.write(message + "\n")


def _write_log(book: xw.Book | None, problem: BaseException) -> Path | None:
    """Append a traceback to the log in the companion folder; the dialog never shows one."""
    path = _log_path(book)
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


def _log_path(book: xw.Book | None) -> Path:
    from xl_theodoi.operations.companion import SUFFIX  # noqa: PLC0415

    if book is not None:
        with suppress(Exception):
            master = Path(book.fullname)
            if master.is_absolute():
                return master.with_name(master.name + SUFFIX) / LOG_NAME
    return Path(gettempdir()) / f"theodoi-{LOG_NAME}"

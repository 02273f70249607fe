"""Which workbook to work on: the one whose button was pressed, the active one, or a file's."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.excel.state import native_flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xlwings as xw

COM_ATTEMPTS = 200
"""How often xlwings repeats a call that a busy Excel refuses; its own setting is for ever."""


def xlwings_module() -> Any:
    """Return xlwings, which takes 0.4 s to import: only those who need Excel pay for it.

    Raises:
        TheodoiError: `xlwings_missing`.
    """
    try:
        import xlwings  # noqa: PLC0415
    except ImportError as problem:
        raise TheodoiError("xlwings_missing") from problem
    windows = getattr(xlwings, "_xlwindows", None)
    if windows is not None and hasattr(windows, "N_COM_ATTEMPTS"):
        windows.N_COM_ATTEMPTS = COM_ATTEMPTS
    return xlwings


def calling_book() -> xw.Book:
    """Return the workbook whose button was pressed, or the active one where no Excel called.

    Raises:
        TheodoiError: `xlwings_missing`; `caller_missing` where the calling Excel does not show
            its workbook; without one, what `active_book` raises.
    """
    xlwings = xlwings_module()
    if _from_caller("--from_xl=") is None and not hasattr(xlwings.Book, "_mock_caller"):
        return active_book()
    try:
        book: xw.Book = xlwings.Book.caller()
    except Exception as problem:
        # xlwings cuts the name of a workbook at "=", and then does not find it.
        found = _named_by_caller(xlwings)
        if found is None:
            raise TheodoiError("caller_missing") from problem
        return found
    return book


def calling_app() -> xw.App:
    """Return the Excel whose button was pressed, with or without a workbook.

    Raises:
        TheodoiError: `xlwings_missing`, or `excel_missing` where no Excel runs.
    """
    xlwings = xlwings_module()
    window = _from_caller("--hwnd=")
    if window is not None and hasattr(xlwings, "_xlwindows"):
        with suppress(Exception):
            app: xw.App = xlwings.App(impl=xlwings._xlwindows.App(xl=int(window)))  # noqa: SLF001
            return app
    for running in _apps(xlwings):
        return running
    raise TheodoiError("excel_missing")


def active_book() -> xw.Book:
    """Return the workbook in front of the user.

    Raises:
        TheodoiError: `xlwings_missing`, `excel_missing`, or `no_active_book`.
    """
    app = calling_app()
    try:
        book: xw.Book | None = app.books.active if len(app.books) else None
        # Excel gives a name even to a workbook that is none.
        _ = book.name if book is not None else None
    except Exception as problem:
        raise TheodoiError("no_active_book") from problem
    if book is None:
        raise TheodoiError("no_active_book")
    return book


def book_of(path: Path) -> xw.Book:
    """Return the workbook of a file as it is open in Excel on this computer.

    All running Excels are looked into. Where two have it open, the one that can be saved is
    taken: the other one only reads.

    Raises:
        TheodoiError: `xlwings_missing`, `excel_missing`, `not_open_in_excel`, or `excel_busy`
            where an Excel did not answer and no other one has it.
    """
    xlwings = xlwings_module()
    apps = list(_apps(xlwings))
    if not apps:
        raise TheodoiError("excel_missing")
    found: list[xw.Book] = []
    busy = False
    for app in apps:
        try:
            found += [book for book in app.books if _is_file(book, path)]
        except Exception:  # noqa: BLE001
            # While a cell is edited Excel refuses every call, each engine in its own way.
            busy = True
    for book in found:
        if not native_flag(book.api, "ReadOnly", "read_only"):
            return book
    if found:
        return found[0]
    raise TheodoiError("excel_busy" if busy else "not_open_in_excel", file=path.name)


def is_open_elsewhere(book: xw.Book, path: Path) -> bool:
    """Whether another Excel on this computer has a workbook's file open too."""
    with suppress(Exception):
        own = book.app.pid
        for app in _apps(xlwings_module()):
            with suppress(Exception):
                if app.pid != own and any(_is_file(other, path) for other in app.books):
                    return True
    return False


def _apps(xlwings: Any) -> Iterator[xw.App]:
    """Yield the running Excels, the one in front first; none where xlwings has no engine."""
    with suppress(Exception):
        yield from xlwings.apps


def _is_file(book: xw.Book, path: Path) -> bool:
    try:
        name = book.fullname
    except Exception:  # noqa: BLE001
        # xlwings fails in a dozen ways to make a path of an address on the internet.
        return False
    place = Path(name)
    if "://" in name or not place.is_absolute():
        return False
    try:
        return place.samefile(path)
    except OSError:
        return os.path.normcase(path.absolute()) == os.path.normcase(place)


def _named_by_caller(xlwings: Any) -> xw.Book | None:
    """Return the workbook that the command line of the call names in full."""
    name = _from_caller("--wb=")
    window = _from_caller("--hwnd=")
    if not name or window is None:
        return None
    for app in _apps(xlwings):
        with suppress(Exception):
            if str(app.hwnd) == window:
                return next(book for book in app.books if book.name.lower() == name.lower())
    return None


def _from_caller(option: str) -> str | None:
    values = [word[len(option) :] for word in sys.argv if word.startswith(option)]
    return values[-1].strip().strip('"') if values else None

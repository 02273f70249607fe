"""The user's Excel while the program works in it: quiet meanwhile, afterwards as it was."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xlwings as xw

_QUIET: Final[dict[str, Any]] = {
    "screen_updating": False,
    "display_alerts": False,
    "enable_events": False,
    "calculation": "manual",
}
_HELPFUL: Final = ("AutoFillFormulasInLists", "AutoExpandListRange")
"""What Excel does of itself beside a table: it would fill and widen where nobody asked."""

PATIENCE: Final = (0.25, 0.5, 1.0, 2.0)
"""Seconds between attempts to be let in while a cell is edited; then the user is told."""


@dataclass(frozen=True, slots=True)
class View:
    """What the user looks at.

    Attributes:
        sheet: The active sheet.
        address: What is selected on it, None where that is no cell.
        scroll: First row and column in the window, None where Excel does not say.
    """

    sheet: str
    address: str | None
    scroll: tuple[int, int] | None


@contextmanager
def undisturbed(book: xw.Book) -> Iterator[None]:
    """Keep Excel quiet within the block and give everything back, whatever happens inside.

    Given back are screen updating, alerts, events, the way of calculating, Excel's help with
    tables, the active sheet, the selection and the scroll position. Filters are not touched by
    what we write. What the user has copied Excel forgets with the first cell written.

    Raises:
        TheodoiError: `excel_busy` where Excel does not answer for some seconds, as while a
            cell is edited.
    """
    with ExitStack() as stack:
        for pause in (*PATIENCE, None):
            entered = ExitStack()
            try:
                _quieten(book, entered)
            except Exception as problem:
                # Each engine has its own exception for a busy Excel, none importable here.
                with suppress(Exception):
                    entered.close()
                if pause is None:
                    raise TheodoiError("excel_busy", file=book.name) from problem
                time.sleep(pause)
            else:
                stack.enter_context(entered)
                break
        yield


def ensure_ready(book: xw.Book) -> None:
    """Wait for some seconds until Excel lets itself be worked with.

    Raises:
        TheodoiError: `excel_busy`.
    """
    for pause in (*PATIENCE, None):
        try:
            # What is read is often answered even while a cell is edited; what is set is not.
            book.app.display_alerts = book.app.display_alerts
        except Exception as problem:
            if pause is None:
                raise TheodoiError("excel_busy", file=book.name) from problem
            time.sleep(pause)
        else:
            return


def _quieten(book: xw.Book, stack: ExitStack) -> None:
    app = book.app
    stack.callback(restore_view, book, view_of(book))
    for attribute, value in _QUIET.items():
        before = getattr(app, attribute)
        setattr(app, attribute, value)
        stack.callback(setattr, app, attribute, before)
    help_with_tables = getattr(app.api, "AutoCorrect", None)
    for name in _HELPFUL:
        if getattr(help_with_tables, name, None) is True:
            setattr(help_with_tables, name, False)
            stack.callback(setattr, help_with_tables, name, True)


def view_of(book: xw.Book) -> View:
    """Return what the user looks at."""
    sheet = book.sheets.active
    selection = book.selection
    # The selection may be a picture, or stand in another workbook.
    address = None
    if selection is not None and selection.sheet.name == sheet.name:
        address = selection.address
    return View(sheet.name, address, _scroll(book))


def _scroll(book: xw.Book) -> tuple[int, int] | None:
    with suppress(Exception):
        window = book.app.api.ActiveWindow
        return int(window.ScrollRow), int(window.ScrollColumn)
    return None


def restore_view(book: xw.Book, before: View) -> None:
    """Show what the user looked at before."""
    # xlwings refuses to activate a sheet while another Excel is in front: then the user is
    # looking elsewhere, and the finished work must not be undone for a lost selection.
    with suppress(Exception):
        now = view_of(book)
        if now.sheet != before.sheet:
            book.sheets[before.sheet].activate()
        if before.address is not None and (now.sheet, now.address) != (
            before.sheet,
            before.address,
        ):
            book.sheets[before.sheet].range(before.address).select()
        if before.scroll is not None and _scroll(book) != before.scroll:
            window = book.app.api.ActiveWindow
            window.ScrollRow, window.ScrollColumn = before.scroll


def native_flag(api: Any, windows: str, mac: str) -> bool:
    """Return a yes-or-no property that xlwings does not wrap, by its name on each system."""
    try:
        value = getattr(api, windows, None)
    except Exception:  # noqa: BLE001
        # A property that this version of Excel lacks is said to be so by an exception.
        value = None
    if value is None:
        reference = getattr(api, mac, None)
        getter = getattr(reference, "get", None)
        value = getter() if callable(getter) else reference
    return value is True

"""The user's Excel while the program works in it: quiet meanwhile, afterwards as it was."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
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


@contextmanager
def undisturbed(book: xw.Book) -> Iterator[None]:
    """Keep Excel quiet within the block and give everything back, whatever happens inside.

    Given back are screen updating, alerts, events, the way of calculating, the active sheet
    and the selection. Filters and the scroll position are not touched by what we write.

    Raises:
        TheodoiError: `excel_busy` where Excel does not answer, as while a cell is edited.
    """
    app = book.app
    with ExitStack() as stack:
        try:
            stack.callback(_restore_view, book, _view(book))
            for attribute, value in _QUIET.items():
                before = getattr(app, attribute)
                setattr(app, attribute, value)
                stack.callback(setattr, app, attribute, before)
        except Exception as problem:
            # Each engine has its own exception for a busy Excel, none of them importable here.
            raise TheodoiError("excel_busy", file=book.name) from problem
        yield


def _view(book: xw.Book) -> tuple[str, str | None]:
    """Return the active sheet and the address of what is selected on it."""
    sheet = book.sheets.active
    selection = book.selection
    # The selection may be a picture, or stand in another workbook.
    if selection is None or selection.sheet.name != sheet.name:
        return sheet.name, None
    return sheet.name, selection.address


def _restore_view(book: xw.Book, before: tuple[str, str | None]) -> None:
    # xlwings refuses to activate a sheet while another Excel is in front: then the user is
    # looking elsewhere, and the finished work must not be undone for a lost selection.
    with suppress(Exception):
        now = _view(book)
        sheet_name, address = before
        if now[0] != sheet_name:
            book.sheets[sheet_name].activate()
        if address is not None and now != before:
            book.sheets[sheet_name].range(address).select()


def native_flag(api: Any, windows: str, mac: str) -> bool:
    """Return a yes-or-no property that xlwings does not wrap, by its name on each system."""
    value = getattr(api, windows, None)
    if value is None:
        reference = getattr(api, mac, None)
        getter = getattr(reference, "get", None)
        value = getter() if callable(getter) else reference
    return value is True

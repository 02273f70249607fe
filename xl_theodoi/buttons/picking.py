"""Asking for a file or a folder, where no macro has asked before: through Excel's own pickers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xl_theodoi.messages import text

if TYPE_CHECKING:
    import xlwings as xw

PICKED: Final = {
    "new": "save",
    "add": "file",
    "send": "folder",
    "consolidate": "folder",
    "report": "folder",
}
"""What the buttons that need a path ask for."""

_FOLDER_PICKER: Final = 4
"""Excel's msoFileDialogFolderPicker."""
_CHOSEN: Final = -1


def pick(action: str) -> Path | None:
    """Return what the user picks for a button, None where nothing was picked.

    Args:
        action: The button's action, one of `PICKED`.
    """
    from xl_theodoi.excel.books import calling_app  # noqa: PLC0415 - Excel's types

    app: xw.App = calling_app()
    title = text("addin_pick", action)
    if PICKED[action] == "folder":
        dialog = app.api.FileDialog(_FOLDER_PICKER)
        dialog.Title = title
        with suppress(Exception):
            dialog.InitialFileName = str(Path(app.books.active.fullname).parent) + "\\"
        return Path(dialog.SelectedItems(1)) if dialog.Show() == _CHOSEN else None
    kinds = text("addin_pick", f"{PICKED[action]}_kinds")
    if PICKED[action] == "save":
        found = app.api.GetSaveAsFilename(text("addin_pick", "new_name"), kinds, 1, title)
    else:
        found = app.api.GetOpenFilename(kinds, 1, title)
    return Path(found) if isinstance(found, str) else None

"""Whether the user pressed Esc while the program works for Excel.

Excel does not see the key meanwhile: it waits for this process. Windows tells of it to whoever
asks, but only a key that was meant for Excel counts.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import xlwings as xw

_ESCAPE: Final = 0x1B
_DOWN_OR_SINCE: Final = 0x8001
"""Windows' answer: the highest bit for a key that is down, the lowest for one that was pressed
since it was last asked for."""


def escape_pressed(app: xw.App | None) -> Callable[[], bool]:
    """Return a function that says whether Esc was pressed since it was last called.

    Args:
        app: The Excel that has to be in front.
    """
    if sys.platform == "win32" and app is not None:
        with suppress(Exception):
            return _on_windows(app.pid)
    return _never


def _never() -> bool:
    return False


if sys.platform == "win32":

    def _on_windows(process: int) -> Callable[[], bool]:
        import ctypes  # noqa: PLC0415
        from ctypes import wintypes  # noqa: PLC0415

        user = ctypes.windll.user32
        user.GetAsyncKeyState.restype = ctypes.c_ushort
        user.GetForegroundWindow.restype = wintypes.HWND
        # What was pressed before the work began is forgotten.
        user.GetAsyncKeyState(_ESCAPE)

        def pressed() -> bool:
            state = user.GetAsyncKeyState(_ESCAPE)
            owner = wintypes.DWORD()
            user.GetWindowThreadProcessId(
                wintypes.HWND(user.GetForegroundWindow()), ctypes.byref(owner)
            )
            return bool(state & _DOWN_OR_SINCE) and owner.value == process

        return pressed

"""What the user is told and asked: through Excel where it runs, else by Windows itself."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.messages import text

if TYPE_CHECKING:
    import xlwings as xw

LONGEST: Final = 1800
"""Characters of a dialog: a longer one does not fit on the screen."""
_WARNING, _NOTICE, _YES_NO, _YES = 0x30, 0x40, 0x04, 6
"""Values of Windows' MessageBox."""


class StoppedError(Exception):
    """The user pressed Cancel, or No, in a question."""


class Dialogs:
    """The dialogs of one button.

    Args:
        app: The Excel that the user sees, None where none is known.
    """

    def __init__(self, app: xw.App | None) -> None:
        self._app = app

    def tell(self, message: str, *, is_error: bool = True) -> None:
        """Show one message."""
        message = _cut(message)
        mode = "critical" if is_error else "info"
        if self._app is not None:
            with suppress(Exception):
                self._app.alert(message, text("addin", "title"), mode=mode)
                return
        self._box(message, _WARNING if is_error else _NOTICE)

    def confirm(self, question: str) -> bool:
        """Ask a question that is answered by Yes or No."""
        question = _cut(question)
        if self._app is not None:
            with suppress(Exception):
                answer = self._app.alert(question, text("addin", "title"), buttons="yes_no")
                return answer == "yes"
        return self._box(question, _NOTICE | _YES_NO) == _YES

    def insist(self, question: str) -> None:
        """Ask whether to go on.

        Raises:
            StoppedError: For any answer but Yes.
        """
        if not self.confirm(question):
            raise StoppedError

    def ask(self, question: str, proposed: str) -> str:
        """Return what the user types; Excel on a Mac has no such question, there `proposed`.

        Raises:
            StoppedError: Where the user presses Cancel.
        """
        ask = getattr(self._app.api, "InputBox", None) if self._app is not None else None
        if not callable(ask):
            return proposed
        answer = ask(question, text("addin", "title"), proposed)
        if not isinstance(answer, str):
            raise StoppedError
        return answer.strip()

    def choose_profile(self) -> str:
        """Return the regulation that the user chooses, by its number in a list or its name.

        Raises:
            StoppedError: Where the user presses Cancel.
            TheodoiError: `unknown_choice`.
        """
        # Imported here: only a new workbook needs the regulations.
        from xl_theodoi.resources import load_profile, profile_ids  # noqa: PLC0415

        known = list(profile_ids())
        lines = [
            text("addin", "profile_line", number=number, name=load_profile(name).name)
            for number, name in enumerate(known, start=1)
        ]
        question = text("addin", "input_profile", profiles="\n".join(lines))
        answer = self.ask(question, "1" if known else "")
        if answer in known:
            return answer
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(known):
            return known[int(answer) - 1]
        raise TheodoiError("unknown_choice", value=answer, last=len(known))

    def _box(self, message: str, style: int) -> int:
        if sys.platform == "win32":
            import ctypes  # noqa: PLC0415

            title = text("addin", "title")
            return int(ctypes.windll.user32.MessageBoxW(0, message, title, style))
        if sys.stderr is not None:
            sys.stderr.write(message + "\n")
        return 0


def _cut(message: str) -> str:
    return message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"

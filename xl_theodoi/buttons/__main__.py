"""`python -m xl_theodoi.buttons ACTION [PATH]`: a button without a button.

For computers where macros or child processes of Excel are forbidden: a shortcut starts this on
the workbook that is in front in the running Excel. What it says and asks are the same dialogs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from xl_theodoi import buttons
from xl_theodoi.buttons.dialogs import Dialogs
from xl_theodoi.buttons.picking import PICKED, pick
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.messages import error_sentences, text

if TYPE_CHECKING:
    from collections.abc import Sequence

ACTIONS = tuple(buttons.OPERATIONS)
"""What may be asked for: the buttons, in the order of the month's work."""


def main(words: Sequence[str] | None = None) -> int:
    """Do what one button does.

    Args:
        words: The action, and a path for those that need one; the user is asked for a path
            that is not given.

    Returns:
        0: what went wrong was said in a dialog.
    """
    given = list(sys.argv[1:] if words is None else words)
    action = given[0] if given else ""
    run = getattr(buttons, f"{action}_book", None) if action in ACTIONS else None
    if run is None or len(given) > (2 if action in PICKED else 1):
        actions = ", ".join(ACTIONS)
        what, fix = error_sentences(TheodoiError("unknown_action", value=action, actions=actions))
        Dialogs(None).tell(text("addin", "error_box", what=what, fix=fix, code="unknown_action"))
        return 0
    if action not in PICKED:
        run()
        return 0
    path = Path(given[1]).absolute() if len(given) > 1 else pick(action)
    if path is not None:
        run(buttons.write_path(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())

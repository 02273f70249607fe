"""`undo`: the very bytes of before the last writing command; again, further back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.operations.companion import Companion, replace_file, sha256_of
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.workbook.editing.save import check_unlocked

if TYPE_CHECKING:
    from pathlib import Path


def undo(path: Path) -> tuple[WriteResult, dict[str, Any]]:
    """Put a master back to before the last writing command.

    Args:
        path: The master.

    Returns:
        What was written, and the journal's entry of the command undone.

    Raises:
        TheodoiError: `master_missing`, `nothing_to_undo`, `snapshot_damaged`,
            `changed_since_written` where somebody has changed the master since, or
            `master_locked`.
    """
    if not path.is_file():
        raise TheodoiError("master_missing", path=str(path))
    companion = Companion(path)
    entry, data = companion.last_snapshot()
    current = sha256_of(path.read_bytes())
    if current != entry["after"] and current != entry["before"]:
        raise TheodoiError(
            "changed_since_written", path=path.name, command=entry["command"],
            folder=str(companion.folder / "snapshots"),
        )  # fmt: skip
    check_unlocked(path)
    mode = path.stat().st_mode
    # A link stays a link: what it leads to is put back.
    replace_file(path.resolve(), data)
    path.chmod(mode)
    companion.abandoned(entry["number"])
    at = datetime.fromisoformat(entry["at"]).astimezone().strftime("%d/%m/%Y %H:%M")
    return WriteResult([path], {"undone": 1}), {**entry, "at_text": at}

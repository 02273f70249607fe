"""One way for every command to write a master: snapshot, apply, note the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.operations.companion import sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.domain.changes import Change
    from xl_theodoi.operations.master import Master


def commit(master: Master, command: str, changes: Sequence[Change]) -> bool:
    """Write changes to a master after keeping a snapshot of it.

    Args:
        master: The workbook as read.
        command: Name of the command, for the journal.
        changes: What to change; nothing is written, and no snapshot kept, where it is empty.

    Returns:
        Whether anything was written.

    Raises:
        TheodoiError: Where the workbook is open elsewhere, has changed since it was read or
            cannot be written; nothing has been written then.
    """
    if not changes:
        return False
    master.host.ensure_writable()
    number = master.companion.snapshot(
        master.host.snapshot(),
        command,
        keep=master.settings.number("snapshot_count"),
        days=master.settings.number("snapshot_days"),
    )
    try:
        master.host.apply(changes)
    except BaseException:
        master.companion.abandoned(number)
        raise
    master.companion.finished(number, sha256_of(master.host.snapshot()))
    return True

"""`undo`: the very bytes of before the last writing command; again, further back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import read_file
from xl_theodoi.operations.companion import Companion, sha256_of
from xl_theodoi.operations.locking import moment_text
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.operations.second import keep_in_step
from xl_theodoi.operations.writing import drop_undone, unfinished, writes
from xl_theodoi.workbook.editing.differ import differing_parts
from xl_theodoi.workbook.editing.save import write

if TYPE_CHECKING:
    from xl_theodoi.hosts import FileHost


@writes("undo")
def undo(host: FileHost) -> tuple[WriteResult, dict[str, Any]]:
    """Put a master back to before the last writing command.

    Args:
        host: The master.

    Returns:
        What was written, and the journal's entry of the command undone.

    Raises:
        TheodoiError: `master_missing`, `nothing_to_undo`, `snapshot_damaged`,
            `changed_since_written` where somebody has changed the master since, or
            `master_locked`.
    """
    path = host.path
    companion = Companion(path)
    current = read_file(path)
    now = sha256_of(current)
    drop_undone(companion, now)
    entry, data = companion.snapshots.last()
    if now != entry["after"]:
        raise TheodoiError(
            "changed_since_written", path=path.name, command=entry["command"],
            folder=str(companion.snapshots.folder),
        )  # fmt: skip
    write(path, path, data, current)
    try:
        companion.snapshots.drop([entry["number"]])
    except TheodoiError as problem:
        host.findings.append(unfinished(companion, problem))
    # The setting is the master's, which need not be readable to be put back.
    host.findings += keep_in_step(companion, entry.get("second") or "")
    result = WriteResult([path], {"undone": 1}, parts_changed=differing_parts(current, data))
    return result, {**entry, "at_text": moment_text(entry["at"])}

"""What a killed run left: whether it took place, and everything brought to that state.

A command takes place at one moment, when the hidden file with the new master is renamed. Was
it killed before that, all it made is taken away; after that, all is there already and only
the journal is completed. Either way the next run says so.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, warning
from xl_theodoi.files import remove_abandoned
from xl_theodoi.operations.companion import Companion, sha256_of
from xl_theodoi.operations.locking import killed_run, lock_exists, moment_text
from xl_theodoi.operations.outputs import remove_own

if TYPE_CHECKING:
    from xl_theodoi.operations.locking import RunRecord


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a killed run came.

    Attributes:
        command: What was run.
        at: When, ISO with offset.
        is_done: Whether the master is the new one; None where only Excel would know.
    """

    command: str
    at: str
    is_done: bool | None


def outcome_of(companion: Companion, left: RunRecord | None) -> Outcome | None:
    """Return how far the last run came, None where it ended in order.

    Args:
        companion: The master's companion folder.
        left: What the run's lock file says, None where there is none.
    """
    entry = companion.snapshots.open_entry()
    if entry is not None:
        return Outcome(entry["command"], entry["at"], _is_done(companion.master, entry))
    if left is None:
        return None
    entries = companion.snapshots.entries()
    if left.command == "undo":
        is_dropped = companion.snapshots.last_entry() < left.last
        return Outcome("undo", left.at, is_dropped or _undone(companion, entries) is not None)
    if left.command == "new":
        return Outcome("new", left.at, companion.master.exists())
    is_done = any(e["number"] > left.last and e["command"] == left.command for e in entries)
    return Outcome(left.command, left.at, is_done)


def _is_done(master: Path, entry: dict[str, Any]) -> bool | None:
    """Return whether the command of an open entry has changed the master."""
    intended = entry["open"]
    try:
        now = sha256_of(master.read_bytes())
    except FileNotFoundError:
        now = ""
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise TheodoiError("cannot_read", path=str(master), reason=reason) from problem
    if now == entry["before"]:
        return False
    if intended.get("after") is None:
        return None
    # Somebody has saved the master since: the hidden file tells, it is gone where it was renamed.
    temporary = master.resolve().with_name(intended["temporary"])
    return now == intended["after"] or not os.path.lexists(temporary)


def _undone(companion: Companion, entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the newest entry where the master is as it was before its command."""
    entries = [entry for entry in entries if not entry.get("unsaved")]
    if not entries:
        return None
    try:
        now = sha256_of(companion.master.read_bytes())
    except OSError:
        return None
    return entries[-1] if now == entries[-1]["before"] else None


def settle(companion: Companion, left: RunRecord | None) -> list[Finding]:
    """Bring everything that a killed run left to one state; the lock must be held.

    Args:
        companion: The master's companion folder.
        left: What the run's lock file says, None where there is none.

    Returns:
        One finding that says what happened; none where the last run ended in order.

    Raises:
        TheodoiError: `cannot_write`, `cannot_read`; the next run tries again.
    """
    outcome = outcome_of(companion, left)
    for folder in (companion.master.resolve().parent, companion.snapshots.folder):
        remove_abandoned(folder)
    if outcome is None:
        return []
    snapshots = companion.snapshots
    entry = snapshots.open_entry()
    folders = list(left.folders) if left else []
    made = list(left.made) if left else []
    if entry is not None:
        intended = entry["open"]
        files = [(Path(path), sha256) for path, sha256 in intended["files"]]
        folders += [path.parent for path, _ in files]
        if outcome.is_done is False:
            for path, sha256 in files:
                if not remove_own(path, sha256):
                    raise TheodoiError("cannot_write", path=str(path), reason="")
            if intended["temporary"]:
                with contextlib.suppress(OSError):
                    companion.master.resolve().with_name(intended["temporary"]).unlink()
            snapshots.drop([entry["number"]])
        else:
            snapshots.finish(entry["number"], intended["after"] if outcome.is_done else None)
    elif outcome.command == "undo" and outcome.is_done:
        undone = _undone(companion, snapshots.entries())
        if undone is not None:
            snapshots.drop([undone["number"]])
    for folder in dict.fromkeys(folders):
        remove_abandoned(folder)
    if not outcome.is_done:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
    return [_finding(companion.master, outcome)]


def settle_folder(folder: Path) -> list[Finding]:
    """Take away the hidden files that killed runs left in a folder of outputs.

    Returns:
        One finding where there were any.
    """
    if not remove_abandoned(folder):
        return []
    return [warning("leftovers_removed", Location(), path=str(folder))]


def notice(master: Path) -> list[Finding]:
    """Return what a reader should know of a killed run; nothing is touched.

    Args:
        master: The master.
    """
    companion = Companion(master)
    left = killed_run(master)
    if left is None and lock_exists(master):
        return []
    outcome = outcome_of(companion, left)
    if outcome is not None and left is None:
        # A run that began after the first look may have ended since.
        outcome = None if lock_exists(master) else outcome_of(companion, None)
    return [_finding(master, outcome)] if outcome is not None else []


def _finding(master: Path, outcome: Outcome) -> Finding:
    code = "interrupted_run"
    if outcome.is_done is None:
        code = "interrupted_in_excel"
    elif outcome.is_done:
        code = "interrupted_after_write"
    where = Location(master.name)
    values = {"command": outcome.command, "at": moment_text(outcome.at)}
    return warning(code, where, **values)

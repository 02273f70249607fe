"""Snapshots of a master and their journal: what each writing command found and left.

A command's line is in the journal, on the disk, before the master changes, with the hashes of
both states and everything else the command makes. So a later run can tell, whenever the
command was killed, whether it took place, and finish or take back what it began.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import Staged, flush_folder, missing_folders, refusals, replace_file
from xl_theodoi.operations.locking import held_lock

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Intent:
    """What a command is about to do.

    Attributes:
        command: Its name.
        before: The master's bytes.
        before_sha256: Their hash.
        after_sha256: Hash of the master that it will leave, None where that is not known yet.
        temporary: The hidden file that will become the master, None where there is none.
        files: Path and hash of every other file that it makes.
        second: The folder that is kept in step with the companion folder, blank for none.
        keep: Most snapshots kept when it is done; the oldest go first. 0 keeps all.
        days: Age in days after which a snapshot goes then. 0 keeps all.
        saved_sha256: Hash of the file on disk, which a workbook open in Excel may be ahead of.
    """

    command: str
    before: bytes
    before_sha256: str
    after_sha256: str | None = None
    temporary: Path | None = None
    files: Sequence[tuple[Path, str]] = ()
    second: str = ""
    keep: int = 0
    days: int = 0
    saved_sha256: str = ""


class Snapshots:
    """The folder of snapshots and its journal.

    Args:
        folder: The folder; made when the first snapshot is kept.
        suffix: Suffix of the master's name.
    """

    def __init__(self, folder: Path, suffix: str) -> None:
        self.folder = folder
        self._suffix = suffix

    @property
    def journal(self) -> Path:
        """The journal: one JSON object a line, oldest first."""
        return self.folder / "journal.jsonl"

    def path(self, number: int) -> Path:
        """Return where a snapshot lies."""
        return self.folder / f"{number:05d}{self._suffix}"

    def after_path(self, number: int) -> Path:
        """Return where the workbook lies as a command in Excel left it.

        Only that tells later whether a file that Excel has saved since holds anything else.
        """
        return self.folder / f"{number:05d}.after{self._suffix}"

    def entries(self) -> list[dict[str, Any]]:
        """Return the journal's entries, oldest first; a line that is none is left out.

        Raises:
            TheodoiError: `cannot_read` where there is a journal that cannot be read: to go on
                without it would lose what it says.
        """
        try:
            lines = self.journal.read_text(encoding="utf-8", errors="replace").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            raise TheodoiError("cannot_read", path=str(self.journal), reason=reason) from problem
        entries = []
        for line in lines:
            try:
                entry = json.loads(line)
                {int(entry["number"]), str(entry["before"]), str(entry["command"]), entry["after"]}
                datetime.fromisoformat(entry["at"]).astimezone()
            except (ValueError, TypeError, KeyError):
                continue
            entries.append(entry)
        return entries

    def write_entries(self, entries: Sequence[dict[str, Any]]) -> None:
        """Write the journal anew."""
        text = "".join(json.dumps(entry) + "\n" for entry in entries)
        # Whoever needs the directory on the disk flushes it; else the older journal serves too.
        replace_file(self.journal, text.encode(), is_last=False)

    def last_entry(self) -> int:
        """Return the number of the newest entry; 0 where there is none."""
        return max((entry["number"] for entry in self.entries()), default=0)

    def last_number(self) -> int:
        """Return the highest number that an entry or a file has; 0 for none."""
        numbers = [entry["number"] for entry in self.entries()]
        with contextlib.suppress(OSError):
            numbers += [int(path.stem) for path in self.folder.iterdir() if path.stem.isdecimal()]
        return max(numbers, default=0)

    def open_entry(self) -> dict[str, Any] | None:
        """Return the entry of a command that did not come to its end, None where none is."""
        return next((entry for entry in self.entries() if "open" in entry), None)

    # One command

    def intend(self, intent: Intent) -> int:
        """Put a snapshot and the journal's line about a command on the disk, in one go.

        Returns:
            The snapshot's number.
        """
        number = self.last_number() + 1
        made = missing_folders(self.folder)
        lock = held_lock()
        if made and lock is not None:
            lock.will_write_in(self.folder, made)
        snapshot = None
        try:
            with refusals(self.path(number)):
                self.folder.mkdir(parents=True, exist_ok=True)
                snapshot = Staged(self.path(number), intent.before, flush=True)
            entry = {
                "number": number,
                "command": intent.command,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "before": intent.before_sha256,
                "after": None,
                "saved": intent.saved_sha256 or intent.before_sha256,
                "second": intent.second,
                "open": {
                    "after": intent.after_sha256,
                    "temporary": intent.temporary.name if intent.temporary else None,
                    "files": [[str(path.absolute()), sha256] for path, sha256 in intent.files],
                    "made": [str(path.absolute()) for path in made],
                    "keep": intent.keep,
                    "days": intent.days,
                },
            }
            self.write_entries([*self.entries(), entry])
            with refusals(self.path(number)):
                snapshot.create()
            flush_folder(self.folder)
        except BaseException:
            if snapshot is not None:
                snapshot.discard()
            with contextlib.suppress(TheodoiError):
                self.drop([number], made)
            raise
        return number

    def finish(self, number: int, after: str | None, copy: bytes | None = None) -> None:
        """Note that a command came to its end; only now older snapshots go, never the newest.

        Args:
            number: The command's snapshot.
            after: Hash of the master that it left, None where nobody knows.
            copy: That master, where a program that saves it will change its bytes.
        """
        if copy is not None:
            replace_file(self.after_path(number), copy, is_last=False)
        entries = self.entries()
        dropped: set[int] = set()
        for entry in entries:
            if entry["number"] == number:
                entry["after"] = after
                began = entry.pop("open", {})
                old = _old(entries, began.get("keep", 0), began.get("days", 0))
                dropped = {entry["number"] for entry in old}
        # The files first: an entry whose file is gone is chosen again next time.
        for gone in sorted(dropped):
            if not self._remove(gone):
                dropped.discard(gone)
        self.write_entries([entry for entry in entries if entry["number"] not in dropped])

    def drop(self, numbers: Sequence[int], made: Sequence[Path] = ()) -> None:
        """Forget commands that did not take place or were taken back.

        Args:
            numbers: Their snapshots.
            made: Folders that were made, the topmost first; they go too where nothing is in them.
        """
        entries = self.entries()
        kept = [entry for entry in entries if entry["number"] not in numbers]
        began = (entry for entry in entries if entry["number"] in numbers and "open" in entry)
        made = [*made, *(Path(path) for entry in began for path in entry["open"]["made"])]
        # The files first: an entry without its file is still known for what it is.
        for number in numbers:
            for path in (self.after_path(number), self.path(number)):
                with refusals(path):
                    path.unlink(missing_ok=True)
        if kept != entries:
            if kept or not made:
                self.write_entries(kept)
            else:
                with refusals(self.journal):
                    self.journal.unlink()
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _remove(self, number: int) -> bool:
        try:
            self.after_path(number).unlink(missing_ok=True)
            self.path(number).unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def effective(self) -> list[dict[str, Any]]:
        """Return the entries of commands that may be in effect, oldest first.

        Left out is what was done in Excel and closed without saving: see `set_aside`.

        Raises:
            TheodoiError: `nothing_to_undo` where no snapshot is left.
        """
        entries = [entry for entry in self.entries() if not entry.get("unsaved")]
        if not entries:
            raise TheodoiError("nothing_to_undo", path=str(self.folder.parent))
        return entries

    def set_aside(self, numbers: Sequence[int]) -> None:
        """Note that what commands did was never saved; their snapshots stay for their time."""
        entries = self.entries()
        for entry in entries:
            if entry["number"] in numbers:
                entry["unsaved"] = True
        self.write_entries(entries)

    def before(self, entry: dict[str, Any]) -> bytes:
        """Return the snapshot of an entry.

        Raises:
            TheodoiError: `snapshot_damaged` where its bytes are not those that were kept.
        """
        try:
            data = self.path(entry["number"]).read_bytes()
        except OSError as problem:
            raise TheodoiError("snapshot_damaged", path=str(self.folder.parent)) from problem
        if hashlib.sha256(data).hexdigest() != entry["before"]:
            raise TheodoiError("snapshot_damaged", path=str(self.folder.parent))
        return data

    def after(self, entry: dict[str, Any]) -> bytes | None:
        """Return the workbook as a command in Excel left it, None where no copy is left."""
        try:
            data = self.after_path(entry["number"]).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == entry["after"] else None


def _old(entries: Sequence[dict[str, Any]], keep: int, days: int) -> list[dict[str, Any]]:
    """Return the entries that are too many or too old; never the newest."""
    now = datetime.now(UTC)
    oldest = now - timedelta(days=days)
    return [
        entry
        for position, entry in enumerate(entries[:-1])
        if (keep and position < len(entries) - keep)
        or (days and datetime.fromisoformat(entry["at"]).astimezone() < oldest)
    ]

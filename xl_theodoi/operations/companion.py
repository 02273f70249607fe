"""The companion folder beside a master: what was sent, what came back, snapshots.

Without it `undo` cannot work and everything else does. Snapshots are the master's very
bytes; the journal names, for each, the command and the hashes before and after it, so that
`undo` never overwrites work done since.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SUFFIX = ".theodoi"


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_new(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; an existing one is never overwritten.

    Raises:
        TheodoiError: `would_overwrite` where the file exists, `cannot_write` where the
            system refuses.
    """
    if path.exists():
        raise TheodoiError("would_overwrite", path=str(path))
    replace_file(path, data)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that it is never half-written.

    Raises:
        TheodoiError: `cannot_write`, with the system's reason.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        reason = problem.strerror or str(problem)
        raise TheodoiError("cannot_write", path=str(path), reason=reason) from problem


class Companion:
    """The folder `<master file name>.theodoi` beside a master."""

    def __init__(self, master: Path) -> None:
        self.master = master
        self.folder = master.with_name(master.name + SUFFIX)

    # What was sent

    def has_send_records(self) -> bool:
        """Whether anything sent is on record."""
        return any((self.folder / "sent").glob("*/*.json.gz"))

    def record_sent(self, send_id: str, unit: str, record: Mapping[str, Any]) -> None:
        """Keep the values of one unit workbook as they were sent."""
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        packed = gzip.compress(text.encode(), compresslevel=1, mtime=0)
        replace_file(self.folder / "sent" / send_id / f"{unit}.json.gz", packed)

    def sent(self, send_id: str, unit: str) -> Mapping[str, Any] | None:
        """Return what was sent to a unit in one sending, None where no record is left."""
        if not all(part.replace("-", "").replace("_", "").isalnum() for part in (send_id,)):
            return None
        path = self.folder / "sent" / send_id / f"{unit}.json.gz"
        try:
            record = json.loads(gzip.decompress(path.read_bytes()))
        except (OSError, ValueError, EOFError):
            return None
        return record if isinstance(record, dict) else None

    def sent_hashes(self) -> set[str]:
        """Return the SHA-256 of every unit workbook as it was sent."""
        hashes = set()
        for path in (self.folder / "sent").glob("*/hashes.txt"):
            hashes.update(path.read_text(encoding="ascii").split())
        return hashes

    def record_hashes(self, send_id: str, hashes: list[str]) -> None:
        """Keep the hashes of the workbooks of one sending."""
        replace_file(self.folder / "sent" / send_id / "hashes.txt", "\n".join(hashes).encode())

    def keep_received(self, sha256: str, data: bytes) -> Path | None:
        """Keep a received original, named by its hash.

        Returns:
            Where it was put; None where it was kept before.
        """
        path = self.folder / "received" / f"{sha256}.xlsx"
        if path.exists():
            return None
        replace_file(path, data)
        return path

    # Snapshots

    @property
    def _journal(self) -> Path:
        return self.folder / "snapshots" / "journal.jsonl"

    def entries(self) -> list[dict[str, Any]]:
        """Return the journal, oldest first; a torn last line is left out."""
        try:
            lines = self._journal.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        entries = []
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue
        return entries

    def _write_entries(self, entries: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        replace_file(self._journal, text.encode())

    def snapshot(self, data: bytes, command: str, *, keep: int, days: int) -> int:
        """Keep the master's bytes before a writing command and return the snapshot's number.

        Args:
            data: The master as it is.
            command: Name of the command that is about to write.
            keep: Most snapshots kept; the oldest go first.
            days: Age in days after which a snapshot goes.
        """
        entries = self.entries()
        number = max((entry["number"] for entry in entries), default=0) + 1
        now = datetime.now(UTC)
        replace_file(self._snapshot_path(number), data)
        entries.append(
            {
                "number": number,
                "command": command,
                "at": now.isoformat(timespec="seconds"),
                "before": sha256_of(data),
                "after": None,
            }
        )
        oldest = (now - timedelta(days=days)).isoformat(timespec="seconds")
        dropped = [
            entry
            for position, entry in enumerate(entries[:-1])
            if position < len(entries) - keep or entry["at"] < oldest
        ]
        kept = [entry for entry in entries if entry not in dropped]
        self._write_entries(kept)
        for entry in dropped:
            self._snapshot_path(entry["number"]).unlink(missing_ok=True)
        return number

    def finished(self, number: int, after: str) -> None:
        """Note the master's hash after the command that a snapshot preceded."""
        entries = self.entries()
        for entry in entries:
            if entry["number"] == number:
                entry["after"] = after
        self._write_entries(entries)

    def abandoned(self, number: int) -> None:
        """Forget a snapshot whose command wrote nothing."""
        self._write_entries([entry for entry in self.entries() if entry["number"] != number])
        self._snapshot_path(number).unlink(missing_ok=True)

    def _snapshot_path(self, number: int) -> Path:
        return self.folder / "snapshots" / f"{number:05d}{self.master.suffix}"

    def last_snapshot(self) -> tuple[dict[str, Any], bytes]:
        """Return the newest snapshot's journal entry and bytes.

        Raises:
            TheodoiError: `nothing_to_undo` where no snapshot is left, `snapshot_damaged`
                where its bytes are not those that were kept.
        """
        entries = self.entries()
        if not entries:
            raise TheodoiError("nothing_to_undo", path=str(self.folder))
        entry = entries[-1]
        try:
            data = self._snapshot_path(entry["number"]).read_bytes()
        except OSError as problem:
            raise TheodoiError("snapshot_damaged", path=str(self.folder)) from problem
        if sha256_of(data) != entry["before"]:
            raise TheodoiError("snapshot_damaged", path=str(self.folder))
        return entry, data

    def copies(self) -> Iterator[Path]:
        """Yield every file kept in the folder."""
        if self.folder.is_dir():
            yield from (path for path in self.folder.rglob("*") if path.is_file())

    def remove_sending(self, send_id: str) -> None:
        """Forget a sending that was undone."""
        shutil.rmtree(self.folder / "sent" / send_id, ignore_errors=True)

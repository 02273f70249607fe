"""`undo`: the very bytes of before the last writing command; again, further back.

A file that this program wrote is known by its bytes. A workbook in which it worked in Excel is
not: Excel writes other bytes at every save. There the copy that was made right after the work
tells whether anybody has changed anything since, see `fingerprint`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, warning
from xl_theodoi.interrupts import uninterrupted
from xl_theodoi.operations.companion import Companion, sha256_of
from xl_theodoi.operations.locking import moment_text
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.operations.second import keep_in_step
from xl_theodoi.operations.writing import unfinished, writes
from xl_theodoi.workbook.editing.differ import differing_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xl_theodoi.hosts import Host


@writes("undo")
def undo(
    host: Host, confirm: Callable[[dict[str, Any]], object] | None = None
) -> tuple[WriteResult, dict[str, Any]]:
    """Put a master back to before the last writing command.

    Args:
        host: The master.
        confirm: Called with the journal's entry before anything is written; what it raises
            stops the work.

    Returns:
        What was written, and the journal's entry of the command undone.

    Raises:
        TheodoiError: `master_missing`, `nothing_to_undo`, `snapshot_damaged`,
            `changed_since_written` where somebody has changed the master since, or
            `master_locked`.
    """
    path = host.path
    companion = Companion(path)
    states = _States(host)
    entry, unsaved = _to_undo(companion, states)
    data = companion.snapshots.before(entry)
    entry = {**entry, "at_text": moment_text(entry["at"])}
    if confirm is not None:
        confirm(entry)
    with uninterrupted():
        host.restore(data)
        try:
            if unsaved:
                companion.snapshots.set_aside([one["number"] for one in unsaved])
            companion.snapshots.drop([entry["number"]])
        except TheodoiError as problem:
            host.findings.append(unfinished(companion, problem))
    for one in unsaved:
        values = {"command": one["command"], "at": moment_text(one["at"])}
        host.findings.append(warning("undo_skipped", Location(path.name), **values))
    # The setting is the master's, which need not be readable to be put back.
    host.findings += keep_in_step(companion, entry.get("second") or "")
    parts = differing_parts(states.newest, data)
    return WriteResult([path], {"undone": 1}, parts_changed=parts), entry


class _States:
    """The forms in which a master is there now, each hashed and looked into once at most."""

    def __init__(self, host: Host) -> None:
        self._rest = host.states()
        self._known: list[tuple[bytes, str]] = []
        self._prints: dict[str, dict[str, str]] = {}
        self._next()

    def _next(self) -> bool:
        data = next(self._rest, None)
        if data is None:
            return False
        self._known.append((data, sha256_of(data)))
        return True

    @property
    def newest(self) -> bytes:
        """The first form: what a program would save now."""
        return self._known[0][0]

    def _all(self) -> Iterator[tuple[bytes, str]]:
        place = 0
        while place < len(self._known) or self._next():
            yield self._known[place]
            place += 1

    def has(self, sha256: str | None) -> bool:
        """Whether one of the forms has these bytes."""
        return any(known == sha256 for _, known in self._all())

    def is_left_by(self, entry: dict[str, Any], copy: bytes | None) -> bool:
        """Whether one of the forms holds what a command left, saved anew since or not.

        Args:
            entry: The command's entry.
            copy: The master as a command in Excel left it.
        """
        for data, sha256 in self._all():
            if sha256 == entry["after"]:
                return True
            if copy is not None and self._print(data, sha256) == self._print(copy, entry["after"]):
                return True
        return False

    def _print(self, data: bytes, sha256: str) -> dict[str, str]:
        # Imported here: most masters are known by their bytes.
        from xl_theodoi.workbook.reading.fingerprint import fingerprint  # noqa: PLC0415

        if sha256 not in self._prints:
            self._prints[sha256] = fingerprint(data)
        return self._prints[sha256]


def _to_undo(companion: Companion, states: _States) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the entry of the command that is in effect, and those after it never saved.

    Raises:
        TheodoiError: `nothing_to_undo`, `changed_since_written`.
    """
    unsaved: list[dict[str, Any]] = []
    entries = companion.snapshots.effective()
    for entry in reversed(entries):
        if states.is_left_by(entry, companion.snapshots.after(entry)):
            return entry, unsaved
        if entry is entries[-1] and states.has(entry["before"]):
            # An undo was stopped before it could say that it had taken place.
            companion.snapshots.drop([entry["number"]])
            continue
        if not _is_unsaved(entry, states):
            break
        unsaved.append(entry)
    else:
        raise TheodoiError("nothing_to_undo", path=str(companion.folder))
    raise TheodoiError(
        "changed_since_written", path=companion.master.name, command=entries[-1]["command"],
        folder=str(companion.snapshots.folder),
    )  # fmt: skip


def _is_unsaved(entry: dict[str, Any], states: _States) -> bool:
    """Whether the master is the file that lay on the disk when a command ran in Excel.

    Then the workbook was closed without saving, and the command is not in effect.
    """
    saved = entry.get("saved")
    return bool(saved) and saved != entry["before"] and states.has(saved)

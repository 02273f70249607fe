"""Receipts of returned files: the rows of TepNhan, and what earlier runs wrote there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change
from xl_theodoi.messages import finding_sentences
from xl_theodoi.operations.companion import sha256_of
from xl_theodoi.operations.ledger import local_time, moment_of, moment_text
from xl_theodoi.operations.memos import pack
from xl_theodoi.operations.rows import labelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from xl_theodoi.operations.master import Master
    from xl_theodoi.operations.memos import Memo
    from xl_theodoi.operations.results import FileVerdict
    from xl_theodoi.operations.returns import Returned

TABLE = "TepNhan"

WHOLE = ("accepted", "superseded")
"""Outcomes of a file in which no row was rejected."""


def reason_sentence(verdict: FileVerdict, labels: Mapping[str, str]) -> str:
    """Return why a file was not taken, for people."""
    found = next((f for f in verdict.findings if f.code == verdict.reason), None)
    if found is None:
        return ""
    place = found.location
    where = f"{place.sheet}!{place.cell}: " if place.sheet and place.cell else ""
    return where + " ".join(finding_sentences(found, labels))


class Receipts:
    """What TepNhan holds, and the rows that this run adds."""

    def __init__(self, master: Master, labels: Mapping[str, str]) -> None:
        self._master = master
        self._labels = labels
        self._known: list[dict[str, Any]] = []
        self._added: list[dict[str, Any]] = []
        self._by_hash: dict[str | None, list[dict[str, Any]]] = {}
        if master.has(TABLE):
            reading = master.reading(TABLE)
            rows = (reading.row(position) for position in range(len(reading)))
            self._known = [row for row in rows if row]
        for row in self._known:
            self._by_hash.setdefault(row.get("sha256"), []).append(row)

    # What earlier runs wrote

    @property
    def fully_accepted(self) -> set[str]:
        """Hashes of files of which every row was accepted."""
        return {
            row["sha256"]
            for row in self._known
            if row.get("outcome") in WHOLE and not row.get("conflict") and row.get("sha256")
        }

    @property
    def corrections(self) -> set[str]:
        """Hashes of the correction workbooks that were made."""
        return {row["correction_sha256"] for row in self._known if row.get("correction_sha256")}

    def newest(self) -> dict[tuple[str, str], datetime]:
        """Return when each unit's newest accepted file of a period was submitted."""
        newest: dict[tuple[str, str], datetime] = {}
        for row in self._known:
            unit = self._master.unit_of(row.get("unit"))
            if unit is not None and row.get("outcome") in ("accepted", "partial"):
                key = (unit.code, row.get("period") or "")
                at = moment_of(row.get("submitted_at"))
                newest[key] = max(at, newest.get(key, at))
        return newest

    def arrived(self) -> set[tuple[str, str]]:
        """Return unit and period of the files of which something was accepted."""
        found = set()
        for row in self._known:
            unit = self._master.unit_of(row.get("unit"))
            taken = any(row.get(name) for name in ("changed", "unchanged", "conflict"))
            if unit is not None and (
                row.get("outcome") in WHOLE or (row.get("outcome") == "partial" and taken)
            ):
                found.add((unit.code, row.get("period") or ""))
        return found

    # What this run adds

    def add(
        self,
        verdict: FileVerdict,
        returned: Returned | None,
        sha256: str | None,
        memos: Sequence[Memo],
        correction: bytes | None,
    ) -> None:
        """Add a file's receipt, unless it would say what one says already.

        Args:
            verdict: What became of the file.
            returned: The file as read, None where it was refused.
            sha256: Hash of the file; None for one that is marked as a secret.
            memos: Submissions that the change log will not have.
            correction: Its correction workbook.
        """
        outcome, rows = verdict.outcome, verdict.rows
        reason = reason_sentence(verdict, self._labels) or None
        correction_sha256 = sha256_of(correction) if correction is not None else None
        same_file = self._by_hash.setdefault(sha256, [])
        is_known = any(
            row.get("outcome") == outcome
            and (outcome != "rejected" or row.get("reason") == reason)
            and (sha256 is not None or row.get("file") == verdict.file.name)
            and (correction is None or row.get("correction_sha256") == correction_sha256)
            for row in same_file
        )
        if is_known and not rows.changed and not memos:
            return
        unit = self._master.units.by_code.get(verdict.unit or "")
        receipt = (
            {
                "received_on": self._master.as_of,
                "file": verdict.file.name,
                "unit": unit.short_name if unit else verdict.unit,
                "period": verdict.period,
                "submitted_on": local_time(returned.submitted_at) if returned else None,
                "submitted_at": moment_text(returned.submitted_at) if returned else None,
                "outcome": outcome,
                "reason": reason,
                "changed": rows.changed,
                "unchanged": rows.unchanged,
                "rejected": rows.rejected,
                "conflict": rows.conflict,
                "correction_file": verdict.correction_file.name if correction is not None
                and verdict.correction_file else None,
                "sha256": sha256,
                "correction_sha256": correction_sha256,
                "data": pack(memos),
            }
        )  # fmt: skip
        self._added.append(receipt)
        same_file.append(receipt)

    def changes(self) -> list[Change]:
        """Return what must change in TepNhan."""
        if not self._added:
            return []
        words = self._master.profile.words["outcome"]
        rows = []
        for row in self._added:
            cells = {**row, "outcome": words[row["outcome"]]}
            if "data" not in self._master.reading(TABLE).labels:
                # A layout of before; `upgrade` adds the column.
                del cells["data"]
            rows.append(labelled(self._master, TABLE, cells))
        return [AppendRows(TABLE, rows)]


def missing_units(
    master: Master,
    verdicts: Sequence[FileVerdict],
    arrived: set[tuple[str, str]],
    period: str | None,
) -> list[str]:
    """Return the units that were sent a workbook and of which nothing was accepted yet.

    Args:
        master: The register.
        verdicts: What became of this run's files.
        arrived: Unit and period of what was accepted in earlier runs.
        period: The period asked for; else that of the files, else the one sent last.
    """
    now = {
        (verdict.unit, verdict.period)
        for verdict in verdicts
        if verdict.outcome in (*WHOLE, "duplicate")
        or (
            verdict.outcome == "partial"
            and verdict.rows.changed + verdict.rows.unchanged + verdict.rows.conflict
        )
    }
    taken = {verdict.period for verdict in verdicts if verdict.outcome != "rejected"}
    named = {verdict.period for verdict in verdicts if verdict.period}
    sent = {row.get("period") for row in master.sendings}
    periods = {period} if period else (taken or named) & sent
    if not periods and master.sendings:
        periods = {master.sendings[-1].get("period")}
    missing = {
        row["unit"]
        for row in master.sendings
        if row.get("period") in periods and (row["unit"], row.get("period")) not in now | arrived
    }
    return [code for code in master.units.by_code if code in missing]

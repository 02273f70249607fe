"""`consolidate`: merge what units sent back, by the rules of the contract (§5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, error, warning
from xl_theodoi.operations.companion import sha256_of
from xl_theodoi.operations.conflicts import ConflictBook
from xl_theodoi.operations.corrections import Corrections
from xl_theodoi.operations.decisions import Decisions
from xl_theodoi.operations.draft import Draft
from xl_theodoi.operations.ledger import Ledger
from xl_theodoi.operations.live import with_formulas
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.outputs import Outputs
from xl_theodoi.operations.pending import read_conflicts
from xl_theodoi.operations.progress import silent, told
from xl_theodoi.operations.receipts import WHOLE, Receipts, missing_units, reason_sentence
from xl_theodoi.operations.register_changes import register_changes
from xl_theodoi.operations.results import ConsolidateResult, FileVerdict, RowCounts
from xl_theodoi.operations.return_files import files_of
from xl_theodoi.operations.returns import (
    RefusedError,
    Returned,
    file_time,
    read_bytes,
    read_returned,
)
from xl_theodoi.operations.row_judge import RowJudge
from xl_theodoi.operations.writing import commit, writes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from xl_theodoi.domain.changes import Change
    from xl_theodoi.domain.periods import Period
    from xl_theodoi.hosts import Host
    from xl_theodoi.operations.progress import Progress
    from xl_theodoi.operations.submissions import JudgedRow

__all__ = ["consolidate", "outcome_word", "reason_sentence"]


@writes("consolidate")
def consolidate(
    host: Host,
    paths: Sequence[Path],
    as_of: date,
    *,
    period: Period | None = None,
    out: Path | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> ConsolidateResult:
    """Merge returned workbooks into a master.

    Args:
        host: The master.
        paths: Files, or folders with their subfolders; none to apply choices only.
        as_of: Day of receipt.
        period: The only period accepted; any that was sent without it.
        out: Folder for correction workbooks; beside the master without it.
        dry_run: Write nothing, anywhere.
        progress: Is told of every file.

    Raises:
        TheodoiError: `nothing_sent`, `input_missing`, or where the master cannot be
            written. A bad returned file is a verdict, never an error.
    """
    master = Master(host, as_of)
    if not _anything_sent(master):
        raise TheodoiError("nothing_sent", path=master.file_name)
    for path in paths:
        if not path.exists():
            raise TheodoiError("input_missing", path=str(path))
    if not dry_run:
        host.ensure_writable()
    with Outputs() as received:
        run = _Run(master, period, out, None if dry_run else received)
        run.read_files(paths, progress)
        run.decide()
        run.finish_files()
        changes = with_formulas(master, run.changes())
        result, corrections = run.result, run.corrections.files
        if dry_run:
            for verdict in result.files:
                verdict.correction_file = None
            return result
        # Writing takes much room of its own: what was read must not stand in its way.
        del run
        master.let_go()
        return _write(master, result, changes, corrections, received)


def _write(
    master: Master,
    result: ConsolidateResult,
    changes: Sequence[Change],
    corrections: Mapping[Path, bytes],
    received: Outputs,
) -> ConsolidateResult:
    """Write the master, the correction workbooks and the received originals."""
    with Outputs() as made:
        for path, data in corrections.items():
            if not path.exists():
                made.add(path, data)
        result.written = [path for path, _ in made.files]
        if changes:
            made.take_over(received)
        if commit(master, "consolidate", changes, made):
            result.parts_changed = master.host.parts_changed
            result.written.insert(0, master.host.path)
    return result


def _anything_sent(master: Master) -> bool:
    if master.sendings or master.companion.has_send_records():
        return True
    return any(value for value in master.register.columns.get("sent_on", ()))


def outcome_word(outcome: str) -> str:
    """Return how people read a file's outcome."""
    from xl_theodoi import resources  # noqa: PLC0415

    return str(resources.table_catalogue()["words"]["outcome"][outcome])


class _Run:
    """One consolidation: files are read, rows judged, values decided, then all is written."""

    def __init__(
        self, master: Master, period: Period | None, out: Path | None, received: Outputs | None
    ) -> None:
        labels = master.labels()
        conflicts, findings = read_conflicts(master)
        self.master = master
        self.period = period.code if period else None
        self.result = ConsolidateResult(dry_run=received is None, labels=labels, findings=findings)
        self.draft = Draft(master)
        self.ledger = Ledger(master)
        self.receipts = Receipts(master, labels)
        self.conflicts = ConflictBook(self.draft, conflicts, labels)
        self.conflicts.apply_choices()
        self.decisions = Decisions(self.draft, self.ledger, self.conflicts)
        self.judge = RowJudge(self.draft, self.ledger)
        self.corrections = Corrections(out or master.host.path.parent, labels)
        self.returned: list[tuple[Returned, FileVerdict]] = []
        self.twins: list[tuple[FileVerdict, Returned, FileVerdict]] = []
        self.hashes: dict[int, str] = {}
        self.received = received
        self.to_correct: dict[str, bytes] = {}
        self.judged: list[JudgedRow] = []

    # Files

    def read_files(self, paths: Sequence[Path], progress: Progress) -> None:
        """Open every file and judge the rows of those that are taken."""
        accepted = self.receipts.fully_accepted
        corrections = self.receipts.corrections
        sent = self.master.companion.sent_hashes()
        no_record = not self.master.companion.has_send_records()
        by_hash: dict[str, tuple[Returned, FileVerdict]] = {}
        files = list(files_of(paths, self.master.host.path))
        for path, is_named in told(files, progress, lambda item: self._called(item[0])):
            verdict = FileVerdict(path)
            try:
                data = read_bytes(path)
            except RefusedError as refusal:
                self._refuse(verdict, refusal)
                continue
            digest = sha256_of(data)
            if digest in corrections or (digest in sent and not is_named):
                continue
            if digest in by_hash:
                first, its_verdict = by_hash[digest]
                if first.is_as_sent:
                    first.submitted_at = min(first.submitted_at, file_time(path))
                self.twins.append((verdict, first, its_verdict))
                self.result.files.append(verdict)
                continue
            self.hashes[id(verdict)] = digest
            try:
                returned, rows = read_returned(path, data, digest, self.master, self.period)
            except RefusedError as refusal:
                self._refuse(verdict, refusal)
                continue
            except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as problem:
                # Whatever a hostile file makes of our reader, it must not stop the others.
                kind = type(problem).__name__
                finding = error(
                    "not_a_workbook", Location(path.name), kind="unreadable", reason=kind
                )
                self._refuse(verdict, RefusedError(finding))
                continue
            if no_record and returned.is_as_sent and not is_named and rows.are_as_sent():
                continue
            self.result.files.append(verdict)
            verdict.unit, verdict.period = returned.unit.code, returned.period
            if digest in accepted:
                verdict.outcome = "duplicate"
                continue
            by_hash[digest] = (returned, verdict)
            self.returned.append((returned, verdict))
            verdict.findings += returned.findings
            self.judged += self.judge.judge(returned, rows, verdict)
            self._keep(data, digest, verdict)

    def _called(self, path: Path) -> str:
        """Return what people call a file: the unit that its name speaks of, where it does."""
        unit = self.master.units.by_code.get(path.name.partition("_")[0])
        return unit.short_name or unit.name if unit is not None else path.name

    def _keep(self, data: bytes, sha256: str, verdict: FileVerdict) -> None:
        """Put a file's bytes where they will stay; in memory only those that are corrected."""
        if verdict.rows.rejected:
            self.to_correct[sha256] = data
        if self.received is not None:
            copy = self.master.companion.received_path(sha256)
            if not copy.exists():
                self.received.add(copy, data)

    def _refuse(self, verdict: FileVerdict, refusal: RefusedError) -> None:
        verdict.outcome, verdict.reason = "rejected", refusal.finding.code
        verdict.unit, verdict.period = refusal.unit, refusal.period
        verdict.findings.append(refusal.finding)
        self.result.files.append(verdict)

    # Outcomes

    def decide(self) -> None:
        """Decide what becomes of every submitted value."""
        self.decisions.decide(self.judged)
        self.result.conflicts = self.conflicts.waiting
        self.result.applied_choices = self.conflicts.applied

    def finish_files(self) -> None:
        """Count rows, name outcomes, make correction workbooks and receipts."""
        submitting = {id(judged.verdict) for judged in self.judged}
        for judged in self.judged:
            rows = judged.verdict.rows
            setattr(rows, judged.state, getattr(rows, judged.state) + 1)
        for returned, verdict, without_reason in self.judge.without_reason:
            for number, position in without_reason:
                self._warn_late(returned, verdict, number, position)
        newest = self._newest()
        for returned, verdict in self.returned:
            rows = verdict.rows
            if rows.rejected:
                verdict.outcome = "partial"
                self.corrections.make(returned, self.to_correct.pop(returned.sha256), verdict)
            elif (
                not rows.changed
                and not rows.conflict
                and id(verdict) in submitting
                and returned.submitted_at < newest[returned.unit.code, returned.period]
            ):
                verdict.outcome = "superseded"
        for twin, returned, first in self.twins:
            self._finish_twin(twin, returned, first)
        self._list_receipts()
        self.result.missing_units = missing_units(
            self.master, self.result.files, self.receipts.arrived(), self.period
        )

    @staticmethod
    def _finish_twin(twin: FileVerdict, returned: Returned, first: FileVerdict) -> None:
        """Give a second copy of a file's bytes its verdict."""
        twin.unit, twin.period = returned.unit.code, returned.period
        rows = first.rows
        if first.outcome in WHOLE and not rows.conflict:
            twin.outcome = "duplicate"
            return
        twin.outcome, twin.correction_file = first.outcome, first.correction_file
        twin.findings = list(first.findings)
        twin.rows = RowCounts(0, rows.changed + rows.unchanged, rows.rejected, rows.conflict)

    def _warn_late(
        self, returned: Returned, verdict: FileVerdict, number: int, position: int
    ) -> None:
        status = self.draft.status_now(position)
        if not status.is_late or not status.counted:
            return
        if self.draft.value(position, "late_reason"):
            return
        verdict.findings.append(
            warning(
                "late_without_reason",
                returned.places.location(number, "late_reason"),
                task_id=self.draft.value(position, "task_id"),
                field="late_reason",
                days=-(status.days_left or 0),
            )
        )

    def _newest(self) -> dict[tuple[str, str], datetime]:
        newest = self.receipts.newest()
        for returned, _ in self.returned:
            key = (returned.unit.code, returned.period)
            newest[key] = max(returned.submitted_at, newest.get(key, returned.submitted_at))
        return newest

    def _list_receipts(self) -> None:
        details = {id(verdict): returned for returned, verdict in self.returned}
        for verdict in self.result.files:
            if verdict.outcome == "duplicate" or any(twin is verdict for twin, *_ in self.twins):
                continue
            # Of a file that is marked as a secret only its place is written down.
            secret = verdict.reason == "secret_marking"
            sha256 = None if secret else self.hashes.get(id(verdict))
            path = verdict.correction_file
            self.receipts.add(
                verdict,
                details.get(id(verdict)),
                sha256,
                self.decisions.memos.get(sha256 or "", ()),
                self.corrections.files.get(path) if path is not None else None,
            )

    # Writing

    def changes(self) -> list[Change]:
        """Return what must change in the master."""
        return [
            *register_changes(self.draft),
            *self.draft.requests.changes(),
            *self.conflicts.changes(),
            *self.receipts.changes(),
            *self.draft.log.changes(),
        ]

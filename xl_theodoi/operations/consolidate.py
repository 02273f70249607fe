"""`consolidate`: merge what units sent back, by the rules of the contract (§5)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import AppendRows, Change, MarkCells, RemoveRows, SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.merge import (
    SITUATION,
    Merge,
    Request,
    Situation,
    merge_value,
    read_return,
    same_value,
    situation_changes,
    situation_of,
)
from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.domain.text import task_key
from xl_theodoi.messages import finding_sentences, printed
from xl_theodoi.operations.companion import SUFFIX, replace_file, sha256_of
from xl_theodoi.operations.ledger import (
    Ledger,
    PendingConflict,
    encode,
    moment_of,
    moment_text,
    read_conflicts,
)
from xl_theodoi.operations.master import REGISTER, Master
from xl_theodoi.operations.refresh import event_changes, history_changes, now_text
from xl_theodoi.operations.results import Conflict, ConsolidateResult, FileVerdict
from xl_theodoi.operations.returns import RefusedError, Returned, Row, read_returned
from xl_theodoi.operations.rows import changed_cells, changed_computed, labelled
from xl_theodoi.operations.send import open_requests
from xl_theodoi.operations.writing import commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.events import Event
    from xl_theodoi.domain.periods import Period
    from xl_theodoi.hosts import Host

CORRECTION_MARK = "_can-sua"
"""End of a correction workbook's name."""

EDITABLE = frozenset(EDITABLE_FIELDS)

_JUNK = {"thumbs.db", "desktop.ini"}


@dataclass(slots=True)
class Submission:
    """One field of one task that a returned file submits."""

    returned: Returned
    verdict: FileVerdict
    row: Row
    position: int
    name: str
    theirs: Any
    base: Any

    @property
    def at(self) -> datetime:
        """When the unit submitted it."""
        return self.returned.submitted_at


@dataclass(slots=True)
class Plan:
    """What a consolidation will write.

    Attributes:
        register: New register values by row position and field.
        log: Rows of the change log.
        conflicts: New rows of XungDot.
        conflict_cells: Cells of XungDot's existing rows.
        superseded_conflicts: Rows of XungDot that a newer submission replaces.
        requests: New rows of DeNghi.
        request_cells: Cells of DeNghi's existing rows.
        withdrawn_requests: Rows of DeNghi that their unit took back.
        receipts: Rows of TepNhan.
    """

    register: dict[int, dict[str, Any]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    conflict_cells: dict[tuple[int, str], Value] = field(default_factory=dict)
    superseded_conflicts: list[int] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    request_cells: dict[tuple[int, str], Value] = field(default_factory=dict)
    withdrawn_requests: list[int] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)


def consolidate(
    host: Host,
    paths: Sequence[Path],
    as_of: date,
    *,
    period: Period | None = None,
    out: Path | None = None,
    dry_run: bool = False,
) -> ConsolidateResult:
    """Merge returned workbooks into a master.

    Args:
        host: The master.
        paths: Files, or folders with their subfolders; none to apply choices only.
        as_of: Day of receipt.
        period: The only period accepted; any that was sent without it.
        out: Folder for correction workbooks; beside the master without it.
        dry_run: Write nothing, anywhere.

    Raises:
        TheodoiError: `nothing_sent`, `input_missing`, or where the master cannot be
            written. A bad returned file is a verdict, never an error.
    """
    master = Master(host, as_of)
    if paths and not _anything_sent(master):
        raise TheodoiError("nothing_sent", path=master.file_name)
    for path in paths:
        if not path.exists():
            raise TheodoiError("input_missing", path=str(path))
    if not dry_run:
        host.ensure_writable()
    run = _Run(master, period, out, dry_run=dry_run)
    run.apply_choices()
    run.read_files(paths)
    run.merge()
    run.finish_files()
    return run.write()


def _anything_sent(master: Master) -> bool:
    if master.sendings or master.companion.has_send_records():
        return True
    return any(value for value in master.register.columns.get("sent_on", ()))


def outcome_word(outcome: str) -> str:
    """Return how people read a file's outcome."""
    from xl_theodoi import resources  # noqa: PLC0415

    return str(resources.table_catalogue()["words"]["outcome"][outcome])


def reason_sentence(verdict: FileVerdict, labels: Mapping[str, str]) -> str:
    """Return why a file was not taken, for people."""
    found = next((f for f in verdict.findings if f.code == verdict.reason), None)
    return " ".join(finding_sentences(found, labels)) if found else ""


class _Run:
    """One consolidation: files are read, submissions gathered, then decided in time order."""

    def __init__(
        self, master: Master, period: Period | None, out: Path | None, *, dry_run: bool
    ) -> None:
        self.master = master
        self.period = period.code if period else None
        self.out = out if out is not None else master.host.path.parent
        self.result = ConsolidateResult(dry_run=dry_run, labels=master.labels())
        self.plan = Plan()
        self.ledger = Ledger(master)
        self.known_conflicts = read_conflicts(master)
        self.returned: list[tuple[Returned, FileVerdict]] = []
        self.submissions: list[Submission] = []
        self.states: dict[int, set[str]] = {}
        self.row_states: dict[tuple[int, int], set[str]] = {}
        self.corrections: dict[Path, bytes] = {}
        self.touched: list[tuple[Returned, FileVerdict, Row, int]] = []

    # Choices made in XungDot

    def apply_choices(self) -> None:
        """Apply the choices that people made in XungDot since the last run."""
        labels = self.master.reading("XungDot").labels if self.master.has("XungDot") else {}
        for conflict in self.known_conflicts:
            if conflict.is_applied or conflict.choice is None:
                continue
            position = self.master.position_of.get(conflict.key)
            if position is None:
                continue
            if conflict.choice == "take_unit":
                unit = self.master.units.by_code.get(conflict.unit)
                self._take(
                    position, conflict.field, conflict.theirs, action="choice",
                    unit=unit.short_name if unit else conflict.unit, at=conflict.at,
                    sha256=conflict.sha256, file=None, cell=None,
                )  # fmt: skip
            self.plan.conflict_cells[conflict.position, labels["applied_on"]] = self.master.as_of
            self.result.applied_choices += 1

    # Files

    def read_files(self, paths: Sequence[Path]) -> None:
        """Open every file and say which are taken."""
        accepted_before = self._fully_accepted()
        skipped = self._own_output()
        for path, explicit in _files(paths, self.master):
            try:
                digest = sha256_of(path.read_bytes()) if path.stat().st_size < 1 << 28 else ""
            except OSError:
                digest = ""
            if digest in skipped and not (explicit and digest not in self._corrections_sent):
                continue
            verdict = FileVerdict(path)
            self.result.files.append(verdict)
            try:
                returned = read_returned(path, self.master, self.period)
            except RefusedError as refusal:
                verdict.outcome, verdict.reason = "rejected", refusal.finding.code
                verdict.unit, verdict.period = refusal.unit, refusal.period
                verdict.findings.append(refusal.finding)
                continue
            verdict.unit, verdict.period = returned.unit.code, returned.period
            if returned.sha256 in accepted_before:
                verdict.outcome = "duplicate"
                continue
            verdict.findings += returned.findings
            self.returned.append((returned, verdict))
            self._gather(returned, verdict)

    def _fully_accepted(self) -> set[str]:
        hashes = set()
        if self.master.has("TepNhan"):
            reading = self.master.reading("TepNhan")
            for position in range(len(reading)):
                row = reading.row(position)
                whole = row.get("outcome") in ("accepted", "superseded")
                if whole and not row.get("conflict") and row.get("sha256"):
                    hashes.add(row["sha256"])
        return hashes

    @property
    def _corrections_sent(self) -> set[str]:
        hashes = set()
        if self.master.has("TepNhan"):
            column = self.master.reading("TepNhan").columns.get("correction_sha256", ())
            hashes.update(value for value in column if value)
        return hashes

    def _own_output(self) -> set[str]:
        return self._corrections_sent | self.master.companion.sent_hashes()

    def _gather(self, returned: Returned, verdict: FileVerdict) -> None:
        """Judge a file's rows and gather what they submit."""
        repeated = Counter(row.key for row in returned.rows if row.key)
        seen: set[str] = set()
        for row in returned.rows:
            position = self._judge_key(returned, verdict, row)
            if position is None:
                continue
            if repeated[row.key] > 1:
                copies = [other for other in returned.rows if other.key == row.key]
                alike = all(_same_row(row, other) for other in copies)
                if row.key in seen:
                    continue
                seen.add(row.key)
                self._report_copies(returned, verdict, copies, alike=alike)
                if not alike:
                    verdict.rows.rejected += 1
                    continue
            self._judge_row(returned, verdict, row, position)
        sent = set(returned.base)
        present = {row.key for row in returned.rows}
        for key in sorted(sent - present):
            verdict.findings.append(
                warning(
                    "missing_row", Location(returned.path.name, returned.reading.table.sheet),
                    task_id=returned.base[key].get("task_id", key),
                )  # fmt: skip
            )

    def _judge_key(
        self, returned: Returned, verdict: FileVerdict, row: Row
    ) -> int | None:
        """Return the register position of a row's task, None where it is not this unit's."""
        where = returned.reading.location(row.position, "task_id")
        task_id = row.values.get("task_id")
        position = self.master.position_of.get(row.key) if row.key else None
        if position is None:
            code = "unknown_task"
        else:
            lead = self.master.unit_of(self.master.register.value(position, "lead_unit"))
            if lead is not None and lead.code == returned.unit.code:
                return position
            code = "other_units_task"
        finding = error(code, where, task_id=task_id, field="task_id", value=task_id or "")
        row.findings.append(finding)
        verdict.findings += row.findings
        verdict.rows.rejected += 1
        return None

    def _report_copies(
        self, returned: Returned, verdict: FileVerdict, copies: Sequence[Row], *, alike: bool
    ) -> None:
        make = warning if alike else error
        for copy in copies:
            finding = make(
                "duplicate_row", returned.reading.location(copy.position, "task_id"),
                task_id=copy.values.get("task_id"), field="task_id",
                value=copy.values.get("task_id"),
            )  # fmt: skip
            copy.findings.append(finding)
            verdict.findings.append(finding)

    def _judge_row(
        self, returned: Returned, verdict: FileVerdict, row: Row, position: int
    ) -> None:
        master = self.master
        base = returned.base.get(row.key)
        current = master.register.row(position)
        if base is None:
            # Nothing is known of what was sent for this task: the master stands in for it.
            base = self._values_now(position)
        locked = [f for f in row.findings if f.field not in EDITABLE]
        row.findings = [f for f in row.findings if f.field in EDITABLE]
        for finding in locked:
            verdict.findings.append(
                warning(
                    "locked_field_changed", finding.location, task_id=finding.task_id,
                    field=finding.field, value=finding.values.get("value", ""),
                    sent=printed(base.get(finding.field or "")),
                )  # fmt: skip
            )
        self._report_locked(returned, verdict, row, base)
        judged = read_return(
            row.values,
            base,
            self.situation(position),
            as_of=master.as_of,
            issue_date=current.get("issue_date"),
            approved=bool(self._status(position).approved),
            where=returned.locations(row),
            task_id=current.get("task_id") or "",
        )
        problems = [
            finding
            for finding in row.findings
            if finding.is_error or finding.code != "duplicate_row"
        ]
        bad_fields = {finding.field for finding in row.findings if finding.is_error}
        new = [f for f in judged.findings if f.field not in bad_fields]
        row.findings += new
        known = {id(finding) for finding in verdict.findings}
        verdict.findings += [
            _with_task(f, current.get("task_id")) for f in (*problems, *new) if id(f) not in known
        ]
        if any(finding.is_error for finding in row.findings):
            verdict.rows.rejected += 1
            return
        state = self.row_states.setdefault((id(verdict), row.position), set())
        self.touched.append((returned, verdict, row, position))
        if not judged.submitted:
            state.add("unchanged")
            return
        for name, theirs in judged.submitted.items():
            self.submissions.append(
                Submission(
                    returned, verdict, row, position, name, theirs, _base_of(name, base)
                )
            )

    def _report_locked(
        self, returned: Returned, verdict: FileVerdict, row: Row, base: Mapping[str, Any]
    ) -> None:
        for name in returned.reading.labels:
            if name in EDITABLE or name == "task_id" or name not in base:
                continue
            if any(f.field == name for f in returned.reading.problems.get(row.position, ())):
                continue
            theirs = row.values.get(name)
            if same_value(theirs, base[name]):
                continue
            verdict.findings.append(
                warning(
                    "locked_field_changed", returned.reading.location(row.position, name),
                    task_id=row.values.get("task_id"), field=name, value=printed(theirs),
                    sent=printed(base[name]),
                )  # fmt: skip
            )

    # The master as it is, with what this run has decided so far

    def _now(self, position: int) -> dict[str, Any]:
        row = self.master.register.row(position)
        row.update(self.plan.register.get(position, {}))
        return row

    def _status(self, position: int) -> Any:
        cache: dict[int, Any] = self.master.__dict__.setdefault("_statuses", {})
        if position not in cache:
            cache[position] = self.master.view(position, self.master.as_of).status
        return cache[position]

    def situation(self, position: int) -> Situation:
        """Return how far a task has come by the master now."""
        row = self._now(position)
        changed = self.plan.register.get(position, {})
        completed = row.get("completed_on")
        if "completed_on" not in changed:
            status = self._status(position)
            completed = completed if status.is_done else None
            if completed is None and status.is_done:
                completed = status.completed_on
        if completed is not None:
            state = Progress.DONE
        elif row.get("first_progress_on") or row.get("progress_date"):
            state = Progress.IN_PROGRESS
        else:
            state = self._status(position).progress
            if state is Progress.DONE:
                state = Progress.IN_PROGRESS
            if "first_progress_on" in changed or "progress_date" in changed:
                state = Progress.NOT_STARTED
        return Situation(state, completed, row.get("progress_date"))

    def _values_now(self, position: int) -> dict[str, Any]:
        situation = self.situation(position)
        return {
            **self._now(position),
            "reported_state": situation.state.value,
            "completed_on": situation.completed_on,
            "progress_date": situation.progress_date,
            "return_reason": None,
        }

    def _ours(self, submission: Submission) -> Any:
        if submission.name == SITUATION:
            return self.situation(submission.position)
        if submission.name in ("extension", "return"):
            return self._request_now(submission)
        return self._now(submission.position).get(submission.name)

    def _request_now(self, submission: Submission) -> Request:
        key = submission.row.key
        found = open_requests(self.master, key).get(submission.name)
        if found is None or self.master.unit_of(found.get("unit")) not in (
            None, submission.returned.unit,
        ):  # fmt: skip
            return Request()
        return Request(found.get("requested_to"), found.get("reason"))

    def _is_units_own(self, submission: Submission, ours: Any) -> bool:
        unit, key = submission.returned.unit.code, submission.row.key
        if submission.name in ("extension", "return"):
            return True
        if submission.name != SITUATION:
            return self.ledger.is_own(unit, key, submission.name, ours)
        base: Situation = submission.base
        return all(
            ours.part(name) == base.part(name)
            or self.ledger.is_own(unit, key, name, ours.part(name))
            for name in ("completed_on", "progress_date")
        )

    # Decisions

    def merge(self) -> None:
        """Decide every submission; of one field's submissions the newest counts."""
        groups: dict[tuple[str, str, str], list[Submission]] = {}
        for submission in self.submissions:
            key = (submission.returned.unit.code, submission.row.key, submission.name)
            groups.setdefault(key, []).append(submission)
        for key, group in groups.items():
            newest = max(submission.at for submission in group)
            last = self._last_moment(key)
            current = [submission for submission in group if submission.at == newest]
            for submission in group:
                if submission not in current or (last is not None and newest < last):
                    self._mark(submission, "unchanged")
            if last is not None and newest < last:
                continue
            first = current[0]
            tied = any(not same_value(first.theirs, other.theirs) for other in current[1:])
            if not tied and last == newest and not self._was_submitted(first):
                tied = True
            if tied:
                for submission in current:
                    self._conflict(submission, self._ours(submission))
                continue
            self._decide(first)
            for other in current[1:]:
                self._mark(other, "unchanged")

    def _last_moment(self, key: tuple[str, str, str]) -> datetime | None:
        unit, task, name = key
        names = {
            SITUATION: ("completed_on", "progress_date"),
            "extension": ("extension_requested_to", "extension_reason"),
            "return": ("return_reason",),
        }.get(name, (name,))
        moments = [
            last.at for part in names if (last := self.ledger.last(unit, task, part)) is not None
        ]
        moments += [
            conflict.at
            for conflict in self.known_conflicts
            if (conflict.unit, conflict.key, conflict.field) == key
        ]
        return max(moments, default=None)

    def _was_submitted(self, submission: Submission) -> bool:
        """Whether the very same value was submitted at the same moment before."""
        if any(self._same_conflict(known, submission) for known in self.known_conflicts):
            return True
        ours = self._ours(submission)
        return same_value(ours, submission.theirs) or any(
            last.sha256 == submission.returned.sha256
            for part in (
                ("completed_on", "progress_date")
                if submission.name == SITUATION
                else (submission.name, "extension_requested_to", "extension_reason")
            )
            if (
                last := self.ledger.last(
                    submission.returned.unit.code, submission.row.key, part
                )
            )
        )

    @staticmethod
    def _same_conflict(known: PendingConflict, submission: Submission) -> bool:
        return (
            known.unit == submission.returned.unit.code
            and known.key == submission.row.key
            and known.field == submission.name
            and known.at == submission.at
            and same_value(known.theirs, submission.theirs)
        )

    def _decide(self, submission: Submission) -> None:
        ours = self._ours(submission)
        known = next((k for k in self.known_conflicts if self._same_conflict(k, submission)), None)
        if known is not None and known.choice is not None:
            # A person has chosen; the same submission does not ask again.
            self._mark(submission, "unchanged")
            return
        decision = merge_value(
            submission.base,
            submission.theirs,
            ours,
            ours_is_units_own=self._is_units_own(submission, ours),
        )
        if decision is Merge.KEEP:
            self._mark(submission, "unchanged")
        elif decision is Merge.CONFLICT:
            self._conflict(submission, ours)
        elif submission.name in ("extension", "return"):
            self._request(submission, ours)
        else:
            changed = self._take(
                submission.position, submission.name, submission.theirs, action="consolidate",
                unit=submission.returned.unit.short_name, at=submission.at,
                sha256=submission.returned.sha256, file=submission.returned.path.name,
                cell=self._cells(submission),
            )  # fmt: skip
            self._mark(submission, "changed" if changed else "unchanged")

    def _cells(self, submission: Submission) -> dict[str, str]:
        locations = submission.returned.locations(submission.row)
        return {
            name: f"{place.sheet}!{place.cell}" for name, place in locations.items()
        }

    def _take(
        self,
        position: int,
        name: str,
        value: Any,
        *,
        action: str,
        unit: str,
        at: datetime,
        sha256: str,
        file: str | None,
        cell: Mapping[str, str] | None,
    ) -> bool:
        """Put a submitted value into the register and leave a line for every field."""
        row = self._now(position)
        changes = situation_changes(value, row) if name == SITUATION else {name: value}
        changed = False
        for field_name, new in changes.items():
            old = row.get(field_name)
            if same_value(old, new):
                continue
            changed = True
            self.plan.register.setdefault(position, {})[field_name] = new
            self.plan.log.append(
                {
                    "at": now_text(),
                    "action": self.master.profile.words["log_action"][action],
                    "file": file,
                    "sha256": sha256,
                    "cell": (cell or {}).get(field_name),
                    "task_id": row.get("task_id"),
                    "field_label": self.master.register.labels.get(field_name, field_name),
                    "old": printed(old) or None,
                    "new": printed(new) or None,
                    "unit": unit,
                    "submitted_at": moment_text(at),
                }
            )
        return changed

    def _request(self, submission: Submission, ours: Request) -> None:
        """Enter, change or withdraw a request in DeNghi."""
        master = self.master
        theirs: Request = submission.theirs
        if same_value(ours.requested_to, theirs.requested_to) and same_value(
            ours.reason, theirs.reason
        ):
            self._mark(submission, "unchanged")
            return
        if self._request_exists(submission):
            self._mark(submission, "unchanged")
            return
        found = open_requests(master, submission.row.key).get(submission.name)
        labels = master.reading("DeNghi").labels
        if not theirs:
            if found is None:
                self._mark(submission, "unchanged")
                return
            self.plan.withdrawn_requests.append(found["position"])
        elif found is not None:
            position = found["position"]
            self.plan.request_cells[position, labels["requested_to"]] = theirs.requested_to
            self.plan.request_cells[position, labels["reason"]] = theirs.reason
            self.plan.request_cells[position, labels["submitted_on"]] = master.as_of
            self.plan.request_cells[position, labels["file"]] = submission.returned.path.name
        else:
            self.plan.requests.append(
                {
                    "task_id": self._now(submission.position).get("task_id"),
                    "unit": submission.returned.unit.short_name,
                    "kind": master.profile.words["request_kind"][submission.name],
                    "requested_to": theirs.requested_to,
                    "reason": theirs.reason,
                    "submitted_on": master.as_of,
                    "period": submission.returned.period,
                    "file": submission.returned.path.name,
                }
            )
        self._log_request(submission, ours, theirs)
        self._mark(submission, "changed")

    def _request_exists(self, submission: Submission) -> bool:
        """Whether the same request was made and decided before."""
        reading = self.master.reading("DeNghi")
        for position in range(len(reading)):
            row = reading.row(position)
            if (
                task_key(row.get("task_id") or "") == submission.row.key
                and row.get("kind") == submission.name
                and row.get("decision")
                and same_value(row.get("requested_to"), submission.theirs.requested_to)
                and same_value(row.get("reason"), submission.theirs.reason)
            ):
                return bool(submission.theirs)
        return False

    def _log_request(self, submission: Submission, ours: Request, theirs: Request) -> None:
        names = (
            (("extension_requested_to", "requested_to"), ("extension_reason", "reason"))
            if submission.name == "extension"
            else (("return_reason", "reason"),)
        )
        cells = self._cells(submission)
        for name, part in names:
            old, new = getattr(ours, part), getattr(theirs, part)
            if same_value(old, new):
                continue
            self.plan.log.append(
                {
                    "at": now_text(),
                    "action": self.master.profile.words["log_action"]["consolidate"],
                    "file": submission.returned.path.name,
                    "sha256": submission.returned.sha256,
                    "cell": cells.get(name),
                    "task_id": self._now(submission.position).get("task_id"),
                    "field_label": self.master.profile.unit_list[name].label,
                    "old": printed(old) or None,
                    "new": printed(new) or None,
                    "unit": submission.returned.unit.short_name,
                    "submitted_at": moment_text(submission.at),
                }
            )

    def _conflict(self, submission: Submission, ours: Any) -> None:
        """List a field that both sides changed; the master keeps its value."""
        master, theirs, base = self.master, submission.theirs, submission.base
        name = submission.name
        shown: tuple[Any, Any, Any] = (ours, theirs, base)
        if name == SITUATION:
            name = theirs.differing_field(ours)
            shown = (ours.part(name), theirs.part(name), base.part(name))
        elif isinstance(theirs, Request):
            name = "extension_requested_to" if submission.name == "extension" else "return_reason"
            part = "requested_to" if submission.name == "extension" else "reason"
            shown = tuple(getattr(value, part) for value in (ours, theirs, base))  # type: ignore[assignment]
        task_id = self._now(submission.position).get("task_id") or ""
        known = next((k for k in self.known_conflicts if self._same_conflict(k, submission)), None)
        if known is not None and known.choice is not None:
            self._mark(submission, "unchanged")
            return
        self._mark(submission, "conflict")
        self.result.conflicts.append(
            Conflict(task_id, name, *shown, submission.returned.path.name)
        )
        if known is not None:
            return
        for older in self.known_conflicts:
            if (
                (older.unit, older.key, older.field)
                == (submission.returned.unit.code, submission.row.key, submission.name)
                and older.choice is None
                and older.at < submission.at
            ):
                self.plan.superseded_conflicts.append(older.position)
        words = master.profile.words["reported_state"]
        printed_values = [
            (words.get(value, value) if name == "reported_state" else printed(value)) or None
            for value in shown
        ]
        label = self.result.labels.get(name, name)
        self.plan.conflicts.append(
            {
                "task_id": task_id,
                "field_label": label,
                "master_value": printed_values[0],
                "unit_value": printed_values[1],
                "base_value": printed_values[2],
                "unit": submission.returned.unit.short_name,
                "period": submission.returned.period,
                "file": submission.returned.path.name,
                "cell": self._cells(submission).get(name),
                "found_on": master.as_of,
                "data": json.dumps(
                    {
                        "field": submission.name,
                        "unit": submission.returned.unit.code,
                        "theirs": encode(theirs),
                        "ours": encode(ours),
                        "at": moment_text(submission.at),
                        "sha256": submission.returned.sha256,
                    },
                    ensure_ascii=False,
                ),
            }
        )

    def _mark(self, submission: Submission, state: str) -> None:
        key = (id(submission.verdict), submission.row.position)
        self.row_states.setdefault(key, set()).add(state)

    # Outcomes

    def finish_files(self) -> None:
        """Count rows, name outcomes, make correction workbooks and receipts."""
        for returned, verdict, row, position in self.touched:
            states = self.row_states[id(verdict), row.position]
            for state in ("conflict", "changed", "unchanged"):
                if state in states:
                    setattr(verdict.rows, state, getattr(verdict.rows, state) + 1)
                    break
            if states - {"unchanged"}:
                self._warn_late(returned, verdict, row, position)
        newer = self._newest_accepted()
        for returned, verdict in self.returned:
            rows = verdict.rows
            if rows.rejected:
                verdict.outcome = "partial"
                self._correct(returned, verdict)
            elif (
                not rows.changed
                and not rows.conflict
                and returned.submitted_at < newer[returned.unit.code, returned.period]
                and any(s.verdict is verdict for s in self.submissions)
            ):
                verdict.outcome = "superseded"
            else:
                verdict.outcome = "accepted"
        self._list_receipts()
        self._list_missing()

    def _warn_late(
        self, returned: Returned, verdict: FileVerdict, row: Row, position: int
    ) -> None:
        values = self._now(position)
        view = self.master.view(position, self.master.as_of, values)
        if view.status is not None and view.status.is_late and not values.get("late_reason"):
            verdict.findings.append(
                warning(
                    "late_without_reason", returned.reading.location(row.position, "late_reason"),
                    task_id=view.task_id, field="late_reason", days=-(view.status.days_left or 0),
                )  # fmt: skip
            )

    def _newest_accepted(self) -> dict[tuple[str, str], datetime]:
        newest: dict[tuple[str, str], datetime] = {}
        for returned, _ in self.returned:
            key = (returned.unit.code, returned.period)
            newest[key] = max(returned.submitted_at, newest.get(key, returned.submitted_at))
        if self.master.has("TepNhan"):
            reading = self.master.reading("TepNhan")
            for position in range(len(reading)):
                row = reading.row(position)
                unit = self.master.unit_of(row.get("unit"))
                if unit is None or row.get("outcome") not in ("accepted", "partial"):
                    continue
                key = (unit.code, row.get("period") or "")
                if key in newest:
                    newest[key] = max(newest[key], moment_of(row.get("submitted_at")))
        return newest

    def _correct(self, returned: Returned, verdict: FileVerdict) -> None:
        """Make the unit's own file with the wrong cells coloured and a note on each."""
        from xl_theodoi.workbook.edit import edit_bytes  # noqa: PLC0415

        notes: dict[str, dict[str, list[str]]] = {}
        for finding in verdict.findings:
            place = finding.location
            if finding.is_error and place.sheet and place.cell:
                note = " ".join(finding_sentences(finding, self.result.labels))
                cell = notes.setdefault(place.sheet, {}).setdefault(place.cell, [])
                if note not in cell:
                    cell.append(note)
        changes: list[Change] = [
            MarkCells(sheet, {cell: "\n".join(lines) for cell, lines in cells.items()})
            for sheet, cells in notes.items()
        ]
        try:
            data, _ = edit_bytes(returned.data, changes, file=returned.path.name)
        except TheodoiError as problem:
            verdict.findings.append(
                warning("correction_impossible", Location(returned.path.name), reason=problem.code)
            )
            return
        path = self._correction_path(returned, data)
        self.corrections[path] = data
        verdict.correction_file = path

    def _correction_path(self, returned: Returned, data: bytes) -> Path:
        stem = f"{returned.unit.code}_{returned.period}{CORRECTION_MARK}"
        number = 1
        while True:
            name = f"{stem}.xlsx" if number == 1 else f"{stem}-{number}.xlsx"
            path = self.out / name
            if self.corrections.get(path, data) == data and (
                not path.exists() or path.read_bytes() == data
            ):
                return path
            number += 1

    def _list_receipts(self) -> None:
        master = self.master
        known = set()
        if master.has("TepNhan"):
            reading = master.reading("TepNhan")
            for position in range(len(reading)):
                row = reading.row(position)
                known.add(
                    (row.get("sha256"), row.get("outcome"), row.get("changed"),
                     row.get("rejected"), row.get("conflict"))
                )  # fmt: skip
        details = {id(verdict): returned for returned, verdict in self.returned}
        for verdict in self.result.files:
            returned = details.get(id(verdict))
            if verdict.outcome == "duplicate":
                continue
            rows = verdict.rows
            digest = returned.sha256 if returned else self._digest_of_refused(verdict)
            entry = (digest, verdict.outcome, rows.changed, rows.rejected, rows.conflict)
            seen_before = any(item[0] == digest and item[1] == verdict.outcome for item in known)
            if entry in known or (seen_before and not rows.changed):
                continue
            unit = master.units.by_code.get(verdict.unit or "")
            correction = verdict.correction_file
            self.plan.receipts.append(
                {
                    "received_on": master.as_of,
                    "file": verdict.file.name,
                    "unit": unit.short_name if unit else verdict.unit,
                    "period": verdict.period,
                    "submitted_at": moment_text(returned.submitted_at) if returned else None,
                    "outcome": master.profile.words["outcome"][verdict.outcome],
                    "reason": reason_sentence(verdict, self.result.labels) or None,
                    "changed": rows.changed,
                    "unchanged": rows.unchanged,
                    "rejected": rows.rejected,
                    "conflict": rows.conflict,
                    "correction_file": correction.name if correction else None,
                    "sha256": digest,
                    "correction_sha256": (
                        sha256_of(self.corrections[correction]) if correction else None
                    ),
                }
            )

    @staticmethod
    def _digest_of_refused(verdict: FileVerdict) -> str:
        try:
            return sha256_of(verdict.file.read_bytes())
        except OSError:
            return ""

    def _list_missing(self) -> None:
        """Name the units that were sent a workbook and of which nothing was accepted yet."""
        master = self.master
        arrived = {
            (verdict.unit, verdict.period)
            for verdict in self.result.files
            if verdict.outcome in ("accepted", "partial", "duplicate", "superseded")
        }
        if master.has("TepNhan"):
            reading = master.reading("TepNhan")
            for position in range(len(reading)):
                row = reading.row(position)
                unit = master.unit_of(row.get("unit"))
                if unit is not None and row.get("outcome") in ("accepted", "partial", "superseded"):
                    arrived.add((unit.code, row.get("period")))
        periods = {self.period} if self.period else {v.period for v in self.result.files}
        if not periods - {None} and master.sendings:
            periods = {master.sendings[-1].get("period")}
        missing = [
            sent["unit"]
            for sent in master.sendings
            if sent.get("period") in periods and (sent["unit"], sent.get("period")) not in arrived
        ]
        order = list(master.units.by_code)
        known = [code for code in order if code in set(missing)]
        self.result.missing_units = known

    # Writing

    def write(self) -> ConsolidateResult:
        """Write the master, the correction workbooks and the received originals."""
        changes = self._changes()
        result, master = self.result, self.master
        if result.dry_run:
            for verdict in result.files:
                verdict.correction_file = None
            return result
        written: list[Path] = []
        for path, data in self.corrections.items():
            if not path.exists():
                replace_file(path, data)
                written.append(path)
        try:
            if commit(master, "consolidate", changes):
                result.parts_changed = master.host.parts_changed
                written.insert(0, master.host.path)
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            raise
        if changes:
            for returned, _ in self.returned:
                master.companion.keep_received(returned.sha256, returned.data)
        result.written = written
        return result

    def _changes(self) -> list[Change]:
        master, plan = self.master, self.plan
        cells: dict[tuple[int, str], Value] = {}
        new_events: list[Event] = []
        old_events: list[Event] = []
        for position, changed in plan.register.items():
            row = self._now(position)
            cells.update(changed_cells(master, position, changed))
            known = master.events.get(task_key(row.get("task_id") or ""), ())
            new, old = history_changes(row, known)
            new_events += new
            old_events += old
            cells.update(changed_computed(master, master.view(position, master.as_of, row)))
        changes: list[Change] = []
        if cells:
            changes.append(SetCells(REGISTER, cells))
        changes += event_changes(master, new_events, old_events)
        for table, set_cells, removed, rows in (
            ("DeNghi", plan.request_cells, plan.withdrawn_requests, plan.requests),
            ("XungDot", plan.conflict_cells, plan.superseded_conflicts, plan.conflicts),
            ("TepNhan", {}, [], plan.receipts),
            ("NhatKy", {}, [], plan.log),
        ):
            if set_cells:
                changes.append(SetCells(table, set_cells))
            if removed:
                changes.append(RemoveRows(table, sorted(set(removed))))
            if rows:
                changes.append(AppendRows(table, [labelled(master, table, row) for row in rows]))
        return changes


def _with_task(finding: Finding, task_id: str | None) -> Finding:
    return finding if finding.task_id else replace(finding, task_id=task_id)


def _base_of(name: str, base: Mapping[str, Any]) -> Any:
    if name == SITUATION:
        return situation_of(base)
    if name == "extension":
        return Request(base.get("extension_requested_to"), base.get("extension_reason"))
    if name == "return":
        return Request(None, base.get("return_reason"))
    return base.get(name)


def _same_row(one: Row, other: Row) -> bool:
    names = {*one.values, *other.values}
    alike = all(same_value(one.values.get(name), other.values.get(name)) for name in names)
    problems = [
        [(f.code, f.field, f.values.get("value")) for f in row.findings if f.code != "duplicate_row"]
        for row in (one, other)
    ]
    return alike and problems[0] == problems[1]


def _files(paths: Sequence[Path], master: Master) -> Iterator[tuple[Path, bool]]:
    """Yield the files to look at, and whether each was named itself, in a steady order."""
    seen: set[Path] = set()
    own = master.host.path.resolve()
    for path in paths:
        candidates = [path] if path.is_file() else sorted(path.rglob("*"))
        for candidate in candidates:
            explicit = candidate is path
            if not candidate.is_file() or _is_hidden(candidate, path):
                continue
            resolved = candidate.resolve()
            if resolved in seen or resolved == own:
                continue
            if any(part.endswith(SUFFIX) for part in candidate.relative_to(
                path.parent if explicit else path
            ).parts[:-1]):
                continue
            seen.add(resolved)
            yield candidate, explicit


def _is_hidden(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts if path != root else (path.name,)
    return any(
        part.startswith((".", "~$")) or part.casefold() in _JUNK or part == "__MACOSX"
        for part in parts
    )

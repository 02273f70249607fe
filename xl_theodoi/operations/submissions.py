"""The rows of a returned workbook: judged one by one, and what they submit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.merge import (
    SITUATION,
    Request,
    read_return,
    same_value,
    situation_of,
)
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.messages import printed
from xl_theodoi.operations.draft import Source
from xl_theodoi.operations.returns import doubtful_marks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.ledger import Ledger
    from xl_theodoi.operations.results import FileVerdict
    from xl_theodoi.operations.returns import Returned, Row

EDITABLE = frozenset(EDITABLE_FIELDS)

CHANGED, UNCHANGED, CONFLICT = "changed", "unchanged", "conflict"


@dataclass(slots=True, eq=False)
class JudgedRow:
    """A row that is not rejected.

    Attributes:
        returned: Its file.
        verdict: What becomes of the file.
        row: As read.
        position: Of its task, in the register.
        states: What became of each of its fields.
    """

    returned: Returned
    verdict: FileVerdict
    row: Row
    position: int
    states: set[str] = field(default_factory=set)
    _source: Source | None = None

    @property
    def source(self) -> Source:
        """Where its values come from, for the change log."""
        if self._source is None:
            self._source = Source(
                self.returned.unit,
                self.returned.submitted_at,
                self.returned.sha256,
                self.returned.path.name,
                self.returned.period,
                partial(self.returned.address, self.row),
            )
        return self._source

    @property
    def state(self) -> str:
        """How the row counts: a conflict before a change before nothing."""
        return next(s for s in (CONFLICT, CHANGED, UNCHANGED) if s in self.states or s == UNCHANGED)


@dataclass(slots=True, eq=False)
class Submission:
    """One field of one task that a returned file submits.

    Attributes:
        judged: Its row.
        name: Field; `reported_state` for a `Situation`, `extension` or `return` for a
            `Request`.
        theirs: The value that came back.
        base: The value that was sent.
        is_default: Whether its day of progress was given by us.
    """

    judged: JudgedRow
    name: str
    theirs: Any
    base: Any
    is_default: bool = False

    @property
    def at(self) -> datetime:
        """When the unit submitted it."""
        return self.judged.returned.submitted_at

    @property
    def unit(self) -> str:
        """Code of the unit."""
        return self.judged.returned.unit.code

    @property
    def key(self) -> str:
        """Key of the task."""
        return self.judged.row.key

    @property
    def position(self) -> int:
        """Row of the task in the register."""
        return self.judged.position

    @property
    def group(self) -> tuple[str, str, str]:
        """Unit, task and field: of one group's submissions the newest counts."""
        return self.unit, self.key, self.name

    def mark(self, state: str) -> None:
        """Note what became of it."""
        self.judged.states.add(state)


class RowJudge:
    """Judges the rows of returned workbooks against what was sent."""

    def __init__(self, draft: Draft, ledger: Ledger) -> None:
        self._draft = draft
        self._master = draft.master
        self._ledger = ledger

    def judge(
        self, returned: Returned, verdict: FileVerdict
    ) -> tuple[list[JudgedRow], list[Submission]]:
        """Judge a file's rows; rejected ones are counted and reported in its verdict."""
        judged: list[JudgedRow] = []
        submissions: list[Submission] = []
        repeated = Counter(row.key for row in returned.rows if row.key)
        seen: set[str] = set()
        for row in returned.rows:
            position = self._position(returned, verdict, row)
            if position is None:
                continue
            if repeated[row.key] > 1:
                if row.key in seen:
                    continue
                seen.add(row.key)
                copies = [other for other in returned.rows if other.key == row.key]
                alike = all(_same_row(row, other) for other in copies)
                _report_copies(returned, verdict, copies, alike=alike)
                if not alike:
                    verdict.rows.rejected += 1
                    continue
            found, submitted = self._row(returned, verdict, row, position)
            if found is not None:
                judged.append(found)
                submissions += submitted
        _report_missing(returned, verdict)
        return judged, submissions

    def _position(self, returned: Returned, verdict: FileVerdict, row: Row) -> int | None:
        """Return the register position of a row's task, None where it is not this unit's."""
        position = self._master.position_of.get(row.key) if row.key else None
        code = "unknown_task"
        if position is not None:
            lead = self._master.unit_of(self._master.register.value(position, "lead_unit"))
            if lead is not None and lead.code == returned.unit.code:
                return position
            if is_untouched(returned, row):
                # Sent to this unit and since given to another; it reports nothing of it.
                verdict.rows.unchanged += 1
                return None
            code = "other_units_task"
        where = returned.reading.location(row.position, "task_id")
        task_id = row.values.get("task_id")
        finding = error(code, where, task_id=task_id, field="task_id", value=task_id or "")
        verdict.findings += [finding, *(_with_task(f, task_id) for f in row.findings)]
        verdict.rows.rejected += 1
        return None

    def _row(
        self, returned: Returned, verdict: FileVerdict, row: Row, position: int
    ) -> tuple[JudgedRow | None, list[Submission]]:
        draft, as_of = self._draft, self._master.as_of
        current = draft.row(position)
        task_id = current.get("task_id") or ""
        base = returned.base.get(row.key)
        if base is None:
            # Nothing is known of what was sent for this task: the master stands in for it.
            base = draft.values(position)
        _report_locked(returned, verdict, row, base)
        problems = [_with_task(f, task_id) for f in row.findings if f.field in EDITABLE]
        situation = draft.situation(position)
        read = read_return(
            row.values,
            base,
            as_of=as_of,
            progress_default=self._progress_default(returned, row, situation.progress_date),
            issue_date=current.get("issue_date"),
            approved=draft.status(position).approved,
            where=partial(returned.place, row),
            task_id=task_id,
        )
        unread = {finding.field for finding in problems}
        problems += [finding for finding in read.findings if finding.field not in unread]
        problems += doubtful_marks(returned, row)
        verdict.findings += problems
        if any(finding.is_error for finding in problems):
            verdict.rows.rejected += 1
            return None, []
        judged = JudgedRow(returned, verdict, row, position)
        return judged, [
            Submission(
                judged, name, theirs, base_of(name, base), read.is_default and name == SITUATION
            )
            for name, theirs in read.submitted.items()
        ]

    def _progress_default(self, returned: Returned, row: Row, known: date | None) -> date:
        """Return the day of progress for a report without one.

        The day of receipt, once: a day that was given so before stays, and so does one that
        the Office has typed in.
        """
        unit, key = returned.unit.code, row.key
        if known is None:
            return self._master.as_of
        given = self._ledger.was_default(unit, key, known)
        if given or not self._ledger.is_own(unit, key, "progress_date", known):
            return known
        return self._master.as_of


def base_of(name: str, base: Mapping[str, Any]) -> Any:
    """Return the value that was sent, for a field as submitted."""
    if name == SITUATION:
        return situation_of(base)
    if name == "extension":
        return Request(base.get("extension_requested_to"), base.get("extension_reason"))
    if name == "return":
        return Request(None, base.get("return_reason"))
    return base.get(name)


def _with_task(finding: Finding, task_id: str | None) -> Finding:
    return finding if finding.task_id else replace(finding, task_id=task_id)


def is_untouched(returned: Returned, row: Row) -> bool:
    """Whether a unit has left every cell of a row that it may write as it was sent."""
    base = returned.base.get(row.key)
    return (
        base is not None
        and not any(finding.field in EDITABLE for finding in row.findings)
        and all(same_value(row.values.get(name), base.get(name)) for name in EDITABLE_FIELDS)
    )


def is_as_sent(returned: Returned) -> bool:
    """Whether a workbook holds what was sent and nothing else."""
    return all(is_untouched(returned, row) for row in returned.rows)


def _same_row(one: Row, other: Row) -> bool:
    names = {*one.values, *other.values}
    alike = all(same_value(one.values.get(name), other.values.get(name)) for name in names)
    problems = [
        [(f.code, f.field, f.values.get("value")) for f in row.findings] for row in (one, other)
    ]
    return alike and problems[0] == problems[1]


def _report_copies(
    returned: Returned, verdict: FileVerdict, copies: Sequence[Row], *, alike: bool
) -> None:
    make = warning if alike else error
    for copy in copies:
        task_id = copy.values.get("task_id")
        where = returned.reading.location(copy.position, "task_id")
        verdict.findings.append(
            make("duplicate_row", where, task_id=task_id, field="task_id", value=task_id)
        )


def _report_missing(returned: Returned, verdict: FileVerdict) -> None:
    where = Location(returned.path.name, returned.reading.table.sheet)
    present = {row.key for row in returned.rows}
    for key, base in returned.base.items():
        if key not in present:
            verdict.findings.append(warning("missing_row", where, task_id=base.get("task_id", key)))


def _report_locked(
    returned: Returned, verdict: FileVerdict, row: Row, base: Mapping[str, Any]
) -> None:
    """Say which locked fields a unit has changed; the change itself is ignored."""
    reading = returned.reading
    unread = {finding.field for finding in row.findings}
    for name, label in reading.labels.items():
        if name in EDITABLE or name == "task_id":
            continue
        theirs, sent = row.values.get(name), base.get(name)
        if name not in unread and same_value(theirs, sent):
            continue
        shown = reading.table.value(row.position, label) if name in unread else theirs
        verdict.findings.append(
            warning(
                "locked_field_changed",
                reading.location(row.position, name),
                task_id=row.values.get("task_id"),
                field=name,
                value=printed(shown),
                sent=printed(sent),
            )
        )

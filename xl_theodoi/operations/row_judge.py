"""Judges the rows of returned workbooks against what was sent.

The rules are those of `read_return`, for one row. Rows that are as sent, and rows that are
in no doubt and change only plain fields, are told by their columns (`plain_rows`); every
other row is judged here by itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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
from xl_theodoi.operations.plain_rows import PlainRows
from xl_theodoi.operations.returns import is_doubtful
from xl_theodoi.operations.submissions import JudgedRow, Submitting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.ledger import Ledger
    from xl_theodoi.operations.results import FileVerdict
    from xl_theodoi.operations.returned_rows import ReturnedRows, Row
    from xl_theodoi.operations.returns import Returned

EDITABLE = frozenset(EDITABLE_FIELDS)


class RowJudge:
    """Judges returned files one by one.

    Attributes:
        without_reason: Rows that were not rejected and give no reason for being late: file,
            verdict, number in the list and position in the register.
    """

    def __init__(self, draft: Draft, ledger: Ledger) -> None:
        self._draft = draft
        self._master = draft.master
        self._ledger = ledger
        self._plain = PlainRows(draft)
        self.without_reason: list[tuple[Returned, FileVerdict, list[tuple[int, int]]]] = []

    def judge(
        self, returned: Returned, rows: ReturnedRows, verdict: FileVerdict
    ) -> list[JudgedRow]:
        """Judge a file's rows; rejected ones are counted and reported in its verdict."""
        file = _File(returned, rows, verdict)
        judged: list[JudgedRow] = []
        without_reason: list[tuple[int, int]] = []
        seen: set[str] = set()
        positions, lead_codes = self._master.position_of, self._master.lead_codes
        unit = returned.unit.code
        reasons = rows.reading.columns.get("late_reason")
        for number in rows.numbers:
            key = rows.keys[number]
            place = positions.get(key) if key else None
            if (
                place is not None
                and lead_codes[place] == unit
                and number not in rows.doubtful
                and key not in file.repeated
            ):
                names = rows.differing.get(number)
                fields = self._plain.judge(rows, number, place, names) if names else []
                if fields is not None:
                    if fields:
                        judged.append(JudgedRow(returned, verdict, key, number, place, fields))
                    else:
                        verdict.rows.unchanged += 1
                    if not (
                        rows.value(number, "late_reason") if reasons is None else reasons[number]
                    ):
                        without_reason.append((number, place))
                    continue
            row = rows.row(number)
            position = self._position(file, row)
            if position is None:
                continue
            if key in file.repeated:
                if key in seen:
                    continue
                seen.add(key)
                if not _judge_copies(file, key):
                    verdict.rows.rejected += 1
                    continue
            submitted = self._row(file, row, position)
            if submitted is None:
                continue
            if submitted:
                judged.append(JudgedRow(returned, verdict, key, number, position, submitted))
            else:
                verdict.rows.unchanged += 1
            if not row.values.get("late_reason"):
                without_reason.append((number, position))
        self.without_reason.append((returned, verdict, without_reason))
        _report_missing(file)
        return judged

    def _position(self, file: _File, row: Row) -> int | None:
        """Return the register position of a row's task, None where it is not this unit's."""
        position = self._master.position_of.get(row.key) if row.key else None
        code = "unknown_task"
        if position is not None:
            if self._master.lead_codes[position] == file.returned.unit.code:
                return position
            if file.rows.is_untouched(row.number):
                # Sent to this unit and since given to another; it reports nothing of it.
                file.verdict.rows.unchanged += 1
                return None
            code = "other_units_task"
        where = file.rows.places.location(row.number, "task_id")
        task_id = row.values.get("task_id")
        finding = error(code, where, task_id=task_id, field="task_id", value=task_id or "")
        file.verdict.findings += [finding, *(_with_task(f, task_id) for f in row.findings)]
        file.verdict.rows.rejected += 1
        return None

    def _row(self, file: _File, row: Row, position: int) -> list[Submitting] | None:
        """Return what a row submits, None where it is rejected."""
        draft, as_of, verdict = self._draft, self._master.as_of, file.verdict
        current = draft.row(position)
        task_id = current.get("task_id") or ""
        base = file.rows.sent.row(row.key)
        if base is None:
            # Nothing is known of what was sent for this task: the master stands in for it.
            base = draft.values(position)
        _report_locked(file, row, base)
        problems = [_with_task(f, task_id) for f in row.findings if f.field in EDITABLE]
        situation = draft.situation(position)
        read = read_return(
            row.values,
            base,
            as_of=as_of,
            progress_default=self._progress_default(file, row, situation.progress_date),
            issue_date=current.get("issue_date"),
            approved=draft.status(position).approved,
            where=partial(file.rows.places.location, row.number),
            task_id=task_id,
        )
        unread = {finding.field for finding in problems}
        problems += [finding for finding in read.findings if finding.field not in unread]
        problems += _doubtful_marks(file, row)
        verdict.findings += problems
        if any(finding.is_error for finding in problems):
            verdict.rows.rejected += 1
            return None
        return [
            Submitting(name, theirs, base_of(name, base), read.is_default and name == SITUATION)
            for name, theirs in read.submitted.items()
        ]

    def _progress_default(self, file: _File, row: Row, known: date | None) -> date:
        """Return the day of progress for a report without one.

        The day of receipt, once: a day that was given so before stays, and so does one that
        the Office has typed in.
        """
        unit, key = file.returned.unit.code, row.key
        if known is None:
            return self._master.as_of
        given = self._ledger.was_default(unit, key, known)
        if given or not self._ledger.is_own(unit, key, "progress_date", known):
            return known
        return self._master.as_of


class _File:
    """A returned file while its rows are judged.

    Attributes:
        returned: The file.
        rows: Its rows.
        verdict: What becomes of it.
        repeated: Task keys that several rows have.
    """

    def __init__(self, returned: Returned, rows: ReturnedRows, verdict: FileVerdict) -> None:
        self.returned = returned
        self.rows = rows
        self.verdict = verdict
        keys = [key for number in rows.numbers if (key := rows.keys[number])]
        self.present = set(keys)
        counts = Counter(keys) if len(self.present) < len(keys) else {}
        self.repeated = {key for key, count in counts.items() if count > 1}


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


def _judge_copies(file: _File, key: str) -> bool:
    """Report the rows of one task, and return whether they all say the same."""
    rows = file.rows
    copies = [rows.row(number) for number in rows.numbers if rows.keys[number] == key]
    alike = all(_is_same_row(copies[0], other) for other in copies)
    _report_copies(file, copies, alike=alike)
    return alike


def _is_same_row(one: Row, other: Row) -> bool:
    names = {*one.values, *other.values}
    alike = all(same_value(one.values.get(name), other.values.get(name)) for name in names)
    problems = [
        [(f.code, f.field, f.values.get("value")) for f in row.findings] for row in (one, other)
    ]
    return alike and problems[0] == problems[1]


def _report_copies(file: _File, copies: Sequence[Row], *, alike: bool) -> None:
    make = warning if alike else error
    for copy in copies:
        task_id = copy.values.get("task_id")
        where = file.rows.places.location(copy.number, "task_id")
        file.verdict.findings.append(
            make("duplicate_row", where, task_id=task_id, field="task_id", value=task_id)
        )


def _report_missing(file: _File) -> None:
    sent = file.rows.sent
    where = Location(file.returned.path.name, file.rows.places.sheet)
    for key in sent.keys:
        if key not in file.present:
            row = sent.row(key) or {}
            task_id = row.get("task_id", key)
            file.verdict.findings.append(warning("missing_row", where, task_id=task_id))


def _report_locked(file: _File, row: Row, base: Mapping[str, Any]) -> None:
    """Say which locked fields a unit has changed; the change itself is ignored."""
    reading = file.rows.reading
    unread = {finding.field for finding in row.findings}
    for name, label in reading.labels.items():
        if name in EDITABLE or name == "task_id":
            continue
        theirs, sent = row.values.get(name), base.get(name)
        if name not in unread and same_value(theirs, sent):
            continue
        shown = reading.table.value(row.number, label) if name in unread else theirs
        file.verdict.findings.append(
            warning(
                "locked_field_changed",
                file.rows.places.location(row.number, name),
                task_id=row.values.get("task_id"),
                field=name,
                value=printed(shown),
                sent=printed(sent),
            )
        )


def _doubtful_marks(file: _File, row: Row) -> list[Finding]:
    """Return a warning for each cell the unit wrote whose words may speak of a secret."""
    base = file.rows.sent.row(row.key) or {}
    return [
        warning(
            "secret_marking",
            file.rows.places.location(row.number, name),
            task_id=row.values.get("task_id"),
            field=name,
        )
        for name in EDITABLE_FIELDS
        if name in file.rows.reading.labels
        and not same_value(row.values.get(name), base.get(name))
        and is_doubtful(row.values.get(name))
    ]

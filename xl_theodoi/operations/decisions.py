"""What becomes of each submitted value: taken, kept, or a conflict (contract §5, rules 1 and 5).

Submissions of one unit for one field of one task count in the order in which the unit made
them, whatever the order of files and however many runs it took. Of those at hand the newest
is decided; the ledger tells what came before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.dates import read_date
from xl_theodoi.domain.intake import split_list
from xl_theodoi.domain.merge import (
    REQUESTS,
    SITUATION,
    Merge,
    Request,
    Situation,
    merge_value,
    same_value,
)
from xl_theodoi.domain.model import Progress
from xl_theodoi.messages import printed
from xl_theodoi.operations.draft import Source
from xl_theodoi.operations.ledger import LONG_AGO, Submitted
from xl_theodoi.operations.memos import PARTS, SAME, Memo, parts_of
from xl_theodoi.operations.plain_decisions import PlainDecisions
from xl_theodoi.operations.submissions import CHANGED, UNCHANGED, JudgedRow, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from xl_theodoi.operations.conflicts import ConflictBook
    from xl_theodoi.operations.draft import Draft
    from xl_theodoi.operations.ledger import Ledger


class Decisions:
    """Decides submissions one field at a time and keeps what must be written.

    Attributes:
        memos: What receipts must keep, by hash of the file.
    """

    def __init__(
        self,
        draft: Draft,
        ledger: Ledger,
        conflicts: ConflictBook,
    ) -> None:
        self._draft = draft
        self._master = draft.master
        self._ledger = ledger
        self._conflicts = conflicts
        self.memos: dict[str, list[Memo]] = {}

    # The master as it is now

    def _ours(self, submission: Submission) -> Any:
        position, name = submission.position, submission.name
        if name == SITUATION:
            return self._draft.situation(position)
        if name in REQUESTS:
            unit = submission.judged.returned.unit
            return self._draft.requests.now(submission.key, name, unit)
        return self._draft.row(position).get(name)

    def _is_units_own(self, submission: Submission, ours: Any) -> bool:
        """Whether the master's value is what this unit itself last submitted."""
        unit, key, name = submission.group
        if name in REQUESTS:
            return True
        if name != SITUATION:
            return self._ledger.is_own(unit, key, name, ours)
        base: Situation = submission.base
        return all(
            ours.part(part) == base.part(part)
            or self._ledger.is_own(unit, key, part, ours.part(part))
            for part in PARTS[SITUATION]
        )

    # Decisions

    def decide(self, rows: Sequence[JudgedRow]) -> None:
        """Decide everything that rows submit, in their order."""
        files: dict[str, set[str]] = {}
        for row in rows:
            files.setdefault(row.returned.unit.code, set()).add(row.returned.sha256)
        groups: dict[tuple[str, str, str], list[Submission]] = {}
        several = {unit for unit, hashes in files.items() if len(hashes) > 1}
        for row in rows:
            if row.returned.unit.code in several:
                for submission in _submissions(row):
                    groups.setdefault(submission.group, []).append(submission)
        plain = PlainDecisions(self._draft, self._ledger, self._conflicts)
        for row in rows:
            unit = row.returned.unit.code
            for field in row.fields:
                if unit in several:
                    group = groups.pop((unit, row.key, field.name), None)
                else:
                    state = plain.decide(row, field)
                    if state is not None:
                        if field.is_default or state is UNCHANGED:
                            self._remember(Submission(row, *field))
                        continue
                    group = [Submission(row, *field)]
                if group is not None:
                    self._decide_group(group)
        self._conflicts.list_older()

    def _decide_group(self, group: list[Submission]) -> None:
        """Decide one field's submissions, the newest first."""
        key = group[0].group
        last = self._last_moment(key)
        decided = False
        tie: tuple[list[Submission], list[Submitted]] | None = None
        for at in sorted({submission.at for submission in group}, reverse=True):
            equal = [submission for submission in group if submission.at == at]
            first = equal[0]
            is_old = last is not None and at < last
            if decided or (is_old and not self._is_below_tie(key, at)):
                for submission in equal:
                    self._remember(submission, is_taken=False)
                    submission.mark(UNCHANGED)
                continue
            earlier = self._earlier_equal(equal) if at == last else []
            if (
                earlier
                or any(not same_value(first.theirs, other.theirs) for other in equal[1:])
                or any(
                    conflict.at == at and not same_value(conflict.theirs, first.theirs)
                    for conflict in self._conflicts.of(key)
                )
            ):
                # Equal moments: nobody can say which counts; what came before them does.
                if tie is None:
                    self._conflicts.drop_older(key, at)
                    tie = (equal, earlier)
                else:
                    for submission in equal:
                        submission.mark(UNCHANGED)
                decided = at == last
                continue
            decided = True
            if tie or is_old:
                self._decide_below(equal)
            elif at == last and self._was_taken(equal):
                for submission in equal:
                    submission.mark(UNCHANGED)
            else:
                self._conflicts.drop_older(key, at)
                self._decide(equal)
        self._first_progress(group)
        if tie is not None:
            self._tie(*tie)

    def _was_taken(self, equal: list[Submission]) -> bool:
        """Whether the very submission was taken before: what the Office did since stands."""
        unit, key, name = equal[0].group
        hashes = {submission.judged.returned.sha256 for submission in equal}
        return any(
            entry.is_taken and entry.at == equal[0].at and entry.sha256 in hashes
            for part in PARTS.get(name, (name,))
            for entry in self._ledger.entries(unit, key, part)
        )

    def _is_below_tie(self, group: tuple[str, str, str], at: datetime) -> bool:
        """Whether all that is newer are equal moments that wait for a choice."""
        waiting = [c for c in self._conflicts.of(group) if c.choice is None and c.at > at]
        if len(waiting) < 2:
            return False
        hashes = {conflict.sha256 for conflict in waiting}
        unit, key, name = group
        return not any(
            entry.is_taken and entry.at > at and entry.sha256 not in hashes
            for part in PARTS.get(name, (name,))
            for entry in self._ledger.entries(unit, key, part)
        )

    def _last_moment(self, group: tuple[str, str, str]) -> datetime | None:
        unit, key, name = group
        moments = [
            entries[-1].at
            for part in PARTS.get(name, (name,))
            if (entries := self._ledger.entries(unit, key, part))
        ]
        moments += [conflict.at for conflict in self._conflicts.of(group)]
        return max(moments, default=None)

    def _earlier_equal(self, equal: list[Submission]) -> list[Submitted]:
        """Return what was submitted at the same moment in earlier runs and says otherwise."""
        unit, key, name = equal[0].group
        at = equal[0].at
        known = {submission.judged.returned.sha256 for submission in equal}
        known |= {c.sha256 for c in self._conflicts.of(equal[0].group) if c.at == at}
        if same_value(self._ours(equal[0]), equal[0].theirs):
            return []
        return [
            entry
            for part in PARTS.get(name, (name,))
            for entry in self._ledger.entries(unit, key, part)
            if entry.at == at and entry.sha256 not in known
        ]

    def _tie(self, equal: list[Submission], earlier: list[Submitted]) -> None:
        """List submissions of one moment as conflicts; what was taken of them goes back."""
        first = equal[0]
        ours = self._ours(first)
        if earlier and self._is_units_own(first, ours):
            before = self._before(first, ours, earlier)
            # The line in the log says who submitted the other value, at no moment of its own.
            source = first.judged.source
            source = Source(replace(source.origin, at=LONG_AGO), source.cell)
            self._draft.take(first.position, first.name, before, source)
            taken = earlier[0]
            self._conflicts.add_row(
                first,
                ours,
                before,
                Source(
                    replace(
                        first.judged.returned.origin,
                        at=taken.at,
                        sha256=taken.sha256,
                        file=taken.file,
                    ),
                    self._cells_of(first, taken).get,
                ),
            )  # fmt: skip
            ours = before
        for submission in equal:
            self._ask(submission, ours)

    def _cells_of(self, submission: Submission, taken: Submitted) -> dict[str, str]:
        """Return the cells that an earlier file of the same moment was taken from."""
        unit, key, name = submission.group
        return {
            part: entry.cell
            for part in PARTS.get(name, (name,))
            for entry in self._ledger.entries(unit, key, part)
            if entry.at == taken.at and entry.sha256 == taken.sha256 and entry.cell
        }

    def _before(self, submission: Submission, ours: Any, earlier: list[Submitted]) -> Any:
        """Return the value that the master held before a submission of the same moment."""
        unit, key, name = submission.group
        moment, hashes = submission.at, {entry.sha256 for entry in earlier}

        def part_before(part: str, now: Any) -> Any:
            entries = self._ledger.entries(unit, key, part)
            older = [entry for entry in entries if entry.at < moment]
            at_once = [e for e in entries if e.at == moment and e.sha256 in hashes and e.is_taken]
            if older:
                return self._typed(part, older[-1].value)
            return self._typed(part, at_once[0].old) if at_once else now

        if isinstance(ours, Situation):
            completed = part_before("completed_on", ours.completed_on)
            progress = part_before("progress_date", ours.progress_date)
            if completed is not None:
                return Situation(Progress.DONE, completed, progress)
            state = Progress.IN_PROGRESS if progress else Progress.NOT_STARTED
            return Situation(state, None, progress)
        if isinstance(ours, Request):
            if name == "return":
                return Request(None, part_before("return_reason", ours.reason))
            return Request(
                part_before("extension_requested_to", ours.requested_to),
                part_before("extension_reason", ours.reason),
            )
        return part_before(name, ours)

    def _typed(self, name: str, text: str | None) -> Any:
        """Return a value of the change log with its type."""
        if not text:
            return None
        specs = self._master.profile
        spec = specs.register.get(name) or specs.unit_list[name]
        if spec.kind == "date":
            return read_date(text, CellKind.TEXT).value
        return split_list(text) if spec.kind in ("list", "units") else text

    def _decide(self, equal: list[Submission]) -> None:
        first = equal[0]
        ours = self._ours(first)
        for other in equal[1:]:
            other.mark(UNCHANGED)
        decision = merge_value(
            first.base, first.theirs, ours, ours_is_units_own=self._is_units_own(first, ours)
        )
        if self._is_decided_request(first):
            decision = Merge.KEEP
        if decision is Merge.CONFLICT:
            self._ask(first, ours)
        elif decision is Merge.TAKE and self._draft.take(
            first.position, first.name, first.theirs, first.judged.source
        ):
            first.mark(CHANGED)
            if first.is_default:
                self._remember(first)
        else:
            self._remember(first)
            first.mark(UNCHANGED)

    def _decide_below(self, equal: list[Submission]) -> None:
        """Decide what came before equal moments; their conflict hides a conflict of its own."""
        first = equal[0]
        ours = self._ours(first)
        own = self._is_units_own(first, ours)
        decision = merge_value(first.base, first.theirs, ours, ours_is_units_own=own)
        state = UNCHANGED
        if decision is Merge.TAKE and self._draft.take(
            first.position, first.name, first.theirs, first.judged.source
        ):
            state = CHANGED
        else:
            self._remember(first, is_taken=decision is not Merge.CONFLICT)
        first.mark(state)
        for other in equal[1:]:
            other.mark(UNCHANGED)

    def _is_decided_request(self, submission: Submission) -> bool:
        returned = submission.judged.returned
        return (
            submission.name in REQUESTS
            and bool(submission.theirs)
            and returned.sent_on is not None
            and self._draft.requests.was_decided(
                submission.key,
                submission.name,
                returned.unit,
                submission.theirs,
                returned.sent_on,
            )
        )

    def _remember(self, submission: Submission, *, is_taken: bool = True) -> None:
        """Let the file's receipt keep a submission that the change log will not have."""
        unit, key, name = submission.group
        sha256 = submission.judged.returned.sha256
        known = {
            entry.sha256
            for part in PARTS.get(name, (name,))
            for entry in self._ledger.entries(unit, key, part)
            if entry.at == submission.at
        }
        if sha256 not in known:
            value = submission.theirs
            if is_taken and self._has_submitted(submission):
                value = SAME
            memo = Memo(key, name, value, is_taken, submission.is_default)
            self.memos.setdefault(sha256, []).append(memo)

    def _has_submitted(self, submission: Submission) -> bool:
        """Whether a submission says just what the unit's last one said."""
        unit, key, name = submission.group
        return all(
            (last := self._ledger.last(unit, key, part)) is not None
            and last.at < submission.at
            and last.value == printed(value)
            for part, value in parts_of(name, submission.theirs)
        )

    def _first_progress(self, group: list[Submission]) -> None:
        """Let the day of first progress come from the first report, whenever it arrives.

        That is the unit's earliest report since it last took its progress back. A day that
        the Office gave stays, unless the unit has taken progress back.
        """
        if group[0].name != SITUATION:
            return
        unit, key, _ = group[0].group
        position = group[0].position
        if self._draft.situation(position).state is Progress.NOT_STARTED:
            return
        first_days = self._ledger.entries(unit, key, "first_progress_on")
        taken_back = [s.at for s in group if s.theirs.state is Progress.NOT_STARTED]
        since = max([*taken_back, *(e.at for e in first_days if not e.value)], default=LONG_AGO)
        reports = {
            entry.at: self._typed("progress_date", entry.value)
            for entry in self._ledger.entries(unit, key, "progress_date")
            if entry.value and entry.at > since
        }
        for submission in group:
            day = submission.theirs.progress_date
            if day is not None and submission.at > since:
                given = self._master.as_of if submission.is_default else day
                reports.setdefault(submission.at, given)
        if not reports:
            return
        known = self._draft.row(position).get("first_progress_on")
        is_own = "first_progress_on" in self._draft.changed.get(position, {}) or any(
            entry.value == printed(known) for entry in first_days
        )
        if known is not None and not is_own and not taken_back:
            return
        if self._has_taken(group):
            day = reports[min(reports)]
            source = min(group, key=lambda submission: submission.at).judged.source
            self._draft.set_fields(position, {"first_progress_on": day}, source)

    def _has_taken(self, group: list[Submission]) -> bool:
        """Whether the master's situation comes from this unit."""
        ours = self._draft.situation(group[0].position)
        changed = self._draft.changed.get(group[0].position, {})
        return bool(changed.keys() & set(PARTS[SITUATION])) or self._is_units_own(group[0], ours)

    def _ask(self, submission: Submission, ours: Any) -> None:
        """List a field that both sides changed; the master keeps its value."""
        if not self._conflicts.ask(submission, ours):
            self._remember(submission, is_taken=False)


def _submissions(row: JudgedRow) -> list[Submission]:
    return [Submission(row, *field) for field in row.fields]

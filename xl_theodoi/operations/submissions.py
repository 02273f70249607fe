"""What returned rows submit: a judged row, and one field of it on its way to a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from xl_theodoi.operations.draft import Source

if TYPE_CHECKING:
    from datetime import datetime

    from xl_theodoi.operations.results import FileVerdict
    from xl_theodoi.operations.returns import Returned

UNCHANGED, CHANGED, CONFLICT = "unchanged", "changed", "conflict"

_RANK = {UNCHANGED: 0, CHANGED: 1, CONFLICT: 2}


class Submitting(NamedTuple):
    """One field that a row submits.

    Attributes:
        name: Field; `reported_state` for a `Situation`, `extension` or `return` for a
            `Request`.
        theirs: The value that came back.
        base: The value that was sent.
        is_default: Whether its day of progress was given by us.
    """

    name: str
    theirs: Any
    base: Any
    is_default: bool = False


@dataclass(slots=True, eq=False)
class JudgedRow:
    """A row that submits something and is not rejected.

    Attributes:
        returned: Its file.
        verdict: What becomes of the file.
        key: Task key.
        number: Its position in the returned list.
        position: Of its task, in the register.
        fields: What it submits, in the order in which it is decided.
        state: What became of it: a conflict before a change before nothing.
    """

    returned: Returned
    verdict: FileVerdict
    key: str
    number: int
    position: int
    fields: list[Submitting] = field(default_factory=list)
    state: str = UNCHANGED
    _source: Source | None = None

    @property
    def source(self) -> Source:
        """Where its values come from, for the change log."""
        if self._source is None:
            cell = partial(self.returned.places.address, self.number)
            self._source = Source(self.returned.origin, cell)
        return self._source

    def mark(self, state: str) -> None:
        """Note what became of one of its fields."""
        if _RANK[state] > _RANK[self.state]:
            self.state = state


@dataclass(slots=True, eq=False)
class Submission:
    """One field of one task that a returned file submits.

    Attributes:
        judged: Its row.
        name: As for `Submitting`, and so the rest.
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
        return self.judged.key

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
        self.judged.mark(state)

"""One thing wrong or doubtful in somebody's data, with its address and no wording."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Severity(StrEnum):
    """Whether a finding keeps its row out (`error`) or only asks for a look (`warning`)."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a value stands: file name, sheet name and A1 address; blanks where unknown."""

    file: str | None = None
    sheet: str | None = None
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong or doubtful.

    Attributes:
        code: Stable code; its wording is `[findings.<code>]` in `data/messages_vi.toml`.
        severity: An error blocks the row, a warning does not.
        location: File, sheet and cell.
        task_id: The task concerned, where one is known.
        field: Field name of the contract, not the label.
        values: What the sentence quotes; never text of a secret row.
    """

    code: str
    severity: Severity
    location: Location = Location()
    task_id: str | None = None
    field: str | None = None
    values: Mapping[str, object] = dataclass_field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether the finding blocks its row."""
        return self.severity is Severity.ERROR


def error(
    code: str,
    location: Location = Location(),
    *,
    task_id: str | None = None,
    field: str | None = None,
    **values: object,
) -> Finding:
    """Return a finding that blocks its row."""
    return Finding(code, Severity.ERROR, location, task_id, field, values)


def warning(
    code: str,
    location: Location = Location(),
    *,
    task_id: str | None = None,
    field: str | None = None,
    **values: object,
) -> Finding:
    """Return a finding that only asks for a look."""
    return Finding(code, Severity.WARNING, location, task_id, field, values)


def count_by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings block and how many only warn, as the contract names them."""
    counts = {Severity.ERROR.value: 0, Severity.WARNING.value: 0}
    for finding in findings:
        counts[finding.severity.value] += 1
    return counts

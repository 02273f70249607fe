"""What operations return: data only, in the shapes of the contract's JSON (§4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import Finding, Severity

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class CheckResult:
    """Findings of a register, with the labels people know its fields by."""

    findings: list[Finding]
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        """Whether something is wrong that a person must mend."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(slots=True)
class WriteResult:
    """What a writing command did.

    Attributes:
        written: Files written.
        counts: What was counted, by English name.
        findings: What is wrong or doubtful.
        parts_changed: Package parts of the master that changed.
    """

    written: list[Path] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    parts_changed: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        """Whether something is wrong that a person must mend."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(slots=True)
class Conflict:
    """A field that the Office and the unit both changed since it was sent."""

    task_id: str
    field: str
    master_value: Any
    unit_value: Any
    base_value: Any
    file: str


@dataclass(slots=True)
class RowCounts:
    """How the rows of a file fared; each row counts once."""

    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    conflict: int = 0

    def add(self, other: RowCounts) -> None:
        """Add another file's rows."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        self.conflict += other.conflict


@dataclass(slots=True)
class FileVerdict:
    """What became of one returned file."""

    file: Path
    unit: str | None = None
    period: str | None = None
    outcome: str = "accepted"
    reason: str | None = None
    rows: RowCounts = field(default_factory=RowCounts)
    findings: list[Finding] = field(default_factory=list)
    correction_file: Path | None = None


@dataclass(slots=True)
class ConsolidateResult:
    """What a consolidation did, or would do."""

    dry_run: bool
    files: list[FileVerdict] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    missing_units: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    parts_changed: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    applied_choices: int = 0
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def totals(self) -> RowCounts:
        """Rows of all files."""
        total = RowCounts()
        for verdict in self.files:
            total.add(verdict.rows)
        return total

    @property
    def needs_person(self) -> bool:
        """Whether a conflict, a rejected row or a refused file waits for a person."""
        return bool(self.conflicts) or any(
            finding.severity is Severity.ERROR
            for findings in (self.findings, *(verdict.findings for verdict in self.files))
            for finding in findings
        )

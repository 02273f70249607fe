"""What commands print: JSON for machines, Vietnamese lines for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.findings import count_by_severity
from xl_theodoi.messages import finding_sentences, printed, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xl_theodoi.domain.findings import Finding

SHOWN_PLACES = 5
"""Places named per code before the rest is only counted."""

SHOWN_FILES = 20
"""Files named before the rest is only counted."""

_QUIET = 1.0
"""Seconds of work of which nothing is said."""
_BETWEEN = 0.1
_LINE = 78
"""Characters: a longer line would not be wiped away by going back to its beginning."""


def plain(value: Any) -> Any:
    """Return a value in JSON's types: dates ISO, enumerations by value, paths as text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=plain) + "\n")


def finding_document(finding: Finding, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a finding as the contract writes it."""
    what, fix = finding_sentences(finding, labels)
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "file": finding.location.file,
        "sheet": finding.location.sheet or None,
        "cell": finding.location.cell,
        "task_id": finding.task_id,
        "field": finding.field,
        "message": f"{what} {fix}",
    }


def finding_documents(
    findings: Iterable[Finding], labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return findings as the contract writes them."""
    return [finding_document(finding, labels) for finding in findings]


def say(key: str, **values: object) -> None:
    """Print one line of `[answers]`."""
    sys.stdout.write(text("answers", key, **values) + "\n")


def say_findings(findings: Sequence[Finding], labels: Mapping[str, str]) -> None:
    """Print findings for people: one full line per code, then where else it occurs.

    Errors come first; the same fault in many rows is one line with a list of cells.
    """
    groups: dict[tuple[bool, str, str], list[Finding]] = {}
    for finding in findings:
        key = (not finding.is_error, finding.code, finding.field or "")
        groups.setdefault(key, []).append(finding)
    for (is_warning, code, _), group in sorted(groups.items(), key=lambda item: item[0]):
        first = group[0]
        what, fix = finding_sentences(first, labels)
        say(
            "finding",
            severity=text("answers", "severity_warning" if is_warning else "severity_error"),
            code=code, place=place_of(first), what=what, fix=fix,
        )  # fmt: skip
        if len(group) > 1:
            cells = [place_of(other) for other in group[1 : SHOWN_PLACES + 1]]
            more = ", …" if len(group) > SHOWN_PLACES + 1 else ""
            say("finding_group", count=len(group) - 1, cells=", ".join(cells) + more)
    counts = count_by_severity(findings)
    if findings:
        say("findings", errors=counts["error"], warnings=counts["warning"])


def say_notices(notices: Sequence[Finding]) -> None:
    """Print on standard error how a command's work was done, where there is something to say."""
    for notice in notices:
        what, fix = finding_sentences(notice)
        sys.stderr.write(text("answers", "notice", what=what, fix=fix) + "\n")


class TerminalProgress:
    """One line on standard error that says how far the work has come; gone at its end.

    Nothing is said of work that takes less than a second.

    Args:
        is_shown: Whether anybody looks.
        clock: Seconds that pass.
    """

    def __init__(self, *, is_shown: bool, clock: Callable[[], float] = monotonic) -> None:
        self._is_shown = is_shown
        self._clock = clock
        self._began = clock()
        self._told = self._began
        self._width = 0

    def __call__(self, done: int, total: int, name: str) -> None:
        """Say what comes next, ten times a second at most."""
        now = self._clock()
        if not self._is_shown or now - self._began < _QUIET or now - self._told < _BETWEEN:
            return
        self._told = now
        number = min(done + 1, total)
        line = text("answers", "progress", done=number, total=total, name=name)[:_LINE]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def end(self) -> None:
        """Wipe the line away."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0


def place_of(finding: Finding) -> str:
    """Return where a finding stands, for people: file, sheet, cell."""
    place = finding.location
    parts = (place.file, place.sheet, place.cell)
    return " › ".join(part for part in parts if part) or "—"


def say_files(paths: Sequence[Path]) -> None:
    """Print which files were written."""
    if not paths:
        return
    say("written", count=len(paths))
    for path in paths[:SHOWN_FILES]:
        sys.stdout.write(f"   {path}\n")
    if len(paths) > SHOWN_FILES:
        say("more_files", count=len(paths) - SHOWN_FILES)


def shown(value: object) -> str:
    """Return a value as people read it."""
    return printed(value)

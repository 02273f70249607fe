"""One returned workbook: opened with care, identified, read against what was sent."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, Severity, error, warning
from xl_theodoi.domain.intake import read_list
from xl_theodoi.domain.names import IDENTITY_SHEET, UNIT_IDENTITY, UNIT_LIST, UNIT_SENT
from xl_theodoi.domain.profile import LIVE_FIELDS
from xl_theodoi.domain.secrecy import Mark
from xl_theodoi.domain.text import fold
from xl_theodoi.operations.draft import Origin
from xl_theodoi.operations.marks import secrecy_words, secret_texts
from xl_theodoi.operations.master import LAYOUT_VERSION
from xl_theodoi.operations.returned_rows import ReturnedRows
from xl_theodoi.operations.sent_values import SentValues, iso_day
from xl_theodoi.workbook.reading.hostile import refuse_unsafe
from xl_theodoi.workbook.reading.package import RETURN_LIMITS
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from xl_theodoi.domain.cells import SheetTable
    from xl_theodoi.domain.model import Unit
    from xl_theodoi.operations.master import Master
    from xl_theodoi.operations.returned_rows import Places
    from xl_theodoi.workbook.reading.read import WorkbookContent

_REFUSALS = ("not_a_workbook", "encrypted", "too_large", "unsafe_content")
"""What the reader may say of a returned file; verdicts here, never exit code 2."""


class RefusedError(Exception):
    """A returned file that is not taken at all, with the finding that says why."""

    def __init__(
        self, finding: Finding, unit: str | None = None, period: str | None = None
    ) -> None:
        super().__init__(finding.code)
        self.finding = finding
        self.unit = unit
        self.period = period


@dataclass(slots=True)
class Returned:
    """A returned workbook that belongs to this master.

    Attributes:
        path: Where it lies.
        sha256: Hash of its bytes.
        unit: The unit that it was made for.
        period: The period that it was made for.
        submitted_at: When it was last saved, or when its file was.
        sent_on: Day on which it was sent.
        is_as_sent: Whether nothing says that it was saved since it was sent.
        places: Addresses in its list.
        findings: Warnings about the file as a whole.
    """

    path: Path
    sha256: str
    unit: Unit
    period: str
    submitted_at: datetime
    sent_on: date | None
    is_as_sent: bool
    places: Places
    findings: list[Finding]
    _origin: Origin | None = None

    @property
    def origin(self) -> Origin:
        """Where its values come from, for the change log; for when all files are read."""
        if self._origin is None:
            self._origin = Origin(
                self.unit, self.submitted_at, self.sha256, self.path.name, self.period
            )
        return self._origin


def read_bytes(path: Path) -> bytes:
    """Return a returned file's bytes.

    Raises:
        RefusedError: `too_large`, or `not_a_workbook` where it cannot be read.
    """
    where = Location(path.name)
    try:
        if path.stat().st_size > RETURN_LIMITS.file_bytes:
            raise RefusedError(error("too_large", where))
        return path.read_bytes()
    except OSError as problem:
        raise RefusedError(
            error("not_a_workbook", where, kind="unreadable", reason=problem.strerror)
        ) from problem


def read_returned(
    path: Path, data: bytes, sha256: str, master: Master, period: str | None
) -> tuple[Returned, ReturnedRows]:
    """Open a returned workbook; its rows need not be kept once they are judged.

    Args:
        path: The file.
        data: Its bytes.
        sha256: Their hash.
        master: The register it should belong to.
        period: The only period accepted, or None for any that was sent.

    Raises:
        RefusedError: With the file-level reason of the contract.
    """
    where = Location(path.name)
    with _refusing(where):
        content = read_workbook(
            data, file_name=path.name, limits=RETURN_LIMITS, sheets=(), lists=(UNIT_LIST,)
        )
        _refuse_marks(content, where)
        refuse_unsafe(content)
        identity = _pairs(content)
        found = _find_list(content, master)
    if identity is None:
        raise RefusedError(error("not_ours", where))
    unit = _unit(identity, master, where)
    code = identity.get("period", "")
    _check_identity(identity, master, where, unit, period)
    if found is None:
        raise RefusedError(error("not_ours", where, missing="list"), unit.code, code)
    findings: list[Finding] = []
    with _refusing(where):
        sent = _sent(identity, content, master, findings, where)
    reading = read_list(
        found,
        master.profile.unit_list,
        choices={"reported_state": master.states},
        ignored=LIVE_FIELDS,
    )
    rows = ReturnedRows(reading, sent, master.position_of)
    sent_on = iso_day(identity.get("sent_on", ""))
    saved_at = _saved_at(content, sent_on)
    returned = Returned(
        path, sha256, unit, code, saved_at or file_time(path), sent_on,
        saved_at is None, rows.places, [*findings, *rows.findings],
    )  # fmt: skip
    return returned, rows


@contextmanager
def _refusing(where: Location) -> Iterator[None]:
    """Turn what the reader says of a file that it cannot read into a refusal of the file."""
    try:
        yield
    except TheodoiError as problem:
        if problem.code not in _REFUSALS:
            raise
        values = {key: value for key, value in problem.values.items() if key != "file"}
        raise RefusedError(Finding(problem.code, Severity.ERROR, where, values=values)) from problem


_MOST_KEPT = 1 << 19
_harmless: set[str] = set()
"""Texts of earlier files without a certain mark: those of a round have thousands in common.

What is marked, or whether anything is, is kept nowhere.
"""


def _refuse_marks(content: WorkbookContent, where: Location) -> None:
    """Refuse a workbook in which any cell is marked as a state secret; its text stays there."""
    if _secret_texts([sheet.name for sheet in content.sheets]):
        raise RefusedError(error("secret_marking", where))
    place = content.first_text(_secret_texts)
    if place is not None:
        raise RefusedError(
            error("secret_marking", replace(where, sheet=place.sheet, cell=place.cell))
        )


def _secret_texts(texts: Collection[str]) -> set[str]:
    """Return the texts that are certainly marked as a state secret."""
    unknown = set(texts) - _harmless
    secret = secret_texts(unknown)
    if len(_harmless) + len(unknown) > _MOST_KEPT:
        _harmless.clear()
    _harmless.update(unknown - secret)
    return secret


def _pairs(content: WorkbookContent) -> dict[str, str] | None:
    """Return the identity that a workbook carries, None where it has none."""
    table = content.table(UNIT_IDENTITY)
    if table is None or {"key", "value"} - set(table.columns):
        lists = content.find_list(["key", "value"], fold, 2)
        hidden = [found for found in lists if found.sheet.casefold() == IDENTITY_SHEET]
        if not hidden:
            return None
        table = hidden[0]
    pairs = zip(table.columns["key"].values, table.columns["value"].values, strict=True)
    return {str(key): "" if value is None else str(value) for key, value in pairs if key}


def _unit(identity: Mapping[str, str], master: Master, where: Location) -> Unit:
    code = identity.get("unit", "")
    if identity.get("master_id") != master.meta.get("master_id"):
        raise RefusedError(error("wrong_master", where), None, identity.get("period"))
    unit = master.units.by_code.get(code)
    if unit is None:
        raise RefusedError(error("wrong_unit", where, value=code), None, identity.get("period"))
    return unit


def _check_identity(
    identity: Mapping[str, str],
    master: Master,
    where: Location,
    unit: Unit,
    period: str | None,
) -> None:
    code = identity.get("period", "")
    version = identity.get("layout_version", "")
    if version != str(LAYOUT_VERSION):
        raise RefusedError(
            error("stale_layout", where, value=version, current=LAYOUT_VERSION), unit.code, code
        )
    send_id = identity.get("send_id", "")
    rows = [sent for sent in master.sendings if sent["send_id"] == send_id]
    if rows and not any(sent["unit"] == unit.code and sent.get("period") == code for sent in rows):
        if any(sent["unit"] == unit.code for sent in rows):
            raise RefusedError(error("wrong_period", where, value=code), unit.code, code)
        raise RefusedError(error("wrong_unit", where, value=unit.code), unit.code, code)
    known = {sent.get("period") for sent in master.sendings}
    if period is not None and code != period:
        raise RefusedError(error("wrong_period", where, value=code, wanted=period), unit.code, code)
    if known and code not in known:
        raise RefusedError(error("wrong_period", where, value=code), unit.code, code)


def _find_list(content: WorkbookContent, master: Master) -> SheetTable | None:
    specs = master.profile.unit_list
    labels = [spec.label for spec in specs.values()]
    key = fold(specs["task_id"].label)
    minimum = min(4, len(labels))
    lists = content.find_list(labels, fold, minimum, UNIT_LIST)
    usable = [
        found for found in lists if any(fold(label) == key for label in found.columns)
    ]  # fmt: skip
    wanted = {fold(label) for label in labels}
    return max(
        usable,
        key=lambda found: (
            found.name == UNIT_LIST,
            len({fold(label) for label in found.columns} & wanted),
        ),
        default=None,
    )


def _sent(
    identity: Mapping[str, str],
    content: WorkbookContent,
    master: Master,
    findings: list[Finding],
    where: Location,
) -> SentValues:
    """Return what was sent: the office's record, or the workbook's hidden copy without it."""
    specs, states = master.profile.unit_list, master.states
    record = master.companion.sent(identity.get("send_id", ""), identity.get("unit", ""))
    if record is not None and isinstance(record.get("tasks"), dict):
        return SentValues.of_rows(record["tasks"].items(), specs, states)
    findings.append(warning("base_record_missing", where))
    table = content.table(UNIT_SENT)
    if table is None or "task_id" not in table.columns:
        lists = content.find_list(["task_id", "reported_state", "content"], fold, 3)
        hidden = [found for found in lists if found.sheet.casefold() == IDENTITY_SHEET]
        if not hidden:
            return SentValues([], {})
        table = hidden[0]
    rows = ((str(row["task_id"]), row) for row in table.rows() if row["task_id"])
    return SentValues.of_rows(rows, specs, states)


def file_time(path: Path) -> datetime:
    """Return when a file was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _saved_at(content: WorkbookContent, sent_on: date | None) -> datetime | None:
    """Return when a workbook's program says it was saved.

    None where that is the very stamp it was sent with: the program does not keep it, or
    nobody has saved the workbook since.
    """
    modified = content.modified
    if modified is None:
        return None
    stamp = modified.astimezone(UTC)
    is_midnight = stamp.time().isoformat() == "00:00:00"
    return None if is_midnight and stamp.date() == sent_on else modified


def is_doubtful(text: Any) -> bool:
    """Whether a value is a text whose words may speak of a secret."""
    return isinstance(text, str) and secrecy_words().judge_text(text) is Mark.DOUBTFUL

"""One returned workbook: opened with care, identified, read against what was sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from xl_theodoi import resources
from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, Severity, error, warning
from xl_theodoi.domain.intake import Reading, choice_index, read_list, split_list
from xl_theodoi.domain.merge import same_value
from xl_theodoi.domain.names import IDENTITY_SHEET, UNIT_IDENTITY, UNIT_LIST, UNIT_SENT
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.domain.secrecy import Mark, SecrecyWords
from xl_theodoi.domain.text import clean, fold, task_key
from xl_theodoi.messages import printed
from xl_theodoi.operations.companion import sha256_of
from xl_theodoi.operations.master import LAYOUT_VERSION
from xl_theodoi.workbook.reading.hostile import refuse_unsafe
from xl_theodoi.workbook.reading.package import RETURN_LIMITS
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xl_theodoi.domain.cells import SheetTable
    from xl_theodoi.domain.model import Unit
    from xl_theodoi.operations.master import Master
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
class Row:
    """One row of a returned list.

    Attributes:
        position: In the list.
        key: Task key, blank where the row has none.
        values: Typed values by field; `reported_state` as a `Progress` value.
        findings: What its cells hold that could not be taken.
    """

    position: int
    key: str
    values: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Returned:
    """A returned workbook that belongs to this master.

    Attributes:
        path: Where it lies.
        data: Its bytes.
        sha256: Their hash.
        unit: The unit that it was made for.
        period: The period that it was made for.
        submitted_at: When it was last saved, or when its file was.
        sent_on: Day on which it was sent.
        is_as_sent: Whether nothing says that it was saved since it was sent.
        reading: Its list.
        rows: Rows with content, in list order.
        base: What was sent, by task key: typed values by field.
        findings: Warnings about the file as a whole.
    """

    path: Path
    data: bytes
    sha256: str
    unit: Unit
    period: str
    submitted_at: datetime
    sent_on: date | None
    is_as_sent: bool
    reading: Reading
    rows: list[Row]
    base: dict[str, dict[str, Any]]
    findings: list[Finding]

    def place(self, row: Row, name: str) -> Location:
        """Return the address of a field of a row; of the row where the column is missing."""
        return self.reading.location(row.position, name)

    def address(self, row: Row, name: str) -> str | None:
        """Return a field's cell with its sheet, for the change log; None without a column."""
        if name not in self.reading.labels:
            return None
        place = self.place(row, name)
        return f"{place.sheet}!{place.cell}"


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


def read_returned(path: Path, data: bytes, master: Master, period: str | None) -> Returned:
    """Open a returned workbook.

    Args:
        path: The file.
        data: Its bytes.
        master: The register it should belong to.
        period: The only period accepted, or None for any that was sent.

    Raises:
        RefusedError: With the file-level reason of the contract.
    """
    where = Location(path.name)
    try:
        content = read_workbook(data, file_name=path.name, limits=RETURN_LIMITS)
        _refuse_marks(content, where)
        refuse_unsafe(content)
        identity = _pairs(content)
        found = _find_list(content, master)
    except TheodoiError as problem:
        if problem.code not in _REFUSALS:
            raise
        values = {key: value for key, value in problem.values.items() if key != "file"}
        raise RefusedError(Finding(problem.code, Severity.ERROR, where, values=values)) from problem
    if identity is None:
        raise RefusedError(error("not_ours", where))
    unit = _unit(identity, master, where)
    code = identity.get("period", "")
    _check_identity(identity, master, where, unit, period)
    if found is None:
        raise RefusedError(error("not_ours", where, missing="list"), unit.code, code)
    findings: list[Finding] = []
    base = _base(identity, content, master, findings, where)
    reading = read_list(
        found, master.profile.unit_list, choices={"reported_state": state_index(master)}
    )
    sent_on = _iso(identity.get("sent_on", ""))
    saved_at = _saved_at(content, sent_on)
    returned = Returned(
        path, data, sha256_of(data), unit, code, saved_at or file_time(path), sent_on,
        saved_at is None, reading, [], base, findings,
    )  # fmt: skip
    _read_rows(returned, master)
    return returned


def state_index(master: Master) -> dict[str, str]:
    """Return progress by every way of writing the three states."""
    return choice_index(master.profile.words["reported_state"])


@cache
def secrecy_words() -> SecrecyWords:
    """Return the words that mark a secret, made ready once."""
    return SecrecyWords(resources.secrecy_words())


@lru_cache(maxsize=1 << 16)
def _mark(text: str) -> Mark | None:
    return secrecy_words().judge_text(text)


def _refuse_marks(content: WorkbookContent, where: Location) -> None:
    """Refuse a workbook in which any cell is marked as a state secret; its text stays there."""
    for sheet in content.sheets:
        if _mark(sheet.name) is Mark.SECRET:
            raise RefusedError(error("secret_marking", where))
        grid = content.grid(sheet.name)
        for index, column in grid.columns.items():
            for row, value in zip(column.rows, column.values, strict=True):
                if isinstance(value, str) and _mark(value) is Mark.SECRET:
                    cell = grid.cell(row, index).location
                    raise RefusedError(
                        error("secret_marking", replace(where, sheet=cell.sheet, cell=cell.cell))
                    )


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


def _base(
    identity: Mapping[str, str],
    content: WorkbookContent,
    master: Master,
    findings: list[Finding],
    where: Location,
) -> dict[str, dict[str, Any]]:
    """Return what was sent: the office's record, or the workbook's hidden copy without it."""
    record = master.companion.sent(identity.get("send_id", ""), identity.get("unit", ""))
    if record is not None and isinstance(record.get("tasks"), dict):
        tasks = record["tasks"]
        return {task_key(key): typed_row(values, master) for key, values in tasks.items()}
    findings.append(warning("base_record_missing", where))
    table = content.table(UNIT_SENT)
    if table is None or "task_id" not in table.columns:
        lists = content.find_list(["task_id", "reported_state", "content"], fold, 3)
        hidden = [found for found in lists if found.sheet.casefold() == IDENTITY_SHEET]
        if not hidden:
            return {}
        table = hidden[0]
    base = {}
    for row in table.rows():
        key = row.get("task_id")
        if key:
            base[task_key(str(key))] = typed_row(row, master)
    return base


def typed_row(values: Mapping[str, Any], master: Master) -> dict[str, Any]:
    """Return a sent row with the types that a returned row has."""
    specs = master.profile.unit_list
    states = state_index(master)
    row: dict[str, Any] = {}
    for name, value in values.items():
        spec = specs.get(name)
        if spec is None or value is None or value == "":
            continue
        if spec.kind == "date":
            row[name] = value if isinstance(value, date) else _iso(str(value))
        elif name == "reported_state":
            row[name] = states.get(fold(str(value)))
        elif spec.kind in ("units", "list"):
            row[name] = split_list(clean(str(value)))
        else:
            row[name] = clean(str(value))
    return row


def _iso(value: str) -> date | None:
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


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


def _read_rows(returned: Returned, master: Master) -> None:
    """Sort a list's rows: those of tasks, and notes and signatures below it, which are none."""
    reading = returned.reading
    table = reading.table
    known = {*returned.base, *master.position_of}
    keys = [task_key(value or "") for value in reading.columns["task_id"]]
    last_known = max(
        (number for key, number in zip(keys, table.row_numbers, strict=True) if key in known),
        default=table.header_row,
    )
    absent = [name for name in EDITABLE_FIELDS if name not in reading.labels]
    for name in absent:
        if any(values.get(name) not in (None, "", ()) for values in returned.base.values()):
            returned.findings.append(
                warning(
                    "unit_column_missing",
                    Location(returned.path.name, table.sheet),
                    field=name,
                )
            )
    for position, number in enumerate(table.row_numbers):
        key = keys[position]
        values = reading.row(position)
        problems = list(reading.problems.get(position, ()))
        if not values and not problems:
            continue
        if key not in known:
            if _is_heading(reading, position):
                continue
            # Beyond the tasks a line is a note or signature, unless it was meant as a task.
            beyond = number > max(last_known, table.last_table_row)
            if beyond and not _is_task_row(reading, position, values, key):
                continue
        base = returned.base.get(key)
        if base is not None:
            problems = _real_problems(reading, position, base, values, problems)
            values.update({name: base[name] for name in absent if base.get(name) is not None})
        returned.rows.append(Row(position, key, values, problems))
    _judge_date_columns(returned)


def _real_problems(
    reading: Reading,
    position: int,
    base: Mapping[str, Any],
    values: dict[str, Any],
    problems: list[Finding],
) -> list[Finding]:
    """Return the problems of cells that the unit has touched.

    What the register itself held is not the unit's fault; such a cell counts as untouched.
    """
    real = []
    for finding in problems:
        name = finding.field or ""
        raw = reading.table.value(position, reading.labels[name])
        sent = base.get(name)
        if isinstance(raw, str) and sent is not None and same_value(clean(raw), printed(sent)):
            values[name] = sent
        else:
            real.append(finding)
    return real


def _is_heading(reading: Reading, position: int) -> bool:
    """Whether a row repeats the headings, as a list does that was printed page by page."""
    cells = [
        (fold(label), fold(str(value)))
        for label, column in reading.table.columns.items()
        if (value := column.values[position]) is not None
    ]
    return len(cells) > 1 and all(label == value for label, value in cells)


_KEY_LIKE = re.compile(r"[^\W_]*-?\d[\w./-]*|[^\W\d_]+[-./]?\d[\w./-]*")


def _is_task_row(reading: Reading, position: int, values: Mapping[str, Any], key: str) -> bool:
    """Whether an unknown row below the list was meant as a task.

    It reports a state, or looks like a row: a key like ours with anything beside it, or
    several columns filled.
    """
    if values.get("reported_state"):
        return True
    problems = {finding.field for finding in reading.problems.get(position, ())}
    filled = {*values, *problems}
    if key and " " not in str(values.get("task_id", "")) and _KEY_LIKE.fullmatch(key):
        return len(filled) >= 2
    return len(filled) >= 3 and (bool(key) or "content" in filled)


def _judge_date_columns(returned: Returned) -> None:
    """Refuse dates that read both ways round, where text and real dates stand mixed.

    Only cells that the unit filled in count; what was sent says nothing of its computer.
    """
    reading = returned.reading
    for name in EDITABLE_FIELDS:
        column = reading.columns.get(name)
        if column is None or name not in reading.labels:
            continue
        raw = reading.table.columns[reading.labels[name]]
        texts, reals = [], []
        for row in returned.rows:
            value = row.values.get(name)
            sent = returned.base.get(row.key, {}).get(name)
            if not isinstance(value, date) or same_value(value, sent):
                continue
            kind = raw.kinds[row.position]
            if kind == CellKind.TEXT:
                texts.append(row)
            elif kind == CellKind.DATE:
                reals.append(row)
        if not texts or not reals:
            continue
        swappable = reading.swappable.get(name, set())
        for row in texts:
            if row.position in swappable:
                row.findings.append(
                    error(
                        "ambiguous_date",
                        reading.location(row.position, name),
                        task_id=row.values.get("task_id"),
                        field=name,
                        value=raw.values[row.position],
                    )
                )


def doubtful_marks(returned: Returned, row: Row) -> list[Finding]:
    """Return a warning for each cell the unit wrote whose words may speak of a secret."""
    base = returned.base.get(row.key, {})
    return [
        warning(
            "secret_marking",
            returned.reading.location(row.position, name),
            task_id=row.values.get("task_id"),
            field=name,
        )
        for name in EDITABLE_FIELDS
        if name in returned.reading.labels
        and isinstance(text := row.values.get(name), str)
        and not same_value(text, base.get(name))
        and _mark(text) is Mark.DOUBTFUL
    ]

"""`new` and `add`: a master from nothing, and tasks or documents added to one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from xl_theodoi import resources
from xl_theodoi.domain.cells import Value
from xl_theodoi.domain.changes import AppendRows, Change
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.events import Event, event_row, extension_findings, missing_events
from xl_theodoi.domain.findings import Finding, Severity, error, warning
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.domain.profile import COMPUTED_FIELDS, FORMULA_HELPERS
from xl_theodoi.domain.settings import setting_rows
from xl_theodoi.domain.text import fold_name, task_key
from xl_theodoi.domain.validate import MANDATORY
from xl_theodoi.files import write_new
from xl_theodoi.hosts import MemoryHost
from xl_theodoi.operations.duedates import due_date_findings, missing_children
from xl_theodoi.operations.entries import DocumentKeys, TaskKeys, judge_new_rows
from xl_theodoi.operations.inputs import read_input
from xl_theodoi.operations.live import with_formulas
from xl_theodoi.operations.master import MASTER_LAYOUT, Master, unit_from_row
from xl_theodoi.operations.overview import overview, overview_changes
from xl_theodoi.operations.refresh import event_changes, register_row
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.operations.rows import cell_value, labelled, register_fields
from xl_theodoi.operations.writing import commit, writes, writing
from xl_theodoi.resources_time import shipped_days

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from xl_theodoi.domain.intake import Reading
    from xl_theodoi.domain.model import TaskView
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.hosts import Host

Tables = Mapping[str, Sequence[Mapping[str, Value]]]
"""Rows by table name and field name."""

DOCUMENT_FIELDS = (
    "document_id",
    "secrecy",
    "document_type",
    "document_number",
    "issue_date",
    "document_subject",
    "signer",
    "drafting_unit",
    "issuer_level",
    "urgency",
)
"""Fields that a document shares with its tasks."""


def new_master(
    path: Path,
    profile_name: str,
    as_of: date,
    *,
    units: Path | None = None,
    tasks: Path | None = None,
    master_id: str | None = None,
    notices: list[Finding] | None = None,
) -> WriteResult:
    """Make a master workbook.

    Args:
        path: Where; an existing file is never overwritten.
        profile_name: A shipped regulation, or the path of a profile of one's own.
        as_of: Day at which statuses are computed.
        units: List of units.
        tasks: List of tasks.
        master_id: Identity by which returned workbooks are known; a new one by default.
        notices: Takes what an earlier run left there and was settled.

    Returns:
        The file written; the rows that could not be taken are findings.

    Raises:
        TheodoiError: `would_overwrite`, `unknown_profile`, `bad_name`, or where an input
            cannot be read; nothing is written then.
    """
    if path.exists():
        raise TheodoiError("would_overwrite", path=str(path))
    if path.suffix.lower() != ".xlsx":
        raise TheodoiError("bad_master_name", path=path.name)
    if not path.parent.is_dir():
        raise TheodoiError("folder_missing", path=str(path.parent))
    profile = resources.load_profile(profile_name)
    unit_rows, findings = _read_units(units, profile) if units else ([], [])
    shipped = profile_name in resources.profile_ids()

    def build(tables: Tables, rows: Mapping[str, Sequence[Mapping[str, Value]]]) -> bytes:
        return empty_master(
            profile,
            as_of,
            profile_text=None if shipped else resources.profile_text(profile_name),
            tables=tables,
            overview_rows=rows,
            master_id=identity,
        )

    identity = master_id or uuid.uuid4().hex
    master = Master(MemoryHost(path, build({"DonVi": unit_rows}, {})), as_of)
    added = NewRows()
    if tasks is not None:
        added = read_new_tasks(master, tasks, split=False, stamp_entry=False)
    # Built anew with its rows: far quicker than to add them to a finished workbook.
    figures = overview(added.views, master.units.units, profile, master.settings)
    data = build({"DonVi": unit_rows, **added.tables(master)}, figures)
    with writing(path, "new", notices if notices is not None else []):
        write_new(path, data)
    counts = {"units": len(unit_rows), "tasks": 0}
    if tasks is not None:
        counts.update(added.counts)
    return WriteResult([path], counts, [*findings, *added.findings], labels=master.labels())


def empty_master(
    profile: Profile,
    as_of: date,
    *,
    profile_text: str | None = None,
    tables: Tables | None = None,
    overview_rows: Mapping[str, Sequence[Mapping[str, Value]]] | None = None,
    master_id: str | None = None,
) -> bytes:
    """Return a new master: days off, settings and whatever tables are given.

    Args:
        profile: The regulation.
        as_of: Day of the computed values.
        profile_text: TOML of a profile that does not ship with the program.
        tables: Rows by table and field.
        overview_rows: Figures of the overview; those of no tasks where not given.
        master_id: Identity of the workbook; a new one where not given.
    """
    from xl_theodoi.domain.settings import default_settings  # noqa: PLC0415
    from xl_theodoi.workbook.building.master import MasterContent, build_master  # noqa: PLC0415

    words = profile.words
    days: list[dict[str, Value]] = [
        {
            "date": day.date,
            "kind": words["day_kind"][day.kind.value],
            "name": day.name,
            "basis": day.basis,
            "confidence": words["confidence"][day.confidence.value],
        }
        for day in shipped_days()
    ]
    catalogue = resources.setting_catalogue()
    settings: list[dict[str, Value]] = [
        {"code": code, "value": value, "explanation": explanation}
        for code, value, explanation in setting_rows(catalogue, profile)
    ]
    unit_rows = (tables or {}).get("DonVi", [])
    units = [unit_from_row({**row, "aliases": ()}) for row in unit_rows]
    content = MasterContent(
        profile=profile,
        master_id=master_id or uuid.uuid4().hex,
        layout_version=MASTER_LAYOUT,
        profile_text=profile_text,
        as_of=as_of,
        tables={"NgayNghi": days, "CauHinh": settings, **(tables or {})},
        overview=overview_rows
        or overview([], units, profile, default_settings(catalogue, profile)),
    )
    return build_master(content)


def _read_units(path: Path, profile: Profile) -> tuple[list[dict[str, Value]], list[Finding]]:
    specs = profile.tables["DonVi"].columns
    reading, secret, findings = read_input(path, specs, ("code", "name"))
    rows: list[dict[str, Value]] = []
    codes: dict[str, int] = {}
    for position in range(len(reading)):
        if position in secret or reading.is_blank(position):
            continue
        row = reading.row(position)
        problems = list(reading.problems.get(position, ()))
        problems += [
            error("missing_required", reading.location(position, name), field=name)
            for name in ("code", "name")
            if not row.get(name)
        ]
        code = row.get("code", "")
        if code and not _is_file_safe(code):
            problems.append(
                error("bad_unit_code", reading.location(position, "code"), field="code", value=code)
            )
        if fold_name(code) in codes:
            problems.append(
                error(
                    "duplicate_unit", reading.location(position, "code"), field="code", value=code
                )
            )
        findings += problems
        if any(problem.is_error for problem in problems):
            continue
        codes[fold_name(code)] = position
        row.setdefault("short_name", row["name"])
        rows.append({name: cell_value(value) for name, value in row.items()})
    return rows, findings


def _is_file_safe(code: str) -> bool:
    return not set(code) & set('\\/:*?"<>|') and not code.startswith(".") and code.isprintable()


@writes("add")
def add(
    host: Host, path: Path, as_of: date, *, documents: bool = False, split: bool = False
) -> WriteResult:
    """Add tasks, or documents, to a master.

    Args:
        host: The master.
        path: CSV or XLSX with the new rows.
        as_of: Day of entry.
        documents: Whether the rows are documents.
        split: Whether a task of several lead units becomes one row for each.

    Returns:
        What was written; rows that could not be taken are findings and change nothing.
    """
    host.ensure_writable()
    master = Master(host, as_of)
    if documents:
        changes, counts, findings = document_changes(master, path)
    else:
        changes, counts, findings = add_changes(master, path, split=split, stamp_entry=True)
    changes = with_formulas(master, changes)
    result = WriteResult(counts=counts, findings=findings, labels=master.labels())
    if commit(master, "add", changes):
        result.written = [host.path]
        result.parts_changed = host.parts_changed
    return result


def document_changes(
    master: Master, path: Path
) -> tuple[list[Change], dict[str, int], list[Finding]]:
    """Return the changes that add a list of documents."""
    specs = master.specs("VanBan")
    reading, secret, findings = read_input(path, specs, ("document_number",))
    keys = _document_keys(master)
    rows: list[dict[str, Any]] = []
    for position in range(len(reading)):
        if position in secret or reading.is_blank(position):
            continue
        row = reading.row(position)
        problems = list(reading.problems.get(position, ()))
        if not row.get("document_number") and not row.get("document_id"):
            problems.append(
                error(
                    "missing_required",
                    reading.location(position, "document_number"),
                    field="document_number",
                )
            )
        known = row.get("document_id")
        if (known and task_key(known) in keys.by_id) or keys.find(row):
            problems.append(
                error(
                    "duplicate_document",
                    reading.location(position, "document_number"),
                    field="document_number",
                    value=row.get("document_number") or known,
                )
            )
        if row.get("issue_date") and row["issue_date"] > master.as_of:
            problems.append(
                warning(
                    "future_date",
                    reading.location(position, "issue_date"),
                    field="issue_date",
                    value=row["issue_date"],
                    as_of=master.as_of,
                )
            )
        findings += problems
        if any(problem.is_error for problem in problems):
            continue
        if known:
            keys.add(known, row)
        else:
            row["document_id"] = keys.new(row)
        row.setdefault("entered_on", master.as_of)
        rows.append(row)
    cells = [labelled(master, "VanBan", row) for row in rows]
    changes: list[Change] = [AppendRows("VanBan", cells)] if cells else []
    return changes, {"documents": len(rows)}, findings


def _document_keys(master: Master) -> DocumentKeys:
    if not master.has("VanBan"):
        return DocumentKeys([], master.as_of.year)
    reading = master.reading("VanBan")
    rows = [reading.row(position) for position in range(len(reading))]
    return DocumentKeys(rows, master.as_of.year)


@dataclass(slots=True)
class NewRows:
    """Tasks that can be taken into a register, with what follows from them.

    Attributes:
        views: The tasks and the children of recurring ones, judged.
        documents: Documents that are new to the register, by field.
        events: Events that the tasks' columns imply.
        counts: How many of each, by English name.
        findings: What is wrong or doubtful in the list.
    """

    views: list[TaskView] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def tables(self, master: Master) -> Tables:
        """Return the rows by table and field."""
        words = master.profile.words
        return {
            REGISTER: [register_fields(view, master) for view in self.views],
            "VanBan": self.documents,
            "SuKien": [event_row(event, words) for event in self.events],
        }


def read_new_tasks(master: Master, path: Path, *, split: bool, stamp_entry: bool) -> NewRows:
    """Return the tasks of a list that a register can take, and what is wrong in the list.

    Args:
        master: The register.
        path: The list.
        split: Whether a task of several lead units becomes one row for each.
        stamp_entry: Whether a blank day of entry takes the as-of date.
    """
    reading, secret, findings = read_input(
        path, master.profile.register, MANDATORY, computed=(*COMPUTED_FIELDS, *FORMULA_HELPERS)
    )
    keys = TaskKeys(master.position_of, master.as_of.year)
    taken, found = judge_new_rows(
        reading, secret, master.profile, master.units, keys, master.as_of, split=split
    )
    findings += found
    documents = _document_keys(master)
    added = NewRows(findings=findings)
    rows: list[dict[str, Any]] = []
    for position, row in taken:
        if stamp_entry:
            row.setdefault("entered_on", master.as_of)
        _join_document(row, documents, added.documents)
        findings += _complete(row, position, reading, master)
        added.events += missing_events(row, ())
        rows.append(row)
    children = list(missing_children(rows, master))
    added.views = [master.view(-1, master.as_of, row) for row in (*rows, *children)]
    added.counts = {
        "tasks": len(rows),
        "children": len(children),
        "documents": len(added.documents),
    }
    return added


def add_changes(
    master: Master, path: Path, *, split: bool, stamp_entry: bool
) -> tuple[list[Change], dict[str, int], list[Finding]]:
    """Return the changes that add a list of tasks, counted, and what is wrong in it.

    Args:
        master: The register.
        path: The list.
        split: Whether a task of several lead units becomes one row for each.
        stamp_entry: Whether a blank day of entry takes the as-of date.
    """
    added = read_new_tasks(master, path, split=split, stamp_entry=stamp_entry)
    if not added.views:
        return [], added.counts, added.findings
    rows = [register_row(master, view) for view in added.views]
    changes: list[Change] = [AppendRows(REGISTER, rows)]
    if added.documents:
        cells = [labelled(master, "VanBan", document) for document in added.documents]
        changes.append(AppendRows("VanBan", cells))
    changes += event_changes(master, added.events, [])
    changes += overview_changes(master, [*master.tasks, *added.views])
    return changes, added.counts, added.findings


def _join_document(
    row: dict[str, Any], documents: DocumentKeys, new_documents: list[dict[str, Any]]
) -> None:
    """Give a task its document's key, and what the document knows and the row does not."""
    name = row.get("document_id") or documents.find(row)
    if name is None:
        name = documents.new(row)
        if name is None:
            return
        new_documents.append({**_document_of(row), "document_id": name})
    known = documents.by_id.get(task_key(name))
    if known is None:
        documents.add(name, row)
        new_documents.append({**_document_of(row), "document_id": name})
    else:
        for field in DOCUMENT_FIELDS:
            if row.get(field) is None and known.get(field) is not None:
                row[field] = known[field]
    row["document_id"] = name


def _document_of(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = (*DOCUMENT_FIELDS, "entered_on")
    return {field: row[field] for field in fields if row.get(field) is not None}


def _complete(
    row: dict[str, Any], position: int, reading: Reading, master: Master
) -> list[Finding]:
    """Fill what follows from a new row itself; return what is doubtful about it."""

    def locate(name: str) -> Any:
        return reading.location(position, name)

    due, findings = due_date_findings(row, locate, master)
    # The row is taken all the same; `check` insists on the date.
    findings = [replace(found, severity=Severity.WARNING) for found in findings]
    if due is not None:
        row["due_date"] = due
    if row.get("progress_date") and not row.get("first_progress_on"):
        row["first_progress_on"] = row["progress_date"]
    if row.get("progress_text") and not row.get("progress_date") and not row.get("completed_on"):
        findings.append(
            warning(
                "progress_without_date",
                locate("progress_date"),
                task_id=row["task_id"],
                field="progress_date",
            )
        )
    return [*findings, *extension_findings(row, locate)]

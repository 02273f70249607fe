"""`demo`: the whole month's round on made-up data, typical faults of returns included."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.names import REGISTER, UNIT_LIST
from xl_theodoi.domain.periods import PeriodKind, period_of
from xl_theodoi.domain.workdays import WorkCalendar
from xl_theodoi.files import write_new
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.add import new_master
from xl_theodoi.operations.consolidate import consolidate
from xl_theodoi.operations.demo_data import (
    SEED,
    TASK_COLUMNS,
    UNIT_COLUMNS,
    csv_text,
    demo_data,
    task_rows,
    unit_rows,
)
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.refresh import refresh
from xl_theodoi.operations.report import report
from xl_theodoi.operations.send import send
from xl_theodoi.operations.writing import commit
from xl_theodoi.resources_time import shipped_days

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.operations.results import ConsolidateResult

TASKS = 240
DAYS_BETWEEN = 15
"""Calendar days between sending and receiving."""


@dataclass(slots=True)
class DemoResult:
    """What the demonstration made, and what it says about it."""

    written: list[Path] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    first: Path | None = None
    lines: list[str] = field(default_factory=list)


def demo(
    directory: Path, profile_name: str, as_of: date, progress: Callable[[str], None]
) -> DemoResult:
    """Play one month's round in a folder.

    Args:
        directory: Folder; it must be new or empty.
        profile_name: The regulation.
        as_of: Day of receipt; the data are made around it. A day that the shipped calendar
            does not cover gives way to a fixed one.
        progress: Called with a line before each step.

    Raises:
        TheodoiError: `demo_folder_not_empty`.
    """
    data = demo_data()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise TheodoiError("demo_folder_not_empty", path=str(directory))
    calendar = WorkCalendar(shipped_days())
    received = (
        as_of
        if calendar.covers(as_of.year) and calendar.covers(as_of.year - 2)
        else (data["received_on"])
    )
    sent = received - timedelta(days=DAYS_BETWEEN)
    period = period_of(received, PeriodKind.MONTH)
    folders = {name: directory / part for name, part in data["folders"].items()}
    inputs = folders["inputs"]
    inputs.mkdir(parents=True)

    def step(name: str) -> None:
        progress(str(folders[name]))

    step("inputs")
    units_file = inputs / data["folders"]["units_file"]
    tasks_file = inputs / data["folders"]["tasks_file"]
    master_path = folders["master"]
    from xl_theodoi.resources import load_profile  # noqa: PLC0415

    profile = load_profile(profile_name)
    write_new(units_file, csv_text(unit_rows(profile.id), UNIT_COLUMNS).encode("utf-8-sig"))
    write_new(
        tasks_file, csv_text(task_rows(profile.id, TASKS, sent), TASK_COLUMNS).encode("utf-8-sig")
    )
    step("master")
    new_master(master_path, profile_name, sent, units=units_file, tasks=tasks_file)
    step("sent")
    send(FileHost(master_path), period, folders["sent"], sent)
    step("returned")
    returned = _fill(folders["sent"], folders["returned"], profile, received)
    _edit_master(master_path, profile, sent, returned)
    step("corrections")
    folders["corrections"].mkdir()
    merged = consolidate(
        FileHost(master_path), [folders["returned"]], received, out=folders["corrections"]
    )
    refresh(FileHost(master_path), received)
    step("reports")
    reports = report(FileHost(master_path), [], period, folders["reports"], received)
    return _result(directory, folders, merged, reports.written, received)


def _result(
    directory: Path,
    folders: dict[str, Path],
    merged: ConsolidateResult,
    reports: list[Path],
    as_of: date,
) -> DemoResult:
    words = demo_data()["lines"]
    totals = merged.totals
    refused = sum(1 for verdict in merged.files if verdict.outcome == "rejected")
    written = sorted(
        path
        for path in directory.rglob("*")
        if path.is_file() and not any(part.endswith(".theodoi") for part in path.parts)
    )
    corrections = [path for path in written if path.parent == folders["corrections"]]
    counts = {
        "files": len(written),
        "changed": totals.changed,
        "unchanged": totals.unchanged,
        "rejected": totals.rejected,
        "conflict": totals.conflict,
        "refused": refused,
        "reports": len(reports),
    }

    def count(name: str) -> int:
        return sum(1 for path in written if path.parent == folders[name])

    lines = [words["title"].format(as_of=as_of.strftime("%d/%m/%Y"))]
    lines += [
        "   " + words[name].format(path=folders[name], count=count(name))
        for name in ("inputs", "master", "sent", "returned", "corrections", "reports")
    ]
    lines.append(words["figures"].format(**counts))
    if merged.missing_units:
        lines.append(words["missing"].format(units=", ".join(merged.missing_units)))
    lines.append(words["first"].format(path=folders["master"]))
    counts["corrections"] = len(corrections)
    return DemoResult(written, counts, folders["master"], lines)


class _Workbook:
    """One unit workbook, filled in as a unit would, with openpyxl."""

    def __init__(self, path: Path, profile: Profile) -> None:
        import openpyxl  # noqa: PLC0415 - slow, and only the demonstration writes with it

        self.book = openpyxl.load_workbook(path)
        self.sheet = next(sheet for sheet in self.book if UNIT_LIST in sheet.tables)
        first, last = self.sheet.tables[UNIT_LIST].ref.split(":")
        self.header = int("".join(sign for sign in first if sign.isdigit()))
        self.last = int("".join(sign for sign in last if sign.isdigit()))
        labels = {
            self.sheet.cell(self.header, column).value: column
            for column in range(1, self.sheet.max_column + 1)
        }
        self.columns = {
            name: labels[spec.label]
            for name, spec in profile.unit_list.items()
            if spec.label in labels
        }
        self.states = profile.words["reported_state"]

    @property
    def rows(self) -> range:
        """Rows of the list."""
        return range(self.header + 1, self.last + 1)

    def get(self, row: int, name: str) -> Any:
        """Return a cell's value."""
        return self.sheet.cell(row, self.columns[name]).value

    def put(self, row: int, name: str, value: Any) -> None:
        """Set a cell."""
        self.sheet.cell(row, self.columns[name]).value = value

    def open_rows(self) -> list[int]:
        """Return the rows of tasks that are not finished."""
        return [row for row in self.rows if self.get(row, "reported_state") != self.states["done"]]

    def finish(self, row: int, day: date, text: str) -> None:
        """Report a task as done."""
        self.put(row, "reported_state", self.states["done"])
        self.put(row, "completed_on", day)
        self.put(row, "progress_text", text)

    def bytes(self) -> bytes:
        """Return the workbook as saved."""
        buffer = BytesIO()
        self.book.save(buffer)
        return buffer.getvalue()


def _fill(sent: Path, returned: Path, profile: Profile, received: date) -> list[tuple[str, str]]:
    """Fill in the sent workbooks, each with its own habits and faults.

    Returns:
        Task and text of progress that the conflicting unit reports, for the Office to have
        changed in between.
    """
    chance = random.Random(SEED)  # noqa: S311 - made-up content, no secret
    texts = demo_data()["texts"]
    conflicts: list[tuple[str, str]] = []
    paths = sorted(sent.glob("*.xlsx"))
    for number, path in enumerate(paths):
        book = _Workbook(path, profile)
        rows = book.open_rows()
        for row in rows:
            _report(book, row, chance, received)
        name = path.name
        if rows:
            name = _spoil(book, number, rows, name, received, conflicts)
        if number == len(paths) - 1:
            # One unit answers with a letter instead, saved under the workbook's name.
            write_new(returned / name, texts["not_a_workbook"].encode())
            continue
        write_new(returned / name, book.bytes())
    return conflicts


def _report(book: _Workbook, row: int, chance: random.Random, received: date) -> None:
    texts = demo_data()["texts"]
    choice = chance.random()
    day = received - timedelta(days=chance.randint(1, DAYS_BETWEEN - 4))
    if choice < 0.45:
        book.finish(row, day, chance.choice(texts["done"]))
        book.put(row, "result_document", f"{chance.randint(100, 999)}/BC, {day:%d/%m/%Y}")
        if "evidence" in book.columns:
            book.put(row, "evidence", f"bao-cao-{chance.randint(100, 999)}.pdf")
    elif choice < 0.85:
        book.put(row, "reported_state", book.states["in_progress"])
        book.put(row, "progress_date", day)
        book.put(row, "progress_text", chance.choice(texts["progress"]))
    else:
        return
    if not book.get(row, "late_reason") and chance.random() < 0.6:
        book.put(row, "late_reason", chance.choice(texts["reasons"]))


def _spoil(
    book: _Workbook,
    number: int,
    rows: list[int],
    name: str,
    received: date,
    conflicts: list[tuple[str, str]],
) -> str:
    """Give a workbook the habit or fault of its turn and return its file name."""
    texts = demo_data()["texts"]
    row, below = rows[0], book.last + 3
    if number == 1:
        book.finish(row, received, texts["done"][0])
        book.put(row, "completed_on", f"31/02/{received.year}")
    elif number == 2:
        book.put(row, "reported_state", texts["bad_choice"])
    elif number == 3:
        book.finish(row, received, texts["done"][0])
        book.put(row, "completed_on", None)
        book.sheet.cell(below, 2).value = texts["note_below"]
        book.sheet.cell(below + 2, 6).value = texts["signature"]
    elif number == 4:
        book.finish(row, received - timedelta(days=2), texts["done"][1])
        book.put(row, "reported_state", book.states["not_started"])
    elif number == 5:
        book.finish(row, received + timedelta(days=12), texts["done"][1])
    elif number == 6:
        day = received - timedelta(days=3)
        for other in rows:
            book.finish(other, day, unicodedata.normalize("NFD", texts["done"][2]) + "  ")
            book.put(other, "completed_on", f"{day:%d.%m.%Y}")
            book.put(other, "reported_state", book.states["done"].upper())
        book.sheet.title = texts["renamed_sheet"]
        return str(texts["renamed_file"])
    elif number == 7:
        book.put(row, "effective_due_date", received + timedelta(days=30))
        book.put(row, "extension_requested_to", received + timedelta(days=30))
        book.put(row, "extension_reason", texts["extension_reason"])
    elif number == 8:
        book.put(book.last + 1, "content", texts["added_row"])
        book.put(book.last + 1, "reported_state", book.states["in_progress"])
        book.put(book.last + 1, "progress_text", texts["added_row"])
    elif number == 9:
        book.put(row, "reported_state", book.states["in_progress"])
        book.put(row, "progress_date", received - timedelta(days=2))
        book.put(row, "progress_text", texts["progress"][2])
        conflicts.append((str(book.get(row, "task_id")), texts["progress"][0]))
    elif number == 10:
        book.put(row, "return_reason", texts["return_reason"])
        if len(rows) > 1:
            book.put(rows[1], "task_id", book.get(row, "task_id"))
    return name


def _edit_master(path: Path, profile: Profile, as_of: date, edits: list[tuple[str, str]]) -> None:
    """Change in the master what a unit is changing too, as an officer might by telephone."""
    master = Master(FileHost(path), as_of)
    label = profile.register["progress_text"].label
    cells = {
        (master.position_of[task_id], label): value
        for task_id, value in edits
        if task_id in master.position_of
    }
    if cells:
        commit(master, "edit", [SetCells(REGISTER, cells)])

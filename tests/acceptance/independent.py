"""Counts a round's figures from its input files: the tasks' CSV and the returned workbooks.

It shares no code with the program and does not import it. Regulations: statuses by
requirements §3, the scope by item A25, a return's meaning by the contract §5.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

NOT_STARTED, IN_PROGRESS, DONE = "not_started", "in_progress", "done"
STATES = {
    "Chưa thực hiện": NOT_STARTED,
    "Đang thực hiện": IN_PROGRESS,
    "Đã thực hiện": DONE,
}
FOUR = (
    "Đã thực hiện", "Đang thực hiện", "Chưa thực hiện trong hạn", "Chưa thực hiện quá hạn",
)  # fmt: skip
EIGHT = (
    "Chưa thực hiện", "Chưa thực hiện đến hạn", "Chưa thực hiện quá hạn", "Đang thực hiện",
    "Đang thực hiện đến hạn", "Đang thực hiện quá hạn", "Đã thực hiện", "Đã hoàn thành",
)  # fmt: skip
LABELS = {
    "can-tho": FOUR,
    "ca-mau": FOUR,
    "tuan-giao": FOUR,
    "hue": ("Chưa thực hiện", "Đang thực hiện", "Đã hoàn thành"),
    "lao-cai": EIGHT,
    "thu-nghiem": ("Mới giao", "Đang xử lý", "Quá hạn xử lý", "Chờ xác nhận", "Kết thúc"),
}
AGES = ((1, 10), (11, 30), (31, 60), (61, 120), (121, 100000))
TEXTS = ("progress_text", "result_document", "late_reason", "proposal", "note")
BAD = object()
"""A date cell that is no date."""


def read_day(value: Any) -> Any:
    """A date in one of the writings that the inputs use, None for blank, BAD for neither."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(str(value).strip(), pattern).date()
        except ValueError:
            continue
    return BAD


@dataclass
class Task:
    """What the files say of one task."""

    row: dict[str, str]
    unit: str
    due: date | None
    as_of: date
    soon_days: int = 3
    parent: str | None = None
    changed: dict[str, Any] = field(default_factory=dict)
    decisions: list[tuple[date, str, date | None]] = field(default_factory=list)
    """Day, kind (extended, returned, rerouted, refused) and new date of what was decided."""

    def __getitem__(self, name: str) -> Any:
        """A text of the task, as it stands after the return."""
        return self.changed[name] if name in self.changed else (self.row.get(name) or None)

    def day(self, name: str) -> date | None:
        """A date of the task, after the return, where it is not later than the as-of date."""
        day = self.changed[name] if name in self.changed else read_day(self.row.get(name))
        return day if day is not None and day <= self.as_of else None

    @property
    def issued(self) -> date | None:
        """The day of issue."""
        return read_day(self.row.get("issue_date"))

    @property
    def effective(self) -> date | None:
        """The deadline: the last one approved by now."""
        extended = read_day(self.row.get("extended_due_date"))
        approved = self.day("extension_approved_on")
        agreed = [(approved, extended)] if extended is not None and approved else []
        agreed += [(day, new) for day, kind, new in self._decided if kind == "extended"]
        return max(agreed)[1] if agreed else self.due

    @property
    def _decided(self) -> list[tuple[date, str, date | None]]:
        return [decision for decision in self.decisions if decision[0] <= self.as_of]

    @property
    def completed(self) -> date | None:
        """When it was finished, None where the result was refused since."""
        day = self.day("completed_on")
        refused = [at for at, kind, _ in self._decided if kind == "refused"]
        return None if day and any(at >= day for at in refused) else day

    @property
    def progress(self) -> str:
        """How far it has come."""
        if self.completed:
            return DONE
        begun = self.day("progress_date") or self.day("completed_on")
        return IN_PROGRESS if begun else NOT_STARTED

    @property
    def days_left(self) -> int | None:
        """Days to the deadline, negative once it has passed."""
        if self.effective is None:
            return None
        return (self.effective - (self.completed or self.as_of)).days

    @property
    def timeliness(self) -> str:
        """How it stands against its deadline."""
        left = self.days_left
        if left is None:
            return "no_deadline"
        if self.progress == DONE:
            return "on_time" if left >= 0 else "late"
        if left < 0:
            return "overdue"
        return "due_soon" if left <= self.soon_days else "in_time"

    @property
    def overdue(self) -> bool:
        """Unfinished past its deadline."""
        return self.timeliness == "overdue"

    @property
    def missed(self) -> bool:
        """Past its deadline or finished after it."""
        return self.timeliness in ("overdue", "late")

    @property
    def aside(self) -> str | None:
        """The label of a task that no figure counts."""
        if self.day("cancelled_on"):
            return "Đã hủy"
        routed = [(self.day("returned_on"), "returned")] if self.day("returned_on") else []
        routed += [(at, kind) for at, kind, _ in self._decided if kind in ("returned", "rerouted")]
        return "Chuyển lại" if routed and max(routed)[1] == "returned" else None

    def label(self, profile: str) -> str:
        """The regulation's label."""
        if self.aside:
            return self.aside
        progress, kind = self.progress, self.timeliness
        if profile == "hue":
            return dict(zip((NOT_STARTED, IN_PROGRESS, DONE), LABELS["hue"], strict=True))[progress]
        if profile == "lao-cai":
            if progress == DONE:
                return "Đã hoàn thành" if self.day("approved_on") else "Đã thực hiện"
            words = {"overdue": " quá hạn", "due_soon": " đến hạn"}
            start = "Đang thực hiện" if progress == IN_PROGRESS else "Chưa thực hiện"
            return start + words.get(kind, "")
        if profile == "thu-nghiem":
            if progress == DONE:
                return "Kết thúc" if self.day("approved_on") else "Chờ xác nhận"
            if kind == "overdue":
                return "Quá hạn xử lý"
            return "Đang xử lý" if progress == IN_PROGRESS else "Mới giao"
        if progress == DONE:
            return "Đã thực hiện"
        if progress == IN_PROGRESS:
            return "Đang thực hiện"
        return "Chưa thực hiện quá hạn" if kind == "overdue" else "Chưa thực hiện trong hạn"

    @property
    def in_scope(self) -> bool:
        """Item A25: issued since 15/12 of the year before, or unfinished on that day."""
        start = date(self.as_of.year - 1, 12, 15)
        issued = self.issued
        if issued is None or start <= issued <= self.as_of:
            return True
        if issued > self.as_of:
            return False
        gone = [self.completed, self.day("cancelled_on")]
        return not any(day is not None and day <= start for day in gone)


def read_tasks(path: Path, units: Mapping[str, str], as_of: date, soon_days: int) -> list[Task]:
    """The tasks of a CSV; a monthly one becomes one task a month, up to the as-of month."""
    tasks = []
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            unit = units[row["lead_unit"]]
            phrase = row.get("due_text") or ""
            due = read_day(row.get("due_date"))
            if "hàng tháng" not in phrase:
                named = re.search(r"\d\d/\d\d/\d{4}", phrase)
                if named:
                    due = read_day(named[0])
                tasks.append(Task(row, unit, due, as_of, soon_days))
                continue
            # "trước ngày 20": the 19th is the last day.
            issued = read_day(row["issue_date"])
            for month in range(issued.month, as_of.month + 1):
                day = date(issued.year, month, 19)
                child = Task(row, unit, day, as_of, soon_days, parent=row["task_id"])
                child.changed["note"] = f"Kỳ tháng {month} năm {issued.year}"
                tasks.append(child)
    return tasks


def read_return(path: Path, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of a returned workbook by field; `labels` are headings by field."""
    book = openpyxl.load_workbook(path)
    fields = {label: name for name, label in labels.items()}
    for sheet in book:
        for line in sheet.iter_rows():
            headings = {cell.column: fields[cell.value] for cell in line if cell.value in fields}
            if "task_id" not in headings.values() or "reported_state" not in headings.values():
                continue
            rows = []
            for cells in sheet.iter_rows(min_row=line[0].row + 1):
                row = {headings[c.column]: c.value for c in cells if c.column in headings}
                if row.get("task_id"):
                    rows.append(row)
            return rows
    message = f"no list in {path}"
    raise AssertionError(message)


def apply_return(tasks: Iterable[Task], rows: Iterable[Mapping[str, Any]], as_of: date) -> int:
    """Put what a unit returned into its tasks and return how many rows are rejected."""
    by_id = {task.row["task_id"]: task for task in tasks if task.parent is None}
    rejected = 0
    for row in rows:
        task = by_id.get(row["task_id"])
        if task is None:
            continue
        state = STATES[row["reported_state"]]
        completed, progressed = (
            read_day(row.get("completed_on")),
            read_day(row.get("progress_date")),
        )
        wrong = BAD in (completed, progressed)
        if state == DONE and not wrong:
            wrong = completed is None or completed > as_of
            wrong = wrong or bool(task.issued and completed < task.issued)
        if wrong:
            rejected += 1
            continue
        for name in TEXTS:
            if name in row:
                task.changed[name] = row[name] or None
        if state == DONE:
            task.changed["completed_on"] = completed
            task.changed["progress_date"] = progressed
        elif state == IN_PROGRESS and (progressed or task.progress != IN_PROGRESS):
            task.changed["progress_date"] = progressed or as_of
    return rejected


def label_counts(tasks: Iterable[Task], profile: str) -> dict[str, int]:
    """Tasks by label, in the regulation's order; tasks set aside are in none."""
    counts = dict.fromkeys(LABELS[profile], 0)
    for task in tasks:
        if not task.aside:
            counts[task.label(profile)] += 1
    return counts


def share(part: int, whole: int) -> float | None:
    """A ratio, None of nothing."""
    return part / whole if whole else None


@dataclass
class Figures:
    """The figures of some tasks, those set aside left out."""

    tasks: list[Task]
    profile: str

    def __post_init__(self) -> None:
        self.returned = [task for task in self.tasks if task.aside == "Chuyển lại"]
        self.tasks = [task for task in self.tasks if not task.aside]

    def of(self, *, progress: str | None = None, kind: str | None = None) -> int:
        """Tasks of a progress and a timeliness."""
        return sum(
            progress in (None, task.progress) and kind in (None, task.timeliness)
            for task in self.tasks
        )

    @property
    def total(self) -> int:
        """All."""
        return len(self.tasks)

    @property
    def labels(self) -> dict[str, int]:
        """By label."""
        return label_counts(self.tasks, self.profile)

    @property
    def documents(self) -> int:
        """Distinct documents; numbers start anew each year."""
        return len(
            {
                (task["document_number"], task.issued and task.issued.year)
                for task in self.tasks
                if task["document_number"]
            }
        )

    def cell(self, progress: str, *, missed: bool) -> int:
        """A cell of unit × status: in time or past the deadline."""
        return sum(t.progress == progress and t.missed is missed for t in self.tasks)

    @property
    def ages(self) -> list[int]:
        """Overdue tasks by days past the deadline."""
        days = [-(task.days_left or 0) for task in self.tasks if task.overdue]
        return [sum(first <= day <= last for day in days) for first, last in AGES]

    @property
    def on_time_rate(self) -> float | None:
        """On time among the finished with a deadline."""
        return share(self.of(kind="on_time"), self.of(kind="on_time") + self.of(kind="late"))

    @property
    def completion_rate(self) -> float | None:
        """Completed and, where the regulation knows approval, approved, among all."""
        approved = self.profile in ("lao-cai", "thu-nghiem")
        done = [
            task
            for task in self.tasks
            if task.progress == DONE and (not approved or task.day("approved_on"))
        ]
        return share(len(done), self.total)

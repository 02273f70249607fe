"""A month's round in a folder: a master, workbooks sent, filled in and returned.

Every command runs through the command line's entry, in this process. Workbooks are filled
by openpyxl, by the headings that `theodoi fields` gives, as a unit's clerk would.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import openpyxl

from tests import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

SENT = "2026-11-02"
RECEIVED = "2026-11-25"
PERIOD = "2026-11"

NOT_STARTED = "Chưa thực hiện"
IN_PROGRESS = "Đang thực hiện"
DONE = "Đã thực hiện"

UNITS = """\
code,name,short_name,aliases
STC,Sở Tài chính,Sở TC,Sở KH&ĐT
SNV,Sở Nội vụ,Sở NV,
SXD,Sở Xây dựng,Sở XD,
"""

TASKS = """\
task_id,document_number,issue_date,document_subject,content,lead_unit,coordinating_units,due_date,progress_text,progress_date,completed_on,late_reason,note
NV-1,12/CT-UBND,2026-10-01,Chỉ thị về ngân sách,Xây dựng kế hoạch ngân sách,STC,SNV,2026-12-20,,,,,
NV-2,12/CT-UBND,2026-10-01,Chỉ thị về ngân sách,Rà soát các khoản chi,STC,,2026-12-20,Đã họp lần một,2026-10-20,,,Ghi chú cũ
NV-3,13/CT-UBND,2026-10-01,Chỉ thị đầu tư công,Giải ngân vốn đầu tư,STC,SNV;SXD,2026-12-20,,,,,
NV-4,13/CT-UBND,2026-09-01,Chỉ thị đầu tư công,Báo cáo giải ngân,STC,,2026-10-15,,,2026-10-14,,
NV-5,14/CT-UBND,2026-09-01,Chỉ thị quá hạn,Việc đã quá hạn,STC,,2026-10-15,,,,,
NV-6,15/QĐ-UBND,2026-10-05,Quyết định biên chế,Phương án biên chế,SNV,,2026-12-25,,,,,
NV-7,15/QĐ-UBND,2026-10-05,Quyết định biên chế,Đề án vị trí việc làm,SNV,,2026-12-25,,,,,
NV-8,16/QĐ-UBND,2026-10-05,Quyết định quy hoạch,Quy hoạch đô thị,SXD,,2026-12-25,,,,,
"""


class Answer(commands.Answer):
    """An answer, with what tests ask of it."""

    @property
    def file(self) -> Any:
        """The only file's verdict."""
        (verdict,) = self.json["files"]
        return verdict

    def findings(self) -> list[tuple[str, str, str | None, str | None]]:
        """Code, severity, task and field of every finding of every file."""
        return [
            (f["code"], f["severity"], f["task_id"], f["field"])
            for verdict in self.json["files"]
            for f in verdict["findings"]
        ]

    def codes(self, severity: str | None = None) -> list[str]:
        """Codes of all findings, sorted."""
        return sorted(f[0] for f in self.findings() if severity in (None, f[1]))

    def rows(self) -> tuple[int, int, int, int]:
        """Totals: changed, unchanged, rejected, conflict."""
        totals = self.json["totals"]
        return tuple(totals[name] for name in ("changed", "unchanged", "rejected", "conflict"))


def run(*words: object) -> Answer:
    """Run one command of the program."""
    return Answer.of(*words)


@cache
def labels(profile: str, kind: str) -> dict[str, str]:
    """Heading by field, of the register (`master`) or the unit's list (`unit`)."""
    document = json.loads(run("fields", "--profile", profile, "--json").out)
    return {item["field"]: item["label"] for item in document[kind]}


class Round:
    """A folder in which one office's month happens."""

    def __init__(
        self, folder: Path, *, profile: str = "hue", tasks: str = TASKS, units: str = UNITS
    ) -> None:
        self.folder = folder
        self.profile = profile
        self.master = folder / "so.xlsx"
        self.sent = folder / "gui"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "u.csv").write_text(units, encoding="utf-8")
        (folder / "t.csv").write_text(tasks, encoding="utf-8")
        answer = run(
            "new", self.master, "--profile", profile, "--units", folder / "u.csv",
            "--tasks", folder / "t.csv", "--as-of", SENT, "--json",
        )  # fmt: skip
        assert answer.code == 0, answer.out

    def send(
        self, period: str = PERIOD, *, as_of: str = SENT, out: Path | None = None, new: bool = False
    ) -> Answer:
        words = ["send", self.master, "--period", period, "--out", out or self.sent]
        words += ["--new"] if new else []
        return run(*words, "--as-of", as_of, "--json")

    def consolidate(self, *paths: object, as_of: str = RECEIVED) -> Answer:
        return run("consolidate", self.master, *paths, "--as-of", as_of, "--json")

    def show(self, as_of: str = RECEIVED) -> dict[str, dict[str, Any]]:
        """The register by task id."""
        answer = run("show", self.master, "--as-of", as_of, "--json")
        assert answer.code == 0, answer.out
        return {task["task_id"]: task for task in answer.json["tasks"]}

    def unit_file(self, unit: str = "STC", period: str = PERIOD) -> Path:
        """The workbook that was sent to a unit."""
        return self.sent / f"{unit}_{period}.xlsx"

    def fill(
        self,
        values: Mapping[str, Mapping[str, Any]],
        *,
        unit: str = "STC",
        name: str | None = None,
        at: str | None = "2026-11-20T08:00:00Z",
        source: Path | None = None,
        edit: Callable[[Worksheet, dict[str, int], dict[str, int]], None] | None = None,
    ) -> Path:
        """Fill in a unit's workbook as a clerk would, and put it into the folder `ve`.

        Args:
            values: New values by task id and field.
            unit: Whose workbook.
            name: File name; the sent one without it.
            at: Moment at which the workbook says it was saved.
            source: Another workbook to start from than the sent one.
            edit: Called with the sheet, columns by field and rows by task id, at the end.
        """
        source = source or self.unit_file(unit)
        book = openpyxl.load_workbook(source)
        sheet = sheet_of(book, "NhiemVuDonVi")
        columns, rows = places(sheet, labels(self.profile, "unit"))
        for task_id, fields in values.items():
            for field, value in fields.items():
                sheet.cell(rows[task_id], columns[field]).value = as_cell(value)
        if edit is not None:
            edit(sheet, columns, rows)
        target = self.folder / "ve" / (name or source.name)
        target.parent.mkdir(exist_ok=True)
        book.save(target)
        if at is not None:
            stamp(target, at)
        return target

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of a master's table by heading; wholly blank rows are left out."""
        book = openpyxl.load_workbook(self.master)
        sheet = sheet_of(book, name)
        cells = sheet[sheet.tables[name].ref]
        head = [cell.value for cell in cells[0]]
        rows = [dict(zip(head, [c.value for c in row], strict=True)) for row in cells[1:]]
        return [row for row in rows if any(value is not None for value in row.values())]

    def office_types(self, key: str, /, **values: Any) -> None:
        """Type values into the register by hand, as the Office does in Excel."""
        self.type_in("NhiemVu", key, **values)

    def type_in(self, table: str, key: str, /, **values: Any) -> None:
        """Type values into the register's row of a task."""
        book = openpyxl.load_workbook(self.master)
        sheet = sheet_of(book, table)
        columns, rows = places(sheet, labels(self.profile, "master"), table)
        for field, value in values.items():
            sheet.cell(rows[key], columns[field]).value = as_cell(value)
        book.save(self.master)

    def type_rows(self, table: str, rows: Mapping[int, Mapping[str, Any]]) -> None:
        """Type values into a table's rows by number and heading."""
        book = openpyxl.load_workbook(self.master)
        sheet = sheet_of(book, table)
        cells = sheet[sheet.tables[table].ref]
        head = {cell.value: index for index, cell in enumerate(cells[0])}
        for number, values in rows.items():
            for label, value in values.items():
                cells[1 + number][head[label]].value = as_cell(value)
        book.save(self.master)

    def choose(self, choice: str, *numbers: int) -> None:
        """Choose in rows of XungDot, in all of them where none is named."""
        rows = numbers or range(len(self.table("XungDot")))
        assert rows
        self.type_rows("XungDot", {number: {"Chọn": choice} for number in rows})

    def state(self, as_of: str = RECEIVED) -> dict[str, dict[str, Any]]:
        """What the register says, without what is computed for display."""
        return {
            key: {k: v for k, v in task.items() if v is not None}
            for key, task in self.show(as_of).items()
        }

    def copy(self, folder: Path) -> Round:
        """The same office in another folder."""
        other = object.__new__(Round)
        shutil.copytree(self.folder, folder)
        other.folder, other.profile = folder, self.profile
        other.master, other.sent = folder / self.master.name, folder / "gui"
        return other

    def tree(self) -> dict[str, str]:
        """Hash of every file in the folder."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        } | {
            str(path.relative_to(self.folder)): "folder"
            for path in sorted(self.folder.rglob("*"))
            if path.is_dir()
        }


def sheet_of(book: openpyxl.Workbook, table: str) -> Worksheet:
    """The sheet on which a table stands."""
    return next(sheet for sheet in book if table in getattr(sheet, "tables", {}))


def places(
    sheet: Worksheet, headings: Mapping[str, str], table: str = "NhiemVuDonVi"
) -> tuple[dict[str, int], dict[str, int]]:
    """Column number by field and row number by task id of a list."""
    area = sheet.tables[table].ref
    cells = sheet[area]
    by_label = {cell.value: cell.column for cell in cells[0]}
    columns = {field: by_label[label] for field, label in headings.items() if label in by_label}
    key = columns["task_id"] - cells[0][0].column
    rows = {row[key].value: row[key].row for row in cells[1:] if row[key].value}
    return columns, rows


def as_cell(value: Any) -> Any:
    """ISO dates become real dates; everything else stays."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return datetime.combine(date.fromisoformat(value), datetime.min.time())
    return value


def rewrite(path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """Rewrite the parts of a package; None drops one."""
    with zipfile.ZipFile(path) as package:
        parts = [(item, package.read(item)) for item in package.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for item, data in parts:
            new = change(item.filename, data)
            if new is not None:
                package.writestr(item.filename, new)


def stamp(path: Path, moment: str) -> None:
    """Set the moment at which a workbook says it was last saved."""

    def change(name: str, data: bytes) -> bytes:
        if name != "docProps/core.xml":
            return data
        return re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + moment.encode(), data)

    rewrite(path, change)

"""An office in a folder: lists as text, commands in-process, workbooks changed by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl

from tests import commands

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AS_OF = "2026-11-21"

UNITS = """\
code,name,short_name,aliases,kind,email,phone,valid_from,valid_to,successor
STC,Sở Tài chính,Sở TC,Sở Kế hoạch và Đầu tư;Sở KH&ĐT,Sở,stc@example.vn,0912345678,2025-03-01,,
SNV,Sở Nội vụ,Sở NV,,Sở,,,01/03/2025,,
SXD,Sở Xây dựng,Sở XD,,Sở,,,,,
"""


class Answer(commands.Answer):
    """An answer, with what tests ask of it."""

    def found(self, *names: str) -> set[tuple[Any, ...]]:
        """Code and the named attributes of every finding."""
        names = names or ("cell",)
        return {(f["code"], *(f[name] for name in names)) for f in self.json["findings"]}

    def codes(self, severity: str | None = None) -> set[str]:
        """Codes of the findings, of one severity where given."""
        return {f["code"] for f in self.json["findings"] if severity in (None, f["severity"])}


def theodoi(*words: object) -> Answer:
    """Run one command."""
    return Answer.of(*words)


_MADE: dict[tuple[str, str], bytes] = {}
"""Masters by profile and tasks."""


class Office:
    """A folder with a master and the lists it was made from."""

    def __init__(self, folder: Path, profile: str = "hue") -> None:
        self.folder = folder
        self.profile = profile
        self.master = folder / "so.xlsx"

    def write(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        """Write a list and return its path."""
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    def new(self, tasks: str | None = None, units: str = UNITS, as_of: str = AS_OF) -> Answer:
        """Make the master."""
        words: list[object] = ["new", self.master, "--profile", self.profile, "--json"]
        words += ["--as-of", as_of, "--units", self.write("don-vi.csv", units)]
        if tasks is not None:
            words += ["--tasks", self.write("nhiem-vu.csv", tasks)]
        return theodoi(*words)

    def copy(self, tasks: str) -> None:
        """Make the master, or copy the one that an earlier test made of the same tasks."""
        key = (self.profile, tasks)
        if key not in _MADE:
            self.new(tasks)
            _MADE[key] = self.master.read_bytes()
        self.master.write_bytes(_MADE[key])

    def run(self, command: str, *words: object, as_of: str = AS_OF) -> Answer:
        """Run a command on the master, answering in JSON."""
        return theodoi(command, self.master, *words, "--json", "--as-of", as_of)

    def add(self, tasks: str, *words: object, as_of: str = AS_OF) -> Answer:
        """Add a list given as text."""
        return self.run("add", self.write("them.csv", tasks), *words, as_of=as_of)

    def tasks(self, as_of: str = AS_OF) -> dict[str, dict[str, Any]]:
        """What `show` says, by task id."""
        answer = self.run("show", as_of=as_of)
        assert answer.code == 0, answer.out
        return {task["task_id"]: task for task in answer.json["tasks"]}

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of a table of the master by heading, dates as dates, blank rows left out."""
        rows = read_table(self.master, name)
        return [row for row in rows if any(value is not None for value in row.values())]

    def label(self, field: str) -> str:
        """A register field's heading."""
        fields = theodoi("fields", "--profile", self.profile, "--json").json["master"]
        return next(item["label"] for item in fields if item["field"] == field)

    def edit(self, table: str, row: int, values: Mapping[str, Any]) -> dict[str, str]:
        """Type values into a row of a table by heading, as a person would; 0 is the first.

        Returns:
            Address of each cell by heading.
        """
        return edit_table(self.master, table, row, values)

    def cell_of(self, task: str, field: str) -> str:
        """Address of a task's cell."""
        book = openpyxl.load_workbook(self.master)
        sheet = sheet_of(book, "NhiemVu")
        head, *rows = sheet[sheet.tables["NhiemVu"].ref]
        place = {cell.value: number for number, cell in enumerate(head)}
        key = place[self.label("task_id")]
        row = next(row for row in rows if row[key].value == task)
        address: str = row[place[self.label(field)]].coordinate
        return address

    def type_task(self, task: str, /, **values: Any) -> dict[str, str]:
        """Type values into a task's row by field; returns addresses by field."""
        key = self.label("task_id")
        rows = read_table(self.master, "NhiemVu")
        row = next(i for i, item in enumerate(rows) if item[key] == task)
        labels = {field: self.label(field) for field in values}
        cells = self.edit("NhiemVu", row, {labels[f]: value for f, value in values.items()})
        return {field: cells[label] for field, label in labels.items()}


def sheet_of(book: openpyxl.Workbook, table: str) -> Any:
    """The sheet on which a table stands."""
    return next(sheet for sheet in book if table in sheet.tables)


def plain(value: Any) -> Any:
    """A cell's value with dates as dates."""
    if isinstance(value, datetime):
        return value.date()
    return value


def read_table(path: Path, name: str) -> list[dict[str, Any]]:
    """Every row of a table by heading; of formulas their stored results."""
    book = openpyxl.load_workbook(path, data_only=True)
    sheet = sheet_of(book, name)
    rows = [[plain(cell.value) for cell in row] for row in sheet[sheet.tables[name].ref]]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def edit_table(path: Path, name: str, row: int, values: Mapping[str, Any]) -> dict[str, str]:
    """Type values into a table's row, which may be the next one below it."""
    book = openpyxl.load_workbook(path, keep_vba=path.suffix == ".xlsm")
    sheet = sheet_of(book, name)
    table = sheet.tables[name]
    cells = sheet[table.ref]
    headings = {cell.value: cell.column for cell in cells[0]}
    line = cells[0][0].row + 1 + row
    first, last = table.ref.split(":")
    if line > int("".join(c for c in last if c.isdigit())):
        letters = "".join(c for c in last if not c.isdigit())
        table.ref = f"{first}:{letters}{line}"
        table.autoFilter = None
    places = {}
    for heading, value in values.items():
        cell = sheet.cell(line, headings[heading])
        cell.value = value
        if isinstance(value, date):
            cell.number_format = "dd/mm/yyyy"
        places[heading] = cell.coordinate
    book.save(path)
    return places
